//! Polls while a transaction is open, and takes no notice of a rebalance in between: the transaction then holds messages
//! of partitions that are another member's, or that this one reads once more.

use std::time::{Duration, Instant};

use common::{Error, group, stop, transaction};

use crate::{Args, MOMENT, TEN_SECONDS, untold};

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let producer = args.transactional(untold)?;
    let consumer = args.consumer(&[("isolation.level", "read_committed")])?;
    let mut batch = Vec::new();
    let mut begun = Instant::now();
    while !stop::requested() {
        // The mistake: a revocation that is served here leaves the batch as it is.
        if let Some(message) = group::poll(&consumer, MOMENT)? {
            if batch.is_empty() {
                transaction::begin(&producer)?;
                begun = Instant::now();
            }
            args.transform(&producer, &message)?;
            batch.push(message);
        }
        // Up to ten messages, or what comes in a second.
        if batch.len() == 10 || !batch.is_empty() && begun.elapsed() > Duration::from_secs(1) {
            transaction::send_offsets(&producer, &group::offsets_after(&batch)?, &consumer, TEN_SECONDS)?;
            transaction::commit(&producer, TEN_SECONDS)?;
            batch.clear();
        }
    }
    Ok(())
}
