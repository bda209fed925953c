//! Called at least once, with `acks=0`: a message counts as delivered when it has left, and no answer is waited for.

use common::Error;
use common::delivery::{self, finish};

use crate::{Args, TEN_SECONDS, told};

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    // The mistake.
    let producer = args.producer(&[("acks", "0")], told)?;
    for value in args.values() {
        delivery::send(&producer, args.record(&value))?;
        delivery::poll(&producer, args.produce.interval_ms);
    }
    delivery::flush(&producer, TEN_SECONDS);
    finish(producer)
}
