//! Commits the results first, and the offsets in a transaction of their own: a crash in between, and the results come a
//! second time.

use common::{Error, group, stop, transaction};

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
        // The mistake: the offsets belong before this commit.
        transaction::commit(&producer, TEN_SECONDS)?;
        transaction::begin(&producer)?;
        transaction::send_offsets(&producer, &group::offsets_after(&batch)?, &consumer, TEN_SECONDS)?;
        transaction::commit(&producer, TEN_SECONDS)?;
    }
    Ok(())
}
