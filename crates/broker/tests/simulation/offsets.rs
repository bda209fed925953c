//! The offsets of the one group, and those that await the end of a transaction.

use std::collections::BTreeMap;

use crate::step::At;

#[derive(Debug, Default, Clone)]
pub(crate) struct Offsets {
    /// With the number of the write: the later one wins, whenever it is decided (KAFKA-5278).
    committed: BTreeMap<At, (i64, u64)>,
    pending: BTreeMap<i64, BTreeMap<At, (i64, u64)>>,
    writes: u64,
}

impl Offsets {
    pub(crate) fn commit(&mut self, at: At, offset: i64) {
        self.writes += 1;
        self.committed.insert(at, (offset, self.writes));
    }

    pub(crate) fn send(&mut self, producer_id: i64, at: At, offset: i64) {
        self.writes += 1;
        self.pending.entry(producer_id).or_default().insert(at, (offset, self.writes));
    }

    pub(crate) fn decide(&mut self, producer_id: i64, commits: bool) {
        for (at, (offset, write)) in self.pending.remove(&producer_id).unwrap_or_default() {
            if commits && self.committed.get(&at).is_none_or(|(_, earlier)| *earlier < write) {
                self.committed.insert(at, (offset, write));
            }
        }
    }

    pub(crate) fn forget_topic(&mut self, topic: usize) {
        self.committed.retain(|(other, _), _| *other != topic);
        for pending in self.pending.values_mut() {
            pending.retain(|(other, _), _| *other != topic);
        }
    }

    pub(crate) fn get(&self, at: At) -> i64 {
        self.committed.get(&at).map_or(-1, |(offset, _)| *offset)
    }

    pub(crate) fn is_pending(&self, at: At) -> bool {
        self.pending.values().any(|pending| pending.contains_key(&at))
    }
}
