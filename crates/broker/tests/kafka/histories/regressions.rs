//! Histories on which this broker once differed from Apache Kafka, and a few written by hand, with what Apache Kafka
//! 4.3.1 answered: so they need no Kafka to compare with.
//!
//! To add one: paste the steps with an empty expectation; the test's failure prints the expectation to paste.

#[allow(unused_imports, reason = "a pasted history may name any of them")]
use super::step::{
    Credentials::*,
    How::*,
    Incarnation::*,
    Step::{self, *},
};
use super::{
    compare::compare,
    execute::{Report, run},
};
use crate::support::broker::bootstrap;

struct Recorded {
    name: &'static str,
    steps: &'static [Step],
    outcomes: &'static [&'static str],
    state: &'static [&'static str],
}

const HISTORIES: &[Recorded] = &[Recorded {
    name: "a producer is fenced by its successor, and a late EndTxn commits the next transaction (KAFKA-17754)",
    steps: &[
        CreateTopic { topic: 0, partitions: 1 },
        Init { producer: 2 },
        AddPartitions { producer: 2, to: (0, 0), and: None, by: Current },
        Produce { producer: 2, to: (0, 0), records: 1, how: Next },
        // Aborts what is open.
        Init { producer: 3 },
        Produce { producer: 2, to: (0, 0), records: 1, how: Next },
        AddPartitions { producer: 2, to: (0, 0), and: None, by: Current },
        EndTxn { producer: 2, commit: true, by: Current },
        AddPartitions { producer: 3, to: (0, 0), and: None, by: Current },
        Produce { producer: 3, to: (0, 0), records: 2, how: Next },
        AddOffsets { producer: 3, group: 0 },
        TxnOffsetCommit { producer: 3, group: 0, at: (0, 0), offset: 7, of: Nobody },
        OffsetFetch { group: 0, stable: true },
        EndTxn { producer: 3, commit: true, by: Current },
        AddPartitions { producer: 3, to: (0, 0), and: None, by: Current },
        Produce { producer: 3, to: (0, 0), records: 1, how: Next },
        // The same request again.
        EndTxn { producer: 3, commit: true, by: Current },
        Produce { producer: 3, to: (0, 0), records: 1, how: Next },
        EndTxn { producer: 3, commit: false, by: Current },
    ],
    outcomes: &[],
    state: &[],
}];

#[test]
fn recorded_histories_come_out_as_they_did_on_apache_kafka() {
    for Recorded { name, steps, outcomes, state } in HISTORIES {
        let owned = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
        let expected = Report { outcomes: owned(outcomes), state: owned(state) };
        let report = run(bootstrap(), steps);
        if let Some(difference) = compare(steps, &expected, &report) {
            panic!("{name}, as recorded and now: {difference}\nAll of it now: {report:#?}");
        }
        assert_eq!(expected, report, "{name}");
    }
}
