//! **Consume → transform → produce**, exactly once from topic to topic: the form that the course only mentions
//! (« Pour un pipeline consume→process→produce, envoyer aussi les offsets via send_offsets_to_transaction »).
//!
//! Guarantee: for a read_committed reader of the output, each input message is there exactly once, in its partition's
//! order, across `kill -9`, restarts, rebalances and frozen instances. The result and the offset are one transaction:
//! either both count, or neither.
//!
//! Its limits:
//! - only what is written to Kafka in the transaction is exactly once: the lines `process:` may be printed twice;
//! - readers of the output must use read_committed;
//! - several instances share the work as one group, and each needs a transactional.id of its own (two with the same id
//!   fence each other); between them the group metadata protects: a member that lost its partitions cannot commit;
//! - with the transaction protocol that librdkafka speaks, an EndTxn that the network delays until the next transaction
//!   ends the wrong one (KAFKA-17754).
//!
//! ```text
//! terminal 1   compose/kafka.sh
//! terminal 2   cargo run -p producer-exactly-once -- --count 1000
//! terminal 3   cargo run -p eos-pipeline
//! terminal 4   cargo run -p consumer-exactly-once -- --topic output --group reader --transactional-id reader
//! ```

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use common::delivery::{self, DeliveryReports, ReportingProducer};
use common::grammar::Line;
use common::group::{self, Group, GroupConsumer, Until};
use common::transaction::{self, TxnError, retry};
use common::{Error, app, cli, connect, out, stop};
use rdkafka::consumer::Consumer;
use rdkafka::message::BorrowedMessage;
use rdkafka::producer::BaseRecord;
use rdkafka::{ClientConfig, Message};

/// Pipeline, exactly once: consume, transform (ASCII upper case), produce
#[derive(Parser)]
#[command(version, after_help = EXAMPLES)]
struct Args {
    #[command(flatten)]
    kafka: cli::Broker,

    /// Topic to read
    #[arg(long, env = "TOPIC", default_value = "input", value_parser = cli::topic_name)]
    topic: String,

    /// Topic to write to
    #[arg(long, env = "OUTPUT_TOPIC", default_value = "output", value_parser = cli::topic_name)]
    output_topic: String,

    /// Consumer group: all instances of the pipeline share it
    #[arg(long, env = "GROUP_ID", default_value = "g-eos-pipeline", value_parser = cli::identifier)]
    group: String,

    /// Who this instance is, across restarts: stable, and different for each instance
    #[arg(long, env = "TRANSACTIONAL_ID", default_value = "eos-pipeline", value_parser = cli::identifier)]
    transactional_id: String,

    /// Most messages in one transaction
    #[arg(long, env = "BATCH_SIZE", value_name = "N", default_value = "10000", value_parser = cli::count, allow_negative_numbers = true)]
    batch_size: u64,

    /// Longest time to collect a batch, in milliseconds: the least delay that a reader of the output sees
    #[arg(long, env = "BATCH_MS", value_name = "MS", default_value = "100", value_parser = cli::milliseconds, allow_negative_numbers = true)]
    batch_ms: Duration,

    #[command(flatten)]
    consume: cli::Consume,
}

const EXAMPLES: &str = "\
Examples:
  eos-pipeline --idle-exit 5
  eos-pipeline --transactional-id eos-pipeline-2     a second instance of the same group
  eos-pipeline --batch-size 1                        the cost of a transaction per message

