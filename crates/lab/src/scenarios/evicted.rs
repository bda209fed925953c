//! A member of a group stands still while it works, and the group goes on without it: its partitions, and the messages
//! that it has under way, are another member's. Then it wakes up and goes on.

use proxy::{Action, Alteration, ApiKey, Fault, Field, When};

use super::members::{MISSED, SAME_PLACE};
use crate::catalogue::Role;
use crate::error::Error;
use crate::ledger::Kind;
use crate::scenario::{Case, Ends, Exhibit, Mark, Scenario, Text};
use crate::stage::Stage;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "evicted",
    fault: Text {
        en: "a member freezes while it works, the group gives its partitions to another, then it goes on",
        fr: "un membre se fige en plein travail, le groupe donne ses partitions à un autre, puis il continue",
    },
    teaches: Text {
        en: "an evicted member cannot commit: who has only printed repeats, a transaction is aborted whole",
        fr: "un membre évincé ne peut plus valider : ce qui a été affiché se répète, une transaction avorte en entier",
    },
    cases: &[
        Case { variant: SESSION, settings: MISSED, ..AT_MOST_ONCE },
        Case { variant: SESSION, settings: MISSED, ..AT_LEAST_ONCE },
        Case { variant: SESSION, settings: MISSED, ..CONSUMER },
        Case { variant: SESSION, settings: MISSED, ..PIPELINE },
        Case { variant: INSTANCE, settings: SAME_PLACE, play: replaced, ..AT_MOST_ONCE },
        Case { variant: INSTANCE, settings: SAME_PLACE, play: replaced, ..AT_LEAST_ONCE },
        Case { variant: INSTANCE, settings: SAME_PLACE, play: replaced, ..CONSUMER },
        Case { variant: INSTANCE, settings: SAME_PLACE, play: replaced, ..PIPELINE },
        Case {
            variant: "no metadata",
            programs: &["eos-pipeline"],
            promise: Text {
                en: "each result is in the output once; it is not kept here, since the group metadata is taken out of the requests",
                fr: "chaque résultat est une fois dans la sortie ; promesse rompue ici, car les métadonnées du groupe sont retirées des requêtes",
            },
            exhibits: &[
                Exhibit::Anomaly(Kind::Duplicated),
                Exhibit::Anomaly(Kind::Repeated),
                Exhibit::Mark(Mark::OffsetsRewound),
            ],
            settings: MISSED,
            why: Text {
                en: "Without group metadata (generation −1 and no member, as clients before KIP-447 send it) the coordinator takes the offsets of anybody: the evicted member commits its results a second time. Its offsets are older than those of its successor, so the group moves backwards, and the messages in between are done a third time.",
                fr: "Sans métadonnées du groupe (génération −1 et aucun membre, comme l'envoient les clients antérieurs à KIP-447), le coordinateur prend les offsets de n'importe qui : le membre évincé valide ses résultats une seconde fois. Ses offsets sont plus anciens que ceux de son successeur : le groupe recule, et les messages qui suivent sont refaits eux aussi.",
            },
            play: no_metadata,
            ..CASE
        },
    ],
};

const SESSION: &str = "session";
const INSTANCE: &str = "instance id";

const AT_MOST_ONCE: Case = Case {
    programs: &["consumer-at-most-once"],
    promise: Text { en: "no message is processed twice", fr: "aucun message n'est traité deux fois" },
    exhibits: &[REFUSED],
    why: Text {
        en: "The evicted member's commit is refused, and what it could not commit it does not process. The message is its successor's, which started from the last committed offset: processed once.",
        fr: "La validation du membre évincé est refusée, et ce qu'il n'a pas pu valider, il ne le traite pas. Le message revient à son successeur, reparti du dernier offset validé : il est traité une fois.",
    },
    ..CASE
};

const AT_LEAST_ONCE: Case = Case {
    programs: &["consumer-at-least-once"],
    promise: Text {
        en: "each message is processed; it may be processed again",
        fr: "chaque message est traité ; il peut l'être de nouveau",
    },
    exhibits: &[REFUSED, Exhibit::Anomaly(Kind::Duplicated)],
    why: Text {
        en: "The evicted member had processed its message and not committed it, so its successor got it again. The late commit is refused, which saves the group's offset, not the message: it is processed twice.",
        fr: "Le membre évincé avait traité son message sans l'avoir validé : son successeur l'a donc reçu de nouveau. La validation tardive est refusée, ce qui protège l'offset du groupe, pas le message : il est traité deux fois.",
    },
    ..CASE
};

