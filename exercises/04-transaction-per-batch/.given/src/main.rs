//! Exercise 04, **a transaction per batch**: all messages of this program are visible together, or none is.
//! The course's snippet « producteur : Exactly one ».
//!
//! Goal: a read_committed reader sees the whole batch, once, or nothing of it, even if the program is killed half way
//! and started again.
//!
//! As given, the producer is idempotent and no more: killed half way, it leaves half a batch, and its successor sends
//! the whole batch behind it.
//!
//! ```text
//! terminal 1   cargo run -p lab -- broker
//! terminal 2   cargo run -p ex04-transaction-per-batch -- --count 20 --interval-ms 300
//! terminal 2   Ctrl-\ (abrupt) after a few lines, then run it again
//! terminal 3   cargo run -p consumer-exactly-once -- --topic tp-batch --idle-exit 3
//! ```

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use common::delivery::{self, DeliveryReports, ReportingProducer};
use common::grammar::Line;
use common::transaction::{self, TxnError};
use common::{Error, app, cli, connect, out, stop};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::BaseRecord;
use rdkafka::{ClientConfig, Message};

/// Producer: one transaction for the whole batch
#[derive(Parser)]
#[command(version, after_help = EXAMPLES)]
struct Args {
    #[command(flatten)]
    kafka: cli::Broker,

    /// Topic to write to
    #[arg(long, env = "TOPIC", default_value = "tp-batch", value_parser = cli::topic_name)]
    topic: String,

    /// Who this producer is, across restarts: unique and stable
    #[arg(long, env = "TRANSACTIONAL_ID", default_value = "txn-batch", value_parser = cli::identifier)]
    transactional_id: String,

    #[command(flatten)]
    produce: cli::Produce,
}

const EXAMPLES: &str = "\
Examples:
  ex04-transaction-per-batch --count 20 --interval-ms 300

Exit status: 0 done, 1 the transaction failed, 2 bad usage or no broker";

/// The course's timeout for one call.
const TEN_SECONDS: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    app::main(run)
}

fn run(args: Args) -> Result<(), Error> {
    let topic = args.kafka.name(&args.topic);

    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &args.kafka.bootstrap_servers);
    // All in-sync replicas have the message before it counts. A transactional producer accepts nothing less.
    config.set("acks", "all");
    // A retry is recognised by its sequence number and not stored again.
    config.set("enable.idempotence", "true");
    // Try again for as long as delivery.timeout.ms allows.
    config.set("retries", "1000000");
    // Wait 5 ms for more messages to share a batch.
    config.set("linger.ms", "5");
    // TODO 1: as a client.id, this name only stands in the broker's log. Which property makes it an identity that the
    // transaction coordinator knows, across restarts?
    config.set("client.id", args.kafka.name(&args.transactional_id));
    args.kafka.overrides(&mut config);

    let producer = DeliveryReports::producer(&config, delivery_report)?;
    connect::topic(&producer, &args.kafka.bootstrap_servers, &topic, args.kafka.connect_timeout)?;

    // TODO 2: once per process, before anything is sent.

    // TODO 3: the batch begins here.
    let mut sent = 0;
    send_batch(&producer, &topic, &args.produce, &mut sent)?;

    // TODO 4: all of it, or nothing: commit; if an error came (here or above), abort, and report it. Only then is this
    // line true.
    delivery::flush(&producer, TEN_SECONDS);
    out::print(&Line::Committed(sent))?;

    delivery::finish(producer)
}

fn send_batch(
    producer: &ReportingProducer,
    topic: &str,
    produce: &cli::Produce,
    sent: &mut u64,
) -> Result<(), TxnError> {
    for i in 0..produce.count {
        if stop::requested() {
            break;
        }
        let value = produce.fill(format_args!("eos-msg-{i}"));
        transaction::send(producer, BaseRecord::<(), str>::to(topic).payload(&value))?;
        *sent += 1;
        delivery::poll(producer, produce.interval_ms); // serves delivery_report
    }
    Ok(())
}

/// Stored, which does not yet mean visible: read_committed readers wait for the commit.
fn delivery_report<'a>(report: &'a DeliveryResult<'_>) -> Option<Line<'a>> {
    Some(match report {
        Ok(message) => Line::delivered(message),
        Err((why, message)) => Line::failed(message.payload().unwrap_or_default(), why),
    })
}
