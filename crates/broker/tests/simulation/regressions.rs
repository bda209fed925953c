//! Shrunk histories of what has been wrong once.

use crate::{
    simulation::Simulation,
    step::{
        Net::Fine,
        Step::{self, *},
    },
};

fn holds(history: &[Step]) {
    if let Err(why) = Simulation::run(history, |_| {}) {
        panic!("{why}");
    }
}

/// The log starts within a batch of an open transaction then, and so does what is stable: `read_committed` was given the
/// whole batch. Kafka takes the batch's position for that of the offset (`LocalLog.convertToOffsetMetadataOrThrow`).
#[test]
fn records_of_an_open_transaction_stay_unseen_when_those_before_them_are_deleted() {
    holds(&[
        Produce { producer: 2, at: (0, 0), records: 2, pipelined: false, large: false, net: Fine },
        DeleteRecords { at: (0, 0), percent: 50 },
    ]);
}
