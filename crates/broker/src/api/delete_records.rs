//! DeleteRecords.

use kafka_protocol::{
    ResponseError,
    messages::{
        DeleteRecordsRequest, DeleteRecordsResponse, TopicName,
        delete_records_response::{DeleteRecordsPartitionResult, DeleteRecordsTopicResult},
    },
};

use crate::{
    engine::{Engine, dispatch::Call},
    topics::TopicPartition,
};

/// Everything, up to the high watermark.
const ALL: i64 = -1;

impl Engine {
    pub(crate) fn delete_records(&mut self, call: Call<DeleteRecordsRequest>) -> DeleteRecordsResponse {
        let topics = call
            .request
            .topics
            .into_iter()
            .map(|topic| {
                let partitions = topic
                    .partitions
                    .into_iter()
                    .map(|partition| {
                        let result = self.delete_before(&topic.name, partition.partition_index, partition.offset);
                        let response =
                            DeleteRecordsPartitionResult::default().with_partition_index(partition.partition_index);
                        match result {
                            Ok(start) => response.with_low_watermark(start),
                            Err(error) => response.with_low_watermark(-1).with_error_code(error.code()),
                        }
                    })
                    .collect();
                DeleteRecordsTopicResult::default().with_name(topic.name).with_partitions(partitions)
            })
            .collect();
        DeleteRecordsResponse::default().with_topics(topics)
    }

    /// The new start of the log.
    fn delete_before(&mut self, topic: &TopicName, partition: i32, offset: i64) -> Result<i64, ResponseError> {
        let log = self.topics.partition_mut(topic, partition).ok_or(ResponseError::UnknownTopicOrPartition)?;
        let offset = if offset == ALL { log.end_offset() } else { offset };
        if !(0..=log.end_offset()).contains(&offset) {
            return Err(ResponseError::OffsetOutOfRange);
        }
        log.delete_before(offset);
        let start = log.start_offset();
        self.fetches.changed(&TopicPartition { topic: topic.clone(), partition });
        Ok(start)
    }
}
