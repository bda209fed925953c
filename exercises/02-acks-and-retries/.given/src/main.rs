//! Exercise 02, **acks and retries**: each message is sent until a broker acknowledges it.
//! The course's snippet « producteur : At most once » becomes « producteur : At least one ».
//!
//! Goal: what is reported as `delivered` is stored. It may be stored twice.
//!
//! As given, `delivered` is a guess: nobody has answered (the offset -1001 says so), and nothing is sent again.
//!
//! ```text
//! terminal 1   cargo run -p lab -- broker
//! terminal 2   cargo run -p ex02-acks-and-retries -- --count 20
//! terminal 3   cargo run -p consumer-at-least-once -- --topic tp-acks-and-retries --idle-exit 3
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

/// Producer, acks and retries: from at most once to at least once
#[derive(Parser)]
#[command(version, after_help = EXAMPLES)]
struct Args {
    #[command(flatten)]
    kafka: cli::Broker,

    /// Topic to write to
    #[arg(long, env = "TOPIC", default_value = "tp-acks-and-retries", value_parser = cli::topic_name)]
    topic: String,

    #[command(flatten)]
    produce: cli::Produce,
}

const EXAMPLES: &str = "\
Examples:
  ex02-acks-and-retries --count 100 --interval-ms 100

Exit status: 0 done, 1 a delivery failed, 2 bad usage or no broker";

fn main() -> ExitCode {
    app::main(run)
}

fn run(args: Args) -> Result<(), Error> {
    let topic = args.kafka.name(&args.topic);

    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &args.kafka.bootstrap_servers);
    // TODO 1: who has the message when it counts as delivered? The guarantee needs the answer of all in-sync replicas.
    config.set("acks", "0");
    // TODO 2: what happens when no answer comes? The course tries five times more.
    config.set("retries", "0");
    // Wait 5 ms for more messages to share a batch.
    config.set("linger.ms", "5");
    // No sequence numbers: exercise 03 is about them.
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

    // Five seconds, as in the course. What counts is how many messages are left then.
    let left = delivery::flush(&producer, Duration::from_secs(5));
    if left > 0 {
        log::warn!("{left} messages have no acknowledgement: whether they are stored is unknown");
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
