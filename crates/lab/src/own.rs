//! A client of the user's own, in any language: run in the place of a program, or held to a guarantee.
//!
//! In a program's place it must do what is announced for the program, to the last retry. Held to a guarantee, it may work
//! as it likes: the same faults meet it, and only the promise decides.

mod summary;

use clap::ValueEnum;
use proxy::Event;

use crate::catalogue::{Guarantee, Producer, Program, Role};
use crate::child::Ended;
use crate::error::Error;
use crate::evidence;
use crate::ledger::{Anomaly, Kind};
use crate::matrix::{self, Job};
use crate::outcome::Outcome;
use crate::scenario::Exhibit;
use crate::scenarios;
use crate::verdict::{self, Surprise, Verdict};

pub(crate) use summary::render as summary;

/// A client of the user's own.
#[derive(Debug, Clone)]
pub struct Client {
    /// The command that starts it; it finds its settings in the environment.
    pub words: Vec<String>,
    /// What it is held to; `None`: to what is announced for the program in whose place it runs.
    pub held_to: Option<Guarantee>,
}

/// A client that is held to a guarantee.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The guarantee.
    pub guarantee: Guarantee,
    /// Its command line, for readers.
    pub command: String,
}

/// What a client is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// It writes to a topic.
    Producer,
    /// It reads a topic.
    Consumer,
    /// It reads a topic, and writes a result for each message to another.
    Pipeline,
}

impl Client {
    /// The client, if it is held to a guarantee.
    pub fn held(&self) -> Option<Held> {
        Some(Held { guarantee: self.held_to?, command: self.words.join(" ") })
    }
}

impl Held {
    /// What the lab has to know of it as a producer. Whether it uses transactions, its requests tell: exactly once can
    /// do without where nobody restarts it, and at least once can do with them.
    pub(crate) fn producer(&self, place: Producer, trace: &[Event]) -> Producer {
        Producer {
            acknowledged: self.guarantee != Guarantee::AtMostOnce,
            transactional: evidence::transactional(trace),
            ..place
        }
    }
}

impl Part {
    fn is(self, program: &Program) -> bool {
        matches!(
            (self, program.role),
            (Self::Producer, Role::Producer(_))
                | (Self::Consumer, Role::Consumer { .. })
                | (Self::Pipeline, Role::Pipeline { .. })
        )
    }
}

/// Their faults come at a request that only transactions know. (The course has one pipeline, which uses them.)
const OF_TRANSACTIONS: &[&str] = &["commit-lost", "zombie"];

/// It breaks what every client promises that speaks the first protocol of transactions, and so says nothing of this one.
const DELAYED_END: &str = "delayed-end";

/// The runs for a client: those of the course's programs of the same part and guarantee, one for each variant of a
/// scenario.
///
/// Where the course's own program is announced to break its promise, none like it can keep it (started anew, a producer
/// sends again what is committed): such a variant is run when its scenario is named, and left out otherwise.
pub fn jobs(part: Part, guarantee: Guarantee, scenarios: &[String], variant: Option<&str>) -> Vec<Job> {
    let mut jobs: Vec<Job> = Vec::new();
    for job in matrix::jobs() {
        let weaker = guarantee != Guarantee::ExactlyOnce;
        let like = part.is(job.program) && (part == Part::Pipeline || job.program.guarantee == guarantee);
        let chosen = if scenarios.is_empty() {
            let can_hold = !job.case.breaks(job.program.promise());
            let without = part == Part::Pipeline && weaker && OF_TRANSACTIONS.contains(&job.scenario.name);
            can_hold && !without && job.scenario.name != DELAYED_END
        } else {
            scenarios.iter().any(|name| name == job.scenario.name)
        };
        let this_variant = variant.is_none_or(|variant| job.case.variant == variant);
        let key = |job: &Job| (job.scenario.name, job.case.variant);
        if like && chosen && this_variant && !jobs.iter().any(|other| key(other) == key(&job)) {
            jobs.push(job);
        }
    }
    jobs
}

/// Judges an outcome by the guarantee alone: nothing has to show, and nothing that the guarantee permits is a surprise. But
/// a client that did nothing has kept no promise.
pub(crate) fn judge(outcome: &mut Outcome) {
    outcome.missing.clear();
    outcome.surprises.retain(|surprise| matches!(surprise, Surprise::AbortedInput { .. }));
    all_done(outcome);
    if outcome.verdict == Verdict::Holds
        && let Some(why) = undecided(outcome)
    {
        outcome.verdict = Verdict::Unknown(why);
    }
}

/// A producer that ends with exit status 0 says that all is done: what it had to send and is not there is lost.
fn all_done(outcome: &mut Outcome) {
    let well = outcome.instances.last().is_some_and(|last| last.ended == Some(Ended::Status(0)));
    if !well || !matches!(outcome.program.role, Role::Producer(_)) || outcome.ledger.sent == Some(0) {
        return;
    }
    let promise = outcome.promise();
    let undone = |it: &&mut Anomaly| matches!(it.kind, Kind::Missing | Kind::Unacknowledged) && it.places.is_empty();
    for anomaly in outcome.ledger.anomalies.iter_mut().filter(undone).filter(|_| promise.no_loss) {
        anomaly.kind = Kind::Lost;
    }
    outcome.verdict = verdict::judge(promise, &outcome.ledger).0;
}

