//! Exercise 08, **deduplication in the application**: at least once from Kafka, once in effect.
//! The course: « Possibilité de doublons, donc il faut souvent une logique de déduplication côté consommateur ou
//! application. »
//!
//! Goal: each value is processed once, though Kafka may deliver it again: after a crash of this consumer, or because
//! the producer's retry was stored as well.
//!
//! As given, what was processed is noted in memory only, and nobody asks.
//!
//! ```text
//! terminal 1   cargo run -p lab -- broker
//! terminal 2   cargo run -p producer-at-least-once -- --topic tp-deduplication --count 20
//! terminal 3   cargo run -p ex08-deduplication -- --interval-ms 500
//! terminal 3   Ctrl-\ (abrupt), then run it again: is a value printed twice?
//! ```

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use common::grammar::Line;
use common::group::{self, Group, Until};
use common::{Error, app, cli, connect, out, stop};
use rdkafka::consumer::{CommitMode, Consumer};
use rdkafka::{ClientConfig, Message};

/// Consumer: at least once, with deduplication by value
#[derive(Parser)]
#[command(version, after_help = EXAMPLES)]
struct Args {
    #[command(flatten)]
    kafka: cli::Broker,

    /// Topic to read
    #[arg(long, env = "TOPIC", default_value = "tp-deduplication", value_parser = cli::topic_name)]
    topic: String,

    /// Consumer group
    #[arg(long, env = "GROUP_ID", default_value = "tp-deduplication", value_parser = cli::identifier)]
    group: String,

    /// Where the values are noted that were processed [default: GROUP.seen in the folder for temporary files]
    #[arg(long, env = "SEEN", value_name = "FILE")]
    seen: Option<PathBuf>,

    #[command(flatten)]
    consume: cli::Consume,
}

const EXAMPLES: &str = "\
Examples:
  ex08-deduplication --interval-ms 500     time to kill it between processing and commit
  ex08-deduplication --seen ./my.seen --idle-exit 3

Exit status: 0 done, 1 reading, noting or committing failed, 2 bad usage or no broker";

fn main() -> ExitCode {
    app::main(run)
}

fn run(args: Args) -> Result<(), Error> {
    let topic = args.kafka.name(&args.topic);
    let group = args.kafka.name(&args.group);

    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &args.kafka.bootstrap_servers);
    config.set("group.id", &group);
    // We commit ourselves, after the processing: at least once.
    config.set("enable.auto.commit", "false");
    // Without a committed offset, start at the beginning (for the example).
    config.set("auto.offset.reset", "earliest");
    args.kafka.overrides(&mut config);

    let path = args.seen.unwrap_or_else(|| std::env::temp_dir().join(format!("{group}.seen")));
    let unusable = |error: io::Error| Error::failed(format_args!("{}: {error}; choose another --seen", path.display()));
    let mut seen = Seen::open(&path).map_err(unusable)?;
    log::info!("{} values were processed before, says {}", seen.values.len(), path.display());

    let consumer = Group::consumer(&config)?;
    connect::topic(&consumer, &args.kafka.bootstrap_servers, &topic, args.kafka.connect_timeout)?;
    consumer.subscribe(&[&topic])?;

    let mut last_commit = Ok(());
    let mut until = Until::new(&args.consume);
    while !until.reached(&consumer) {
        let Some(message) = group::poll(&consumer, Duration::from_secs(1))? else {
            continue;
        };
        let value = message.payload().unwrap_or_default();

        // TODO 1: a value that was processed must not be processed again. (What about its offset?)
        if seen.contains(value) {
            log::info!("this value comes again");
        }
        out::print(&Line::read(&message))?;
        seen.note(value).map_err(unusable)?;
        until.processed(1);

        stop::sleep(args.consume.interval_ms); // the moment to kill it

        // 2) Commit of offset + 1.
        last_commit = consumer.commit_message(&message, CommitMode::Sync);
        if let Err(why) = &last_commit {
            log::warn!("processed, but its commit failed; it may be delivered again: {why}");
        }
    }
    // Dropping the consumer leaves the group.
    Ok(last_commit?)
}

/// The values that were processed. (The lab's values hold no line end; others would need an escape here.)
struct Seen {
    values: HashSet<Vec<u8>>,
    #[allow(dead_code, reason = "TODO 3 needs it")]
    file: File,
}

impl Seen {
    fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).read(true).open(path)?;
        // TODO 2: what earlier runs have noted in the file, one value per line.
        let values = HashSet::new();
        Ok(Self { values, file })
    }

    fn contains(&self, value: &[u8]) -> bool {
        self.values.contains(value)
    }

    /// When this returns, the value will be known to the next run, whatever becomes of this one.
    fn note(&mut self, value: &[u8]) -> io::Result<()> {
        self.values.insert(value.to_vec());
        // TODO 3: what is in memory only is gone with the process.
        Ok(())
    }
}
