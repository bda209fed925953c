//! At which frames a fault acts.

use kafka_protocol::messages::{
    OffsetCommitRequest,
    offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic},
};
use proxy::{Action, ApiKey, Fault, Field, Proxy, When};

use crate::support::{
    kafka::{self, client, topic_name, unique},
    requests::{PRODUCE, end, init, produce, versions},
    wait,
    wire::{Client, text},
};

/// How often a note of this moment is raised by what this client does.
fn notes(when: When, act: impl FnOnce(&Proxy, &mut Client)) -> usize {
    let proxy = kafka::proxy();
    proxy.arm(Fault::new("noted", when, Action::Note));
    let mut client = client(&proxy, "program");
    act(&proxy, &mut client);
    // Notes of earlier responses are raised before the answer to this is read.
    client.call(&versions(), 2);
    proxy.count("noted")
}

#[test]
fn so_many_frames_from_the_nth_on() {
    let five = |_: &Proxy, client: &mut Client| {
        for _ in 0..5 {
            client.call(&init(None), 1);
        }
    };
    let when = || When::request(ApiKey::InitProducerId);
    assert_eq!(notes(when(), five), 1);
    assert_eq!(notes(when().nth(2).times(3), five), 3);
    assert_eq!(notes(when().nth(4).times(3), five), 2);
    assert_eq!(notes(when().nth(6), five), 0);
    assert_eq!(notes(when().always(), five), 5);
    assert_eq!(notes(when().nth(3).always(), five), 3);
    assert_eq!(notes(when().times(0), five), 0);
    assert_eq!(notes(When::response(ApiKey::InitProducerId).nth(2).times(2), five), 2);
    assert_eq!(notes(When::request(ApiKey::Heartbeat).always(), five), 0);
}

#[test]
fn each_fault_counts_for_itself() {
    let proxy = kafka::proxy();
    for nth in 1..=3 {
        let when = When::request(ApiKey::InitProducerId).nth(nth);
        proxy.arm(Fault::new(format!("number {nth}"), when, Action::Note));
    }
    let mut client = client(&proxy, "program");
    client.call(&init(None), 1);
    // Armed between the first and the second.
    proxy.arm(Fault::new("from now on", When::request(ApiKey::InitProducerId), Action::Note));
    client.call(&init(None), 1);
    let counts = ["number 1", "number 2", "number 3", "from now on"].map(|signal| proxy.count(signal));
    assert_eq!(counts, [1, 1, 0, 1]);
}

#[test]
fn only_after_the_signal() {
    let when = When::request(ApiKey::InitProducerId).after("started").nth(2);
    let count = notes(when, |proxy, client| {
        client.call(&init(None), 1);
        client.call(&init(None), 1);
        proxy.signal("started");
        client.call(&init(None), 1);
        assert_eq!(proxy.count("noted"), 0);
        client.call(&init(None), 1);
        assert_eq!(proxy.count("noted"), 1);
    });
    assert_eq!(count, 1);
}

#[test]
fn only_of_this_client() {
    let init_twice = |proxy: &Proxy, client: &mut Client| {
        client.call(&init(None), 1);
        let other = proxy.client("other").unwrap();
        Client::named(&other.to_string(), "other-id").call(&init(None), 1);
    };
    let when = || When::request(ApiKey::InitProducerId).always();
    assert_eq!(notes(when(), init_twice), 2);
    assert_eq!(notes(when().of("program"), init_twice), 1);
    assert_eq!(notes(when().of("other"), init_twice), 1);
    assert_eq!(notes(when().of("nobody"), init_twice), 0);
    assert_eq!(notes(when().client_id("test"), init_twice), 1);
    assert_eq!(notes(when().client_id("other-id"), init_twice), 1);
    assert_eq!(notes(when().client_id("test").of("other"), init_twice), 0);
}

#[test]
fn only_of_this_transactional_id() {
    let (mine, other) = (unique("txn"), unique("txn"));
    let act = |_: &Proxy, client: &mut Client| {
        for id in [&mine, &other] {
            // The coordinator of a transactional id may still be on its way up.
            while client.call(&init(Some(id)), 1).error_code != 0 {
                let request =
                    kafka_protocol::messages::FindCoordinatorRequest::default().with_key(text(id)).with_key_type(1);
                client.call(&request, 1);
            }
        }
    };
    let id = |id: &str| Field::TransactionalId(id.to_owned());
    // On a broker that has just started, a request may be repeated: at least one.
    assert!(notes(When::request(ApiKey::InitProducerId).with(id(&mine)).always(), act) >= 1);
    assert!(notes(When::response(ApiKey::InitProducerId).with(id(&mine)).with(Field::Error(0)), act) == 1);
    assert_eq!(notes(When::request(ApiKey::InitProducerId).with(id("none")).always(), act), 0);
}

