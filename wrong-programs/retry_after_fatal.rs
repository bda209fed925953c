//! Takes a fatal error for one that passes: fenced by its successor, it makes itself a new producer with the same
//! transactional.id, and sends the batch again.

use common::delivery;
use common::grammar::Line;
use common::transaction::{self, TxnError};
use common::{Error, out};

use crate::{Args, TEN_SECONDS, told};

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    loop {
        let producer = args.transactional(told)?;
        match batch(args, &producer) {
            Ok(()) => return out::print(&Line::Committed(args.produce.count)),
            // The mistake: whoever is fenced has been replaced, and must stop.
            Err(why) => log::warn!("once more, with a new producer: {why}"),
        }
    }
}

fn batch(args: &Args, producer: &delivery::ReportingProducer) -> Result<(), TxnError> {
    transaction::begin(producer)?;
    for value in args.values() {
        transaction::send(producer, args.record(&value))?;
        delivery::poll(producer, args.produce.interval_ms);
    }
    transaction::commit(producer, TEN_SECONDS)
}
