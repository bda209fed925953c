//! max.message.bytes: how large a batch may be.

use bytes::Bytes;
use kafka_protocol::messages::produce_request::PartitionProduceData;

use super::support::{Topic, batch, batch_of_size, only_partition, produce_request, produce_requests};

/// Kafka's default of message.max.bytes.
const DEFAULT: usize = 1_048_588;

#[test]
fn a_batch_as_large_as_the_default_allows_is_taken_and_one_byte_more_is_not() {
    let mut topic = Topic::new();
    let refused = topic.produce(batch_of_size(DEFAULT + 1).build());
    assert_eq!((refused.error_code, refused.base_offset), (10, -1));
    assert_eq!(topic.append(&batch_of_size(DEFAULT)), 0);
    assert_eq!(topic.range(), (0, 1));
}

#[test]
fn a_topic_may_have_a_limit_of_its_own() {
    let mut topic = Topic::with(1, &[("max.message.bytes", "1000")]);
    for version in [3, 7, 12] {
        let write = |size| produce_request(&topic.name, 0, Some(batch_of_size(size).build()));
        let (fits, too_large) = (write(1000), write(1001));
        assert_eq!(only_partition(topic.client.call(&too_large, version)).error_code, 10, "version {version}");
        assert_eq!(only_partition(topic.client.call(&fits, version)).error_code, 0, "version {version}");
    }
    assert_eq!(topic.range(), (0, 3));
}

#[test]
fn a_topics_limit_may_be_above_the_default() {
    let mut topic = Topic::with(1, &[("max.message.bytes", "2000000")]);
    assert_eq!(topic.append(&batch_of_size(2_000_000)), 0);
    assert_eq!(topic.produce(batch_of_size(2_000_001).build()).error_code, 10);
}

#[test]
fn the_limit_counts_the_batch_and_not_its_records() {
    let mut topic = Topic::with(1, &[("max.message.bytes", "1000")]);
    let many: Vec<_> = (0..50).map(|_| "twenty bytes of text").collect();
    assert_eq!(topic.produce(batch(many).build()).error_code, 10);
    assert_eq!(topic.append(&batch(["twenty bytes of text"])), 0);
}

#[test]
fn a_batch_that_is_too_large_does_not_stop_the_other_partitions_of_the_request() {
    let mut topic = Topic::with(2, &[("max.message.bytes", "1000")]);
    let data = |index, records: Bytes| PartitionProduceData::default().with_index(index).with_records(Some(records));
    let partitions = vec![data(0, batch_of_size(1001).build()), data(1, batch_of_size(1000).build())];
    let response = topic.client.call(&produce_requests(&topic.name, partitions), 9);
    let mut codes: Vec<_> = response.responses[0]
        .partition_responses
        .iter()
        .map(|written| (written.index, written.error_code, written.base_offset))
        .collect();
    codes.sort_unstable();
    assert_eq!(codes, [(0, 10, -1), (1, 0, 0)]);
}
