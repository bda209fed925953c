//! eos-pipeline, with what an application can do against KAFKA-17754 (docs/kafka-17754.md tells which helps):
//!
//! - `--new-producer`: each transaction has a producer of its own, with the same transactional.id. Its InitProducerId
//!   raises the epoch, so that an EndTxn which arrives late is that of an earlier epoch, and refused;
//! - `--flush-first`: the results are acknowledged before the offsets are sent to the transaction, so that no late EndTxn
//!   can commit offsets without results.
//!
//! What eos-pipeline does about Ctrl-C and about aborted transactions is left out: this one ends with an error, and the next
//! one starts from the committed offsets.

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use common::delivery::{self, DeliveryReports, ReportingProducer};
use common::grammar::Line;
use common::group::{self, Group, GroupConsumer, Until};
use common::transaction::{self, TxnError, retry};
use common::{Error, app, cli, connect, out};
use rdkafka::consumer::Consumer;
use rdkafka::message::BorrowedMessage;
use rdkafka::producer::BaseRecord;
use rdkafka::{ClientConfig, Message};

/// Pipeline, exactly once, defended against late EndTxn requests
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
    #[arg(long, env = "GROUP_ID", default_value = "g-defended-pipeline", value_parser = cli::identifier)]
    group: String,

    /// Who this instance is, across restarts
    #[arg(long, env = "TRANSACTIONAL_ID", default_value = "defended-pipeline", value_parser = cli::identifier)]
    transactional_id: String,

    /// Most messages in one transaction
    #[arg(long, env = "BATCH_SIZE", value_name = "N", default_value = "10000", value_parser = cli::count)]
    batch_size: u64,

    /// A new producer for each transaction
    #[arg(long)]
    new_producer: bool,

    /// Wait for the results' acknowledgements before the offsets are sent
    #[arg(long)]
    flush_first: bool,

    #[command(flatten)]
    consume: cli::Consume,
}

const TEN_SECONDS: Duration = Duration::from_secs(10);
const GIVE_UP: Duration = Duration::from_secs(60);
/// As eos-pipeline's.
const BATCH_TIME: Duration = Duration::from_millis(100);

fn main() -> ExitCode {
    app::main(run)
}

fn run(args: Args) -> Result<(), Error> {
    let (input, output) = (args.kafka.name(&args.topic), args.kafka.name(&args.output_topic));

    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &args.kafka.bootstrap_servers);
    config.set("group.id", args.kafka.name(&args.group));
    config.set("enable.auto.commit", "false");
    config.set("auto.offset.reset", "earliest");
    config.set("isolation.level", "read_committed");
    args.kafka.overrides(&mut config);
    let consumer = Group::consumer(&config)?;

    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &args.kafka.bootstrap_servers);
    config.set("transactional.id", args.kafka.name(&args.transactional_id));
    config.set("retry.backoff.ms", "1");
    args.kafka.overrides(&mut config);
    let mut producer = initialised(&config)?;

    connect::topic(&consumer, &args.kafka.bootstrap_servers, &input, args.kafka.connect_timeout)?;
    consumer.subscribe(&[&input])?;

    let mut until = Until::new(&args.consume);
    let mut used = false;
    while !until.reached(&consumer) {
        let batch = group::consume(&consumer, args.batch_size.min(until.left()), BATCH_TIME)?;
        if batch.is_empty() {
            continue;
        }
        if used && args.new_producer {
            producer = initialised(&config)?;
        }
        used = true;
        transform(&producer, &consumer, &output, &batch, args.flush_first)?;
        let done = batch.len() as u64;
        out::print(&Line::Committed(done))?;
        until.processed(done);
    }
    Ok(())
}

/// A producer with an epoch that no other has had.
fn initialised(config: &ClientConfig) -> Result<ReportingProducer, Error> {
    let producer = DeliveryReports::producer(config, |_| None)?;
    retry(GIVE_UP, || transaction::init(&producer, TEN_SECONDS))?;
    Ok(producer)
}

/// One batch, one transaction.
fn transform(
    producer: &ReportingProducer,
    consumer: &GroupConsumer,
    output: &str,
    batch: &[BorrowedMessage<'_>],
    flush_first: bool,
) -> Result<(), Error> {
    transaction::begin(producer)?;
    for message in batch {
        let result = message.payload().map(<[u8]>::to_ascii_uppercase);
        out::print(&Line::transform(message, result.as_deref()))?;
        let mut record = BaseRecord::<[u8], [u8]>::to(output).partition(message.partition());
        record.key = message.key();
        record.payload = result.as_deref();
        transaction::send(producer, record)?;
        delivery::poll(producer, Duration::ZERO);
    }
    if flush_first && delivery::flush(producer, GIVE_UP) > 0 {
        return Err(Error::failed("results were not acknowledged: their messages are read again by the next run"));
    }
    let offsets = group::offsets_after(batch)?;
    retry(GIVE_UP, || transaction::send_offsets(producer, &offsets, consumer, TEN_SECONDS))?;
    retry(GIVE_UP, || transaction::commit(producer, TEN_SECONDS)).map_err(TxnError::into)
}
