//! Exercise 06, **commit before processing**: at most once.
//! The course's snippet « consommateur : At most once ».
//!
//! Goal: no message is processed twice. One that was committed and not processed is lost, and that is this guarantee's
//! price.
//!
//! As given, a message is processed first: killed before the commit, it comes again.
//!
//! ```text
//! terminal 1   cargo run -p lab -- broker
//! terminal 2   cargo run -p producer-at-most-once -- --count 20
//! terminal 3   cargo run -p ex06-commit-before -- --interval-ms 500
//! terminal 3   Ctrl-\ (abrupt), then run it again: which message comes twice, which never?
//! ```

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use common::grammar::Line;
use common::group::{self, Group, Until};
use common::{Error, app, cli, connect, out, stop};
use rdkafka::ClientConfig;
use rdkafka::consumer::{CommitMode, Consumer};

/// Consumer: commit, then process
#[derive(Parser)]
#[command(version, after_help = EXAMPLES)]
struct Args {
    #[command(flatten)]
    kafka: cli::Broker,

    /// Topic to read
    #[arg(long, env = "TOPIC", default_value = "tp-at-most-once", value_parser = cli::topic_name)]
    topic: String,

    /// Consumer group
    #[arg(long, env = "GROUP_ID", default_value = "tp-commit-before", value_parser = cli::identifier)]
    group: String,

    #[command(flatten)]
    consume: cli::Consume,
}

const EXAMPLES: &str = "\
Examples:
  ex06-commit-before --interval-ms 500     time to kill it between the two steps
  ex06-commit-before --idle-exit 3

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

        // TODO 1: the processing (the line that is printed) comes before the commit. Which order is at most once?
        out::print(&Line::read(&message))?;
        until.processed(1);

        stop::sleep(args.consume.interval_ms); // the moment to kill it

        // TODO 2: if the commit fails, nobody knows whether the group has moved on. May the message be processed then?
        // (group::rewind goes back to the committed offsets.)
        last_commit = consumer.commit_message(&message, CommitMode::Sync);
        if let Err(why) = &last_commit {
            log::warn!("the commit failed: {why}");
        }
    }
    // Dropping the consumer leaves the group.
    Ok(last_commit?)
}
