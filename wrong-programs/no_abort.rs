//! A transaction that fails is left as it is: not committed, and not aborted either. It stays open until its timeout, and
//! holds back every reader at read_committed.

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
    // The mistake: with an error, the program ends here.
    transaction::commit(&producer, TEN_SECONDS)?;
    out::print(&Line::Committed(args.produce.count))
}
