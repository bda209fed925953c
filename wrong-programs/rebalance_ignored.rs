//! Polls while a transaction is open, and takes no notice of a rebalance in between: the transaction then holds messages
//! of partitions that are another member's, or that this one reads once more.

use std::time::{Duration, Instant};

use common::{Error, group, stop, transaction};

use crate::{Args, MOMENT, TEN_SECONDS, untold};

/// A transaction is what comes until nothing has come for so long.
const SILENCE: Duration = Duration::from_secs(4);

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let producer = args.transactional(untold)?;
    let consumer = args.consumer(&[("isolation.level", "read_committed")])?;
    let mut batch = Vec::new();
    let mut last = Instant::now();
    while !stop::requested() {
        // The mistake: a revocation that is served here leaves the batch as it is.
        if let Some(message) = group::poll(&consumer, MOMENT)? {
            if batch.is_empty() {
                transaction::begin(&producer)?;
            }
            args.transform(&producer, &message)?;
            batch.push(message);
            last = Instant::now();
        }
        if !batch.is_empty() && last.elapsed() > SILENCE {
            transaction::send_offsets(&producer, &group::offsets_after(&batch)?, &consumer, TEN_SECONDS)?;
            transaction::commit(&producer, TEN_SECONDS)?;
            batch.clear();
        }
    }
    Ok(())
}
