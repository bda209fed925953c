//! Says that a message is delivered when send() has returned, which only means that it is queued.

use common::delivery;
use common::grammar::{Line, Position};
use common::{Error, out};

use crate::{Args, TEN_SECONDS, untold};

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let producer = args.producer(&[], untold)?;
    for value in args.values() {
        delivery::send(&producer, args.record(&value))?;
        // The mistake: nobody looks at the delivery report. (Nor is an offset known.)
        let place = Position { topic: (&args.topic).into(), partition: 0, offset: -1 };
        out::print(&Line::Delivered(place, value.as_bytes().into()))?;
        delivery::poll(&producer, args.produce.interval_ms);
    }
    delivery::flush(&producer, TEN_SECONDS);
    Ok(())
}
