//! The commit itself is lost on the way, or its answer: the connection breaks before the broker has it, or after.

use proxy::{Action, ApiKey, Fault, Field, When};

use crate::error::Error;
use crate::scenario::{Amount, Case, Exhibit, Mark, Scenario, Setting, Text};
use crate::stage::Stage;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "commit-lost",
    fault: Text {
        en: "a commit (EndTxn, OffsetCommit), or its answer, is lost with the connection",
        fr: "un commit (EndTxn, OffsetCommit), ou sa réponse, se perd avec la connexion",
    },
    teaches: Text {
        en: "a commit can be repeated without harm: it says how things stand, it adds nothing",
        fr: "un commit peut être répété sans dommage : il dit où l'on en est, il n'ajoute rien",
    },
    cases: &[
        Case {
            variant: "request",
            programs: TRANSACTIONS,
            promise: TRANSACTION_ONCE,
            exhibits: &[Exhibit::Mark(Mark::CommitRepeated)],
            why: Text {
                en: "The coordinator never had the EndTxn, so the transaction is still open, with everything that was written in it. librdkafka finds the coordinator again and repeats the EndTxn, and that one commits.",
                fr: "Le coordinateur n'a jamais reçu EndTxn : la transaction est encore ouverte, avec tout ce qui y a été écrit. librdkafka retrouve le coordinateur et répète EndTxn, et c'est celui-là qui la commite.",
            },
            play: end_lost,
            ..CASE
        },
        Case {
            variant: "answer",
            programs: TRANSACTIONS,
            promise: TRANSACTION_ONCE,
            exhibits: &[Exhibit::Mark(Mark::CommitRepeated)],
            why: Text {
                en: "The transaction is committed, only the program does not know, and librdkafka repeats the EndTxn. It names the same producer id and epoch, so the coordinator sees that this transaction is committed already, and answers so without doing it again.",
                fr: "La transaction est commitée, mais le programme ne le sait pas, et librdkafka répète EndTxn. Comme il porte le même producer id et la même epoch, le coordinateur voit que cette transaction est déjà commitée, et le répond sans rien refaire.",
            },
            play: end_answer_lost,
            ..CASE
        },
        Case {
            variant: "request",
            programs: &["consumer-at-most-once"],
            promise: NOT_TWICE,
            why: Text {
                en: "The group's offset has not moved, and the program still waits in its synchronous commit: it has not processed the message yet. librdkafka repeats the OffsetCommit on a new connection, and only its answer lets the processing begin.",
                fr: "L'offset du groupe n'a pas bougé, et le programme attend encore dans son commit synchrone : il n'a pas encore traité le message. librdkafka répète OffsetCommit sur une nouvelle connexion, et seule sa réponse laisse commencer le traitement.",
            },
            play: offset_lost,
            ..CASE
        },
        Case {
            variant: "request",
            programs: &["consumer-at-least-once"],
            promise: NOT_LOST,
            why: Text {
                en: "The message is processed, and the program waits in its synchronous commit. librdkafka repeats the OffsetCommit on a new connection: as long as the program lives, a lost commit costs a moment and no duplicate.",
                fr: "Le message est traité, et le programme attend dans son commit synchrone. librdkafka répète OffsetCommit sur une nouvelle connexion : tant que le programme vit, un commit perdu coûte un instant, pas un doublon.",
            },
            play: offset_lost,
            ..CASE
        },
        Case {
            variant: "answer",
            programs: &["consumer-at-most-once"],
            promise: NOT_TWICE,
            why: Text {
                en: "The offset is committed and the message not processed: if the program died now, the message would be lost. It lives, so librdkafka repeats the OffsetCommit, which sets the same offset once more, and then the message is processed.",
                fr: "L'offset est commité et le message n'est pas traité : si le programme mourait maintenant, le message serait perdu. Il vit : librdkafka répète OffsetCommit, qui pose une seconde fois le même offset, puis le message est traité.",
            },
            play: offset_answer_lost,
            ..CASE
        },
        Case {
            variant: "answer",
            programs: &["consumer-at-least-once"],
            promise: NOT_LOST,
            why: Text {
                en: "Processed and committed: only the program does not know of the commit. librdkafka repeats the OffsetCommit, and the group's offset is set to where it was already.",
                fr: "Traité et commité : le programme ignore seulement que le commit est fait. librdkafka répète OffsetCommit, et l'offset du groupe est posé là où il était déjà.",
            },
            play: offset_answer_lost,
            ..CASE
        },
    ],
};

const CASE: Case = Case {
    settings: &[Setting {
        key: "fetch.wait.max.ms",
        value: Amount::Of("50"),
        why: Text {
            en: "the question where the coordinator is waits behind a Fetch: 50 ms instead of 500",
            fr: "la question « où est le coordinateur ? » attend derrière un Fetch : 50 ms au lieu de 500",
        },
    }],
    play: end_lost,
    ..Case::PLAIN
};

const TRANSACTIONS: &[&str] =
    &["producer-exactly-once", "eos-producer", "consumer-exactly-once", "eos-consumer", "eos-pipeline"];

const TRANSACTION_ONCE: Text = Text {
    en: "the transaction takes effect once, however often its end is asked for",
    fr: "la transaction prend effet une seule fois, même si sa fin est demandée plusieurs fois",
};

const NOT_TWICE: Text = Text { en: "no message is processed twice", fr: "aucun message n'est traité deux fois" };

const NOT_LOST: Text = Text { en: "every message is processed", fr: "chaque message est traité" };

fn end_lost(stage: &mut Stage<'_>) -> Result<(), Error> {
    cut(stage, When::request(ApiKey::EndTxn).with(Field::Commits(true)))
}

fn end_answer_lost(stage: &mut Stage<'_>) -> Result<(), Error> {
    cut(stage, When::response(ApiKey::EndTxn).with(Field::Commits(true)).with(Field::Error(0)))
}

fn offset_lost(stage: &mut Stage<'_>) -> Result<(), Error> {
    cut_last_offset(stage, When::request(ApiKey::OffsetCommit))
}

fn offset_answer_lost(stage: &mut Stage<'_>) -> Result<(), Error> {
    cut_last_offset(stage, When::response(ApiKey::OffsetCommit))
}

fn cut(stage: &mut Stage<'_>, when: When) -> Result<(), Error> {
    stage.fill_input()?;
    stage.arm(Fault::new("commit lost", when, Action::Cut));
    stage.start("program")?;
    stage.moment("commit lost")?;
    stage.finish("program")?;
    Ok(())
}

/// The commit of the last message: no later one can make up for it, so that the next like it is its repetition.
fn cut_last_offset(stage: &mut Stage<'_>, when: When) -> Result<(), Error> {
    stage.fill_input()?;
    let last = || Field::OffsetAtLeast(i64::try_from(stage.messages()).unwrap_or(i64::MAX));
    let again = When::request(ApiKey::OffsetCommit).with(last()).after("commit lost");
    stage.arm(Fault::new("commit lost", when.with(last()), Action::Cut));
    stage.arm(Fault::new("commit repeated", again, Action::Note));
    stage.start("program")?;
    stage.moment("commit repeated")?;
    stage.finish("program")?;
    Ok(())
}
