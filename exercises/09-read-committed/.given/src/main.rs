//! Exercise 09, **read_committed and the last stable offset**: what was taken back is not read.
//! The course: « Côté consommateur (lecture « exactly once ») : configurer isolation.level=read_committed ».
//!
//! Goal: records of aborted transactions are not processed, and records of open ones not before their transaction is
//! committed.
//!
//! As given, the consumer takes whatever is in the log.
//!
//! ```text
//! terminal 1   cargo run -p lab -- broker
//! terminal 2   cargo run -p producer-exactly-once -- --topic tp-isolation --count 20 --interval-ms 500
//! terminal 3   cargo run -p ex09-read-committed, while terminal 2 is at work: when does the first line come?
//! ```

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use common::grammar::Line;
use common::group::{self, Group, Until};
use common::{Error, app, cli, connect, out, stop};
use rdkafka::ClientConfig;
use rdkafka::consumer::{CommitMode, Consumer};

/// Consumer: read_committed
#[derive(Parser)]
#[command(version, after_help = EXAMPLES)]
struct Args {
    #[command(flatten)]
    kafka: cli::Broker,

    /// Topic to read
    #[arg(long, env = "TOPIC", default_value = "tp-isolation", value_parser = cli::topic_name)]
    topic: String,

    /// Consumer group
    #[arg(long, env = "GROUP_ID", default_value = "tp-isolation", value_parser = cli::identifier)]
    group: String,

    #[command(flatten)]
    consume: cli::Consume,
}

const EXAMPLES: &str = "\
Examples:
  ex09-read-committed --interval-ms 500     time to kill it between the two steps
  ex09-read-committed --idle-exit 3

Exit status: 0 done, 1 reading or committing failed, 2 bad usage or no broker";

fn main() -> ExitCode {
    app::main(run)
}

fn run(args: Args) -> Result<(), Error> {
    let topic = args.kafka.name(&args.topic);

    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &args.kafka.bootstrap_servers);
    config.set("group.id", args.kafka.name(&args.group));
    // We commit ourselves: when is the whole lesson.
    config.set("enable.auto.commit", "false");
    // Without a committed offset, start at the beginning (for the example).
    config.set("auto.offset.reset", "earliest");
    // TODO: which records may this consumer see? As it is: all that the log holds, whatever became of them.
    config.set("isolation.level", "read_uncommitted");
    args.kafka.overrides(&mut config);

    let consumer = Group::consumer(&config)?;
    connect::topic(&consumer, &args.kafka.bootstrap_servers, &topic, args.kafka.connect_timeout)?;
    consumer.subscribe(&[&topic])?;

    let mut last_commit = Ok(());
    let mut until = Until::new(&args.consume);
    while !until.reached(&consumer) {
        let Some(message) = group::poll(&consumer, Duration::from_secs(1))? else {
            continue;
        };

        out::print(&Line::read(&message))?;
        until.processed(1);

        stop::sleep(args.consume.interval_ms);

        last_commit = consumer.commit_message(&message, CommitMode::Sync);
        if let Err(why) = &last_commit {
            log::warn!("processed, but its commit failed; it may be processed again: {why}");
        }
    }
    // Dropping the consumer leaves the group.
    Ok(last_commit?)
}
