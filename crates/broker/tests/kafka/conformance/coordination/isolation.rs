//! What a reader sees of transactions: Fetch and ListOffsets at both isolation levels.

use std::time::Duration;

use kafka_protocol::messages::{
    FetchRequest,
    fetch_request::{FetchPartition, FetchTopic},
};

use super::support::{
    Producer, READ_COMMITTED, READ_UNCOMMITTED, Read, batch_of, code, committed, connect, end_offset, is_now,
    last_stable_offset, now, produce_plainly, read, read_by, topic, topic_name, try_offset, try_produce,
};
use crate::support::batch::{self, Batch};

/// Fetches from an offset, at read_committed.
fn read_from(topic: &str, offset: i64) -> Read {
    read_by(&mut connect(), topic, 0, offset, READ_COMMITTED, 11)
}

#[test]
fn read_committed_stops_where_the_first_open_transaction_begins() {
    for version in [4, 5, 7, 11, 12] {
        let topic = topic(1);
        produce_plainly(&topic, 0, &["0", "1"]);
        let mut producer = Producer::new();
        producer.send(&topic, 0, &["2"]);
        produce_plainly(&topic, 0, &["3"]);
        let read = read_by(&mut connect(), &topic, 0, 0, READ_COMMITTED, version);
        assert_eq!(read.values(), ["0", "1"], "v{version}");
        assert_eq!((read.last_stable_offset, read.high_watermark), (2, 4), "v{version}");
        let read = read_by(&mut connect(), &topic, 0, 0, READ_UNCOMMITTED, version);
        assert_eq!(read.values(), ["0", "1", "2", "3"], "v{version}");
    }
}

#[test]
fn a_read_committed_fetch_between_last_stable_offset_and_end_is_empty_and_no_error() {
    let topic = topic(1);
    let mut producer = Producer::new();
    producer.send(&topic, 0, &["0", "1"]);
    for offset in [0, 1, 2] {
        let read = read_from(&topic, offset);
        assert_eq!((read.error, read.batches.len()), (code::NONE, 0), "offset {offset}");
    }
}

#[test]
fn records_without_transaction_wait_behind_an_open_one() {
    let topic = topic(1);
    let mut producer = Producer::new();
    producer.send(&topic, 0, &["open"]);
    produce_plainly(&topic, 0, &["behind"]);
    assert!(read(&topic, 0, READ_COMMITTED).batches.is_empty());
    producer.commit();
    assert_eq!(committed(&topic, 0), ["open", "behind"]);
}

#[test]
fn an_aborted_record_is_hidden_at_read_committed_and_listed_as_aborted() {
    for version in [4, 5, 7, 11, 12] {
        let topic = topic(1);
        produce_plainly(&topic, 0, &["before"]);
        let mut producer = Producer::new();
        producer.send(&topic, 0, &["aborted"]);
        producer.abort();
        let read = read_by(&mut connect(), &topic, 0, 0, READ_COMMITTED, version);
        // The records come all the same: the consumer leaves them out.
        assert_eq!(read.values(), ["before", "aborted"], "v{version}");
        assert_eq!(read.aborted, Some(vec![(producer.id, 1)]), "v{version}");
        assert_eq!(read.committed(), ["before"], "v{version}");
    }
}

#[test]
fn read_uncommitted_lists_no_aborted_transactions() {
    for version in [4, 5, 7, 11, 12] {
        let topic = topic(1);
        let mut producer = Producer::new();
        producer.send(&topic, 0, &["aborted"]);
        producer.abort();
        let read = read_by(&mut connect(), &topic, 0, 0, READ_UNCOMMITTED, version);
        assert_eq!(read.values(), ["aborted"], "v{version}");
        assert_eq!(read.aborted, None, "v{version}");
    }
}

#[test]
fn read_committed_without_aborted_transactions_has_an_empty_list() {
    let topic = topic(1);
    let mut producer = Producer::new();
    producer.send(&topic, 0, &["kept"]);
    producer.commit();
    assert_eq!(read(&topic, 0, READ_COMMITTED).aborted, Some(vec![]));
}

