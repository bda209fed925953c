//! Commits the offset of the message, and not the one after it: a group's offset is where it goes on.

use common::grammar::Line;
use common::group;
use common::{Error, out, stop};
use rdkafka::consumer::{CommitMode, Consumer};
use rdkafka::{Message, Offset, TopicPartitionList};

use crate::{Args, MOMENT};

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let consumer = args.consumer(&[])?;
    while !stop::requested() {
        let Some(message) = group::poll(&consumer, MOMENT)? else { continue };
        let mut offsets = TopicPartitionList::new();
        // The mistake: offset() + 1.
        let offset = Offset::Offset(message.offset());
        offsets.add_partition_offset(message.topic(), message.partition(), offset)?;
        consumer.commit(&offsets, CommitMode::Sync)?;
        out::print(&Line::read(&message))?;
    }
    Ok(())
}
