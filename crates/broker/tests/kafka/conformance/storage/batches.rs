//! What the broker keeps of a batch, and which batches it refuses.

use bytes::Bytes;

use super::support::{
    ATTRIBUTES, LAST_OFFSET_DELTA, MAGIC, RECORD_COUNT, RECORDS, Topic, batch, compressed, only_partition, patched,
    produce_request, with_records,
};
use crate::support::batch::{Batch, CONTROL, Record};

#[test]
fn the_base_offset_that_a_producer_writes_must_be_0() {
    let mut topic = Topic::new();
    topic.append(&batch(["a"]));
    for strange in [1, 4711, -5] {
        let refused = topic.produce(Batch { base_offset: strange, ..batch(["b", "c"]) }.build());
        assert_eq!((refused.error_code, refused.base_offset), (87, -1), "{strange}");
    }
    assert_eq!(topic.range(), (0, 1));
}

#[test]
fn the_leader_epoch_that_a_producer_writes_does_not_matter() {
    let mut topic = Topic::new();
    for strange in [-1, 77, 0] {
        topic.append(&Batch { leader_epoch: strange, ..batch(["a", "b"]) });
    }
    let kept: Vec<_> =
        topic.batches_from(0).iter().map(|kept| (kept.base_offset, kept.last_offset, kept.leader_epoch)).collect();
    assert_eq!(kept, [(0, 1, 0), (2, 3, 0), (4, 5, 0)]);
}

#[test]
fn a_batch_is_kept_byte_by_byte_but_for_its_offset_and_leader_epoch() {
    let mut topic = Topic::new();
    topic.append(&batch(["before"]));
    // Two records: no key, no value; empty key, empty value, two headers, one of them null.
    let records =
        [&[0x0c_u8, 0, 0, 0, 0x01, 0x01, 0][..], &[0x1e, 0, 0, 2, 0, 0, 4, 2, b'h', 4, 1, 2, 4, b'h', b'i', 0x01]]
            .concat();
    let sent = with_records(&batch(["", ""]).build(), &records);
    assert_eq!(topic.produce(sent.clone()).error_code, 0);

    let kept = topic.bytes_from(1);
    assert_eq!(kept.len(), sent.len());
    assert_eq!(kept[..8], 1_i64.to_be_bytes());
    assert_eq!(kept[8..12], sent[8..12]);
    assert_eq!(kept[12..16], 0_i32.to_be_bytes());
    assert_eq!(kept[16..], sent[16..]);
}

#[test]
fn null_and_empty_keys_and_values_are_told_apart() {
    let mut topic = Topic::new();
    let record = |key: Option<&[u8]>, value: Option<&[u8]>| Record {
        timestamp_delta: 0,
        key: key.map(<[u8]>::to_vec),
        value: value.map(<[u8]>::to_vec),
    };
    let records =
        vec![record(None, None), record(Some(b""), None), record(None, Some(b"")), record(Some(b"k"), Some(b"v"))];
    topic.append(&Batch { records: records.clone(), ..batch(["x"]) });
    let found: Vec<_> =
        topic.batches_from(0)[0].records.iter().map(|(_, key, value)| (key.clone(), value.clone())).collect();
    let sent: Vec<_> = records.into_iter().map(|record| (record.key, record.value)).collect();
    assert_eq!(found, sent);
}

#[test]
fn a_batch_with_a_wrong_checksum_is_refused_and_the_connection_stays() {
    let mut topic = Topic::new();
    let mut broken = batch(["a"]).build().to_vec();
    *broken.last_mut().unwrap() ^= 1;
    for version in [3, 7, 12] {
        let request = produce_request(&topic.name, 0, Some(broken.clone().into()));
        let refused = only_partition(topic.client.call(&request, version));
        assert_eq!((refused.error_code, refused.base_offset), (2, -1), "version {version}");
    }
    assert_eq!(topic.append(&batch(["b"])), 0);
}

