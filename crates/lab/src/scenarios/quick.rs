//! What several scenarios have in common: the usual beginning, and settings that touch no lesson.

use crate::error::Error;
use crate::scenario::{Amount, Setting, Text};
use crate::stage::Stage;

/// Fills the input of whoever reads one, and starts the program.
pub(super) fn start(stage: &mut Stage<'_>) -> Result<(), Error> {
    stage.fill_input()?;
    stage.start("program")
}

/// Twenty messages would share one batch: a fault between two batches needs more of them.
pub(crate) const SMALL_BATCHES: Setting = Setting {
    key: "batch.num.messages",
    value: Amount::Of("5"),
    why: Text {
        en: "several small batches instead of one: how many messages share a batch has no part in the guarantee",
        fr: "plusieurs petits lots au lieu d'un seul : le nombre de messages par lot n'entre pour rien dans la garantie",
    },
};

/// Each message in a batch of its own.
pub(super) const SINGLE_BATCHES: Setting = Setting {
    key: "batch.num.messages",
    value: Amount::Of("1"),
    why: Text {
        en: "each message in a batch of its own: the broker remembers the last five batches, not the last five messages",
        fr: "chaque message dans son propre lot : le broker retient les cinq derniers lots, pas les cinq derniers messages",
    },
};

/// The first pause before the producer sends a batch again; the next ones double.
pub(crate) const RETRY_SOON: Setting = Setting {
    key: "retry.backoff.ms",
    value: Amount::Of("20"),
    why: Text {
        en: "the retries come sooner: their number decides, not the pauses between them",
        fr: "les réessais viennent plus tôt : c'est leur nombre qui décide, pas les pauses entre eux",
    },
};

/// The longest pause before the client connects again; the default grows to 10 s.
pub(crate) const RECONNECT_SOON: Setting = Setting {
    key: "reconnect.backoff.max.ms",
    value: Amount::Of("100"),
    why: Text {
        en: "the client connects again sooner: when it does has no part in the guarantee",
        fr: "le client se reconnecte plus tôt : le moment où il le fait n'entre pour rien dans la garantie",
    },
};

/// librdkafka (2.12, and later ones) may wait for a group coordinator that has died, in send_offsets_to_transaction: until
/// one of its connections opens or closes.
pub(super) const IDLE_SOON: Setting = Setting {
    key: "connections.max.idle.ms",
    value: Amount::Of("3000"),
    why: Text {
        en: "idle connections close: else send_offsets_to_transaction may wait for a dead coordinator (librdkafka 5511)",
        fr: "les connexions oisives se ferment : sinon send_offsets_to_transaction peut attendre un coordinateur mort (librdkafka 5511)",
    },
};

/// A member shows itself to its group: as often as a play that waits for it can bear.
pub(super) const HEARTBEAT_SOON: Setting = Setting {
    key: "heartbeat.interval.ms",
    value: Amount::Of("200"),
    why: Text {
        en: "the member is heard of sooner in its group: nothing else depends on its heartbeats here",
        fr: "le membre donne plus tôt de ses nouvelles au groupe : rien d'autre ne dépend ici de ses heartbeats",
    },
};
