//! Produce: acknowledgements, offsets, and batches that are refused.

use bytes::Bytes;
use kafka_protocol::messages::{
    MetadataRequest,
    produce_request::{PartitionProduceData, TopicProduceData},
};
use rdkafka::{
    ClientConfig, Message, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    producer::{BaseProducer, BaseRecord, Producer},
};

use super::support::{
    ATTRIBUTES, GZIP, LAST_OFFSET_DELTA, MAGIC, RECORD_COUNT, RECORDS, Topic, batch, describe_topic, fetch_request,
    fetched, name, only_partition, patched, produce_request, produce_requests, with_records,
};
use crate::support::{
    batch::{Batch, CONTROL, Record},
    broker::{bootstrap, connect, unique},
};

#[test]
fn each_batch_gets_the_next_offsets_in_every_version() {
    let mut topic = Topic::new();
    let mut next = 0;
    for version in 3..=12 {
        let request = produce_request(&topic.name, 0, Some(batch(["a", "b"]).build()));
        let written = only_partition(topic.client.call(&request, version));
        assert_eq!((written.index, written.error_code, written.base_offset), (0, 0, next), "version {version}");
        assert_eq!(written.log_append_time_ms, -1, "version {version}");
        assert_eq!(written.log_start_offset, if version < 5 { -1 } else { 0 }, "version {version}");
        assert!(written.record_errors.is_empty() && written.error_message.is_none(), "version {version}");
        next += 2;
    }
    assert_eq!(topic.range(), (0, next));
}

#[test]
fn acks_1_is_answered_like_acks_all() {
    let mut topic = Topic::new();
    for (acks, offset) in [(1, 0), (-1, 1)] {
        for version in [3, 7, 12] {
            let request = produce_request(&topic.name, 0, Some(batch(["a"]).build())).with_acks(acks);
            let written = only_partition(topic.client.call(&request, version));
            assert_eq!(written.error_code, 0);
            assert!(written.base_offset >= offset);
        }
    }
    assert_eq!(topic.range(), (0, 6));
}

#[test]
fn acks_0_is_not_answered_at_all() {
    let mut topic = Topic::new();
    for version in [3, 7, 12] {
        let request = produce_request(&topic.name, 0, Some(batch(["a"]).build())).with_acks(0);
        let _unanswered = topic.client.send(&request, version);
        // The next answer has the next correlation id.
        assert_eq!(describe_topic(&mut topic.client, &topic.name).error_code, 0);
    }
    assert_eq!(topic.values_from(0), ["a", "a", "a"]);
}

#[test]
fn acks_0_that_fails_closes_the_connection() {
    let mut client = connect();
    let request = produce_request(&name(&unique("absent")), 0, Some(batch(["a"]).build())).with_acks(0);
    let _unanswered = client.send(&request, 9);
    assert!(client.receive_frame().is_none());
}

#[test]
fn acks_0_with_a_batch_that_is_refused_closes_the_connection() {
    let mut topic = Topic::new();
    let mut other = topic.again();
    let two = [batch(["a"]).build(), batch(["b"]).build()].concat();
    let request = produce_request(&topic.name, 0, Some(two.into())).with_acks(0);
    let _unanswered = topic.client.send(&request, 9);
    assert!(topic.client.receive_frame().is_none());
    assert_eq!(other.range(), (0, 0));
}

#[test]
fn acks_other_than_minus_1_0_and_1_are_refused_and_nothing_is_written() {
    let mut topic = Topic::new();
    for acks in [2, -2, i16::MAX] {
        for version in [3, 7, 12] {
            let request = produce_request(&topic.name, 0, Some(batch(["a"]).build())).with_acks(acks);
            let refused = only_partition(topic.client.call(&request, version));
            assert_eq!((refused.error_code, refused.base_offset), (21, -1), "acks {acks}, version {version}");
        }
    }
    assert_eq!(topic.range(), (0, 0));
}

#[test]
fn an_unknown_topic_is_refused_and_not_created() {
    let mut client = connect();
    let absent = name(&unique("absent"));
    for version in [3, 7, 12] {
        let request = produce_request(&absent, 0, Some(batch(["a"]).build()));
        let refused = only_partition(client.call(&request, version));
        assert_eq!((refused.error_code, refused.base_offset, refused.log_append_time_ms), (3, -1, -1));
    }
    assert_eq!(describe_topic(&mut client, &absent).error_code, 3);
}

