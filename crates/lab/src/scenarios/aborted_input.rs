//! The input holds the records of aborted transactions, before and after those that count.

use crate::error::Error;
use crate::ledger::Kind;
use crate::scenario::{Amount, Case, Exhibit, Scenario, Setting, Text};
use crate::stage::Stage;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "aborted-input",
    fault: Text {
        en: "the input holds records of transactions that were aborted",
        fr: "l'entrée contient des enregistrements de transactions avortées",
    },
    teaches: Text {
        en: "aborted records stay in the log: the reader's isolation.level decides",
        fr: "les enregistrements avortés restent dans le journal ; l'isolation.level du lecteur décide",
    },
    cases: &[
        Case {
            programs: READERS,
            promise: Text { en: "what was aborted is not processed", fr: "ce qui est avorté n'est pas traité" },
            why: Text {
                en: "All five read at read_committed, three because they say so and two because it is librdkafka's default (Java's and the protocol's is read_uncommitted). The broker sends the aborted records all the same, with the list of aborted transactions, and the client skips them.",
                fr: "Tous les cinq lisent en read_committed : trois le disent, deux le doivent au réglage par défaut de librdkafka (celui de Java est read_uncommitted). Le broker envoie quand même les enregistrements avortés, avec la liste des transactions avortées, et c'est le client qui les saute.",
            },
            ..CASE
        },
        Case {
            variant: "read_uncommitted",
            programs: &["consumer-at-most-once", "consumer-at-least-once"],
            promise: Text {
                en: "at most, or at least, once: neither says anything of transactions",
                fr: "au plus, ou au moins, une fois : ni l'un ni l'autre ne dit rien des transactions",
            },
            exhibits: &[Exhibit::Anomaly(Kind::AbortedProcessed)],
            why: Text {
                en: "The broker now tells nothing of aborted transactions, and the client passes on every record. No message is lost or processed twice, so the promise holds; but values were processed that their writer had taken back.",
                fr: "Le broker ne dit plus rien des transactions avortées, et le client livre chaque enregistrement. Aucun message n'est perdu ni traité deux fois : la promesse est tenue ; mais des valeurs ont été traitées que leur auteur avait retirées.",
            },
            settings: READ_UNCOMMITTED,
            ..CASE
        },
        Case {
            variant: "read_uncommitted",
            programs: &["consumer-exactly-once", "eos-consumer"],
            promise: Text { en: "what was aborted is not processed", fr: "ce qui est avorté n'est pas traité" },
            exhibits: &[Exhibit::Anomaly(Kind::AbortedProcessed)],
            why: Text {
                en: "The consumer's own transaction protects its offsets only; whether an upstream transaction counts is for isolation.level to say. At read_uncommitted it processes what was aborted: exactly once needs both ends.",
                fr: "La transaction du consommateur ne protège que ses propres offsets ; c'est isolation.level qui dit si une transaction en amont compte. En read_uncommitted, il traite ce qui a été avorté : « exactement une fois » exige les deux bouts.",
            },
            settings: READ_UNCOMMITTED,
            ..CASE
        },
        Case {
            variant: "read_uncommitted",
            programs: &["eos-pipeline"],
            promise: Text {
                en: "what was aborted has no result in the output",
                fr: "ce qui est avorté n'a pas de résultat dans la sortie",
            },
            exhibits: &[Exhibit::Anomaly(Kind::AbortedProcessed)],
            why: Text {
                en: "The pipeline reads what an upstream transaction aborted, and commits a result of it: what never happened has become visible for every reader of the output, whatever its isolation level. Exactly once from end to end needs read_committed at every step.",
                fr: "Le pipeline lit ce qu'une transaction en amont a avorté, et en commite un résultat : ce qui n'a jamais eu lieu est devenu visible pour tout lecteur de la sortie, quel que soit son niveau d'isolation. « Exactement une fois » de bout en bout exige read_committed à chaque étape.",
            },
            settings: READ_UNCOMMITTED,
            ..CASE
        },
    ],
};

const CASE: Case = Case { play, ..Case::PLAIN };

const READERS: &[&str] =
    &["consumer-at-most-once", "consumer-at-least-once", "consumer-exactly-once", "eos-consumer", "eos-pipeline"];

const READ_UNCOMMITTED: &[Setting] = &[Setting {
    key: "isolation.level",
    value: Amount::Of("read_uncommitted"),
    why: Text {
        en: "the fault of this variant: the reader asks for everything, aborted or not",
        fr: "la faute de cette variante : le lecteur demande tout, avorté ou non",
    },
}];

fn play(stage: &mut Stage<'_>) -> Result<(), Error> {
    stage.fill_between_aborted()?;
    stage.start("program")?;
    stage.finish("program")?;
    Ok(())
}
