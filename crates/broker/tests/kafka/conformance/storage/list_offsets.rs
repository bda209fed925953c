//! ListOffsets: the ends of a log, and offsets by time.

use kafka_protocol::messages::list_offsets_request::ListOffsetsPartition;

use super::support::{
    EARLIEST, EARLIEST_LOCAL, LATEST, LATEST_TIERED, MAX_TIMESTAMP, Topic, batch, list_offsets, name, now,
};
use crate::support::{
    batch::{Batch, Record},
    broker::{connect, unique},
};

/// A record for each timestamp.
fn at(timestamps: &[i64]) -> Batch {
    let records = timestamps
        .iter()
        .map(|timestamp| Record {
            timestamp_delta: timestamp - timestamps[0],
            value: Some(b"a".to_vec()),
            ..Record::default()
        })
        .collect();
    Batch { base_timestamp: timestamps[0], records, ..batch(["a"]) }
}

#[test]
fn the_ends_of_an_empty_log_are_0_in_every_version() {
    let mut topic = Topic::new();
    for version in 1..=10 {
        for timestamp in [EARLIEST, LATEST] {
            let found = topic.list_offset_in_version(version, timestamp);
            assert_eq!((found.error_code, found.offset, found.timestamp), (0, 0, -1), "version {version}");
        }
    }
}

#[test]
fn the_ends_of_a_log_are_its_first_offset_and_the_one_after_the_last() {
    let mut topic = Topic::new();
    topic.append(&batch(["a", "b"]));
    topic.append(&batch(["c"]));
    for version in 1..=10 {
        for (timestamp, offset) in [(EARLIEST, 0), (LATEST, 3)] {
            let found = topic.list_offset_in_version(version, timestamp);
            assert_eq!((found.error_code, found.offset, found.timestamp), (0, offset, -1), "version {version}");
        }
    }
}

#[test]
fn both_isolation_levels_see_the_same_end_while_no_transaction_is_open() {
    let mut topic = Topic::new();
    topic.append(&batch(["a"]));
    for version in [2, 5, 7, 10] {
        for level in [0, 1] {
            let partition = ListOffsetsPartition::default().with_timestamp(LATEST);
            let request = kafka_protocol::messages::ListOffsetsRequest::default()
                .with_replica_id((-1).into())
                .with_isolation_level(level)
                .with_topics(vec![
                    kafka_protocol::messages::list_offsets_request::ListOffsetsTopic::default()
                        .with_name(topic.name.clone())
                        .with_partitions(vec![partition]),
                ]);
            assert_eq!(topic.client.call(&request, version).topics[0].partitions[0].offset, 1);
        }
    }
}

#[test]
fn the_leader_epoch_of_what_was_found_comes_with_version_4() {
    let mut topic = Topic::new();
    topic.append(&batch(["a"]));
    for version in [1, 3, 4, 7, 10] {
        for timestamp in [EARLIEST, LATEST, 0] {
            let epoch = topic.list_offset_in_version(version, timestamp).leader_epoch;
            assert_eq!(epoch, if version < 4 { -1 } else { 0 }, "version {version}, timestamp {timestamp}");
        }
    }
}

#[test]
fn a_timestamp_finds_the_first_record_that_is_not_older() {
    let mut topic = Topic::new();
    let start = now();
    topic.append(&at(&[start, start + 10]));
    topic.append(&at(&[start + 20]));
    topic.append(&at(&[start + 30, start + 40, start + 50]));
    let expected = [
        (0, 0, start),
        (start - 1, 0, start),
        (start, 0, start),
        (start + 1, 1, start + 10),
        (start + 10, 1, start + 10),
        (start + 11, 2, start + 20),
        (start + 21, 3, start + 30),
        (start + 31, 4, start + 40),
        (start + 50, 5, start + 50),
        (start + 51, -1, -1),
        (i64::MAX, -1, -1),
    ];
    for version in [1, 2, 3, 5, 7, 10] {
        for (timestamp, offset, found_timestamp) in expected {
            let found = topic.list_offset_in_version(version, timestamp);
            assert_eq!(
                (found.error_code, found.offset, found.timestamp),
                (0, offset, found_timestamp),
                "version {version}, {} after the first",
                timestamp - start
            );
        }
    }
}

#[test]
fn a_timestamp_finds_nothing_in_an_empty_log() {
    let mut topic = Topic::new();
    for version in [1, 5, 7, 10] {
        let found = topic.list_offset_in_version(version, 0);
        assert_eq!((found.error_code, found.offset, found.timestamp), (0, -1, -1), "version {version}");
    }
}

#[test]
fn no_record_for_a_timestamp_has_no_leader_epoch() {
    let mut topic = Topic::new();
    topic.append(&batch(["a"]));
    for version in [4, 7, 10] {
        assert_eq!(topic.list_offset_in_version(version, i64::MAX).leader_epoch, -1, "version {version}");
    }
}

#[test]
fn among_records_of_one_timestamp_the_first_is_found() {
    let mut topic = Topic::new();
    let start = now();
    topic.append(&at(&[start, start]));
    topic.append(&at(&[start, start]));
    assert_eq!(topic.list_offset(start).offset, 0);
}

#[test]
fn timestamps_need_not_grow_with_offsets() {
    let mut topic = Topic::new();
    let start = now();
    topic.append(&at(&[start + 10, start + 30, start + 20]));
    topic.append(&at(&[start]));
    topic.append(&at(&[start + 25, start + 40]));
    for (timestamp, offset, found_timestamp) in
        [(start, 0, start + 10), (start + 11, 1, start + 30), (start + 25, 1, start + 30), (start + 31, 5, start + 40)]
    {
        let found = topic.list_offset(timestamp);
        assert_eq!((found.offset, found.timestamp), (offset, found_timestamp), "{} later", timestamp - start);
    }
}

