use bytes::Bytes;
use kafka_protocol::messages::{
    FetchRequest, FetchResponse, ProduceRequest,
    fetch_response::{FetchableTopicResponse, PartitionData},
    produce_request::{PartitionProduceData, TopicProduceData},
};

use super::support::{CONTROL, Draft, SNAPPY, TRANSACTIONAL, of, request, response, topic};
use crate::{
    Batch, Marker, Side,
    codec::{
        batches::{UNPACK, describe},
        holds_value,
    },
};

fn described(draft: &Draft) -> Batch {
    let mut batches = describe(&draft.build(), &mut UNPACK.clone());
    assert_eq!(batches.len(), 1);
    batches.remove(0)
}

#[test]
fn a_batch_is_told_by_its_header() {
    let draft = Draft {
        base_offset: 1000,
        attributes: TRANSACTIONAL,
        producer_id: 5,
        producer_epoch: 6,
        base_sequence: 7,
        ..Draft::of(["one", "two", "three"])
    };
    let expected = Batch {
        base_offset: 1000,
        last_offset: 1002,
        records: 3,
        producer_id: 5,
        producer_epoch: 6,
        base_sequence: 7,
        transactional: true,
        marker: None,
        first: Some("one".into()),
        last: Some("three".into()),
    };
    assert_eq!(described(&draft), expected);
    assert_eq!(described(&Draft { attributes: TRANSACTIONAL | SNAPPY, ..draft }), expected);
}

#[test]
fn of_many_records_only_the_first_is_told_and_none_where_they_are_compressed() {
    let ends = |count: usize, attributes| {
        let batch = described(&Draft { attributes, ..Draft::of((0..count).map(|number| number.to_string())) });
        (batch.first, batch.last)
    };
    let both = (Some("0".to_owned()), Some("99".to_owned()));
    assert_eq!(ends(100, 0), both);
    assert_eq!(ends(100, SNAPPY), both);
    assert_eq!(ends(101, 0), (Some("0".to_owned()), None));
    assert_eq!(ends(101, SNAPPY), (None, None));
    assert_eq!(ends(1, 0), (Some("0".to_owned()), Some("0".to_owned())));
}

#[test]
fn values_are_cut_to_80_characters_and_null_is_none() {
    let crabs = "🦀".repeat(81);
    let batch = described(&Draft::of([crabs.as_bytes(), b"\xff\xfe"]));
    assert_eq!(batch.first, Some("🦀".repeat(80)));
    assert_eq!(batch.last, Some("\u{fffd}\u{fffd}".into()));
    let null = Draft { records: vec![(Some(b"key".to_vec()), None); 2], ..Draft::of([""]) };
    assert_eq!((described(&null).first, described(&null).last), (None, None));
    assert_eq!(described(&Draft::of([""])).first, Some(String::new()));
}

#[test]
fn a_control_batch_tells_its_marker() {
    for (key, marker) in [
        (Some(&[0, 0, 0, 0][..]), Some(Marker::Abort)),
        (Some(&[0, 0, 0, 1]), Some(Marker::Commit)),
        // The leader of a quorum has changed.
        (Some(&[0, 0, 0, 2]), None),
        (Some(&[0, 0]), None),
        (None, None),
    ] {
        let records = vec![(key.map(<[u8]>::to_vec), Some(vec![0; 6]))];
        let draft = Draft { attributes: TRANSACTIONAL | CONTROL, records, ..Draft::of([""]) };
        let batch = described(&draft);
        assert_eq!((batch.marker, batch.first, batch.last), (marker, None, None), "{key:?}");
    }
}

#[test]
fn batches_follow_each_other_until_one_is_not_whole() {
    let (first, second) = (Draft::of(["a"]).build(), Draft::of(["b"]).build());
    let all = [&first[..], &second].concat();
    assert_eq!(describe(&all, &mut UNPACK.clone()).len(), 2);
    assert_eq!(describe(&all[..all.len() - 1], &mut UNPACK.clone()).len(), 1);
    let mut old = all.clone();
    old[first.len() + 16] = 1;
    assert_eq!(describe(&old, &mut UNPACK.clone()).len(), 1);
    assert_eq!(describe(&[], &mut UNPACK.clone()), []);
}

#[test]
fn what_is_unpacked_of_a_frame_has_a_limit() {
    let batch = Draft { attributes: SNAPPY, ..Draft::of([vec![0; UNPACK / 2]]) }.build();
    let firsts = |count| -> Vec<_> {
        let batches = describe(&batch.repeat(count), &mut UNPACK.clone());
        batches.iter().map(|batch| batch.first.is_some()).collect()
    };
    assert_eq!(firsts(1), [true]);
    assert_eq!(firsts(4)[2..], [false, false]);
}

fn produce(version: i16, records: Option<Bytes>) -> (crate::codec::Header, Bytes) {
    let empty = PartitionProduceData::default().with_records(None);
    let data = vec![empty, PartitionProduceData::default().with_index(1).with_records(records)];
    let topic = TopicProduceData::default().with_partition_data(data);
    let topic = if version < 13 { topic.with_name(super::support::topic("t")) } else { topic };
    request(version, &ProduceRequest::default().with_acks(1).with_topic_data(vec![topic]))
}

#[test]
fn a_value_is_found_whole_in_any_batch() {
    for attributes in [0, SNAPPY] {
        let many = (0..1000).map(|number| format!("value {number}"));
        let control = Draft { attributes: attributes | CONTROL, ..Draft::of(["control"]) };
        let records = [Draft::of(["x"]), control, Draft { attributes, ..Draft::of(many) }].map(|draft| draft.build());
        let records = Bytes::from(records.concat());
        for version in 3..=13 {
            let (header, frame) = produce(version, Some(records.clone()));
            let holds = |value: &str| holds_value(&header, Side::Request, &frame, value.as_bytes());
            assert!(holds("x") && holds("value 0") && holds("value 999"), "version {version}");
            assert!(!holds("value 99 ") && !holds("value") && !holds("") && !holds("value 1000") && !holds("control"));
            assert!(!holds_value(&header, Side::Response, &frame, b"x"));
        }
        for version in 4..=18 {
            let data = PartitionData::default().with_records(Some(records.clone()));
            let fetched = FetchableTopicResponse::default().with_partitions(vec![PartitionData::default(), data]);
            let fetched = if version < 13 { fetched.with_topic(topic("t")) } else { fetched };
            let frame = response(version, &FetchResponse::default().with_responses(vec![fetched]));
            let holds = |side, value: &str| holds_value(&of::<FetchRequest>(version), side, &frame, value.as_bytes());
            assert!(holds(Side::Response, "value 999"), "version {version}");
            assert!(!holds(Side::Response, "value") && !holds(Side::Request, "value 999"));
        }
    }
    let (header, frame) = produce(9, Some(Draft::of([""]).build()));
    assert!(holds_value(&header, Side::Request, &frame, b""));
    let null = Draft { records: vec![(None, None)], ..Draft::of([""]) };
    let (header, frame) = produce(9, Some(null.build()));
    assert!(!holds_value(&header, Side::Request, &frame, b""));
}
