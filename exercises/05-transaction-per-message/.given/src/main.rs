//! Exercise 05, **a transaction per message**: each message is committed on its own. The example that the course left
//! empty (eos.md: « chaque envoi de message doit être encadré par un beginTransaction et un commitTransaction »).
//!
//! Goal: `committed` is printed for a message when its own transaction is committed, and not a moment before.
//!
//! As given, all messages share one transaction, and `committed` is printed as soon as a message is stored. Killed
//! before the only commit, the program has announced what nobody will ever see.
//!
//! ```text
//! terminal 1   cargo run -p lab -- broker
//! terminal 2   cargo run -p ex05-transaction-per-message -- --count 20 --interval-ms 300
//! terminal 2   Ctrl-\ (abrupt) after a few lines
//! terminal 3   cargo run -p eos-consumer -- --topic tp-message --idle-exit 3
//! ```

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use common::delivery::{self, DeliveryReports, ReportingProducer};
use common::grammar::{Line, Position};
use common::transaction::{self, TxnError, retry};
use common::{Error, app, cli, connect, out, stop};
use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::producer::{BaseRecord, Producer};

/// Producer: one transaction for each message
#[derive(Parser)]
#[command(version, after_help = EXAMPLES)]
struct Args {
    #[command(flatten)]
    kafka: cli::Broker,

    /// Topic to write to
    #[arg(long, env = "TOPIC", default_value = "tp-message", value_parser = cli::topic_name)]
    topic: String,

    /// Who this producer is, across restarts: unique and stable
    #[arg(long, env = "TRANSACTIONAL_ID", default_value = "txn-message", value_parser = cli::identifier)]
    transactional_id: String,

    #[command(flatten)]
    produce: cli::Produce,
}

const EXAMPLES: &str = "\
Examples:
  ex05-transaction-per-message --count 20 --interval-ms 300
  ex05-transaction-per-message --count 1000     how long does it take?

Exit status: 0 done, 1 a transaction failed, 2 bad usage or no broker";

/// For one call, as in the course.
const TEN_SECONDS: Duration = Duration::from_secs(10);

/// After this long without an answer, transaction.timeout.ms (60 s by default) is over and the coordinator has aborted.
const GIVE_UP: Duration = Duration::from_secs(60);

/// A message whose transaction is aborted so often is the problem itself (too large for the topic, for instance).
const ATTEMPTS: u32 = 5;

fn main() -> ExitCode {
    app::main(run)
}

fn run(args: Args) -> Result<(), Error> {
    let topic = args.kafka.name(&args.topic);

    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &args.kafka.bootstrap_servers);
    // Both are implied by the transactional.id, and said here because exactly-once needs them.
    config.set("acks", "all");
    config.set("enable.idempotence", "true");
    // Makes transactions possible. Stable, so that the next run aborts what this one leaves open.
    config.set("transactional.id", args.kafka.name(&args.transactional_id));
    // No waiting for a second message.
    config.set("linger.ms", "0");
    args.kafka.overrides(&mut config);

    let producer = DeliveryReports::producer(&config, |_| None)?;
    connect::topic(&producer, &args.kafka.bootstrap_servers, &topic, args.kafka.connect_timeout)?;

    retry(GIVE_UP, || transaction::init(&producer, TEN_SECONDS))?;

    // TODO 1: one transaction for everything begins here. It should be one for each message.
    transaction::begin(&producer)?;
    let mut failed = 0;
    for i in 0..args.produce.count {
        if stop::requested() {
            break;
        }
        let value = args.produce.fill(format_args!("eos-msg-{i}"));
        match send_until_committed(&producer, &topic, &value) {
            Ok(at) => out::print(&Line::CommittedMessage(at, value.as_bytes().into()))?,
            Err(error) => {
                failed += 1;
                out::print(&Line::failed(value.as_bytes(), &error))?;
                // Fatal (fenced, for instance), or an outcome that only the coordinator knows: no further message.
                if !matches!(error, TxnError::Abortable(_)) {
                    return Err(error.into());
                }
            }
        }
        stop::sleep(args.produce.interval_ms);
    }
    // TODO 2: and here it ends.
    retry(GIVE_UP, || transaction::commit(&producer, TEN_SECONDS))?;

    match failed {
        0 => Ok(()),
        _ => Err(Error::failed(format!("{failed} messages could not be committed: see the lines `failed`"))),
    }
}

/// One message, once: an aborted attempt has left nothing that a read_committed reader can see, so the next attempt is
/// no duplicate.
fn send_until_committed(producer: &ReportingProducer, topic: &str, value: &str) -> Result<Position<'static>, TxnError> {
    let mut attempt = 1;
    loop {
        match send_in_transaction(producer, topic, value) {
            Err(TxnError::Abortable(why)) => {
                log::warn!("attempt {attempt} of {ATTEMPTS}: the transaction is aborted: {why}");
                transaction::abort(producer, TEN_SECONDS)?;
                if attempt == ATTEMPTS {
                    return Err(TxnError::Abortable(why));
                }
                attempt += 1;
            }
            other => return other,
        }
    }
}

/// Returns where the message stands.
fn send_in_transaction(producer: &ReportingProducer, topic: &str, value: &str) -> Result<Position<'static>, TxnError> {
    transaction::send(producer, BaseRecord::<(), str>::to(topic).payload(value))?;
    // TODO 3: this waits for the delivery report: the message is stored. What is missing until it is committed?
    delivery::flush(producer, TEN_SECONDS);
    Ok(producer.context().take_last().unwrap_or(Err(KafkaError::NoMessageReceived))?)
}
