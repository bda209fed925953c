//! No broker: every connection is cut, and new ones are refused, for a while or until the program ends.

use std::time::Duration;

use proxy::{Action, ApiKey, Fault, When};

use super::quick;
use crate::catalogue::Role;
use crate::error::Error;
use crate::ledger::Kind;
use crate::scenario::{Case, Ends, Exhibit, Mark, Scenario, Setting, Text};
use crate::stage::{Stage, Start};

/// For so many attempts to connect there is no broker.
const REFUSALS: usize = 8;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "broker-away",
    fault: Text {
        en: "no broker: all connections are cut and new ones refused, for a while or until the program ends",
        fr: "plus de broker : toutes les connexions sont coupées et les nouvelles refusées, un moment ou jusqu'à la fin",
    },
    teaches: Text {
        en: "acks=0 loses what was on its way and drops what flush(2 s) leaves; the others wait, or say that they gave up",
        fr: "acks=0 perd ce qui était en route et abandonne ce que laisse flush(2 s) ; les autres attendent, ou disent qu'ils renoncent",
    },
    cases: &[
        Case {
            variant: "to the end",
            programs: &["producer-at-most-once"],
            promise: Text {
                en: "nothing is stored twice; messages may be lost",
                fr: "rien n'est stocké deux fois ; des messages peuvent se perdre",
            },
            exhibits: &[Exhibit::Anomaly(Kind::Lost), Exhibit::Anomaly(Kind::Failed)],
            ends: Ends::Failing,
            why: Text {
                en: "What was handed to the connection that broke is lost, and reported as `sent`. What was still queued after flush(2 s) is dropped with the producer: this program says `failed`, while the course's, in Python, drops it without a word.",
                fr: "Ce qui a été remis à la connexion qui casse est perdu, et annoncé comme `sent`. Ce qui attendait encore après flush(2 s) est abandonné avec le producteur : ce programme dit `failed`, alors que celui du cours, en Python, l'abandonne sans un mot.",
            },
            play: until_its_end,
            ..CASE
        },
        Case {
            variant: "to the end",
            programs: &["producer-at-least-once"],
            promise: Text {
                en: "what was acknowledged is stored; what was not is reported as failed",
                fr: "ce qui est acquitté est stocké ; ce qui ne l'est pas est annoncé comme échoué",
            },
            exhibits: &[Exhibit::Anomaly(Kind::Failed)],
            ends: Ends::Failing,
            why: Text {
                en: "flush(5 s) is over before there is a broker again, and returns with messages left: it waits, and guarantees nothing. Dropped with the producer, they are reported as `failed`, so nothing that was acknowledged is lost.",
                fr: "flush(5 s) s'achève avant le retour d'un broker, et rend la main alors qu'il reste des messages : il attend, et ne garantit rien. Abandonnés avec le producteur, ils sont annoncés comme `failed` : rien de ce qui était acquitté n'est perdu.",
            },
            play: until_its_end,
            ..CASE
        },
        Case {
            variant: "for a while",
            programs: &["producer-at-least-once"],
            promise: Text {
                en: "what was acknowledged is stored; duplicates may come",
                fr: "ce qui est acquitté est stocké ; des doublons sont possibles",
            },
            exhibits: &[Exhibit::Mark(Mark::Resent)],
            why: Text {
                en: "Messages wait in librdkafka's queue until there is a broker again; an attempt to connect is no attempt to send, and uses up no retry. Here the broker is back before flush(5 s) is over, and everything is acknowledged.",
                fr: "Les messages attendent dans la file de librdkafka jusqu'au retour d'un broker ; une tentative de connexion n'est pas une tentative d'envoi, et ne consomme aucun réessai. Ici le broker revient avant la fin de flush(5 s), et tout est acquitté.",
            },
            play: produce,
            ..CASE
        },
        Case {
            variant: "for a while",
            programs: &["producer-exactly-once", "eos-producer"],
            promise: Text {
                en: "each message is stored once, or the program says that it failed",
                fr: "chaque message est stocké une fois, ou le programme dit que c'est un échec",
            },
            exhibits: &[Exhibit::Mark(Mark::Resent)],
            why: Text {
                en: "The transaction coordinator is a broker and away as well, but the transaction is kept in its log. The producer finds it again, with the same producer id and epoch, sends the batch once more with its sequence number, and commits.",
                fr: "Le coordinateur de transactions est un broker, parti lui aussi, mais la transaction est conservée dans son log. Le producteur la retrouve, avec les mêmes producer id et époque, renvoie le lot avec son numéro de séquence, puis commite.",
            },
            play: produce,
            ..CASE
        },
        Case {
            variant: "for a while",
            programs: &["eos-pipeline"],
            promise: Text {
                en: "each result stands once in the output, whatever is sent again",
                fr: "chaque résultat est une fois dans la sortie, quoi qu'on renvoie",
            },
            exhibits: &[Exhibit::Mark(Mark::Resent)],
            why: Text {
                en: "Consumer, producer and both coordinators find each other again, and the transaction goes on where it was. The group has not missed its member: the broker was away for less than session.timeout.ms.",
                fr: "Consommateur, producteur et les deux coordinateurs se retrouvent, et la transaction reprend où elle en était. Le groupe n'a pas perdu son membre : le broker est parti moins longtemps que session.timeout.ms.",
            },
            settings: IN_A_GROUP,
            play: produce,
            ..CASE
        },
        Case {
            variant: "for a while",
            programs: &["consumer-at-most-once", "consumer-at-least-once", "consumer-exactly-once", "eos-consumer"],
            promise: Text {
                en: "a broker that comes back loses nothing and repeats nothing",
                fr: "un broker qui revient ne perd rien et ne répète rien",
            },
            why: Text {
                en: "The messages are fetched again: what never reached the program was never committed. The group has not missed its member: the broker was away for less than session.timeout.ms.",
                fr: "Les messages sont relus : ce qui n'est jamais arrivé au programme n'a jamais été commité. Le groupe n'a pas perdu son membre : le broker est parti moins longtemps que session.timeout.ms.",
            },
            settings: IN_A_GROUP,
            play: consume,
            ..CASE
        },
    ],
};