#[test]
fn batches_of_the_old_formats_are_refused() {
    let mut topic = Topic::new();
    for magic in [0, 1] {
        let refused = topic.produce(Batch { magic, ..batch(["a"]) }.build());
        assert_eq!((refused.error_code, refused.base_offset), (87, -1), "magic {magic}");
    }
    assert_eq!(topic.range(), (0, 0));
}

#[test]
fn batches_of_a_format_that_nobody_knows_are_corrupt() {
    let mut topic = Topic::new();
    for magic in [3, 127, -1] {
        assert_eq!(topic.produce(Batch { magic, ..batch(["a"]) }.build()).error_code, 2, "magic {magic}");
    }
    assert_eq!(topic.range(), (0, 0));
}

#[test]
fn a_batch_that_says_it_is_shorter_than_it_is_is_corrupt() {
    let mut topic = Topic::new();
    let whole = batch(["a"]).build();
    let length = whole.len() as i32 - 12;
    for says in [-1, 0, 10, 49, length - 1] {
        assert_eq!(topic.produce(patched(&whole, 8, &says.to_be_bytes())).error_code, 2, "{says} of {length}");
    }
    assert_eq!(topic.range(), (0, 0));
}

#[test]
fn what_follows_a_batch_and_is_no_whole_batch_is_left_out() {
    let mut topic = Topic::new();
    let whole = batch(["a"]).build();
    for rest in [1, 16, 40] {
        let longer = [&whole[..], &whole[..rest]].concat();
        assert_eq!(topic.produce(longer.into()).error_code, 0, "{rest} bytes");
    }
    assert_eq!(topic.bytes_from(0).len(), 3 * whole.len());
    assert_eq!(topic.values_from(0), ["a", "a", "a"]);
}

#[test]
fn records_that_do_not_fit_their_lengths_are_refused() {
    let mut topic = Topic::new();
    // Each record: length, attributes, timestamp delta, offset delta, no key, length of the value, value, no headers.
    let two = batch(["a", "b"]).build();
    let lengths = [
        ("a record longer than the batch", 0, 0x7e),
        ("a record shorter than its fields", 0, 0x04),
        ("a negative length of a record", 0, 0x03),
        ("a value longer than its record", 5, 0x30),
        ("a value shorter than the rest of its record", 5, 0x00),
        ("a header that is not there", 7, 0x02),
        ("a negative number of headers", 7, 0x01),
    ];
    for (what, at, byte) in lengths {
        assert_eq!(topic.produce(patched(&two, RECORDS + at, &[byte])).error_code, 87, "{what}");
    }
    assert_eq!(topic.range(), (0, 0));
}

#[test]
fn two_batches_for_one_partition_in_one_request_are_refused() {
    let mut topic = Topic::new();
    let two = [batch(["a"]).build(), batch(["b"]).build()].concat();
    for version in [3, 7, 12] {
        let request = produce_request(&topic.name, 0, Some(two.clone().into()));
        assert_eq!(only_partition(topic.client.call(&request, version)).error_code, 87, "version {version}");
    }
    assert_eq!(topic.range(), (0, 0));
}

#[test]
fn records_of_no_bytes_are_refused() {
    let mut topic = Topic::new();
    assert_eq!(topic.produce(Bytes::new()).error_code, 87);
    assert_eq!(topic.append(&batch(["a"])), 0);
}

#[test]
fn a_batch_that_is_cut_is_refused() {
    let mut topic = Topic::new();
    let whole = batch(["a"]).build();
    for length in [5, 16, 40, RECORD_COUNT + 4, whole.len() - 1] {
        assert_eq!(topic.produce(whole.slice(..length)).error_code, 87, "{length} bytes");
    }
    assert_eq!(topic.append(&batch(["b"])), 0);
}

#[test]
fn a_batch_without_records_is_refused() {
    let mut topic = Topic::new();
    let empty = with_records(&batch(["a"]).build(), &[]);
    let none =
        patched(&patched(&empty, RECORD_COUNT, &0_i32.to_be_bytes()), LAST_OFFSET_DELTA, &(-1_i32).to_be_bytes());
    assert_eq!(topic.produce(none).error_code, 87);
    assert_eq!(topic.range(), (0, 0));
}

