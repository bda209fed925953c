//! The scenarios, one file each, in the order in which the table shows them.

mod ack_lost;
mod broker_away;
mod broker_error;
mod calm;
// mod delayed_end;
mod late_duplicate;
mod quick;
mod request_lost;
mod retries_exhausted;

use crate::scenario::Scenario;

/// All scenarios.
pub const ALL: &[&Scenario] = &[
    &calm::SCENARIO,
    &ack_lost::SCENARIO,
    &request_lost::SCENARIO,
    &broker_error::SCENARIO,
    &broker_away::SCENARIO,
    &retries_exhausted::SCENARIO,
    &late_duplicate::SCENARIO,
    // &delayed_end::SCENARIO,
];

/// The scenario of this name.
pub fn find(name: &str) -> Option<&'static Scenario> {
    ALL.iter().find(|scenario| scenario.name == name).copied()
}
