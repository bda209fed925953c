//! Histories on which this broker once differed from Apache Kafka, and a few written by hand, with what Apache Kafka
//! 4.3.1 answered: so they need no Kafka to compare with.
//!
//! To add one: paste the steps with an empty expectation; the test's failure prints the expectation to paste.

use super::step::Step::{self, *};
#[allow(unused_imports, reason = "a pasted history may name any of them")]
use super::step::{Credentials::*, How::*, Incarnation::*};
use super::{compare::compare, execute::{Report, run}};
use crate::support::broker::bootstrap;

struct Recorded {
    name: &'static str,
    steps: &'static [Step],
    outcomes: &'static [&'static str],
    state: &'static [&'static str],
}

const HISTORIES: &[Recorded] = &[];

#[test]
fn recorded_histories_come_out_as_they_did_on_apache_kafka() {
    for Recorded { name, steps, outcomes, state } in HISTORIES {
        let owned = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
        let expected = Report { outcomes: owned(outcomes), state: owned(state) };
        let report = run(bootstrap(), steps);
        if let Some(difference) = compare(steps, &expected, &report) {
            panic!("{name}, as recorded and now: {difference}\nThe whole of it now: {report:#?}");
        }
        assert_eq!(expected, report, "{name}");
    }
}
