//! Exercise 12, **the pipeline**: consume → transform → produce, in batches, all or nothing.
//! The course only mentions it: « Pour un pipeline consume→process→produce […] un end-to-end exactly once ».
//!
//! Goal: for a read_committed reader of the output, each message of the input has one result, in the order of its
//! partition, across kill -9, restarts, refused batches and frozen instances.
//!
//! As given, the pipeline works at least once: results are stored, then the offsets are committed. Killed in the middle
//! of a batch, it stores its first results again.
//!
//! ```text
//! terminal 1   cargo run -p lab -- broker
//! terminal 2   cargo run -p producer-exactly-once -- --count 200
//! terminal 3   cargo run -p ex12-pipeline -- --idle-exit 3
//! terminal 4   cargo run -p consumer-exactly-once -- --topic shout --group reader --idle-exit 3
//! ```

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use common::delivery::{self, DeliveryReports, ReportingProducer};
use common::grammar::Line;
use common::group::{self, Group, Until};
use common::transaction::{self, TxnError};
use common::{Error, app, cli, connect, out};
use rdkafka::consumer::{CommitMode, Consumer};
use rdkafka::message::BorrowedMessage;
use rdkafka::producer::BaseRecord;
use rdkafka::{ClientConfig, Message};

/// Pipeline: consume, transform (ASCII upper case), produce, a batch per transaction
#[derive(Parser)]
#[command(version, after_help = EXAMPLES)]
struct Args {
    #[command(flatten)]
    kafka: cli::Broker,

    /// Topic to read
    #[arg(long, env = "TOPIC", default_value = "input", value_parser = cli::topic_name)]
    topic: String,

    /// Topic to write to
    #[arg(long, env = "OUTPUT_TOPIC", default_value = "shout", value_parser = cli::topic_name)]
    output_topic: String,

    /// Consumer group: all instances share it
    #[arg(long, env = "GROUP_ID", default_value = "g-shout", value_parser = cli::identifier)]
    group: String,

    /// Who this instance is, across restarts: stable, and different for each instance
    #[arg(long, env = "TRANSACTIONAL_ID", default_value = "txn-shout", value_parser = cli::identifier)]
    transactional_id: String,

    #[command(flatten)]
    consume: cli::Consume,
}

const EXAMPLES: &str = "\
Examples:
  ex12-pipeline --idle-exit 3

Exit status: 0 done, 1 reading or a transaction failed, 2 bad usage or no broker";

/// Most messages in one batch, and the longest time to collect them.
const BATCH: u64 = 1000;
const BATCH_TIME: Duration = Duration::from_millis(100);

/// For one call.
const TEN_SECONDS: Duration = Duration::from_secs(10);

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
    // A retry is recognised by its sequence number and not stored again.
    config.set("acks", "all");
    config.set("enable.idempotence", "true");
    // TODO 1: as a client.id, this name only stands in the broker's log. The coordinator has to know it.
    config.set("client.id", args.kafka.name(&args.transactional_id));
    // When the coordinator asks to come back later, come back after 1 ms instead of 100: no part of the guarantee.
    config.set("retry.backoff.ms", "1");
    args.kafka.overrides(&mut config);
    let producer = DeliveryReports::producer(&config, |_| None)?;

    let partitions = connect::topic(&consumer, &args.kafka.bootstrap_servers, &input, args.kafka.connect_timeout)?;
    let outputs = connect::topic(&producer, &args.kafka.bootstrap_servers, &output, args.kafka.connect_timeout)?;
    if outputs < partitions {
        return Err(Error::Usage(format!("topic {output} needs {partitions} partitions, as many as {input} has")));
    }
    // TODO 2: whatever an earlier instance left open is finished before this one reads an offset.
    consumer.subscribe(&[&input])?;

    let mut until = Until::new(&args.consume);
    while !until.reached(&consumer) {
        let batch = group::consume(&consumer, BATCH.min(until.left()), BATCH_TIME)?;
        if batch.is_empty() {
            continue;
        }

        // TODO 3: results and offsets of this batch are one transaction, from here …
        for message in &batch {
            let result = message.payload().map(<[u8]>::to_ascii_uppercase);
            out::print(&Line::transform(message, result.as_deref()))?;
            send(&producer, &output, message, result.as_deref())?;
            delivery::poll(&producer, args.consume.interval_ms);
        }

        // TODO 4: … to here. If any of it fails with TxnError::Abortable, none of it counts: what has to be done before
        // the batch can be read again?
        delivery::flush(&producer, TEN_SECONDS);
        consumer.commit(&group::offsets_after(&batch)?, CommitMode::Sync)?;
        out::print(&Line::Committed(batch.len() as u64))?;
        until.processed(batch.len() as u64);
    }
    // Dropping the consumer leaves the group.
    Ok(())
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
