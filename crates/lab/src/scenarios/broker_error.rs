//! The broker refuses a batch with an error code: for now, while the next batch is stored; or for good.

use proxy::{Action, ApiKey, Fault, When};

use super::quick;
use crate::error::Error;
use crate::ledger::Kind;
use crate::scenario::{Amount, Case, Ends, Exhibit, Mark, Scenario, Setting, Text};
use crate::stage::Stage;

/// NOT_ENOUGH_REPLICAS: the batch is not stored; try again.
const FOR_NOW: i16 = 19;

/// INVALID_RECORD, as for a record without a key in a compacted topic: the batch is not stored; trying again is of no use.
const FOR_GOOD: i16 = 87;

/// In the batch that is refused, and in one behind it.
const REFUSED: usize = 10;
const BEHIND: usize = REFUSED + 2;

/// For the idempotent producer, librdkafka builds no further batch once five *messages* are in flight.
const PAIRS: Setting = Setting {
    key: "batch.num.messages",
    value: Amount::Of("2"),
    why: Text {
        en: "small batches, so that one is under way behind the other: their size has no part in the guarantee",
        fr: "de petits lots, pour qu'il y en ait un en route derrière l'autre : leur taille n'entre pour rien dans la garantie",
    },
};

const ONE_IN_FLIGHT: Setting = Setting {
    key: "max.in.flight.requests.per.connection",
    value: Amount::Of("1"),
    why: Text {
        en: "the usual advice against reordering: this variant puts it to the test",
        fr: "le conseil habituel contre le désordre : cette variante le met à l'épreuve",
    },
};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "broker-error",
    fault: Text {
        en: "a batch is answered with an error code: for now, while the next one is under way, or for good",
        fr: "un lot reçoit un code d'erreur en réponse : passager, alors que le suivant est en route, ou définitif",
    },
    teaches: Text {
        en: "retries change the order, unless sequence numbers keep it; a transaction fails as a whole",
        fr: "les réessais changent l'ordre, sauf si des numéros de séquence le gardent ; une transaction échoue en entier",
    },
    cases: &[
        Case {
            variant: "next stored",
            programs: &["producer-at-least-once"],
            promise: AT_LEAST_ONCE,
            exhibits: &[Exhibit::Anomaly(Kind::Reordered), Exhibit::Mark(Mark::Resent)],
            why: Text {
                en: "While the refused batch waits for its retry, the broker stores the next one, which was on its way. The retry arrives behind it: nothing tells the broker where it belongs.",
                fr: "Pendant que le lot refusé attend son réessai, le broker stocke le suivant, qui était en route. Le réessai arrive après lui : rien ne dit au broker où est sa place.",
            },
            settings: &[PAIRS, quick::RETRY_SOON],
            play: next_stored,
            ..CASE
        },
        Case {
            variant: "one in flight",
            programs: &["producer-at-least-once"],
            promise: AT_LEAST_ONCE,
            exhibits: &[Exhibit::Anomaly(Kind::Reordered), Exhibit::Mark(Mark::Resent)],
            why: Text {
                en: "max.in.flight.requests.per.connection=1 keeps the next batch from leaving before the answer, not from being built. When the error comes, the refused batch must wait for its back-off (retry.backoff.ms), and the one that is ready leaves before it.",
                fr: "max.in.flight.requests.per.connection=1 empêche le lot suivant de partir avant la réponse, pas d'être préparé. Quand l'erreur arrive, le lot refusé doit attendre son délai de réessai (retry.backoff.ms), et celui qui est prêt part avant lui.",
            },
            settings: &[ONE_IN_FLIGHT, PAIRS, quick::RETRY_SOON],
            play: one_in_flight,
            ..CASE
        },
        Case {
            variant: "next stored",
            programs: &["producer-exactly-once"],
            promise: EXACTLY_ONCE,
            exhibits: &[Exhibit::Mark(Mark::Aborted), Exhibit::Anomaly(Kind::Aborted)],
            ends: Ends::Failing,
            why: Text {
                en: "The broker refuses the next batch too: its sequence number leaves a gap (OUT_OF_ORDER_SEQUENCE_NUMBER), so nothing can overtake. librdkafka then asks for the transaction to be aborted, and a read_committed reader sees nothing of it: all or nothing, and this time nothing.",
                fr: "Le broker refuse aussi le lot suivant : son numéro de séquence laisse un trou (OUT_OF_ORDER_SEQUENCE_NUMBER), donc rien ne peut doubler. librdkafka demande alors d'avorter la transaction, et un lecteur read_committed n'en voit rien : tout ou rien, et cette fois rien.",
            },
            settings: &[PAIRS],
            play: next_stored,
            ..CASE
        },
        Case {
            variant: "next stored",
            programs: &["eos-pipeline"],
            promise: PIPELINE,
            exhibits: &[Exhibit::Mark(Mark::Aborted), Exhibit::Anomaly(Kind::Repeated)],
            why: Text {
                en: "The broker refuses the next batch too, for the gap in the sequence numbers, and the transaction has to be aborted. The pipeline goes back to the committed offsets and does the batch again: the lines `process:` are there twice, the results once.",
                fr: "Le broker refuse aussi le lot suivant, à cause du trou dans les numéros de séquence, et la transaction doit être avortée. Le pipeline revient aux offsets commités et refait le lot : les lignes `process:` sont là deux fois, les résultats une fois.",
            },
            settings: &[PAIRS],
            play: next_stored,
            ..CASE
        },
        Case {
            variant: "alone",
            programs: &["producer-exactly-once", "eos-producer"],
            promise: EXACTLY_ONCE,
            exhibits: &[Exhibit::Mark(Mark::Resent)],
            why: Text {
                en: "With nothing behind it, the batch is sent again with the sequence number that the broker still expects. The transaction goes on as if nothing had been.",
                fr: "Sans rien derrière lui, le lot est renvoyé avec le numéro de séquence que le broker attend toujours. La transaction continue comme si de rien n'était.",
            },
            play: alone,
            ..CASE
        },
        Case {
            variant: "refused",
            programs: &["producer-at-least-once"],
            promise: AT_LEAST_ONCE,
            exhibits: &[Exhibit::Anomaly(Kind::Failed)],
            ends: Ends::Failing,
            why: Text {
                en: "An error that is not retriable (INVALID_RECORD) ends the attempts at once: the batch is reported as `failed`. The batches around it are stored: without a transaction, nothing holds them together.",
                fr: "Une erreur qui n'est pas réessayable (INVALID_RECORD) met fin aux tentatives aussitôt : le lot est annoncé comme `failed`. Les lots voisins sont stockés : sans transaction, rien ne les lie.",
            },
            settings: &[PAIRS],
            play: refused,
            ..CASE
        },
        Case {
            variant: "refused",
            programs: &["producer-exactly-once"],
            promise: EXACTLY_ONCE,
            exhibits: &[Exhibit::Mark(Mark::Aborted), Exhibit::Anomaly(Kind::Aborted)],
            ends: Ends::Failing,
            why: Text {
                en: "One refused batch makes the transaction incomplete, and the program aborts it. What the broker had stored of it stays in the log, and no read_committed reader ever sees it.",
                fr: "Un seul lot refusé rend la transaction incomplète, et le programme l'avorte. Ce que le broker en avait stocké reste dans le log, et aucun lecteur read_committed ne le voit jamais.",
            },
            settings: &[PAIRS],
            play: refused,
            ..CASE
        },
        Case {
            variant: "refused",
            programs: &["eos-producer"],
            promise: EXACTLY_ONCE,
            exhibits: &[Exhibit::Mark(Mark::Aborted), Exhibit::Anomaly(Kind::Failed)],
            ends: Ends::Failing,
            why: Text {
                en: "Each attempt is a transaction of its own, and is aborted; after five the program reports the message as `failed`. Its neighbours have transactions of their own, and are committed.",
                fr: "Chaque tentative est une transaction à part, et est avortée ; après cinq, le programme annonce le message comme `failed`. Ses voisins ont leurs propres transactions, qui sont commitées.",
            },
            play: refused_always,
            ..CASE
        },
        Case {
            variant: "refused",
            programs: &["eos-pipeline"],
            promise: PIPELINE,
            exhibits: &[Exhibit::Mark(Mark::Aborted), Exhibit::Anomaly(Kind::Repeated)],
            why: Text {
                en: "The transaction is aborted, with the results that were stored and the offsets that were not. The pipeline reads the same messages again, and the second attempt is committed.",
                fr: "La transaction est avortée, avec les résultats déjà stockés et les offsets qui ne l'étaient pas encore. Le pipeline relit les mêmes messages, et la seconde tentative est commitée.",
            },
            settings: &[PAIRS],
            play: refused,
            ..CASE
        },
    ],
};

