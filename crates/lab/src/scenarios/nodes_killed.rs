//! Nodes die one after the other while the pipeline works: leaders of its partitions, and both of its coordinators.

use proxy::{Action, ApiKey, Fault, Field, When};

use super::quick;
use crate::error::Error;
use crate::ledger::Kind;
use crate::nodes::Order;
use crate::scenario::{Case, Scenario, Text};
use crate::stage::{Stage, Start};

/// One node dies for so many messages; but [`FEWEST`] at least, so that everyone has a turn.
const MESSAGES: usize = 10_000;

/// As many as there are moments, without their answers.
const FEWEST: usize = 4;

/// Between two deaths there are about so many transactions.
const TRANSACTIONS: usize = 10;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "nodes-killed",
    fault: Text {
        en: "kill -9 of the leaders of the pipeline's partitions and of its coordinators, in turn; each is started again",
        fr: "kill -9, tour à tour, des leaders des partitions du pipeline et de ses coordinateurs ; chacun est relancé",
    },
    teaches: Text {
        en: "with three replicas, min.insync.replicas=2 and acks=all, no node is needed for exactly-once",
        fr: "avec trois réplicas, min.insync.replicas=2 et acks=all, l'exactly-once ne tient à aucun nœud en particulier",
    },
    cases: &[Case {
        programs: &["eos-pipeline"],
        promise: Text {
            en: "each input has one visible result, in order, whichever node dies",
            fr: "chaque entrée a un seul résultat visible, dans l'ordre, quel que soit le nœud qui meurt",
        },
        // A transaction that cannot go on is aborted, and its messages are done again.
        allows: &[Kind::Repeated],
        why: Text {
            en: "Everything that the pipeline rests on is in logs with three replicas: the messages, the transactions (__transaction_state), the group and its offsets (__consumer_offsets). Nothing counts before two of them have it, so each death costs the time until another node leads, and nothing else.",
            fr: "Tout ce sur quoi repose le pipeline est dans des logs à trois réplicas : les messages, les transactions (__transaction_state), le groupe et ses offsets (__consumer_offsets). Rien ne compte avant que deux d'entre eux ne l'aient : chaque mort coûte le temps qu'un autre nœud prenne le relais, et rien d'autre.",
        },
        // As many as --messages says.
        messages: 0,
        partitions: 3,
        settings: &[quick::RECONNECT_SOON, quick::IDLE_SOON],
        play,
        ..Case::PLAIN
    }],
};

fn play(stage: &mut Stage<'_>) -> Result<(), Error> {
    let all = stage.messages();
    let deaths = (all / MESSAGES).max(FEWEST);
    let batch = all.div_ceil(deaths * TRANSACTIONS);
    stage.whole()?;
    stage.start_with("program", Start { batch: Some(batch), ..Start::default() })?;
    for nth in 0..deaths {
        let (to_die, dead) = (format!("death {}", nth + 1), format!("after death {}", nth + 1));
        let (when, frame) = moment(nth, &dead);
        stage.arm(Fault::new(to_die.as_str(), when, frame));
        stage.fill_some(all * nth / deaths..all * (nth + 1) / deaths)?;
        stage.moment(&to_die)?;
        let node = stage.node_at(&to_die)?;
        stage.order(Order::Kill, node)?;
        stage.signal(&dead);
        stage.order(Order::Start, node)?;
        stage.whole()?;
    }
    stage.finish("program")?;
    Ok(())
}

/// A moment at which one node is needed: the leader of a partition of the output, the transaction coordinator, the group
/// coordinator, the leader of a partition of the input. The first time it dies before it has the request, the next time
/// after; then its answer is lost.
fn moment(nth: usize, dead: &str) -> (When, Action) {
    let (side, frame): (fn(ApiKey) -> When, _) = match nth / FEWEST % 2 {
        0 => (When::request, Action::Hold { until: dead.to_owned() }),
        _ => (When::response, Action::Silence),
    };
    match nth % FEWEST {
        0 => (side(ApiKey::Produce).nth(4), frame),
        1 => (side(ApiKey::EndTxn).with(Field::Commits(true)).nth(4), frame),
        2 => (side(ApiKey::TxnOffsetCommit).nth(4), frame),
        _ => (When::response(ApiKey::Fetch).with(Field::HasRecords), Action::Silence),
    }
}
