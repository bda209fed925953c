//! A run with its trace.

use std::time::Duration;

use common::grammar::Position;
use proxy::{Batch, Event, Facts, Frame, Happening, Part, Side};

use crate::child::Ended;
use crate::ledger::{Anomaly, Kind, Ledger};
use crate::outcome::{Deed, Instance, Outcome};
use crate::scenario::Mark;
use crate::value::Value;
use crate::verdict::Verdict;

const TOPIC: &str = "lab-7-ack-lost-producer-at-least-once-topic";

/// What no terminal should be given.
const LINE: &str = "Traitement: clé=None valeur=msg-1\u{1b}[2J offset=1";

/// A trace, as it is written down.
pub(crate) struct Trace {
    pub(crate) events: Vec<Event>,
}

impl Trace {
    /// Adds an event; its number.
    pub(crate) fn add(&mut self, micros: u64, client: &str, happening: Happening) -> u64 {
        let number = self.events.len() as u64;
        let client = client.to_owned();
        self.events.push(Event { number, micros, client, connection: 1, node: 1, happening });
        number
    }

    pub(crate) fn request(&mut self, micros: u64, client: &str, api: &str, facts: Facts) -> u64 {
        self.add(micros, client, Happening::Frame(Box::new(frame(Side::Request, api, None, facts))))
    }

    pub(crate) fn response(&mut self, micros: u64, client: &str, api: &str, request: u64, facts: Facts) -> u64 {
        self.add(micros, client, Happening::Frame(Box::new(frame(Side::Response, api, Some(request), facts))))
    }

    pub(crate) fn fault(&mut self, micros: u64, client: &str, action: &'static str, frame: u64) -> u64 {
        self.add(micros, client, Happening::Fault { name: "the fault".into(), action, frame, error: None })
    }
}

pub(crate) fn frame(side: Side, api: &str, request: Option<u64>, facts: Facts) -> Frame {
    let client_id = Some("rdkafka".to_owned());
    Frame { side, api: api.to_owned(), version: 3, correlation: 7, client_id, bytes: 100, ours: false, request, facts }
}

fn batch(first: usize, last: usize) -> Batch {
    Batch {
        records: (last - first + 1) as i32,
        producer_id: -1,
        producer_epoch: -1,
        base_sequence: -1,
        first: Some(format!("msg-{first}")),
        last: Some(format!("msg-{last}")),
        ..Batch::default()
    }
}

fn produce(first: usize, last: usize) -> Facts {
    let batches = vec![batch(first, last)];
    let part = Part { topic: TOPIC.to_owned(), partition: 0, batches, ..Part::default() };
    Facts { acks: Some(-1), partitions: vec![part], ..Facts::default() }
}

fn stored(offset: i64) -> Facts {
    let part = Part { topic: TOPIC.to_owned(), partition: 0, error: Some(0), offset: Some(offset), ..Part::default() };
    Facts { partitions: vec![part], ..Facts::default() }
}

/// Twelve batches of a producer without sequence numbers; the answer to the eleventh is lost.
pub(crate) fn ack_lost() -> Outcome {
    let mut outcome = super::outcome(0, 0, "producer-at-least-once", &[]);
    let mut trace = Trace { events: Vec::new() };
    let mut lines = Vec::new();
    trace.add(1_000, "program", Happening::Connected);
    let request = trace.request(1_500, "program", "ApiVersions", Facts::default());
    trace.response(1_900, "program", "ApiVersions", request, Facts { error: Some(0), ..Facts::default() });
    let mut offset = 0;
    let mut send = |trace: &mut Trace, micros, nth, cut| {
        let request = trace.request(micros, "program", "Produce", produce(nth, nth));
        let answer = trace.response(micros + 400, "program", "Produce", request, stored(offset));
        if cut {
            let why = "a fault cut it before the client had the response".to_owned();
            trace.add(micros + 420, "program", Happening::Closed { why });
            trace.fault(micros + 421, "program", "cut", answer);
        } else {
            lines.push((micros + 700, format!("delivered {TOPIC}[0]@{offset} msg-{nth}")));
        }
        offset += 1;
        request
    };
    for nth in 0..10 {
        send(&mut trace, 10_000 + 30_000 * nth as u64, nth, false);
    }
    send(&mut trace, 310_000, 10, true);
    let again = send(&mut trace, 420_000, 10, false);
    send(&mut trace, 430_000, 11, false);
    let place = |offset| Position { topic: TOPIC.into(), partition: 0, offset };
    outcome.ledger = Ledger {
        sent: Some(12),
        acknowledged: Some(12),
        stored: 13,
        anomalies: vec![Anomaly {
            kind: Kind::Duplicated,
            value: Value::from("msg-10"),
            times: 1,
            places: vec![place(10), place(11)],
        }],
        ..Ledger::default()
    };
    outcome.verdict = Verdict::Holds;
    outcome.marks = vec![(Mark::Resent, again)];
    outcome.instances = vec![Instance {
        name: "program".to_owned(),
        given_id: None,
        lines,
        deeds: vec![(100, Deed::Start), (440_000, Deed::End)],
        ended: Some(Ended::Status(0)),
        said: None,
    }];
    outcome.trace = trace.events;
    outcome.took = Duration::from_millis(460);
    outcome
}

/// A consumer that is killed by the lab, and whose successor is refused the offsets once.
pub(crate) fn killed() -> Outcome {
    let mut outcome = super::outcome(1, 1, "eos-consumer", &[]);
    let topic = "lab-7-killed-before-commit-without-group-metadata-eos-consumer-topic";
    let part = |offset: Option<i64>, error: Option<i16>| Part {
        topic: topic.to_owned(),
        partition: 0,
        offset,
        error,
        ..Part::default()
    };
    let facts = |offset, error| Facts {
        group: Some("lab-7-g".to_owned()),
        producer_id: Some(4),
        producer_epoch: Some(0),
        generation: Some(1),
        partitions: vec![part(offset, error)],
        ..Facts::default()
    };
    let mut trace = Trace { events: Vec::new() };
    let commit = trace.request(20_000, "first", "TxnOffsetCommit", facts(Some(10), None));
    trace.response(21_000, "first", "TxnOffsetCommit", commit, facts(None, Some(0)));
    let fetch = trace.request(60_000, "second", "OffsetFetch", facts(None, None));
    trace.response(61_000, "second", "OffsetFetch", fetch, facts(None, Some(88)));
    let fetch = trace.request(90_000, "second", "OffsetFetch", facts(None, None));
    trace.response(91_000, "second", "OffsetFetch", fetch, facts(Some(0), Some(0)));
    let instance = |name: &str, deeds, ended, said: Option<&str>| Instance {
        name: name.to_owned(),
        given_id: None,
        lines: vec![(if name == "first" { 30_000 } else { 95_000 }, LINE.to_owned())],
        deeds,
        ended: Some(ended),
        said: said.map(str::to_owned),
    };
    outcome.instances = vec![
        instance("first", vec![(0, Deed::Start), (40_000, Deed::Kill), (41_000, Deed::End)], Ended::Signal(9), None),
        instance("second", vec![(50_000, Deed::Start), (99_000, Deed::End)], Ended::Status(1), Some("error: no")),
    ];
    outcome.ledger.sent = None;
    outcome.ledger.acknowledged = None;
    outcome.ledger.processed = Some(2);
    outcome.missing = vec![crate::scenario::Exhibit::Mark(Mark::Fenced)];
    outcome.trace = trace.events;
    outcome
}
