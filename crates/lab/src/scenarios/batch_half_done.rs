//! Killed in the middle of a batch: one half is done, the other not begun.

use proxy::{Action, ApiKey, Fault, When};

use super::restart::{TAKES_ITS_PLACE, killed, second_finishes};
use crate::error::Error;
use crate::ledger::Kind;
use crate::scenario::{Amount, Case, Exhibit, Scenario, Setting, Text};
use crate::stage::{Stage, Start};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "batch-half-done",
    fault: Text {
        en: "kill -9 in the middle of a batch, when one half is done; then started again",
        fr: "kill -9 au milieu d'un lot, quand une moitié est faite ; puis relance",
    },
    teaches: Text {
        en: "the unit of atomicity is the transaction: half a batch counts for nothing in Kafka",
        fr: "l'unité d'atomicité est la transaction : un demi-lot ne compte pour rien dans Kafka",
    },
    cases: &[
        Case {
            programs: &["producer-exactly-once"],
            promise: Text {
                en: "the batch is visible whole and once, or not at all",
                fr: "le lot est visible entier et une seule fois, ou pas du tout",
            },
            why: Text {
                en: "The first half stands in the log, which does not make it visible: its transaction was never committed, and the coordinator aborts it when the second instance initialises the same transactional.id. The batch that is visible is the second one, whole.",
                fr: "La première moitié est dans le journal, ce qui ne la rend pas visible : sa transaction n'a jamais été commitée, et le coordinateur l'avorte quand la seconde instance initialise le même transactional.id. Le lot visible est le second, entier.",
            },
            settings: &[Setting {
                key: "batch.num.messages",
                value: Amount::Of("10"),
                why: Text {
                    en: "the 20 messages of the transaction travel in two Produce requests, so that there is a half",
                    fr: "les 20 messages de la transaction voyagent en deux requêtes Produce, pour qu'il y ait une moitié",
                },
            }],
            play: half_sent,
            ..CASE
        },
        Case {
            programs: &["eos-consumer"],
            promise: Text {
                en: "no message is lost; the group moves on by whole batches",
                fr: "aucun message n'est perdu ; le groupe avance par lots entiers",
            },
            exhibits: &[Exhibit::Anomaly(Kind::Duplicated)],
            why: Text {
                en: "Half of the batch is printed, and none of its offsets are committed: the transaction covers the batch as a whole. The second instance starts at the beginning of the batch and prints that half again.",
                fr: "La moitié du lot est affichée, et aucun de ses offsets n'est commité : la transaction porte sur le lot entier. La seconde instance repart au début du lot et affiche de nouveau cette moitié.",
            },
            settings: TAKES_ITS_PLACE,
            play: half_printed,
            ..CASE
        },
        Case {
            programs: &["eos-pipeline"],
            promise: Text {
                en: "each input has one visible result, whatever was done twice",
                fr: "chaque entrée a un seul résultat visible, quoi qu'on ait fait deux fois",
            },
            exhibits: &[Exhibit::Anomaly(Kind::Repeated)],
            why: Text {
                en: "Half of the results are stored in the output, in a transaction that the coordinator aborts for the second instance: no read_committed reader ever sees half a batch. The whole batch is done again from the same offset, and its results are there once.",
                fr: "La moitié des résultats est stockée dans la sortie, dans une transaction que le coordinateur avorte pour la seconde instance : aucun lecteur read_committed ne voit jamais un demi-lot. Tout le lot est refait depuis le même offset, et ses résultats sont là une seule fois.",
            },
            settings: TAKES_ITS_PLACE,
            play: half_stored,
            ..CASE
        },
    ],
};

const CASE: Case = Case { play: half_printed, ..Case::PLAIN };

/// How many lines are half a batch of eos-consumer.
const HALF: usize = 5;

fn half_sent(stage: &mut Stage<'_>) -> Result<(), Error> {
    let second_half = When::request(ApiKey::Produce).holding(stage.written_value(10));
    killed(stage, [second_half])
}

fn half_printed(stage: &mut Stage<'_>) -> Result<(), Error> {
    stage.fill()?;
    half_done(stage)?;
    stage.kill("first")?;
    second_finishes(stage)
}

fn half_stored(stage: &mut Stage<'_>) -> Result<(), Error> {
    stage.fill()?;
    let stored = When::response(ApiKey::Produce).of("first");
    stage.arm(Fault::new("results stored", stored, Action::Note));
    half_done(stage)?;
    stage.moment("results stored")?;
    stage.kill("first")?;
    second_finishes(stage)
}

/// The first instance stands still in the middle of its batch: nobody reads what it prints.
fn half_done(stage: &mut Stage<'_>) -> Result<(), Error> {
    // On Linux it cannot come so far. Elsewhere a pipe holds more than a line: all of them, and no commit, will do.
    for commit in [ApiKey::OffsetCommit, ApiKey::TxnOffsetCommit] {
        let never = Action::Hold { until: "never".to_owned() };
        stage.arm(Fault::new("commit waits", When::request(commit).of("first"), never));
    }
    stage.start_with("first", Start { pause_after: Some(HALF), ..Start::default() })?;
    stage.lines("first", HALF)
}