#[test]
fn a_batch_with_another_number_of_records_than_it_says_is_refused() {
    let mut topic = Topic::new();
    let two = batch(["a", "b"]).build();
    for (count, last) in [(1, 1), (3, 1), (2, 0), (2, 5), (1, 0), (3, 2), (-1, 1), (0, 1)] {
        let count: i32 = count;
        let last: i32 = last;
        let says = patched(&patched(&two, RECORD_COUNT, &count.to_be_bytes()), LAST_OFFSET_DELTA, &last.to_be_bytes());
        assert_eq!(topic.produce(says).error_code, 87, "{count} records, last offset {last}");
    }
    assert_eq!(topic.range(), (0, 0));
}

#[test]
fn control_batches_of_clients_are_refused() {
    let mut topic = Topic::new();
    let control = Batch { attributes: CONTROL, ..batch(["a"]) };
    assert_eq!(topic.produce(control.build()).error_code, 87);
    assert_eq!(topic.range(), (0, 0));
}

#[test]
fn a_producer_id_needs_a_sequence_number() {
    let mut topic = Topic::new();
    assert_eq!(topic.produce(batch(["a"]).by(4711, 0, -1).build()).error_code, 87);
    assert_eq!(topic.range(), (0, 0));
}

#[test]
fn a_refused_batch_leaves_no_gap() {
    let mut topic = Topic::new();
    topic.append(&batch(["a"]));
    assert_eq!(topic.produce(Batch { attributes: CONTROL, ..batch(["b"]) }.build()).error_code, 87);
    assert_eq!(topic.append(&batch(["c"])), 1);
    assert_eq!(topic.values_from(0), ["a", "c"]);
}

#[test]
fn a_compacted_topic_refuses_records_without_a_key_and_names_them() {
    let mut topic = Topic::with(1, &[("cleanup.policy", "compact")]);
    let record =
        |key: Option<&str>| Record { key: key.map(|key| key.into()), value: Some(b"v".to_vec()), ..Record::default() };
    let records = vec![record(Some("k")), record(None), record(Some("k")), record(None)];
    let mixed = Batch { records, ..batch(["x"]) };
    let request = produce_request(&topic.name, 0, Some(mixed.build()));

    let refused = only_partition(topic.client.call(&request, 9));
    assert_eq!((refused.error_code, refused.base_offset), (87, -1));
    let indexes: Vec<_> = refused.record_errors.iter().map(|error| error.batch_index).collect();
    assert_eq!(indexes, [1, 3]);
    assert!(refused.record_errors.iter().all(|error| error.batch_index_error_message.is_some()));
    assert!(refused.error_message.is_some());

    // KIP-467 came with version 8.
    let refused = only_partition(topic.client.call(&request, 7));
    assert_eq!((refused.error_code, refused.record_errors.len()), (87, 0));
    assert_eq!(topic.range(), (0, 0));
}

#[test]
fn a_compressed_batch_is_kept_as_it_is() {
    let mut topic = Topic::new();
    topic.append(&batch(["before"]));
    let sent = compressed(&batch(["a", "b"]).build());
    assert_eq!(topic.produce(sent.clone()).base_offset, 1);
    assert_eq!(topic.append(&batch(["after"])), 3);
    let kept = topic.bytes_from(1);
    assert_eq!(kept[MAGIC..sent.len()], sent[MAGIC..]);
}

#[test]
fn zstd_needs_version_7_of_produce() {
    let mut topic = Topic::new();
    let zstd = patched(&batch(["a"]).build(), ATTRIBUTES, &4_i16.to_be_bytes());
    let request = produce_request(&topic.name, 0, Some(zstd));
    for version in [3, 6] {
        assert_eq!(only_partition(topic.client.call(&request, version)).error_code, 76, "version {version}");
    }
}