const AT_LEAST_ONCE: Text = Text {
    en: "what was acknowledged is stored; nothing is said of the order",
    fr: "ce qui est acquitté est stocké ; de l'ordre, rien n'est dit",
};

const EXACTLY_ONCE: Text = Text {
    en: "a transaction counts whole or not at all, in the order of sending",
    fr: "une transaction compte en entier ou pas du tout, dans l'ordre d'envoi",
};

const PIPELINE: Text = Text {
    en: "each result stands once in the output, in the order of the input",
    fr: "chaque résultat est une fois dans la sortie, dans l'ordre de l'entrée",
};

const CASE: Case = Case { play: next_stored, ..Case::PLAIN };

/// The error is told when the next batch has been passed on to the broker, not before: told at once, it would be a race
/// between the two.
fn next_stored(stage: &mut Stage<'_>) -> Result<(), Error> {
    let refused = When::request(ApiKey::Produce).holding(stage.written_value(REFUSED));
    let behind = When::request(ApiKey::Produce).holding(stage.written_value(BEHIND));
    let answer = Action::Answer { error: FOR_NOW, until: Some("next sent".into()) };
    stage.arm(Fault::new("refused", refused, answer));
    stage.arm(Fault::new("next sent", behind, Action::Note));
    quick::start(stage)?;
    stage.moment("next sent")?;
    stage.finish("program")?;
    Ok(())
}

