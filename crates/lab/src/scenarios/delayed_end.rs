//! KAFKA-17754: an old EndTxn(commit) arrives during the next transaction, and ends that one. It has the same
//! transactional id, producer id and epoch, and in transaction protocol 1 (all that librdkafka speaks) nothing else tells
//! two transactions of a producer apart. Protocol 2 (KIP-890) raises the epoch with each transaction.

use proxy::{Action, ApiKey, Fault, Field, When};

use super::restart;
use crate::error::Error;
use crate::ledger::Kind;
use crate::scenario::{Amount, Case, Ends, Exhibit, Mark, Scenario, Setting, Text};
use crate::stage::Stage;

/// COORDINATOR_LOAD_IN_PROGRESS: try again.
const COORDINATOR_LOADING: i16 = 14;

/// NOT_ENOUGH_REPLICAS: try again.
const TOO_FEW_REPLICAS: i16 = 19;

/// INVALID_RECORD: do not try again.
const FOR_GOOD: i16 = 87;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "delayed-end",
    fault: Text {
        en: "the commit (EndTxn) of a transaction is held up in the network, and arrives during the next one (KAFKA-17754)",
        fr: "le commit (EndTxn) d'une transaction est retenu par le réseau, et arrive pendant la suivante (KAFKA-17754)",
    },
    teaches: Text {
        en: "where exactly-once of transaction protocol 1 ends: nothing in an EndTxn says which transaction it is for",
        fr: "où s'arrête l'exactly-once du protocole de transactions 1 : rien dans un EndTxn ne dit de quelle transaction",
    },
    cases: &[
        Case {
            variant: "then killed",
            programs: &["eos-producer"],
            promise: PRODUCER,
            exhibits: &[Exhibit::Anomaly(Kind::Uncommitted), Exhibit::Mark(Mark::CommitRepeated)],
            allows: &[Kind::Missing],
            ends: Ends::Anyhow,
            why: Text {
                en: "The late EndTxn has the transactional id, producer id and epoch of the open transaction, so the coordinator commits it. The program, killed before it asked for that, has left a record that every reader sees; started again, it would send it a second time.",
                fr: "L'EndTxn tardif porte les transactional id, producer id et époque de la transaction ouverte, donc le coordinateur la commite. Le programme, tué avant de l'avoir demandé, laisse un enregistrement que tout lecteur voit ; relancé, il l'enverrait une deuxième fois.",
            },
            play: producer_killed,
            ..CASE
        },
        Case {
            variant: "then aborts",
            programs: &["eos-producer"],
            promise: PRODUCER,
            exhibits: &[
                Exhibit::Anomaly(Kind::Uncommitted),
                Exhibit::Anomaly(Kind::Failed),
                Exhibit::Mark(Mark::CommitRepeated),
            ],
            allows: &[Kind::Missing],
            ends: Ends::Failing,
            why: Text {
                en: "The late EndTxn has committed the transaction that the program then wants to abort. The coordinator refuses that (INVALID_TXN_STATE), a fatal error: the program says `failed`, and the record is visible all the same.",
                fr: "L'EndTxn tardif a commité la transaction que le programme veut ensuite avorter. Le coordinateur le refuse (INVALID_TXN_STATE), une erreur fatale : le programme dit `failed`, et l'enregistrement est visible quand même.",
            },
            play: producer_aborts,
            ..CASE
        },
        Case {
            variant: "then goes on",
            programs: &["eos-producer"],
            promise: PRODUCER,
            exhibits: &[Exhibit::Mark(Mark::CommitRepeated)],
            why: Text {
                en: "The late EndTxn commits the transaction before the program does, whose own commit is then answered as a repetition. With one message per transaction, already stored, nobody notices: it was committed for the wrong reason, at the right moment.",
                fr: "L'EndTxn tardif commite la transaction avant le programme, dont le commit reçoit ensuite la réponse d'une répétition. Avec un seul message par transaction, déjà stocké, personne ne s'en aperçoit : il est commité pour une mauvaise raison, au bon moment.",
            },
            play: producer_goes_on,
            ..CASE
        },
        Case {
            variant: "then killed",
            programs: &["eos-pipeline"],
            promise: PIPELINE,
            exhibits: &[
                Exhibit::Anomaly(Kind::Duplicated),
                Exhibit::Anomaly(Kind::Uncommitted),
                Exhibit::Anomaly(Kind::Repeated),
                Exhibit::Mark(Mark::CommitRepeated),
            ],
            why: Text {
                en: "The late EndTxn commits the results that are stored so far, and not the offsets, which were not sent to the transaction yet. Killed at that moment and started again, the pipeline reads the same messages and writes their results a second time, visible at read_committed.",
                fr: "L'EndTxn tardif commite les résultats déjà stockés, mais pas les offsets, qui n'avaient pas encore été confiés à la transaction. Tué à ce moment et relancé, le pipeline relit les mêmes messages et écrit leurs résultats une deuxième fois, visibles en read_committed.",
            },
            settings: MEMBER,
            play: results_first,
            ..CASE
        },
        Case {
            variant: "offsets first",
            programs: &["eos-pipeline"],
            promise: PIPELINE,
            exhibits: &[Exhibit::Anomaly(Kind::Lost), Exhibit::Mark(Mark::CommitRepeated)],
            why: Text {
                en: "The offsets are in the transaction already, and the results are not stored yet: the late EndTxn commits the offsets alone. Killed at that moment and started again, the pipeline goes on behind messages that have no result: they are lost.",
                fr: "Les offsets sont déjà dans la transaction, et les résultats ne sont pas encore stockés : l'EndTxn tardif commite les offsets seuls. Tué à ce moment et relancé, le pipeline reprend après des messages qui n'ont pas de résultat : ils sont perdus.",
            },
            settings: MEMBER,
            play: offsets_first,
            ..CASE
        },
        Case {
            variant: "then goes on",
            programs: &["eos-pipeline"],
            promise: PIPELINE,
            exhibits: &[
                Exhibit::Anomaly(Kind::Duplicated),
                Exhibit::Anomaly(Kind::Uncommitted),
                Exhibit::Anomaly(Kind::Repeated),
                Exhibit::Mark(Mark::CommitRepeated),
            ],
            why: Text {
                en: "The late EndTxn commits the first result alone; the next Produce belongs to no transaction any more and is refused (INVALID_TXN_STATE), and so is the abort: the pipeline ends with an error. Started again, it reads from the last committed offset and writes the first result a second time.",
                fr: "L'EndTxn tardif commite le premier résultat seul ; le Produce suivant n'appartient plus à aucune transaction et est refusé (INVALID_TXN_STATE), l'abandon aussi : le pipeline se termine par une erreur. Relancé, il reprend au dernier offset commité et écrit le premier résultat une deuxième fois.",
            },
            settings: MEMBER_SENDING_SINGLY,
            play: pipeline_goes_on,
            ..CASE
        },
    ],
};

