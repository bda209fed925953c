//! Without a fault. Every program must do exactly what it was asked to do: nothing lost, nothing twice, nothing missing.
//! The baseline: a scenario with a fault is worth nothing when this one fails.
//!
//! Before and after what a consumer is to read, the lab writes transactions to the same topic and aborts them. A
//! read_committed reader must not see them; a read_uncommitted reader must, or the experiment shows nothing.

use crate::catalogue::Role;
use crate::error::Error;
use crate::scenario::{Case, Scenario, Text};
use crate::stage::Stage;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "calm",
    fault: Text { en: "no fault", fr: "aucune panne" },
    teaches: Text {
        en: "the baseline: without a fault every program keeps its guarantee",
        fr: "le point de départ : sans panne, chaque programme tient sa garantie",
    },
    cases: &[
        Case {
            variant: "",
            programs: &[
                "producer-at-most-once",
                "producer-at-least-once",
                "producer-exactly-once",
                "eos-producer",
                "consumer-at-most-once",
                "consumer-at-least-once",
                "consumer-exactly-once",
                "eos-consumer",
            ],
            partitions: 1,
            ..CASE
        },
        Case { variant: "", programs: &["eos-pipeline"], partitions: 3, ..CASE },
    ],
};

const CASE: Case = Case {
    promise: Text {
        en: "each message once, in order: without a fault there is no excuse",
        fr: "chaque message une fois, dans l'ordre : sans panne, il n'y a pas d'excuse",
    },
    why: Text {
        en: "Nothing was lost, repeated or reordered, because nothing happened that could do it. Only a fault shows what a guarantee is worth.",
        fr: "Rien n'a été perdu, répété ni déplacé, puisque rien ne pouvait en être la cause. Seule une panne montre ce que vaut une garantie.",
    },
    // As many as --messages says.
    messages: 0,
    play,
    ..Case::PLAIN
};

fn play(stage: &mut Stage<'_>) -> Result<(), Error> {
    if !matches!(stage.program.role, Role::Producer(_)) {
        stage.fill_between_aborted()?;
    }
    stage.start("program")?;
    stage.finish("program")?;
    Ok(())
}
