//! All outcomes as one JSON object, always in English: names of fields and of things do not change, new ones may come.
//!
//! ```text
//! { "seed": 7, "took_ms": 2345,
//!   "outcomes": [ {
//!     "scenario": "ack-lost", "variant": "", "program": "producer-at-least-once",
//!     "guarantee": "at_least_once",       or at_most_once, exactly_once
//!     "promise": { "no_loss": true, "no_duplicate": false, "in_order": false, "atomic": false },
//!     "verdict": "holds",                 or violated, unknown
//!     "why_unknown": "…",                 null where there is a verdict
//!     "as_expected": true,
//!     "held": null,                       or { "command": "python3 my.py", "because": ["…"] }: held to the guarantee
//!                                         alone; what its requests and lines show that explains the verdict
//!     "announced": ["duplicated", "resent"],  what had to show: kinds of anomalies and marks
//!     "allowed": [],                          what might show
//!     "shown": ["duplicated", "resent"],      what showed
//!     "missing": [],                          announced, and not shown
//!     "surprises": [                          shown, and neither announced nor allowed
//!       { "surprise": "anomaly", … as below },
//!       { "surprise": "failed", "ended": { "status": 1 }, "said": "…" },
//!       { "surprise": "aborted_input", "written": 12, "seen": 0 } ],
//!     "ledger": { "sent": 20, "acknowledged": 20, "stored": 21, "processed": null, "aborted_input": 0,
//!                 "lost": 0, "duplicated": 1, "reordered": 0 },
//!     "anomalies": [ { "kind": "duplicated", "value": "msg-10", "times": 1,
//!                      "places": [ { "topic": "…", "partition": 0, "offset": 10 } ] } ],
//!     "marks": [ { "mark": "resent", "event": 41, "micros": 165700 } ],   the number of an event of the trace
//!     "instances": [ { "name": "program", "ended": { "status": 0 }, "said": null, "lines": 20,
//!                      "deeds": [ { "micros": 200, "deed": "start" } ] } ],
//!     "nodes": [],                        as instances: the nodes that were killed, with their deeds
//!     "settings": [ { "key": "session.timeout.ms", "value": "1500" } ],   set by the lab
//!     "took_ms": 812 } ] }
//! ```
//!
//! `null` stands where a number has no meaning, `{ "signal": 9 }` for an end by a signal, `null` for an instance that
//! was still running. A value or a line is shown as the programs print it, with `\x…` for what is no text.

use std::time::Duration;

use serde_json::{Value as Json, json};

use crate::catalogue::{Guarantee, Promise};
use crate::child::Ended;
use crate::clues;
use crate::layout::safe;
use crate::ledger::{Anomaly, Kind};
use crate::outcome::{Deed, Instance, Outcome, Results};
use crate::scenario::{Ends, Exhibit, Mark, Text};
use crate::text::Lang;
use crate::verdict::{Surprise, Verdict};

