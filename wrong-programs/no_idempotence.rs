//! Called exactly once, since "acks=all and retries do not lose anything": but without sequence numbers, a retry is
//! stored a second time.

use common::Error;
use common::delivery::{self, finish};

use crate::{Args, TEN_SECONDS, told};

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    // The mistake: librdkafka's default, where Java's is true.
    let producer = args.producer(&[("enable.idempotence", "false"), ("retries", "1000000")], told)?;
    for value in args.values() {
        delivery::send(&producer, args.record(&value))?;
        delivery::poll(&producer, args.produce.interval_ms);
    }
    delivery::flush(&producer, TEN_SECONDS);
    finish(producer)
}
