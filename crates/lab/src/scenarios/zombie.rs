//! A program stands still in mid-transaction (a long pause of its machine, say) and is taken for dead. A successor runs;
//! then the first one wakes up and goes on as if nothing had happened: a zombie.
//!
//! The group needs no time to give the successor the zombie's place: both are the same static member. What becomes of a
//! member that is missed for its session's time is told by `evicted`.

use proxy::{Action, Alteration, ApiKey, Fault, Field, When};

use super::members::SAME_PLACE;
use crate::catalogue::Role;
use crate::error::Error;
use crate::ledger::Kind;
use crate::scenario::{Case, Ends, Exhibit, Mark, Scenario, Text};
use crate::stage::{Stage, Start};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "zombie",
    fault: Text {
        en: "a program freezes in mid-transaction, a successor does the work, then the first one wakes up",
        fr: "un programme se fige en pleine transaction, un successeur fait le travail, puis le premier se réveille",
    },
    teaches: Text {
        en: "the same transactional.id fences the zombie; under another id only the group metadata stops it",
        fr: "le même transactional.id exclut le zombie ; avec un autre, seules les métadonnées du groupe l'arrêtent",
    },
    cases: &[
        Case {
            variant: "same id",
            programs: &["producer-exactly-once"],
            promise: Text {
                en: "the batch is there once, although two instances have sent it",
                fr: "le lot est là une fois, bien que deux instances l'aient envoyé",
            },
            exhibits: &[FENCED],
            why: Text {
                en: "When the successor initialised, the coordinator raised the producer epoch of their transactional.id and aborted the transaction that was open under it. The zombie's commit comes with the old epoch and is refused (INVALID_PRODUCER_EPOCH): its batch stays aborted, and it stops.",
                fr: "À l'initialisation du successeur, le coordinateur a augmenté l'epoch de leur transactional.id et avorté la transaction qui y était ouverte. Le commit du zombie porte l'ancien epoch et est refusé (INVALID_PRODUCER_EPOCH) : son lot reste avorté, et il s'arrête.",
            },
            ..CASE
        },
        Case {
            variant: "same id",
            programs: &["eos-producer"],
            promise: Text {
                en: "each message is there once, although two instances have sent the first one",
                fr: "chaque message est là une fois, bien que deux instances aient envoyé le premier",
            },
            // The zombie reports its message as failed: its own attempt is.
            exhibits: &[FENCED, Exhibit::Anomaly(Kind::Failed)],
            why: Text {
                en: "The successor has the same transactional.id: the coordinator aborted the zombie's transaction and raised the producer epoch. The zombie wakes up, learns that it is fenced (INVALID_PRODUCER_EPOCH), reports its message as failed and stops; the successor has committed that message.",
                fr: "Le successeur a le même transactional.id : le coordinateur a avorté la transaction du zombie et augmenté l'epoch du producteur. Le zombie se réveille, apprend qu'il est exclu (INVALID_PRODUCER_EPOCH), annonce son message comme échoué et s'arrête ; le successeur, lui, a validé ce message.",
            },
            ..CASE
        },
        Case {
            variant: "same id",
            programs: &["consumer-exactly-once", "eos-consumer"],
            promise: Text {
                en: "the committed offset moves once past each message, with a transaction; what is printed may be printed again",
                fr: "l'offset validé passe une fois sur chaque message, avec une transaction ; l'affichage, lui, peut se répéter",
            },
            exhibits: &[FENCED, PRINTED_TWICE],
            settings: SAME_PLACE,
            why: Text {
                en: "The zombie's offsets were pending in a transaction that the coordinator aborted when the successor initialised with the same transactional.id; its commit comes with an old producer epoch and is refused. The successor started from the offset committed before and printed the messages of that transaction again: the print is outside Kafka, no fencing takes it back.",
                fr: "Les offsets du zombie étaient en attente dans une transaction que le coordinateur a avortée quand le successeur s'est initialisé avec le même transactional.id ; son commit porte un ancien epoch et est refusé. Le successeur est reparti de l'offset validé auparavant et a affiché de nouveau les messages de cette transaction : l'affichage est hors de Kafka, aucune exclusion ne l'efface.",
            },
            ..CASE
        },
        Case {
            variant: "same id",
            programs: &["eos-pipeline"],
            promise: Text {
                en: "each result is in the output once, although two instances have produced it",
                fr: "chaque résultat est une fois dans la sortie, bien que deux instances l'aient produit",
            },
            exhibits: &[FENCED, DONE_TWICE],
            settings: SAME_PLACE,
            why: Text {
                en: "Results and offsets of the zombie were one open transaction; the successor, initialising with the same transactional.id, had it aborted, found the offsets where they were before, and did the work again. The zombie's commit carries the old producer epoch and is refused: the output holds the successor's results alone.",
                fr: "Les résultats et les offsets du zombie formaient une transaction encore ouverte ; le successeur, en s'initialisant avec le même transactional.id, l'a fait avorter, a trouvé les offsets où ils étaient avant et a refait le travail. Le commit du zombie porte l'ancien epoch et est refusé : la sortie ne contient que les résultats du successeur.",
            },
            ..CASE
        },
        Case {
            variant: "random id",
            programs: &["eos-consumer"],
            promise: Text {
                en: "the committed offset moves once past each message; what is printed may be printed again",
                fr: "l'offset validé passe une fois sur chaque message ; l'affichage, lui, peut se répéter",
            },
            exhibits: &[Exhibit::Mark(Mark::OffsetsRefused), PRINTED_TWICE],
            settings: SAME_PLACE,
            why: Text {
                en: "With the course's uuid4 the successor has another transactional.id: the coordinator sees two strangers and fences nobody. Only the group metadata sent with the offsets stops the zombie: the group has given its place to another member, refuses its offsets, and it aborts.",
                fr: "Avec l'uuid4 du cours, le successeur a un autre transactional.id : le coordinateur voit deux inconnus et n'exclut personne. Seules les métadonnées du groupe, envoyées avec les offsets, arrêtent le zombie : le groupe a donné sa place à un autre membre et refuse ses offsets ; il avorte.",
            },
            play: other_id,
            ..CASE
        },
        Case {
            variant: "random id and offsets sent",
            programs: &["eos-consumer"],
            promise: Text {
                en: "the committed offset moves once past each message; what is printed may be printed again",
                fr: "l'offset validé passe une fois sur chaque message ; l'affichage, lui, peut se répéter",
            },
            exhibits: &[Exhibit::Mark(Mark::Stalled)],
            settings: SAME_PLACE,
            why: Text {
                en: "The zombie's offsets are already in its transaction, and nobody can end that transaction: the successor's random transactional.id is another. So the successor gets no committed offsets (UNSTABLE_OFFSET_COMMIT) and stands still until the zombie wakes up and commits; had it never woken, until transaction.timeout.ms (60 s). A stable id would have ended it at once.",
                fr: "Les offsets du zombie sont déjà dans sa transaction, et personne ne peut la terminer : le transactional.id du successeur, tiré au hasard, est un autre. Le successeur n'obtient donc pas les offsets validés (UNSTABLE_OFFSET_COMMIT) et reste arrêté jusqu'à ce que le zombie se réveille et valide ; sans réveil, jusqu'à transaction.timeout.ms (60 s). Un id stable l'aurait terminée aussitôt.",
            },
            play: offsets_sent,
            ..CASE
        },
        Case {
            variant: "two ids",
            programs: &["eos-pipeline"],
            promise: Text {
                en: "each result is in the output once, although two instances have produced it",
                fr: "chaque résultat est une fois dans la sortie, bien que deux instances l'aient produit",
            },
            exhibits: &[Exhibit::Mark(Mark::OffsetsRefused), Exhibit::Mark(Mark::Aborted), DONE_TWICE],
            settings: SAME_PLACE,
            why: Text {
                en: "Two transactional.ids: no producer epoch stops the zombie. But with its offsets it sends the group metadata (member id and generation, KIP-447); the group has another member in its place and refuses them, so the zombie must abort, and its results with them.",
                fr: "Deux transactional.id : aucun epoch n'arrête le zombie. Mais avec ses offsets il envoie les métadonnées du groupe (identifiant de membre et génération, KIP-447) ; le groupe a un autre membre à sa place et les refuse : le zombie doit avorter, et ses résultats avec.",
            },
            play: other_id,
            ..CASE
        },
        Case {
            variant: "two ids and no metadata",
            programs: &["eos-pipeline"],
            promise: Text {
                en: "each result is in the output once; it is not kept here, since the group metadata is taken out of the requests",
                fr: "chaque résultat est une fois dans la sortie ; promesse rompue ici, car les métadonnées du groupe sont retirées des requêtes",
            },
            exhibits: &[Exhibit::Anomaly(Kind::Duplicated), DONE_TWICE],
            // Where the zombie's batch was not the whole input, the group's offset moves back to its end.
            allows: &[Kind::NotCommitted],
            settings: SAME_PLACE,
            why: Text {
                en: "Without group metadata (generation −1 and no member, as clients before KIP-447 send it) the coordinator cannot tell that the zombie has lost its place. It takes the offsets, the transaction commits, and each of its results is in the output a second time.",
                fr: "Sans métadonnées du groupe (génération −1 et aucun membre, comme l'envoient les clients antérieurs à KIP-447), le coordinateur ne peut pas savoir que le zombie a perdu sa place. Il prend les offsets, la transaction est validée, et chacun de ses résultats est une seconde fois dans la sortie.",
            },
            play: no_metadata,
            ..CASE
        },
    ],
};

