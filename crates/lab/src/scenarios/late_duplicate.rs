//! A Produce is delivered once more, long after it succeeded: a copy that was stuck somewhere in the network.

use proxy::{Action, ApiKey, Fault, When};

use super::quick;
use crate::error::Error;
use crate::ledger::Kind;
use crate::scenario::{Case, Exhibit, Scenario, Text};
use crate::stage::Stage;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "late-duplicate",
    fault: Text {
        en: "a Produce that succeeded is delivered once more, after later ones",
        fr: "un Produce réussi est livré encore une fois, après d'autres",
    },
    teaches: Text {
        en: "a duplicate need not stand beside the first; sequence numbers stop a late one too",
        fr: "un doublon n'est pas forcément à côté du premier ; les numéros de séquence en arrêtent même un tardif",
    },
    cases: &[
        Case {
            programs: &["producer-at-least-once"],
            promise: Text {
                en: "what was acknowledged is stored; duplicates may come",
                fr: "ce qui est acquitté est stocké ; des doublons sont possibles",
            },
            exhibits: &[Exhibit::Anomaly(Kind::Duplicated)],
            why: Text {
                en: "The copy is a batch like any other to the broker, which stores it behind all the others. A reader that compares each message only with the one before does not notice it.",
                fr: "Pour le broker, la copie est un lot comme un autre, qu'il stocke après tous les autres. Un lecteur qui compare chaque message au seul précédent ne s'en aperçoit pas.",
            },
            settings: &[quick::SMALL_BATCHES],
            play: after_the_last,
            ..CASE
        },
        Case {
            variant: "recent",
            programs: &["producer-exactly-once"],
            promise: ONCE,
            why: RECENT,
            settings: &[quick::SMALL_BATCHES],
            play: before_the_commit,
            ..CASE
        },
        Case {
            variant: "recent",
            programs: &["eos-producer"],
            promise: ONCE,
            why: Text {
                en: "The sequence numbers go on from one transaction to the next, and for each producer id and partition the broker remembers the last five batches. The copy from the first transaction is recognised in the third, and not stored.",
                fr: "Les numéros de séquence continuent d'une transaction à la suivante, et pour chaque producer id et chaque partition le broker retient les cinq derniers lots. La copie de la première transaction est reconnue dans la troisième, et n'est pas stockée.",
            },
            play: in_the_third,
            ..CASE
        },
        Case {
            variant: "forgotten",
            programs: &["producer-exactly-once"],
            promise: ONCE,
            why: FORGOTTEN,
            settings: &[quick::SINGLE_BATCHES],
            play: before_the_commit,
            ..CASE
        },
        Case {
            variant: "forgotten",
            programs: &["eos-producer"],
            promise: ONCE,
            why: FORGOTTEN,
            play: in_the_eighth,
            ..CASE
        },
    ],
};

const ONCE: Text = Text {
    en: "each message is stored once, whatever the network repeats",
    fr: "chaque message est stocké une fois, quoi que le réseau répète",
};

const RECENT: Text = Text {
    en: "For each producer id and partition the broker remembers the sequence numbers of the last five batches. The copy is one of them: it gets the same answer as the first time, and is not stored.",
    fr: "Pour chaque producer id et chaque partition, le broker retient les numéros de séquence des cinq derniers lots. La copie est l'un d'eux : elle reçoit la même réponse que la première fois, et n'est pas stockée.",
};

const FORGOTTEN: Text = Text {
    en: "More than five batches later the broker no longer recognises the copy. But it knows which sequence number comes next, and this is not the one: it refuses the copy (OUT_OF_ORDER_SEQUENCE_NUMBER) and stores nothing.",
    fr: "Plus de cinq lots après, le broker ne reconnaît plus la copie. Mais il sait quel numéro de séquence vient ensuite, et ce n'est pas celui-là : il refuse la copie (OUT_OF_ORDER_SEQUENCE_NUMBER) et ne stocke rien.",
};

const CASE: Case = Case { play: after_the_last, ..Case::PLAIN };

/// The first batch again, when the last one has been acknowledged.
fn after_the_last(stage: &mut Stage<'_>) -> Result<(), Error> {
    let last = When::response(ApiKey::Produce).holding(stage.written_value(19));
    stage.arm(Fault::new("later", last, Action::Note));
    repeat(stage)
}

/// The first batch again, when its transaction is to be committed.
fn before_the_commit(stage: &mut Stage<'_>) -> Result<(), Error> {
    before_commit(stage, 1)
}

/// The same in the third transaction: the copy stands in the way of its commit, so that it is open meanwhile.
fn in_the_third(stage: &mut Stage<'_>) -> Result<(), Error> {
    before_commit(stage, 3)
}

fn in_the_eighth(stage: &mut Stage<'_>) -> Result<(), Error> {
    before_commit(stage, 8)
}

fn before_commit(stage: &mut Stage<'_>, nth: u32) -> Result<(), Error> {
    let commit = When::request(ApiKey::EndTxn).nth(nth);
    stage.arm(Fault::new("later", commit, Action::Hold { until: "copy answered".into() }));
    repeat(stage)
}

fn repeat(stage: &mut Stage<'_>) -> Result<(), Error> {
    let first = When::request(ApiKey::Produce).holding(stage.written_value(0));
    stage.arm(Fault::new("copy", first, Action::Repeat { upon: "later".into() }));
    quick::start(stage)?;
    stage.moment("later")?;
    stage.aftermath("copy answered")?;
    stage.finish("program")?;
    Ok(())
}
