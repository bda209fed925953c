//! A Produce is stored, and its answer never arrives: the connection breaks in between.

use proxy::{Action, ApiKey, Fault, When};

use super::quick;
use crate::error::Error;
use crate::ledger::Kind;
use crate::scenario::{Case, Exhibit, Mark, Scenario, Text};
use crate::stage::Stage;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "ack-lost",
    fault: Text {
        en: "a Produce is stored, and the connection breaks before its answer arrives",
        fr: "un Produce est stocké, et la connexion casse avant l'arrivée de sa réponse",
    },
    teaches: Text {
        en: "a retry without sequence numbers is a duplicate; with them the broker recognises it",
        fr: "un réessai sans numéros de séquence est un doublon ; avec eux, le broker le reconnaît",
    },
    cases: &[
        Case {
            programs: &["producer-at-least-once"],
            promise: Text {
                en: "what was acknowledged is stored; duplicates may come",
                fr: "ce qui est acquitté est stocké ; des doublons sont possibles",
            },
            exhibits: &[Exhibit::Anomaly(Kind::Duplicated), Exhibit::Mark(Mark::Resent)],
            why: Text {
                en: "Without its answer the producer cannot know that the batch is stored, so it sends it again. Nothing in the batch tells the broker that it has it already: it stores it a second time.",
                fr: "Sans réponse, le producteur ne peut pas savoir que le lot est stocké, alors il le renvoie. Rien dans le lot ne dit au broker qu'il l'a déjà : il le stocke une deuxième fois.",
            },
            ..CASE
        },
        Case {
            programs: &["producer-exactly-once", "eos-producer"],
            promise: Text {
                en: "each message is stored once, whatever is sent again",
                fr: "chaque message est stocké une fois, quoi qu'on renvoie",
            },
            exhibits: &[Exhibit::Mark(Mark::Resent)],
            why: Text {
                en: "The batch is sent again with the same producer id, epoch and sequence number. The broker recognises it, stores nothing and answers with the offset of the first time.",
                fr: "Le lot est renvoyé avec les mêmes producer id, époque et numéro de séquence. Le broker le reconnaît, ne stocke rien et répond avec l'offset de la première fois.",
            },
            ..CASE
        },
        Case {
            programs: &["eos-pipeline"],
            promise: Text {
                en: "each result stands once in the output, whatever is sent again",
                fr: "chaque résultat est une fois dans la sortie, quoi qu'on renvoie",
            },
            exhibits: &[Exhibit::Mark(Mark::Resent)],
            why: Text {
                en: "The batch of results is sent again inside its transaction, with the same sequence number, and the broker recognises it. The transaction does not notice: it commits the results and the offsets together.",
                fr: "Le lot de résultats est renvoyé dans sa transaction, avec le même numéro de séquence, et le broker le reconnaît. La transaction n'en voit rien : elle commite ensemble les résultats et les offsets.",
            },
            ..CASE
        },
    ],
};

const CASE: Case = Case { play, ..Case::PLAIN };

fn play(stage: &mut Stage<'_>) -> Result<(), Error> {
    let produce = When::response(ApiKey::Produce).holding(stage.written_value(10));
    stage.arm(Fault::new("answer lost", produce, Action::Cut));
    quick::start(stage)?;
    stage.moment("answer lost")?;
    stage.finish("program")?;
    Ok(())
}
