//! Calls flush() for two seconds, and does not look at how many messages were left then.

use std::time::Duration;

use common::Error;
use common::delivery;

use crate::{Args, TEN_SECONDS, told};

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let producer = args.producer(&[], told)?;
    for (nth, value) in args.values().enumerate() {
        delivery::send(&producer, args.record(&value))?;
        if nth == 0 {
            // With the first one, the connection is there.
            delivery::flush(&producer, TEN_SECONDS);
        }
        delivery::poll(&producer, args.produce.interval_ms);
    }
    // The mistake: it returns how many messages are not delivered yet.
    let _ = delivery::flush(&producer, Duration::from_secs(2));
    std::process::exit(0)
}
