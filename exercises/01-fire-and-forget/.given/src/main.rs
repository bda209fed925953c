//! Exercise 01, **fire and forget**: each message is sent one time, and nobody asks whether it arrived.
//! The course's snippet « producteur : At most once ».
//!
//! Goal: what the program says is true. `sent` means that the message has left, `failed` that it has not; nothing is
//! stored twice. A message may still be lost on its way, and that is this guarantee's price.
//!
//! As given, the program speaks too soon and leaves too soon: messages that it has announced never leave.
//!
//! ```text
//! terminal 1   cargo run -p lab -- broker
//! terminal 2   cargo run -p ex01-fire-and-forget -- --count 20
//! terminal 3   cargo run -p consumer-at-most-once -- --topic tp-fire-and-forget --idle-exit 3
//! ```

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use common::delivery::{self, DeliveryReports};
use common::grammar::Line;
use common::{Error, app, cli, connect, out, stop};
use rdkafka::ClientConfig;
#[allow(unused_imports, reason = "message.payload() needs it, in TODO 2")]
use rdkafka::Message;
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseRecord, Producer};

/// Producer, fire and forget: acks=0, no retry
#[derive(Parser)]
#[command(version, after_help = EXAMPLES)]
struct Args {
    #[command(flatten)]
    kafka: cli::Broker,

    /// Topic to write to
    #[arg(long, env = "TOPIC", default_value = "tp-fire-and-forget", value_parser = cli::topic_name)]
    topic: String,

    #[command(flatten)]
    produce: cli::Produce,
}

const EXAMPLES: &str = "\
Examples:
  ex01-fire-and-forget --count 20
  ex01-fire-and-forget --count 20 --interval-ms 100     does the pace change anything?

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
    config.set("retries", "0");
    // Wait 100 ms for more messages to share a batch. (The course says 0: each leaves at once, and less is left in the
    // queue when the program ends; how much, is a matter of luck. Here it is easy to see.)
    config.set("linger.ms", "100");
    // No producer id, no sequence numbers.
    config.set("enable.idempotence", "false");
    args.kafka.overrides(&mut config);

    let producer = DeliveryReports::producer(&config, on_delivery)?;
    connect::topic(&producer, &args.kafka.bootstrap_servers, &topic, args.kafka.connect_timeout)?;

    for i in 0..args.produce.count {
        if stop::requested() {
            break;
        }
        let value = args.produce.fill(format_args!("msg-{i}"));
        match delivery::send(&producer, BaseRecord::<(), str>::to(&topic).payload(&value)) {
            // TODO 1: `send` has put the message into a queue of this process. Is that the moment to say `sent`?
            Ok(()) => out::print(&Line::Sent(value.as_bytes().into()))?,
            Err(why) => producer.context().failed_to_queue(value.as_bytes(), &why)?,
        }
        delivery::poll(&producer, args.produce.interval_ms); // serves on_delivery
    }

    // TODO 3: what is still in the queue now is dropped with the producer. How long may it take to leave?
    delivery::flush(&producer, Duration::ZERO);
    delivery::finish(producer)
}

/// Called once for each message: with `Ok` when its bytes have been handed to the operating system (acks=0 asks for no
/// more), with `Err` when it was given up. The line that it returns is printed.
fn on_delivery<'a>(_report: &'a DeliveryResult<'_>) -> Option<Line<'a>> {
    // TODO 2: say what became of the message: Line::sent(message), or Line::failed(its value, why).
    None
}
