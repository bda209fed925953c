//! A transactional.id that stands in the program: two instances of it have the same one, and fence each other.

use common::{Error, group, stop, transaction};

use crate::{Args, MOMENT, TEN_SECONDS, untold};

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    // The mistake. (It has the group's name in it so that runs on one Kafka do not meet.)
    let id = format!("{}-my-pipeline", args.group);
    let producer = args.producer(&[("transactional.id", &id)], untold)?;
    transaction::init(&producer, TEN_SECONDS)?;
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
        transaction::send_offsets(&producer, &group::offsets_after(&batch)?, &consumer, TEN_SECONDS)?;
        transaction::commit(&producer, TEN_SECONDS)?;
    }
    Ok(())
}