const FENCED: Exhibit = Exhibit::Mark(Mark::Fenced);

/// A consumer's lines.
const PRINTED_TWICE: Exhibit = Exhibit::Anomaly(Kind::Duplicated);

/// A pipeline's lines: its results are another matter.
const DONE_TWICE: Exhibit = Exhibit::Anomaly(Kind::Repeated);

const CASE: Case = Case {
    variant: "",
    programs: &[],
    promise: Text { en: "", fr: "" },
    exhibits: &[],
    allows: &[],
    // The successor; what the zombie must do is said by the play.
    ends: Ends::Well,
    why: Text { en: "", fr: "" },
    // Two batches of eos-consumer.
    messages: 20,
    partitions: 1,
    settings: &[],
    play: same_id,
};

/// The zombie is about to commit: everything else of its transaction is done.
fn same_id(stage: &mut Stage<'_>) -> Result<(), Error> {
    let commit = When::request(ApiKey::EndTxn).of("first").with(Field::Commits(true)).nth(nth(stage));
    stage.arm(Fault::new("frozen", commit, Action::Freeze { until: "awake".into() }));
    if !matches!(stage.program.role, Role::Producer(_)) {
        stage.fill()?;
    }
    stage.start("first")?;
    stage.moment("frozen")?;
    stage.start("second")?;
    stage.finish("second")?;
    wake(stage)
}

