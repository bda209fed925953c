//! Fetch sessions (KIP-227), as far as a client may rely on them: a broker need not have room for one.

use super::support::{Topic, batch, fetch_request, fetched, only_fetched, parse_values};

#[test]
fn a_fetch_without_a_session_gets_none() {
    let mut topic = Topic::new();
    for version in [7, 11, 12] {
        let response = topic.client.call(&fetch_request(&topic.name, &[(0, 0)]), version);
        assert_eq!((response.error_code, response.session_id), (0, 0), "version {version}");
    }
}

#[test]
fn a_first_fetch_of_a_session_answers_for_all_partitions() {
    let mut topic = Topic::with(2, &[]);
    topic.produce_to(1, batch(["a"]).build());
    for version in [7, 11, 12] {
        let request = fetch_request(&topic.name, &[(0, 0), (1, 0)]).with_session_epoch(0);
        let response = topic.client.call(&request, version);
        assert_eq!(response.error_code, 0);
        let lengths: Vec<_> =
            fetched(response).iter().map(|found| parse_values(found.records.as_deref()).len()).collect();
        assert_eq!(lengths, [0, 1], "version {version}");
    }
}

#[test]
fn an_unknown_session_is_refused_as_a_whole() {
    let mut topic = Topic::new();
    topic.append(&batch(["a"]));
    for version in [7, 11, 12] {
        for (id, epoch) in [(4711, 1), (4711, 7), (-4, 1)] {
            let request = fetch_request(&topic.name, &[(0, 0)]).with_session_id(id).with_session_epoch(epoch);
            let response = topic.client.call(&request, version);
            assert_eq!((response.error_code, response.session_id), (70, 0), "session {id}, epoch {epoch}");
            assert!(response.responses.is_empty());
        }
    }
}

#[test]
fn a_session_epoch_without_a_session_is_refused() {
    let mut topic = Topic::new();
    for version in [7, 11, 12] {
        let request = fetch_request(&topic.name, &[(0, 0)]).with_session_epoch(1);
        let response = topic.client.call(&request, version);
        assert_eq!((response.error_code, response.responses.len()), (70, 0), "version {version}");
    }
}

#[test]
fn an_unknown_session_that_is_closed_or_started_again_is_no_error() {
    let mut topic = Topic::new();
    topic.append(&batch(["a"]));
    for epoch in [-1, 0] {
        let request = fetch_request(&topic.name, &[(0, 0)]).with_session_id(4711).with_session_epoch(epoch);
        let response = topic.client.call(&request, 12);
        assert_eq!(response.error_code, 0, "epoch {epoch}");
        assert_eq!(parse_values(only_fetched(response).records.as_deref()), ["a"], "epoch {epoch}");
    }
}

#[test]
fn after_any_answer_to_a_first_fetch_a_full_fetch_works() {
    let mut topic = Topic::new();
    topic.append(&batch(["a"]));
    let first = topic.client.call(&fetch_request(&topic.name, &[(0, 0)]).with_session_epoch(0), 12);
    let full = fetch_request(&topic.name, &[(0, 0)]).with_session_id(first.session_id).with_session_epoch(-1);
    let response = topic.client.call(&full, 12);
    assert_eq!((response.error_code, response.session_id), (0, 0));
    assert_eq!(parse_values(only_fetched(response).records.as_deref()), ["a"]);
}
