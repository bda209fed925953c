//! Produce: acknowledgements, offsets, and one answer for each partition.

use std::thread;

use bytes::Bytes;
use kafka_protocol::messages::{
    MetadataRequest,
    produce_request::{PartitionProduceData, TopicProduceData},
};

use super::support::{
    Topic, batch, describe_topic, fetch_request, fetched, name, only_partition, produce_request, produce_requests,
};
use crate::support::{
    batch::Batch,
    broker::{connect, unique},
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
            thread::spawn(move || {
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

#[test]
fn min_insync_replicas_counts_at_most_the_replicas_that_there_are() {
    let mut topic = Topic::with(1, &[("min.insync.replicas", "100")]);
    let request = produce_request(&topic.name, 0, Some(batch(["a"]).build())).with_acks(-1);
    assert_eq!(only_partition(topic.client.call(&request, 12)).error_code, 0);
}
