//! The control record that ends a transaction in a partition.

use wire::batch;

/// How a transaction ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Marker {
    Abort,
    Commit,
}

impl Marker {
    /// The control batch as it stands in the log.
    ///
    /// Source: KIP-98, "Control Records"; `EndTxnMarker.json`.
    pub(crate) fn batch(self, now: i64, producer_id: i64, producer_epoch: i16, coordinator_epoch: i32) -> Vec<u8> {
        let kind = match self {
            Self::Abort => 0,
            Self::Commit => 1,
        };
        let [a, b, c, d] = coordinator_epoch.to_be_bytes();
        // Attributes, timestamp and offset deltas, a key of 4 bytes (version 0, kind), a value of 6 (version 0, the
        // epoch of the coordinator), no headers. Numbers are zigzag: 4 is written as 8, 6 as 12, the length 16 as 32.
        let record = [32, 0, 0, 0, 8, 0, 0, 0, kind, 12, 0, 0, a, b, c, d, 0];
        batch::control(&record, now, producer_id, producer_epoch)
    }
}
