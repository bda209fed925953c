//! Outcomes for the tests of what is made from them.

pub(crate) mod story;
pub(crate) mod wild;

use std::time::Duration;

use crate::catalogue::{Program, find};
use crate::error::Error;
use crate::ledger::{Anomaly, Kind, Ledger};
use crate::names::label;
use crate::outcome::Outcome;
use crate::scenario::{Amount, Case, Ends, Exhibit, Mark, Scenario, Setting, Text};
use crate::value::Value;
use crate::verdict::{Surprise, Verdict, judge};
use common::grammar::Position;

const fn text(en: &'static str, fr: &'static str) -> Text {
    Text { en, fr }
}

const CASE: Case = Case {
    variant: "",
    programs: &[],
    promise: text("nothing that was acknowledged is lost", "rien de ce qui est acquitté n'est perdu"),
    exhibits: &[],
    allows: &[],
    ends: Ends::Well,
    why: text("This is the first sentence. And this the second.", "Voici la première phrase. Et voici la seconde."),
    messages: 20,
    partitions: 1,
    settings: &[],
    play: |_| Ok(()),
};

/// Every form that a row of the table can have.
pub(crate) static SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "ack-lost",
        fault: text("the answer to a Produce is lost", "la réponse à un Produce se perd"),
        teaches: text("what a retry costs", "ce que coûte un réessai"),
        cases: &[
            Case {
                programs: &["producer-at-least-once"],
                exhibits: &[Exhibit::Anomaly(Kind::Duplicated), Exhibit::Mark(Mark::Resent)],
                ..CASE
            },
            Case {
                programs: &["producer-exactly-once", "eos-producer"],
                exhibits: &[Exhibit::Mark(Mark::Resent)],
                ..CASE
            },
        ],
    },
    Scenario {
        name: "killed-before-commit",
        fault: text("kill -9 before the commit", "kill -9 avant le commit"),
        teaches: text("what a transaction holds together", "ce qu'une transaction tient ensemble"),
        cases: &[
            Case {
                variant: "same id",
                programs: &["producer-exactly-once", "eos-producer"],
                exhibits: &[Exhibit::Anomaly(Kind::Duplicated)],
                settings: &[Setting {
                    key: "transaction.timeout.ms",
                    value: Amount::Either { embedded: "1500", kafka: "6000" },
                    why: text("the open transaction ends sooner", "la transaction ouverte se termine plus tôt"),
                }],
                ..CASE
            },
            Case {
                variant: "without group metadata",
                programs: &["consumer-at-most-once", "consumer-at-least-once", "eos-consumer", "eos-pipeline"],
                allows: &[Kind::Lost, Kind::Duplicated, Kind::NotCommitted],
                ends: Ends::Anyhow,
                ..CASE
            },
        ],
    },
    Scenario {
        name: "everything-again",
        fault: text("each message is sent twice", "chaque message est envoyé deux fois"),
        teaches: text("how wide a table is", "la largeur d'un tableau"),
        cases: &[Case {
            programs: &[
                "producer-at-most-once",
                "producer-at-least-once",
                "producer-exactly-once",
                "eos-producer",
                "consumer-at-most-once",
                "consumer-at-least-once",
                "consumer-exactly-once",
                "eos-consumer",
                "eos-pipeline",
            ],
            exhibits: &[Exhibit::Anomaly(Kind::Duplicated)],
            ..CASE
        }],
    },
];

/// The run of a program in a case of a scenario of [`SCENARIOS`] in which these kinds show, so many times each.
pub(crate) fn outcome(scenario: usize, case: usize, program: &str, shows: &[(Kind, usize)]) -> Outcome {
    let scenario = &SCENARIOS[scenario];
    let case = &scenario.cases[case];
    let program = find(program).expect(program);
    let mut outcome = Outcome::unknown(scenario, case, program, Error::Interrupted);
    let anomalies = shows.iter().flat_map(|(kind, times)| {
        (0..*times).map(|nth| Anomaly {
            kind: *kind,
            value: Value::from(format!("msg-{nth}").as_str()),
            times: 1,
            places: vec![place(&outcome_label(scenario, case, program), nth as i64)],
        })
    });
    outcome.ledger = Ledger {
        sent: Some(20),
        acknowledged: Some(20),
        stored: 20,
        processed: None,
        aborted_input: 0,
        anomalies: anomalies.collect(),
        ..Ledger::default()
    };
    let (verdict, _) = judge(program.promise(), &outcome.ledger);
    outcome.verdict = verdict;
    outcome.took = Duration::from_millis(1234);
    outcome.settings = case.settings.iter().map(|set| (set.key.to_owned(), set.value.on(true).to_owned())).collect();
    outcome
}

fn outcome_label(scenario: &Scenario, case: &Case, program: &Program) -> String {
    format!("lab-7-{}-topic", label(scenario, case, program))
}

fn place(topic: &str, offset: i64) -> Position<'static> {
    Position { topic: topic.to_owned().into(), partition: 0, offset }
}

/// A table in which each form of a cell occurs.
pub(crate) fn table() -> Vec<Outcome> {
    let mut lost = outcome(0, 1, "producer-exactly-once", &[(Kind::Lost, 2)]);
    lost.missing = vec![Exhibit::Mark(Mark::Resent)];
    lost.surprises = lost.ledger.anomalies.iter().cloned().map(Surprise::Anomaly).collect();
    let mut unknown = outcome(0, 1, "eos-producer", &[]);
    unknown.verdict = Verdict::Unknown(Error::NotReached { moment: "ack lost".to_owned() });
    vec![
        outcome(0, 0, "producer-at-least-once", &[(Kind::Duplicated, 1)]),
        lost,
        unknown,
        outcome(1, 0, "producer-exactly-once", &[(Kind::Duplicated, 20)]),
        outcome(1, 0, "eos-producer", &[(Kind::Duplicated, 3)]),
        outcome(1, 1, "consumer-at-most-once", &[(Kind::Lost, 10)]),
        outcome(1, 1, "consumer-at-least-once", &[(Kind::Duplicated, 2), (Kind::NotCommitted, 2)]),
        outcome(1, 1, "eos-consumer", &[]),
        outcome(1, 1, "eos-pipeline", &[]),
    ]
}

/// All marks.
pub(crate) const MARKS: &[Mark] = &[
    Mark::Fenced,
    Mark::OffsetsRefused,
    Mark::OffsetsRewound,
    Mark::Stalled,
    Mark::Resent,
    Mark::Aborted,
    Mark::CommitRepeated,
];

/// Compares with a file of `src/testdata`; with `GOLDEN=write` in the environment, writes it.
pub(crate) fn golden(file: &str, wanted: &str, got: &str) {
    if std::env::var_os("GOLDEN").is_some_and(|value| value == "write") {
        let path = format!("{}/src/testdata/{file}", env!("CARGO_MANIFEST_DIR"));
        std::fs::write(&path, got).expect(&path);
    } else {
        assert!(wanted == got, "{file} is otherwise (GOLDEN=write writes it anew):\n{got}");
    }
}

/// The text without escape sequences for colours.
pub(crate) fn without_colours(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |out, part| out + part.split_once('m').expect("a colour").1)
}
