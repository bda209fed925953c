//! The leader of a partition dies, with messages that no other replica has yet: its followers stood still.

use std::time::Duration;

use proxy::{Action, ApiKey, Fault, When};

use super::quick;
use crate::error::Error;
use crate::ledger::Kind;
use crate::nodes::Order;
use crate::scenario::{Amount, Case, Exhibit, Mark, Scenario, Setting, Text};
use crate::stage::{Stage, Start};

/// From this message on the leader is alone.
const ALONE: usize = 5;

/// With acks=1, the leader dies when this one is acknowledged. A follower that stands still may have asked for more
/// before, and is answered with the first message that comes after; of the next ones it hears nothing.
const LAST: usize = 12;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "leader-killed",
    fault: Text {
        en: "kill -9 of the leader of the partition, while its followers are behind; then they go on",
        fr: "kill -9 du leader de la partition, alors que ses followers sont en retard ; puis ils reprennent",
    },
    teaches: Text {
        en: "acks=1 acknowledges what one machine has; acks=all, what survives it",
        fr: "acks=1 acquitte ce qu'une seule machine possède ; acks=all, ce qui lui survit",
    },
    cases: &[
        Case {
            variant: "acks=1",
            programs: &["producer-at-least-once"],
            promise: Text {
                en: "what was acknowledged is stored (the promise of acks=all, held against acks=1)",
                fr: "ce qui est acquitté est stocké (la promesse d'acks=all, opposée à acks=1)",
            },
            exhibits: &[Exhibit::Anomaly(Kind::Lost)],
            // Later messages stand where the lost ones stood.
            allows: &[Kind::Misplaced, Kind::Duplicated, Kind::Reordered],
            why: Text {
                en: "The leader acknowledged messages that it alone had, and died with them. A follower that had been in sync until then became the leader: its log ends before them, and what comes next takes their offsets. The old leader cuts them from its own log when it comes back.",
                fr: "Le leader a acquitté des messages qu'il était seul à posséder, et il est mort avec eux. Un follower, synchronisé jusque-là, est devenu leader : son log s'arrête avant eux, et la suite prend leurs offsets. L'ancien leader les coupe de son propre log à son retour.",
            },
            settings: &[
                quick::RECONNECT_SOON,
                Setting {
                    key: "acks",
                    value: Amount::Of("1"),
                    why: Text {
                        en: "the lesson itself: the leader alone acknowledges; the program's own is all",
                        fr: "la leçon elle-même : le leader acquitte seul ; le programme, lui, demande all",
                    },
                },
            ],
            play: acknowledged_alone,
            ..CASE
        },
        Case {
            variant: "acks=all",
            programs: &["producer-at-least-once"],
            promise: Text {
                en: "what was acknowledged is stored; duplicates may come",
                fr: "ce qui est acquitté est stocké ; des doublons sont possibles",
            },
            exhibits: &[Exhibit::Mark(Mark::Resent)],
            allows: &[Kind::Duplicated, Kind::Reordered],
            why: Text {
                en: "The leader had the message too, and acknowledged nothing: with acks=all it waits for its followers. It died, the program sent the message again, to the new leader. What was never acknowledged was not lost, only late.",
                fr: "Ici aussi le leader avait le message, mais il n'a rien acquitté : avec acks=all, il attend ses followers. Il est mort, et le programme a renvoyé le message, au nouveau leader. Ce qui n'était pas acquitté n'est pas perdu, seulement en retard.",
            },
            play: not_acknowledged,
            ..CASE
        },
    ],
};

const CASE: Case = Case { settings: &[quick::RECONNECT_SOON], ..Case::PLAIN };

fn acknowledged_alone(stage: &mut Stage<'_>) -> Result<(), Error> {
    killed(stage, When::response(ApiKey::Produce).holding(stage.written_value(LAST)))
}

/// When the next message leaves the program, the leader has this one.
fn not_acknowledged(stage: &mut Stage<'_>) -> Result<(), Error> {
    killed(stage, When::request(ApiKey::Produce).holding(stage.written_value(ALONE + 1)))
}

/// The program stands still while nodes die: it would give up waiting, and that is another lesson.
fn killed(stage: &mut Stage<'_>, moment: When) -> Result<(), Error> {
    stage.whole()?;
    let alone = When::request(ApiKey::Produce).holding(stage.written_value(ALONE));
    let until = |signal: &str| Action::Freeze { until: signal.into() };
    stage.arm(Fault::new("the leader is to be alone", alone, until("the followers stand still")));
    stage.arm(Fault::new("the leader is to die", moment, until("there is a new leader")));
    // One by one, or they would share a batch.
    stage.start_with("program", Start { pause: Some(Duration::from_millis(20)), ..Start::default() })?;
    stage.moment("the leader is to be alone")?;
    let leader = stage.node_at("the leader is to be alone")?;
    let followers = stage.other_nodes(leader)?;
    // They have all that came before.
    stage.replicated(ALONE)?;
    for follower in &followers {
        stage.order(Order::Freeze, *follower)?;
    }
    stage.thaw("program")?;
    stage.signal("the followers stand still");
    stage.moment("the leader is to die")?;
    stage.order(Order::Kill, leader)?;
    for follower in followers {
        stage.order(Order::Thaw, follower)?;
    }
    stage.order(Order::Start, leader)?;
    stage.led_by_another(leader)?;
    stage.thaw("program")?;
    stage.signal("there is a new leader");
    stage.finish("program")?;
    Ok(())
}
