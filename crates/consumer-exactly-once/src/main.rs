//! Consumer, **exactly once** as the course understands it: the offset is committed in a transaction, through a
//! producer that writes nothing else. The course's snippet « consommateur : Exactly one ».
//!
//! Guarantee: the committed offset moves with the transaction, or not at all. Records of aborted transactions are not
//! read.
//!
//! How it breaks (it will): the *processing* is outside. Killed between the print and the commit, it prints the message
//! again: for the effect on the outside world this is at least once, just like consumer-at-least-once. Exactly once
//! needs an effect that is part of the transaction (eos-pipeline), or that can be repeated without harm.
//!
//! ```text
//! terminal 1   compose/kafka.sh
//! terminal 2   cargo run -p producer-exactly-once -- --count 100
//! terminal 3   cargo run -p consumer-exactly-once -- --interval-ms 500
//! terminal 3   Ctrl-\ (abrupt), then run it again: one message is printed twice
//! ```

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use common::delivery::{DeliveryReports, ReportingProducer};
use common::grammar::Line;
use common::group::{self, Group, GroupConsumer, Until};
use common::transaction::{self, TxnError, retry};
use common::{Error, app, cli, connect, out, stop};
use rdkafka::consumer::Consumer;
use rdkafka::message::BorrowedMessage;
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};

/// Consumer, exactly once: the offset is committed in a transaction
#[derive(Parser)]
#[command(version, after_help = EXAMPLES)]
struct Args {
    #[command(flatten)]
    kafka: cli::Broker,

    /// Topic to read
    #[arg(long, env = "TOPIC", default_value = "input", value_parser = cli::topic_name)]
    topic: String,

    /// Consumer group
    #[arg(long, env = "GROUP_ID", default_value = "g-exactly-once", value_parser = cli::identifier)]
    group: String,

    /// Who this consumer's producer is, across restarts: unique and stable
    #[arg(long, env = "TRANSACTIONAL_ID", default_value = "txn-consumer-g-exactly-once", value_parser = cli::identifier)]
    transactional_id: String,

    #[command(flatten)]
    consume: cli::Consume,
}

const EXAMPLES: &str = "\
Examples:
  consumer-exactly-once --interval-ms 500              time to kill it between processing and commit
  consumer-exactly-once -X retry.backoff.ms=100        librdkafka's default: how many messages per second?
  consumer-exactly-once -X isolation.level=read_uncommitted

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
    let topic = args.kafka.name(&args.topic);

    // Consumer: no auto-commit, reads committed messages only.
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &args.kafka.bootstrap_servers);
    config.set("group.id", args.kafka.name(&args.group));
    // The transaction commits the offsets, nothing else may.
    config.set("enable.auto.commit", "false");
    // Without a committed offset, start at the beginning.
    config.set("auto.offset.reset", "earliest");
    // Skip the records of aborted transactions, and wait for open ones (librdkafka's default; Java's is the other).
    config.set("isolation.level", "read_committed");
    args.kafka.overrides(&mut config);
    let consumer = Group::consumer(&config)?;

    // Transactional producer: used for committing offsets only.
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &args.kafka.bootstrap_servers);
    // Implies enable.idempotence and acks=all. Stable: after a crash, the next run aborts at once what this one left
    // open, and a frozen predecessor that wakes up is refused (fenced).
    config.set("transactional.id", args.kafka.name(&args.transactional_id));
    // EndTxn is answered before the coordinator has written the markers; the next transaction's first request
    // (AddOffsetsToTxn) then gets CONCURRENT_TRANSACTIONS, and librdkafka asks again after this long. The default of
    // 100 ms leaves about 10 messages per second. When to ask again has no part in the guarantee.
    config.set("retry.backoff.ms", "1");
    args.kafka.overrides(&mut config);
    let producer = DeliveryReports::producer(&config, |_| None)?;

    connect::topic(&consumer, &args.kafka.bootstrap_servers, &topic, args.kafka.connect_timeout)?;
    // Required before any transaction, once per process.
    retry(GIVE_UP, || transaction::init(&producer, TEN_SECONDS))?;
    consumer.subscribe(&[&topic])?;

    let mut aborts = 0;
    let mut until = Until::new(&args.consume);
    while !until.reached(&consumer) {
        let Some(message) = group::poll(&consumer, Duration::from_secs(1))? else {
            continue;
        };

        out::print(&Line::process(&message))?;

        stop::sleep(args.consume.interval_ms); // killed here, the message is processed again

        match commit_offset(&producer, &consumer, &message) {
            Ok(()) => {
                aborts = 0;
                until.processed(1);
            }
            // Nothing was committed: abort, go back to the committed offset, and process the message again.
            Err(TxnError::Abortable(why)) => {
                transaction::abort(&producer, TEN_SECONDS)?;
                aborts += 1;
                if aborts == ATTEMPTS {
                    return Err(TxnError::Abortable(why).into());
                }
                log::warn!("the transaction is aborted, its message is read again: {why}");
                group::rewind(&consumer, TEN_SECONDS)?;
            }
            // Fatal (fenced, for instance), or an outcome that only the coordinator knows.
            Err(other) => return Err(other.into()),
        }
    }
    // Dropping the consumer leaves the group.
    Ok(())
}

/// The offset in a Kafka transaction: committed, or nothing has happened.
fn commit_offset(
    producer: &ReportingProducer,
    consumer: &GroupConsumer,
    message: &BorrowedMessage<'_>,
) -> Result<(), TxnError> {
    transaction::begin(producer)?;
    let mut positions = TopicPartitionList::new();
    // The offset to go on from, hence + 1.
    positions.add_partition_offset(message.topic(), message.partition(), Offset::Offset(message.offset() + 1))?;
    // With the group metadata of this moment: a member that the group has gone on without is refused.
    retry(GIVE_UP, || transaction::send_offsets(producer, &positions, consumer, TEN_SECONDS))?;
    retry(GIVE_UP, || transaction::commit(producer, TEN_SECONDS))
}
