//! `lab torture`: random schedules over a program, each judged as any other run.
//!
//! | file | what it holds |
//! |---|---|
//! | `schedule` | what is done in one run, as data |
//! | `dice`, `draw` | from a seed to a schedule |
//! | `cases`, `play` | a schedule on the stage |
//! | `judge` | what a run showed: violations, and what the promise allows |
//! | `shrink` | the fewest steps that still show it |
//! | `report` | the table, and JSON |

mod cases;
mod dice;
mod draw;
mod judge;
mod play;
pub(crate) mod report;
pub(crate) mod schedule;
mod shrink;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

pub(crate) use draw::schedule as drawn;
pub(crate) use judge::{Found, Run};
use schedule::Schedule;

use crate::catalogue::Program;
use crate::error::Error;
use crate::matrix::side_by_side;
use crate::outcome::Outcome;
use crate::progress::Progress;
use crate::stage::{House, Nth};
use crate::verdict::Verdict;

/// How often a shorter schedule is tried before it counts as one that shows nothing.
const TRIES: u32 = 5;

/// Random schedules over one program.
pub(crate) struct Torture<'h> {
    pub(crate) house: &'h House,
    pub(crate) program: &'static Program,
    /// How many runs at once.
    pub(crate) at_once: usize,
}

/// What came of them.
pub(crate) struct Results {
    /// In their order, from 1.
    pub(crate) runs: Vec<Run>,
    /// How long it took, several at a time.
    pub(crate) took: Duration,
}

/// The fewest steps that still break the promise.
pub(crate) struct Shrunk {
    /// The run in which it broke.
    pub(crate) run: u32,
    /// What is left of its schedule.
    pub(crate) schedule: Schedule,
    /// One run of that, in which it breaks.
    pub(crate) outcome: Outcome,
}

impl Torture<'_> {
    /// So many runs, each with its schedule.
    ///
    /// # Errors
    /// What stands in the way of every run.
    pub(crate) fn runs(&self, runs: u32, schedule: impl Fn(u32) -> Schedule + Sync) -> Result<Results, Error> {
        let begun = Instant::now();
        let numbers: Vec<u32> = (1..=runs).collect();
        let name = |run: &u32| run.to_string();
        let runs = side_by_side(&numbers, self.at_once, Progress::new(numbers.len(), true), name, |run| {
            let (mut run, outcome) = self.once(Nth { run: *run, again: 0 }, &schedule(*run))?;
            // Only what will be told is kept: a trace is large.
            run.outcome = matches!(run.verdict, Verdict::Violated(_)).then(|| Box::new(outcome));
            Ok(run)
        })?;
        Ok(Results { runs, took: begun.elapsed() })
    }

    /// One run.
    ///
    /// # Errors
    /// What stands in the way of every run.
    pub(crate) fn once(&self, nth: Nth, schedule: &Schedule) -> Result<(Run, Outcome), Error> {
        let mut met = Vec::new();
        let case = cases::case(self.program);
        let play = |stage: &mut crate::stage::Stage<'_>| play::play(stage, schedule, &mut met);
        let mut outcome = self.house.play(&cases::TORTURE, case, self.program, Some(nth), play);
        met.resize(schedule.steps.len(), false);
        let run = judge::judge(nth.run, schedule, met, &mut outcome);
        log::info!("run {} took {} ms: {}", nth.run, run.took.as_millis(), run.schedule);
        match outcome.verdict {
            Verdict::Unknown(why) if why.concerns_all() || why == Error::Interrupted => Err(why),
            _ => Ok((run, outcome)),
        }
    }

    /// The fewest steps of a run that still break the promise; `None` when it does not break again.
    ///
    /// # Errors
    /// What stands in the way of every run.
    pub(crate) fn shrink(&self, run: &Run) -> Result<Option<Shrunk>, Error> {
        let again = AtomicU32::new(1);
        let mut best = None;
        let mut stopped = None;
        shrink::shrink(&run.schedule.steps, |steps| {
            if stopped.is_some() {
                return false;
            }
            let schedule = run.schedule.with(steps);
            let tries: Vec<u32> = (0..TRIES).map(|_| again.fetch_add(1, Ordering::Relaxed)).collect();
            let name = |again: &u32| format!("{}: {again}", run.number);
            let tried = side_by_side(&tries, self.at_once, Progress::new(tries.len(), true), name, |again| {
                self.once(Nth { run: run.number, again: *again }, &schedule)
            });
            match tried {
                Ok(tried) => {
                    let broken = tried.into_iter().find(|(run, _)| matches!(run.verdict, Verdict::Violated(_)));
                    let shows = broken.is_some();
                    if let Some((_, outcome)) = broken {
                        best = Some(Shrunk { run: run.number, schedule, outcome });
                    }
                    shows
                }
                Err(why) => {
                    stopped = Some(why);
                    false
                }
            }
        });
        match stopped {
            Some(why) => Err(why),
            None => Ok(best),
        }
    }
}
