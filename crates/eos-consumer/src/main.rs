//! Consumer of eos.md: **batches**, whose offsets are committed in a transaction of a "dummy" producer.
//!
//! Guarantee: the committed offsets move by whole batches (1 to 10 messages: what came within a second), with the
//! transaction or not at all.
//!
//! How it breaks (it will):
//! - killed in the middle of a batch, it processes the first messages of the batch again;
//! - with the course's random transactional.id, the transaction that a killed instance left open is nobody's: its
//!   successor gets no committed offsets (UNSTABLE_OFFSET_COMMIT) and stands still until the coordinator aborts the
//!   transaction, transaction.timeout.ms (60 s) after it began. With `--transactional-id NAME` it goes on at once.
//!
//! ```text
//! terminal 1   compose/kafka.sh
//! terminal 2   cargo run -p eos-producer -- --count 100
//! terminal 3   cargo run -p eos-consumer
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
use uuid::Uuid;

/// Consumer of eos.md: batches of up to 10, offsets through a transactional producer
#[derive(Parser)]
#[command(version, after_help = EXAMPLES)]
struct Args {
    #[command(flatten)]
    kafka: cli::Broker,

    /// Topic to read
    #[arg(long, env = "TOPIC", default_value = "mon_topic", value_parser = cli::topic_name)]
    topic: String,

    /// Consumer group
    #[arg(long, env = "GROUP_ID", default_value = "groupe_eos", value_parser = cli::identifier)]
    group: String,

    /// A stable name for the producer, instead of the course's random one [default: eos-consume-{uuid4}]
    #[arg(long, env = "TRANSACTIONAL_ID", value_name = "ID", value_parser = cli::identifier)]
    transactional_id: Option<String>,

    #[command(flatten)]
    consume: cli::Consume,
}

const EXAMPLES: &str = "\
Examples:
  eos-consumer --idle-exit 5
  eos-consumer --transactional-id eos-consumer-1     kill it, start it again: no waiting

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
    // Random, as in the course: unique among instances, but no successor can take it over. See the header.
    let id = args.transactional_id.clone().unwrap_or_else(|| format!("eos-consume-{}", Uuid::new_v4()));
    config.set("transactional.id", args.kafka.name(&id));
    // AddOffsetsToTxn meets the markers of the last transaction (CONCURRENT_TRANSACTIONS) and is sent again after this
    // long: 1 ms instead of 100. When to ask again has no part in the guarantee.
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

        transaction::begin(&producer)?;

        for message in &records {
            out::print(&Line::traitement(message))?;
            stop::sleep(args.consume.interval_ms); // killed here, this message and those before it come again
        }

        match commit_offsets(&producer, &consumer, &records) {
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

fn commit_offsets(
    producer: &ReportingProducer,
    consumer: &GroupConsumer,
    records: &[BorrowedMessage<'_>],
) -> Result<(), TxnError> {
    // For each partition, the offset after its last message.
    let offsets = group::offsets_after(records)?;
    retry(GIVE_UP, || transaction::send_offsets(producer, &offsets, consumer, TEN_SECONDS))?;
    retry(GIVE_UP, || transaction::commit(producer, TEN_SECONDS))
}
