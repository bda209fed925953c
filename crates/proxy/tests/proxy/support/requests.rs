//! Requests that tests send often.

use kafka_protocol::messages::{
    ApiVersionsRequest, EndTxnRequest, InitProducerIdRequest, MetadataRequest, ProduceRequest, ProduceResponse,
    produce_request::{PartitionProduceData, TopicProduceData},
};

use super::{batch, kafka::topic_name, wire::text};

/// A version of Produce that names its topics and is answered with offsets.
pub(crate) const PRODUCE: i16 = 8;

/// Writes a batch with a record for each of these.
pub(crate) fn produce<V: AsRef<[u8]>>(topic: &str, values: impl IntoIterator<Item = V>) -> ProduceRequest {
    let data = PartitionProduceData::default().with_records(Some(batch::of(values)));
    let of = TopicProduceData::default().with_name(topic_name(topic)).with_partition_data(vec![data]);
    ProduceRequest::default().with_acks(-1).with_timeout_ms(10_000).with_topic_data(vec![of])
}

/// Error code and offset of the only partition.
pub(crate) fn stored(answer: &ProduceResponse) -> (i16, i64) {
    let partition = &answer.responses[0].partition_responses[0];
    (partition.error_code, partition.base_offset)
}

/// Something small that every Kafka answers at once.
pub(crate) fn versions() -> ApiVersionsRequest {
    ApiVersionsRequest::default()
}

/// Asks for the brokers, and no topic.
pub(crate) fn metadata() -> MetadataRequest {
    MetadataRequest::default().with_topics(Some(Vec::new()))
}

/// Asks for a producer id.
pub(crate) fn init(transactional_id: Option<&str>) -> InitProducerIdRequest {
    InitProducerIdRequest::default()
        .with_transactional_id(transactional_id.map(|id| text(id).into()))
        .with_transaction_timeout_ms(60_000)
}

/// Ends a transaction.
pub(crate) fn end(transactional_id: &str, producer_id: i64, epoch: i16, commit: bool) -> EndTxnRequest {
    EndTxnRequest::default()
        .with_transactional_id(text(transactional_id).into())
        .with_producer_id(producer_id.into())
        .with_producer_epoch(epoch)
        .with_committed(commit)
}
