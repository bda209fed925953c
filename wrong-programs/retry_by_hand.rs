//! Idempotence is on, and a message that is reported as failed is sent once more by the program: under a new sequence
//! number, so that the broker cannot know it for the same. Failed is unknown, not "not stored".

use common::delivery::{self, ReportingProducer};
use common::grammar::Line;
use common::{Error, out};
use rdkafka::producer::Producer;

use crate::{Args, TEN_SECONDS, untold};

pub(crate) fn run(args: &Args) -> Result<(), Error> {
    let settings = [("enable.idempotence", "true"), ("retries", "5")];
    let mut producer = args.producer(&settings, untold)?;
    for value in args.values() {
        while !sent(args, &producer, &value)? {
            // The mistake: a new producer has another producer id, and the same message is another one.
            producer = args.producer(&settings, untold)?;
        }
    }
    Ok(())
}

/// One message, and its delivery report.
fn sent(args: &Args, producer: &ReportingProducer, value: &str) -> Result<bool, Error> {
    delivery::send(producer, args.record(value))?;
    delivery::flush(producer, TEN_SECONDS);
    match producer.context().take_last() {
        Some(Ok(place)) => out::print(&Line::Delivered(place, value.as_bytes().into())).map(|()| true),
        _ => Ok(false),
    }
}
