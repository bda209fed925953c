//! Any outcome, as far as its numbers and texts go.

use std::time::Duration;

use common::grammar::Position;
use proptest::prelude::*;
use proxy::{Batch, Event, Facts, Happening, Marker, Part, Side};

use super::story::frame;
use super::{MARKS, SCENARIOS};
use crate::catalogue::PROGRAMS;
use crate::child::Ended;
use crate::error::Error;
use crate::ledger::{Anomaly, Kind};
use crate::outcome::{Deed, Instance, Outcome};
use crate::scenario::Exhibit;
use crate::value::Value;
use crate::verdict::{Failure, Surprise, Verdict};

/// Text as a hostile client may send it.
pub(crate) fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[\u{0}-\u{1f}\u{7f}-\u{9f}\u{202e}\u{200b}日é]{0,40}",
        Just("x".repeat(300)),
        "[a-z ]{0,150}"
    ]
}

fn kind() -> impl Strategy<Value = Kind> {
    proptest::sample::select(Kind::ALL)
}

fn anomaly() -> impl Strategy<Value = Anomaly> {
    let place = (text(), any::<i32>(), any::<i64>()).prop_map(|(topic, partition, offset)| Position {
        topic: topic.into(),
        partition,
        offset,
    });
    (kind(), text(), 0..10_000_000_usize, proptest::collection::vec(place, 0..8))
        .prop_map(|(kind, value, times, places)| Anomaly { kind, value: Value::from(value.as_str()), times, places })
}

fn ended() -> impl Strategy<Value = Ended> {
    prop_oneof![any::<i32>().prop_map(Ended::Status), any::<i32>().prop_map(Ended::Signal)]
}

fn surprise() -> impl Strategy<Value = Surprise> {
    prop_oneof![
        anomaly().prop_map(Surprise::Anomaly),
        (ended(), proptest::option::of(text())).prop_map(|(ended, said)| Surprise::Failed(Failure { ended, said })),
        (any::<usize>(), any::<usize>()).prop_map(|(written, seen)| Surprise::AbortedInput { written, seen }),
    ]
}

fn batch() -> impl Strategy<Value = Batch> {
    let values = (proptest::option::of(text()), proptest::option::of(text()));
    (any::<i32>(), -1..3_i64, any::<i16>(), any::<i32>(), proptest::option::of(Just(Marker::Abort)), values).prop_map(
        |(records, producer_id, producer_epoch, base_sequence, marker, (first, last))| Batch {
            records,
            producer_id,
            producer_epoch,
            base_sequence,
            marker,
            first,
            last,
            ..Batch::default()
        },
    )
}

fn part() -> impl Strategy<Value = Part> {
    let offset = || proptest::option::of(any::<i64>());
    let error = proptest::option::of(prop_oneof![Just(0), any::<i16>()]);
    let batches = proptest::collection::vec(batch(), 0..6);
    let aborted = proptest::collection::vec(any::<(i64, i64)>(), 0..3);
    (text(), any::<i32>(), error, offset(), offset(), offset(), aborted, batches).prop_map(
        |(topic, partition, error, offset, high_watermark, last_stable, aborted, batches)| Part {
            topic,
            partition,
            error,
            offset,
            high_watermark,
            last_stable,
            aborted,
            batches,
        },
    )
}

fn facts() -> impl Strategy<Value = Facts> {
    let name = || proptest::option::of(text());
    (
        (name(), name(), name(), name()),
        proptest::option::of(-1..3_i64),
        any::<Option<i16>>(),
        any::<Option<i32>>(),
        any::<Option<bool>>(),
        proptest::option::of(-1..2_i16),
        proptest::option::of(prop_oneof![Just(0), any::<i16>()]),
        proptest::collection::vec(part(), 0..6),
    )
        .prop_map(
            |(
                (transactional_id, group, member, instance),
                id,
                producer_epoch,
                generation,
                commits,
                acks,
                error,
                parts,
            )| {
                Facts {
                    transactional_id,
                    producer_id: id,
                    producer_epoch,
                    group,
                    member,
                    instance,
                    generation,
                    commits,
                    read_committed: commits,
                    acks,
                    error,
                    partitions: parts,
                }
            },
        )
}