const IN_A_GROUP: &[Setting] = &[quick::RECONNECT_SOON, quick::HEARTBEAT_SOON];

const CASE: Case = Case { settings: &[quick::RECONNECT_SOON], play: produce, ..Case::PLAIN };

/// Nothing was stored yet: what is sent later finds its place behind nothing.
fn produce(stage: &mut Stage<'_>) -> Result<(), Error> {
    away(stage, When::request(ApiKey::Produce).holding(stage.written_value(0)))
}

/// The first messages are on their way to the consumer.
fn consume(stage: &mut Stage<'_>) -> Result<(), Error> {
    away(stage, When::response(ApiKey::Fetch).with(proxy::Field::HasRecords))
}

fn away(stage: &mut Stage<'_>, when: When) -> Result<(), Error> {
    stage.arm(Fault::new("broker away", when, Action::Away { until: "broker back".into() }));
    quick::start(stage)?;
    stage.moment("broker away")?;
    stage.moments("refused", REFUSALS)?;
    if !matches!(stage.program.role, Role::Producer(_)) {
        // Asked to stop before it has found its coordinator again, it could not leave its group.
        let heartbeat = When::response(ApiKey::Heartbeat).after("broker back");
        stage.arm(Fault::new("in the group again", heartbeat, Action::Note));
        stage.signal("broker back");
        stage.moment("in the group again")?;
    }
    stage.signal("broker back");
    stage.finish("program")?;
    Ok(())
}

/// The messages come one by one, so that some are handed to the connection when it breaks, and others find none.
fn until_its_end(stage: &mut Stage<'_>) -> Result<(), Error> {
    let when = When::request(ApiKey::Produce).holding(stage.written_value(5));
    stage.arm(Fault::new("broker away", when, Action::Away { until: "never".into() }));
    stage.start_with("program", Start { pause: Some(Duration::from_millis(20)), ..Start::default() })?;
    stage.moment("broker away")?;
    stage.join("program")?;
    Ok(())
}
