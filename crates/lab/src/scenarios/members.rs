//! What the scenarios share in which two members of a group meet: time-outs, and an end in order.

use proxy::{Action, ApiKey, Fault, Field, When};

use super::restart::SESSION;
use crate::error::Error;
use crate::scenario::{Amount, Setting, Text};
use crate::stage::Stage;

/// Both members do what is left. The first one leaves; the second one, when it has been given everything, hence not in
/// the middle of a rebalance.
pub(super) fn finish_both(stage: &mut Stage<'_>) -> Result<(), Error> {
    stage.drain()?;
    let everything = When::response(ApiKey::SyncGroup).of("second").with(Field::Error(0));
    stage.arm(Fault::new("the second alone", everything, Action::Note));
    stage.stop("first")?;
    match stage.moment("the second alone") {
        // Ended by itself, it never will be: how it ended is judged.
        Err(Error::NotReached { .. }) if stage.is_over() => {}
        other => other?,
    }
    stage.stop("second")?;
    Ok(())
}

/// A member that stands still loses its place to the next at once.
pub(super) const SAME_PLACE: &[Setting] = &[MEMBER, SESSION, HEARTBEAT, FETCH];

/// A member that stands still is missed when its session is over.
pub(super) const MISSED: &[Setting] = &[MISSED_SOON, HEARTBEAT, FETCH];

pub(crate) const MISSED_SOON: Setting = Setting {
    key: "session.timeout.ms",
    // 6 s is the least that Kafka allows by default. Less than 1.5 s might evict a member of a busy machine.
    value: Amount::Either { embedded: "1500", kafka: "6000" },
    why: Text {
        en: "how long the group waits for the frozen member (45 s by default), not what it does then",
        fr: "combien de temps le groupe attend le membre figé (45 s par défaut), pas ce qu'il fait ensuite",
    },
};

/// Nobody stands still.
pub(super) const ALIVE: &[Setting] = &[HEARTBEAT, FETCH];

const MEMBER: Setting = Setting {
    key: "group.instance.id",
    value: Amount::Of("instance-1"),
    why: Text {
        en: "both are the same static member: the second has the first one's place at once, not when its session is over",
        fr: "les deux sont le même membre statique : le second prend la place du premier aussitôt, pas à la fin de sa session",
    },
};

pub(crate) const HEARTBEAT: Setting = Setting {
    key: "heartbeat.interval.ms",
    value: Amount::Of("200"),
    why: Text {
        en: "how soon a member hears what the group has decided (3 s by default), not the decision",
        fr: "quand un membre apprend ce que le groupe a décidé (3 s par défaut), pas la décision",
    },
};

pub(crate) const FETCH: Setting = Setting {
    key: "fetch.wait.max.ms",
    value: Amount::Of("50"),
    why: Text {
        en: "how long a fetch that finds nothing keeps its connection busy (500 ms by default)",
        fr: "combien de temps un fetch qui ne trouve rien occupe sa connexion (500 ms par défaut)",
    },
};
