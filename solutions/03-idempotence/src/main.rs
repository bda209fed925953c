//! Exercise 03, **idempotence**: a retry is recognised, and not stored again.
//! The course's snippets « producteur : At least one » and « Exactly one », without transactions.
//!
//! Goal: each acknowledged message is stored exactly once, in the order of sending, whatever is sent again.
//!
//! What changed: the broker gives this producer an id and checks a sequence number for each partition. A retry carries
//! the numbers of the first attempt; the broker answers it and stores nothing. So there is no reason to stop after
//! five.
//!
//! Its limit: the id belongs to this process. Run the program again, and it is another producer, whose messages are
//! new.
//!
//! ```text
//! terminal 1   cargo run -p lab -- broker
//! terminal 2   cargo run -p sol03-idempotence -- --count 20
//! terminal 3   cargo run -p consumer-at-least-once -- --topic tp-idempotence --idle-exit 3
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

/// Producer, idempotent: retries without duplicates
#[derive(Parser)]
#[command(version, after_help = EXAMPLES)]
struct Args {
    #[command(flatten)]
    kafka: cli::Broker,

    /// Topic to write to
    #[arg(long, env = "TOPIC", default_value = "tp-idempotence", value_parser = cli::topic_name)]
    topic: String,

    #[command(flatten)]
    produce: cli::Produce,
}

const EXAMPLES: &str = "\
Examples:
  sol03-idempotence --count 100 --interval-ms 100

Exit status: 0 done, 1 a delivery failed, 2 bad usage or no broker";

fn main() -> ExitCode {
    app::main(run)
}

fn run(args: Args) -> Result<(), Error> {
    let topic = args.kafka.name(&args.topic);

    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &args.kafka.bootstrap_servers);
    // All in-sync replicas have the message before it counts. Idempotence accepts nothing less.
    config.set("acks", "all");
    // The broker gives this producer an id and checks a sequence number per partition: a retry is recognised, and one
    // that comes too early (a gap) is refused, so that the order is kept too.
    config.set("enable.idempotence", "true");
    // Try again for as long as delivery.timeout.ms allows: with sequence numbers this costs no duplicate.
    config.set("retries", "1000000");
    // Wait 5 ms for more messages to share a batch.
    config.set("linger.ms", "5");
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