/// The object.
pub(crate) fn render(results: &Results) -> Json {
    let Results { outcomes, seed, took } = results;
    json!({ "seed": seed, "took_ms": millis(*took), "outcomes": outcomes.iter().map(outcome).collect::<Vec<_>>() })
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

pub(crate) fn outcome(outcome: &Outcome) -> Json {
    let ledger = &outcome.ledger;
    let (verdict, why_unknown) = match &outcome.verdict {
        Verdict::Holds => ("holds", None),
        Verdict::Violated(_) => ("violated", None),
        Verdict::Unknown(why) => ("unknown", Some(Lang::En.error(why))),
    };
    let micros = |number| outcome.trace.iter().find(|event| event.number == number).map(|event| event.micros);
    json!({
        "scenario": outcome.scenario.name,
        "variant": outcome.case.variant,
        "program": outcome.program.package,
        "guarantee": guarantee(outcome.guarantee()),
        "promise": promise(outcome.promise()),
        "verdict": verdict,
        "why_unknown": why_unknown,
        "as_expected": outcome.as_expected(),
        "held": outcome.held.as_ref().map(|held| json!({
            "command": safe(&held.command),
            "because": clues::because(outcome, Lang::En),
        })),
        "announced": outcome.case.exhibits.iter().map(|announced| exhibit(*announced)).collect::<Vec<_>>(),
        "allowed": outcome.case.allows.iter().map(|allowed| kind(*allowed)).collect::<Vec<_>>(),
        "shown": shown(outcome),
        "missing": outcome.missing.iter().map(|missing| exhibit(*missing)).collect::<Vec<_>>(),
        "surprises": outcome.surprises.iter().map(surprise).collect::<Vec<_>>(),
        "ledger": {
            "sent": ledger.sent,
            "acknowledged": ledger.acknowledged,
            "stored": ledger.stored,
            "processed": ledger.processed,
            "aborted_input": ledger.aborted_input,
            "lost": ledger.count(Kind::Lost),
            "duplicated": ledger.count(Kind::Duplicated),
            "reordered": ledger.count(Kind::Reordered),
        },
        "anomalies": ledger.anomalies.iter().map(anomaly).collect::<Vec<_>>(),
        "marks": outcome.marks.iter().map(|(shown, event)| json!({
            "mark": mark(*shown),
            "event": event,
            "micros": micros(*event),
        })).collect::<Vec<_>>(),
        "instances": outcome.instances.iter().map(instance).collect::<Vec<_>>(),
        "nodes": outcome.nodes.iter().map(instance).collect::<Vec<_>>(),
        "settings": outcome.settings.iter().map(|(key, value)| json!({ "key": safe(key), "value": safe(value) })).collect::<Vec<_>>(),
        "took_ms": millis(outcome.took),
    })
}

/// Kinds and marks, each once, in their order.
fn shown(outcome: &Outcome) -> Vec<&'static str> {
    let kinds = outcome.ledger.anomalies.iter().map(|anomaly| Exhibit::Anomaly(anomaly.kind));
    let mut shown: Vec<_> = kinds.chain(outcome.marks.iter().map(|(mark, _)| Exhibit::Mark(*mark))).collect();
    shown.sort();
    shown.dedup();
    shown.into_iter().map(exhibit).collect()
}

fn instance(instance: &Instance) -> Json {
    json!({
        "name": safe(&instance.name),
        "ended": instance.ended.map(ended),
        "said": instance.said.as_deref().map(safe),
        "lines": instance.lines.len(),
        "deeds": instance.deeds.iter().map(|(micros, done)| json!({
            "micros": micros,
            "deed": deed(*done),
        })).collect::<Vec<_>>(),
    })
}

fn anomaly(anomaly: &Anomaly) -> Json {
    json!({
        "kind": kind(anomaly.kind),
        "value": anomaly.value.to_string(),
        "times": anomaly.times,
        "places": anomaly.places.iter().map(|place| json!({
            "topic": safe(&place.topic),
            "partition": place.partition,
            "offset": place.offset,
        })).collect::<Vec<_>>(),
    })
}

fn surprise(surprise: &Surprise) -> Json {
    let (what, mut json) = match surprise {
        Surprise::Anomaly(found) => ("anomaly", anomaly(found)),
        Surprise::Failed(failure) => {
            ("failed", json!({ "ended": ended(failure.ended), "said": failure.said.as_deref().map(safe) }))
        }
        Surprise::AbortedInput { written, seen } => ("aborted_input", json!({ "written": written, "seen": seen })),
    };
    if let Some(fields) = json.as_object_mut() {
        fields.insert("surprise".to_owned(), what.into());
    }
    json
}

fn ended(ended: Ended) -> Json {
    match ended {
        Ended::Status(status) => json!({ "status": status }),
        Ended::Signal(signal) => json!({ "signal": signal }),
    }
}

fn promise(promise: Promise) -> Json {
    json!({
        "no_loss": promise.no_loss,
        "no_duplicate": promise.no_duplicate,
        "in_order": promise.in_order,
        "atomic": promise.atomic,
    })
}

/// A text in both languages.
pub(crate) fn text(text: Text) -> Json {
    json!({ "en": text.en, "fr": text.fr })
}

