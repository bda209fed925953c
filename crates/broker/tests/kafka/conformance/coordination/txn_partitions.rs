//! AddPartitionsToTxn.

use kafka_protocol::messages::AddPartitionsToTxnResponse;

use super::support::{Producer, code, describe, topic};
use crate::support::{broker::unique, wire::text};

/// Topic, partition, error.
fn errors(response: &AddPartitionsToTxnResponse) -> Vec<(String, i32, i16)> {
    let mut errors: Vec<_> = response
        .results_by_topic_v3_and_below
        .iter()
        .flat_map(|topic| {
            topic
                .results_by_partition
                .iter()
                .map(|partition| (topic.name.to_string(), partition.partition_index, partition.partition_error_code))
        })
        .collect();
    errors.sort();
    errors
}

#[test]
fn partitions_of_several_topics_are_added_at_once() {
    for version in 0..=3 {
        let (first, second) = (topic(2), topic(1));
        let mut producer = Producer::new();
        let request = producer.add_request(&[(&first, &[0, 1]), (&second, &[0])]);
        let response = producer.client.call(&request, version);
        let mut expected = vec![(first.clone(), 0, 0), (first, 1, 0), (second, 0, 0)];
        expected.sort();
        assert_eq!(errors(&response), expected, "v{version}");
        let state = describe(&producer.transactional_id);
        assert_eq!(state.transaction_state.to_string(), "Ongoing", "v{version}");
        assert_eq!(state.topics.iter().map(|topic| topic.partitions.len()).sum::<usize>(), 3, "v{version}");
    }
}

#[test]
fn one_unknown_topic_keeps_the_other_partitions_out() {
    for version in [0, 1, 3] {
        let (known, unknown) = (topic(1), unique("unknown"));
        let mut producer = Producer::new();
        let request = producer.add_request(&[(&known, &[0]), (&unknown, &[0])]);
        let response = producer.client.call(&request, version);
        let mut expected =
            vec![(known, 0, code::OPERATION_NOT_ATTEMPTED), (unknown, 0, code::UNKNOWN_TOPIC_OR_PARTITION)];
        expected.sort();
        assert_eq!(errors(&response), expected, "v{version}");
        assert_eq!(describe(&producer.transactional_id).transaction_state.to_string(), "Empty", "v{version}");
    }
}

#[test]
fn a_partition_that_the_topic_does_not_have_is_unknown() {
    let topic = topic(1);
    let mut producer = Producer::new();
    let request = producer.add_request(&[(&topic, &[0, 1])]);
    let response = producer.client.call(&request, 3);
    assert_eq!(
        errors(&response),
        [(topic.clone(), 0, code::OPERATION_NOT_ATTEMPTED), (topic, 1, code::UNKNOWN_TOPIC_OR_PARTITION)]
    );
}

#[test]
fn another_producer_id_has_no_mapping_to_the_transactional_id() {
    let topic = topic(1);
    for version in [0, 1, 3] {
        let mut producer = Producer::new();
        producer.id += 1_000_000;
        assert_eq!(producer.try_add(&topic, 0, version), code::INVALID_PRODUCER_ID_MAPPING, "v{version}");
    }
}

#[test]
fn an_unknown_transactional_id_has_no_mapping() {
    let topic = topic(1);
    for version in [0, 1, 3] {
        let mut producer = Producer::new();
        producer.transactional_id = unique("unknown");
        assert_eq!(producer.try_add(&topic, 0, version), code::INVALID_PRODUCER_ID_MAPPING, "v{version}");
    }
}

#[test]
fn an_empty_transactional_id_cannot_add_partitions() {
    let topic = topic(1);
    let mut producer = Producer::new();
    let request = producer.add_request(&[(&topic, &[0])]).with_v3_and_below_transactional_id(text("").into());
    assert_eq!(errors(&producer.client.call(&request, 3)), [(topic, 0, code::INVALID_REQUEST)]);
}

#[test]
fn a_fenced_producer_cannot_add_partitions() {
    let topic = topic(1);
    let expected = [
        (0, code::INVALID_PRODUCER_EPOCH),
        (1, code::INVALID_PRODUCER_EPOCH),
        (2, code::PRODUCER_FENCED),
        (3, code::PRODUCER_FENCED),
    ];
    let mut old = Producer::new();
    let _new = Producer::named(&old.transactional_id, 60_000);
    for (version, expected) in expected {
        assert_eq!(old.try_add(&topic, 0, version), expected, "v{version}");
    }
}

#[test]
fn an_epoch_from_the_future_is_fenced_as_well() {
    let topic = topic(1);
    let producer = Producer::new();
    assert_eq!(producer.at_epoch(producer.epoch + 1).try_add(&topic, 0, 0), code::INVALID_PRODUCER_EPOCH);
    assert_eq!(producer.at_epoch(producer.epoch + 1).try_add(&topic, 0, 3), code::PRODUCER_FENCED);
}

#[test]
fn a_partition_may_be_added_twice() {
    let topic = topic(2);
    let mut producer = Producer::new();
    for _ in 0..2 {
        assert_eq!(producer.try_add(&topic, 0, 0), code::NONE);
        assert_eq!(producer.try_add(&topic, 0, 3), code::NONE);
    }
    producer.add(&topic, 1);
    let state = describe(&producer.transactional_id);
    let mut partitions = state.topics[0].partitions.clone();
    partitions.sort();
    assert_eq!(partitions, [0, 1]);
}

#[test]
fn adding_no_partition_is_answered_with_nothing() {
    for version in [0, 1, 3] {
        let mut producer = Producer::new();
        let request = producer.add_request(&[]);
        assert_eq!(errors(&producer.client.call(&request, version)), [], "v{version}");
    }
}
