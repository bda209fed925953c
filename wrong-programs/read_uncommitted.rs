//! A pipeline that reads at read_uncommitted (Java's default): what its input's writer has aborted has a result.

use common::{Error, group, stop, transaction};

use crate::{Args, MOMENT, TEN_SECONDS, untold};

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let producer = args.transactional(untold)?;
    // The mistake.
    let consumer = args.consumer(&[("isolation.level", "read_uncommitted")])?;
    while !stop::requested() {
        let batch = group::consume(&consumer, 10, MOMENT)?;
        if batch.is_empty() {
            continue;
        }
        transaction::begin(&producer)?;
        for message in &batch {
            args.transform(&producer, message)?;
        }
        transaction::send_offsets(&producer, &group::offsets_after(&batch)?, &consumer, TEN_SECONDS)?;
        transaction::commit(&producer, TEN_SECONDS)?;
    }
    Ok(())
}