const PRODUCER: Text = Text {
    en: "what the program did not commit is visible to no read_committed reader",
    fr: "ce que le programme n'a pas commité n'est visible d'aucun lecteur read_committed",
};

const PIPELINE: Text = Text {
    en: "each result stands once in the output, whatever happens to the program",
    fr: "chaque résultat est une fois dans la sortie, quoi qu'il arrive au programme",
};

/// A member that is killed and started again.
const MEMBER: &[Setting] = restart::TAKES_ITS_PLACE;

const MEMBER_SENDING_SINGLY: &[Setting] = &[restart::MEMBER, restart::SESSION, SINGLY];

const SINGLY: Setting = Setting {
    key: "batch.num.messages",
    value: Amount::Of("1"),
    why: Text {
        en: "each result in a Produce of its own, so that the late EndTxn can come between two of them",
        fr: "chaque résultat dans un Produce à lui, pour que l'EndTxn tardif puisse arriver entre deux d'entre eux",
    },
};

const CASE: Case = Case { messages: 5, play: producer_goes_on, ..Case::PLAIN };

/// The program's first EndTxn is taken from it, and comes to the broker after this signal. The program, whose connection
/// has broken, sends it again, and goes on to its next transaction.
fn delay_the_first(stage: &Stage<'_>, program: &str, until: &str) {
    let commit = When::request(ApiKey::EndTxn).of(program);
    stage.arm(Fault::new(OLD, commit, Action::Postpone { until: until.into() }));
}

const OLD: &str = "old commit";

/// The late EndTxn has had its effect. None, where each transaction has an epoch of its own: it is refused.
fn second_committed(stage: &Stage<'_>) -> Result<(), Error> {
    stage.moment("old commit answered")?;
    if stage.late_one_taken() { stage.markers() } else { Ok(()) }
}

/// The second message is stored, and the program does not know yet.
fn hold_the_answer(stage: &Stage<'_>) {
    let produce = When::response(ApiKey::Produce).holding(stage.written_value(1));
    stage.arm(Fault::new("second stored", produce, Action::Hold { until: "old commit done".into() }));
}

