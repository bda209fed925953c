//! What the scenarios share in which an instance is killed, and a second one does the rest.

use proxy::{Action, Fault, When};

use crate::error::Error;
use crate::scenario::{Amount, Setting, Text};
use crate::stage::Stage;

/// For members of a group: the group does not wait for the dead one.
pub(super) const TAKES_ITS_PLACE: &[Setting] = &[MEMBER, SESSION];

pub(super) const MEMBER: Setting = Setting {
    key: "group.instance.id",
    value: Amount::Of("instance-1"),
    why: Text {
        en: "the second instance takes the dead one's place in the group at once, instead of when its session is over",
        fr: "la seconde instance prend aussitôt la place de la morte dans le groupe, sans attendre la fin de sa session",
    },
};

pub(super) const SESSION: Setting = Setting {
    key: "session.timeout.ms",
    value: Amount::Of("6000"),
    why: Text {
        en: "a member with a group.instance.id does not leave: 6 s later, instead of 45, the group can be deleted",
        fr: "un membre qui a un group.instance.id ne quitte pas le groupe : celui-ci peut être supprimé 6 s plus tard, au lieu de 45",
    },
};

/// The first instance is killed at the first of these moments; the second does what there is left to do.
pub(super) fn killed(stage: &mut Stage<'_>, moments: impl IntoIterator<Item = When>) -> Result<(), Error> {
    first_killed(stage, moments)?;
    second_finishes(stage)
}

pub(super) fn first_killed(stage: &mut Stage<'_>, moments: impl IntoIterator<Item = When>) -> Result<(), Error> {
    for when in moments {
        stage.arm(Fault::new("killed", when.of("first"), Action::Kill));
    }
    stage.start("first")?;
    stage.moment("killed")
}

pub(super) fn second_finishes(stage: &mut Stage<'_>) -> Result<(), Error> {
    stage.start("second")?;
    stage.finish("second")?;
    Ok(())
}