#[test]
fn a_record_below_the_log_start_is_not_found_by_its_timestamp() {
    let mut topic = Topic::new();
    let start = now();
    topic.append(&at(&[start]));
    topic.append(&at(&[start + 10]));
    topic.delete_records(1);
    let found = topic.list_offset(start);
    assert_eq!((found.offset, found.timestamp), (1, start + 10));
}

#[test]
fn minus_3_finds_the_record_with_the_greatest_timestamp() {
    let mut topic = Topic::new();
    let start = now();
    topic.append(&at(&[start, start + 30, start + 10]));
    topic.append(&at(&[start + 20]));
    for version in [7, 8, 10] {
        let found = topic.list_offset_in_version(version, MAX_TIMESTAMP);
        assert_eq!((found.error_code, found.offset, found.timestamp), (0, 1, start + 30), "version {version}");
        assert_eq!(found.leader_epoch, 0, "version {version}");
    }
    topic.append(&at(&[start + 30]));
    assert_eq!(topic.list_offset(MAX_TIMESTAMP).offset, 1, "the first of those with the same timestamp");
    topic.append(&at(&[start + 31]));
    assert_eq!(topic.list_offset(MAX_TIMESTAMP).offset, 5);
}

#[test]
fn minus_3_finds_nothing_in_an_empty_log() {
    let mut topic = Topic::new();
    let found = topic.list_offset(MAX_TIMESTAMP);
    assert_eq!((found.error_code, found.offset, found.timestamp), (0, -1, -1));
}

#[test]
fn minus_4_is_the_first_offset_where_nothing_is_kept_elsewhere() {
    let mut topic = Topic::new();
    topic.append(&batch(["a", "b"]));
    topic.delete_records(1);
    for version in [8, 10] {
        let found = topic.list_offset_in_version(version, EARLIEST_LOCAL);
        assert_eq!((found.error_code, found.offset), (0, 1), "version {version}");
    }
}

#[test]
fn minus_5_finds_nothing_where_nothing_is_kept_elsewhere() {
    let mut topic = Topic::new();
    topic.append(&batch(["a", "b"]));
    for version in [9, 10] {
        let found = topic.list_offset_in_version(version, LATEST_TIERED);
        assert_eq!((found.error_code, found.offset), (0, -1), "version {version}");
    }
}

#[test]
fn places_that_came_with_a_later_version_are_unsupported_in_an_earlier_one() {
    let mut topic = Topic::new();
    topic.append(&batch(["a"]));
    for (timestamp, version) in [(MAX_TIMESTAMP, 6), (EARLIEST_LOCAL, 7), (LATEST_TIERED, 8)] {
        let found = topic.list_offset_in_version(version, timestamp);
        assert_eq!((found.error_code, found.offset), (35, -1), "{timestamp} in version {version}");
    }
}

#[test]
fn unknown_topics_and_partitions_are_refused_one_by_one() {
    let mut topic = Topic::new();
    topic.append(&batch(["a"]));
    let latest = |index| ListOffsetsPartition::default().with_partition_index(index).with_timestamp(LATEST);
    for version in [1, 2, 3, 5, 7, 10] {
        let mut found: Vec<_> =
            list_offsets(&mut topic.client, version, &topic.name, vec![latest(7), latest(0), latest(-1)])
                .iter()
                .map(|found| (found.partition_index, found.error_code, found.offset))
                .collect();
        found.sort_unstable();
        assert_eq!(found, [(-1, 3, -1), (0, 0, 1), (7, 3, -1)], "version {version}");
        let absent = list_offsets(&mut topic.client, version, &name(&unique("absent")), vec![latest(0)]);
        assert_eq!((absent[0].error_code, absent[0].offset), (3, -1), "version {version}");
    }
}

#[test]
fn a_partition_asked_for_twice_is_an_invalid_request() {
    let mut topic = Topic::with(2, &[]);
    let partition =
        |index, timestamp| ListOffsetsPartition::default().with_partition_index(index).with_timestamp(timestamp);
    for version in [1, 7, 10] {
        let asked = vec![partition(0, LATEST), partition(0, EARLIEST), partition(1, LATEST)];
        let mut found: Vec<_> = list_offsets(&mut topic.client, version, &topic.name, asked)
            .iter()
            .map(|found| (found.partition_index, found.error_code))
            .collect();
        found.dedup();
        found.sort_unstable();
        assert_eq!(found, [(0, 42), (1, 0)], "version {version}");
    }
}

#[test]
fn another_leader_epoch_is_refused() {
    let mut topic = Topic::new();
    for version in [4, 7, 10] {
        for (epoch, code) in [(-1, 0), (0, 0), (1, 75)] {
            let partition = ListOffsetsPartition::default().with_timestamp(LATEST).with_current_leader_epoch(epoch);
            let found = list_offsets(&mut topic.client, version, &topic.name, vec![partition]).remove(0);
            assert_eq!(found.error_code, code, "version {version}, epoch {epoch}");
        }
    }
}

#[test]
fn list_offsets_does_not_create_a_topic() {
    let mut client = connect();
    let absent = name(&unique("absent"));
    let latest = ListOffsetsPartition::default().with_timestamp(LATEST);
    list_offsets(&mut client, 7, &absent, vec![latest]);
    assert_eq!(super::support::describe_topic(&mut client, &absent).error_code, 3);
}
