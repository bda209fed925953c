//! OffsetDelete, DeleteGroups, and topics that are no more.

use std::collections::HashSet;

use kafka_protocol::{
    error::ResponseError,
    messages::{
        DeleteGroupsRequest, DeleteGroupsResponse, OffsetDeleteRequest, OffsetDeleteResponse,
        delete_groups_response::DeletableGroupResult,
        offset_delete_response::{OffsetDeleteResponsePartition, OffsetDeleteResponseTopic},
    },
    protocol::StrBytes,
};

use super::{
    Groups,
    commit::Outcomes,
    group::{Group, State},
};
use crate::{error::code, time::Millis};

impl Groups {
    /// An OffsetDelete.
    pub(crate) fn delete_offsets(
        &mut self,
        now: Millis,
        request: OffsetDeleteRequest,
        exists: &dyn Fn(&str, i32) -> bool,
    ) -> OffsetDeleteResponse {
        self.tick(now);
        let group = match self.group_for_offset_delete(&request.group_id) {
            Ok(group) => group,
            Err(error) => return OffsetDeleteResponse::default().with_error_code(error.code()),
        };
        let mut outcomes = Outcomes::default();
        let mut existing = Vec::new();
        for topic in &request.topics {
            for partition in &topic.partitions {
                let index = partition.partition_index;
                if exists(&topic.name, index) {
                    existing.push((&topic.name, index));
                } else {
                    outcomes.push(&topic.name, index, ResponseError::UnknownTopicOrPartition.code());
                }
            }
        }
        let mut deleted = Vec::new();
        for (topic, partition) in existing {
            let outcome = if group.is_subscribed_to(topic) {
                Err(ResponseError::GroupSubscribedToTopic)
            } else {
                deleted.push((topic, partition));
                Ok(())
            };
            outcomes.push(topic, partition, code(&outcome));
        }
        for (topic, partition) in deleted {
            self.offsets.remove(&request.group_id, topic, partition);
        }
        let topics = outcomes.topics.into_iter().map(|(name, partitions)| {
            let partitions = partitions.into_iter().map(|(index, error_code)| {
                OffsetDeleteResponsePartition::default().with_partition_index(index).with_error_code(error_code)
            });
            OffsetDeleteResponseTopic::default().with_name(name).with_partitions(partitions.collect())
        });
        OffsetDeleteResponse::default().with_topics(topics.collect())
    }

    fn group_for_offset_delete(&self, id: &StrBytes) -> Result<&Group, ResponseError> {
        if id.is_empty() {
            return Err(ResponseError::InvalidGroupId);
        }
        let group = self.groups.get(id).ok_or(ResponseError::GroupIdNotFound)?;
        if group.state == State::Empty || group.uses_consumer_protocol() {
            Ok(group)
        } else {
            // What members of another type read is not known.
            Err(ResponseError::NonEmptyGroup)
        }
    }

    /// A DeleteGroups: groups without members, and their offsets.
    pub(crate) fn delete(&mut self, now: Millis, request: DeleteGroupsRequest) -> DeleteGroupsResponse {
        self.tick(now);
        let mut seen = HashSet::new();
        let names = request.groups_names.into_iter().filter(|id| seen.insert(id.clone()));
        let results = names.map(|id| {
            let outcome = match self.groups.get(&id.0) {
                None => Err(ResponseError::GroupIdNotFound),
                Some(group) if group.state != State::Empty => Err(ResponseError::NonEmptyGroup),
                Some(_) => {
                    self.remove_group(&id);
                    Ok(())
                }
            };
            DeletableGroupResult::default().with_group_id(id).with_error_code(code(&outcome))
        });
        DeleteGroupsResponse::default().with_results(results.collect())
    }

    /// The topic was deleted: offsets for it, pending ones too, are gone from all groups.
    pub(crate) fn forget_topic(&mut self, topic: &str) {
        self.offsets.forget_topic(&StrBytes::from_string(topic.to_owned()));
    }
}
