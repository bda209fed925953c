//! Consumer, **at least once**: the message is processed, *then* its offset is committed.
//! The course's snippet « consommateur : At least one ».
//!
//! Guarantee: every message is processed.
//!
//! How it breaks (it may): killed between the processing and the commit, it processes the message again: nobody knew
//! that it was done.
//!
//! ```text
//! terminal 1   compose/kafka.sh
//! terminal 2   cargo run -p producer-at-least-once -- --count 100
//! terminal 3   cargo run -p consumer-at-least-once -- --interval-ms 500
//! terminal 3   Ctrl-\ (abrupt), then run it again: one message is printed twice
//! ```

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use common::grammar::Line;
use common::group::{self, Group, Until};
use common::{Error, app, cli, connect, out, stop};
use rdkafka::ClientConfig;
use rdkafka::consumer::{CommitMode, Consumer};

/// Consumer, at least once: process, then commit
#[derive(Parser)]
#[command(version, after_help = EXAMPLES)]
struct Args {
    #[command(flatten)]
    kafka: cli::Broker,

    /// Topic to read
    #[arg(long, env = "TOPIC", default_value = "tp-at-least-once", value_parser = cli::topic_name)]
    topic: String,

    /// Consumer group
    #[arg(long, env = "GROUP_ID", default_value = "tp-at-least-once", value_parser = cli::identifier)]
    group: String,

    #[command(flatten)]
    consume: cli::Consume,
}

const EXAMPLES: &str = "\
Examples:
  consumer-at-least-once --interval-ms 500     time to kill it between processing and commit
  consumer-at-least-once --idle-exit 5

Exit status: 0 done, 1 reading or committing failed, 2 bad usage or no broker";

fn main() -> ExitCode {
    app::main(run)
}

fn run(args: Args) -> Result<(), Error> {
    let topic = args.kafka.name(&args.topic);

    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &args.kafka.bootstrap_servers);
    config.set("group.id", args.kafka.name(&args.group));
    // We commit ourselves: librdkafka's auto-commit would count a message as done when it is handed to us.
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
