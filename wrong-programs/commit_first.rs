//! Called at least once, and commits before it processes: what a crash interrupts is never done.

use common::grammar::Line;
use common::{Error, group, out, stop};
use rdkafka::consumer::{CommitMode, Consumer};

use crate::{Args, MOMENT};

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let consumer = args.consumer(&[])?;
    while !stop::requested() {
        let Some(message) = group::poll(&consumer, MOMENT)? else { continue };
        // The mistake: this belongs behind the processing.
        consumer.commit_message(&message, CommitMode::Sync)?;
        out::print(&Line::read(&message))?;
    }
    Ok(())
}
