//! Exercise 04, **a transaction per batch**: all messages of this program are visible together, or none is.
//! The course's snippet « producteur : Exactly one ».
//!
//! Goal: a read_committed reader sees the whole batch, once, or nothing of it, even if the program is killed half way
//! and started again.
//!
//! What changed: the course's cycle, init → begin → (send) → commit, or abort.
//! - A transactional.id, stable: the next run takes over this identity, and the coordinator first aborts what the last
//!   one left open.
//! - `committed` is printed when the coordinator has said so; an error on the way aborts the whole batch.
//!
//! Its limit: run it again after a commit, and the batch is there twice. A transaction does not know what values mean.
//!
//! ```text
//! terminal 1   cargo run -p lab -- broker
//! terminal 2   cargo run -p sol04-transaction-per-batch -- --count 20 --interval-ms 300
//! terminal 2   Ctrl-\ (abrupt) after a few lines, then run it again
//! terminal 3   cargo run -p consumer-exactly-once -- --topic tp-batch --idle-exit 3
//! ```

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use common::delivery::{self, DeliveryReports, ReportingProducer};
use common::grammar::Line;
use common::transaction::{self, TxnError, retry};
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
  sol04-transaction-per-batch --count 20 --interval-ms 300

Exit status: 0 done, 1 the transaction failed, 2 bad usage or no broker";

/// The course's timeout for one call.
const TEN_SECONDS: Duration = Duration::from_secs(10);

/// After this long without an answer there is nothing left to try: transaction.timeout.ms (60 s by default) is over,
/// and the coordinator has aborted the transaction.
const GIVE_UP: Duration = Duration::from_secs(60);

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
    // Makes transactions possible. Stable, so that after a crash the next run takes over this identity: the coordinator
    // aborts what the old one left open, and refuses the old one from then on (fencing).
    config.set("transactional.id", args.kafka.name(&args.transactional_id));
    args.kafka.overrides(&mut config);

    let producer = DeliveryReports::producer(&config, delivery_report)?;
    connect::topic(&producer, &args.kafka.bootstrap_servers, &topic, args.kafka.connect_timeout)?;

    // 1) Once per process.
    retry(GIVE_UP, || transaction::init(&producer, TEN_SECONDS))?;

    // 2) One transaction for the batch.
    transaction::begin(&producer)?;
    let mut sent = 0;
    let batch = send_batch(&producer, &topic, &args.produce, &mut sent);

    // 3) All of it, or nothing.
    let outcome = match batch {
        Ok(()) if stop::requested() => return abort(&producer, sent, "interrupted"),
        Ok(()) => retry(GIVE_UP, || transaction::commit(&producer, TEN_SECONDS)),
        Err(error) => Err(error),
    };
    match outcome {
        Ok(()) => out::print(&Line::Committed(sent))?,
        Err(TxnError::Abortable(why)) => {
            abort(&producer, sent, &why.to_string())?;
            return Err(TxnError::Abortable(why).into());
        }
        // Fatal: fenced, or beyond repair. Retriable still after a minute: only the coordinator knows the outcome.
        Err(other) => return Err(other.into()),
    }

    delivery::finish(producer)
}

fn abort(producer: &ReportingProducer, sent: u64, why: &str) -> Result<(), Error> {
    transaction::abort(producer, TEN_SECONDS)?;
    out::print(&Line::aborted(sent, &why))
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
