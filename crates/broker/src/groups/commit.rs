//! OffsetCommit.

use std::collections::HashMap;

use kafka_protocol::{
    error::ResponseError,
    messages::{
        OffsetCommitRequest, OffsetCommitResponse, TopicName,
        offset_commit_response::{OffsetCommitResponsePartition, OffsetCommitResponseTopic},
    },
    protocol::StrBytes,
};

use super::{
    Groups,
    group::{Group, State},
    offsets::Offset,
    runtime::owned,
};
use crate::{error::code, time::Millis};

/// Who commits, and whether it may.
pub(super) struct Committer<'a> {
    pub(super) group: &'a StrBytes,
    pub(super) member: &'a StrBytes,
    pub(super) instance_id: Option<&'a StrBytes>,
    pub(super) generation: i32,
    /// The producer, for a TxnOffsetCommit.
    pub(super) transaction_of: Option<i64>,
    /// Of an OffsetCommit; it decides the code for a group that does not exist.
    pub(super) version: i16,
}

impl Committer<'_> {
    fn is_transactional(&self) -> bool {
        self.transaction_of.is_some()
    }
}

/// An offset that is to be committed.
pub(super) struct Wanted<'a> {
    pub(super) topic: &'a TopicName,
    pub(super) partition: i32,
    pub(super) offset: i64,
    pub(super) leader_epoch: i32,
    pub(super) metadata: Option<&'a StrBytes>,
}

impl Groups {
    /// An OffsetCommit. Partitions that do not exist are refused one by one, before anyone looks at the group.
    pub(crate) fn commit(
        &mut self,
        now: Millis,
        request: OffsetCommitRequest,
        version: i16,
        exists: &dyn Fn(&str, i32) -> bool,
    ) -> OffsetCommitResponse {
        /// `OffsetCommitRequest.DEFAULT_RETENTION_TIME`: the broker's.
        const DEFAULT_RETENTION_TIME: i64 = -1;

        self.tick(now);
        let wanted = request.topics.iter().flat_map(|topic| {
            topic.partitions.iter().map(|partition| Wanted {
                topic: &topic.name,
                partition: partition.partition_index,
                offset: partition.committed_offset,
                leader_epoch: partition.committed_leader_epoch,
                metadata: partition.committed_metadata.as_ref(),
            })
        });
        let committer = Committer {
            group: &request.group_id,
            member: &request.member_id,
            instance_id: request.group_instance_id.as_ref(),
            generation: request.generation_id_or_member_epoch,
            transaction_of: None,
            version,
        };
        let retention = request.retention_time_ms;
        let expires_at = (retention != DEFAULT_RETENTION_TIME).then(|| self.runtime.now.saturating_add(retention));
        let outcomes = self.commit_all(&committer, wanted, expires_at, exists);
        let topics = outcomes.topics.into_iter().map(|(name, partitions)| {
            let partitions = partitions.into_iter().map(|(index, error_code)| {
                OffsetCommitResponsePartition::default().with_partition_index(index).with_error_code(error_code)
            });
            OffsetCommitResponseTopic::default().with_name(name).with_partitions(partitions.collect())
        });
        OffsetCommitResponse::default().with_topics(topics.collect())
    }

