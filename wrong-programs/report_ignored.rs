//! The delivery report comes, and its error is not looked at.

use common::Error;
use common::delivery;
use common::grammar::Line;
use rdkafka::message::DeliveryResult;

use crate::{Args, TEN_SECONDS};

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let producer = args.producer(&[], report)?;
    for value in args.values() {
        delivery::send(&producer, args.record(&value))?;
        delivery::poll(&producer, args.produce.interval_ms);
    }
    delivery::flush(&producer, TEN_SECONDS);
    Ok(())
}

/// The mistake: Python's `def delivery_report(err, msg)` that prints `msg` and never asks for `err`.
fn report<'a>(report: &'a DeliveryResult<'_>) -> Option<Line<'a>> {
    let (Ok(message) | Err((_, message))) = report;
    Some(Line::delivered(message))
}