/// Three refusals: if the next batch is not there at the first one, it is built behind the retry.
fn one_in_flight(stage: &mut Stage<'_>) -> Result<(), Error> {
    let refused = When::request(ApiKey::Produce).holding(stage.written_value(REFUSED)).times(3);
    stage.arm(Fault::new("refused", refused, Action::Answer { error: FOR_NOW, until: None }));
    quick::start(stage)?;
    stage.moments("refused", 3)?;
    stage.finish("program")?;
    Ok(())
}

fn alone(stage: &mut Stage<'_>) -> Result<(), Error> {
    let last = When::request(ApiKey::Produce).holding(stage.written_value(19));
    stage.arm(Fault::new("refused", last, Action::Answer { error: FOR_NOW, until: None }));
    quick::start(stage)?;
    stage.moment("refused")?;
    stage.finish("program")?;
    Ok(())
}

fn refused(stage: &mut Stage<'_>) -> Result<(), Error> {
    refuse(stage, 1)
}

fn refused_always(stage: &mut Stage<'_>) -> Result<(), Error> {
    refuse(stage, u32::MAX)
}

fn refuse(stage: &mut Stage<'_>, times: u32) -> Result<(), Error> {
    let refused = When::request(ApiKey::Produce).holding(stage.written_value(REFUSED)).times(times);
    stage.arm(Fault::new("refused", refused, Action::Answer { error: FOR_GOOD, until: None }));
    quick::start(stage)?;
    stage.moment("refused")?;
    stage.finish("program")?;
    Ok(())
}