    /// Commits what exists, or makes it pending in the committer's transaction; what does not is refused, and comes first.
    pub(super) fn commit_all<'a>(
        &mut self,
        committer: &Committer<'_>,
        wanted: impl Iterator<Item = Wanted<'a>>,
        expires_at: Option<Millis>,
        exists: &dyn Fn(&str, i32) -> bool,
    ) -> Outcomes {
        let mut outcomes = Outcomes::default();
        let (existing, unknown): (Vec<_>, Vec<_>) = wanted.partition(|wanted| exists(wanted.topic, wanted.partition));
        for wanted in unknown {
            outcomes.push(wanted.topic, wanted.partition, ResponseError::UnknownTopicOrPartition.code());
        }
        if existing.is_empty() {
            return outcomes;
        }
        let accepted = self.accept_commit(committer);
        for Wanted { topic, partition, offset, leader_epoch, metadata } in existing {
            let outcome = accepted.and_then(|()| self.check_metadata(metadata));
            if outcome.is_ok() {
                let metadata = metadata.map(owned).unwrap_or_default();
                let committed_at = self.runtime.now;
                let offset = Offset { offset, leader_epoch, metadata, committed_at, expires_at };
                match committer.transaction_of {
                    None => self.offsets.commit(committer.group, topic, partition, offset),
                    Some(producer_id) => {
                        self.offsets.commit_in_transaction(producer_id, committer.group, topic, partition, offset);
                    }
                }
            }
            outcomes.push(topic, partition, code(&outcome));
        }
        outcomes
    }

    /// The checks of the group, which is made if only offsets are to be kept for it. A commit of a member is a sign of
    /// life.
    fn accept_commit(&mut self, committer: &Committer<'_>) -> Result<(), ResponseError> {
        if committer.is_transactional() && committer.group.is_empty() {
            return Err(ResponseError::InvalidGroupId);
        }
        if usize::try_from(i16::MAX).is_ok_and(|longest| committer.group.len() > longest) {
            // It does not fit into the key of a record.
            return Err(ResponseError::UnknownServerError);
        }
        if !self.groups.contains_key(committer.group) {
            if committer.generation >= 0 {
                return Err(if !committer.is_transactional() && committer.version >= 9 {
                    ResponseError::GroupIdNotFound
                } else {
                    ResponseError::IllegalGeneration
                });
            }
            self.group_or_new(committer.group).ok_or(ResponseError::CoordinatorNotAvailable)?;
        }
        let group = self.groups.get(committer.group).ok_or(ResponseError::CoordinatorNotAvailable)?;
        group.validate_commit(committer)?;
        if !committer.is_transactional() && matches!(group.state, State::Stable | State::PreparingRebalance) {
            group.restart_session(&mut self.runtime, committer.member);
        }
        Ok(())
    }

    /// # Errors
    /// OFFSET_METADATA_TOO_LARGE
    fn check_metadata(&self, metadata: Option<&StrBytes>) -> Result<(), ResponseError> {
        let length = metadata.map_or(0, |metadata| metadata.encode_utf16().count());
        if length > self.runtime.settings.max_offset_metadata {
            Err(ResponseError::OffsetMetadataTooLarge)
        } else {
            Ok(())
        }
    }
}

impl Group {
    /// `ClassicGroup.validateOffsetCommit`.
    fn validate_commit(&self, committer: &Committer<'_>) -> Result<(), ResponseError> {
        let &Committer { member, instance_id, generation, .. } = committer;
        let transactional = committer.is_transactional();
        if generation < 0 && self.state == State::Empty {
            // Of a consumer that assigns partitions to itself, or of an administrator.
            return Ok(());
        }
        if generation >= 0 || !member.is_empty() || instance_id.is_some() {
            self.validate_member(member, instance_id)?;
            if generation != self.generation {
                return Err(ResponseError::IllegalGeneration);
            }
        } else if !transactional && self.state != State::Empty {
            // TxnOffsetCommit has a member id and a generation from version 3 on only: without them, all are accepted.
            return Err(ResponseError::UnknownMemberId);
        }
        if !transactional && self.state == State::CompletingRebalance {
            return Err(ResponseError::RebalanceInProgress);
        }
        Ok(())
    }
}

/// An error code for each partition, by topic.
#[derive(Default)]
pub(super) struct Outcomes {
    pub(super) topics: Vec<(TopicName, Vec<(i32, i16)>)>,
    places: HashMap<StrBytes, usize>,
}

impl Outcomes {
    pub(super) fn push(&mut self, topic: &TopicName, partition: i32, error_code: i16) {
        let place = *self.places.entry(topic.0.clone()).or_insert_with(|| {
            self.topics.push((topic.clone(), Vec::new()));
            self.topics.len() - 1
        });
        if let Some((_, partitions)) = self.topics.get_mut(place) {
            partitions.push((partition, error_code));
        }
    }
}
