//! The scenarios, one file each, in the order in which the table shows them.

mod aborted_input;
mod ack_lost;
mod batch_half_done;
mod calm;
mod commit_lost;
mod evicted;
mod killed_after_commit;
mod killed_before_commit;
mod killed_between;
mod member_joins;
mod members;
mod open_transaction;
mod restart;
mod zombie;

use crate::scenario::Scenario;

/// All scenarios.
pub const ALL: &[&Scenario] = &[
    &calm::SCENARIO,
    &ack_lost::SCENARIO,
    &killed_before_commit::SCENARIO,
    &killed_after_commit::SCENARIO,
    &commit_lost::SCENARIO,
    &killed_between::SCENARIO,
    &batch_half_done::SCENARIO,
    &zombie::SCENARIO,
    &evicted::SCENARIO,
    &member_joins::SCENARIO,
    &aborted_input::SCENARIO,
    &open_transaction::SCENARIO,
];

/// The scenario of this name.
pub fn find(name: &str) -> Option<&'static Scenario> {
    ALL.iter().find(|scenario| scenario.name == name).copied()
}
