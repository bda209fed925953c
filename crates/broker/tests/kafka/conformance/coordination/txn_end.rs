//! EndTxn and the markers that it leaves.

use super::support::{Producer, READ_UNCOMMITTED, code, committed, delete_topic, describe, end_offset, read, topic};
use crate::support::{broker::unique, wire::text};

#[test]
fn a_committed_record_is_visible_at_read_committed() {
    for version in 0..=4 {
        let topic = topic(1);
        let mut producer = Producer::new();
        producer.send(&topic, 0, &["kept"]);
        assert_eq!(producer.try_end(true, version), code::NONE, "v{version}");
        assert_eq!(committed(&topic, 0), ["kept"], "v{version}");
    }
}

#[test]
fn an_aborted_record_is_not_visible_at_read_committed() {
    for version in 0..=4 {
        let topic = topic(1);
        let mut producer = Producer::new();
        producer.send(&topic, 0, &["dropped"]);
        assert_eq!(producer.try_end(false, version), code::NONE, "v{version}");
        producer.completed();
        assert!(committed(&topic, 0).is_empty(), "v{version}");
        assert_eq!(read(&topic, 0, READ_UNCOMMITTED).values(), ["dropped"], "v{version}");
    }
}

#[test]
fn ending_a_transaction_that_never_began_is_an_invalid_state() {
    for commit in [true, false] {
        for version in [0, 1, 3, 4] {
            let error = Producer::new().try_end(commit, version);
            assert_eq!(error, code::INVALID_TXN_STATE, "v{version}, commit {commit}");
        }
    }
}

/// The answer to the first may have been lost on its way.
#[test]
fn the_same_end_twice_is_no_error() {
    for commit in [true, false] {
        for version in [0, 1, 3] {
            let topic = topic(1);
            let mut producer = Producer::new();
            producer.send(&topic, 0, &["value"]);
            assert_eq!(producer.try_end(commit, version), code::NONE, "v{version}, commit {commit}");
            assert_eq!(producer.try_end(commit, version), code::NONE, "v{version}, commit {commit}");
            producer.completed();
            assert_eq!(end_offset(&topic, 0), 2, "one marker: v{version}, commit {commit}");
        }
    }
}

#[test]
fn a_committed_transaction_cannot_be_aborted() {
    let topic = topic(1);
    let mut producer = Producer::new();
    producer.send(&topic, 0, &["value"]);
    assert_eq!(producer.try_end(true, 1), code::NONE);
    // At once, while the markers may still be on their way, and later.
    assert_eq!(producer.try_end(false, 1), code::INVALID_TXN_STATE);
    producer.completed();
    assert_eq!(producer.try_end(false, 3), code::INVALID_TXN_STATE);
    assert_eq!(committed(&topic, 0), ["value"]);
}

#[test]
fn an_aborted_transaction_cannot_be_committed() {
    let topic = topic(1);
    let mut producer = Producer::new();
    producer.send(&topic, 0, &["value"]);
    assert_eq!(producer.try_end(false, 1), code::NONE);
    assert_eq!(producer.try_end(true, 1), code::INVALID_TXN_STATE);
    producer.completed();
    assert_eq!(producer.try_end(true, 3), code::INVALID_TXN_STATE);
    assert!(committed(&topic, 0).is_empty());
}

#[test]
fn a_fenced_producer_cannot_end_its_transaction() {
    let topic = topic(1);
    let mut old = Producer::new();
    old.send(&topic, 0, &["value"]);
    let _new = Producer::named(&old.transactional_id, 60_000);
    for commit in [true, false] {
        assert_eq!(old.try_end(commit, 0), code::INVALID_PRODUCER_EPOCH);
        assert_eq!(old.try_end(commit, 1), code::INVALID_PRODUCER_EPOCH);
        assert_eq!(old.try_end(commit, 2), code::PRODUCER_FENCED);
        assert_eq!(old.try_end(commit, 3), code::PRODUCER_FENCED);
        assert_eq!(old.try_end(commit, 4), code::PRODUCER_FENCED);
    }
    assert!(committed(&topic, 0).is_empty());
}

#[test]
fn an_epoch_from_the_future_cannot_end_the_transaction() {
    let topic = topic(1);
    let mut producer = Producer::new();
    producer.send(&topic, 0, &["value"]);
    assert_eq!(producer.at_epoch(producer.epoch + 1).try_end(true, 1), code::INVALID_PRODUCER_EPOCH);
    assert_eq!(producer.at_epoch(producer.epoch + 1).try_end(true, 3), code::PRODUCER_FENCED);
    producer.commit();
    assert_eq!(committed(&topic, 0), ["value"]);
}

#[test]
fn another_producer_id_or_transactional_id_cannot_end_a_transaction() {
    let topic = topic(1);
    let mut producer = Producer::new();
    producer.send(&topic, 0, &["value"]);
    for version in [0, 1, 3, 4] {
        let request = producer.end_request(true).with_producer_id((producer.id + 1_000_000).into());
        assert_eq!(producer.client.call(&request, version).error_code, code::INVALID_PRODUCER_ID_MAPPING);
        let request = producer.end_request(true).with_transactional_id(text(&unique("unknown")).into());
        assert_eq!(producer.client.call(&request, version).error_code, code::INVALID_PRODUCER_ID_MAPPING);
        let request = producer.end_request(true).with_transactional_id(text("").into());
        assert_eq!(producer.client.call(&request, version).error_code, code::INVALID_REQUEST);
    }
    assert_eq!(describe(&producer.transactional_id).transaction_state.to_string(), "Ongoing");
}