fn happening() -> impl Strategy<Value = Happening> {
    let api = proptest::sample::select(vec![
        "Produce",
        "Fetch",
        "OffsetCommit",
        "TxnOffsetCommit",
        "EndTxn",
        "InitProducerId",
        "JoinGroup",
        "Heartbeat",
        "OffsetFetch",
        "AddPartitionsToTxn",
        "Metadata",
        "77\n",
    ]);
    let actions = proptest::sample::select(vec![
        "note", "swallow", "cut", "silence", "hold", "delay", "answer", "repeat", "postpone", "alter", "kill",
        "freeze", "away", "else",
    ]);
    let side = prop_oneof![Just(Side::Request), Just(Side::Response)];
    prop_oneof![
        6 => (side, api, proptest::option::of(0..12_u64), any::<bool>(), facts()).prop_map(
            |(side, api, request, ours, facts)| {
                let mut frame = frame(side, api, request, facts);
                frame.ours = ours && side == Side::Response;
                Happening::Frame(Box::new(frame))
            }
        ),
        1 => Just(Happening::Refused),
        2 => (text(), actions, 0..12_u64, any::<Option<i16>>())
            .prop_map(|(name, action, frame, error)| Happening::Fault { name, action, frame, error }),
        1 => text().prop_map(|name| Happening::Signal { name }),
        1 => text().prop_map(|why| Happening::Closed { why }),
    ]
}

fn micros() -> impl Strategy<Value = u64> {
    prop_oneof![9 => 0..1_000_000_u64, 1 => any::<u64>()]
}

fn client() -> impl Strategy<Value = String> {
    prop_oneof![4 => Just("first".to_owned()), 4 => Just("second".to_owned()), 1 => text()]
}

fn trace() -> impl Strategy<Value = Vec<Event>> {
    proptest::collection::vec((micros(), client(), happening()), 0..40).prop_map(|events| {
        let event =
            |(number, (micros, client, happening))| Event { number, micros, client, connection: 1, node: 1, happening };
        (0..).zip(events).map(event).collect()
    })
}

fn instance() -> impl Strategy<Value = Instance> {
    let deed = proptest::sample::select(vec![
        Deed::Start,
        Deed::Kill,
        Deed::Freeze,
        Deed::Thaw,
        Deed::Interrupt,
        Deed::Stop,
        Deed::End,
    ]);
    let line = prop_oneof![text(), "sent [a-z]{1,9}"];
    (
        client(),
        proptest::collection::vec((micros(), line), 0..10),
        proptest::collection::vec((micros(), deed), 0..5),
        proptest::option::of(ended()),
        proptest::option::of(text()),
    )
        .prop_map(|(name, lines, deeds, ended, said)| Instance { name, given_id: None, lines, deeds, ended, said })
}

/// Any outcome.
pub(crate) fn outcome() -> impl Strategy<Value = Outcome> {
    let cases: Vec<(usize, usize)> = vec![(0, 0), (0, 1), (1, 0), (1, 1)];
    let verdict = prop_oneof![
        Just(Verdict::Holds),
        proptest::collection::vec(anomaly(), 0..4).prop_map(Verdict::Violated),
        text().prop_map(|why| Verdict::Unknown(Error::Refused(why))),
    ];
    let found = (
        proptest::collection::vec(anomaly(), 0..8),
        proptest::collection::vec(surprise(), 0..4),
        proptest::collection::vec((proptest::sample::select(MARKS), 0..40_u64), 0..3),
    );
    (
        proptest::sample::select(cases),
        proptest::sample::select(PROGRAMS.iter().collect::<Vec<_>>()),
        verdict,
        found,
        proptest::collection::vec((text(), text()), 0..2),
        any::<u32>(),
        trace(),
        proptest::collection::vec(instance(), 0..3),
    )
        .prop_map(|((scenario, case), program, verdict, found, settings, took, trace, instances)| {
            let scenario = &SCENARIOS[scenario];
            let mut outcome = Outcome::unknown(scenario, &scenario.cases[case], program, Error::Interrupted);
            let (anomalies, surprises, marks) = found;
            outcome.verdict = verdict;
            outcome.ledger.anomalies = anomalies;
            outcome.surprises = surprises;
            outcome.missing = marks.iter().map(|(mark, _)| Exhibit::Mark(*mark)).collect();
            outcome.marks = marks;
            outcome.settings = settings;
            outcome.took = Duration::from_millis(took.into());
            outcome.trace = trace;
            outcome.instances = instances;
            outcome
        })
}
