//! DescribeProducers (KIP-664).

use kafka_protocol::{
    ResponseError,
    messages::{
        DescribeProducersRequest, DescribeProducersResponse, ProducerId,
        describe_producers_response::{PartitionResponse, ProducerState, TopicResponse},
    },
};

use crate::engine::{Engine, dispatch::Call};

impl Engine {
    pub(crate) fn describe_producers(&mut self, call: Call<DescribeProducersRequest>) -> DescribeProducersResponse {
        let topics = call
            .request
            .topics
            .into_iter()
            .map(|topic| {
                let partitions = topic
                    .partition_indexes
                    .iter()
                    .map(|index| {
                        let response = PartitionResponse::default().with_partition_index(*index);
                        let Some(log) = self.topics.partition(&topic.name, *index) else {
                            return response.with_error_code(ResponseError::UnknownTopicOrPartition.code());
                        };
                        let producers = log
                            .producers
                            .iter()
                            .map(|(id, producer)| {
                                ProducerState::default()
                                    .with_producer_id(ProducerId(id))
                                    .with_producer_epoch(i32::from(producer.epoch))
                                    .with_last_sequence(producer.last_sequence())
                                    .with_last_timestamp(producer.last_timestamp)
                                    .with_coordinator_epoch(producer.coordinator_epoch)
                                    .with_current_txn_start_offset(producer.transaction_start.unwrap_or(-1))
                            })
                            .collect();
                        response.with_active_producers(producers)
                    })
                    .collect();
                TopicResponse::default().with_name(topic.name).with_partitions(partitions)
            })
            .collect();
        DescribeProducersResponse::default().with_topics(topics)
    }
}
