//! Producer, **at most once**: each message is sent one time, and nobody asks whether it arrived.
//! The course's snippet « producteur : At most once ».
//!
//! Guarantee: no message is stored twice.
//!
//! How it breaks (it may): a message is lost while success is reported. `sent` is printed when librdkafka has handed
//! the bytes to the operating system; stop the broker at that moment and they are gone, and nobody knows.
//!
//! ```text
//! terminal 1   compose/kafka.sh
//! terminal 2   cargo run -p producer-at-most-once -- --count 100 --interval-ms 100
//! terminal 1   Ctrl-C, while terminal 2 still prints `sent`
//! ```

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use common::delivery::{self, DeliveryReports};
use common::grammar::Line;
use common::{Error, app, cli, connect, stop};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseRecord, Producer};
use rdkafka::{ClientConfig, Message};

/// Producer, at most once: acks=0, no retry
#[derive(Parser)]
#[command(version, after_help = EXAMPLES)]
struct Args {
    #[command(flatten)]
    kafka: cli::Broker,

    /// Topic to write to
    #[arg(long, env = "TOPIC", default_value = "tp-at-most-once", value_parser = cli::topic_name)]
    topic: String,

    #[command(flatten)]
    produce: cli::Produce,
}

const EXAMPLES: &str = "\
Examples:
  producer-at-most-once --count 100 --interval-ms 100
  producer-at-most-once -X acks=1        what changes when the leader answers?

Exit status: 0 done, 1 a delivery failed, 2 bad usage or no broker";

fn main() -> ExitCode {
    app::main(run)
}

fn run(args: Args) -> Result<(), Error> {
    let topic = args.kafka.name(&args.topic);

    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &args.kafka.bootstrap_servers);
    // The broker does not answer: a message counts as sent as soon as it has left on the network.
    config.set("acks", "0");
    // No second attempt: what is lost stays lost, and nothing can be stored twice.
    // (Nearly: errors about metadata, found before anything is sent, are tried again and do not count.)
    config.set("retries", "0");
    // No waiting for others: each message leaves at once, in a batch of its own when the pace allows.
    config.set("linger.ms", "0");
    // No producer id, no sequence numbers. Idempotence would ask for acks=all and retries, and is librdkafka's default
    // in no version; said here because the course says it.
    config.set("enable.idempotence", "false");
    args.kafka.overrides(&mut config);

    let producer = DeliveryReports::producer(&config, on_delivery)?;
    connect::topic(&producer, &args.kafka.bootstrap_servers, &topic, args.kafka.connect_timeout)?;

    for i in 0..args.produce.count {
        if stop::requested() {
            break;
        }
        let value = args.produce.fill(format_args!("msg-{i}"));
        if let Err(why) = delivery::send(&producer, BaseRecord::<(), str>::to(&topic).payload(&value)) {
            producer.context().failed_to_queue(value.as_bytes(), &why)?;
        }
        delivery::poll(&producer, args.produce.interval_ms); // serves on_delivery
    }

    // Two seconds, as in the course. What has not left by then is dropped with the producer, whose last act is to report
    // it as failed. (The course's Python client drops it without a word.)
    delivery::flush(&producer, Duration::from_secs(2));
    delivery::finish(producer)
}

/// With acks=0, `Ok` says that the message has left. It has no offset, since no broker has answered: hence `sent`, and
/// not `delivered`.
fn on_delivery<'a>(report: &'a DeliveryResult<'_>) -> Option<Line<'a>> {
    Some(match report {
        Ok(message) => Line::sent(message),
        Err((why, message)) => Line::failed(message.payload().unwrap_or_default(), why),
    })
}
