//! Called at most once, and commits asynchronously: it processes before it knows whether the commit has arrived.

use common::grammar::Line;
use common::{Error, group, out, stop};
use rdkafka::consumer::{CommitMode, Consumer};

use crate::{Args, MOMENT};

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let consumer = args.consumer(&[])?;
    while !stop::requested() {
        let Some(message) = group::poll(&consumer, MOMENT)? else { continue };
        // The mistake: Async returns at once.
        consumer.commit_message(&message, CommitMode::Async)?;
        out::print(&Line::read(&message))?;
    }
    Ok(())
}
