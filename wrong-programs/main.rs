//! Programs with one mistake each, of the kind that students and professionals make. README.md lists them, with the
//! scenario that convicts each and what the lab says of it.
//!
//! ```text
//! cargo build -p lab --example wrong-programs
//! lab run --guarantee at-least-once --scenario ack-lost -- target/debug/examples/wrong-programs acks-zero
//! ```
//!
//! They are one executable, linked once: the first argument says which. What they share, all of it right, is here: the
//! settings from the environment (docs/your-own-client.md), clients with the usual configuration.

mod acks_zero;
mod auto_commit;
mod commit_asynchronous;
mod commit_before_offsets;
mod commit_first;
mod commit_unchecked;
mod committed_anyway;
mod flush_unchecked;
mod metadata_from_the_start;
mod no_abort;
mod no_flush;
mod no_idempotence;
mod no_rewind;
mod offset_without_plus_one;
mod offsets_outside;
mod position_committed;
mod random_id;
mod read_uncommitted;
mod rebalance_ignored;
mod report_ignored;
mod retry_after_fatal;
mod retry_by_hand;
mod said_when_sent;
mod second_thread;
mod shared_id;
mod starts_at_end;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use clap::builder::PossibleValuesParser;
use common::delivery::{DeliveryReports, Report, ReportingProducer};
use common::grammar::Line;
use common::group::{Group, GroupConsumer};
use common::transaction;
use common::{Error, app, cli, out};
use rdkafka::consumer::Consumer;
use rdkafka::message::{BorrowedMessage, DeliveryResult};
use rdkafka::producer::BaseRecord;
use rdkafka::{ClientConfig, Message};

/// By name, in the order of README.md.
const PROGRAMS: &[Program] = &[
    ("acks-zero", acks_zero::run),
    ("no-idempotence", no_idempotence::run),
    ("said-when-sent", said_when_sent::run),
    ("report-ignored", report_ignored::run),
    ("no-flush", no_flush::run),
    ("flush-unchecked", flush_unchecked::run),
    ("retry-by-hand", retry_by_hand::run),
    ("random-id", random_id::run),
    ("no-abort", no_abort::run),
    ("committed-anyway", committed_anyway::run),
    ("retry-after-fatal", retry_after_fatal::run),
    ("offset-without-plus-one", offset_without_plus_one::run),
    ("auto-commit", auto_commit::run),
    ("commit-first", commit_first::run),
    ("commit-asynchronous", commit_asynchronous::run),
    ("commit-unchecked", commit_unchecked::run),
    ("starts-at-end", starts_at_end::run),
    ("second-thread", second_thread::run),
    ("read-uncommitted", read_uncommitted::run),
    ("commit-before-offsets", commit_before_offsets::run),
    ("offsets-outside", offsets_outside::run),
    ("no-rewind", no_rewind::run),
    ("metadata-from-the-start", metadata_from_the_start::run),
    ("position-committed", position_committed::run),
    ("rebalance-ignored", rebalance_ignored::run),
    ("shared-id", shared_id::run),
];

type Program = (&'static str, fn(&Args) -> Result<(), Error>);

/// A program with one mistake
#[derive(Parser)]
struct Args {
    /// Which
    #[arg(value_parser = PossibleValuesParser::new(PROGRAMS.iter().map(|(name, _)| *name)))]
    name: String,

    #[command(flatten)]
    kafka: cli::Broker,

    /// Topic to write to, or to read
    #[arg(long, env = "TOPIC")]
    topic: String,

    /// Topic for results
    #[arg(long, env = "OUTPUT_TOPIC", default_value = "")]
    output_topic: String,

    /// Consumer group
    #[arg(long, env = "GROUP_ID", default_value = "")]
    group: String,

    /// Who this instance is, across restarts
    #[arg(long, env = "TRANSACTIONAL_ID", default_value = "")]
    transactional_id: String,

    /// What the values begin with
    #[arg(long, env = "VALUE_PREFIX", default_value = "")]
    prefix: String,

    #[command(flatten)]
    produce: cli::Produce,
}

const TEN_SECONDS: Duration = Duration::from_secs(10);

/// How long a consumer waits for messages before it looks at anything else.
const MOMENT: Duration = Duration::from_millis(100);

fn main() -> ExitCode {
    app::main(|args: Args| match PROGRAMS.iter().find(|(name, _)| *name == args.name) {
        Some((_, run)) => run(&args),
        None => Ok(()),
    })
}

impl Args {
    /// A producer with these settings besides the usual ones.
    fn producer(&self, settings: &[(&str, &str)], report: Report) -> Result<ReportingProducer, Error> {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.kafka.bootstrap_servers);
        config.set("acks", "all");
        for (key, value) in settings {
            config.set(*key, *value);
        }
        self.kafka.overrides(&mut config);
        DeliveryReports::producer(&config, report)
    }

    /// A transactional producer, initialised.
    fn transactional(&self, report: Report) -> Result<ReportingProducer, Error> {
        let producer = self.producer(&[("transactional.id", &self.transactional_id)], report)?;
        transaction::init(&producer, TEN_SECONDS)?;
        Ok(producer)
    }

    /// A member of the group, subscribed to the topic, with these settings besides the usual ones.
    fn consumer(&self, settings: &[(&str, &str)]) -> Result<GroupConsumer, Error> {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.kafka.bootstrap_servers);
        config.set("group.id", &self.group);
        config.set("enable.auto.commit", "false");
        config.set("auto.offset.reset", "earliest");
        for (key, value) in settings {
            config.set(*key, *value);
        }
        self.kafka.overrides(&mut config);
        let consumer = Group::consumer(&config)?;
        consumer.subscribe(&[&self.topic])?;
        Ok(consumer)
    }

    /// The values to send.
    fn values(&self) -> impl Iterator<Item = String> {
        (0..self.produce.count).map(|i| format!("{}{i}", self.prefix))
    }

    /// A message with this value.
    fn record<'a>(&'a self, value: &'a str) -> BaseRecord<'a, (), str> {
        BaseRecord::to(&self.topic).payload(value)
    }

    /// The result of a message, printed and sent in the open transaction: upper case, of the same partition and key.
    fn transform(&self, producer: &ReportingProducer, message: &BorrowedMessage<'_>) -> Result<(), Error> {
        let result = message.payload().map(<[u8]>::to_ascii_uppercase);
        out::print(&Line::transform(message, result.as_deref()))?;
        let mut record = BaseRecord::<[u8], [u8]>::to(&self.output_topic).partition(message.partition());
        record.key = message.key();
        record.payload = result.as_deref();
        Ok(transaction::send(producer, record)?)
    }
}

/// Prints what the delivery report says.
fn told<'a>(report: &'a DeliveryResult<'_>) -> Option<Line<'a>> {
    Some(match report {
        Ok(message) => Line::delivered(message),
        Err((why, message)) => Line::failed(message.payload().unwrap_or_default(), why),
    })
}

/// Of a pipeline, the results speak.
fn untold<'a>(_: &'a DeliveryResult<'_>) -> Option<Line<'a>> {
    None
}
