//! A member of a group stands still while it works, and the group goes on without it: its partitions, and the messages
//! that it has under way, are another member's. Then it wakes up and goes on.

use proxy::{Action, Alteration, ApiKey, Fault, Field, When};

use super::members::{MISSED, SAME_PLACE, finish_both};
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
        en: "the group refuses the offsets of an evicted member: a transaction goes with them, a print does not",
        fr: "le groupe refuse les offsets d'un membre évincé : une transaction disparaît avec eux, un affichage non",
    },
    cases: &[
        Case { variant: SESSION, settings: MISSED, play: missed, ..AT_MOST_ONCE },
        Case { variant: SESSION, settings: MISSED, play: missed, ..AT_LEAST_ONCE },
        Case { variant: SESSION, settings: MISSED, play: missed, ..CONSUMER },
        Case { variant: SESSION, settings: MISSED, play: missed, ..PIPELINE },
        INSTANCE_AT_MOST_ONCE,
        INSTANCE_AT_LEAST_ONCE,
        INSTANCE_CONSUMER,
        INSTANCE_PIPELINE,
        Case {
            variant: "no metadata",
            programs: &["eos-pipeline"],
            promise: Text {
                en: "each input has one visible result; here the group metadata are taken out of the requests, to see what they are for",
                fr: "chaque entrée a un seul résultat visible ; ici, les métadonnées du groupe sont retirées des requêtes, pour voir à quoi elles servent",
            },
            exhibits: &[
                Exhibit::Anomaly(Kind::Duplicated),
                Exhibit::Anomaly(Kind::Repeated),
                Exhibit::Mark(Mark::OffsetsRewound),
            ],
            messages: 20,
            partitions: 1,
            settings: MISSED,
            why: Text {
                en: "Without group metadata (generation −1 and no member, as clients before KIP-447 send it) the group coordinator takes anybody's offsets, and the evicted member commits its results a second time. Its offsets are older than its successor's: the group goes back to them, and what follows is done again too.",
                fr: "Sans métadonnées du groupe (génération −1 et aucun membre, comme l'envoient les clients antérieurs à KIP-447), le coordinateur du groupe prend les offsets de n'importe qui, et le membre évincé commite ses résultats une seconde fois. Ses offsets sont plus anciens que ceux de son successeur : le groupe y revient, et la suite est refaite elle aussi.",
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
        en: "The group heard nothing of the first member for session.timeout.ms and went on without it; its late commit is refused (UNKNOWN_MEMBER_ID), and what it could not commit it does not process. The second member went on from the last committed offset, and has processed that message, once.",
        fr: "Le groupe n'a plus eu de nouvelles du premier membre pendant session.timeout.ms et a continué sans lui ; son commit tardif est refusé (UNKNOWN_MEMBER_ID), et ce qu'il n'a pas pu commiter, il ne le traite pas. Le second membre est reparti du dernier offset commité, et a traité ce message, une fois.",
    },
    ..CASE
};

const AT_LEAST_ONCE: Case = Case {
    programs: &["consumer-at-least-once"],
    promise: Text { en: "every message is processed", fr: "chaque message est traité" },
    exhibits: &[REFUSED, Exhibit::Anomaly(Kind::Duplicated)],
    why: Text {
        en: "The evicted member had processed a message and not yet committed it, so the second member was given it again. The late commit is refused (UNKNOWN_MEMBER_ID): the group has no use for it, and the message has been processed twice.",
        fr: "Le membre évincé avait traité un message sans l'avoir encore commité : le second membre l'a donc reçu de nouveau. Le commit tardif est refusé (UNKNOWN_MEMBER_ID) : le groupe n'en a plus l'usage, et le message a été traité deux fois.",
    },
    ..CASE
};

const CONSUMER: Case = Case {
    programs: &["consumer-exactly-once", "eos-consumer"],
    promise: Text {
        en: "no message is lost; an offset counts only if its transaction is committed, a line may be printed again",
        fr: "aucun message n'est perdu ; un offset ne compte que si sa transaction est commitée, une ligne peut s'afficher de nouveau",
    },
    exhibits: &[REFUSED, ABORTED, Exhibit::Anomaly(Kind::Duplicated)],
    why: Text {
        en: "The offsets that the evicted member adds to its transaction name it and its generation; the group knows it no longer and refuses them (UNKNOWN_MEMBER_ID), so the transaction is aborted. Both members have printed the messages, for only the offset is in the transaction.",
        fr: "Les offsets que le membre évincé ajoute à sa transaction portent son nom et sa génération ; le groupe ne le connaît plus et les refuse (UNKNOWN_MEMBER_ID) : la transaction est avortée. Les deux membres ont affiché les messages, car seul l'offset est dans la transaction.",
    },
    ..CASE
};

const PIPELINE: Case = Case {
    programs: &["eos-pipeline"],
    promise: Text {
        en: "each input has one visible result, although two members have produced it",
        fr: "chaque entrée a un seul résultat visible, bien que deux membres l'aient produit",
    },
    exhibits: &[REFUSED, ABORTED, Exhibit::Anomaly(Kind::Repeated)],
    // Its batches are what comes within 100 ms: from one partition, all that is there.
    partitions: 1,
    why: Text {
        en: "The evicted member's offsets carry the group metadata (its member id and generation); the group has gone on without it and refuses them (UNKNOWN_MEMBER_ID), so the transaction is aborted. Its results stand in the output as aborted records, which read_committed readers skip: what they see is the second member's.",
        fr: "Les offsets du membre évincé portent les métadonnées du groupe (son identifiant et sa génération) ; le groupe a continué sans lui et les refuse (UNKNOWN_MEMBER_ID) : la transaction est avortée. Ses résultats restent dans la sortie comme enregistrements avortés, que les lecteurs read_committed sautent : ce qu'ils voient vient du second membre.",
    },
    ..CASE
};

const INSTANCE_AT_MOST_ONCE: Case = Case {
    variant: INSTANCE,
    settings: SAME_PLACE,
    play: replaced,
    why: Text {
        en: "Who joins with the same group.instance.id is the same static member: it has the place at once, and its forerunner is fenced (FENCED_INSTANCE_ID). What the fenced member could not commit it has not processed; its successor has, once.",
        fr: "Qui rejoint le groupe avec le même group.instance.id est le même membre statique : il a aussitôt la place, et son prédécesseur est exclu (FENCED_INSTANCE_ID). Ce que le membre exclu n'a pas pu commiter, il ne l'a pas traité ; son successeur, si, une fois.",
    },
    ..AT_MOST_ONCE
};
const INSTANCE_AT_LEAST_ONCE: Case = Case {
    variant: INSTANCE,
    settings: SAME_PLACE,
    play: replaced,
    why: Text {
        en: "Who joins with the same group.instance.id is the same static member: it has the place at once, and its forerunner is fenced (FENCED_INSTANCE_ID). The fenced member had processed a message that it could no longer commit, and its successor processed that message again.",
        fr: "Qui rejoint le groupe avec le même group.instance.id est le même membre statique : il a aussitôt la place, et son prédécesseur est exclu (FENCED_INSTANCE_ID). Le membre exclu avait traité un message qu'il n'a plus pu commiter, et son successeur l'a traité de nouveau.",
    },
    ..AT_LEAST_ONCE
};
const INSTANCE_CONSUMER: Case = Case {
    variant: INSTANCE,
    settings: SAME_PLACE,
    play: replaced,
    why: Text {
        en: "The transaction coordinator sees two transactional.ids, and fences nobody; the group does, since its static member with this group.instance.id is another process now. It refuses the offsets (FENCED_INSTANCE_ID), the transaction is aborted, and its messages have been printed twice.",
        fr: "Le coordinateur de transactions voit deux transactional.id, et n'exclut personne ; le groupe, lui, exclut, car son membre statique de ce group.instance.id est désormais un autre processus. Il refuse les offsets (FENCED_INSTANCE_ID), la transaction est avortée, et ses messages ont été affichés deux fois.",
    },
    ..CONSUMER
};
const INSTANCE_PIPELINE: Case = Case {
    variant: INSTANCE,
    settings: SAME_PLACE,
    play: replaced,
    why: Text {
        en: "The transaction coordinator sees two transactional.ids, and fences nobody; the group does, since its static member with this group.instance.id is another process now. It refuses the offsets (FENCED_INSTANCE_ID), so the transaction is aborted, and with it the results that it holds.",
        fr: "Le coordinateur de transactions voit deux transactional.id, et n'exclut personne ; le groupe, lui, exclut, car son membre statique de ce group.instance.id est désormais un autre processus. Il refuse les offsets (FENCED_INSTANCE_ID) : la transaction est avortée, et avec elle les résultats qu'elle contient.",
    },
    ..PIPELINE
};

const REFUSED: Exhibit = Exhibit::Mark(Mark::OffsetsRefused);
const ABORTED: Exhibit = Exhibit::Mark(Mark::Aborted);

const CASE: Case = Case {
    // One batch of eos-consumer that is interrupted, then one for each member.
    messages: 30,
    partitions: 2,
    play: missed,
    ..Case::PLAIN
};

/// The group misses the heartbeats of the first member; when it wakes up it joins again, and both go on.
fn missed(stage: &mut Stage<'_>) -> Result<(), Error> {
    let again = When::response(ApiKey::SyncGroup).of("first").with(Field::Error(0)).after("awake");
    stage.arm(Fault::new("a member again", again, Action::Note));
    taken_over(stage)?;
    let again = stage.moment_of("first", "a member again");
    stage.fill_some(FIRST_BATCH..stage.messages())?;
    match again {
        // It has given up, as a client of the user's own may.
        Err(Error::NotReached { .. }) if stage.is_held() => {}
        other => other?,
    }
    stage.ends("first", Ends::Well)?;
    finish_both(stage)
}

/// The second member has the instance id of the first, which learns that it is fenced, and stops.
fn replaced(stage: &mut Stage<'_>) -> Result<(), Error> {
    taken_over(stage)?;
    stage.ends("first", Ends::Failing)?;
    stage.join("first")?;
    stage.fill_some(FIRST_BATCH..stage.messages())?;
    stage.finish("second")?;
    Ok(())
}

/// What is there before a member freezes.
const FIRST_BATCH: usize = 10;

/// The first member is about to commit all that is there, or the last message of it: it has nothing else to do when it
/// wakes up. Meanwhile the second member has done it.
fn taken_over(stage: &mut Stage<'_>) -> Result<(), Error> {
    let commit = stage.commits_by();
    let moment = When::request(commit).of("first");
    let moment = match stage.program.package {
        // A client of the user's own: of one partition at least, it is all that is there.
        _ if stage.is_held() => {
            moment.with(Field::OffsetAtLeast(FIRST_BATCH as i64 / i64::from(stage.case.partitions)))
        }
        // They commit each message.
        "consumer-at-most-once" | "consumer-at-least-once" | "consumer-exactly-once" => moment.nth(FIRST_BATCH as u32),
        _ => moment,
    };
    stage.arm(Fault::new("frozen", moment, Action::Freeze { until: "awake".into() }));
    stage.arm(Fault::new("answered", When::response(commit).of("first").after("awake"), Action::Note));
    stage.fill_some(0..FIRST_BATCH)?;
    stage.start_apart("first")?;
    stage.moment("frozen")?;
    stage.start_apart("second")?;
    stage.drain()?;
    stage.thaw("first")?;
    stage.signal("awake");
    stage.moment("answered")
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
    stage.fill_some(0..FIRST_BATCH)?;
    stage.start_apart("first")?;
    stage.moment("frozen")?;
    stage.fill_some(FIRST_BATCH..stage.messages())?;
    stage.start_apart("second")?;
    stage.drain()?;
    stage.thaw("first")?;
    stage.signal("awake");
    stage.moment("done again")?;
    finish_both(stage)
}
