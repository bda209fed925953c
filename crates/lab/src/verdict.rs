//! From the books to a verdict: does what was observed break what the program promises?

use crate::catalogue::Promise;
use crate::child::Ended;
use crate::error::Error;
use crate::ledger::{Anomaly, Kind, Ledger};

/// What the lab says of a guarantee.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing was observed that breaks it.
    Holds,
    /// Broken, by these.
    Violated(Vec<Anomaly>),
    /// Not decided, and why.
    Unknown(Error),
}

/// What was not as the scenario announced it, apart from a broken guarantee.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Surprise {
    /// The guarantee allows it, and no fault was there to explain it.
    Anomaly(Anomaly),
    /// The program did not end with exit status 0.
    Failed(Failure),
    /// The aborted records that the lab had put into the input were not all seen at read_uncommitted, or not hidden at
    /// read_committed: the experiment shows nothing.
    AbortedInput {
        /// How many the lab wrote and aborted.
        written: usize,
        /// How many a read_uncommitted reader sees and a read_committed reader does not.
        seen: usize,
    },
}

/// A program that ended otherwise than it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The exit status or the signal.
    pub ended: Ended,
    /// What its log said last.
    pub said: Option<String>,
}

impl Promise {
    /// Whether an anomaly of this kind breaks it.
    pub fn forbids(&self, kind: Kind) -> bool {
        match kind {
            Kind::Lost => self.no_loss,
            Kind::Duplicated => self.no_duplicate,
            Kind::Reordered | Kind::OtherPartition => self.in_order,
            Kind::AbortedVisible | Kind::Uncommitted | Kind::Torn | Kind::Half | Kind::AbortedProcessed => self.atomic,
            // What is not true breaks any promise.
            Kind::Phantom | Kind::Misplaced | Kind::OtherKey => true,
            // The program says so, or will do it later.
            Kind::Failed
            | Kind::Aborted
            | Kind::Unacknowledged
            | Kind::Missing
            | Kind::NotCommitted
            | Kind::Repeated => false,
        }
    }
}

/// The verdict on a run, and the anomalies that the promise allows.
pub fn judge(promise: Promise, ledger: &Ledger) -> (Verdict, Vec<Anomaly>) {
    let (broken, allowed): (Vec<_>, Vec<_>) =
        ledger.anomalies.iter().cloned().partition(|anomaly| promise.forbids(anomaly.kind));
    let verdict = if broken.is_empty() { Verdict::Holds } else { Verdict::Violated(broken) };
    (verdict, allowed)
}