#[test]
fn a_name_that_no_topic_may_have_is_an_unknown_topic() {
    let mut client = connect();
    for bad in ["", "..", "no/slash", &"x".repeat(250)] {
        let request = produce_request(&name(bad), 0, Some(batch(["a"]).build()));
        assert_eq!(only_partition(client.call(&request, 9)).error_code, 3, "{bad:?}");
    }
}

#[test]
fn an_unknown_partition_is_refused_and_the_others_of_the_request_are_written() {
    let mut topic = Topic::with(2, &[]);
    let data =
        |partition| PartitionProduceData::default().with_index(partition).with_records(Some(batch(["a"]).build()));
    let request = produce_requests(&topic.name, vec![data(1), data(2), data(0), data(-1)]);
    let response = topic.client.call(&request, 9);
    let mut codes: Vec<_> = response.responses[0]
        .partition_responses
        .iter()
        .map(|written| (written.index, written.error_code, written.base_offset))
        .collect();
    codes.sort_unstable();
    assert_eq!(codes, [(-1, 3, -1), (0, 0, 0), (1, 0, 0), (2, 3, -1)]);
}

#[test]
fn a_request_may_write_to_several_topics() {
    let mut one = Topic::new();
    let mut two = Topic::new();
    two.append(&batch(["before"]));
    let data = |topic: &Topic, value: &str| {
        let partition = PartitionProduceData::default().with_records(Some(batch([value]).build()));
        TopicProduceData::default().with_name(topic.name.clone()).with_partition_data(vec![partition])
    };
    let request = produce_request(&one.name, 0, None).with_topic_data(vec![data(&one, "a"), data(&two, "b")]);
    let response = one.client.call(&request, 9);
    let offset = |topic: &Topic| {
        let found = response.responses.iter().find(|answer| answer.name == topic.name).unwrap();
        assert_eq!(found.partition_responses[0].error_code, 0);
        found.partition_responses[0].base_offset
    };
    assert_eq!((offset(&one), offset(&two)), (0, 1));
    assert_eq!((one.values_from(0), two.values_from(1)), (vec!["a".to_owned()], vec!["b".to_owned()]));
}

#[test]
fn partitions_have_offsets_of_their_own() {
    let mut topic = Topic::with(3, &[]);
    topic.produce_to(2, batch(["a", "b", "c"]).build());
    topic.produce_to(1, batch(["a"]).build());
    let offsets: Vec<_> = (0..3).map(|index| topic.produce_to(index, batch(["z"]).build()).base_offset).collect();
    assert_eq!(offsets, [0, 1, 3]);
}

