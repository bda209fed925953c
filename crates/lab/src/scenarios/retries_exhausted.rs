//! A message is stored, its answer is lost, and so is the answer to each retry, more often than `retries`.

use proxy::{Action, ApiKey, Fault, When};

use super::quick;
use crate::error::Error;
use crate::ledger::Kind;
use crate::scenario::{Case, Ends, Exhibit, Mark, Scenario, Text};
use crate::stage::Stage;

/// retries=5 (producer-at-least-once), and the first attempt.
const ATTEMPTS: u32 = 6;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "retries-exhausted",
    fault: Text {
        en: "a message is stored six times in a row, and each time the connection breaks before the answer",
        fr: "un message est envoyé six fois de suite, et chaque fois la connexion casse avant la réponse",
    },
    teaches: Text {
        en: "a failed delivery is an unknown one: the message may be stored, even several times",
        fr: "une livraison échouée est une livraison inconnue : le message peut être stocké, même plusieurs fois",
    },
    cases: &[
        Case {
            programs: &["producer-at-least-once"],
            promise: Text {
                en: "what was acknowledged is stored; of what failed nothing is said",
                fr: "ce qui est acquitté est stocké ; de ce qui a échoué, rien n'est dit",
            },
            exhibits: &[
                Exhibit::Anomaly(Kind::Failed),
                Exhibit::Anomaly(Kind::Duplicated),
                Exhibit::Mark(Mark::Resent),
            ],
            ends: Ends::Failing,
            why: Text {
                en: "After retries=5 the producer gives up and reports `failed`, but the broker has stored each of the six attempts. `failed` does not mean \"not stored\": who sends the message again because of it adds a seventh copy.",
                fr: "Après retries=5, le producteur abandonne et annonce `failed`, mais le broker a stocké chacune des six tentatives. `failed` ne veut pas dire « non stocké » : renvoyer le message pour cette raison ajoute une septième copie.",
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
                en: "With sequence numbers a retry costs nothing, so there is no reason to stop at five: librdkafka goes on until delivery.timeout.ms. The broker recognises every further attempt, and the seventh gets its answer.",
                fr: "Avec des numéros de séquence, un réessai ne coûte rien, donc pas de raison de s'arrêter à cinq : librdkafka continue jusqu'à delivery.timeout.ms. Le broker reconnaît chaque nouvelle tentative, et la septième reçoit sa réponse.",
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
                en: "The transaction waits for the answer to its Produce, however many attempts that takes. The broker recognises all but the first by their sequence number.",
                fr: "La transaction attend la réponse à son Produce, quel que soit le nombre de tentatives. Le broker reconnaît toutes les suivantes à leur numéro de séquence.",
            },
            ..CASE
        },
    ],
};

const CASE: Case = Case {
    // Alone in its batch: others would share its fate.
    messages: 1,
    settings: &[quick::RETRY_SOON, quick::RECONNECT_SOON],
    play,
    ..Case::PLAIN
};

fn play(stage: &mut Stage<'_>) -> Result<(), Error> {
    let produce = When::response(ApiKey::Produce).holding(stage.written_value(0)).times(ATTEMPTS);
    stage.arm(Fault::new("answer lost", produce, Action::Cut));
    quick::start(stage)?;
    stage.moments("answer lost", ATTEMPTS as usize)?;
    stage.finish("program")?;
    Ok(())
}