#[test]
fn only_with_this_value() {
    let topic = kafka::topic();
    let act = |_: &Proxy, client: &mut Client| {
        client.call(&produce(&topic, ["one", "two"]), PRODUCE);
        client.call(&produce(&topic, ["three"]), PRODUCE);
    };
    for (value, times) in [("one", 1), ("two", 1), ("three", 1), ("on", 0), ("twothree", 0)] {
        let request = When::request(ApiKey::Produce).holding(value).always();
        assert_eq!(notes(request, act), times, "{value}");
        let response = When::response(ApiKey::Produce).holding(value).always();
        assert_eq!(notes(response, act), times, "the response to {value}");
    }
}

#[test]
fn only_with_this_topic_partition_and_error() {
    let (topic, other) = (kafka::topic(), kafka::topic());
    let act = |_: &Proxy, client: &mut Client| {
        client.call(&produce(&topic, ["here"]), PRODUCE);
        client.call(&produce(&other, ["there"]), PRODUCE);
        client.call(&produce(&unique("absent"), ["nowhere"]), PRODUCE);
    };
    let request = || When::request(ApiKey::Produce).always();
    let response = || When::response(ApiKey::Produce).always();
    assert_eq!(notes(request().with(Field::Topic(topic.clone())), act), 1);
    assert_eq!(notes(request().with(Field::Topic("no such".into())), act), 0);
    assert_eq!(notes(request().with(Field::Partition(0)), act), 3);
    assert_eq!(notes(request().with(Field::Partition(1)), act), 0);
    assert_eq!(notes(request().with(Field::HasRecords), act), 3);
    assert_eq!(notes(response().with(Field::Error(0)), act), 2);
    assert_eq!(notes(response().with(Field::Error(3)), act), 1);
    assert_eq!(notes(response().with(Field::Error(3)).with(Field::Topic(topic.clone())), act), 0);
    assert_eq!(notes(response().with(Field::Error(0)).with(Field::Topic(topic.clone())), act), 1);
    assert_eq!(notes(response().with(Field::HasRecords).with(Field::Topic(topic.clone())), act), 1);
}

/// No error at all: one partition's is one.
#[test]
fn no_error_is_none_anywhere() {
    let topic = kafka::topic();
    let act = |_: &Proxy, client: &mut Client| {
        let mut request = produce(&topic, ["here"]);
        request.topic_data.extend(produce(&unique("absent"), ["nowhere"]).topic_data);
        client.call(&request, PRODUCE);
    };
    let response = || When::response(ApiKey::Produce).always();
    assert_eq!(notes(response(), act), 1);
    assert_eq!(notes(response().with(Field::Error(0)), act), 0);
    assert_eq!(notes(response().with(Field::Error(3)), act), 1);
}

#[test]
fn only_commits_or_aborts() {
    let act = |_: &Proxy, client: &mut Client| {
        for commit in [true, false, false] {
            client.call(&end("some-id", 1, 0, commit), 1);
        }
    };
    for (commits, times) in [(true, 1), (false, 2)] {
        let when = When::request(ApiKey::EndTxn).with(Field::Commits(commits)).always();
        assert_eq!(notes(when, act), times);
        let when = When::response(ApiKey::EndTxn).with(Field::Commits(commits)).always();
        assert_eq!(notes(when, act), times);
    }
}

#[test]
fn only_of_this_group_and_from_this_offset_on() {
    let (topic, group) = (kafka::topic(), unique("group"));
    let act = |_: &Proxy, client: &mut Client| {
        for offset in [3, 5, 7] {
            let partition = OffsetCommitRequestPartition::default().with_committed_offset(offset);
            let of = OffsetCommitRequestTopic::default().with_name(topic_name(&topic)).with_partitions(vec![partition]);
            let request = OffsetCommitRequest::default().with_group_id(text(&group).into()).with_topics(vec![of]);
            client.call(&request, 7);
        }
    };
    let request = || When::request(ApiKey::OffsetCommit).always();
    assert_eq!(notes(request().with(Field::Group(group.clone())), act), 3);
    assert_eq!(notes(request().with(Field::Group("another".into())), act), 0);
    for (offset, times) in [(3, 3), (4, 2), (5, 2), (7, 1), (8, 0)] {
        assert_eq!(notes(request().with(Field::OffsetAtLeast(offset)), act), times);
        let response = When::response(ApiKey::OffsetCommit).always();
        assert_eq!(notes(response.with(Field::OffsetAtLeast(offset)), act), times);
    }
}

#[test]
fn signals_are_counted_and_waited_for() {
    use std::{sync::Arc, time::Duration};

    let proxy = Arc::new(kafka::proxy());
    assert!(!proxy.wait("it", 1, Duration::ZERO));
    let waiting = std::thread::spawn({
        let proxy = proxy.clone();
        move || proxy.wait("it", 2, crate::support::PATIENCE)
    });
    proxy.signal("it");
    assert!(!proxy.wait("it", 2, Duration::from_millis(20)));
    proxy.signal("it");
    assert!(waiting.join().unwrap());
    assert_eq!(proxy.count("it"), 2);
    wait(&proxy, "it");
}
