//! What a run showed: the verdict of the ledger, with one excuse.
//!
//! A producer keeps no memory of what it has sent: started again, it sends everything once more, and what its predecessor
//! had committed is there twice. That is no violation, as long as
//! - no instance has stored a message twice: there are not more copies than instances, and no two of them belong to one;
//! - no instance has committed anything after its successor had initialised its producer: a zombie is fenced.
//!
//! Everything else that the promise forbids is a violation.

use std::collections::BTreeSet;
use std::time::Duration;

use super::schedule::{Deed, Schedule};
use crate::evidence;
use crate::ledger::{Anomaly, Kind};
use crate::outcome::{Deed as Done, Outcome};
use crate::scenario::Mark;
use crate::verdict::{Surprise, Verdict};

/// One run, without its trace.
#[derive(Debug)]
pub(crate) struct Run {
    /// From 1.
    pub(crate) number: u32,
    /// What was to be done.
    pub(crate) schedule: Schedule,
    /// Which steps came.
    pub(crate) met: Vec<bool>,
    /// What the lab says of the promise.
    pub(crate) verdict: Verdict,
    /// What showed, and breaks no promise.
    pub(crate) found: BTreeSet<Found>,
    /// What the trace showed.
    pub(crate) marks: BTreeSet<Mark>,
    /// How many processes there were.
    pub(crate) instances: usize,
    /// How many of them were killed by a step.
    pub(crate) kills: usize,
    /// How long it took.
    pub(crate) took: Duration,
    /// Everything else, of a violation.
    pub(crate) outcome: Option<Box<Outcome>>,
}

/// Something that a run showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Found {
    /// An anomaly.
    Anomaly(Kind),
    /// Duplicates by a producer that was started again, and has sent everything once more.
    StartedOver,
}

/// Judges a run; its outcome then says the same.
pub(super) fn judge(number: u32, schedule: &Schedule, met: Vec<bool>, outcome: &mut Outcome) -> Run {
    let promise = outcome.program.promise();
    let mut broken = Vec::new();
    let mut found = BTreeSet::new();
    if !matches!(outcome.verdict, Verdict::Unknown(_)) {
        let zombie = evidence::overtaken(&outcome.trace);
        let is_excused = |anomaly: &Anomaly| {
            anomaly.kind == Kind::Duplicated && !zombie && outcome.ledger.started_over.contains(&anomaly.value)
        };
        for anomaly in &outcome.ledger.anomalies {
            if is_excused(anomaly) {
                found.insert(Found::StartedOver);
            } else if !promise.forbids(anomaly.kind) {
                found.insert(Found::Anomaly(anomaly.kind));
            } else {
                broken.push(anomaly.clone());
            }
        }
        // What the lab has prepared must have been there.
        outcome.surprises.retain(|surprise| matches!(surprise, Surprise::AbortedInput { .. }));
        outcome.surprises.extend(broken.iter().cloned().map(Surprise::Anomaly));
        outcome.verdict = if broken.is_empty() { Verdict::Holds } else { Verdict::Violated(broken) };
    }
    let is_kill = |(step, met): &(&super::schedule::Step, &bool)| **met && matches!(step.deed, Deed::Kill(_));
    Run {
        number,
        schedule: schedule.clone(),
        kills: schedule.steps.iter().zip(&met).filter(is_kill).count(),
        met,
        verdict: outcome.verdict.clone(),
        found,
        marks: outcome.marks.iter().map(|(mark, _)| *mark).collect(),
        instances: outcome
            .instances
            .iter()
            .filter(|instance| instance.deeds.iter().any(|(_, deed)| *deed == Done::Start))
            .count(),
        took: outcome.took,
        outcome: None,
    }
}
