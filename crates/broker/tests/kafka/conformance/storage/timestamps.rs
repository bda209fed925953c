//! Timestamps: of the producer, or of the append.

use super::support::{
    ATTRIBUTES, GZIP, LATEST, LOG_APPEND_TIME, MAX_TIMESTAMP_FIELD, RECORDS, Topic, batch, compressed, now,
    only_partition, patched, produce_request,
};
use crate::support::batch::{Batch, Record};

const HOUR: i64 = 3_600_000;

fn at(timestamp: i64) -> Batch {
    Batch { base_timestamp: timestamp, ..batch(["a"]) }
}

fn with_deltas(base_timestamp: i64, deltas: &[i64]) -> Batch {
    let records = deltas
        .iter()
        .map(|&timestamp_delta| Record { timestamp_delta, value: Some(b"a".to_vec()), ..Record::default() })
        .collect();
    Batch { base_timestamp, records, ..batch(["a"]) }
}

#[test]
fn the_producers_timestamps_are_kept() {
    let mut topic = Topic::new();
    let start = now();
    let written = topic.produce(with_deltas(start - 50, &[0, 30, 10]).build());
    assert_eq!((written.error_code, written.log_append_time_ms), (0, -1));
    let kept = topic.batches_from(0).remove(0);
    assert_eq!((kept.base_timestamp, kept.max_timestamp), (start - 50, start - 20));
    assert_eq!(kept.attributes & LOG_APPEND_TIME, 0);
}

#[test]
fn a_wrong_max_timestamp_is_put_right() {
    let mut topic = Topic::new();
    let start = now();
    let claimed = patched(&with_deltas(start, &[0, 5]).build(), MAX_TIMESTAMP_FIELD, &(start + 999).to_be_bytes());
    assert_eq!(topic.produce(claimed).error_code, 0);
    let kept = topic.batches_from(0).remove(0);
    assert_eq!((kept.max_timestamp, kept.checksum_is_right), (start + 5, true));
}

#[test]
fn log_append_time_overwrites_the_producers_timestamps() {
    let mut topic = Topic::with(1, &[("message.timestamp.type", "LogAppendTime")]);
    let mut last = 0;
    for version in [3, 7, 12] {
        let request = produce_request(&topic.name, 0, Some(with_deltas(1000, &[0, 1]).build()));
        let written = only_partition(topic.client.call(&request, version));
        assert_eq!(written.error_code, 0);
        assert!(written.log_append_time_ms >= last && written.log_append_time_ms > 1001);
        last = written.log_append_time_ms;
        let kept = topic.batches_from(written.base_offset).remove(0);
        assert_eq!(kept.attributes, LOG_APPEND_TIME);
        assert_eq!(kept.max_timestamp, written.log_append_time_ms);
        assert_eq!(kept.base_timestamp, 1000);
        assert!(kept.checksum_is_right);
    }
}

#[test]
fn log_append_time_is_written_into_the_header_of_a_compressed_batch_too() {
    let mut topic = Topic::with(1, &[("message.timestamp.type", "LogAppendTime")]);
    let sent = compressed(&with_deltas(1000, &[0, 1]).build());
    let written = topic.produce(sent.clone());
    let kept = topic.batches_from(0).remove(0);
    assert_eq!(kept.attributes, GZIP | LOG_APPEND_TIME);
    assert_eq!((kept.max_timestamp, kept.checksum_is_right), (written.log_append_time_ms, true));
    assert_eq!(topic.bytes_from(0)[RECORDS..], sent[RECORDS..]);
}

#[test]
fn log_append_time_is_what_list_offsets_goes_by() {
    let mut topic = Topic::with(1, &[("message.timestamp.type", "LogAppendTime")]);
    let written = topic.produce(with_deltas(1000, &[0, 1, 2]).build());
    let found = topic.list_offset(1002);
    assert_eq!((found.offset, found.timestamp), (0, written.log_append_time_ms));
    let found = topic.list_offset(written.log_append_time_ms + 1);
    assert_eq!((found.offset, found.timestamp), (-1, -1));
}

