//! Killed at the first moment at which everything has happened: the broker has answered EndTxn, the program never hears
//! of it.

use proxy::{ApiKey, Field, When};

use super::restart::{TAKES_ITS_PLACE, first_killed, killed, second_finishes};
use crate::error::Error;
use crate::ledger::Kind;
use crate::scenario::{Case, Exhibit, Scenario, Text};
use crate::stage::Stage;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "killed-after-commit",
    fault: Text {
        en: "kill -9 when EndTxn (the commit) is answered, before the program knows; then started again",
        fr: "kill -9 à la réponse de EndTxn (le commit), avant que le programme ne la voie ; puis relance",
    },
    teaches: Text {
        en: "only who commits its progress in the transaction too resumes where it was",
        fr: "seul reprend à sa place qui commite aussi son avancée dans la transaction",
    },
    cases: &[
        Case {
            programs: &["producer-exactly-once"],
            promise: Text {
                en: "the course: a stable transactional.id resumes after a crash without visible duplicates",
                fr: "le cours : un transactional.id stable permet la reprise après crash sans doublons visibles",
            },
            exhibits: &[Exhibit::Anomaly(Kind::Duplicated)],
            why: Text {
                en: "The batch is committed, so nothing is left open that the second instance could abort, and it sends its batch from the beginning, under a new producer epoch. For Kafka these are other messages: nowhere does it say how far the first instance had come.",
                fr: "Le lot est commité : il ne reste rien d'ouvert que la seconde instance ferait avorter, et elle renvoie son lot depuis le début, sous une nouvelle epoch. Pour Kafka, ce sont d'autres messages : rien n'y dit jusqu'où la première instance était allée.",
            },
            ..CASE
        },
        Case {
            programs: &["eos-producer"],
            promise: Text { en: "each message is visible once", fr: "chaque message est visible une seule fois" },
            exhibits: &[Exhibit::Anomaly(Kind::Duplicated)],
            why: Text {
                en: "Three messages are committed, each by a transaction of its own, when the program dies; the second instance starts over with the first message. A transaction protects a message against its own retries, not against a program that sends it again: for that, the progress would have to be part of the transaction.",
                fr: "Trois messages sont commités, chacun par sa propre transaction, quand le programme meurt ; la seconde instance recommence au premier. Une transaction protège un message de ses propres nouvelles tentatives, pas d'un programme qui le renvoie : il faudrait pour cela que l'avancée fasse partie de la transaction.",
            },
            play: third_commit,
            ..CASE
        },
        Case {
            programs: &["consumer-exactly-once", "eos-consumer"],
            promise: Text {
                en: "no message is lost; the group goes on where the last committed transaction left it",
                fr: "aucun message n'est perdu ; le groupe reprend où la dernière transaction commitée l'a laissé",
            },
            why: Text {
                en: "The offsets were in the transaction, and the broker had committed it: the second instance asks for them and goes on with the next message. Nothing is printed again, although the first instance never learnt that its commit had succeeded.",
                fr: "Les offsets étaient dans la transaction, et le broker l'avait commitée : la seconde instance les demande et continue au message suivant. Rien n'est affiché de nouveau, bien que la première n'ait jamais su que son commit avait réussi.",
            },
            settings: TAKES_ITS_PLACE,
            play: first_offsets,
            ..CASE
        },
        Case {
            programs: &["eos-pipeline"],
            promise: Text { en: "each input has one visible result", fr: "chaque entrée a un seul résultat visible" },
            why: Text {
                en: "Results and offsets were committed together, by one EndTxn: where the results are visible, the group has moved on. The second instance starts after them and repeats nothing, which a producer that keeps no progress in Kafka cannot do.",
                fr: "Les résultats et les offsets ont été commités ensemble, par un même EndTxn : là où les résultats sont visibles, le groupe a avancé. La seconde instance part après eux et ne répète rien, ce que ne peut pas faire un producteur qui ne garde pas son avancée dans Kafka.",
            },
            settings: TAKES_ITS_PLACE,
            play: first_offsets,
            ..CASE
        },
    ],
};

const CASE: Case = Case { play: first_commit, ..Case::PLAIN };

fn first_commit(stage: &mut Stage<'_>) -> Result<(), Error> {
    killed(stage, [committed()])
}

fn third_commit(stage: &mut Stage<'_>) -> Result<(), Error> {
    killed(stage, [committed().nth(3)])
}

/// There is more input for the second instance: it shows where it goes on.
fn first_offsets(stage: &mut Stage<'_>) -> Result<(), Error> {
    let half = stage.messages() / 2;
    stage.fill_some(0..half)?;
    // For a program without transactions, the commit of its offsets.
    first_killed(stage, [committed(), When::response(ApiKey::OffsetCommit)])?;
    stage.fill_some(half..stage.messages())?;
    second_finishes(stage)
}

fn committed() -> When {
    When::response(ApiKey::EndTxn).with(Field::Commits(true)).with(Field::Error(0))
}