/// The name of a guarantee.
pub(crate) fn guarantee(guarantee: Guarantee) -> &'static str {
    match guarantee {
        Guarantee::AtMostOnce => "at_most_once",
        Guarantee::AtLeastOnce => "at_least_once",
        Guarantee::ExactlyOnce => "exactly_once",
    }
}

/// The name of what shows.
pub(crate) fn exhibit(exhibit: Exhibit) -> &'static str {
    match exhibit {
        Exhibit::Anomaly(shown) => kind(shown),
        Exhibit::Mark(shown) => mark(shown),
    }
}

/// The name of a kind of anomaly.
pub fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Lost => "lost",
        Kind::Duplicated => "duplicated",
        Kind::Reordered => "reordered",
        Kind::AbortedVisible => "aborted_visible",
        Kind::Uncommitted => "uncommitted",
        Kind::Torn => "torn",
        Kind::Half => "half",
        Kind::AbortedProcessed => "aborted_processed",
        Kind::Phantom => "phantom",
        Kind::Misplaced => "misplaced",
        Kind::OtherPartition => "other_partition",
        Kind::OtherKey => "other_key",
        Kind::Failed => "failed",
        Kind::Aborted => "aborted_reported",
        Kind::Unacknowledged => "unacknowledged",
        Kind::Missing => "missing",
        Kind::NotCommitted => "not_committed",
        Kind::Repeated => "repeated",
    }
}

fn mark(mark: Mark) -> &'static str {
    match mark {
        Mark::Fenced => "fenced",
        Mark::OffsetsRefused => "offsets_refused",
        Mark::OffsetsRewound => "offsets_rewound",
        Mark::Stalled => "stalled",
        Mark::Resent => "resent",
        Mark::Aborted => "transaction_aborted",
        Mark::CommitRepeated => "commit_repeated",
    }
}

fn deed(deed: Deed) -> &'static str {
    match deed {
        Deed::Start => "start",
        Deed::Kill => "kill",
        Deed::Freeze => "freeze",
        Deed::Thaw => "thaw",
        Deed::Interrupt => "interrupt",
        Deed::Stop => "stop",
        Deed::End => "end",
    }
}

/// How an instance has to end.
pub(crate) fn ends(ends: Ends) -> &'static str {
    match ends {
        Ends::Well => "well",
        Ends::Failing => "failing",
        Ends::Anyhow => "anyhow",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;
    use crate::sample::{self, MARKS};

    fn results(outcome: Outcome) -> Results {
        Results { outcomes: vec![outcome], seed: 7, took: Duration::from_millis(2345) }
    }

    #[test]
    fn the_object_is_as_documented() {
        let json = render(&results(sample::story::ack_lost()));
        let mut text = format!("{json:#}\n");
        sample::golden("ack-lost.json", include_str!("testdata/ack-lost.json"), &text);
        // What the head of this file names is there, and the other way round.
        let documentation = include_str!("json.rs");
        for part in text.clone().split('"').skip(1).step_by(2).filter(|part| !part.contains(' ')) {
            text = part.to_owned();
            let value =
                ["lab-7", "ack-lost", "producer", "msg-", "program"].iter().any(|value| part.starts_with(value));
            assert!(value || documentation.contains(&format!("\"{part}\"")), "{part} is not documented");
        }
        assert!(!text.is_empty());
    }

    #[test]
    fn names_are_unique() {
        let names: HashSet<_> = Kind::ALL
            .iter()
            .map(|kind| exhibit(Exhibit::Anomaly(*kind)))
            .chain(MARKS.iter().map(|mark| exhibit(Exhibit::Mark(*mark))))
            .collect();
        assert_eq!(names.len(), Kind::ALL.len() + MARKS.len());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn any_outcome_is_json_without_control_characters(outcome in sample::wild::outcome()) {
            let text = render(&results(outcome)).to_string();
            prop_assert!(!text.contains(char::is_control));
            prop_assert!(serde_json::from_str::<Json>(&text).is_ok());
        }
    }
}
