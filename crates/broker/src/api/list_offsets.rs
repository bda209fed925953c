//! ListOffsets.
//!
//! Source: `ReplicaManager.fetchOffset`, `Partition.fetchOffsetForTimestamp`, `UnifiedLog.fetchOffsetByTimestamp`.

use std::collections::HashMap;

use kafka_protocol::{
    ResponseError,
    messages::{
        ListOffsetsRequest, ListOffsetsResponse, TopicName,
        list_offsets_request::ListOffsetsPartition,
        list_offsets_response::{ListOffsetsPartitionResponse, ListOffsetsTopicResponse},
    },
};
use wire::records::MOST_UNPACKED;

use super::fetch::check_leader_epoch;
use crate::{
    engine::{Engine, dispatch::Call},
    error::code,
    log::partition::LEADER_EPOCH,
};

/// Timestamps that ask for an end of the log.
const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
const MAX_TIMESTAMP: i64 = -3;
const EARLIEST_LOCAL: i64 = -4;
const LATEST_TIERED: i64 = -5;
const EARLIEST_PENDING_UPLOAD: i64 = -6;

/// Older versions cannot say of which leader an offset is.
const KNOWS_EPOCHS: i16 = 4;

impl Engine {
    pub(crate) fn list_offsets(&mut self, call: Call<ListOffsetsRequest>) -> ListOffsetsResponse {
        let Call { request, version, .. } = call;
        let committed = request.isolation_level == 1;
        let mut unpack = MOST_UNPACKED;
        let mut asked: HashMap<(&TopicName, i32), u32> = HashMap::new();
        for topic in &request.topics {
            for partition in &topic.partitions {
                *asked.entry((&topic.name, partition.partition_index)).or_default() += 1;
            }
        }
        let topics = request
            .topics
            .iter()
            .map(|topic| {
                let partitions = topic
                    .partitions
                    .iter()
                    .map(|partition| {
                        let index = partition.partition_index;
                        let twice = asked.get(&(&topic.name, index)).is_some_and(|times| *times > 1);
                        let found = if twice {
                            Err(ResponseError::InvalidRequest)
                        } else {
                            self.offset_for(&topic.name, partition, committed, version, &mut unpack)
                        };
                        let (timestamp, offset, leader_epoch) =
                            found.as_ref().ok().copied().flatten().unwrap_or((-1, -1, -1));
                        let response = ListOffsetsPartitionResponse::default()
                            .with_partition_index(index)
                            .with_error_code(code(&found))
                            .with_timestamp(timestamp)
                            .with_offset(offset);
                        if version >= KNOWS_EPOCHS { response.with_leader_epoch(leader_epoch) } else { response }
                    })
                    .collect();
                ListOffsetsTopicResponse::default().with_name(topic.name.clone()).with_partitions(partitions)
            })
            .collect();
        ListOffsetsResponse::default().with_topics(topics)
    }

    /// Timestamp, offset and leader epoch; `None` where no record is that late.
    fn offset_for(
        &self,
        topic: &TopicName,
        wanted: &ListOffsetsPartition,
        committed: bool,
        version: i16,
        unpack: &mut usize,
    ) -> Result<Option<(i64, i64, i32)>, ResponseError> {
        let log = self.topics.partition(topic, wanted.partition_index).ok_or(ResponseError::UnknownTopicOrPartition)?;
        check_leader_epoch(wanted.current_leader_epoch)?;
        let least_version = match wanted.timestamp {
            MAX_TIMESTAMP => 7,
            EARLIEST_LOCAL => 8,
            LATEST_TIERED => 9,
            EARLIEST_PENDING_UPLOAD => 11,
            _ => 1,
        };
        if version < least_version {
            return Err(ResponseError::UnsupportedVersion);
        }
        let last = if committed { log.last_stable_offset() } else { log.end_offset() };
        let found = match wanted.timestamp {
            LATEST => Some((-1, last, LEADER_EPOCH)),
            EARLIEST | EARLIEST_LOCAL => Some((-1, log.start_offset(), LEADER_EPOCH)),
            LATEST_TIERED => Some((-1, -1, -1)),
            MAX_TIMESTAMP => log
                .find_max_timestamp(unpack)
                .filter(|(_, offset)| *offset < last)
                .map(|(timestamp, offset)| (timestamp, offset, LEADER_EPOCH)),
            timestamp => log
                .find_timestamp(timestamp, unpack)
                .filter(|(_, offset)| *offset < last)
                .map(|(timestamp, offset)| (timestamp, offset, LEADER_EPOCH)),
        };
        // The search may have had to stop before the record.
        if found.is_none() && *unpack == 0 { Err(ResponseError::UnknownServerError) } else { Ok(found) }
    }
}
