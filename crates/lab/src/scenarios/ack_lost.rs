//! A Produce is stored, and its answer never arrives: the connection breaks in between.

use proxy::{Action, ApiKey, Fault, When};

use crate::error::Error;
use crate::ledger::Kind;
use crate::scenario::{Case, Ends, Exhibit, Mark, Scenario, Text};
use crate::stage::Stage;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "ack-lost",
    fault: Text {
        en: "a Produce is stored, and the connection breaks before its answer arrives",
        fr: "un Produce est enregistré, et la connexion casse avant l'arrivée de sa réponse",
    },
    teaches: Text {
        en: "a retry without sequence numbers is a duplicate; with them the broker recognises it",
        fr: "une nouvelle tentative sans numéros de séquence est un doublon ; avec eux, le broker la reconnaît",
    },
    cases: &[
        Case {
            programs: &["producer-at-least-once"],
            promise: Text {
                en: "what was acknowledged is stored; duplicates may come",
                fr: "ce qui est acquitté est enregistré ; des doublons sont possibles",
            },
            exhibits: &[Exhibit::Anomaly(Kind::Duplicated), Exhibit::Mark(Mark::Resent)],
            why: Text {
                en: "Without its answer the producer cannot know that the batch is stored, and sends it again. Nothing tells the broker that it has it already.",
                fr: "Sans réponse, le producteur ne peut pas savoir que le lot est enregistré, et le renvoie. Rien ne dit au broker qu'il l'a déjà.",
            },
            ..CASE
        },
        Case {
            programs: &["producer-exactly-once", "eos-producer"],
            promise: Text {
                en: "each message is stored once, whatever is sent again",
                fr: "chaque message est enregistré une fois, quoi qu'on renvoie",
            },
            exhibits: &[Exhibit::Mark(Mark::Resent)],
            why: Text {
                en: "The batch is sent again with the same producer id and sequence number. The broker recognises it, stores nothing and answers as it did the first time.",
                fr: "Le lot est renvoyé avec le même producer id et le même numéro de séquence. Le broker le reconnaît, n'enregistre rien et répond comme la première fois.",
            },
            ..CASE
        },
    ],
};

const CASE: Case = Case {
    variant: "",
    programs: &[],
    promise: Text { en: "", fr: "" },
    exhibits: &[],
    allows: &[],
    ends: Ends::Well,
    why: Text { en: "", fr: "" },
    messages: 20,
    partitions: 1,
    settings: &[],
    play,
};

fn play(stage: &mut Stage<'_>) -> Result<(), Error> {
    let produce = When::response(ApiKey::Produce).holding(stage.written_value(10));
    stage.arm(Fault::new("ack lost", produce, Action::Cut));
    stage.start("program")?;
    stage.moment("ack lost")?;
    stage.join("program")?;
    Ok(())
}
