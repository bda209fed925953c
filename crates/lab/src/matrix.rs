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

impl Job {
    /// Whether this names it: SCENARIO, or SCENARIO/VARIANT.
    pub fn is_called(&self, words: &str) -> bool {
        (self.scenario.name, self.case.variant) == words.split_once('/').unwrap_or((words, ""))
    }

    /// Whether nodes are killed in it.
    pub fn needs_three_nodes(&self) -> bool {
        scenarios::ON_THREE_NODES.iter().any(|scenario| scenario.name == self.scenario.name)
    }
}

/// Every program in every case that concerns it: by scenario, then variant, then program.
pub fn jobs() -> Vec<Job> {
    jobs_of(scenarios::ALL)
}

/// The same for the scenarios that kill nodes.
pub fn jobs_on_three_nodes() -> Vec<Job> {
    jobs_of(scenarios::ON_THREE_NODES)
}

/// All that can be chosen from where `named` says whether a scenario was asked for by its name: what kills nodes has to be.
pub(crate) fn choice(named: impl Fn(&str) -> bool) -> impl Iterator<Item = Job> {
    let on_three_nodes = jobs_on_three_nodes().into_iter().filter(move |job| named(job.scenario.name));
    jobs().into_iter().chain(on_three_nodes)
}

fn jobs_of(scenarios: &'static [&'static Scenario]) -> Vec<Job> {
    let mut jobs = Vec::new();
    for scenario in scenarios {
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
    let kills = jobs.iter().any(Job::needs_three_nodes);
    // One that kills nodes has them for itself.
    let at_once = if kills { 1 } else { at_once };
    // Nor does a bar share the terminal with what the user is to type.
    let progress = Progress::new(jobs.len(), !(kills && house.node_control.asks()));
    side_by_side(
        jobs,
        at_once,
        progress,
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
    progress: Progress,
    name: impl Fn(&J) -> String + Sync,
    work: impl Fn(&J) -> Result<T, Error> + Sync,
) -> Result<Vec<T>, Error> {
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
