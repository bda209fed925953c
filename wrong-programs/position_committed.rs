//! Commits position(), which is where the consumer goes on reading, and not how far the work has come: the program still
//! has messages in hand.

use common::{Error, group, stop, transaction};
use rdkafka::consumer::Consumer;

use crate::{Args, MOMENT, TEN_SECONDS, untold};

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let producer = args.transactional(untold)?;
    let consumer = args.consumer(&[("isolation.level", "read_committed")])?;
    while !stop::requested() {
        // Ten messages are read, and five make a transaction.
        let batch = group::consume(&consumer, 10, MOMENT)?;
        for part in batch.chunks(5) {
            transaction::begin(&producer)?;
            for message in part {
                args.transform(&producer, message)?;
            }
            // The mistake: offsets_after(part).
            transaction::send_offsets(&producer, &consumer.position()?, &consumer, TEN_SECONDS)?;
            transaction::commit(&producer, TEN_SECONDS)?;
        }
    }
    Ok(())
}
