//! The properties. Each is held for so many histories that all of them together take some seconds in a debug build.

use crate::{
    copier,
    run::{for_all, hold},
    simulation::Simulation,
    step::{ALL, Weights, history},
};

#[test]
fn what_the_engine_says_is_true_and_stays_true() {
    for_all("histories", 300, history(ALL, 80), |history| Simulation::run(history, |_| {}).map(drop));
}

#[test]
fn a_request_that_arrives_late_breaks_no_promise() {
    let weights = Weights { late: 6, faults: 40, ..ALL };
    for_all("late requests", 150, history(weights, 80), |history| Simulation::run(history, |_| {}).map(drop));
}

#[test]
fn a_group_agrees_on_its_generations() {
    let weights = Weights { members: 30, producers: 3, ..ALL };
    let change = |settings: &mut broker::Settings| settings.groups.initial_rebalance_delay = 500;
    for_all("groups", 150, history(weights, 120), |history| Simulation::run(history, change).map(drop));
}

#[test]
fn retention_forgets_whole_segments_from_the_front() {
    let weights = Weights { large: 0.6, members: 0, faults: 10, ..ALL };
    let change = |settings: &mut broker::Settings| settings.retention_bytes = 1_500_000;
    for_all("retention", 20, history(weights, 60), |history| Simulation::run(history, change).map(drop));
}

#[test]
fn the_same_history_twice_gives_the_same_bytes() {
    let weights = Weights { members: 6, ..ALL };
    for_all("determinism", 60, history(weights, 80), |history| {
        let [once, again] = [Simulation::run(history, |_| {})?, Simulation::run(history, |_| {})?];
        hold!(once.digest() == again.digest(), "two runs differ");
        Ok(())
    });
}

#[test]
fn consume_process_produce_is_exactly_once() {
    for_all("exactly once", 200, copier::history(), copier::run);
}