#[test]
fn a_fetch_at_the_end_has_an_empty_list_of_aborted_transactions() {
    let topic = topic(1);
    let mut producer = Producer::new();
    producer.send(&topic, 0, &["aborted"]);
    producer.abort();
    let read = read_from(&topic, 2);
    assert_eq!((read.error, read.batches.len(), read.aborted), (code::NONE, 0, Some(vec![])));
}

#[test]
fn an_aborted_transaction_without_records_is_not_listed() {
    let topic = topic(1);
    let mut producer = Producer::new();
    producer.add(&topic, 0);
    producer.abort();
    let read = read(&topic, 0, READ_COMMITTED);
    assert_eq!((read.control().len(), read.aborted), (1, Some(vec![])));
}

#[test]
fn transactions_of_two_producers_are_decided_each_for_itself() {
    let topic = topic(1);
    let (mut first, mut second) = (Producer::new(), Producer::new());
    first.send(&topic, 0, &["first 0"]);
    second.send(&topic, 0, &["second 0"]);
    first.produce(&topic, 0, &["first 1"]);
    second.produce(&topic, 0, &["second 1"]);
    second.commit();
    // Committed, and still behind the first.
    assert_eq!(last_stable_offset(&topic, 0), 0);
    first.abort();
    assert_eq!(last_stable_offset(&topic, 0), 6);
    let read = read(&topic, 0, READ_COMMITTED);
    assert_eq!(read.aborted, Some(vec![(first.id, 0)]));
    assert_eq!(read.committed(), ["second 0", "second 1"]);
}

#[test]
fn the_last_stable_offset_moves_to_the_next_open_transaction() {
    let topic = topic(1);
    let (mut first, mut second, mut third) = (Producer::new(), Producer::new(), Producer::new());
    first.send(&topic, 0, &["0"]);
    second.send(&topic, 0, &["1"]);
    third.send(&topic, 0, &["2"]);
    second.commit();
    assert_eq!(last_stable_offset(&topic, 0), 0);
    first.commit();
    assert_eq!(last_stable_offset(&topic, 0), 2);
    third.abort();
    assert_eq!(last_stable_offset(&topic, 0), 6);
    assert_eq!(committed(&topic, 0), ["0", "1"]);
}

#[test]
fn aborted_transactions_are_listed_in_the_order_of_their_ends() {
    let topic = topic(1);
    let (mut first, mut second) = (Producer::new(), Producer::new());
    first.send(&topic, 0, &["0"]);
    second.send(&topic, 0, &["1"]);
    second.abort();
    first.abort();
    first.send(&topic, 0, &["4"]);
    first.abort();
    assert_eq!(read(&topic, 0, READ_COMMITTED).aborted, Some(vec![(second.id, 1), (first.id, 0), (first.id, 4)]));
}

#[test]
fn a_fetch_from_the_middle_lists_only_the_aborted_transactions_that_reach_it() {
    let topic = topic(1);
    let mut producer = Producer::new();
    producer.send(&topic, 0, &["0"]);
    producer.abort();
    producer.send(&topic, 0, &["2", "3"]);
    producer.abort();
    producer.send(&topic, 0, &["5"]);
    producer.commit();
    let list = |offset| read_from(&topic, offset).aborted.unwrap();
    assert_eq!(list(0), [(producer.id, 0), (producer.id, 2)]);
    // Its marker is at 1: the transaction ends there.
    assert_eq!(list(1), [(producer.id, 0), (producer.id, 2)]);
    assert_eq!(list(2), [(producer.id, 2)]);
    assert_eq!(list(3), [(producer.id, 2)]);
    assert_eq!(list(4), [(producer.id, 2)]);
    assert_eq!(list(5), []);
}

#[test]
fn a_fetch_of_a_part_lists_the_aborted_transactions_of_that_part() {
    let topic = topic(1);
    let mut producer = Producer::new();
    producer.send(&topic, 0, &["0"]);
    producer.commit();
    let mut other = Producer::new();
    other.send(&topic, 0, &["2"]);
    // What is read ends before this transaction begins, for it is open.
    let mut open = Producer::new();
    open.send(&topic, 0, &["3"]);
    other.abort();
    let read = read(&topic, 0, READ_COMMITTED);
    assert_eq!(read.last_stable_offset, 3);
    assert_eq!(read.values(), ["0", "2"]);
    assert_eq!(read.aborted, Some(vec![(other.id, 2)]));
    open.commit();
}

