//! Killed at the last moment at which nothing has happened yet: EndTxn has left the program, and never arrives.

use proxy::{ApiKey, Field, When};

use super::restart::{TAKES_ITS_PLACE, killed};
use crate::error::Error;
use crate::ledger::Kind;
use crate::scenario::{Case, Exhibit, Scenario, Text};
use crate::stage::Stage;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "killed-before-commit",
    fault: Text {
        en: "kill -9 when EndTxn (the commit) leaves, before the broker has it; then started again",
        fr: "kill -9 à l'envoi de EndTxn (le commit), avant que le broker ne l'ait ; puis relance",
    },
    teaches: Text {
        en: "without its commit a transaction has no effect in Kafka; what was printed stays printed",
        fr: "sans son commit, une transaction n'a aucun effet dans Kafka ; ce qui est affiché le reste",
    },
    cases: &[
        Case {
            programs: &["producer-exactly-once"],
            promise: Text {
                en: "the batch is visible whole and once, or not at all",
                fr: "le lot est visible entier et une seule fois, ou pas du tout",
            },
            why: Text {
                en: "The dead instance has stored the whole batch, but in a transaction that nobody ended. The second one initialises the same transactional.id, for which the coordinator first aborts that transaction: read_committed readers see the second batch only.",
                fr: "L'instance morte a stocké tout le lot, mais dans une transaction que personne n'a terminée. La seconde initialise le même transactional.id, et le coordinateur avorte d'abord cette transaction : les lecteurs read_committed ne voient que le second lot.",
            },
            ..CASE
        },
        Case {
            programs: &["eos-producer"],
            promise: Text { en: "each message is visible once", fr: "chaque message est visible une seule fois" },
            why: Text {
                en: "It is killed in its first transaction, whose message is stored and not committed. With the same transactional.id the second instance has that transaction aborted before it sends anything, so that its own copy is the only visible one.",
                fr: "Il est tué dans sa première transaction, dont le message est stocké mais pas commité. Avec le même transactional.id, la seconde instance fait avorter cette transaction avant d'envoyer quoi que ce soit : sa copie est la seule visible.",
            },
            ..CASE
        },
        Case {
            programs: &["consumer-exactly-once", "eos-consumer"],
            promise: Text {
                en: "no message is lost; an offset counts only if its transaction is committed",
                fr: "aucun message n'est perdu ; un offset ne compte que si sa transaction est commitée",
            },
            exhibits: &[Exhibit::Anomaly(Kind::Duplicated)],
            why: Text {
                en: "The offsets were sent to the transaction, which is aborted when the second instance initialises the same transactional.id: the group starts again before those messages. What was already printed is outside Kafka and cannot be aborted, so it is printed again.",
                fr: "Les offsets étaient confiés à la transaction, qui est avortée quand la seconde instance initialise le même transactional.id : le groupe reprend avant ces messages. Ce qui est déjà affiché est hors de Kafka et ne s'avorte pas : c'est affiché une seconde fois.",
            },
            settings: TAKES_ITS_PLACE,
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
                en: "Results and offsets are in one transaction, which the coordinator aborts for the second instance: the first results become invisible together with the progress of the group. The work is done twice (the lines `process:` come again), its result is there once.",
                fr: "Les résultats et les offsets sont dans une même transaction, que le coordinateur avorte pour la seconde instance : les premiers résultats deviennent invisibles en même temps que l'avancée du groupe. Le travail est fait deux fois (les lignes `process:` reviennent), son résultat n'est là qu'une fois.",
            },
            settings: TAKES_ITS_PLACE,
            ..CASE
        },
    ],
};

const CASE: Case = Case { play, ..Case::PLAIN };

fn play(stage: &mut Stage<'_>) -> Result<(), Error> {
    stage.fill_input()?;
    // For a program without transactions, the commit of its offsets.
    killed(stage, [When::request(ApiKey::EndTxn).with(Field::Commits(true)), When::request(ApiKey::OffsetCommit)])
}
