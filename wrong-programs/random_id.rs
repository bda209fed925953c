//! A transactional.id that is new with each start (`uuid4()`): nobody can end the transaction of the instance before, nor
//! fence it.

use common::delivery;
use common::grammar::Line;
use common::transaction::{self, retry};
use common::{Error, out};

use crate::{Args, TEN_SECONDS, told};

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    // The mistake.
    let id = format!("{}-{}", args.transactional_id, std::process::id());
    let producer = args.producer(&[("transactional.id", &id)], told)?;
    transaction::init(&producer, TEN_SECONDS)?;
    transaction::begin(&producer)?;
    for value in args.values() {
        transaction::send(&producer, args.record(&value))?;
        delivery::poll(&producer, args.produce.interval_ms);
    }
    retry(TEN_SECONDS, || transaction::commit(&producer, TEN_SECONDS))?;
    out::print(&Line::Committed(args.produce.count))
}
