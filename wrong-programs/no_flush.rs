//! Ends after the last send(), without flush(): what is queued is dropped with the producer.

use common::grammar::Line;
use common::{Error, delivery, out};

use crate::{Args, told};

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let producer = args.producer(&[("linger.ms", "5")], told)?;
    for value in args.values() {
        delivery::send(&producer, args.record(&value))?;
        out::print(&Line::Sent(value.as_bytes().into()))?;
        delivery::poll(&producer, args.produce.interval_ms);
    }
    // The mistake: flush() is missing. A process that ends does not wait, and reports nothing.
    std::process::exit(0)
}
