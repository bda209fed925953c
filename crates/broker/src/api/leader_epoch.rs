//! OffsetForLeaderEpoch: where an epoch of a partition's leader ended. Here there has been one epoch only.

use kafka_protocol::messages::{
    OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse,
    offset_for_leader_epoch_response::{EpochEndOffset, OffsetForLeaderTopicResult},
};
use kafka_protocol::{ResponseError, messages::TopicName};

use super::fetch::check_leader_epoch;
use crate::{
    engine::{Engine, dispatch::Call},
    log::partition::LEADER_EPOCH,
};

impl Engine {
    pub(crate) fn offset_for_leader_epoch(
        &mut self,
        call: Call<OffsetForLeaderEpochRequest>,
    ) -> OffsetForLeaderEpochResponse {
        let topics = call
            .request
            .topics
            .into_iter()
            .map(|topic| {
                let partitions = topic
                    .partitions
                    .iter()
                    .map(|wanted| {
                        let end = self.epoch_end(
                            &topic.topic,
                            wanted.partition,
                            wanted.current_leader_epoch,
                            wanted.leader_epoch,
                        );
                        let response = EpochEndOffset::default().with_partition(wanted.partition);
                        match end {
                            Ok((epoch, offset)) => response.with_leader_epoch(epoch).with_end_offset(offset),
                            Err(error) => {
                                response.with_error_code(error.code()).with_leader_epoch(-1).with_end_offset(-1)
                            }
                        }
                    })
                    .collect();
                OffsetForLeaderTopicResult::default().with_topic(topic.topic).with_partitions(partitions)
            })
            .collect();
        OffsetForLeaderEpochResponse::default().with_topics(topics)
    }

    fn epoch_end(
        &self,
        topic: &TopicName,
        partition: i32,
        current: i32,
        wanted: i32,
    ) -> Result<(i32, i64), ResponseError> {
        let log = self.topics.partition(topic, partition).ok_or(ResponseError::UnknownTopicOrPartition)?;
        check_leader_epoch(current)?;
        // An older epoch has never been, a newer one not yet.
        Ok(if wanted == LEADER_EPOCH { (LEADER_EPOCH, log.end_offset()) } else { (-1, -1) })
    }
}
