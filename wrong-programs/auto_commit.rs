//! Auto-commit is left on, as it is by default: a message counts as done when it is handed to the program, processed or
//! not.

use std::time::Duration;

use common::grammar::Line;
use common::{Error, group, out, stop};

use crate::{Args, MOMENT};

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    // The mistake. (The default interval is 5 s: sooner or later, a crash comes at the wrong moment.)
    let consumer = args.consumer(&[("enable.auto.commit", "true"), ("auto.commit.interval.ms", "50")])?;
    while !stop::requested() {
        for message in group::consume(&consumer, 10, MOMENT)? {
            // The work that each message is.
            stop::sleep(Duration::from_millis(30));
            out::print(&Line::read(&message))?;
        }
    }
    Ok(())
}
