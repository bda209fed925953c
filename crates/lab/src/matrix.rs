//! All runs, side by side.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::catalogue::{PROGRAMS, Program};
use crate::error::Error;
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
    let progress = Progress::new(jobs.len());
    let done = Mutex::new(Vec::new());
    let next = AtomicUsize::new(0);
    let work = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(job) = jobs.get(number) else { return };
            let running = progress.begin(job);
            let outcome = house.run(job.scenario, job.case, job.program);
            drop(running);
            if let Verdict::Unknown(why) = &outcome.verdict
                && why.concerns_all()
            {
                // No other is begun.
                next.store(jobs.len(), Ordering::Relaxed);
            }
            done.lock().unwrap_or_else(PoisonError::into_inner).push((number, outcome));
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..at_once.min(jobs.len()) {
            scope.spawn(work);
        }
        work();
    });
    progress.finish();
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(number, _)| *number);
    let mut outcomes = Vec::new();
    for (_, outcome) in done {
        match outcome.verdict {
            Verdict::Unknown(why) if why.concerns_all() => return Err(why),
            _ => outcomes.push(outcome),
        }
    }
    Ok(outcomes)
}
