//! Handles the error of commit_transaction(), and says "committed" all the same: the line stands after both ways.

use common::delivery;
use common::grammar::Line;
use common::transaction;
use common::{Error, out};

use crate::{Args, TEN_SECONDS, told};

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let producer = args.transactional(told)?;
    transaction::begin(&producer)?;
    for value in args.values() {
        transaction::send(&producer, args.record(&value))?;
        delivery::poll(&producer, args.produce.interval_ms);
    }
    if let Err(why) = transaction::commit(&producer, TEN_SECONDS) {
        log::warn!("not committed: {why}");
        transaction::abort(&producer, TEN_SECONDS)?;
    }
    // The mistake: after an abort, too.
    out::print(&Line::Committed(args.produce.count))
}
