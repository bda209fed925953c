//! TxnOffsetCommit, and the end of its transaction.

use kafka_protocol::{
    error::ResponseError,
    messages::{
        TxnOffsetCommitRequest, TxnOffsetCommitResponse,
        txn_offset_commit_response::{TxnOffsetCommitResponsePartition, TxnOffsetCommitResponseTopic},
    },
};

use super::{
    Groups,
    commit::{Committer, Outcomes, code},
    offsets::Offset,
    runtime::owned,
};
use crate::time::Millis;

impl Groups {
    /// A TxnOffsetCommit, whose producer and transaction the caller has verified. The offsets are pending until
    /// [`Groups::end_transaction`].
    pub(crate) fn commit_in_transaction(
        &mut self,
        now: Millis,
        request: TxnOffsetCommitRequest,
        version: i16,
        exists: &dyn Fn(&str, i32) -> bool,
    ) -> TxnOffsetCommitResponse {
        self.tick(now);
        let mut outcomes = Outcomes::default();
        let mut existing = Vec::new();
        for topic in &request.topics {
            for partition in &topic.partitions {
                if exists(&topic.name, partition.partition_index) {
                    existing.push((topic, partition));
                } else {
                    outcomes.push(
                        &topic.name,
                        partition.partition_index,
                        ResponseError::UnknownTopicOrPartition.code(),
                    );
                }
            }
        }
        if !existing.is_empty() {
            let accepted = if request.group_id.is_empty() {
                Err(ResponseError::InvalidGroupId)
            } else {
                self.accept_commit(&Committer {
                    group: &request.group_id,
                    member: &request.member_id,
                    instance_id: request.group_instance_id.as_ref(),
                    generation: request.generation_id,
                    transactional: true,
                    version,
                })
            };
            let committed_at = self.runtime.now;
            for (topic, partition) in existing {
                let outcome = accepted.and_then(|()| self.check_metadata(partition.committed_metadata.as_ref()));
                if outcome.is_ok() {
                    let offset = Offset {
                        offset: partition.committed_offset,
                        leader_epoch: partition.committed_leader_epoch,
                        metadata: partition.committed_metadata.as_ref().map(owned).unwrap_or_default(),
                        committed_at,
                        expires_at: None,
                    };
                    self.offsets.commit_in_transaction(
                        request.producer_id.0,
                        &request.group_id,
                        &topic.name,
                        partition.partition_index,
                        offset,
                    );
                }
                outcomes.push(&topic.name, partition.partition_index, code(outcome));
            }
        }
        let topics = outcomes.topics.into_iter().map(|(name, partitions)| {
            let partitions = partitions.into_iter().map(|(index, error_code)| {
                TxnOffsetCommitResponsePartition::default().with_partition_index(index).with_error_code(error_code)
            });
            TxnOffsetCommitResponseTopic::default().with_name(name).with_partitions(partitions.collect())
        });
        TxnOffsetCommitResponse::default().with_topics(topics.collect())
    }

    /// A marker of this producer has reached the offsets: what it had pending, in whatever group, is committed or gone.
    pub(crate) fn end_transaction(&mut self, now: Millis, producer_id: i64, commit: bool) {
        self.tick(now);
        self.offsets.end_transaction(producer_id, commit);
    }
}