#[test]
fn with_log_append_time_no_timestamp_is_out_of_range() {
    let mut topic = Topic::with(1, &[("message.timestamp.type", "LogAppendTime")]);
    for timestamp in [0, now() + 1000 * HOUR] {
        assert_eq!(topic.produce(at(timestamp).build()).error_code, 0, "{timestamp}");
    }
}

/// message.timestamp.after.max.ms is one hour by default.
#[test]
fn a_timestamp_far_in_the_future_is_refused_and_its_records_are_named() {
    let mut topic = Topic::new();
    let late = with_deltas(now(), &[0, 3 * HOUR, 1, 2 * HOUR]).build();
    let refused = only_partition(topic.client.call(&produce_request(&topic.name, 0, Some(late.clone())), 9));
    assert_eq!((refused.error_code, refused.base_offset, refused.log_append_time_ms), (32, -1, -1));
    let indexes: Vec<_> = refused.record_errors.iter().map(|error| error.batch_index).collect();
    assert_eq!(indexes, [1, 3]);
    assert!(refused.error_message.is_some());
    for version in [3, 7, 12] {
        let request = produce_request(&topic.name, 0, Some(late.clone()));
        assert_eq!(only_partition(topic.client.call(&request, version)).error_code, 32, "version {version}");
    }
    assert_eq!(topic.range(), (0, 0));
}

#[test]
fn a_timestamp_a_little_in_the_future_is_taken() {
    let mut topic = Topic::new();
    assert_eq!(topic.append(&at(now() + HOUR / 2)), 0);
}

#[test]
fn any_timestamp_in_the_past_is_taken_by_default_and_so_is_none() {
    let mut topic = Topic::with(1, &[("retention.ms", "-1")]);
    for timestamp in [0, 1_000_000_000_000, -1] {
        assert_eq!(topic.produce(at(timestamp).build()).error_code, 0, "{timestamp}");
    }
    assert_eq!(topic.list_offset(LATEST).offset, 3);
}

#[test]
fn a_topic_may_refuse_old_timestamps() {
    let mut topic = Topic::with(1, &[("message.timestamp.before.max.ms", "3600000")]);
    let refused = topic.produce(at(now() - 2 * HOUR).build());
    assert_eq!((refused.error_code, refused.record_errors.len()), (32, 1));
    assert_eq!(topic.append(&at(now() - HOUR / 2)), 0);
}

#[test]
fn a_topic_may_take_timestamps_from_the_future() {
    let mut topic = Topic::with(1, &[("message.timestamp.after.max.ms", "360000000")]);
    assert_eq!(topic.append(&at(now() + 99 * HOUR)), 0);
    assert_eq!(topic.produce(at(now() + 101 * HOUR).build()).error_code, 32);
}

#[test]
fn a_producer_that_sets_the_bit_of_log_append_time_does_not_get_it() {
    let mut topic = Topic::new();
    let claimed = patched(&batch(["a"]).build(), ATTRIBUTES, &LOG_APPEND_TIME.to_be_bytes());
    let written = topic.produce(claimed);
    assert_eq!((written.error_code, written.log_append_time_ms), (0, -1));
    let kept = topic.batches_from(0).remove(0);
    assert_eq!((kept.attributes, kept.checksum_is_right), (0, true));
}

#[test]
fn a_producer_that_sets_the_bit_of_log_append_time_is_refused_where_the_topic_has_it() {
    let mut topic = Topic::with(1, &[("message.timestamp.type", "LogAppendTime")]);
    let claimed = patched(&batch(["a"]).build(), ATTRIBUTES, &LOG_APPEND_TIME.to_be_bytes());
    let refused = topic.produce(claimed);
    assert_eq!((refused.error_code, refused.record_errors.len()), (32, 1));
    assert_eq!(topic.range(), (0, 0));
}
