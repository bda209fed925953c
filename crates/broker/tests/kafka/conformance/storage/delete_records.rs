//! DeleteRecords: the first offset of a log moves up.

use kafka_protocol::messages::{
    DeleteRecordsRequest,
    delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic},
};

use super::support::{Topic, batch, delete_records, name};
use crate::support::broker::{connect, unique};

/// A topic with five records, the third to the fifth of them in one batch.
fn topic_of_five() -> Topic {
    let mut topic = Topic::new();
    topic.append(&batch(["a"]));
    topic.append(&batch(["b"]));
    topic.append(&batch(["c", "d", "e"]));
    topic
}

#[test]
fn the_log_starts_where_it_was_deleted_up_to() {
    let mut topic = topic_of_five();
    for (version, offset) in [(0, 0), (1, 1), (2, 2)] {
        let deleted = delete_records(&mut topic.client, version, &topic.name, 0, offset);
        assert_eq!((deleted.partition_index, deleted.error_code, deleted.low_watermark), (0, 0, offset));
        assert_eq!(topic.range(), (offset, 5));
    }
    assert_eq!(topic.values_from(2), ["c", "d", "e"]);
}

#[test]
fn minus_1_deletes_all() {
    let mut topic = topic_of_five();
    let deleted = topic.delete_records(-1);
    assert_eq!((deleted.error_code, deleted.low_watermark), (0, 5));
    assert_eq!(topic.range(), (5, 5));
    assert_eq!(topic.append(&batch(["f"])), 5);
    assert_eq!(topic.values_from(5), ["f"]);
}

#[test]
fn the_end_may_be_deleted_up_to_but_no_further() {
    let mut topic = topic_of_five();
    for version in [0, 1, 2] {
        let refused = delete_records(&mut topic.client, version, &topic.name, 0, 6);
        assert_eq!((refused.error_code, refused.low_watermark), (1, -1), "version {version}");
    }
    assert_eq!(topic.range(), (0, 5));
    assert_eq!(topic.delete_records(5).low_watermark, 5);
    assert_eq!(topic.range(), (5, 5));
}

#[test]
fn a_negative_offset_other_than_minus_1_is_out_of_range() {
    let mut topic = topic_of_five();
    for offset in [-2, i64::MIN] {
        let refused = topic.delete_records(offset);
        assert_eq!((refused.error_code, refused.low_watermark), (1, -1));
    }
    assert_eq!(topic.range(), (0, 5));
}

#[test]
fn within_a_batch_the_log_starts_there_and_the_batch_is_still_read_whole() {
    let mut topic = topic_of_five();
    assert_eq!(topic.delete_records(3).low_watermark, 3);
    assert_eq!(topic.range(), (3, 5));
    let batches = topic.batches_from(3);
    assert_eq!((batches.len(), batches[0].base_offset, batches[0].last_offset), (1, 2, 4));
    assert_eq!(topic.fetch(2).error_code, 1);
}

#[test]
fn below_the_start_there_is_nothing_to_read() {
    let mut topic = topic_of_five();
    topic.delete_records(2);
    assert_eq!(topic.fetch(1).error_code, 1);
    assert_eq!(topic.fetch(0).error_code, 1);
    let found = topic.fetch(2);
    assert_eq!((found.error_code, found.log_start_offset), (0, 2));
}

#[test]
fn deleting_below_the_start_changes_nothing() {
    let mut topic = topic_of_five();
    topic.delete_records(3);
    for offset in [0, 2, 3] {
        let deleted = topic.delete_records(offset);
        assert_eq!((deleted.error_code, deleted.low_watermark), (0, 3), "up to {offset}");
    }
    assert_eq!(topic.range(), (3, 5));
}

#[test]
fn an_empty_log_has_nothing_to_delete() {
    let mut topic = Topic::new();
    for (offset, expected) in [(0, (0, 0)), (-1, (0, 0)), (1, (1, -1))] {
        let deleted = topic.delete_records(offset);
        assert_eq!((deleted.error_code, deleted.low_watermark), expected, "up to {offset}");
    }
}

#[test]
fn each_partition_is_deleted_on_its_own_and_unknown_ones_are_refused() {
    let mut topic = Topic::with(2, &[]);
    for partition in 0..2 {
        topic.produce_to(partition, batch(["a", "b"]).build());
    }
    let up_to = |index, offset| DeleteRecordsPartition::default().with_partition_index(index).with_offset(offset);
    let asked = |name, partitions| DeleteRecordsTopic::default().with_name(name).with_partitions(partitions);
    let absent = name(&unique("absent"));
    let request = DeleteRecordsRequest::default().with_timeout_ms(30_000).with_topics(vec![
        asked(topic.name.clone(), vec![up_to(1, 1), up_to(0, 9), up_to(7, 0)]),
        asked(absent.clone(), vec![up_to(0, 0)]),
    ]);
    for version in [0, 1, 2] {
        let response = topic.client.call(&request, version);
        let mut found: Vec<_> = response
            .topics
            .iter()
            .flat_map(|answer| {
                let known = answer.name == topic.name;
                answer.partitions.iter().map(move |partition| {
                    (known, partition.partition_index, partition.error_code, partition.low_watermark)
                })
            })
            .collect();
        found.sort_unstable();
        assert_eq!(found, [(false, 0, 3, -1), (true, 0, 1, -1), (true, 1, 0, 1), (true, 7, 3, -1)]);
    }
}

#[test]
fn deleted_records_stay_deleted_for_all_connections() {
    let mut topic = topic_of_five();
    topic.delete_records(4);
    let mut other = topic.again();
    assert_eq!(other.range(), (4, 5));
    let mut unrelated = connect();
    assert_eq!(delete_records(&mut unrelated, 2, &topic.name, 0, -1).low_watermark, 5);
    assert_eq!(topic.range(), (5, 5));
}
