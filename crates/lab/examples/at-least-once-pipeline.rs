//! Consume → transform → produce, **at least once**: what eos-pipeline costs is measured against this
//! (`cargo bench -p lab --bench throughput -- pipeline`). The same cycle, transform, lines and batches; no transaction.
//!
//! Guarantee: the offset of a message is committed only when its result is stored, on all in-sync replicas.
//!
//! How it breaks (it may): killed between the two, it does the batch again, and the results are there twice.

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use common::delivery::{self, DeliveryReports, ReportingProducer};
use common::grammar::Line;
use common::group::{self, Group, Until};
use common::{Error, app, cli, connect, out};
use rdkafka::consumer::{CommitMode, Consumer};
use rdkafka::message::BorrowedMessage;
use rdkafka::producer::{BaseRecord, Producer};
use rdkafka::{ClientConfig, Message};

/// Pipeline, at least once: consume, transform (ASCII upper case), produce
#[derive(Parser)]
struct Args {
    #[command(flatten)]
    kafka: cli::Broker,

    /// Topic to read
    #[arg(long, env = "TOPIC", default_value = "input", value_parser = cli::topic_name)]
    topic: String,

    /// Topic to write to
    #[arg(long, env = "OUTPUT_TOPIC", default_value = "output", value_parser = cli::topic_name)]
    output_topic: String,

    /// Consumer group
    #[arg(long, env = "GROUP_ID", default_value = "g-at-least-once-pipeline", value_parser = cli::identifier)]
    group: String,

    /// Most messages between two commits
    #[arg(long, env = "BATCH_SIZE", value_name = "N", default_value = "10000", value_parser = cli::count)]
    batch_size: u64,

    /// Longest time to collect a batch, in milliseconds
    #[arg(long, env = "BATCH_MS", value_name = "MS", default_value = "100", value_parser = cli::milliseconds)]
    batch_ms: Duration,

    #[command(flatten)]
    consume: cli::Consume,
}

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
    // Committed below, when the results are stored.
    config.set("enable.auto.commit", "false");
    config.set("auto.offset.reset", "earliest");
    // As in eos-pipeline: do not stand still for a second each time that 100,000 messages wait.
    config.set("fetch.queue.backoff.ms", "10");
    args.kafka.overrides(&mut config);
    let consumer = Group::consumer(&config)?;

    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &args.kafka.bootstrap_servers);
    config.set("acks", "all");
    // No sequence numbers: a retry may store a result twice, which at least once allows.
    config.set("enable.idempotence", "false");
    args.kafka.overrides(&mut config);
    let producer = DeliveryReports::producer(&config, |_| None)?;

    let (servers, limit) = (&args.kafka.bootstrap_servers, args.kafka.connect_timeout);
    connect::topic(&consumer, servers, &input, limit)?;
    connect::topic(&producer, servers, &output, limit)?;
    consumer.subscribe(&[&input])?;

    let mut until = Until::new(&args.consume);
    while !until.reached(&consumer) {
        let batch = group::consume(&consumer, args.batch_size.min(until.left()), args.batch_ms)?;
        if batch.is_empty() {
            continue;
        }
        for message in &batch {
            transform(&producer, &output, message)?;
        }
        let left = delivery::flush(&producer, TEN_SECONDS);
        if left > 0 || producer.context().failed() > 0 {
            return Err(Error::failed("results were not acknowledged: their messages are read again by the next run"));
        }
        consumer.commit(&group::offsets_after(&batch)?, CommitMode::Sync)?;
        let done = batch.len() as u64;
        out::print(&Line::Committed(done))?;
        until.processed(done);
    }
    Ok(())
}

fn transform(producer: &ReportingProducer, output: &str, message: &BorrowedMessage<'_>) -> Result<(), Error> {
    let result = message.payload().map(<[u8]>::to_ascii_uppercase);
    out::print(&Line::transform(message, result.as_deref()))?;
    let mut record = BaseRecord::<[u8], [u8]>::to(output).partition(message.partition());
    record.key = message.key();
    record.payload = result.as_deref();
    delivery::send(producer, record)?;
    delivery::poll(producer, Duration::ZERO);
    Ok(())
}
