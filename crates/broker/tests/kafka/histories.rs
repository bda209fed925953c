//! Random histories, on this broker and on Apache Kafka: every answer and the state afterwards must be the same.
//!
//! - `HISTORIES`: how many. `SEED`: of the first, the next has the next number; random unless given, printed always.
//! - `REFERENCE_BOOTSTRAP_SERVERS`: the broker to compare with. Without one, each history runs twice on the broker
//!   under test, which must do the same again.
//! - `SHRINK_SECONDS`: how long a difference is made smaller. `TRACE`: print each step, its outcome and its time.
//! - `KNOWN`: parts of lines of the summary, separated by `;`: such differences are left out, to see what else there is.

// It always is; but the exceptions in clippy.toml go by this mark, helpers of tests included.
#![cfg(test)]

mod compare;
mod execute;
mod generate;
mod groups;
mod names;
mod observe;
mod producers;
mod regressions;
mod shrink;
mod step;

use std::{
    cmp::Reverse,
    collections::BTreeMap,
    env,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use compare::{Difference, compare, differences};
use execute::run;
use step::Step;

use crate::support::broker::bootstrap;

/// Histories at the same time: they mostly wait for the broker.
const AT_ONCE: u64 = 4;

fn number(variable: &str) -> Option<u64> {
    let value = env::var(variable).ok()?;
    Some(value.parse().unwrap_or_else(|error| panic!("{variable}={value}: {error}")))
}

/// Runs the steps on both brokers at once.
fn differ(steps: &[Step], reference: &str) -> Vec<Difference> {
    let (here, there) = thread::scope(|scope| {
        let here = scope.spawn(|| run(bootstrap(), steps));
        let there = run(reference, steps);
        (here.join().expect("the history runs to its end"), there)
    });
    let known = env::var("KNOWN").unwrap_or_default();
    let is_known = |digest: String| known.split(';').any(|part| !part.is_empty() && digest.contains(part));
    differences(steps, &here, &there).filter(|difference| !is_known(difference.digest())).collect()
}

#[test]
fn agree() {
    let count = number("HISTORIES").unwrap_or(10);
    let seed = number("SEED").unwrap_or_else(|| u64::from(rand::random::<u32>()));
    let reference = env::var("REFERENCE_BOOTSTRAP_SERVERS").unwrap_or_else(|_| bootstrap().to_owned());
    println!("{count} histories from SEED={seed}: {} and {reference}", bootstrap());
    let started = Instant::now();
    let next = AtomicU64::new(seed);
    let steps = AtomicU64::new(0);
    let differing = Mutex::new(Vec::new());
    let digests: Mutex<BTreeMap<String, usize>> = Mutex::default();
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let seed_of_this = next.fetch_add(1, Ordering::Relaxed);
                    if seed_of_this >= seed + count {
                        return;
                    }
                    let history = generate::history(seed_of_this);
                    steps.fetch_add(history.len() as u64, Ordering::Relaxed);
                    let all = differ(&history, &reference);
                    if let Some(difference) = all.first() {
                        println!("SEED={seed_of_this} differs {difference}");
                        for difference in all {
                            *digests.lock().unwrap().entry(difference.digest()).or_insert(0) += 1;
                        }
                        differing.lock().unwrap().push((seed_of_this, history));
                    }
                }
            });
        }
    });
    println!("{count} histories, {steps:?} steps, in {:.1?}", started.elapsed());

    let mut digests: Vec<_> = digests.into_inner().unwrap().into_iter().collect();
    digests.sort_by_key(|(_, count)| Reverse(*count));
    for (digest, count) in digests.iter().take(60) {
        println!("{count:6} times {digest}");
    }
    let differing = differing.into_inner().unwrap();
    let seeds: Vec<_> = differing.iter().map(|(seed, _)| *seed).collect();
    if let Some((seed, history)) = differing.iter().min_by_key(|(_, history)| history.len()) {
        let time = Duration::from_secs(number("SHRINK_SECONDS").unwrap_or(60));
        let short = shrink::shrink(history, time, |steps| !differ(steps, &reference).is_empty());
        println!("SEED={seed} made smaller:\n{}", shrink::as_code(&short));
        if let Some(difference) = differ(&short, &reference).first() {
            println!("It differs {difference}");
        }
    }
    assert!(seeds.is_empty(), "histories that differ: {seeds:?}");
}

#[test]
fn a_seed_means_one_history() {
    assert_eq!(generate::history(7), generate::history(7));
    assert_ne!(generate::history(7), generate::history(8));
    for seed in 0..100 {
        assert!((50..=200).contains(&generate::history(seed).len()));
    }
}

/// The comparison would notice a broker that takes an abort for a commit; and the shrunk history says why.
#[test]
fn a_difference_is_found_and_made_smaller() {
    let lying = |steps: &[Step]| -> Vec<Step> {
        let lie = |step: &Step| match *step {
            Step::EndTxn { producer, commit: false, by } => Step::EndTxn { producer, commit: true, by },
            step => step,
        };
        steps.iter().map(lie).collect()
    };
    let differs = |steps: &[Step]| compare(steps, &run(bootstrap(), steps), &run(bootstrap(), &lying(steps))).is_some();
    let long: Vec<_> = generate::history(1).into_iter().chain(ABORTED).take(400).collect();
    let long: Vec<_> = long.into_iter().filter(|step| !matches!(step, Step::TimeOut { .. })).collect();
    assert!(differs(&long));
    let short = shrink::shrink(&long, Duration::from_secs(60), differs);
    assert!(short.len() < 8, "made no smaller than\n{}", shrink::as_code(&short));
    assert!(short.iter().any(|step| matches!(step, Step::EndTxn { commit: false, .. })));
}

const ABORTED: [Step; 4] = [
    Step::Init { producer: 4 },
    Step::AddPartitions { producer: 4, to: (0, 0), and: None, by: step::Incarnation::Current },
    Step::Produce { producer: 4, to: (0, 0), records: 1, how: step::How::Next },
    Step::EndTxn { producer: 4, commit: false, by: step::Incarnation::Current },
];
