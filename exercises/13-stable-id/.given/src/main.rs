//! Exercise 13, **a stable transactional.id and fencing**: of two instances, the newer one counts.
//! The course: « transactional.id : identifiant unique et stable par producteur », and yet, in eos.md, a uuid4.
//!
//! Goal: an instance that froze, was replaced and wakes up again cannot commit its batch beside the one of its
//! successor; it learns that it has been replaced, and stops with exit status 1.
//!
//! As given, each start has an identity of its own, so nobody is ever replaced; and whoever is told to stop starts
//! over.
//!
//! ```text
//! terminal 1   cargo run -p lab -- broker
//! terminal 2   cargo run -p ex13-stable-id -- --count 20 --interval-ms 500
//! terminal 2   Ctrl-Z (freezes it) after a few lines
//! terminal 3   cargo run -p ex13-stable-id -- --count 20
//! terminal 2   fg, and wait for its end: which of the two has committed?
//! terminal 3   cargo run -p consumer-exactly-once -- --topic tp-fencing --idle-exit 3
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
use uuid::Uuid;

/// Producer: one transaction for the whole batch, of one instance
#[derive(Parser, Clone)]
#[command(version, after_help = EXAMPLES)]
struct Args {
    #[command(flatten)]
    kafka: cli::Broker,

    /// Topic to write to
    #[arg(long, env = "TOPIC", default_value = "tp-fencing", value_parser = cli::topic_name)]
    topic: String,

    /// Who this producer is, across restarts: unique and stable
    #[arg(long, env = "TRANSACTIONAL_ID", default_value = "txn-fencing", value_parser = cli::identifier)]
    transactional_id: String,

    #[command(flatten)]
    produce: cli::Produce,
}

const EXAMPLES: &str = "\
Examples:
  ex13-stable-id --count 20 --interval-ms 500

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
    config.set("acks", "all");
    config.set("enable.idempotence", "true");
    config.set("retries", "1000000");
    config.set("linger.ms", "5");
    // TODO 1: by which name should the coordinator know the two instances, so that the newer replaces the older?
    let id = format!("{}-{}", args.kafka.name(&args.transactional_id), Uuid::new_v4());
    config.set("transactional.id", id);
    args.kafka.overrides(&mut config);

    let producer = DeliveryReports::producer(&config, delivery_report)?;
    connect::topic(&producer, &args.kafka.bootstrap_servers, &topic, args.kafka.connect_timeout)?;

    retry(GIVE_UP, || transaction::init(&producer, TEN_SECONDS))?;
    transaction::begin(&producer)?;
    let mut sent = 0;
    let batch = send_batch(&producer, &topic, &args.produce, &mut sent);

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
        Err(TxnError::Fatal(why)) => {
            // TODO 2: this producer can do no more. Is it for this program to begin again?
            log::warn!("{why}: starting over with a new producer");
            drop(producer);
            return run(args.clone());
        }
        // Retriable still after a minute: only the coordinator knows the outcome.
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
