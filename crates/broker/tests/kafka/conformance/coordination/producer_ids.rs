//! InitProducerId.

use super::support::{
    Producer, READ_COMMITTED, code, committed, connect, describe, init, init_request, read, topic, transaction_version,
};
use crate::support::broker::unique;

#[test]
fn without_transactional_id_each_call_gives_a_fresh_producer_id_of_epoch_0() {
    let mut client = connect();
    let mut seen = Vec::new();
    for version in [0, 1, 2, 3, 4] {
        let response = init(&mut client, &init_request(None, 60_000), version);
        assert_eq!((response.error_code, response.producer_epoch), (code::NONE, 0), "v{version}");
        assert!(!seen.contains(&response.producer_id), "v{version}");
        seen.push(response.producer_id);
    }
}

#[test]
fn without_transactional_id_neither_the_timeout_nor_the_given_producer_id_matters() {
    let mut client = connect();
    let first = init(&mut client, &init_request(None, -1), 4);
    assert_eq!(first.error_code, code::NONE);
    let request = init_request(None, 0).with_producer_id(first.producer_id).with_producer_epoch(0);
    let second = init(&mut client, &request, 4);
    assert_eq!((second.error_code, second.producer_epoch), (code::NONE, 0));
    assert_ne!(second.producer_id, first.producer_id);
}

#[test]
fn each_call_for_a_transactional_id_gives_the_same_producer_id_with_the_next_epoch() {
    let mut client = connect();
    let id = unique("txn");
    let first = init(&mut client, &init_request(Some(&id), 60_000), 0);
    assert_eq!((first.error_code, first.producer_epoch), (code::NONE, 0));
    for (version, epoch) in [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)] {
        let again = init(&mut client, &init_request(Some(&id), 60_000), version);
        assert_eq!(
            (again.error_code, again.producer_id, again.producer_epoch),
            (code::NONE, first.producer_id, epoch),
            "v{version}"
        );
    }
}

#[test]
fn two_transactional_ids_have_two_producer_ids() {
    assert_ne!(Producer::new().id, Producer::new().id);
}

#[test]
fn an_empty_transactional_id_is_an_invalid_request() {
    for version in [0, 2, 4] {
        let response = connect().call(&init_request(Some(""), 60_000), version);
        assert_eq!(response.error_code, code::INVALID_REQUEST, "v{version}");
        assert_eq!((response.producer_id.0, response.producer_epoch), (-1, -1), "v{version}");
    }
}

#[test]
fn a_transaction_timeout_out_of_range_is_refused() {
    let mut client = connect();
    // transaction.max.timeout.ms is 15 minutes by default.
    for timeout in [0, -1, i32::MIN, 900_001, i32::MAX] {
        let response = client.call(&init_request(Some(&unique("txn")), timeout), 4);
        assert_eq!(response.error_code, code::INVALID_TRANSACTION_TIMEOUT, "{timeout} ms");
        assert_eq!(response.producer_id.0, -1, "{timeout} ms");
    }
    for timeout in [1, 900_000] {
        let response = init(&mut client, &init_request(Some(&unique("txn")), timeout), 4);
        assert_eq!(response.error_code, code::NONE, "{timeout} ms");
    }
}

#[test]
fn a_producer_id_without_epoch_or_an_epoch_without_producer_id_is_an_invalid_request() {
    let id = unique("txn");
    let request = init_request(Some(&id), 60_000).with_producer_id(7.into());
    assert_eq!(connect().call(&request, 3).error_code, code::INVALID_REQUEST);
    let request = init_request(Some(&id), 60_000).with_producer_epoch(0);
    assert_eq!(connect().call(&request, 4).error_code, code::INVALID_REQUEST);
}

#[test]
fn a_producer_that_names_its_current_epoch_gets_the_next_one() {
    for version in [3, 4] {
        let mut producer = Producer::new();
        let request = init_request(Some(&producer.transactional_id), 60_000)
            .with_producer_id(producer.id.into())
            .with_producer_epoch(producer.epoch);
        let response = init(&mut producer.client, &request, version);
        assert_eq!(
            (response.error_code, response.producer_id.0, response.producer_epoch),
            (code::NONE, producer.id, producer.epoch + 1),
            "v{version}"
        );
    }
}

/// The answer to the first may have been lost on its way.
#[test]
fn the_same_bump_asked_for_twice_gives_the_same_epoch_twice() {
    let mut producer = Producer::new();
    let request = init_request(Some(&producer.transactional_id), 60_000)
        .with_producer_id(producer.id.into())
        .with_producer_epoch(producer.epoch);
    let first = init(&mut producer.client, &request, 4);
    let second = init(&mut producer.client, &request, 4);
    assert_eq!((first.error_code, second.error_code), (code::NONE, code::NONE));
    assert_eq!((first.producer_epoch, second.producer_epoch), (producer.epoch + 1, producer.epoch + 1));
}

