//! DescribeTransactions, ListTransactions and DescribeProducers.

use kafka_protocol::messages::{
    DescribeProducersRequest, DescribeTransactionsRequest, ListTransactionsRequest, ListTransactionsResponse,
    TransactionalId, describe_producers_request::TopicRequest, describe_producers_response::PartitionResponse,
};

use super::support::{
    Producer, batch_of, code, connect, describe, init, init_request, is_now, now, topic, topic_name, try_produce, until,
};
use crate::support::{broker::unique, wire::text};

#[test]
fn a_transaction_is_described_from_its_producer_id_to_its_end() {
    let topic = topic(2);
    let before = now();
    let mut producer = Producer::named(&unique("txn"), 34_567);
    let state = describe(&producer.transactional_id);
    assert_eq!(state.error_code, code::NONE);
    assert_eq!((state.producer_id.0, state.producer_epoch), (producer.id, producer.epoch));
    assert_eq!((state.transaction_state.as_str(), state.transaction_timeout_ms), ("Empty", 34_567));
    assert_eq!((state.transaction_start_time_ms, state.topics.len()), (-1, 0));

    producer.send(&topic, 1, &["value"]);
    let state = describe(&producer.transactional_id);
    assert_eq!(state.transaction_state.as_str(), "Ongoing");
    assert!(is_now(state.transaction_start_time_ms, before));
    assert_eq!((state.topics[0].topic.as_str(), &state.topics[0].partitions[..]), (topic.as_str(), &[1][..]));

    producer.commit();
    let state = describe(&producer.transactional_id);
    assert_eq!((state.transaction_state.as_str(), state.topics.len()), ("CompleteCommit", 0));
    // When the last one began is told still.
    assert!(is_now(state.transaction_start_time_ms, before));

    producer.send(&topic, 0, &["value"]);
    producer.abort();
    assert_eq!(describe(&producer.transactional_id).transaction_state.as_str(), "CompleteAbort");
}

#[test]
fn a_transaction_that_follows_has_a_start_of_its_own() {
    let topic = topic(1);
    let mut producer = Producer::new();
    producer.send(&topic, 0, &["0"]);
    producer.commit();
    let first = describe(&producer.transactional_id).transaction_start_time_ms;
    until("the next millisecond but some", || (now() > first + 10).then_some(()));
    producer.send(&topic, 0, &["1"]);
    assert!(describe(&producer.transactional_id).transaction_start_time_ms > first);
}

#[test]
fn each_transactional_id_is_described_for_itself() {
    let (producer, unknown) = (Producer::new(), unique("unknown"));
    let ids = [producer.transactional_id.as_str(), &unknown, ""];
    let request = DescribeTransactionsRequest::default()
        .with_transactional_ids(ids.iter().map(|id| TransactionalId(text(id))).collect());
    let response = connect().call(&request, 0);
    let codes: Vec<_> = response
        .transaction_states
        .iter()
        .map(|state| (state.transactional_id.as_str().to_owned(), state.error_code))
        .collect();
    let expected = [
        (producer.transactional_id.clone(), code::NONE),
        (unknown, code::TRANSACTIONAL_ID_NOT_FOUND),
        (String::new(), code::INVALID_REQUEST),
    ];
    assert_eq!(codes, expected);
}

fn list(request: &ListTransactionsRequest, version: i16) -> ListTransactionsResponse {
    let response = connect().call(request, version);
    assert_eq!(response.error_code, code::NONE);
    response
}

fn by_state(states: &[&str]) -> ListTransactionsRequest {
    ListTransactionsRequest::default()
        .with_state_filters(states.iter().map(|state| text(state)).collect())
        .with_duration_filter(-1)
}

/// The state in which a list shows a transactional id.
fn listed(response: &ListTransactionsResponse, producer: &Producer) -> Option<String> {
    let state = response
        .transaction_states
        .iter()
        .find(|state| state.transactional_id.as_str() == producer.transactional_id)?;
    assert_eq!(state.producer_id.0, producer.id);
    Some(state.transaction_state.to_string())
}