fn undecided(outcome: &Outcome) -> Option<Error> {
    let ledger = &outcome.ledger;
    let announced =
        |kind| outcome.case.exhibits.contains(&Exhibit::Anomaly(kind)) || outcome.case.allows.contains(&kind);
    let nothing_said = match outcome.program.role {
        Role::Producer(_) => ledger.sent == Some(0),
        Role::Consumer { .. } => ledger.processed == Some(0),
        // Its results speak for it.
        Role::Pipeline { .. } => false,
    };
    if nothing_said {
        let lines: Vec<_> = outcome.instances.iter().flat_map(|instance| &instance.lines).collect();
        let first = lines.first().map(|(_, line)| line.clone());
        return Some(Error::SaidNothing { lines: lines.len(), first });
    }
    let undone: Vec<_> = ledger.anomalies.iter().filter(|anomaly| anomaly.kind == Kind::Missing).collect();
    // Whoever gives up when a fault comes, and says so, has kept its promise.
    let calm = outcome.scenario.name == scenarios::CALM;
    let gave_up = outcome.instances.last().is_some_and(|last| last.ended != Some(Ended::Status(0)));
    if let Some(first) = undone.first()
        && !announced(Kind::Missing)
        && (calm || !gave_up)
    {
        return Some(Error::Unfinished { undone: undone.len(), first: first.value.to_string() });
    }
    let all_failed = ledger.acknowledged == Some(0) && !announced(Kind::Failed) && !announced(Kind::Aborted);
    all_failed.then_some(Error::NothingAcknowledged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn held(program: &str, shows: &[(Kind, usize)], guarantee: Guarantee) -> Outcome {
        let mut outcome = sample::outcome(0, 0, program, shows);
        outcome.held = Some(Held { guarantee, command: "python3 x.py".into() });
        let (verdict, _) = verdict::judge(outcome.promise(), &outcome.ledger);
        outcome.verdict = verdict;
        outcome
    }

    #[test]
    fn every_part_has_runs_under_every_guarantee() {
        use Guarantee::{AtLeastOnce, AtMostOnce, ExactlyOnce};
        for part in [Part::Producer, Part::Consumer, Part::Pipeline] {
            for guarantee in [AtMostOnce, AtLeastOnce, ExactlyOnce] {
                let jobs = jobs(part, guarantee, &[], None);
                assert!(jobs.len() > 2, "{part:?} {guarantee:?}");
                assert!(jobs.iter().any(|job| job.scenario.name == "calm"));
                let mut keys: Vec<_> = jobs.iter().map(|job| (job.scenario.name, job.case.variant)).collect();
                keys.sort_unstable();
                keys.dedup();
                assert_eq!(keys.len(), jobs.len(), "one run for each variant");
            }
        }
    }

    #[test]
    fn what_no_program_can_keep_is_run_when_it_is_named() {
        let names = |scenarios: &[String]| -> Vec<_> {
            let jobs = jobs(Part::Producer, Guarantee::ExactlyOnce, scenarios, None);
            jobs.iter().map(|job| job.scenario.name).collect()
        };
        assert!(!names(&[]).contains(&"killed-after-commit"));
        assert_eq!(names(&["killed-after-commit".into()]), ["killed-after-commit"]);
    }

    #[test]
    fn what_the_guarantee_permits_does_not_count_against_a_client_and_what_was_announced_need_not_show() {
        let mut outcome = held("producer-at-least-once", &[(Kind::Failed, 1)], Guarantee::AtLeastOnce);
        outcome.missing = outcome.case.exhibits.to_vec();
        assert!(!outcome.missing.is_empty());
        outcome.surprises = vec![Surprise::Anomaly(outcome.ledger.anomalies[0].clone())];
        judge(&mut outcome);
        assert!(outcome.as_expected());
    }

    #[test]
    fn the_promise_is_that_of_the_guarantee_and_not_of_the_program() {
        let twice = [(Kind::Duplicated, 1)];
        assert_eq!(held("eos-pipeline", &twice, Guarantee::AtLeastOnce).verdict, Verdict::Holds);
        assert!(matches!(held("eos-pipeline", &twice, Guarantee::ExactlyOnce).verdict, Verdict::Violated(_)));
        assert!(matches!(held("producer-at-least-once", &twice, Guarantee::AtMostOnce).verdict, Verdict::Violated(_)));
    }

    #[test]
    fn who_does_nothing_keeps_no_promise() {
        let unknown = |change: fn(&mut Outcome)| {
            let mut outcome = held("producer-at-least-once", &[(Kind::Missing, 2)], Guarantee::AtLeastOnce);
            change(&mut outcome);
            judge(&mut outcome);
            match outcome.verdict {
                Verdict::Unknown(why) => why,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(unknown(|_| ()), Error::Unfinished { undone: 2, first: "msg-0".into() });
        assert_eq!(unknown(|outcome| outcome.ledger.sent = Some(0)), Error::SaidNothing { first: None, lines: 0 });
        assert_eq!(
            unknown(|outcome| {
                outcome.ledger.anomalies.clear();
                outcome.ledger.acknowledged = Some(0);
            }),
            Error::NothingAcknowledged
        );
    }
}
