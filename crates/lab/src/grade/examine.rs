//! Runs one exercise of one student under its scenarios; what fails is run a second time before it counts.

use std::path::Path;
use std::time::{Duration, Instant};

use common::cli::Broker;

use super::guard::Guard;
use super::limits::SIGXFSZ;
use super::record::{Grade, Note, Tried, Verdict};
use super::room::{Breach, Room};
use crate::child::Ended;
use crate::error::Error;
use crate::exercises::Exercise;
use crate::exercises::check::{Against, Finding};
use crate::json;
use crate::layout::cut;
use crate::matrix::Job;
use crate::stage::House;
use crate::verdict::{self, Failure, Surprise};

/// How long a program waits for its broker, which is there already.
const CONNECT: Duration = Duration::from_secs(10);

/// How often a run is tried while others' programs take all processes that the user may have.
const TRIES: usize = 8;

/// What is kept of a value, or of a program's last words, in columns.
const VALUE: usize = 240;

/// On Linux and macOS: more processor time than allowed.
const SIGXCPU: i32 = 24;

/// What all examinations share.
pub(super) struct Hall<'a> {
    pub(super) guard: &'a Guard,
    pub(super) seed: u32,
    /// For all runs of an exercise, once.
    pub(super) limit: Duration,
}

/// One run.
struct Run {
    passes: bool,
    anomaly: Option<String>,
    value: Option<String>,
    ended: Option<String>,
    limit: Option<Breach>,
}

impl Hall<'_> {
    /// All scenarios of an exercise.
    ///
    /// # Errors
    /// Where the lab could not do its part.
    pub(super) fn examine(&self, exercise: &Exercise, program: &Path, notes: Vec<Note>) -> Result<Grade, Error> {
        let begun = Instant::now();
        let first = self.runs(exercise, program, &exercise.jobs)?;
        let again = again(&first);
        let jobs: Vec<Job> =
            exercise.jobs.iter().zip(&again).filter(|(_, again)| **again).map(|(job, _)| *job).collect();
        let mut second = self.runs(exercise, program, &jobs)?.into_iter();
        let tried = exercise.jobs.iter().zip(first).zip(again).map(|((job, first), again)| {
            let second = if again { second.next() } else { None };
            tried(job, first, second)
        });
        let scenarios: Vec<Tried> = tried.collect();
        let took_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(Grade { verdict: together(&scenarios), scenarios, notes, took_ms })
    }

    /// Each once, all at the same time.
    fn runs(&self, exercise: &Exercise, program: &Path, jobs: &[Job]) -> Result<Vec<Run>, Error> {
        std::thread::scope(|scope| {
            let threads: Vec<_> =
                jobs.iter().map(|job| scope.spawn(move || self.run(exercise, program, job))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap_or(Err(Error::Interrupted))).collect()
        })
    }

    fn run(&self, exercise: &Exercise, program: &Path, job: &Job) -> Result<Run, Error> {
        for _ in 0..TRIES {
            let begun = Instant::now();
            let run = self.try_once(exercise, program, job, begun + self.limit);
            let is_certain = run.as_ref().is_ok_and(|run| run.passes || run.limit == Some(Breach::Processes));
            if is_certain || !self.guard.was_crowded_since(begun) {
                return run;
            }
        }
        Err(Error::Crowded)
    }

    fn try_once(&self, exercise: &Exercise, program: &Path, job: &Job, until: Instant) -> Result<Run, Error> {
        let room = Room::open(self.guard, until);
        let flags = Broker {
            bootstrap_servers: String::new(),
            namespace: None,
            property: Vec::new(),
            properties: Vec::new(),
            connect_timeout: CONNECT,
        };
        let house = House {
            executables: [(exercise.plays.package.to_owned(), program.to_owned())].into(),
            room: Some(room.clone()),
            ..House::new(flags, self.seed)
        };
        let outcome = house.run(job.scenario, job.case, job.program);
        // It is, unless the run did not even begin.
        room.close();
        let finding = Finding::of(exercise, outcome);
        let limit = room.breach().or_else(|| breach(&finding));
        if let (None, Some(why)) = (limit, of_the_lab(&finding)) {
            return Err(why.clone());
        }
        let ended = finding.against.iter().find_map(ended);
        let what = finding.against.iter().find_map(said);
        let (anomaly, value) = what.map_or((None, None), |(what, value)| (Some(what), value));
        let short = |text: String| cut(&text, VALUE);
        Ok(Run { passes: finding.passes(), anomaly, value: value.map(short), ended: ended.map(short), limit })
    }
}

/// What the program was stopped for, where the room does not know it.
fn breach(finding: &Finding) -> Option<Breach> {
    if let verdict::Verdict::Unknown(Error::Stalled(_)) = finding.outcome.verdict {
        return Some(Breach::Silence);
    }
    finding.outcome.instances.iter().find_map(|instance| match instance.ended {
        Some(Ended::Signal(SIGXCPU)) => Some(Breach::Processor),
        Some(Ended::Signal(SIGXFSZ)) => Some(Breach::FileSize),
        _ => None,
    })
}