#[test]
fn a_request_without_topics_is_answered_without_topics() {
    let mut topic = Topic::new();
    let request = produce_request(&topic.name, 0, None).with_topic_data(vec![]);
    assert!(topic.client.call(&request, 9).responses.is_empty());
}

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
fn a_batch_that_is_refused_does_not_stop_the_other_partitions_of_the_request() {
    let mut topic = Topic::with(3, &[]);
    let data = |index, records: Bytes| PartitionProduceData::default().with_index(index).with_records(Some(records));
    let mut broken = batch(["a"]).build().to_vec();
    *broken.last_mut().unwrap() ^= 1;
    let partitions = vec![data(2, Bytes::new()), data(0, broken.into()), data(1, batch(["a"]).build())];
    let response = topic.client.call(&produce_requests(&topic.name, partitions), 9);
    let mut codes: Vec<_> =
        response.responses[0].partition_responses.iter().map(|written| (written.index, written.error_code)).collect();
    codes.sort_unstable();
    assert_eq!(codes, [(0, 2), (1, 0), (2, 87)]);
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
fn a_transactional_batch_in_a_request_without_transactional_id_is_refused() {
    let mut topic = Topic::new();
    for version in [3, 7, 12] {
        let transactional = batch(["a"]).by(4711, 0, 0).transactional().build();
        let request = produce_request(&topic.name, 0, Some(transactional));
        assert_eq!(only_partition(topic.client.call(&request, version)).error_code, 53, "version {version}");
    }
    assert_eq!(topic.range(), (0, 0));
}

#[test]
fn a_transactional_batch_without_transactional_id_stops_the_whole_request() {
    let mut topic = Topic::with(2, &[]);
    let data =
        |index, batch: Batch| PartitionProduceData::default().with_index(index).with_records(Some(batch.build()));
    let partitions = vec![data(0, batch(["a"]).by(4711, 0, 0).transactional()), data(1, batch(["b"]))];
    let response = topic.client.call(&produce_requests(&topic.name, partitions), 9);
    let codes: Vec<_> = response.responses[0].partition_responses.iter().map(|refused| refused.error_code).collect();
    assert_eq!(codes, [53, 53]);
    assert_eq!(topic.range(), (0, 0));
}

#[test]
fn the_same_batch_without_a_producer_id_is_written_again() {
    let mut topic = Topic::new();
    let same = batch(["a"]);
    assert_eq!((topic.append(&same), topic.append(&same)), (0, 1));
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
    let plain = batch(["a", "b"]).build();
    let packed = with_records(&plain, &gzip(&plain[RECORDS..]));
    let sent = patched(&packed, ATTRIBUTES, &GZIP.to_be_bytes());
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

#[test]
fn a_client_reads_back_what_it_compressed() {
    let topic = Topic::new();
    for codec in ["snappy", "lz4", "none"] {
        let producer: BaseProducer = ClientConfig::new()
            .set("bootstrap.servers", bootstrap())
            .set("compression.type", codec)
            .set("linger.ms", "50")
            .create()
            .unwrap();
        for index in 0..100 {
            let (key, value) = (format!("{index}"), codec.repeat(50));
            producer.send(BaseRecord::to(&topic.name).partition(0).key(&key).payload(&value)).unwrap();
        }
        producer.flush(std::time::Duration::from_secs(60)).unwrap();
    }
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", bootstrap())
        .set("group.id", unique("group"))
        .set("check.crcs", "true")
        .create()
        .unwrap();
    let mut assignment = TopicPartitionList::new();
    assignment.add_partition_offset(&topic.name, 0, rdkafka::Offset::Beginning).unwrap();
    consumer.assign(&assignment).unwrap();
    for (offset, codec) in ["snappy", "lz4", "none"].iter().flat_map(|codec| [*codec; 100]).enumerate() {
        let message = consumer.poll(std::time::Duration::from_secs(60)).expect("a message").unwrap();
        assert_eq!(message.offset(), offset as i64);
        assert_eq!(message.payload(), Some(codec.repeat(50).as_bytes()));
        assert_eq!(message.key(), Some((offset % 100).to_string().as_bytes()));
    }
}

#[test]
fn what_was_written_is_visible_to_others_once_it_is_acknowledged() {
    let mut topic = Topic::new();
    let mut other = topic.again();
    for offset in 0..50 {
        assert_eq!(topic.append(&batch([format!("{offset}")])), offset);
        let found = fetched(other.client.call(&fetch_request(&other.name, &[(0, offset)]), 12)).remove(0);
        assert_eq!((found.high_watermark, found.records.is_some()), (offset + 1, true));
    }
}

#[test]
fn writers_on_several_connections_never_share_an_offset() {
    let topic = Topic::new();
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let mut topic = topic.again();
            std::thread::spawn(move || {
                (0..25)
                    .map(|index| (topic.append(&batch([format!("{writer}/{index}")])), format!("{writer}/{index}")))
                    .collect::<Vec<_>>()
            })
        })
        .collect();
    let mut written: Vec<_> = writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect();
    written.sort();
    let offsets: Vec<_> = written.iter().map(|(offset, _)| *offset).collect();
    assert_eq!(offsets, (0..100).collect::<Vec<_>>());
    let values: Vec<_> = written.into_iter().map(|(_, value)| value).collect();
    assert_eq!(topic.again().values_from(0), values);
}

#[test]
fn a_request_to_nobody_leaves_the_connection_usable() {
    let mut client = connect();
    let request = produce_request(&name(&unique("absent")), 0, Some(batch(["a"]).build()));
    assert_eq!(only_partition(client.call(&request, 9)).error_code, 3);
    assert!(!client.call(&MetadataRequest::default().with_topics(Some(vec![])), 12).brokers.is_empty());
}

/// A gzip member of one block that is stored as it is (RFC 1952, RFC 1951 3.2.4).
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let length = bytes.len() as u16;
    let mut packed = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1];
    packed.extend_from_slice(&length.to_le_bytes());
    packed.extend_from_slice(&(!length).to_le_bytes());
    packed.extend_from_slice(bytes);
    let mut checksum = !0_u32;
    for byte in bytes {
        checksum ^= u32::from(*byte);
        for _ in 0..8 {
            checksum = (checksum >> 1) ^ if checksum & 1 == 1 { 0xedb8_8320 } else { 0 };
        }
    }
    packed.extend_from_slice(&(!checksum).to_le_bytes());
    packed.extend_from_slice(&u32::from(length).to_le_bytes());
    packed
}
