//! Transactions as Java and franz-go end them where the broker asks for it (KIP-890): writing adds the partition, and each
//! end brings a new epoch.
//!
//! Whatever `transaction.version` says, a broker answers these requests. It matters where the coordinator aborts by
//! itself.

use super::support::{
    Producer, READ_UNCOMMITTED, code, committed, committed_offset, describe, end_offset, fetch_offset, init,
    init_request, last_stable_offset, read, topic, transaction_version, until,
};
use crate::support::broker::unique;

/// Produce 12: error and base offset.
fn write(producer: &mut Producer, topic: &str, value: &str) -> (i16, i64) {
    let mut written = (code::NONE, -1);
    until("the coordinator", || {
        written = producer.try_produce(topic, 0, &[value], 12);
        (written.0 != code::CONCURRENT_TRANSACTIONS).then_some(())
    });
    written
}

/// EndTxn 5: error, producer id and epoch.
fn end(producer: &mut Producer, commit: bool) -> (i16, i64, i16) {
    let request = producer.end_request(commit);
    until("the coordinator", || {
        let response = producer.client.call(&request, 5);
        (response.error_code != code::CONCURRENT_TRANSACTIONS).then_some((
            response.error_code,
            response.producer_id.0,
            response.producer_epoch,
        ))
    })
}

/// Ends it, and goes on with the new epoch, as a client does.
fn end_and_go_on(producer: &mut Producer, commit: bool) {
    let (error, id, epoch) = end(producer, commit);
    assert_eq!(error, code::NONE);
    assert_eq!((id, epoch), (producer.id, producer.epoch + 1));
    producer.completed();
    producer.epoch = epoch;
    producer.sequences.clear();
}

const REFUSED: (i64, i16) = (-1, -1);

fn refused(error: i16) -> (i16, i64, i16) {
    (error, REFUSED.0, REFUSED.1)
}

#[test]
fn a_write_makes_its_partition_a_part_of_the_transaction() {
    let topic = topic(1);
    let mut producer = Producer::new();
    assert_eq!(write(&mut producer, &topic, "value"), (code::NONE, 0));
    let described = describe(&producer.transactional_id);
    assert_eq!(described.transaction_state.to_string(), "Ongoing");
    assert_eq!(described.topics.len(), 1);
    assert_eq!(last_stable_offset(&topic, 0), 0);
}

#[test]
fn each_end_gives_the_next_epoch_and_writes_it_into_the_marker() {
    let topic = topic(1);
    let mut producer = Producer::new();
    for (value, commit) in [("kept", true), ("dropped", false), ("kept too", true)] {
        assert_eq!(write(&mut producer, &topic, value).0, code::NONE);
        end_and_go_on(&mut producer, commit);
        assert_eq!(describe(&producer.transactional_id).producer_epoch, producer.epoch);
        let read = read(&topic, 0, READ_UNCOMMITTED);
        assert_eq!(read.control().last().unwrap().producer_epoch, producer.epoch);
    }
    assert_eq!(committed(&topic, 0), ["kept", "kept too"]);
}

#[test]
fn the_same_end_again_is_answered_as_before() {
    for commit in [true, false] {
        let topic = topic(1);
        let mut producer = Producer::new();
        write(&mut producer, &topic, "value");
        let first = end(&mut producer, commit);
        assert_eq!(first.0, code::NONE);
        assert_eq!(end(&mut producer, commit), first, "commit {commit}");
        assert_eq!(end_offset(&topic, 0), 2, "one marker: commit {commit}");
    }
}

#[test]
fn the_other_end_afterwards_is_an_invalid_state() {
    for commit in [true, false] {
        let mut producer = Producer::new();
        write(&mut producer, &topic(1), "value");
        assert_eq!(end(&mut producer, commit).0, code::NONE);
        producer.completed();
        assert_eq!(end(&mut producer, !commit), refused(code::INVALID_TXN_STATE), "commit {commit}");
    }
}

/// What KIP-890 is for: of the first protocol, it would commit the second transaction (KAFKA-17754).
#[test]
fn a_late_end_does_not_touch_the_next_transaction() {
    for commit in [true, false] {
        let topic = topic(1);
        let mut producer = Producer::new();
        write(&mut producer, &topic, "first");
        let mut late = producer.at_epoch(producer.epoch);
        end_and_go_on(&mut producer, true);
        assert_eq!(write(&mut producer, &topic, "second").0, code::NONE);
        assert_eq!(end(&mut late, commit), refused(code::PRODUCER_FENCED), "commit {commit}");
        assert_eq!(describe(&producer.transactional_id).transaction_state.to_string(), "Ongoing", "commit {commit}");
        assert_eq!(last_stable_offset(&topic, 0), 2, "commit {commit}");
        end_and_go_on(&mut producer, true);
        assert_eq!(committed(&topic, 0), ["first", "second"], "commit {commit}");
    }
}

#[test]
fn a_late_write_does_not_touch_the_next_transaction() {
    let topic = topic(1);
    let mut producer = Producer::new();
    write(&mut producer, &topic, "first");
    let mut late = producer.at_epoch(producer.epoch);
    end_and_go_on(&mut producer, true);
    assert_eq!(write(&mut late, &topic, "late").0, code::INVALID_PRODUCER_EPOCH);
    assert_eq!(write(&mut producer, &topic, "second").0, code::NONE);
    assert_eq!(write(&mut late, &topic, "late").0, code::INVALID_PRODUCER_EPOCH);
}

#[test]
fn an_abort_of_nothing_is_granted_with_a_new_epoch() {
    let topic = topic(1);
    let mut producer = Producer::new();
    end_and_go_on(&mut producer, false);
    end_and_go_on(&mut producer, false);
    write(&mut producer, &topic, "value");
    end_and_go_on(&mut producer, true);
    end_and_go_on(&mut producer, false);
    assert_eq!(end_offset(&topic, 0), 2, "no marker of an abort of nothing");
}

