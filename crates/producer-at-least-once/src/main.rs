//! Producer, **at least once**: each message is sent until a broker acknowledges it.
//! The course's snippet « producteur : At least one ».
//!
//! Guarantee: what is acknowledged (`delivered`) is stored, on all in-sync replicas.
//!
//! How it breaks (it may):
//! - a message is stored twice: the broker has it, the acknowledgement is lost, the retry is stored again;
//! - messages change places: one is retried while the next is already stored;
//! - a message that is reported as `failed` may be stored all the same: the report means "unknown", not "absent".
//!
//! ```text
//! terminal 1   compose/kafka.sh
//! terminal 2   cargo run -p producer-at-least-once -- --count 100 --interval-ms 100
//! terminal 3   cargo run -p consumer-at-least-once
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

/// Producer, at least once: acks=all, retries, no idempotence
#[derive(Parser)]
#[command(version, after_help = EXAMPLES)]
struct Args {
    #[command(flatten)]
    kafka: cli::Broker,

    /// Topic to write to
    #[arg(long, env = "TOPIC", default_value = "tp-at-least-once", value_parser = cli::topic_name)]
    topic: String,

    #[command(flatten)]
    produce: cli::Produce,
}

const EXAMPLES: &str = "\
Examples:
  producer-at-least-once --count 100 --interval-ms 100
  producer-at-least-once -X enable.idempotence=true     no more duplicates: why?

Exit status: 0 done, 1 a delivery failed, 2 bad usage or no broker";

fn main() -> ExitCode {
    app::main(run)
}

fn run(args: Args) -> Result<(), Error> {
    let topic = args.kafka.name(&args.topic);

    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &args.kafka.bootstrap_servers);
    // The leader answers when all in-sync replicas have the message. How many those must be is the topic's
    // min.insync.replicas: with 1, "all" may be the leader alone.
    config.set("acks", "all");
    // Up to five more attempts. Each may follow one that was stored and whose answer was lost.
    config.set("retries", "5");
    // Wait 5 ms for more messages to share a batch: fewer requests, for a delay that nobody notices.
    config.set("linger.ms", "5");
    // No sequence numbers: the broker cannot tell a retry from a new message, so a retry may be a duplicate. Nor can it
    // put retried messages back in their place, whatever max.in.flight.requests.per.connection says.
    config.set("enable.idempotence", "false");
    args.kafka.overrides(&mut config);

    let producer = DeliveryReports::producer(&config, delivery_report)?;
    connect::topic(&producer, &args.kafka.bootstrap_servers, &topic, args.kafka.connect_timeout)?;

    for i in 0..args.produce.count {
        if stop::requested() {
            break;
        }
        let value = args.produce.fill(format_args!("msg-{i}"));
        if let Err(why) = delivery::send(&producer, BaseRecord::<(), str>::to(&topic).payload(&value)) {
            producer.context().failed_to_queue(value.as_bytes(), &why)?;
        }
        delivery::poll(&producer, args.produce.interval_ms); // serves delivery_report
    }

    // Five seconds, as in the course. It guarantees nothing by itself: what counts is how many messages are left.
    let left = delivery::flush(&producer, Duration::from_secs(5));
    if left > 0 {
        log::warn!(
            "flush(5 s) is over and {left} messages have no acknowledgement: whether they are stored is unknown"
        );
    }
    delivery::finish(producer)
}

/// Called once for each message, when it is acknowledged or given up.
fn delivery_report<'a>(report: &'a DeliveryResult<'_>) -> Option<Line<'a>> {
    Some(match report {
        Ok(message) => Line::delivered(message),
        Err((why, message)) => Line::failed(message.payload().unwrap_or_default(), why),
    })
}