const CONSUMER: Case = Case {
    programs: &["consumer-exactly-once", "eos-consumer"],
    promise: Text {
        en: "the committed offset moves once past each message, with a transaction; what is printed may be printed again",
        fr: "l'offset validé passe une fois sur chaque message, avec une transaction ; l'affichage, lui, peut se répéter",
    },
    exhibits: &[REFUSED, ABORTED, Exhibit::Anomaly(Kind::Duplicated)],
    why: Text {
        en: "The offsets that the evicted member adds to its transaction name it as a member; the group knows it no longer and refuses them, and the transaction is aborted. Both members have printed the messages: only the offset is in the transaction.",
        fr: "Les offsets que le membre évincé ajoute à sa transaction le désignent comme membre ; le groupe ne le connaît plus et les refuse : la transaction est avortée. Les deux membres ont affiché les messages : seul l'offset est dans la transaction.",
    },
    ..CASE
};

const PIPELINE: Case = Case {
    programs: &["eos-pipeline"],
    promise: Text {
        en: "each result is in the output once, although two members have produced it",
        fr: "chaque résultat est une fois dans la sortie, bien que deux membres l'aient produit",
    },
    exhibits: &[REFUSED, ABORTED, Exhibit::Anomaly(Kind::Repeated)],
    why: Text {
        en: "The evicted member's results are already in the output topic, in an open transaction. Its offsets carry the group metadata of a member that the group has gone on without: they are refused, so the transaction is aborted, and read_committed readers never see those results.",
        fr: "Les résultats du membre évincé sont déjà dans le topic de sortie, dans une transaction ouverte. Ses offsets portent les métadonnées d'un membre dont le groupe se passe désormais : ils sont refusés, la transaction est avortée, et les lecteurs en read_committed ne voient jamais ces résultats.",
    },
    ..CASE
};

const REFUSED: Exhibit = Exhibit::Mark(Mark::OffsetsRefused);
const ABORTED: Exhibit = Exhibit::Mark(Mark::Aborted);

const CASE: Case = Case {
    variant: "",
    programs: &[],
    promise: Text { en: "", fr: "" },
    exhibits: &[],
    allows: &[],
    ends: Ends::Well,
    why: Text { en: "", fr: "" },
    // Two batches of eos-consumer.
    messages: 20,
    partitions: 1,
    settings: &[],
    play: missed,
};

/// The group misses the heartbeats of the first member; when it wakes up it joins again, and both go on.
fn missed(stage: &mut Stage<'_>) -> Result<(), Error> {
    taken_over(stage)?;
    stage.moment("refused")?;
    stage.drain()?;
    stage.stop("first")?;
    stage.stop("second")?;
    Ok(())
}

/// The second member has the instance id of the first, which learns that it is fenced, and stops.
fn replaced(stage: &mut Stage<'_>) -> Result<(), Error> {
    taken_over(stage)?;
    stage.moment("refused")?;
    stage.ends("first", Ends::Failing)?;
    stage.join("first")?;
    stage.finish("second")?;
    Ok(())
}

/// The first member is about to commit its second message, or a batch; the second one does all that is there.
fn taken_over(stage: &mut Stage<'_>) -> Result<(), Error> {
    let api = match stage.program.role {
        Role::Consumer { transactional: false, .. } => ApiKey::OffsetCommit,
        _ => ApiKey::TxnOffsetCommit,
    };
    // A pipeline may have all its input in one batch.
    let nth = if let Role::Pipeline { .. } = stage.program.role { 1 } else { 2 };
    stage.arm(Fault::new("frozen", When::request(api).of("first").nth(nth), Action::Freeze { until: "awake".into() }));
    let answer = When::response(api).of("first").after("awake");
    stage.arm(Fault::new("refused", answer, Action::Note));
    stage.fill()?;
    stage.start_apart("first")?;
    stage.moment("frozen")?;
    stage.start_apart("second")?;
    stage.drain()?;
    stage.thaw("first")?;
    stage.signal("awake");
    Ok(())
}

/// The first member has half of the input in its transaction, and is about to add its offsets.
fn no_metadata(stage: &mut Stage<'_>) -> Result<(), Error> {
    let offsets = When::request(ApiKey::AddOffsetsToTxn).of("first");
    stage.arm(Fault::new("frozen", offsets, Action::Freeze { until: "awake".into() }));
    let metadata = When::request(ApiKey::TxnOffsetCommit).always();
    stage.arm(Fault::new("no metadata", metadata, Action::Alter(Alteration::NoGroupMetadata)));
    let late = When::response(ApiKey::EndTxn).of("first").with(Field::Commits(true)).after("awake");
    stage.arm(Fault::new("late commit", late, Action::Note));
    // Whoever has the partition then starts where the late commit has put the group.
    let again = When::response(ApiKey::EndTxn).with(Field::Commits(true)).after("late commit");
    stage.arm(Fault::new("done again", again, Action::Note));
    let half = stage.messages() / 2;
    stage.fill_some(0..half)?;
    stage.start_apart("first")?;
    stage.moment("frozen")?;
    stage.fill_some(half..stage.messages())?;
    stage.start_apart("second")?;
    stage.drain()?;
    stage.thaw("first")?;
    stage.signal("awake");
    stage.moment("done again")?;
    stage.drain()?;
    stage.stop("first")?;
    stage.stop("second")?;
    Ok(())
}