/// The zombie is about to add its offsets to its transaction.
fn other_id(stage: &mut Stage<'_>) -> Result<(), Error> {
    let offsets = When::request(ApiKey::TxnOffsetCommit).of("first").nth(nth(stage));
    stage.arm(Fault::new("frozen", offsets, Action::Freeze { until: "awake".into() }));
    stage.fill()?;
    start(stage, "first")?;
    stage.moment("frozen")?;
    start(stage, "second")?;
    stage.finish("second")?;
    wake(stage)
}

/// The zombie's offsets are in its transaction, which it is about to commit.
fn offsets_sent(stage: &mut Stage<'_>) -> Result<(), Error> {
    let commit = When::request(ApiKey::EndTxn).of("first");
    stage.arm(Fault::new("frozen", commit, Action::Freeze { until: "awake".into() }));
    let unstable = When::response(ApiKey::OffsetFetch).of("second").with(Field::Error(UNSTABLE_OFFSET_COMMIT));
    stage.arm(Fault::new("stalled", unstable, Action::Note));
    // Its first batch; it is to find no other before it hears that it has lost its place.
    let half = stage.messages() / 2;
    stage.fill_some(0..half)?;
    start(stage, "first")?;
    stage.moment("frozen")?;
    start(stage, "second")?;
    stage.moment("stalled")?;
    wake(stage)?;
    stage.fill_some(half..stage.messages())?;
    stage.finish("second")?;
    Ok(())
}

/// As [`other_id`], one request earlier: the one that carries the offsets is altered.
fn no_metadata(stage: &mut Stage<'_>) -> Result<(), Error> {
    let offsets = When::request(ApiKey::AddOffsetsToTxn).of("first");
    stage.arm(Fault::new("frozen", offsets, Action::Freeze { until: "awake".into() }));
    let metadata = When::request(ApiKey::TxnOffsetCommit).always();
    stage.arm(Fault::new("no metadata", metadata, Action::Alter(Alteration::NoGroupMetadata)));
    stage.fill()?;
    start(stage, "first")?;
    stage.moment("frozen")?;
    start(stage, "second")?;
    stage.finish("second")?;
    wake(stage)
}

/// Consumers have committed once by then. A producer has not: its successor begins anew, and what is committed would be
/// sent again. A pipeline may have all its input in one batch.
fn nth(stage: &Stage<'_>) -> u32 {
    if let Role::Consumer { .. } = stage.program.role { 2 } else { 1 }
}

/// UNSTABLE_OFFSET_COMMIT: a transaction holds newer offsets.
const UNSTABLE_OFFSET_COMMIT: i16 = 88;

/// eos-consumer takes the course's random id, a pipeline one of its own.
fn start(stage: &mut Stage<'_>, name: &str) -> Result<(), Error> {
    match stage.program.role {
        Role::Consumer { .. } => stage.start_with(name, Start { transactional_id: Some(None), ..Start::default() }),
        _ => stage.start_apart(name),
    }
}

/// The zombie goes on from where it stood, learns that it has been replaced (if not as a producer, then as a member of
/// the group), and says so by its exit status.
fn wake(stage: &mut Stage<'_>) -> Result<(), Error> {
    stage.thaw("first")?;
    stage.signal("awake");
    stage.ends("first", Ends::Failing)?;
    stage.join("first")?;
    Ok(())
}
