//! Offsets that groups have committed, and those that await the end of a transaction (`OffsetMetadataManager`).

use std::collections::{BTreeMap, HashMap};

use kafka_protocol::protocol::StrBytes;

use super::runtime::owned;
use crate::time::Millis;

#[derive(Debug, Clone)]
pub(super) struct Offset {
    pub(super) offset: i64,
    pub(super) leader_epoch: i32,
    pub(super) metadata: StrBytes,
    pub(super) committed_at: Millis,
    /// Where the request itself limits its life (versions 2 to 4 of OffsetCommit).
    pub(super) expires_at: Option<Millis>,
}

/// An offset, and the place that its record would have in `__consumer_offsets`: the later one wins.
#[derive(Debug)]
struct Written {
    offset: Offset,
    sequence: u64,
}

type Partitions = BTreeMap<i32, Written>;
type Topics = BTreeMap<StrBytes, Partitions>;

/// One store of offsets: group, topic, partition.
#[derive(Debug, Default)]
struct Store {
    groups: HashMap<StrBytes, Topics>,
}

impl Store {
    fn get(&self, group: &StrBytes, topic: &StrBytes, partition: i32) -> Option<&Written> {
        self.groups.get(group)?.get(topic)?.get(&partition)
    }

    fn put(&mut self, group: &StrBytes, topic: &StrBytes, partition: i32, written: Written) {
        // Names are copied where they are new only: nearly every commit is to a partition that has been committed before.
        if !self.groups.contains_key(group) {
            self.groups.insert(owned(group), Topics::new());
        }
        let Some(topics) = self.groups.get_mut(group) else { return };
        if let Some(partitions) = topics.get_mut(topic) {
            partitions.insert(partition, written);
        } else {
            topics.insert(owned(topic), Partitions::from([(partition, written)]));
        }
    }

    fn remove(&mut self, group: &StrBytes, topic: &StrBytes, partition: i32) {
        let Some(topics) = self.groups.get_mut(group) else { return };
        if let Some(partitions) = topics.get_mut(topic) {
            partitions.remove(&partition);
            if partitions.is_empty() {
                topics.remove(topic);
            }
        }
        if topics.is_empty() {
            self.groups.remove(group);
        }
    }

    fn forget_topic(&mut self, topic: &StrBytes) {
        self.groups.retain(|_, topics| {
            topics.remove(topic);
            !topics.is_empty()
        });
    }
}

#[derive(Debug, Default)]
pub(super) struct Offsets {
    committed: Store,
    /// By producer id.
    pending: BTreeMap<i64, Store>,
    sequence: u64,
}

impl Offsets {
    pub(super) fn commit(&mut self, group: &StrBytes, topic: &StrBytes, partition: i32, offset: Offset) {
        let written = self.write(offset);
        self.committed.put(group, topic, partition, written);
    }

    /// Keeps an offset until [`Offsets::end_transaction`].
    pub(super) fn commit_in_transaction(
        &mut self,
        producer_id: i64,
        group: &StrBytes,
        topic: &StrBytes,
        partition: i32,
        offset: Offset,
    ) {
        let written = self.write(offset);
        self.pending.entry(producer_id).or_default().put(group, topic, partition, written);
    }

    fn write(&mut self, offset: Offset) -> Written {
        self.sequence += 1;
        Written { offset, sequence: self.sequence }
    }

    /// A committed offset is that of the latest write, not that of the latest decision: one that was committed outside
    /// of the transaction meanwhile stays (KAFKA-5278).
    pub(super) fn end_transaction(&mut self, producer_id: i64, commit: bool) {
        let Some(pending) = self.pending.remove(&producer_id) else { return };
        if !commit {
            return;
        }
        for (group, topics) in pending.groups {
            for (topic, partitions) in topics {
                for (partition, written) in partitions {
                    let current = self.committed.get(&group, &topic, partition);
                    if current.is_none_or(|current| current.sequence < written.sequence) {
                        self.committed.put(&group, &topic, partition, written);
                    }
                }
            }
        }
    }

    pub(super) fn get(&self, group: &StrBytes, topic: &StrBytes, partition: i32) -> Option<&Offset> {
        self.committed.get(group, topic, partition).map(|written| &written.offset)
    }

    /// Whether a transaction that is still open has an offset for this partition.
    pub(super) fn is_pending(&self, group: &StrBytes, topic: &StrBytes, partition: i32) -> bool {
        self.pending.values().any(|pending| pending.get(group, topic, partition).is_some())
    }

    pub(super) fn has_open_transaction(&self, group: &StrBytes) -> bool {
        self.pending.values().any(|pending| pending.groups.contains_key(group))
    }

    pub(super) fn has_committed(&self, group: &StrBytes) -> bool {
        self.committed.groups.contains_key(group)
    }

    /// What a group has committed, in the order of topics and partitions.
    pub(super) fn of_group(&self, group: &StrBytes) -> impl Iterator<Item = (&StrBytes, Vec<(i32, &Offset)>)> {
        self.committed.groups.get(group).into_iter().flatten().map(|(topic, partitions)| {
            (topic, partitions.iter().map(|(partition, written)| (*partition, &written.offset)).collect())
        })
    }

    /// The partition's offset is gone, and any that a transaction would have brought.
    pub(super) fn remove(&mut self, group: &StrBytes, topic: &StrBytes, partition: i32) {
        self.committed.remove(group, topic, partition);
        for pending in self.pending.values_mut() {
            pending.remove(group, topic, partition);
        }
        self.drop_empty();
    }

    pub(super) fn remove_group(&mut self, group: &StrBytes) {
        self.committed.groups.remove(group);
        for pending in self.pending.values_mut() {
            pending.groups.remove(group);
        }
        self.drop_empty();
    }

    pub(super) fn forget_topic(&mut self, topic: &StrBytes) {
        self.committed.forget_topic(topic);
        for pending in self.pending.values_mut() {
            pending.forget_topic(topic);
        }
        self.drop_empty();
    }

    fn drop_empty(&mut self) {
        self.pending.retain(|_, pending| !pending.groups.is_empty());
    }
}
