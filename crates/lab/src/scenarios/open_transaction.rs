//! A transaction stays open: one in the input, which holds back its readers, and one of the program's own, which holds
//! back its successor.

use std::time::Duration;

use proxy::{Action, ApiKey, Fault, Field, When};

use super::restart::{MEMBER, SESSION, TAKES_ITS_PLACE, killed};
use crate::error::Error;
use crate::ledger::Kind;
use crate::scenario::{Amount, Case, Exhibit, Mark, Scenario, Setting, Text};
use crate::stage::{Stage, Start};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "open-transaction",
    fault: Text {
        en: "a transaction stays open: in the input, or the killed program's own",
        fr: "une transaction reste ouverte : dans l'entrée, ou celle du programme qui a été tué",
    },
    teaches: Text {
        en: "an open transaction makes readers wait for its timeout; a stable transactional.id ends it at once",
        fr: "une transaction ouverte fait attendre les lecteurs jusqu'à son délai ; un transactional.id stable y met fin aussitôt",
    },
    cases: &[
        Case {
            variant: "timeout",
            programs: READERS,
            promise: WAITS,
            exhibits: &[Exhibit::Mark(Mark::Stalled)],
            why: Text {
                en: "A read_committed reader gets nothing beyond the last stable offset, which stands before the first open transaction: the messages behind it are committed and not shown. Its producer is gone, so only transaction.timeout.ms ends the wait (1 s here, 60 by default): then the coordinator aborts the transaction.",
                fr: "Un lecteur read_committed ne reçoit rien au-delà du dernier offset stable, placé devant la première transaction ouverte : les messages qui suivent sont commités et ne se montrent pas. Son producteur a disparu : seul transaction.timeout.ms (1 s ici, 60 par défaut) met fin à l'attente, quand le coordinateur avorte la transaction.",
            },
            settings: &[ASKS_OFTEN],
            play: until_timeout,
            ..CASE
        },
        Case {
            variant: "stable id",
            programs: READERS,
            promise: WAITS,
            exhibits: &[Exhibit::Mark(Mark::Stalled)],
            why: Text {
                en: "The reader stands at the last stable offset, before a transaction whose producer is gone. Another producer starts with the same transactional.id: its InitProducerId aborts the old transaction at once, the last stable offset moves on, and so does the reader.",
                fr: "Le lecteur est arrêté au dernier offset stable, devant une transaction dont le producteur a disparu. Un autre producteur démarre avec le même transactional.id : son InitProducerId avorte aussitôt l'ancienne transaction, le dernier offset stable avance, et le lecteur avec lui.",
            },
            settings: &[ASKS_OFTEN],
            play: until_succeeded,
            ..CASE
        },
        Case {
            variant: "own random id",
            programs: &["eos-consumer"],
            promise: GROUP_GOES_ON,
            exhibits: &[Exhibit::Anomaly(Kind::Duplicated), Exhibit::Mark(Mark::Stalled)],
            why: Text {
                en: "The dead instance has left offsets pending in its transaction, and nobody has its random transactional.id (the course's uuid4) to abort it. The successor is refused the group's offsets (UNSTABLE_OFFSET_COMMIT) and stands still until transaction.timeout.ms is over: 1 s here, 60 by default.",
                fr: "L'instance morte a laissé des offsets en attente dans sa transaction, et personne n'a son transactional.id aléatoire (le uuid4 du cours) pour l'avorter. Le successeur se voit refuser les offsets du groupe (UNSTABLE_OFFSET_COMMIT) et attend la fin de transaction.timeout.ms : 1 s ici, 60 par défaut.",
            },
            settings: &[
                MEMBER,
                SESSION,
                Setting {
                    key: "transaction.timeout.ms",
                    value: Amount::Of("1000"),
                    why: Text {
                        en: "how long the successor waits: 1 s instead of a minute",
                        fr: "la durée de l'attente du successeur : 1 s au lieu d'une minute",
                    },
                },
            ],
            play: own_of_nobody,
            ..CASE
        },
        Case {
            variant: "own stable id",
            programs: &["eos-consumer"],
            promise: GROUP_GOES_ON,
            exhibits: &[Exhibit::Anomaly(Kind::Duplicated)],
            why: Text {
                en: "The same death in the same transaction, but the successor has the same transactional.id: its InitProducerId aborts the transaction before it asks for offsets. It goes on at once, whatever transaction.timeout.ms says (60 s here), and prints that batch again, as it has to.",
                fr: "La même mort dans la même transaction, mais le successeur a le même transactional.id : son InitProducerId avorte la transaction avant qu'il ne demande les offsets. Il continue aussitôt, quel que soit transaction.timeout.ms (60 s ici), et affiche ce lot de nouveau, comme il se doit.",
            },
            settings: TAKES_ITS_PLACE,
            play: own,
            ..CASE
        },
    ],
};