Exit status: 0 done, 1 reading or a transaction failed, 2 bad usage or no broker";

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
    // The transaction commits the offsets, nothing else may.
    config.set("enable.auto.commit", "false");
    // Without a committed offset, start at the beginning.
    config.set("auto.offset.reset", "earliest");
    // What an upstream transaction aborted is no input. And after a rebalance, the committed offsets are handed out only
    // when no transaction holds newer ones (KIP-447), so that the next owner starts where the last one really ended.
    config.set("isolation.level", "read_committed");
    // While 100,000 messages wait in librdkafka's queue (queued.min.messages), it fetches no more, and looks again after
    // this long: 10 ms instead of a second, in which the queue would run empty and the pipeline stand still.
    config.set("fetch.queue.backoff.ms", "10");
    args.kafka.overrides(&mut config);
    let consumer = Group::consumer(&config)?;

    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &args.kafka.bootstrap_servers);
    // Implies acks=all and enable.idempotence. Stable: a restarted instance aborts at once what it had left open, and
    // its frozen predecessor is refused (fenced).
    config.set("transactional.id", args.kafka.name(&args.transactional_id));
    // AddOffsetsToTxn meets the markers of the last transaction (CONCURRENT_TRANSACTIONS) and is sent again after this
    // long: 1 ms instead of 100. When to ask again has no part in the guarantee.
    config.set("retry.backoff.ms", "1");
    args.kafka.overrides(&mut config);
    let producer = DeliveryReports::producer(&config, |_| None)?;

    let partitions = connect::topic(&consumer, &args.kafka.bootstrap_servers, &input, args.kafka.connect_timeout)?;
    let outputs = connect::topic(&producer, &args.kafka.bootstrap_servers, &output, args.kafka.connect_timeout)?;
    if outputs < partitions {
        return Err(Error::Usage(format!(
            "topic {output} has {outputs} partitions and {input} has {partitions}: the output needs at least as many, \
             since each message keeps its partition"
        )));
    }
    // Before the first poll: whatever an earlier instance left open is finished before this one reads an offset.
    retry(GIVE_UP, || transaction::init(&producer, TEN_SECONDS))?;
    consumer.subscribe(&[&input])?;

    let mut aborts = 0;
    let mut until = Until::new(&args.consume);
    while !until.reached(&consumer) {
        // First collect, then open the transaction: a rebalance is served only while collecting, so none can come in
        // the middle of a transaction, and a batch that it interrupts is dropped before anything was done with it. Nor is
        // there anything in it below the committed offsets, wherever librdkafka takes it from.
        let batch = group::consume(&consumer, args.batch_size.min(until.left()), args.batch_ms)?;
        if batch.is_empty() {
            continue;
        }
        match transform(&producer, &consumer, &output, &batch, args.consume.interval_ms)? {
            Ok(done) => {
                out::print(&Line::Committed(done))?;
                aborts = 0;
                until.processed(done);
            }
            // Neither results nor offsets count: abort, go back to the committed offsets, and do the batch again. This is
            // also what happens to a member that was evicted from the group while it worked.
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

/// One batch, one transaction: returns how many messages it holds. The outer error is of standard output.
fn transform(
    producer: &ReportingProducer,
    consumer: &GroupConsumer,
    output: &str,
    batch: &[BorrowedMessage<'_>],
    pause: Duration,
) -> Result<Result<u64, TxnError>, Error> {
    if let Err(error) = transaction::begin(producer) {
        return Ok(Err(error));
    }
    let mut done = 0;
    for message in batch {
        let result = message.payload().map(<[u8]>::to_ascii_uppercase);
        if let Err(error) = out::print(&Line::transform(message, result.as_deref())) {
            // Left open, the transaction would hold back the readers of the output until its timeout.
            transaction::abort(producer, TEN_SECONDS)?;
            return Err(error);
        }
        if let Err(error) = send(producer, output, message, result.as_deref()) {
            return Ok(Err(error));
        }
        delivery::poll(producer, Duration::ZERO);
        done += 1;
        stop::sleep(pause);
        // Ctrl-C: commit what is done; the rest of the batch is read again by the next run.
        if stop::requested() {
            break;
        }
    }
    Ok(commit(producer, consumer, batch.get(..done).unwrap_or(batch)).map(|()| done as u64))
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

fn commit(
    producer: &ReportingProducer,
    consumer: &GroupConsumer,
    batch: &[BorrowedMessage<'_>],
) -> Result<(), TxnError> {
    // For each partition, the offset after its last message, with the group metadata of this moment: it names the
    // generation in which this member works, and the coordinator refuses those of an earlier one (KIP-447).
    let offsets = group::offsets_after(batch)?;
    retry(GIVE_UP, || transaction::send_offsets(producer, &offsets, consumer, TEN_SECONDS))?;
    retry(GIVE_UP, || transaction::commit(producer, TEN_SECONDS))
}