fn producer_killed(stage: &mut Stage<'_>) -> Result<(), Error> {
    delay_the_first(stage, "program", "second stored");
    hold_the_answer(stage);
    stage.start("program")?;
    second_committed(stage)?;
    stage.kill("program")
}

fn producer_goes_on(stage: &mut Stage<'_>) -> Result<(), Error> {
    delay_the_first(stage, "program", "second stored");
    hold_the_answer(stage);
    stage.start("program")?;
    second_committed(stage)?;
    stage.signal("old commit done");
    stage.finish("program")?;
    Ok(())
}

/// A reason to abort: the answer is lost, and the retry refused.
fn producer_aborts(stage: &mut Stage<'_>) -> Result<(), Error> {
    delay_the_first(stage, "program", "second stored");
    let stored = When::response(ApiKey::Produce).holding(stage.written_value(1));
    stage.arm(Fault::new("second stored", stored, Action::Cut));
    let retry = When::request(ApiKey::Produce).holding(stage.written_value(1)).nth(2);
    let refused = Action::Answer { error: FOR_GOOD, until: Some("old commit done".into()) };
    stage.arm(Fault::new("retry refused", retry, refused));
    stage.start("program")?;
    second_committed(stage)?;
    stage.signal("old commit done");
    stage.finish("program")?;
    Ok(())
}

/// How many messages stand in the input at first: the pipeline's first transaction.
const FIRST: usize = 3;

/// The input comes in two parts, so that there are two transactions.
fn two_transactions(stage: &mut Stage<'_>) -> Result<(), Error> {
    stage.fill_some(0..FIRST)?;
    stage.start("first")?;
    // `process:` for each message, and `committed`.
    stage.lines("first", FIRST + 1)?;
    stage.fill_some(FIRST..stage.messages())
}

/// The coordinator does not take this instance's offsets in its second transaction.
fn refuse_offsets(stage: &Stage<'_>) {
    let offsets = When::request(ApiKey::TxnOffsetCommit).of("first").after(OLD).always();
    stage.arm(Fault::new("offsets refused", offsets, Action::Answer { error: COORDINATOR_LOADING, until: None }));
}

fn results_first(stage: &mut Stage<'_>) -> Result<(), Error> {
    delay_the_first(stage, "first", "results stored");
    let produce = When::response(ApiKey::Produce).of("first").holding(stage.written_value(FIRST));
    stage.arm(Fault::new("results stored", produce, Action::Note));
    refuse_offsets(stage);
    two_transactions(stage)?;
    killed_and_started_again(stage)
}

fn offsets_first(stage: &mut Stage<'_>) -> Result<(), Error> {
    delay_the_first(stage, "first", "offsets sent");
    let offsets = When::response(ApiKey::TxnOffsetCommit).of("first").after(OLD).with(Field::Error(0));
    stage.arm(Fault::new("offsets sent", offsets, Action::Note));
    let produce = When::request(ApiKey::Produce).of("first").after(OLD).always();
    let refused = Action::Answer { error: TOO_FEW_REPLICAS, until: None };
    stage.arm(Fault::new("results refused", produce, refused));
    two_transactions(stage)?;
    killed_and_started_again(stage)
}

fn killed_and_started_again(stage: &mut Stage<'_>) -> Result<(), Error> {
    second_committed(stage)?;
    stage.kill("first")?;
    second(stage)
}

/// There may be nothing left to do for it: it is given the time to see that.
fn second(stage: &mut Stage<'_>) -> Result<(), Error> {
    stage.arm(Fault::new("second reads", When::request(ApiKey::Fetch).of("second"), Action::Note));
    stage.start("second")?;
    stage.moment("second reads")?;
    stage.finish("second")?;
    Ok(())
}

/// The first result of the second transaction is stored; the next one is sent when the late EndTxn has had its effect.
fn pipeline_goes_on(stage: &mut Stage<'_>) -> Result<(), Error> {
    delay_the_first(stage, "first", "result stored");
    let stored = When::response(ApiKey::Produce).of("first").holding(stage.written_value(FIRST));
    stage.arm(Fault::new("result stored", stored, Action::Note));
    let next = When::request(ApiKey::Produce).of("first").holding(stage.written_value(FIRST + 1));
    let not_yet = Action::Answer { error: TOO_FEW_REPLICAS, until: Some("old commit done".into()) };
    stage.arm(Fault::new("next not yet", next, not_yet));
    refuse_offsets(stage);
    two_transactions(stage)?;
    second_committed(stage)?;
    stage.signal("old commit done");
    stage.join("first")?;
    second(stage)
}
