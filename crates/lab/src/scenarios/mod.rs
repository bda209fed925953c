//! The scenarios, one file each, in the order in which the table shows them.

mod aborted_input;
mod ack_lost;
mod batch_half_done;
mod broker_away;
mod broker_error;
mod calm;
mod commit_lost;
mod delayed_end;
mod evicted;
mod killed_after_commit;
mod killed_before_commit;
mod killed_between;
mod late_duplicate;
mod member_joins;
pub(crate) mod members;
mod open_transaction;
pub(crate) mod quick;
mod request_lost;
mod restart;
mod retries_exhausted;
mod zombie;

use crate::scenario::Scenario;

/// The one without a fault.
pub const CALM: &str = calm::SCENARIO.name;

/// All scenarios.
pub const ALL: &[&Scenario] = &[
    &calm::SCENARIO,
    &ack_lost::SCENARIO,
    &request_lost::SCENARIO,
    &broker_error::SCENARIO,
    &broker_away::SCENARIO,
    &retries_exhausted::SCENARIO,
    &late_duplicate::SCENARIO,
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
    &delayed_end::SCENARIO,
];
