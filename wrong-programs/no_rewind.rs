//! Aborts a transaction that fails, and goes on with the next messages: those of the aborted one have been read, and are
//! not read again.

use common::{Error, group, stop, transaction};
use rdkafka::message::BorrowedMessage;

use crate::{Args, MOMENT, TEN_SECONDS, untold};
use common::delivery::ReportingProducer;
use common::group::GroupConsumer;

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let producer = args.transactional(untold)?;
    let consumer = args.consumer(&[("isolation.level", "read_committed")])?;
    while !stop::requested() {
        let batch = group::consume(&consumer, 5, MOMENT)?;
        if batch.is_empty() {
            continue;
        }
        if let Err(why) = transform(args, &producer, &consumer, &batch) {
            log::warn!("aborted: {why}");
            transaction::abort(&producer, TEN_SECONDS)?;
            // The mistake: seek back to the committed offsets (group::rewind).
        }
    }
    Ok(())
}

fn transform(
    args: &Args,
    producer: &ReportingProducer,
    consumer: &GroupConsumer,
    batch: &[BorrowedMessage<'_>],
) -> Result<(), Error> {
    transaction::begin(producer)?;
    for message in batch {
        args.transform(producer, message)?;
    }
    transaction::send_offsets(producer, &group::offsets_after(batch)?, consumer, TEN_SECONDS)?;
    Ok(transaction::commit(producer, TEN_SECONDS)?)
}
