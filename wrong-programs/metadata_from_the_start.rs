//! Asks for the group metadata once, before it is a member: without member id and generation, the coordinator takes the
//! offsets of anybody, also of a member that has been replaced.

use common::{Error, group, stop, transaction};
use rdkafka::consumer::Consumer;
use rdkafka::producer::Producer;

use crate::{Args, MOMENT, TEN_SECONDS, untold};

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let producer = args.transactional(untold)?;
    let consumer = args.consumer(&[("isolation.level", "read_committed")])?;
    // The mistake: they change with each rebalance, so they are asked for in each transaction.
    let metadata = consumer.group_metadata().ok_or_else(|| Error::failed("no group"))?;
    while !stop::requested() {
        let batch = group::consume(&consumer, 10, MOMENT)?;
        if batch.is_empty() {
            continue;
        }
        transaction::begin(&producer)?;
        for message in &batch {
            args.transform(&producer, message)?;
        }
        producer.send_offsets_to_transaction(&group::offsets_after(&batch)?, &metadata, TEN_SECONDS)?;
        transaction::commit(&producer, TEN_SECONDS)?;
    }
    Ok(())
}
