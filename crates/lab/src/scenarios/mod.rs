//! The scenarios, one file each, in the order in which the table shows them.

mod aborted_input;
mod ack_lost;
mod batch_half_done;
mod broker_away;
mod broker_error;
mod calm;
mod commit_lost;
mod coordinator_killed;
mod delayed_end;
mod evicted;
mod killed_after_commit;
mod killed_before_commit;
mod killed_between;
mod late_duplicate;
mod leader_killed;
mod member_joins;
pub(crate) mod members;
mod nodes_killed;
mod open_transaction;
pub(crate) mod quick;
mod replica_missing;
mod request_lost;
mod restart;
mod retries_exhausted;
mod zombie;

use crate::scenario::Scenario;

/// The one without a fault.
pub const CALM: &str = calm::SCENARIO.name;

/// The scenarios that any Kafka will do for.
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

/// The scenarios that need a cluster, of which they kill nodes. They run one at a time, and only when they are named.
pub const ON_THREE_NODES: &[&Scenario] =
    &[&leader_killed::SCENARIO, &replica_missing::SCENARIO, &coordinator_killed::SCENARIO, &nodes_killed::SCENARIO];