#[test]
fn a_commit_of_nothing_is_an_invalid_state() {
    let mut producer = Producer::new();
    assert_eq!(end(&mut producer, true), refused(code::INVALID_TXN_STATE));
    write(&mut producer, &topic(1), "value");
    end_and_go_on(&mut producer, true);
    assert_eq!(end(&mut producer, true), refused(code::INVALID_TXN_STATE));
}

#[test]
fn an_epoch_that_has_not_been_given_yet_is_fenced() {
    let mut producer = Producer::new();
    let mut ahead = producer.at_epoch(producer.epoch + 1);
    assert_eq!(end(&mut ahead, false), refused(code::PRODUCER_FENCED));
    write(&mut producer, &topic(1), "value");
    assert_eq!(end(&mut ahead, true), refused(code::PRODUCER_FENCED));
    end_and_go_on(&mut producer, true);
    assert_eq!(end(&mut ahead.at_epoch(producer.epoch + 1), false), refused(code::PRODUCER_FENCED));
}

#[test]
fn offsets_make_their_group_a_part_of_the_transaction() {
    for commit in [true, false] {
        let (topic, group) = (topic(1), unique("group"));
        let mut producer = Producer::new();
        let request = producer.offsets_request(&group, &topic, 0, 7);
        assert_eq!(producer.try_offsets(&request, 5), code::NONE);
        assert_eq!(fetch_offset(&group, &topic, 0, true).0, code::UNSTABLE_OFFSET_COMMIT);
        end_and_go_on(&mut producer, commit);
        until("the offset", || (fetch_offset(&group, &topic, 0, true).0 == code::NONE).then_some(()));
        assert_eq!(committed_offset(&group, &topic, 0), if commit { 7 } else { -1 });
    }
}

#[test]
fn offsets_of_an_old_epoch_are_refused() {
    let (topic, group) = (topic(1), unique("group"));
    let mut producer = Producer::new();
    let request = producer.offsets_request(&group, &topic, 0, 7);
    assert_eq!(producer.try_offsets(&request, 5), code::NONE);
    end_and_go_on(&mut producer, true);
    assert_eq!(producer.try_offsets(&request, 5), code::INVALID_PRODUCER_EPOCH);
}

/// A client may speak the one with a broker, and the other with another.
#[test]
fn a_transaction_of_one_protocol_is_ended_by_the_other() {
    let topic = topic(1);
    let mut producer = Producer::new();
    producer.send(&topic, 0, &["added"]);
    end_and_go_on(&mut producer, true);
    assert_eq!(write(&mut producer, &topic, "written").0, code::NONE);
    let epoch = producer.epoch;
    producer.commit();
    assert_eq!(describe(&producer.transactional_id).producer_epoch, epoch);
    assert_eq!(producer.try_end(true, 3), code::NONE);
    assert_eq!(end(&mut producer, true), refused(code::INVALID_TXN_STATE));
    assert_eq!(committed(&topic, 0), ["added", "written"]);
}

#[test]
fn an_end_of_the_first_protocol_after_one_of_the_second_is_fenced() {
    let mut producer = Producer::new();
    write(&mut producer, &topic(1), "value");
    let mut late = producer.at_epoch(producer.epoch);
    end_and_go_on(&mut producer, true);
    assert_eq!(late.try_end(true, 3), code::PRODUCER_FENCED);
    assert_eq!(late.try_end(false, 1), code::INVALID_PRODUCER_EPOCH);
}

#[test]
fn a_successor_fences() {
    let topic = topic(1);
    let mut first = Producer::new();
    write(&mut first, &topic, "zombie");
    let mut second = Producer::named(&first.transactional_id, 60_000);
    assert_eq!(second.epoch, first.epoch + 2);
    for commit in [true, false] {
        assert_eq!(end(&mut first, commit), refused(code::PRODUCER_FENCED), "commit {commit}");
    }
    assert_eq!(write(&mut first, &topic, "zombie").0, code::INVALID_PRODUCER_EPOCH);
    write(&mut second, &topic, "successor");
    end_and_go_on(&mut second, true);
    assert_eq!(committed(&topic, 0), ["successor"]);
}

/// The answer to EndTxn may have been lost.
#[test]
fn a_producer_that_names_the_epoch_before_the_end_is_given_the_one_after_it() {
    let mut producer = Producer::new();
    write(&mut producer, &topic(1), "value");
    let request = init_request(Some(&producer.transactional_id), 60_000)
        .with_producer_id(producer.id.into())
        .with_producer_epoch(producer.epoch);
    end_and_go_on(&mut producer, true);
    let response = init(&mut producer.client, &request, 5);
    assert_eq!((response.error_code, response.producer_epoch), (code::NONE, producer.epoch));
}

#[test]
fn after_the_abort_by_timeout_a_commit_is_an_invalid_state_and_an_abort_gives_the_new_epoch() {
    let topic = topic(1);
    let mut producer = Producer::named(&unique("txn"), 500);
    write(&mut producer, &topic, "too late");
    producer.completed();
    if transaction_version() < 2 {
        return;
    }
    assert_eq!(write(&mut producer, &topic, "too late").0, code::INVALID_PRODUCER_EPOCH);
    assert_eq!(end(&mut producer, true), refused(code::INVALID_TXN_STATE));
    end_and_go_on(&mut producer, false);
    assert_eq!(write(&mut producer, &topic, "in time").0, code::NONE);
    end_and_go_on(&mut producer, true);
    assert_eq!(committed(&topic, 0), ["in time"]);
}
