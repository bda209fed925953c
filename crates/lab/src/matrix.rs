//! All runs, side by side.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::catalogue::{PROGRAMS, Program};
use crate::error::Error;
use crate::names::label;
use crate::outcome::Outcome;
use crate::progress::Progress;
use crate::scenario::{Case, Scenario};
use crate::scenarios;
use crate::stage::House;
use crate::verdict::Verdict;

/// One program in one case.
#[derive(Debug, Clone, Copy)]
pub struct Job {
    /// The scenario.
    pub scenario: &'static Scenario,
    /// Its case.
    pub case: &'static Case,
    /// The program.
    pub program: &'static Program,
}

/// Every program in every case that concerns it: by scenario, then variant, then program.
pub fn jobs() -> Vec<Job> {
    let mut jobs = Vec::new();
    for scenario in scenarios::ALL {
        for case in scenario.cases {
            for program in PROGRAMS.iter().filter(|program| case.concerns(program)) {
                jobs.push(Job { scenario, case, program });
            }
        }
    }
    jobs
}

/// Runs them, so many at a time; the outcomes are in the order of the jobs.
///
/// # Errors
/// What stands in the way of every run ([`Error::concerns_all`]), as soon as the first one meets it.
pub fn run(house: &House, jobs: &[Job], at_once: usize) -> Result<Vec<Outcome>, Error> {
    side_by_side(
        jobs,
        at_once,
        |job| label(job.scenario, job.case, job.program),
        |job| {
            let outcome = house.run(job.scenario, job.case, job.program);
            match outcome.verdict {
                Verdict::Unknown(why) if why.concerns_all() => Err(why),
                _ => Ok(outcome),
            }
        },
    )
}

/// Does something with each of these, so many at a time; the results are in their order.
///
/// # Errors
/// The first one; then no other is begun.
pub(crate) fn side_by_side<J: Sync, T: Send>(
    jobs: &[J],
    at_once: usize,
    name: impl Fn(&J) -> String + Sync,
    work: impl Fn(&J) -> Result<T, Error> + Sync,
) -> Result<Vec<T>, Error> {
    let progress = Progress::new(jobs.len());
    let done = Mutex::new(Vec::new());
    let next = AtomicUsize::new(0);
    let go_on = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(job) = jobs.get(number) else { return };
            let running = progress.begin(name(job));
            let result = work(job);
            drop(running);
            if result.is_err() {
                next.store(jobs.len(), Ordering::Relaxed);
            }
            done.lock().unwrap_or_else(PoisonError::into_inner).push((number, result));
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..at_once.min(jobs.len()) {
            scope.spawn(go_on);
        }
        go_on();
    });
    progress.finish();
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, result)| result).collect()
}
