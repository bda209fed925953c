//! The scenarios, one file each, in the order in which the table shows them.

mod ack_lost;
mod calm;
mod evicted;
mod member_joins;
mod zombie;

use crate::scenario::Scenario;

/// All scenarios.
pub const ALL: &[&Scenario] =
    &[&calm::SCENARIO, &ack_lost::SCENARIO, &zombie::SCENARIO, &evicted::SCENARIO, &member_joins::SCENARIO];

/// The scenario of this name.
pub fn find(name: &str) -> Option<&'static Scenario> {
    ALL.iter().find(|scenario| scenario.name == name).copied()
}
