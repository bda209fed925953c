//! Which transactions were aborted in a partition: what a reader at `read_committed` must skip.

/// An aborted transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Aborted {
    pub(crate) producer_id: i64,
    /// Of its first record.
    pub(crate) first_offset: i64,
    /// Of its marker.
    pub(crate) last_offset: i64,
    /// The last stable offset once it was aborted: later entries concern nothing before it.
    pub(crate) last_stable_offset: i64,
}

/// The aborted transactions of a partition, in the order of their markers.
#[derive(Debug, Clone, Default)]
pub(crate) struct AbortedIndex(Vec<Aborted>);

impl AbortedIndex {
    pub(crate) fn push(&mut self, aborted: Aborted) {
        self.0.push(aborted);
    }

    /// Those that concern a read from one offset up to another, which is not included.
    ///
    /// Source: `TransactionIndex.collectAbortedTxns`.
    pub(crate) fn between(&self, from: i64, to: i64) -> impl Iterator<Item = Aborted> + '_ {
        let first = self.0.partition_point(|aborted| aborted.last_offset < from);
        let mut complete = false;
        self.0
            .iter()
            .skip(first)
            .copied()
            .take_while(move |aborted| {
                // The entry that reaches the end of the range is itself still wanted.
                let wanted = !complete;
                complete |= aborted.last_stable_offset >= to;
                wanted
            })
            .filter(move |aborted| aborted.first_offset < to)
    }

    /// Forgets what no read can concern any more.
    pub(crate) fn forget_before(&mut self, start: i64) {
        let gone = self.0.partition_point(|aborted| aborted.last_offset < start);
        self.0.drain(..gone);
    }
}
