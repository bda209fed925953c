//! Killed between the two things that a consumer does with a message, the processing and the commit: on either side of
//! the commit.

use proxy::{ApiKey, Field, When};

use super::restart::{TAKES_ITS_PLACE, killed};
use crate::error::Error;
use crate::ledger::Kind;
use crate::scenario::{Case, Exhibit, Scenario, Text};
use crate::stage::Stage;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "killed-between",
    fault: Text {
        en: "kill -9 at the commit of an offset, before the broker has it or after; then started again",
        fr: "kill -9 au commit d'un offset, avant que le broker ne l'ait ou après ; puis relance",
    },
    teaches: Text {
        en: "commit first, and a crash loses; process first, and a crash repeats",
        fr: "commiter d'abord : un crash perd ; traiter d'abord : un crash répète",
    },
    cases: &[
        Case {
            variant: "before",
            programs: &["consumer-at-most-once"],
            promise: NOT_TWICE,
            why: Text {
                en: "The offset is not committed and the message is not processed: as if it had never been read. The second instance starts with it.",
                fr: "L'offset n'est pas commité et le message n'est pas traité : c'est comme s'il n'avait jamais été lu. La seconde instance commence par lui.",
            },
            play: before,
            ..CASE
        },
        Case {
            variant: "after",
            programs: &["consumer-at-most-once"],
            promise: NOT_TWICE,
            exhibits: &[Exhibit::Anomaly(Kind::Lost)],
            why: Text {
                en: "The group has moved past the message, and the program died before it could process it. The second instance starts with the next one, and nobody will ever be given this message again.",
                fr: "Le groupe est passé au-delà du message, et le programme est mort avant de pouvoir le traiter. La seconde instance commence au suivant : ce message ne sera plus jamais donné à personne.",
            },
            play: after,
            ..CASE
        },
        Case {
            variant: "before",
            programs: &["consumer-at-least-once"],
            promise: NOT_LOST,
            exhibits: &[Exhibit::Anomaly(Kind::Duplicated)],
            why: Text {
                en: "The message is processed, but the group does not know it: its committed offset still points to it. The second instance is given the message again and processes it a second time.",
                fr: "Le message est traité, mais le groupe l'ignore : son offset commité le désigne encore. La seconde instance reçoit de nouveau le message et le traite une seconde fois.",
            },
            play: before,
            ..CASE
        },
        Case {
            variant: "after",
            programs: &["consumer-at-least-once"],
            promise: NOT_LOST,
            why: Text {
                en: "The message is processed and its offset is committed, even if the program never heard of it. The second instance goes on with the next message: this is the harmless side.",
                fr: "Le message est traité et son offset est commité, même si le programme ne l'a jamais su. La seconde instance continue au message suivant : c'est le côté sans danger.",
            },
            play: after,
            ..CASE
        },
        Case {
            variant: "before",
            programs: CONSUMERS,
            promise: OFFSETS,
            exhibits: &[Exhibit::Anomaly(Kind::Duplicated)],
            why: Text {
                en: "The effect (the print) has taken place, its offset has not reached the transaction. The second instance starts before these messages and prints them again: for the world outside Kafka this is at least once.",
                fr: "L'effet (l'affichage) a eu lieu, son offset n'a pas atteint la transaction. La seconde instance part avant ces messages et les affiche de nouveau : pour le monde hors de Kafka, c'est au moins une fois.",
            },
            play: before,
            ..CASE
        },
        Case {
            variant: "after",
            programs: CONSUMERS,
            promise: OFFSETS,
            exhibits: &[Exhibit::Anomaly(Kind::Duplicated)],
            why: Text {
                en: "The group coordinator has the offset, but only as pending: it counts when the transaction commits, and this one is aborted when the second instance initialises the same transactional.id. So even on this side of TxnOffsetCommit the print comes again, where a plain OffsetCommit would have counted.",
                fr: "Le coordinateur du groupe a l'offset, mais seulement en attente : il ne compte qu'au commit de la transaction, et celle-ci est avortée quand la seconde instance initialise le même transactional.id. Même de ce côté de TxnOffsetCommit, l'affichage revient, là où un simple OffsetCommit aurait compté.",
            },
            play: after,
            ..CASE
        },
        Case {
            variant: "before",
            programs: &["eos-pipeline"],
            promise: RESULTS,
            exhibits: &[Exhibit::Anomaly(Kind::Repeated)],
            why: Text {
                en: "The results are stored in a transaction that is still open, and no offset has followed them. The second instance has the transaction aborted and does the batch again: only its results are visible.",
                fr: "Les résultats sont stockés dans une transaction encore ouverte, qu'aucun offset n'a rejointe. La seconde instance fait avorter la transaction et refait le lot : seuls ses résultats sont visibles.",
            },
            play: before,
            ..CASE
        },
        Case {
            variant: "after",
            programs: &["eos-pipeline"],
            promise: RESULTS,
            exhibits: &[Exhibit::Anomaly(Kind::Repeated)],
            why: Text {
                en: "Results and offsets both are in Kafka, and both only count when their transaction commits. It never does: the second instance has it aborted, starts from the same offset as the first, and its results are the only visible ones.",
                fr: "Résultats et offsets sont tous deux dans Kafka, et ne comptent tous deux qu'au commit de leur transaction. Il ne vient jamais : la seconde instance la fait avorter, repart du même offset que la première, et ses résultats sont les seuls visibles.",
            },
            play: after,
            ..CASE
        },
    ],
};

const CASE: Case = Case { settings: TAKES_ITS_PLACE, play: before, ..Case::PLAIN };

const CONSUMERS: &[&str] = &["consumer-exactly-once", "eos-consumer"];

const NOT_TWICE: Text = Text { en: "no message is processed twice", fr: "aucun message n'est traité deux fois" };

const NOT_LOST: Text = Text { en: "every message is processed", fr: "chaque message est traité" };

const OFFSETS: Text = Text {
    en: "no message is lost; an offset counts only if its transaction is committed",
    fr: "aucun message n'est perdu ; un offset ne compte que si sa transaction est commitée",
};

const RESULTS: Text = Text {
    en: "each input has one visible result, whatever was done twice",
    fr: "chaque entrée a un seul résultat visible, quoi qu'on ait fait deux fois",
};

fn before(stage: &mut Stage<'_>) -> Result<(), Error> {
    killed_at(stage, When::request)
}

fn after(stage: &mut Stage<'_>) -> Result<(), Error> {
    killed_at(stage, When::response)
}

/// At the commit of the sixth message, or of the batch that holds it: of its offset, to the group or to the transaction.
fn killed_at(stage: &mut Stage<'_>, side: fn(ApiKey) -> When) -> Result<(), Error> {
    stage.fill()?;
    let commits = [ApiKey::OffsetCommit, ApiKey::TxnOffsetCommit];
    killed(stage, commits.map(|api| side(api).with(Field::OffsetAtLeast(6))))
}
