//! Exercise 07, **commit after processing**: at least once.
//! The course's snippet « consommateur : At least one ».
//!
//! Goal: every message is processed. It may be processed again after a crash, and that is this guarantee's price.
//!
//! What changed: the processing comes first, then the commit. A commit that fails is no reason to stop: the next one
//! covers this message too, and until then the message may come again.
//!
//! ```text
//! terminal 1   cargo run -p lab -- broker
//! terminal 2   cargo run -p producer-at-least-once -- --count 20
//! terminal 3   cargo run -p sol07-commit-after -- --interval-ms 500
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

/// Consumer: process, then commit
#[derive(Parser)]
#[command(version, after_help = EXAMPLES)]
struct Args {
    #[command(flatten)]
    kafka: cli::Broker,

    /// Topic to read
    #[arg(long, env = "TOPIC", default_value = "tp-at-least-once", value_parser = cli::topic_name)]
    topic: String,

    /// Consumer group
    #[arg(long, env = "GROUP_ID", default_value = "tp-commit-after", value_parser = cli::identifier)]
    group: String,

    #[command(flatten)]
    consume: cli::Consume,
}

const EXAMPLES: &str = "\
Examples:
  sol07-commit-after --interval-ms 500     time to kill it between the two steps
  sol07-commit-after --idle-exit 3

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

        // 1) Processing.
        out::print(&Line::read(&message))?;
        until.processed(1);

        stop::sleep(args.consume.interval_ms); // killed here, the message is processed again

        // 2) Commit of offset + 1. Should it fail, the next one covers this message too; and should the partition have
        // gone to another member, that one processes the message again: at least once.
        last_commit = consumer.commit_message(&message, CommitMode::Sync);
        if let Err(why) = &last_commit {
            log::warn!("processed, but its commit failed; it may be processed again: {why}");
        }
    }
    // Dropping the consumer leaves the group.
    Ok(last_commit?)
}