#[test]
fn transactions_are_listed_by_state() {
    let topic = topic(1);
    let (idle, mut open, mut done) = (Producer::new(), Producer::new(), Producer::new());
    open.send(&topic, 0, &["0"]);
    done.send(&topic, 0, &["1"]);
    done.commit();
    for version in 0..=1 {
        let all = list(&by_state(&[]), version);
        assert_eq!(listed(&all, &idle).as_deref(), Some("Empty"), "v{version}");
        assert_eq!(listed(&all, &open).as_deref(), Some("Ongoing"), "v{version}");
        assert_eq!(listed(&all, &done).as_deref(), Some("CompleteCommit"), "v{version}");
        let some = list(&by_state(&["Ongoing", "Empty"]), version);
        assert_eq!(listed(&some, &idle).as_deref(), Some("Empty"), "v{version}");
        assert_eq!(listed(&some, &open).as_deref(), Some("Ongoing"), "v{version}");
        assert_eq!(listed(&some, &done), None, "v{version}");
        assert!(some.unknown_state_filters.is_empty(), "v{version}");
    }
}

#[test]
fn unknown_states_are_told_and_otherwise_ignored() {
    let idle = Producer::new();
    let response = list(&by_state(&["Empty", "Nonsense"]), 0);
    assert!(listed(&response, &idle).is_some());
    assert_eq!(response.unknown_state_filters, [text("Nonsense")]);
    let response = list(&by_state(&["Nonsense", "empty"]), 1);
    assert_eq!(response.transaction_states.len(), 0);
    let mut unknown = response.unknown_state_filters.clone();
    unknown.sort();
    assert_eq!(unknown, [text("Nonsense"), text("empty")]);
}

#[test]
fn transactions_are_listed_by_producer_id() {
    let (one, two, three) = (Producer::new(), Producer::new(), Producer::new());
    let request = by_state(&[]).with_producer_id_filters(vec![one.id.into(), three.id.into(), i64::MAX.into()]);
    let response = list(&request, 0);
    assert_eq!(response.transaction_states.len(), 2);
    assert!(listed(&response, &one).is_some() && listed(&response, &three).is_some());
    assert!(listed(&response, &two).is_none());
}

#[test]
fn transactions_are_listed_by_their_duration() {
    let topic = topic(1);
    let (idle, mut open) = (Producer::new(), Producer::new());
    open.send(&topic, 0, &["0"]);
    let ids = vec![idle.id.into(), open.id.into()];
    let of = |duration| list(&by_state(&[]).with_producer_id_filters(ids.clone()).with_duration_filter(duration), 1);
    // Longer than a negative duration are all, also without filter.
    assert!(listed(&of(-1), &open).is_some() && listed(&of(-1), &idle).is_some());
    until("a millisecond", || listed(&of(0), &open));
    assert!(listed(&of(600_000), &open).is_none());
    // The start of what never began is -1: it lasts since 1970.
    assert!(listed(&of(600_000), &idle).is_some());
}

fn producers(topic: &str, partition: i32) -> PartitionResponse {
    let topic = TopicRequest::default().with_name(topic_name(topic)).with_partition_indexes(vec![partition]);
    let request = DescribeProducersRequest::default().with_topics(vec![topic]);
    connect().call(&request, 0).topics[0].partitions.remove(0)
}

