//! The books of one run: what a program said, against what the broker holds.
//!
//! Values are unique, so each can be followed. From standard output ([`crate::said`]): sent, acknowledged, failed,
//! processed. From the broker, read to the end offset at both isolation levels ([`crate::reader`]): stored, aborted,
//! committed offsets. Everything in which the two differ is an [`Anomaly`], with the value named; whether it breaks the
//! program's promise is for [`crate::verdict`] to say.

//!
//! A program may have several instances in a run: killed and started again, frozen and succeeded, two at once. What
//! stands at an offset belongs to the instance that named this offset; a message that a killed instance had no time to
//! tell of is no anomaly that breaks anything.

mod consumer;
mod findings;
mod pipeline;
mod producer;
#[cfg(test)]
mod testing;

use std::collections::HashSet;

use common::grammar::Position;

use crate::value::Value;

/// The totals of a run, and everything that does not add up. `None` where a number has no meaning: an acks=0 producer
/// is never acknowledged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Messages that the program said it had sent, whatever became of them; one that two instances sent counts once.
    pub sent: Option<usize>,
    /// Messages that the program said were stored (and, in a transaction, committed).
    pub acknowledged: Option<usize>,
    /// Records that a read_committed reader sees: in the topic that a producer or a pipeline writes, or that a consumer
    /// reads.
    pub stored: usize,
    /// How many times a message stood in a line of standard output as processed.
    pub processed: Option<usize>,
    /// Records of aborted transactions that stood in the input.
    pub aborted_input: usize,
    /// What does not add up.
    pub anomalies: Vec<Anomaly>,
    /// Those of the duplicated values of which each copy may be another instance's: the program was started several times,
    /// and each time it sends everything.
    pub started_over: HashSet<Value>,
}

/// A value with which something is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anomaly {
    /// What is wrong.
    pub kind: Kind,
    /// With which value.
    pub value: Value,
    /// How often: the surplus copies of a duplicate, otherwise 1.
    pub times: usize,
    /// Where it stands, or was said to stand.
    pub places: Vec<Position<'static>>,
}

/// What can be wrong with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Acknowledged (acks=0: sent) and not stored; or the group's committed offset is beyond it and it was never
    /// processed (pipeline: has no result).
    Lost,
    /// Stored, or processed, more often than it was there to begin with.
    Duplicated,
    /// Stands after a message that was sent after it.
    Reordered,
    /// The program says that its transaction was aborted; a read_committed reader sees it.
    AbortedVisible,
    /// A read_committed reader sees it, and its program never asked for the commit of the transaction (see
    /// [`crate::evidence`]).
    Uncommitted,
    /// Not visible, while another message of the same transaction is.
    Torn,
    /// The pipeline's result is visible, and the offset of its input, of the same transaction, is not committed.
    Half,
    /// Processed, although the transaction that it belongs to was aborted.
    AbortedProcessed,
    /// Stored or processed, and nobody has ever sent it.
    Phantom,
    /// The program says that it stands there, and something else does, or nothing.
    Misplaced,
    /// The pipeline's result is not in the partition of its input.
    OtherPartition,
    /// The pipeline's result does not have the key of its input.
    OtherKey,
    /// Reported as failed: not stored, or stored nevertheless where the places say.
    Failed,
    /// Reported as aborted, with its transaction, and no read_committed reader sees it.
    Aborted,
    /// Sent, and neither acknowledged (in a transaction: committed) nor reported as failed or aborted.
    Unacknowledged,
    /// Producer: never sent, as far as it says. Consumer: never processed, and its offset not committed: nothing is lost
    /// as yet.
    Missing,
    /// Processed by a consumer, and its offset not committed: the next member of the group processes it again.
    NotCommitted,
    /// The pipeline did it more than once (its result need not be there twice for that).
    Repeated,
}

impl Kind {
    /// All of them.
    pub(crate) const ALL: &[Self] = &[
        Self::Lost,
        Self::Duplicated,
        Self::Reordered,
        Self::AbortedVisible,
        Self::Uncommitted,
        Self::Torn,
        Self::Half,
        Self::AbortedProcessed,
        Self::Phantom,
        Self::Misplaced,
        Self::OtherPartition,
        Self::OtherKey,
        Self::Failed,
        Self::Aborted,
        Self::Unacknowledged,
        Self::Missing,
        Self::NotCommitted,
        Self::Repeated,
    ];
}

impl Ledger {
    /// The same books with more anomalies.
    #[must_use]
    pub(crate) fn with(mut self, anomalies: Vec<Anomaly>) -> Self {
        self.anomalies.extend(anomalies);
        self
    }

    /// How many anomalies there are of this kind; a duplicate counts once for each surplus copy.
    pub fn count(&self, kind: Kind) -> usize {
        self.anomalies.iter().filter(|anomaly| anomaly.kind == kind).map(|anomaly| anomaly.times).sum()
    }
}