#[test]
fn a_commit_leaves_one_marker_per_partition() {
    markers_of(true);
}

#[test]
fn an_abort_leaves_one_marker_per_partition() {
    markers_of(false);
}

fn markers_of(commit: bool) {
    let topic = topic(2);
    let mut producer = Producer::new();
    producer.send(&topic, 0, &["0", "1"]);
    producer.produce(&topic, 0, &["2"]);
    producer.send(&topic, 1, &["0"]);
    assert_eq!(producer.try_end(commit, 1), code::NONE);
    producer.completed();
    for (partition, offset) in [(0, 3), (1, 1)] {
        let read = read(&topic, partition, READ_UNCOMMITTED);
        assert_eq!(read.high_watermark, offset + 1);
        let control = read.control();
        assert_eq!(control.len(), 1);
        let marker = control[0];
        assert_eq!((marker.base_offset, marker.last_offset), (offset, offset));
        // Transactional and control.
        assert_eq!(marker.attributes, 0x30);
        assert_eq!((marker.producer_id, marker.producer_epoch), (producer.id, producer.epoch));
        assert_eq!(marker.base_sequence, -1);
        assert!(marker.checksum_is_right);
        let (_, key, value) = &marker.records[0];
        // Key: version, type (0 abort, 1 commit). Value: version, the coordinator's epoch.
        assert_eq!(key.as_deref(), Some(&[0, 0, 0, u8::from(commit)][..]));
        let value = value.as_deref().unwrap();
        assert_eq!((value.len(), &value[..2]), (6, &[0, 0][..]));
        assert!(i32::from_be_bytes(value[2..].try_into().unwrap()) >= 0);
    }
}

#[test]
fn a_partition_added_without_any_record_gets_a_marker_too() {
    for commit in [true, false] {
        let topic = topic(1);
        let mut producer = Producer::new();
        producer.add(&topic, 0);
        assert_eq!(producer.try_end(commit, 1), code::NONE);
        producer.completed();
        let read = read(&topic, 0, READ_UNCOMMITTED);
        assert_eq!(read.high_watermark, 1, "commit {commit}");
        assert_eq!(read.control()[0].commits(), Some(commit));
    }
}

#[test]
fn a_batch_of_several_values_of_several_transactions_keeps_its_order() {
    let topic = topic(1);
    let mut producer = Producer::new();
    for (values, commit) in [(["0", "1"], true), (["2", "3"], false), (["4", "5"], true)] {
        producer.send(&topic, 0, &values);
        if commit { producer.commit() } else { producer.abort() }
    }
    assert_eq!(committed(&topic, 0), ["0", "1", "4", "5"]);
    assert_eq!(end_offset(&topic, 0), 9);
}

/// KAFKA-17754: transaction protocol 1 has nothing that tells one transaction of an epoch from the next, so an EndTxn
/// that was delayed on its way decides a later transaction.
#[test]
fn a_delayed_commit_of_one_transaction_commits_the_next_one() {
    for version in [1, 3] {
        let topic = topic(1);
        let mut producer = Producer::new();
        let mut delayed = producer.at_epoch(producer.epoch);
        producer.send(&topic, 0, &["first"]);
        producer.commit();
        producer.send(&topic, 0, &["second, not complete yet"]);
        // The copy that the network held back.
        assert_eq!(delayed.try_end(true, version), code::NONE, "v{version}");
        delayed.completed();
        assert_eq!(committed(&topic, 0), ["first", "second, not complete yet"], "v{version}");
        assert_eq!(producer.try_end(false, version), code::INVALID_TXN_STATE, "v{version}");
    }
}

#[test]
fn a_delayed_abort_of_one_transaction_aborts_the_next_one() {
    let topic = topic(1);
    let mut producer = Producer::new();
    let mut delayed = producer.at_epoch(producer.epoch);
    producer.send(&topic, 0, &["first"]);
    producer.abort();
    producer.send(&topic, 0, &["second"]);
    assert_eq!(delayed.try_end(false, 1), code::NONE);
    delayed.completed();
    assert_eq!(producer.try_end(true, 1), code::INVALID_TXN_STATE);
    assert!(committed(&topic, 0).is_empty());
}

#[test]
fn a_transaction_over_a_deleted_topic_can_be_committed() {
    let (kept, gone) = (topic(1), topic(1));
    let mut producer = Producer::new();
    producer.send(&kept, 0, &["kept"]);
    producer.send(&gone, 0, &["gone"]);
    delete_topic(&gone);
    producer.commit();
    assert_eq!(committed(&kept, 0), ["kept"]);
}

#[test]
fn a_transactional_id_is_used_for_one_transaction_after_the_other() {
    let topic = topic(1);
    let mut producer = Producer::new();
    for value in 0..20 {
        // Without waiting for the markers: the next AddPartitionsToTxn is told to come again.
        producer.send(&topic, 0, &[&value.to_string()]);
        assert_eq!(producer.try_end(true, 1), code::NONE);
    }
    producer.completed();
    let expected: Vec<_> = (0..20).map(|value| value.to_string()).collect();
    assert_eq!(committed(&topic, 0), expected);
    assert_eq!(end_offset(&topic, 0), 40);
}