const CASE: Case = Case { play: until_timeout, ..Case::PLAIN };

const READERS: &[&str] =
    &["consumer-at-most-once", "consumer-at-least-once", "consumer-exactly-once", "eos-consumer", "eos-pipeline"];

const WAITS: Text = Text {
    en: "the guarantee holds, however long the reader has to wait",
    fr: "la garantie tient, aussi longtemps que le lecteur doive attendre",
};

const GROUP_GOES_ON: Text = Text {
    en: "no message is lost; an offset counts only if its transaction is committed",
    fr: "aucun message n'est perdu ; un offset ne compte que si sa transaction est commitée",
};

const ASKS_OFTEN: Setting = Setting {
    key: "fetch.wait.max.ms",
    value: Amount::Of("50"),
    why: Text {
        en: "the waiting reader asks again every 50 ms instead of every 500",
        fr: "le lecteur qui attend redemande toutes les 50 ms au lieu de toutes les 500",
    },
};

/// How long the open transaction of the input lives where nobody ends it: librdkafka allows no less. The reader runs
/// already, and asks twenty times in it.
const TIMEOUT: Duration = Duration::from_secs(1);

/// Longer than any run.
const LONG: Duration = Duration::from_secs(60);

/// Kafka's error code for offsets that a transaction still holds.
const UNSTABLE_OFFSET_COMMIT: i16 = 88;

fn until_timeout(stage: &mut Stage<'_>) -> Result<(), Error> {
    stands_still(stage, TIMEOUT)?;
    stage.finish("program")?;
    Ok(())
}

fn until_succeeded(stage: &mut Stage<'_>) -> Result<(), Error> {
    stands_still(stage, LONG)?;
    stage.succeed_open()?;
    stage.finish("program")?;
    Ok(())
}

/// The program has done one half of the input, and stands before an open transaction; the other half is behind it.
fn stands_still(stage: &mut Stage<'_>, timeout: Duration) -> Result<(), Error> {
    let half = stage.messages() / 2;
    stage.fill_some(0..half)?;
    stage.start("program")?;
    let writer = stage.open_writer(timeout)?;
    stage.lines("program", half)?;
    stage.leave_open(writer)?;
    // The first answer may be from before; then it stands where it stood.
    let fetched = When::response(ApiKey::Fetch).of("program").nth(3);
    stage.arm(Fault::new("stands still", fetched, Action::Note));
    stage.moment("stands still")?;
    stage.fill_some(half..stage.messages())
}

fn own(stage: &mut Stage<'_>) -> Result<(), Error> {
    stage.fill()?;
    killed(stage, [commit()])
}

/// The second instance is up to joining the group before the first begins its transaction, so that the transaction's time
/// goes by while it waits, and not while it starts.
fn own_of_nobody(stage: &mut Stage<'_>) -> Result<(), Error> {
    let random_id = || Start { transactional_id: Some(None), ..Start::default() };
    let until = |signal: &str| Action::Hold { until: signal.to_owned() };
    let messages = When::response(ApiKey::Fetch).of("first").with(Field::HasRecords);
    let joining = When::request(ApiKey::JoinGroup).of("second");
    let withheld = When::response(ApiKey::OffsetFetch).of("second").with(Field::Error(UNSTABLE_OFFSET_COMMIT));
    stage.fill()?;
    stage.arm(Fault::new("first has messages", messages, until("second joins")));
    stage.arm(Fault::new("second joins", joining, until("killed")));
    stage.arm(Fault::new("killed", commit().of("first"), Action::Kill));
    stage.arm(Fault::new("offsets withheld", withheld, Action::Note));
    stage.start_with("first", random_id())?;
    stage.moment("first has messages")?;
    stage.start_with("second", random_id())?;
    stage.moment("killed")?;
    stage.moment("offsets withheld")?;
    stage.finish("second")?;
    Ok(())
}

fn commit() -> When {
    When::request(ApiKey::EndTxn).with(Field::Commits(true))
}
