//! What the trace shows apart from values.

use super::Lang::{self, En, Fr};
use crate::scenario::{Exhibit, Mark};

impl Lang {
    /// A mark, as a thing that shows.
    pub(crate) fn mark(self, mark: Mark) -> &'static str {
        match (self, mark) {
            (En, Mark::Fenced) => "a client refused for its successor (fenced)",
            (En, Mark::OffsetsRefused) => "offsets refused",
            (En, Mark::OffsetsRewound) => "a committed offset that moves backwards",
            (En, Mark::Stalled) => "a reader that waits for an open transaction",
            (En, Mark::Resent) => "a batch sent again",
            (En, Mark::Aborted) => "an aborted transaction",
            (En, Mark::CommitRepeated) => "an EndTxn sent again",
            (Fr, Mark::Fenced) => "un client exclu par son successeur (fencing)",
            (Fr, Mark::OffsetsRefused) => "des offsets refusés",
            (Fr, Mark::OffsetsRewound) => "un offset commité qui recule",
            (Fr, Mark::Stalled) => "un lecteur bloqué par une transaction ouverte",
            (Fr, Mark::Resent) => "un lot renvoyé",
            (Fr, Mark::Aborted) => "une transaction avortée",
            (Fr, Mark::CommitRepeated) => "un EndTxn renvoyé",
        }
    }

    /// What is announced, or missing.
    pub(crate) fn exhibit(self, exhibit: Exhibit) -> &'static str {
        match exhibit {
            Exhibit::Anomaly(kind) => self.kind_announced(kind),
            Exhibit::Mark(mark) => self.mark(mark),
        }
    }

    /// Several of them in a row.
    pub(crate) fn exhibits(self, exhibits: &[Exhibit]) -> String {
        exhibits.iter().map(|exhibit| self.exhibit(*exhibit)).collect::<Vec<_>>().join(", ")
    }
}
