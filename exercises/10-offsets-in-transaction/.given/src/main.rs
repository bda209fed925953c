//! Exercise 10, **offsets in a transaction**: the result and the progress are committed together.
//! The course: « Pour un pipeline consume→process→produce, envoyer aussi les offsets via send_offsets_to_transaction ».
//!
//! Goal: for a read_committed reader, each message of the input has one result in the output, even if the program is
//! killed and started again.
//!
//! As given, the result is committed in a transaction and the offset after it, in a step of its own. Killed in between,
//! the program does that message again: a second result.
//!
//! ```text
//! terminal 1   cargo run -p lab -- broker
//! terminal 2   cargo run -p producer-exactly-once -- --count 20
//! terminal 3   cargo run -p ex10-offsets-in-transaction --  --idle-exit 3
//! terminal 4   cargo run -p consumer-exactly-once -- --topic upper --group reader --idle-exit 3
//! ```

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use common::delivery::{DeliveryReports, ReportingProducer};
use common::grammar::Line;
use common::group::{self, Group, GroupConsumer, Until};
use common::transaction::{self, TxnError, retry};
use common::{Error, app, cli, connect, out, stop};
use rdkafka::consumer::{CommitMode, Consumer};
use rdkafka::message::BorrowedMessage;
use rdkafka::producer::BaseRecord;
use rdkafka::{ClientConfig, Message};

/// Consume, transform (ASCII upper case), produce: one transaction for each message
#[derive(Parser)]
#[command(version, after_help = EXAMPLES)]
struct Args {
    #[command(flatten)]
    kafka: cli::Broker,

    /// Topic to read
    #[arg(long, env = "TOPIC", default_value = "input", value_parser = cli::topic_name)]
    topic: String,

    /// Topic to write to
    #[arg(long, env = "OUTPUT_TOPIC", default_value = "upper", value_parser = cli::topic_name)]
    output_topic: String,

    /// Consumer group: all instances share it
    #[arg(long, env = "GROUP_ID", default_value = "g-upper", value_parser = cli::identifier)]
    group: String,

    /// Who this instance is, across restarts: stable, and different for each instance
    #[arg(long, env = "TRANSACTIONAL_ID", default_value = "txn-upper", value_parser = cli::identifier)]
    transactional_id: String,

    #[command(flatten)]
    consume: cli::Consume,
}

const EXAMPLES: &str = "\
Examples:
  ex10-offsets-in-transaction --idle-exit 3

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
    // Before the first poll: whatever an earlier instance left open is finished before this one reads an offset.
    retry(GIVE_UP, || transaction::init(&producer, TEN_SECONDS))?;
    consumer.subscribe(&[&input])?;

    let mut aborts = 0;
    let mut until = Until::new(&args.consume);
    while !until.reached(&consumer) {
        let Some(message) = group::poll(&consumer, Duration::from_secs(1))? else {
            continue;
        };
        let result = message.payload().map(<[u8]>::to_ascii_uppercase);
        out::print(&Line::transform(&message, result.as_deref()))?;
        stop::sleep(args.consume.interval_ms);

        match transform(&producer, &consumer, &output, &message, result.as_deref()) {
            Ok(()) => {
                out::print(&Line::Committed(1))?;
                aborts = 0;
                until.processed(1);
            }
            // Nothing counts: abort, go back to the committed offsets, and do the message again.
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

/// One message, one transaction.
fn transform(
    producer: &ReportingProducer,
    consumer: &GroupConsumer,
    output: &str,
    message: &BorrowedMessage<'_>,
    result: Option<&[u8]>,
) -> Result<(), TxnError> {
    transaction::begin(producer)?;
    send(producer, output, message, result)?;
    retry(GIVE_UP, || transaction::commit(producer, TEN_SECONDS))?;
    // TODO: the result is committed, the progress is not yet: two moments. Make them one (transaction::send_offsets).
    consumer.commit_message(message, CommitMode::Sync)?;
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
