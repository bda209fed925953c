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
const HISTORIES: &[Recorded] = &[
    Recorded {
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
        state: &[],
    },
    Recorded {
        name: "a topic that is deleted and created again within a transaction is still part of it",
        steps: &[
            CreateTopic { topic: 0, partitions: 1 },
            Init { producer: 2 },
            AddPartitions { producer: 2, to: (0, 0), and: None, by: Current },
            Produce { producer: 2, to: (0, 0), records: 1, how: Next },
            DeleteTopic { topic: 0 },
            DescribeTransaction { id: 0 },
            CreateTopic { topic: 0, partitions: 1 },
            Produce { producer: 2, to: (0, 0), records: 1, how: Next },
            EndTxn { producer: 2, commit: false, by: Current },
            Fetch { at: (0, 0), offset: 0, committed: true },
        ],
        outcomes: &[
            "0",
            "0 p0 epoch 0",
            "t0/0 0",
            "0 offset 0 start 0",
            "0",
            "0 Ongoing p0 epoch 0 timeout 600000 [(\"t0\", 0)]",
            "0",
            "0 offset 0 start 0",
            "0; CompleteAbort",
            "0 high watermark 2 stable 2 start 0 [0-0 p0 epoch 0 sequence 1 attributes 16 [\"7.0\"] at 7000, 1-1 p0 epoch 0 sequence -1 attributes 48 ABORT] aborted [\"p0 from 0\"]",
        ],
        state: &[],
    },
    Recorded {
        name: "InitProducerId with the producer's own id and epoch bumps the epoch, also when it aborts a transaction",
        steps: &[
            CreateTopic { topic: 0, partitions: 1 },
            Init { producer: 4 },
            Bump { producer: 4 },
            AddPartitions { producer: 4, to: (0, 0), and: None, by: Current },
            Produce { producer: 4, to: (0, 0), records: 1, how: Next },
            Bump { producer: 4 },
            Produce { producer: 4, to: (0, 0), records: 1, how: Next },
            DescribeTransaction { id: 1 },
        ],
        outcomes: &[
            "0",
            "0 p0 epoch 0",
            "0 p0 epoch 1",
            "t0/0 0",
            "0 offset 0 start 0",
            "0 p0 epoch 2",
            "48 offset -1 start -1",
            "0 Empty p0 epoch 2 timeout 600000 []",
        ],
        state: &[],
    },
    Recorded {
        name: "answers for what is not there: empty logs, offsets beyond the end, gaps in a sequence",
        steps: &[
            CreateTopic { topic: 0, partitions: 2 },
            ListOffsets { at: (0, 0), timestamp: -2, committed: false },
            Init { producer: 1 },
            Produce { producer: 1, to: (0, 0), records: 2, how: Next },
            Produce { producer: 1, to: (0, 0), records: 1, how: Skip },
            Produce { producer: 1, to: (0, 0), records: 2, how: Repeat(1) },
            Fetch { at: (0, 0), offset: 21, committed: true },
            Fetch { at: (0, 0), offset: 21, committed: false },
            ListOffsets { at: (0, 0), timestamp: 0, committed: true },
            ListOffsets { at: (0, 0), timestamp: 80, committed: true },
            Fetch { at: (0, 2), offset: 0, committed: false },
        ],
        outcomes: &[
            "0",
            "0 offset 0 timestamp -1 epoch 0",
            "0 p0 epoch 0",
            "0 offset 0 start 0",
            "45 offset -1 start 0",
            "to (0, 0): 0 offset 0 start 0",
            "1 high watermark -1 stable -1 start -1 [] aborted none",
            "1 high watermark -1 stable -1 start -1 [] aborted none",
            "0 offset 0 timestamp 3000 epoch 0",
            "0 offset -1 timestamp -1 epoch -1",
            "3 high watermark -1 stable -1 start -1 [] aborted []",
        ],
        state: &[],
    },
    Recorded {
        name: "a group grows, settles, loses its static member for a while, and shrinks",
        steps: &[
            Join { group: 0, member: 0 },
            Join { group: 0, member: 2 },
            Heartbeat { group: 0, member: 0, stale: false },
            Join { group: 0, member: 0 },
            Sync { group: 0, member: 2, stale: false },
            OffsetCommit { group: 0, at: (0, 0), offset: 1, of: Member(0) },
            Sync { group: 0, member: 0, stale: true },
            Sync { group: 0, member: 0, stale: false },
            Forget { group: 0 },
            Join { group: 0, member: 2 },
            Heartbeat { group: 0, member: 2, stale: false },
            Join { group: 0, member: 1 },
            Leave { group: 0, member: 0 },
            Join { group: 0, member: 2 },
            DescribeGroup { group: 0 },
            Leave { group: 0, member: 1 },
            DeleteGroup { group: 0 },
            Heartbeat { group: 0, member: 1, stale: false },
        ],
        outcomes: &[
            "79 m0.0; m0 joined: 0 generation 1 as m0.0 led by m0.0 [\"m0.0\"]",
            "m2 waits",
            "27",
            "m0 joined: 0 generation 2 as m0.0 led by m0.0 [\"m0.0\", \"static.0\"]; m2 joined: 0 generation 2 as static.0 led by m0.0 []",
            "m2 waits",
            "3",
            "m0 synced: 22 \"\"; m2 waits",
            "m0 synced: 0 \"m0 of generation 2\"; m2 synced: 0 \"static of generation 2\"",
            "",
            "m2 joined: 0 generation 2 as static.1 led by m0.0 []",
            "0",
            "79 m1.0; m1 waits",
            "leads two others",
            "m1 waits; m2 waits",
            "0 PreparingRebalance \"consumer\" \"\" [\"m0.0 instance None metadata of 0 assignment \\\"m0 of generation 2\\\"\", \"m1.0 instance None metadata of 0 assignment \\\"\\\"\", \"static.1 instance Some(\\\"static\\\") metadata of 0 assignment \\\"static of generation 2\\\"\"]",
            "0 [0]; m1 joined: 25 generation -1 as \"\" led by \"\" []; m2 waits",
            "68",
            "25",
        ],
        state: &[],
    },
];

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
