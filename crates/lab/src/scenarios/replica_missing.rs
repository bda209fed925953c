//! One replica fewer than min.insync.replicas asks for.

use std::time::Duration;

use proxy::{Action, ApiKey, Fault, Field, When};

use super::quick;
use crate::error::Error;
use crate::ledger::Kind;
use crate::nodes::Order;
use crate::scenario::{Amount, Case, Ends, Exhibit, Mark, Scenario, Setting, Text};
use crate::stage::{Stage, Start};

/// So many messages are sent before. (Not in a transaction: they share a batch, since it takes a while to begin.)
const BEFORE: usize = 5;

/// NOT_ENOUGH_REPLICAS.
const NOT_ENOUGH_REPLICAS: i16 = 19;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "replica-missing",
    fault: Text {
        en: "a node that holds a replica is stopped, where min.insync.replicas asks for all three",
        fr: "un nœud qui porte un réplica est arrêté, alors que min.insync.replicas les exige tous les trois",
    },
    teaches: Text {
        en: "acks=all waits for those in sync, however few; min.insync.replicas says how few are too few",
        fr: "acks=all attend les réplicas synchronisés, si peu qu'ils soient ; min.insync.replicas dit quand c'est trop peu",
    },
    cases: &[
        Case {
            variant: "two asked for",
            programs: &["producer-at-least-once"],
            promise: ACKNOWLEDGED,
            why: Text {
                en: "Two replicas are in sync, and two are enough: acks=all waits for these two and acknowledges. That is what three replicas with min.insync.replicas=2 are for: one node may be away, and nobody notices.",
                fr: "Deux réplicas sont synchronisés, et deux suffisent : acks=all attend ces deux-là et acquitte. C'est à cela que servent trois réplicas avec min.insync.replicas=2 : un nœud peut manquer sans que personne le remarque.",
            },
            play: two_asked_for,
            ..CASE
        },
        Case {
            variant: "to the end",
            programs: &["producer-at-least-once"],
            promise: ACKNOWLEDGED,
            exhibits: &[Exhibit::Anomaly(Kind::Failed), Exhibit::Mark(Mark::Resent)],
            ends: Ends::Failing,
            why: Text {
                en: "The leader refuses each batch with NOT_ENOUGH_REPLICAS, and stores nothing. The program tries again five times, says `failed`, and ends with an error: it has lost nothing that it had acknowledged.",
                fr: "Le leader refuse chaque lot avec NOT_ENOUGH_REPLICAS, et ne stocke rien. Le programme réessaie cinq fois, dit `failed`, et se termine en erreur : rien de ce qui était acquitté n'est perdu.",
            },
            play: to_the_end,
            ..CASE
        },
        Case {
            variant: "for a while",
            programs: &["producer-exactly-once"],
            promise: Text {
                en: "all of the batch is there once, or nothing",
                fr: "tout le lot est là une seule fois, ou rien",
            },
            exhibits: &[Exhibit::Mark(Mark::Resent)],
            why: Text {
                en: "The leader refuses the batch with NOT_ENOUGH_REPLICAS: a retriable error, and this program has retries enough. When the replica is back, the batch is stored, once, and the transaction is committed.",
                fr: "Le leader refuse le lot avec NOT_ENOUGH_REPLICAS : une erreur qui permet de réessayer, et ce programme a assez de réessais. Quand le réplica est de retour, le lot est stocké, une fois, et la transaction est commitée.",
            },
            play: for_a_while,
            ..CASE
        },
        Case {
            variant: "acks=1",
            programs: &["producer-at-least-once"],
            promise: ACKNOWLEDGED,
            why: Text {
                en: "min.insync.replicas holds for acks=all only: with acks=1 the leader acknowledges, with as many replicas as there are. It has gone well, because the leader lives: `leader-killed` shows what this is worth.",
                fr: "min.insync.replicas ne vaut que pour acks=all : avec acks=1, le leader acquitte, quel que soit le nombre de réplicas. C'est allé bien parce que le leader vit : `leader-killed` montre ce que cela vaut.",
            },
            settings: &[
                quick::RECONNECT_SOON,
                Setting {
                    key: "acks",
                    value: Amount::Of("1"),
                    why: Text {
                        en: "the lesson itself: whom min.insync.replicas does not stop",
                        fr: "la leçon elle-même : qui min.insync.replicas n'arrête pas",
                    },
                },
            ],
            play: all_asked_for,
            ..CASE
        },
    ],
};

const CASE: Case = Case { settings: &[quick::RECONNECT_SOON], ..Case::PLAIN };

const ACKNOWLEDGED: Text = Text { en: "what was acknowledged is stored", fr: "ce qui est acquitté est stocké" };

fn two_asked_for(stage: &mut Stage<'_>) -> Result<(), Error> {
    stopped(stage, "2", BEFORE)?;
    stage.finish("program")?;
    Ok(())
}

fn all_asked_for(stage: &mut Stage<'_>) -> Result<(), Error> {
    stopped(stage, "3", BEFORE)?;
    stage.finish("program")?;
    Ok(())
}

fn to_the_end(stage: &mut Stage<'_>) -> Result<(), Error> {
    let refused = When::response(ApiKey::Produce).with(Field::Error(NOT_ENOUGH_REPLICAS));
    stage.arm(Fault::new("refused", refused, Action::Note));
    stopped(stage, "3", BEFORE)?;
    stage.moment("refused")?;
    stage.finish("program")?;
    Ok(())
}

fn for_a_while(stage: &mut Stage<'_>) -> Result<(), Error> {
    let refused = When::response(ApiKey::Produce).with(Field::Error(NOT_ENOUGH_REPLICAS));
    stage.arm(Fault::new("refused", refused, Action::Note));
    let node = stopped(stage, "3", 0)?;
    stage.moment("refused")?;
    stage.order(Order::Start, node)?;
    stage.finish("program")?;
    Ok(())
}

/// After so many messages, a replica is missing; returns the node on which it is.
fn stopped(stage: &mut Stage<'_>, asked_for: &str, before: usize) -> Result<i32, Error> {
    stage.whole()?;
    stage.set_topic("min.insync.replicas", asked_for)?;
    let next = When::request(ApiKey::Produce).holding(stage.written_value(before));
    let fewer = Action::Freeze { until: "a replica is missing".into() };
    stage.arm(Fault::new("a replica is to go", next, fewer));
    // One by one, or they would share a batch.
    stage.start_with("program", Start { pause: Some(Duration::from_millis(20)), ..Start::default() })?;
    stage.moment("a replica is to go")?;
    let leader = stage.node_at("a replica is to go")?;
    let node = stage.other_nodes(leader)?.into_iter().next().unwrap_or(leader);
    // What came before is acknowledged.
    stage.replicated(before)?;
    stage.order(Order::Stop, node)?;
    stage.out_of_sync(node)?;
    stage.thaw("program")?;
    stage.signal("a replica is missing");
    Ok(node)
}
