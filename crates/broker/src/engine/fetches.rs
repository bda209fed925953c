//! Fetches that wait for records.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::{
    api::fetch::PendingFetch,
    time::Millis,
    topics::{TopicPartition, Topics},
    wait::Wait,
};

/// Fetches that have not enough to answer with yet.
#[derive(Debug, Default)]
pub(crate) struct Fetches {
    pending: HashMap<Wait, PendingFetch>,
    by_partition: HashMap<TopicPartition, Vec<Wait>>,
    by_deadline: BTreeSet<(Millis, Wait)>,
    /// Partitions in which something has happened since the last look.
    changed: HashSet<TopicPartition>,
    expired: Vec<Wait>,
}

impl Fetches {
    pub(crate) fn add(&mut self, wait: Wait, fetch: PendingFetch) {
        for partition in fetch.partitions() {
            self.by_partition.entry(partition).or_default().push(wait);
        }
        self.by_deadline.insert((fetch.deadline, wait));
        self.pending.insert(wait, fetch);
    }

    pub(crate) fn remove(&mut self, wait: Wait) -> Option<PendingFetch> {
        let fetch = self.pending.remove(&wait)?;
        self.by_deadline.remove(&(fetch.deadline, wait));
        for partition in fetch.partitions() {
            if let Some(waits) = self.by_partition.get_mut(&partition) {
                waits.retain(|other| *other != wait);
                if waits.is_empty() {
                    self.by_partition.remove(&partition);
                }
            }
        }
        Some(fetch)
    }

    /// Something happened in a partition: records, a marker, deletion.
    pub(crate) fn changed(&mut self, partition: &TopicPartition) {
        if self.by_partition.contains_key(partition) {
            self.changed.insert(partition.clone());
        }
    }

    /// The time of some has come.
    pub(crate) fn expire(&mut self, now: Millis) {
        self.expired
            .extend(self.by_deadline.iter().take_while(|(deadline, _)| *deadline <= now).map(|(_, wait)| *wait));
    }

    pub(crate) fn next_deadline(&self) -> Option<Millis> {
        self.by_deadline.first().map(|(deadline, _)| *deadline)
    }

    /// Takes out those that can be answered now, in the order in which they came.
    pub(crate) fn ready(&mut self, topics: &Topics) -> Vec<(Wait, PendingFetch)> {
        let mut ready: BTreeSet<Wait> = self.expired.drain(..).collect();
        for partition in self.changed.drain() {
            for wait in self.by_partition.get(&partition).into_iter().flatten() {
                if !ready.contains(wait) && self.pending.get(wait).is_some_and(|fetch| fetch.is_satisfied(topics)) {
                    ready.insert(*wait);
                }
            }
        }
        ready.into_iter().filter_map(|wait| Some((wait, self.remove(wait)?))).collect()
    }
}
