//! Exercise 06, **commit before processing**: at most once.
//! The course's snippet « consommateur : At most once ».
//!
//! Goal: no message is processed twice. One that was committed and not processed is lost, and that is this guarantee's
//! price.
//!
//! What changed:
//! - the commit comes first: the group has moved on before anything is done;
//! - a message whose commit failed is not processed, since nobody knows whether it is committed: the consumer goes back
//!   to the committed offset, which decides.
//!
//! ```text
//! terminal 1   cargo run -p lab -- broker
//! terminal 2   cargo run -p producer-at-most-once -- --count 20
//! terminal 3   cargo run -p sol06-commit-before -- --interval-ms 500
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
  sol06-commit-before --interval-ms 500     time to kill it between the two steps
  sol06-commit-before --idle-exit 3

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

    let mut until = Until::new(&args.consume);
    while !until.reached(&consumer) {
        let Some(message) = group::poll(&consumer, Duration::from_secs(1))? else {
            continue;
        };

        // 1) Commit of offset + 1: the group will never be given this message again.
        if let Err(why) = consumer.commit_message(&message, CommitMode::Sync) {
            // Perhaps committed, perhaps not: processing it now could make it twice. The committed offset decides.
            log::warn!("not processed, since its commit failed: {why}");
            group::rewind(&consumer, Duration::from_secs(10))?;
            continue;
        }

        stop::sleep(args.consume.interval_ms); // killed here, the message is lost

        // 2) Only now the processing.
        out::print(&Line::read(&message))?;
        until.processed(1);
    }
    // Dropping the consumer leaves the group.
    Ok(())
}
