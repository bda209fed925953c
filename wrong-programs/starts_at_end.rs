//! A new group begins at the end (auto.offset.reset=latest, the default), and says so to the group: what was there before
//! is never read.

use common::grammar::Line;
use common::{Error, group, out, stop};
use rdkafka::consumer::{CommitMode, Consumer};
use rdkafka::{Offset, TopicPartitionList};

use crate::{Args, MOMENT, TEN_SECONDS};

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    // The mistake.
    let consumer = args.consumer(&[("auto.offset.reset", "latest")])?;
    while !stop::requested() && consumer.assignment()?.count() == 0 {
        group::poll(&consumer, MOMENT)?;
    }
    // So that nobody sees a lag.
    let mut end = TopicPartitionList::new();
    for partition in consumer.assignment()?.elements() {
        let (_, last) = consumer.fetch_watermarks(partition.topic(), partition.partition(), TEN_SECONDS)?;
        end.add_partition_offset(partition.topic(), partition.partition(), Offset::Offset(last))?;
    }
    consumer.commit(&end, CommitMode::Sync)?;
    while !stop::requested() {
        let Some(message) = group::poll(&consumer, MOMENT)? else { continue };
        out::print(&Line::read(&message))?;
        consumer.commit_message(&message, CommitMode::Sync)?;
    }
    Ok(())
}
