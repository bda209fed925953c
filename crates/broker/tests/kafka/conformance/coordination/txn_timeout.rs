//! Transactions that outlast transaction.timeout.ms.

use super::support::{
    Producer, READ_COMMITTED, READ_UNCOMMITTED, code, committed, committed_offset, describe, end_offset, fetch_offset,
    init, init_request, last_stable_offset, read, topic, transaction_version, until,
};
use crate::support::broker::unique;

/// A producer whose transaction has been aborted by the coordinator.
fn timed_out(topic: &str) -> Producer {
    let mut producer = Producer::named(&unique("txn"), 500);
    producer.send(topic, 0, &["too late"]);
    producer.completed();
    producer
}

#[test]
fn a_transaction_that_lasts_too_long_is_aborted_by_the_coordinator() {
    let topic = topic(1);
    let mut producer = Producer::named(&unique("txn"), 1000);
    producer.send(&topic, 0, &["too late"]);
    assert_eq!(last_stable_offset(&topic, 0), 0);
    until("the abort", || (last_stable_offset(&topic, 0) == end_offset(&topic, 0)).then_some(()));
    let read = read(&topic, 0, READ_COMMITTED);
    assert_eq!(read.high_watermark, 2);
    assert_eq!(read.aborted, Some(vec![(producer.id, 0)]));
    assert!(read.committed().is_empty());
    producer.completed();
    assert_eq!(describe(&producer.transactional_id).transaction_state.to_string(), "CompleteAbort");
}

#[test]
fn the_abort_by_timeout_fences_the_producer() {
    let topic = topic(1);
    let mut producer = timed_out(&topic);
    assert_eq!(describe(&producer.transactional_id).producer_epoch, producer.epoch + 1);
    let read = read(&topic, 0, READ_UNCOMMITTED);
    assert_eq!(read.control()[0].producer_epoch, producer.epoch + 1);
    assert_eq!(producer.try_produce(&topic, 0, &["again"], 9).0, code::INVALID_PRODUCER_EPOCH);
    assert_eq!(producer.try_add(&topic, 0, 0), code::INVALID_PRODUCER_EPOCH);
    assert_eq!(producer.try_add(&topic, 0, 3), code::PRODUCER_FENCED);
}

#[test]
fn a_commit_after_the_abort_by_timeout_is_refused() {
    let mut producer = timed_out(&topic(1));
    for commit in [true, false] {
        assert_eq!(producer.try_end(commit, 1), code::INVALID_PRODUCER_EPOCH, "commit {commit}");
        assert_eq!(producer.try_end(commit, 3), code::PRODUCER_FENCED, "commit {commit}");
    }
}

#[test]
fn a_producer_goes_on_after_a_timeout_with_a_new_epoch() {
    let topic = topic(1);
    let old = timed_out(&topic);
    let mut new = Producer::named(&old.transactional_id, 60_000);
    assert_eq!(new.id, old.id);
    assert_eq!(new.epoch, old.epoch + 2);
    new.send(&topic, 0, &["in time"]);
    new.commit();
    assert_eq!(committed(&topic, 0), ["in time"]);
}

/// Transaction version 2 lets a producer come back that was alone; before, it does not know whether it was (KIP-890).
#[test]
fn a_producer_that_names_its_epoch_after_a_timeout_is_fenced_before_transaction_version_2() {
    let mut producer = timed_out(&topic(1));
    let request = init_request(Some(&producer.transactional_id), 60_000)
        .with_producer_id(producer.id.into())
        .with_producer_epoch(producer.epoch);
    let expected = if transaction_version() >= 2 { code::NONE } else { code::PRODUCER_FENCED };
    assert_eq!(init(&mut producer.client, &request, 4).error_code, expected);
}

#[test]
fn offsets_of_a_transaction_that_timed_out_are_dropped() {
    let (topic, group) = (topic(1), unique("group"));
    let mut producer = Producer::named(&unique("txn"), 500);
    producer.send_offset(&group, &topic, 0, 7);
    assert_eq!(fetch_offset(&group, &topic, 0, true).0, code::UNSTABLE_OFFSET_COMMIT);
    producer.completed();
    assert_eq!(fetch_offset(&group, &topic, 0, true), (code::NONE, -1));
    assert_eq!(committed_offset(&group, &topic, 0), -1);
}

#[test]
fn the_time_of_a_transaction_begins_with_its_first_partition() {
    let topic = topic(1);
    // No transaction: nothing to abort, however long it lasts.
    let idle = Producer::named(&unique("txn"), 1);
    let _ = timed_out(&topic);
    assert_eq!(describe(&idle.transactional_id).transaction_state.to_string(), "Empty");
    assert_eq!(describe(&idle.transactional_id).producer_epoch, idle.epoch);
}
