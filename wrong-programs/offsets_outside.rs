//! The results are in a transaction, and the offsets are committed by the consumer: two commits, and a crash between them.

use common::{Error, group, stop, transaction};
use rdkafka::consumer::{CommitMode, Consumer};

use crate::{Args, MOMENT, TEN_SECONDS, untold};

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let producer = args.transactional(untold)?;
    let consumer = args.consumer(&[("isolation.level", "read_committed")])?;
    while !stop::requested() {
        let batch = group::consume(&consumer, 10, MOMENT)?;
        if batch.is_empty() {
            continue;
        }
        transaction::begin(&producer)?;
        for message in &batch {
            args.transform(&producer, message)?;
        }
        transaction::commit(&producer, TEN_SECONDS)?;
        // The mistake: send_offsets_to_transaction() is what makes the two one.
        consumer.commit(&group::offsets_after(&batch)?, CommitMode::Sync)?;
    }
    Ok(())
}
