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

/// Outcomes are those of `execute`, a line for each step; states those of `observe::state`.
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
    outcomes: &[
        "0",
        "0 p0 epoch 0",
        "t0/0 0",
        "0 offset 0 start 0",
        "0 p0 epoch 2",
        "47 offset -1 start -1",
        "t0/0 47",
        "47; Empty",
        "t0/0 0",
        "0 offset 2 start 0",
        "0",
        "0",
        "0 [], by name 0 [\"t0/0 -1 \\\"\\\" 88\", \"t0/1 -1 \\\"\\\" 0\", \"t0/2 -1 \\\"\\\" 0\", \"t1/0 -1 \\\"\\\" 0\", \"t1/1 -1 \\\"\\\" 0\", \"t1/2 -1 \\\"\\\" 0\"]",
        "0; CompleteCommit",
        "t0/0 0",
        "0 offset 5 start 0",
        "0; CompleteCommit",
        "48 offset -1 start -1",
        "48; CompleteCommit",
    ],
    state: &[
        "t0: Ok(1) partitions",
        "t0/0 start: 0 offset 0 timestamp -1 epoch 0",
        "t0/0 high watermark: 0 offset 7 timestamp -1 epoch 0",
        "t0/0 last stable offset: 0 offset 7 timestamp -1 epoch 0",
        "t0/0 log: 0 high watermark 7 stable 7 start 0 [0-0 p0 epoch 0 sequence 0 attributes 16 [\"3.0\"] at 3000, 1-1 p0 epoch 1 sequence -1 attributes 48 ABORT, 2-3 p0 epoch 2 sequence 0 attributes 16 [\"9.0\", \"9.1\"] at 9000, 4-4 p0 epoch 2 sequence -1 attributes 48 COMMIT, 5-5 p0 epoch 2 sequence 2 attributes 16 [\"15.0\"] at 15000, 6-6 p0 epoch 2 sequence -1 attributes 48 COMMIT] aborted none",
        "t0/0 visible: 9.0 9.1 15.0",
        "t0/0 committed from 1: 0 high watermark 7 stable 7 start 0 [1-1 p0 epoch 1 sequence -1 attributes 48 ABORT, 2-3 p0 epoch 2 sequence 0 attributes 16 [\"9.0\", \"9.1\"] at 9000, 4-4 p0 epoch 2 sequence -1 attributes 48 COMMIT, 5-5 p0 epoch 2 sequence 2 attributes 16 [\"15.0\"] at 15000, 6-6 p0 epoch 2 sequence -1 attributes 48 COMMIT] aborted [\"p0 from 0\"]",
        "t0/0 committed from 2: 0 high watermark 7 stable 7 start 0 [2-3 p0 epoch 2 sequence 0 attributes 16 [\"9.0\", \"9.1\"] at 9000, 4-4 p0 epoch 2 sequence -1 attributes 48 COMMIT, 5-5 p0 epoch 2 sequence 2 attributes 16 [\"15.0\"] at 15000, 6-6 p0 epoch 2 sequence -1 attributes 48 COMMIT] aborted []",
        "t0/0 committed from 3: 0 high watermark 7 stable 7 start 0 [2-3 p0 epoch 2 sequence 0 attributes 16 [\"9.0\", \"9.1\"] at 9000, 4-4 p0 epoch 2 sequence -1 attributes 48 COMMIT, 5-5 p0 epoch 2 sequence 2 attributes 16 [\"15.0\"] at 15000, 6-6 p0 epoch 2 sequence -1 attributes 48 COMMIT] aborted []",
        "t0/0 committed from 5: 0 high watermark 7 stable 7 start 0 [5-5 p0 epoch 2 sequence 2 attributes 16 [\"15.0\"] at 15000, 6-6 p0 epoch 2 sequence -1 attributes 48 COMMIT] aborted []",
        "t0/0 committed from 8: 1 high watermark -1 stable -1 start -1 [] aborted none",
        "t0/0 committed from 13: 1 high watermark -1 stable -1 start -1 [] aborted none",
        "t0/0 committed from 21: 1 high watermark -1 stable -1 start -1 [] aborted none",
        "t0/0 committed from 34: 1 high watermark -1 stable -1 start -1 [] aborted none",
        "t0/0 producers: 0 [\"p0 epoch 2 sequence 2 coordinator 0 transaction from -1\"]",
        "t1: Err(3) partitions",
        "g0: 0 Empty \"\" \"\" []",
        "g0 offsets, stable false: 0 [\"t0/0 7 \\\"by 3\\\" 0\"], by name 0 [\"t0/0 7 \\\"by 3\\\" 0\", \"t0/1 -1 \\\"\\\" 0\", \"t0/2 -1 \\\"\\\" 0\", \"t1/0 -1 \\\"\\\" 0\", \"t1/1 -1 \\\"\\\" 0\", \"t1/2 -1 \\\"\\\" 0\"]",
        "g0 offsets, stable true: 0 [\"t0/0 7 \\\"by 3\\\" 0\"], by name 0 [\"t0/0 7 \\\"by 3\\\" 0\", \"t0/1 -1 \\\"\\\" 0\", \"t0/2 -1 \\\"\\\" 0\", \"t1/0 -1 \\\"\\\" 0\", \"t1/1 -1 \\\"\\\" 0\", \"t1/2 -1 \\\"\\\" 0\"]",
        "g1: 0 Dead \"\" \"\" []",
        "g1 offsets, stable false: 0 [], by name 0 [\"t0/0 -1 \\\"\\\" 0\", \"t0/1 -1 \\\"\\\" 0\", \"t0/2 -1 \\\"\\\" 0\", \"t1/0 -1 \\\"\\\" 0\", \"t1/1 -1 \\\"\\\" 0\", \"t1/2 -1 \\\"\\\" 0\"]",
        "g1 offsets, stable true: 0 [], by name 0 [\"t0/0 -1 \\\"\\\" 0\", \"t0/1 -1 \\\"\\\" 0\", \"t0/2 -1 \\\"\\\" 0\", \"t1/0 -1 \\\"\\\" 0\", \"t1/1 -1 \\\"\\\" 0\", \"t1/2 -1 \\\"\\\" 0\"]",
        "x0: 0 CompleteCommit p0 epoch 2 timeout 600000 []",
        "x1: 105",
    ],
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
