//! OffsetFetch.

use kafka_protocol::{
    error::ResponseError,
    messages::{
        GroupId, OffsetFetchRequest, OffsetFetchResponse, TopicName,
        offset_fetch_response::{
            OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions,
            OffsetFetchResponseTopic, OffsetFetchResponseTopics,
        },
    },
    protocol::StrBytes,
};

use super::{Groups, offsets::Offset};
use crate::time::Millis;

/// The topics of a request, with their partitions. `None`: whatever is committed.
type Wanted<'a> = Option<Vec<(&'a TopicName, &'a [i32])>>;

impl Groups {
    /// An OffsetFetch: of one group, from version 8 on of several. An unknown group is one that has committed nothing.
    pub(crate) fn fetch_offsets(
        &mut self,
        now: Millis,
        request: OffsetFetchRequest,
        version: i16,
    ) -> OffsetFetchResponse {
        self.tick(now);
        let stable = request.require_stable;
        if version >= 8 {
            let groups = request.groups.iter().map(|group| {
                let wanted: Wanted<'_> = group.topics.as_ref().map(|topics| {
                    topics.iter().map(|topic| (&topic.name, topic.partition_indexes.as_slice())).collect()
                });
                self.fetch_group(&group.group_id, wanted, stable)
            });
            return OffsetFetchResponse::default().with_groups(groups.collect());
        }
        let wanted: Wanted<'_> = request
            .topics
            .as_ref()
            .map(|topics| topics.iter().map(|topic| (&topic.name, topic.partition_indexes.as_slice())).collect());
        let group = self.fetch_group(&request.group_id, wanted, stable);
        let topics = group.topics.into_iter().map(|topic| {
            let partitions = topic.partitions.into_iter().map(|partition| {
                OffsetFetchResponsePartition::default()
                    .with_partition_index(partition.partition_index)
                    .with_committed_offset(partition.committed_offset)
                    .with_committed_leader_epoch(partition.committed_leader_epoch)
                    .with_metadata(partition.metadata)
                    .with_error_code(partition.error_code)
            });
            OffsetFetchResponseTopic::default().with_name(topic.name).with_partitions(partitions.collect())
        });
        OffsetFetchResponse::default().with_topics(topics.collect())
    }

    fn fetch_group(&self, group: &GroupId, wanted: Wanted<'_>, stable: bool) -> OffsetFetchResponseGroup {
        let topics = match wanted {
            Some(wanted) => wanted
                .into_iter()
                .map(|(topic, partitions)| {
                    let partitions = partitions.iter().map(|partition| {
                        self.fetch_partition(
                            group,
                            topic,
                            *partition,
                            self.offsets.get(group, topic, *partition),
                            stable,
                        )
                    });
                    OffsetFetchResponseTopics::default().with_name(topic.clone()).with_partitions(partitions.collect())
                })
                .collect(),
            None => self
                .offsets
                .of_group(group)
                .map(|(topic, partitions)| {
                    let partitions = partitions
                        .into_iter()
                        .map(|(partition, offset)| self.fetch_partition(group, topic, partition, Some(offset), stable));
                    OffsetFetchResponseTopics::default()
                        .with_name(TopicName(topic.clone()))
                        .with_partitions(partitions.collect())
                })
                .collect(),
        };
        OffsetFetchResponseGroup::default().with_group_id(group.clone()).with_topics(topics)
    }

    fn fetch_partition(
        &self,
        group: &StrBytes,
        topic: &StrBytes,
        partition: i32,
        offset: Option<&Offset>,
        stable: bool,
    ) -> OffsetFetchResponsePartitions {
        let none = OffsetFetchResponsePartitions::default()
            .with_partition_index(partition)
            .with_committed_offset(-1)
            .with_committed_leader_epoch(-1)
            .with_metadata(Some(StrBytes::new()));
        if stable && self.offsets.is_pending(group, topic, partition) {
            // KIP-447: whether there is a later offset is not decided yet.
            return none.with_error_code(ResponseError::UnstableOffsetCommit.code());
        }
        match offset {
            Some(offset) => none
                .with_committed_offset(offset.offset)
                .with_committed_leader_epoch(offset.leader_epoch)
                .with_metadata(Some(offset.metadata.clone())),
            None => none,
        }
    }
}