/// Why nothing was decided, where that is not the program's doing.
fn of_the_lab(finding: &Finding) -> Option<&Error> {
    finding.against.iter().find_map(|against| match against {
        Against::Undecided(Error::Refused(_) | Error::NotReached { .. } | Error::OpenTransaction { .. }) => None,
        Against::Undecided(Error::Stalled(_) | Error::Flooded(_)) => None,
        // A transaction that nobody ends holds them: the broker is in this process, and has no other reason.
        Against::Undecided(Error::Offsets { .. }) => None,
        Against::Undecided(why) => Some(why),
        _ => None,
    })
}

/// How it ended, where that was wrong.
fn ended(against: &Against) -> Option<String> {
    let Against::Shown(Surprise::Failed(Failure { ended, said })) = against else { return None };
    let how = match ended {
        Ended::Status(status) => format!("status {status}"),
        Ended::Signal(signal) => format!("signal {signal}"),
    };
    Some(said.as_ref().map_or_else(|| how.clone(), |said| format!("{how}: {said}")))
}

/// What else stands against a pass, by name, and the value that it concerns.
fn said(against: &Against) -> Option<(String, Option<String>)> {
    Some(match against {
        Against::Shown(Surprise::Anomaly(anomaly)) => {
            (json::kind(anomaly.kind).to_owned(), Some(anomaly.value.to_string()))
        }
        Against::Shown(Surprise::Failed(_)) => return None,
        Against::Shown(Surprise::AbortedInput { .. }) => ("aborted_input".to_owned(), None),
        Against::Missing(exhibit) => (format!("missing {}", json::exhibit(*exhibit)), None),
        Against::Undecided(Error::Refused(words)) => ("refused".to_owned(), Some(words.clone())),
        Against::Undecided(Error::NotReached { moment }) => ("not_reached".to_owned(), Some(moment.clone())),
        Against::Undecided(why) => (why.name(), None),
    })
}

/// Which runs are done a second time: what failed, and of what met a limit, which takes long, the first.
fn again(first: &[Run]) -> Vec<bool> {
    let mut limits = 0;
    first
        .iter()
        .map(|run| {
            limits += usize::from(run.limit.is_some());
            !run.passes && (run.limit.is_none() || limits == 1)
        })
        .collect()
}

/// Two runs of a scenario, or one: then only a pass is certain.
fn tried(job: &Job, first: Run, second: Option<Run>) -> Tried {
    let verdict = match &second {
        None if first.passes => Verdict::Passed,
        None => Verdict::Undecided,
        Some(second) if second.passes => Verdict::Undecided,
        Some(second) if first.limit.is_some() && second.limit.is_some() => Verdict::Limit,
        Some(_) => Verdict::Failed,
    };
    let both = [Some(&first), second.as_ref()];
    let runs = both.iter().flatten();
    let limit = if verdict == Verdict::Failed { None } else { first.limit };
    Tried {
        scenario: job.scenario.name.to_owned(),
        variant: job.case.variant.to_owned(),
        verdict,
        failed: runs.clone().filter(|run| !run.passes).count() as u32,
        runs: runs.count() as u32,
        anomaly: first.anomaly,
        value: first.value,
        ended: first.ended,
        limit,
    }
}

/// The verdict of all scenarios: the worst that is certain.
fn together(scenarios: &[Tried]) -> Verdict {
    [Verdict::Failed, Verdict::Limit, Verdict::Undecided]
        .into_iter()
        .find(|verdict| scenarios.iter().any(|tried| tried.verdict == *verdict))
        .unwrap_or(Verdict::Passed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix;

    fn run(passes: bool, limit: Option<Breach>) -> Run {
        Run { passes, anomaly: None, value: None, ended: None, limit }
    }

    #[test]
    fn only_what_fails_twice_is_a_fail() {
        let job = &matrix::jobs()[0];
        let first = [run(true, None), run(false, Some(Breach::Time)), run(false, None), run(false, Some(Breach::Time))];
        assert_eq!(again(&first), [false, true, true, false]);
        let verdict = |first, second| tried(job, first, second).verdict;
        let (good, bad, late) = (|| run(true, None), || run(false, None), || run(false, Some(Breach::Time)));
        assert_eq!(verdict(good(), None), Verdict::Passed);
        assert_eq!(verdict(bad(), Some(good())), Verdict::Undecided);
        assert_eq!(verdict(bad(), Some(bad())), Verdict::Failed);
        assert_eq!(verdict(late(), None), Verdict::Undecided);
        assert_eq!(verdict(late(), Some(late())), Verdict::Limit);
        assert_eq!(verdict(late(), Some(bad())), Verdict::Failed);
        assert_eq!(verdict(late(), Some(good())), Verdict::Undecided);
        let twice = tried(job, bad(), Some(bad()));
        assert_eq!((twice.failed, twice.runs), (2, 2));
        assert_eq!(together(&[tried(job, good(), None), tried(job, bad(), Some(good())), twice]), Verdict::Failed);
        assert_eq!(together(&[tried(job, good(), None)]), Verdict::Passed);
    }
}
