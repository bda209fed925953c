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
        fr: "le même transactional.id exclut le zombie (fencing) ; avec un autre, seules les métadonnées du groupe l'arrêtent",
    },
    cases: &[
        Case {
            variant: "same id",
            programs: &["producer-exactly-once"],
            promise: Text {
                en: "the batch is visible once, although two instances have sent it",
                fr: "le lot est visible une seule fois, bien que deux instances l'aient envoyé",
            },
            exhibits: &[FENCED],
            why: Text {
                en: "When the successor initialised, the coordinator aborted the transaction that was open under their transactional.id and raised its producer epoch. The zombie's commit carries the old epoch and is refused (INVALID_PRODUCER_EPOCH): its batch stays aborted, and it stops.",
                fr: "Quand le successeur s'est initialisé, le coordinateur a avorté la transaction ouverte sous leur transactional.id et augmenté l'epoch de celui-ci. Le commit du zombie porte l'ancienne epoch et est refusé (INVALID_PRODUCER_EPOCH) : son lot reste avorté, et il s'arrête.",
            },
            ..CASE
        },
        Case {
            variant: "same id",
            programs: &["eos-producer"],
            promise: Text {
                en: "each message is visible once, although two instances have sent the first one",
                fr: "chaque message est visible une seule fois, bien que deux instances aient envoyé le premier",
            },
            // The zombie reports its message as failed: its own attempt is.
            exhibits: &[FENCED, Exhibit::Anomaly(Kind::Failed)],
            messages: 5,
            why: Text {
                en: "The successor has the same transactional.id: for it, the coordinator aborted the zombie's transaction and raised the producer epoch. The zombie's commit is refused (INVALID_PRODUCER_EPOCH), so it reports its message as failed and stops; the copy that counts is the successor's.",
                fr: "Le successeur a le même transactional.id : pour lui, le coordinateur a avorté la transaction du zombie et augmenté l'epoch du producteur. Le commit du zombie est refusé (INVALID_PRODUCER_EPOCH) : il annonce son message comme échoué et s'arrête ; la copie qui compte est celle du successeur.",
            },
            ..CASE
        },
        Case {
            variant: "same id",
            programs: &["consumer-exactly-once", "eos-consumer"],
            promise: Text {
                en: "no message is lost; an offset counts only if its transaction is committed, a line may be printed again",
                fr: "aucun message n'est perdu ; un offset ne compte que si sa transaction est commitée, une ligne peut s'afficher de nouveau",
            },
            exhibits: &[FENCED, PRINTED_TWICE],
            settings: SAME_PLACE,
            why: Text {
                en: "The zombie's offsets were pending in a transaction that the coordinator aborted when the successor initialised with the same transactional.id; its commit carries the old producer epoch and is refused. The successor went on from the offset committed before, and printed the messages of that transaction again: the print is outside Kafka, and no fencing takes it back.",
                fr: "Les offsets du zombie étaient en attente dans une transaction que le coordinateur a avortée quand le successeur s'est initialisé avec le même transactional.id ; son commit porte l'ancienne epoch et est refusé. Le successeur est reparti de l'offset commité auparavant et a affiché de nouveau les messages de cette transaction : l'affichage est hors de Kafka, et aucune exclusion ne l'efface.",
            },
            ..CASE
        },
        Case {
            variant: "same id",
            programs: &["eos-pipeline"],
            promise: Text {
                en: "each input has one visible result, although two instances have produced it",
                fr: "chaque entrée a un seul résultat visible, bien que deux instances l'aient produit",
            },
            exhibits: &[FENCED, DONE_TWICE],
            settings: SAME_PLACE,
            why: Text {
                en: "The zombie's results and offsets were one open transaction: the successor, initialising with the same transactional.id, had it aborted, and did the work again from the offsets committed before. The zombie's commit carries the old producer epoch and is refused (INVALID_PRODUCER_EPOCH): the visible results are the successor's.",
                fr: "Les résultats et les offsets du zombie formaient une seule transaction, encore ouverte : le successeur, en s'initialisant avec le même transactional.id, l'a fait avorter, et a refait le travail depuis les offsets commités auparavant. Le commit du zombie porte l'ancienne epoch et est refusé (INVALID_PRODUCER_EPOCH) : les résultats visibles sont ceux du successeur.",
            },
            ..CASE
        },
        Case {
            variant: "random id",
            programs: &["eos-consumer"],
            promise: Text {
                en: "no message is lost; an offset counts only if its transaction is committed, a line may be printed again",
                fr: "aucun message n'est perdu ; un offset ne compte que si sa transaction est commitée, une ligne peut s'afficher de nouveau",
            },
            exhibits: &[Exhibit::Mark(Mark::OffsetsRefused), PRINTED_TWICE],
            settings: SAME_PLACE,
            why: Text {
                en: "With the course's uuid4 the successor has another transactional.id: the transaction coordinator sees two strangers, and fences nobody. Only the group metadata that go with the offsets stop the zombie: the group has given its place to another member and refuses them, so it aborts.",
                fr: "Avec le uuid4 du cours, le successeur a un autre transactional.id : le coordinateur de transactions voit deux inconnus, et n'exclut personne. Seules les métadonnées du groupe qui accompagnent les offsets arrêtent le zombie : le groupe a donné sa place à un autre membre et les refuse, il avorte donc.",
            },
            play: other_id,
            ..CASE
        },
        Case {
            variant: "random id and offsets sent",
            programs: &["eos-consumer"],
            promise: Text {
                en: "no message is lost; an offset counts only if its transaction is committed, a line may be printed again",
                fr: "aucun message n'est perdu ; un offset ne compte que si sa transaction est commitée, une ligne peut s'afficher de nouveau",
            },
            exhibits: &[Exhibit::Mark(Mark::Stalled)],
            settings: SAME_PLACE,
            why: Text {
                en: "The zombie's offsets are in its transaction already, and its random transactional.id (the course's uuid4) is nobody else's: the successor cannot end that transaction as it would with a stable one. It is refused the group's offsets (UNSTABLE_OFFSET_COMMIT) and stands still until the zombie wakes up and commits; if it never did, until transaction.timeout.ms is over (60 s by default).",
                fr: "Les offsets du zombie sont déjà dans sa transaction, et personne d'autre n'a son transactional.id aléatoire (le uuid4 du cours) : le successeur ne peut pas y mettre fin, comme il le ferait avec un id stable. Il se voit refuser les offsets du groupe (UNSTABLE_OFFSET_COMMIT) et reste arrêté jusqu'à ce que le zombie se réveille et commite ; sans réveil, jusqu'à la fin de transaction.timeout.ms (60 s par défaut).",
            },
            play: offsets_sent,
            ..CASE
        },
        Case {
            variant: "two ids",
            programs: &["eos-pipeline"],
            promise: Text {
                en: "each input has one visible result, although two instances have produced it",
                fr: "chaque entrée a un seul résultat visible, bien que deux instances l'aient produit",
            },
            exhibits: &[Exhibit::Mark(Mark::OffsetsRefused), Exhibit::Mark(Mark::Aborted), DONE_TWICE],
            settings: SAME_PLACE,
            why: Text {
                en: "With two transactional.ids, no producer epoch stops the zombie. But with its offsets go the group metadata (member id and generation, KIP-447): the group has another member in its place and refuses them, so the transaction is aborted, results included.",
                fr: "Avec deux transactional.id, aucune epoch n'arrête le zombie. Mais ses offsets sont accompagnés des métadonnées du groupe (identifiant du membre et génération, KIP-447) : le groupe a un autre membre à sa place et les refuse, la transaction est donc avortée, résultats compris.",
            },
            play: other_id,
            ..CASE
        },
        Case {
            variant: "two ids and no metadata",
            programs: &["eos-pipeline"],
            promise: Text {
                en: "each input has one visible result; here the group metadata are taken out of the requests, to see what they are for",
                fr: "chaque entrée a un seul résultat visible ; ici, les métadonnées du groupe sont retirées des requêtes, pour voir à quoi elles servent",
            },
            exhibits: &[Exhibit::Anomaly(Kind::Duplicated), DONE_TWICE],
            // Where the zombie's batch was not the whole input, the group's offset moves back to its end.
            allows: &[Kind::NotCommitted],
            settings: SAME_PLACE,
            why: Text {
                en: "Without group metadata (generation −1 and no member, as clients before KIP-447 send it) the group coordinator cannot know that the zombie has lost its place, and takes its offsets. The transaction commits, and each of its results is in the output a second time.",
                fr: "Sans métadonnées du groupe (génération −1 et aucun membre, comme l'envoient les clients antérieurs à KIP-447), le coordinateur du groupe ne peut pas savoir que le zombie a perdu sa place, et prend ses offsets. La transaction est commitée, et chacun de ses résultats est une seconde fois dans la sortie.",
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
    // The successor; what the zombie must do is said by the play.
    // Two batches of eos-consumer.
    play: same_id,
    ..Case::PLAIN
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