#[test]
fn a_producer_is_described_with_its_sequence_and_open_transaction() {
    let topic = topic(1);
    let mut producer = Producer::new();
    producer.send(&topic, 0, &["0"]);
    producer.commit();
    producer.send(&topic, 0, &["1", "2"]);
    let described = producers(&topic, 0);
    assert_eq!((described.error_code, described.active_producers.len()), (code::NONE, 1));
    let state = &described.active_producers[0];
    assert_eq!((state.producer_id.0, state.producer_epoch), (producer.id, i32::from(producer.epoch)));
    assert_eq!((state.last_sequence, state.current_txn_start_offset), (2, 2));
    assert!(state.coordinator_epoch >= 0);
    assert!(state.last_timestamp > 0);

    producer.abort();
    let state = &producers(&topic, 0).active_producers[0];
    assert_eq!((state.current_txn_start_offset, state.last_sequence), (-1, 2));
}

#[test]
fn an_idempotent_producer_is_described_without_transaction() {
    let topic = topic(1);
    let mut client = connect();
    let id = init(&mut client, &init_request(None, 0), 1).producer_id.0;
    let batch = batch_of(&["0", "1"]).by(id, 0, 0);
    assert_eq!(try_produce(&mut client, None, &topic, 0, &batch, 9).0, code::NONE);
    let described = producers(&topic, 0);
    let state = &described.active_producers[0];
    assert_eq!((state.producer_id.0, state.producer_epoch, state.last_sequence), (id, 0, 1));
    assert_eq!((state.current_txn_start_offset, state.coordinator_epoch), (-1, -1));
    assert_eq!(state.last_timestamp, batch.base_timestamp);
}

#[test]
fn a_partition_without_producers_describes_none() {
    let topic = topic(1);
    let (error, _) = try_produce(&mut connect(), None, &topic, 0, &batch_of(&["plain"]), 9);
    assert_eq!(error, code::NONE);
    let described = producers(&topic, 0);
    assert_eq!((described.error_code, described.active_producers.len()), (code::NONE, 0));
}

#[test]
fn producers_of_an_unknown_topic_or_partition_cannot_be_described() {
    let topic = topic(1);
    assert_eq!(producers(&topic, 1).error_code, code::UNKNOWN_TOPIC_OR_PARTITION);
    assert_eq!(producers(&unique("unknown"), 0).error_code, code::UNKNOWN_TOPIC_OR_PARTITION);
}

#[test]
fn an_abort_by_the_coordinator_is_described_with_its_epoch_and_no_sequence() {
    let topic = topic(1);
    let mut producer = Producer::new();
    producer.send(&topic, 0, &["0", "1"]);
    let _new = Producer::named(&producer.transactional_id, 60_000);
    let described = producers(&topic, 0);
    assert_eq!(described.active_producers.len(), 1);
    let state = &described.active_producers[0];
    assert_eq!((state.producer_id.0, state.producer_epoch), (producer.id, i32::from(producer.epoch) + 1));
    assert_eq!((state.last_sequence, state.current_txn_start_offset), (-1, -1));
}

#[test]
fn a_marker_alone_describes_a_producer() {
    let topic = topic(1);
    let mut producer = Producer::new();
    producer.add(&topic, 0);
    assert_eq!(producers(&topic, 0).active_producers.len(), 0);
    producer.commit();
    let described = producers(&topic, 0);
    assert_eq!(described.active_producers.len(), 1);
    let state = &described.active_producers[0];
    assert_eq!((state.producer_id.0, state.producer_epoch), (producer.id, i32::from(producer.epoch)));
    assert_eq!((state.last_sequence, state.current_txn_start_offset), (-1, -1));
    assert!(state.coordinator_epoch >= 0);
}

#[test]
fn a_new_producer_brings_its_own_timeout_and_an_empty_state() {
    let topic = topic(1);
    let mut old = Producer::named(&unique("txn"), 34_567);
    old.send(&topic, 0, &["0"]);
    old.commit();
    let new = Producer::named(&old.transactional_id, 45_678);
    let state = describe(&new.transactional_id);
    assert_eq!((state.transaction_state.as_str(), state.transaction_timeout_ms), ("Empty", 45_678));
    assert_eq!((state.producer_epoch, state.transaction_start_time_ms), (new.epoch, -1));
}
