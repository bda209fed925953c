//! Exercise 11, **batches**: a transaction for up to ten messages. The course's consumer of eos.md: « L'atomicité de
//! ces transactions varie de 1 à 10 […] le nombre d'enregistrements lus en au plus 1000 millisecondes ».
//!
//! Goal: the group moves on by whole batches, and past a message only when it has been processed.
//!
//! As given, the messages come by ten, but the transaction is still one per message, as in a program that took them one
//! by one. The first of them already commits the offsets of all ten: killed in mid-batch, the program loses the rest.
//!
//! ```text
//! terminal 1   cargo run -p lab -- broker
//! terminal 2   cargo run -p eos-producer -- --count 30
//! terminal 3   cargo run -p ex11-batches -- --interval-ms 300
//! terminal 3   Ctrl-\ (abrupt) in the middle of a batch, then run it again: which messages are missing?
//! ```

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use common::delivery::{DeliveryReports, ReportingProducer};
use common::grammar::Line;
use common::group::{self, Group, GroupConsumer, Until};
use common::transaction::{self, TxnError, retry};
use common::{Error, app, cli, connect, out, stop};
use rdkafka::ClientConfig;
use rdkafka::consumer::Consumer;
use rdkafka::message::BorrowedMessage;

/// Consumer: batches, whose offsets are committed in a transaction
#[derive(Parser)]
#[command(version, after_help = EXAMPLES)]
struct Args {
    #[command(flatten)]
    kafka: cli::Broker,

    /// Topic to read
    #[arg(long, env = "TOPIC", default_value = "mon_topic", value_parser = cli::topic_name)]
    topic: String,

    /// Consumer group
    #[arg(long, env = "GROUP_ID", default_value = "groupe_lots", value_parser = cli::identifier)]
    group: String,

    /// Who this consumer's producer is, across restarts: unique and stable
    #[arg(long, env = "TRANSACTIONAL_ID", default_value = "txn-lots", value_parser = cli::identifier)]
    transactional_id: String,

    #[command(flatten)]
    consume: cli::Consume,
}

const EXAMPLES: &str = "\
Examples:
  ex11-batches --idle-exit 3
  ex11-batches --interval-ms 300     time to kill it in mid-batch

Exit status: 0 done, 1 reading or a transaction failed, 2 bad usage or no broker";

/// The course's batch: up to 10 messages, or what came within a second.
const BATCH: u64 = 10;
const BATCH_TIME: Duration = Duration::from_secs(1);

/// For one call to the transaction coordinator.
const TEN_SECONDS: Duration = Duration::from_secs(10);

/// After this long without an answer, transaction.timeout.ms (60 s by default) is over and the coordinator has aborted.
const GIVE_UP: Duration = Duration::from_secs(60);

/// So many aborts in a row are no accident.
const ATTEMPTS: u32 = 10;

fn main() -> ExitCode {
    app::main(run)
}

fn run(args: Args) -> Result<(), Error> {
    let topic = args.kafka.name(&args.topic);

    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &args.kafka.bootstrap_servers);
    config.set("group.id", args.kafka.name(&args.group));
    // Without a committed offset, start at the beginning.
    config.set("auto.offset.reset", "earliest");
    // The transaction commits the offsets, nothing else may.
    config.set("enable.auto.commit", "false");
    // Skip the records of aborted transactions, and wait for open ones.
    config.set("isolation.level", "read_committed");
    args.kafka.overrides(&mut config);
    let consumer = Group::consumer(&config)?;

    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &args.kafka.bootstrap_servers);
    // Stable, unlike the course's uuid4: exercise 13 says why.
    config.set("transactional.id", args.kafka.name(&args.transactional_id));
    // The next transaction's first request may meet the markers of the last one, and is sent again after this long: 1
    // ms instead of 100. When to ask again has no part in the guarantee.
    config.set("retry.backoff.ms", "1");
    args.kafka.overrides(&mut config);
    let producer = DeliveryReports::producer(&config, |_| None)?;

    connect::topic(&consumer, &args.kafka.bootstrap_servers, &topic, args.kafka.connect_timeout)?;
    retry(GIVE_UP, || transaction::init(&producer, TEN_SECONDS))?;
    consumer.subscribe(&[&topic])?;

    let mut aborts = 0;
    let mut until = Until::new(&args.consume);
    while !until.reached(&consumer) {
        let records = group::consume(&consumer, BATCH.min(until.left()), BATCH_TIME)?;
        if records.is_empty() {
            continue;
        }

        let mut outcome = Ok(());
        for message in &records {
            out::print(&Line::traitement(message))?;
            stop::sleep(args.consume.interval_ms); // the moment to kill it

            // TODO: this commits the offsets of *all* records. How many of them are processed by now?
            outcome = commit_offsets(&producer, &consumer, &records);
            if outcome.is_err() {
                break;
            }
        }

        match outcome {
            Ok(()) => {
                aborts = 0;
                until.processed(records.len() as u64);
            }
            // Nothing was committed: abort, go back to the committed offsets, and process the batch again.
            Err(TxnError::Abortable(why)) => {
                transaction::abort(&producer, TEN_SECONDS)?;
                aborts += 1;
                if aborts == ATTEMPTS {
                    return Err(TxnError::Abortable(why).into());
                }
                log::warn!("the transaction is aborted, its {} messages are read again: {why}", records.len());
                group::rewind(&consumer, TEN_SECONDS)?;
            }
            // Fatal (fenced, for instance), or an outcome that only the coordinator knows.
            Err(other) => return Err(other.into()),
        }
    }
    // Dropping the consumer leaves the group.
    Ok(())
}

/// The offsets after these records, in one transaction.
fn commit_offsets(
    producer: &ReportingProducer,
    consumer: &GroupConsumer,
    records: &[BorrowedMessage<'_>],
) -> Result<(), TxnError> {
    transaction::begin(producer)?;
    // For each partition, the offset after its last message.
    let offsets = group::offsets_after(records)?;
    retry(GIVE_UP, || transaction::send_offsets(producer, &offsets, consumer, TEN_SECONDS))?;
    retry(GIVE_UP, || transaction::commit(producer, TEN_SECONDS))
}
