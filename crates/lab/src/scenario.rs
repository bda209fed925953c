//! What a scenario is: a fault, and for each program beforehand what its guarantee promises and what will show.

use crate::catalogue::{Program, Promise};
use crate::error::Error;
use crate::ledger::Kind;
use crate::stage::Stage;

/// A text in both languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text {
    /// English.
    pub en: &'static str,
    /// French.
    pub fr: &'static str,
}

/// A fault, and what it does to the programs that it concerns.
#[derive(Debug)]
pub struct Scenario {
    /// Its name, on the command line and in the table.
    pub name: &'static str,
    /// What happens, in one line.
    pub fault: Text,
    /// What it teaches, in one line.
    pub teaches: Text,
    /// Which programs, in which variants.
    pub cases: &'static [Case],
}

/// One variant of a scenario, for the programs of which the same is said beforehand.
#[derive(Debug)]
pub struct Case {
    /// What tells it from the scenario's other cases; empty where there are none.
    pub variant: &'static str,
    /// The programs (packages) that are put through it.
    pub programs: &'static [&'static str],
    /// What the guarantee promises here, in one sentence.
    pub promise: Text,
    /// What must show, or the experiment has failed. Whether that breaks the promise is for the verdict to say.
    pub exhibits: &'static [Exhibit],
    /// What may show besides (and would, elsewhere, be a surprise).
    pub allows: &'static [Kind],
    /// How the program's last instance ends.
    pub ends: Ends,
    /// Two sentences: why it comes out like this.
    pub why: Text,
    /// How many messages are sent, or stand in the input.
    pub messages: u64,
    /// How many partitions each topic has.
    pub partitions: i32,
    /// Properties given to the program, besides its own.
    pub settings: &'static [Setting],
    /// What is done. It may use the stage as it likes; the verdict is made afterwards, from what is there then.
    pub play: fn(&mut Stage<'_>) -> Result<(), Error>,
}

/// What a run shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Exhibit {
    /// An anomaly of values, in the ledger.
    Anomaly(Kind),
    /// Something that the protocol says, in the trace.
    Mark(Mark),
}

/// What the trace can show apart from values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mark {
    /// A client was refused for a newer one with its transactional id (INVALID_PRODUCER_EPOCH, PRODUCER_FENCED).
    Fenced,
    /// Offsets were refused: the member is none any more, or of another generation.
    OffsetsRefused,
    /// The committed offset of a partition moved backwards.
    OffsetsRewound,
    /// A reader stood at the last stable offset while there was more, or was refused the committed offsets because a
    /// transaction held newer ones (UNSTABLE_OFFSET_COMMIT).
    Stalled,
    /// A batch was sent again (the same producer id, epoch and sequence, or without them the same values), by the same
    /// instance.
    Resent,
    /// A transaction was aborted.
    Aborted,
    /// An EndTxn was sent again for the same transaction.
    CommitRepeated,
}

/// How a program's last instance ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ends {
    /// With exit status 0.
    Well,
    /// With exit status 1: it says that something failed.
    Failing,
    /// Killed, or in any other way.
    Anyhow,
}

/// A property that the lab gives to a program for this case, and why that does not touch the lesson.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// librdkafka's name of it.
    pub key: &'static str,
    /// Its value.
    pub value: Amount,
    /// Why it may be set.
    pub why: Text,
}

/// The value of a setting: on the embedded broker, time limits can be shorter than Apache Kafka allows by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// The same everywhere.
    Of(&'static str),
    /// By broker.
    Either {
        /// On the embedded broker.
        embedded: &'static str,
        /// On any other Kafka.
        kafka: &'static str,
    },
}

impl Amount {
    /// The value, on this broker.
    pub fn on(self, embedded: bool) -> &'static str {
        match self {
            Self::Of(value) => value,
            Self::Either { embedded: value, .. } if embedded => value,
            Self::Either { kafka, .. } => kafka,
        }
    }
}

impl Case {
    /// What most cases have in common. Programs, texts and `play` are each case's own.
    pub const PLAIN: Self = Self {
        variant: "",
        programs: &[],
        promise: Text { en: "", fr: "" },
        exhibits: &[],
        allows: &[],
        ends: Ends::Well,
        why: Text { en: "", fr: "" },
        messages: 20,
        partitions: 1,
        settings: &[],
        play: |_| Ok(()),
    };

    /// Whether the promise breaks, if the run shows what it is to show.
    pub fn breaks(&self, promise: Promise) -> bool {
        self.exhibits.iter().any(|exhibit| matches!(exhibit, Exhibit::Anomaly(kind) if promise.forbids(*kind)))
    }

    /// Whether this program is put through it.
    pub fn concerns(&self, program: &Program) -> bool {
        self.programs.contains(&program.package)
    }
}