#[test]
fn a_producer_that_names_a_fenced_epoch_is_told_so() {
    for (version, expected) in [(3, code::INVALID_PRODUCER_EPOCH), (4, code::PRODUCER_FENCED)] {
        let mut old = Producer::new();
        let _new = Producer::named(&old.transactional_id, 60_000);
        let request = init_request(Some(&old.transactional_id), 60_000)
            .with_producer_id(old.id.into())
            .with_producer_epoch(old.epoch);
        let response = init(&mut old.client, &request, version);
        assert_eq!((response.error_code, response.producer_id.0), (expected, -1), "v{version}");
    }
}

#[test]
fn a_producer_that_names_another_producer_id_is_fenced() {
    for (version, expected) in [(3, code::INVALID_PRODUCER_EPOCH), (4, code::PRODUCER_FENCED)] {
        let (mut producer, other) = (Producer::new(), Producer::new());
        let request = init_request(Some(&producer.transactional_id), 60_000)
            .with_producer_id(other.id.into())
            .with_producer_epoch(producer.epoch);
        assert_eq!(init(&mut producer.client, &request, version).error_code, expected, "v{version}");
    }
}

/// A producer that comes back after its transactional id was forgotten.
#[test]
fn a_producer_id_given_for_an_unknown_transactional_id_is_replaced() {
    let request = init_request(Some(&unique("txn")), 60_000).with_producer_id(4_242_424_242.into());
    let response = init(&mut connect(), &request.with_producer_epoch(7), 4);
    assert_eq!((response.error_code, response.producer_epoch), (code::NONE, 0));
    assert_ne!(response.producer_id.0, 4_242_424_242);
}

#[test]
fn a_new_producer_aborts_the_open_transaction_of_its_predecessor() {
    let topic = topic(1);
    let mut old = Producer::new();
    old.send(&topic, 0, &["left behind"]);
    let request = init_request(Some(&old.transactional_id), 60_000);
    let mut client = connect();
    // The first call only begins the abort.
    assert_eq!(client.call(&request, 4).error_code, code::CONCURRENT_TRANSACTIONS);
    let new = init(&mut client, &request, 4);
    assert_eq!((new.error_code, new.producer_id.0), (code::NONE, old.id));
    assert_eq!(new.producer_epoch, old.epoch + 2);
    let read = read(&topic, 0, READ_COMMITTED);
    assert_eq!(read.last_stable_offset, 2);
    assert_eq!(read.control()[0].commits(), Some(false));
    assert!(read.committed().is_empty());
    assert_eq!(describe(&old.transactional_id).transaction_state.to_string(), "Empty");
}

#[test]
fn the_marker_of_an_abort_by_a_new_producer_carries_an_epoch_between_the_two() {
    let topic = topic(1);
    let mut old = Producer::new();
    old.send(&topic, 0, &["left behind"]);
    let new = Producer::named(&old.transactional_id, 60_000);
    let read = read(&topic, 0, READ_COMMITTED);
    let marker = read.control()[0];
    assert_eq!(marker.producer_id, old.id);
    // One epoch is the coordinator's own, and never given to anybody.
    assert_eq!((marker.producer_epoch, new.epoch), (old.epoch + 1, old.epoch + 2));
}

#[test]
fn a_producer_that_names_its_epoch_aborts_its_own_open_transaction() {
    let topic = topic(1);
    let mut producer = Producer::new();
    producer.send(&topic, 0, &["given up"]);
    let request = init_request(Some(&producer.transactional_id), 60_000)
        .with_producer_id(producer.id.into())
        .with_producer_epoch(producer.epoch);
    assert_eq!(producer.client.call(&request, 4).error_code, code::CONCURRENT_TRANSACTIONS);
    producer.completed();
    assert!(committed(&topic, 0).is_empty());
    // Only transaction version 2 remembers whose epoch it raised for the abort (KIP-890).
    let expected = if transaction_version() >= 2 { code::NONE } else { code::PRODUCER_FENCED };
    assert_eq!(init(&mut producer.client, &request, 4).error_code, expected);
}

#[test]
fn a_producer_id_whose_epochs_are_used_up_is_replaced() {
    let mut client = connect();
    let id = unique("txn");
    let request = init_request(Some(&id), 60_000);
    let first = init(&mut client, &request, 1);
    // Pipelined, for there are as many epochs as a short has; the last is never given out, so that fencing has one.
    let mut last = 0;
    while last < i16::MAX - 1 {
        let sent: Vec<_> = (0..100.min(i16::MAX - 1 - last)).map(|_| client.send(&request, 1)).collect();
        for sent in sent {
            let response = client.receive(sent);
            if response.error_code == code::CONCURRENT_TRANSACTIONS {
                continue;
            }
            assert_eq!((response.error_code, response.producer_id), (code::NONE, first.producer_id));
            assert_eq!(response.producer_epoch, last + 1);
            last = response.producer_epoch;
        }
    }
    let next = init(&mut client, &request, 1);
    assert_eq!((next.error_code, next.producer_epoch), (code::NONE, 0));
    assert_ne!(next.producer_id, first.producer_id);
}