#[test]
fn commit_and_abort_of_one_producer_alternate() {
    let topic = topic(1);
    let mut producer = Producer::new();
    let mut expected = Vec::new();
    for round in 0..6 {
        let value = round.to_string();
        producer.send(&topic, 0, &[&value]);
        if round % 2 == 0 {
            producer.commit();
            expected.push(value);
        } else {
            producer.abort();
        }
    }
    assert_eq!(committed(&topic, 0), expected);
    assert_eq!(end_offset(&topic, 0), 12);
}

#[test]
fn the_latest_offset_at_read_committed_is_the_last_stable_one() {
    for version in [2, 4, 7] {
        let topic = topic(1);
        produce_plainly(&topic, 0, &["0"]);
        let mut producer = Producer::new();
        producer.send(&topic, 0, &["1"]);
        let mut client = connect();
        assert_eq!(try_offset(&mut client, &topic, 0, -1, READ_COMMITTED, version), (code::NONE, -1, 1));
        assert_eq!(try_offset(&mut client, &topic, 0, -1, READ_UNCOMMITTED, version), (code::NONE, -1, 2));
        // The earliest is the same for all.
        assert_eq!(try_offset(&mut client, &topic, 0, -2, READ_COMMITTED, version), (code::NONE, -1, 0));
    }
}

#[test]
fn a_timestamp_beyond_the_last_stable_offset_has_no_offset_at_read_committed() {
    let topic = topic(1);
    let base = now();
    let mut client = connect();
    let stable = Batch { base_timestamp: base, ..batch_of(&["0"]) };
    assert_eq!(try_produce(&mut client, None, &topic, 0, &stable, 9).0, code::NONE);
    let mut producer = Producer::new();
    producer.add(&topic, 0);
    let open = Batch { base_timestamp: base + 1000, ..producer.batch(&topic, 0, &["1"]) };
    let id = producer.transactional_id.clone();
    assert_eq!(try_produce(&mut client, Some(&id), &topic, 0, &open, 9).0, code::NONE);
    for version in [2, 4, 7] {
        let mut look = |timestamp, isolation| try_offset(&mut client, &topic, 0, timestamp, isolation, version);
        assert_eq!(look(base, READ_COMMITTED), (code::NONE, base, 0), "v{version}");
        assert_eq!(look(base + 500, READ_COMMITTED), (code::NONE, -1, -1), "v{version}");
        assert_eq!(look(base + 500, READ_UNCOMMITTED), (code::NONE, base + 1000, 1), "v{version}");
    }
}

#[test]
fn the_offset_of_the_greatest_timestamp_may_be_that_of_a_marker() {
    let topic = topic(1);
    let base = now() - 10_000;
    let mut producer = Producer::new();
    producer.add(&topic, 0);
    let batch = Batch { base_timestamp: base, ..producer.batch(&topic, 0, &["0"]) };
    let id = producer.transactional_id.clone();
    assert_eq!(try_produce(&mut producer.client, Some(&id), &topic, 0, &batch, 9).0, code::NONE);
    assert_eq!(try_offset(&mut connect(), &topic, 0, -3, READ_UNCOMMITTED, 7), (code::NONE, base, 0));
    producer.commit();
    let (error, timestamp, offset) = try_offset(&mut connect(), &topic, 0, -3, READ_UNCOMMITTED, 7);
    assert_eq!((error, offset), (code::NONE, 1));
    assert!(timestamp > base);
}

#[test]
fn a_marker_carries_the_time_of_its_writing() {
    let topic = topic(1);
    let mut producer = Producer::new();
    let before = now();
    producer.send(&topic, 0, &["0"]);
    producer.commit();
    let read = read(&topic, 0, READ_COMMITTED);
    let marker = read.control()[0];
    assert!(is_now(marker.base_timestamp, before));
    assert_eq!(marker.base_timestamp, marker.max_timestamp);
}

