//! A Produce never reaches the broker: the connection breaks on its way.

use proxy::{Action, ApiKey, Fault, When};

use super::quick;
use crate::error::Error;
use crate::ledger::Kind;
use crate::scenario::{Case, Exhibit, Mark, Scenario, Text};
use crate::stage::Stage;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "request-lost",
    fault: Text {
        en: "the connection breaks before a Produce reaches the broker",
        fr: "la connexion casse avant qu'un Produce atteigne le broker",
    },
    teaches: Text {
        en: "acks=0 reports as sent what never arrived; whoever waits for an answer sends it again",
        fr: "acks=0 annonce comme envoyé ce qui n'est jamais arrivé ; qui attend une réponse le renvoie",
    },
    cases: &[
        Case {
            programs: &["producer-at-most-once"],
            promise: Text {
                en: "nothing is stored twice; messages may be lost",
                fr: "rien n'est stocké deux fois ; des messages peuvent se perdre",
            },
            exhibits: &[Exhibit::Anomaly(Kind::Lost)],
            why: Text {
                en: "With acks=0 a message counts as sent when its bytes are handed to the operating system, and no answer is ever expected. The bytes are gone, the program says `sent` and ends with exit status 0.",
                fr: "Avec acks=0, un message compte comme envoyé quand ses octets sont remis au système d'exploitation, et aucune réponse n'est attendue. Les octets sont perdus, le programme dit `sent` et se termine avec le code de sortie 0.",
            },
            ..CASE
        },
        Case {
            programs: &["producer-at-least-once"],
            promise: Text {
                en: "what was acknowledged is stored; duplicates may come",
                fr: "ce qui est acquitté est stocké ; des doublons sont possibles",
            },
            exhibits: &[Exhibit::Mark(Mark::Resent)],
            why: Text {
                en: "No answer came, so the producer sends the batch again over a new connection. This time the retry is no duplicate, since nothing was stored; the producer cannot tell this case from the one of a lost answer.",
                fr: "Aucune réponse n'est venue, alors le producteur renvoie le lot par une nouvelle connexion. Cette fois le réessai n'est pas un doublon, puisque rien n'était stocké ; le producteur ne peut pas distinguer ce cas de celui d'une réponse perdue.",
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
                en: "The batch is sent again with its sequence number. It is the one that the broker expects next, so it is stored, once and in its place.",
                fr: "Le lot est renvoyé avec son numéro de séquence. C'est celui que le broker attend, donc il est stocké, une fois et à sa place.",
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
                en: "The batch of results is sent again inside its transaction. A commit waits for the answer to each Produce, so no offset is committed without its results.",
                fr: "Le lot de résultats est renvoyé dans sa transaction. Un commit attend la réponse à chaque Produce, donc aucun offset n'est commité sans ses résultats.",
            },
            ..CASE
        },
    ],
};

const CASE: Case = Case { play, ..Case::PLAIN };

/// The last batch: after an earlier one, what is already under way would reach the broker first, and what changes places
/// then is for another scenario (broker-error).
fn play(stage: &mut Stage<'_>) -> Result<(), Error> {
    let produce = When::request(ApiKey::Produce).holding(stage.written_value(19));
    stage.arm(Fault::new("request lost", produce, Action::Cut));
    quick::start(stage)?;
    stage.moment("request lost")?;
    stage.finish("program")?;
    Ok(())
}
