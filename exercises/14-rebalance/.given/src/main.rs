//! Exercise 14, **rebalance**: a member that the group has gone on without cannot commit. The course:
//! `producer.send_offsets_to_transaction(offsets, consumer.consumer_group_metadata())`. Why the second argument?
//!
//! Goal: several instances of a pipeline share one group, each with a transactional.id of its own. One that froze and
//! lost its partitions must not commit results that another has produced by then.
//!
//! As given, the group metadata is taken once, at the start, before this member has joined any group: it names nobody,
//! and the coordinator takes the offsets of nobody in particular.
//!
//! ```text
//! terminal 1   cargo run -p lab -- broker --partitions 2
//! terminal 2   cargo run -p producer-exactly-once -- --count 200
//! terminal 3   cargo run -p ex14-rebalance -- --transactional-id one
//! terminal 4   cargo run -p ex14-rebalance -- --transactional-id two
//! ```

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use common::delivery::{self, DeliveryReports, ReportingProducer};
use common::grammar::Line;
use common::group::{self, Group, Until};
use common::transaction::{self, TxnError, retry};
use common::{Error, app, cli, connect, out};
use rdkafka::consumer::{Consumer, ConsumerGroupMetadata};
use rdkafka::message::BorrowedMessage;
use rdkafka::producer::{BaseRecord, Producer};
use rdkafka::{ClientConfig, Message};

/// Pipeline of several instances: batches, safe when the group rebalances
#[derive(Parser)]
#[command(version, after_help = EXAMPLES)]
struct Args {
    #[command(flatten)]
    kafka: cli::Broker,

    /// Topic to read
    #[arg(long, env = "TOPIC", default_value = "input", value_parser = cli::topic_name)]
    topic: String,

    /// Topic to write to
    #[arg(long, env = "OUTPUT_TOPIC", default_value = "shared", value_parser = cli::topic_name)]
    output_topic: String,

    /// Consumer group: all instances share it
    #[arg(long, env = "GROUP_ID", default_value = "g-shared", value_parser = cli::identifier)]
    group: String,

    /// Who this instance is, across restarts: stable, and different for each instance
    #[arg(long, env = "TRANSACTIONAL_ID", default_value = "txn-shared", value_parser = cli::identifier)]
    transactional_id: String,

    #[command(flatten)]
    consume: cli::Consume,
}

const EXAMPLES: &str = "\
Examples:
  ex14-rebalance --idle-exit 3

Exit status: 0 done, 1 reading or a transaction failed, 2 bad usage or no broker";

/// Most messages in one batch, and the longest time to collect them.
const BATCH: u64 = 1000;
const BATCH_TIME: Duration = Duration::from_millis(100);

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
    let input = args.kafka.name(&args.topic);
    let output = args.kafka.name(&args.output_topic);

    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &args.kafka.bootstrap_servers);
    config.set("group.id", args.kafka.name(&args.group));
    // No commit behind our back.
    config.set("enable.auto.commit", "false");
    // Without a committed offset, start at the beginning.
    config.set("auto.offset.reset", "earliest");
    // What an upstream transaction aborted is no input.
    config.set("isolation.level", "read_committed");
    args.kafka.overrides(&mut config);
    let consumer = Group::consumer(&config)?;

    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &args.kafka.bootstrap_servers);
    // Implies acks=all and enable.idempotence. Stable: a restarted instance aborts at once what it had left open.
    config.set("transactional.id", args.kafka.name(&args.transactional_id));
    // The next transaction's first request may meet the markers of the last one, and is sent again after this long: 1
    // ms instead of 100. When to ask again has no part in the guarantee.
    config.set("retry.backoff.ms", "1");
    args.kafka.overrides(&mut config);
    let producer = DeliveryReports::producer(&config, |_| None)?;

    let partitions = connect::topic(&consumer, &args.kafka.bootstrap_servers, &input, args.kafka.connect_timeout)?;
    let outputs = connect::topic(&producer, &args.kafka.bootstrap_servers, &output, args.kafka.connect_timeout)?;
    if outputs < partitions {
        return Err(Error::Usage(format!("topic {output} needs {partitions} partitions, as many as {input} has")));
    }
    retry(GIVE_UP, || transaction::init(&producer, TEN_SECONDS))?;
    consumer.subscribe(&[&input])?;

    // TODO 1: member id and generation. At this moment there are none yet; later there are others after each rebalance.
    // When should they be asked for?
    let metadata = consumer.group_metadata().ok_or(Error::Usage("group.id is needed".to_owned()))?;

    let mut aborts = 0;
    let mut until = Until::new(&args.consume);
    while !until.reached(&consumer) {
        // A rebalance is served in here and nowhere else, so none can come in the middle of a transaction; a batch that
        // it interrupts is dropped before anything was done with it.
        let batch = group::consume(&consumer, BATCH.min(until.left()), BATCH_TIME)?;
        if batch.is_empty() {
            continue;
        }

        transaction::begin(&producer)?;
        let mut outcome = Ok(());
        for message in &batch {
            let result = message.payload().map(<[u8]>::to_ascii_uppercase);
            out::print(&Line::transform(message, result.as_deref()))?;
            outcome = send(&producer, &output, message, result.as_deref());
            if outcome.is_err() {
                break;
            }
            delivery::poll(&producer, args.consume.interval_ms);
        }

        match outcome.and_then(|()| commit(&producer, &metadata, &batch)) {
            Ok(()) => {
                out::print(&Line::Committed(batch.len() as u64))?;
                aborts = 0;
                until.processed(batch.len() as u64);
            }
            // This is also what happens to a member that was evicted while it worked: neither results nor offsets
            // count.
            Err(TxnError::Abortable(why)) => {
                transaction::abort(&producer, TEN_SECONDS)?;
                aborts += 1;
                if aborts == ATTEMPTS {
                    return Err(TxnError::Abortable(why).into());
                }
                log::warn!("the transaction is aborted, its {} messages are read again: {why}", batch.len());
                drop(batch);
                group::rewind(&consumer, TEN_SECONDS)?;
            }
            // Fatal (fenced, for instance), or an outcome that only the coordinator knows.
            Err(other) => return Err(other.into()),
        }
    }
    // Dropping the consumer leaves the group.
    Ok(())
}

fn commit(
    producer: &ReportingProducer,
    metadata: &ConsumerGroupMetadata,
    batch: &[BorrowedMessage<'_>],
) -> Result<(), TxnError> {
    let offsets = group::offsets_after(batch)?;
    // TODO 2: in whose name are the offsets sent?
    retry(GIVE_UP, || Ok(producer.send_offsets_to_transaction(&offsets, metadata, TEN_SECONDS)?))?;
    retry(GIVE_UP, || transaction::commit(producer, TEN_SECONDS))
}

fn send(
    producer: &ReportingProducer,
    output: &str,
    message: &BorrowedMessage<'_>,
    result: Option<&[u8]>,
) -> Result<(), TxnError> {
    // The same partition as the input: the order of a partition is kept, whatever the key.
    let mut record = BaseRecord::<[u8], [u8]>::to(output).partition(message.partition());
    record.key = message.key();
    record.payload = result;
    transaction::send(producer, record)
}
