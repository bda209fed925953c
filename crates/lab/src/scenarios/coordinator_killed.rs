//! The node that coordinates the transaction, or the group, dies with the commit.

use proxy::{Action, ApiKey, Fault, Field, When};

use super::quick;
use crate::error::Error;
use crate::nodes::Order;
use crate::scenario::{Case, Exhibit, Mark, Scenario, Setting, Text};
use crate::stage::Stage;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "coordinator-killed",
    fault: Text {
        en: "kill -9 of the coordinator when a commit (EndTxn, OffsetCommit) arrives, or its answer leaves",
        fr: "kill -9 du coordinateur quand un commit (EndTxn, OffsetCommit) arrive, ou quand sa réponse part",
    },
    teaches: Text {
        en: "a coordinator keeps nothing to itself: its log has replicas, and another node goes on from there",
        fr: "un coordinateur ne garde rien pour lui : son log a des réplicas, et un autre nœud continue à partir de là",
    },
    cases: &[
        Case {
            variant: "request",
            programs: TRANSACTIONS,
            promise: TRANSACTION_ONCE,
            exhibits: &[Exhibit::Mark(Mark::CommitRepeated)],
            why: Text {
                en: "The coordinator died before it had the EndTxn. Another node became the leader of its partition of __transaction_state, read the log, and found the transaction open; librdkafka found that node, repeated the EndTxn, and this one committed.",
                fr: "Le coordinateur est mort avant d'avoir reçu EndTxn. Un autre nœud est devenu leader de sa partition de __transaction_state, a relu ce log, et y a trouvé la transaction ouverte ; librdkafka a trouvé ce nœud et répété EndTxn, et celui-ci a commité.",
            },
            play: before_the_end,
            ..CASE
        },
        Case {
            variant: "answer",
            programs: TRANSACTIONS,
            promise: TRANSACTION_ONCE,
            exhibits: &[Exhibit::Mark(Mark::CommitRepeated)],
            why: Text {
                en: "The coordinator had decided the commit and written it to its log, on all replicas in sync, before it answered. Whoever reads that log next writes the markers that are missing: nobody can decide anew, and the repeated EndTxn hears that it is done.",
                fr: "Le coordinateur avait décidé le commit et l'avait écrit dans son log, sur tous les réplicas synchronisés, avant de répondre. Qui relit ce log écrit les marqueurs manquants : personne ne peut décider autrement, et EndTxn, répété, apprend que c'est fait.",
            },
            play: after_the_end,
            ..CASE
        },
        Case {
            variant: "request",
            programs: CONSUMERS,
            promise: NEITHER,
            why: Text {
                en: "The group, with its members and its offsets, is a partition of __consumer_offsets: the next leader of that partition is the next coordinator. librdkafka finds it, repeats the OffsetCommit, and the member is still a member.",
                fr: "Le groupe, avec ses membres et ses offsets, est une partition de __consumer_offsets : le leader suivant de cette partition est le coordinateur suivant. librdkafka le trouve, répète OffsetCommit, et le membre est toujours membre.",
            },
            play: before_the_offset,
            ..CASE
        },
        Case {
            variant: "answer",
            programs: CONSUMERS,
            promise: NEITHER,
            why: Text {
                en: "The offset was on all replicas in sync before the answer left. The next coordinator reads it there, and the repeated OffsetCommit sets it once more.",
                fr: "L'offset était sur tous les réplicas synchronisés avant que la réponse ne parte. Le coordinateur suivant l'y lit, et OffsetCommit, répété, le pose une seconde fois.",
            },
            play: after_the_offset,
            ..CASE
        },
    ],
};

const CASE: Case = Case { settings: QUICK, ..Case::PLAIN };

const QUICK: &[Setting] = &[quick::RECONNECT_SOON, quick::IDLE_SOON];

const TRANSACTIONS: &[&str] =
    &["producer-exactly-once", "eos-producer", "consumer-exactly-once", "eos-consumer", "eos-pipeline"];

const CONSUMERS: &[&str] = &["consumer-at-most-once", "consumer-at-least-once"];

const TRANSACTION_ONCE: Text = Text {
    en: "the transaction takes effect once, whoever ends it",
    fr: "la transaction prend effet une seule fois, quel que soit celui qui la termine",
};

const NEITHER: Text = Text {
    en: "each message is processed once: the program lives",
    fr: "chaque message est traité une fois : le programme vit",
};

fn before_the_end(stage: &mut Stage<'_>) -> Result<(), Error> {
    killed(stage, When::request(ApiKey::EndTxn).with(Field::Commits(true)), held())
}

fn after_the_end(stage: &mut Stage<'_>) -> Result<(), Error> {
    killed(stage, When::response(ApiKey::EndTxn).with(Field::Commits(true)).with(Field::Error(0)), Action::Silence)
}

fn before_the_offset(stage: &mut Stage<'_>) -> Result<(), Error> {
    killed(stage, When::request(ApiKey::OffsetCommit), held())
}

fn after_the_offset(stage: &mut Stage<'_>) -> Result<(), Error> {
    killed(stage, When::response(ApiKey::OffsetCommit).with(Field::Error(0)), Action::Silence)
}

/// It waits for a broker that is dead when its turn comes.
fn held() -> Action {
    Action::Hold { until: "the coordinator is dead".into() }
}

fn killed(stage: &mut Stage<'_>, when: When, frame: Action) -> Result<(), Error> {
    stage.whole()?;
    stage.arm(Fault::new("the coordinator is to die", when, frame));
    quick::start(stage)?;
    stage.moment("the coordinator is to die")?;
    let coordinator = stage.node_at("the coordinator is to die")?;
    stage.order(Order::Kill, coordinator)?;
    stage.signal("the coordinator is dead");
    stage.order(Order::Start, coordinator)?;
    stage.finish("program")?;
    Ok(())
}
