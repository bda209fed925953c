//! TxnOffsetCommit, and the end of its transaction.

use kafka_protocol::messages::{
    TxnOffsetCommitRequest, TxnOffsetCommitResponse,
    txn_offset_commit_response::{TxnOffsetCommitResponsePartition, TxnOffsetCommitResponseTopic},
};

use super::{
    Groups,
    commit::{Committer, Wanted},
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
            generation: request.generation_id,
            transaction_of: Some(request.producer_id.0),
            version,
        };
        let outcomes = self.commit_all(&committer, wanted, None, exists);
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
