//! Called at most once, and processes also what it could not commit: the group has given it to another member.

use common::grammar::Line;
use common::{Error, group, out, stop};
use rdkafka::consumer::{CommitMode, Consumer};

use crate::{Args, MOMENT};

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let consumer = args.consumer(&[])?;
    while !stop::requested() {
        let Some(message) = group::poll(&consumer, MOMENT)? else { continue };
        // The mistake: the error says that the message may be another member's.
        let _ = consumer.commit_message(&message, CommitMode::Sync);
        out::print(&Line::read(&message))?;
    }
    Ok(())
}