#[test]
fn a_greatest_timestamp_behind_the_last_stable_offset_is_none_at_read_committed() {
    let topic = topic(1);
    produce_plainly(&topic, 0, &["0"]);
    let mut producer = Producer::new();
    producer.add(&topic, 0);
    let later = Batch { base_timestamp: now() + 60_000, ..producer.batch(&topic, 0, &["1"]) };
    let id = producer.transactional_id.clone();
    assert_eq!(try_produce(&mut producer.client, Some(&id), &topic, 0, &later, 9).0, code::NONE);
    assert_eq!(try_offset(&mut connect(), &topic, 0, -3, READ_UNCOMMITTED, 7), (code::NONE, later.base_timestamp, 1));
    assert_eq!(try_offset(&mut connect(), &topic, 0, -3, READ_COMMITTED, 7), (code::NONE, -1, -1));
}

/// A Fetch at read_committed that waits for a byte, for at most 30 seconds.
fn wait_request(topic: &str, offset: i64) -> FetchRequest {
    let partition = FetchPartition::default()
        .with_fetch_offset(offset)
        .with_current_leader_epoch(-1)
        .with_partition_max_bytes(1_000_000);
    let topic = FetchTopic::default().with_topic(topic_name(topic)).with_partitions(vec![partition]);
    FetchRequest::default()
        .with_replica_id((-1).into())
        .with_max_wait_ms(30_000)
        .with_min_bytes(1)
        .with_max_bytes(1_000_000)
        .with_isolation_level(READ_COMMITTED)
        .with_session_epoch(-1)
        .with_topics(vec![topic])
}

#[test]
fn a_waiting_fetch_is_answered_when_the_transaction_ends() {
    for commit in [true, false] {
        let topic = topic(1);
        let mut producer = Producer::new();
        producer.send(&topic, 0, &["value"]);
        let mut reader = connect();
        let sent = reader.send(&wait_request(&topic, 0), 11);
        // The record is there, but not for this reader.
        assert!(reader.is_silent_for(Duration::from_millis(300)));
        if commit {
            producer.commit()
        } else {
            producer.abort()
        }
        let response = reader.receive(sent);
        let partition = &response.responses[0].partitions[0];
        assert_eq!((partition.error_code, partition.last_stable_offset), (code::NONE, 2));
        assert_eq!(batch::parse(partition.records.as_deref().unwrap())[0].values(), ["value"]);
        let aborted = partition.aborted_transactions.as_ref().unwrap();
        assert_eq!(aborted.len(), usize::from(!commit));
    }
}

#[test]
fn an_offset_beyond_the_end_is_out_of_range_at_both_isolation_levels() {
    let topic = topic(1);
    let mut producer = Producer::new();
    producer.send(&topic, 0, &["0"]);
    for isolation in [READ_COMMITTED, READ_UNCOMMITTED] {
        let at = |offset| read_by(&mut connect(), &topic, 0, offset, isolation, 11).error;
        assert_eq!((at(-1), at(1), at(2)), (code::OFFSET_OUT_OF_RANGE, code::NONE, code::OFFSET_OUT_OF_RANGE));
    }
}

#[test]
fn several_batches_of_one_aborted_transaction_are_listed_once() {
    let topic = topic(1);
    let mut producer = Producer::new();
    producer.send(&topic, 0, &["0"]);
    produce_plainly(&topic, 0, &["1"]);
    producer.produce(&topic, 0, &["2"]);
    producer.abort();
    let read = read(&topic, 0, READ_COMMITTED);
    assert_eq!(read.aborted, Some(vec![(producer.id, 0)]));
    assert_eq!(read.committed(), ["1"]);
}

#[test]
fn a_record_of_a_new_epoch_is_no_part_of_the_aborted_transaction_before_it() {
    let topic = topic(1);
    let mut old = Producer::new();
    old.send(&topic, 0, &["aborted"]);
    let mut new = Producer::named(&old.transactional_id, 60_000);
    assert_eq!(new.id, old.id);
    new.send(&topic, 0, &["kept"]);
    new.commit();
    let read = read(&topic, 0, READ_COMMITTED);
    assert_eq!(read.aborted, Some(vec![(old.id, 0)]));
    assert_eq!(read.committed(), ["kept"]);
}
