//! Exercise 15, **exactly once into a database**: the result and the offset in one local transaction.
//! What the course's transactions do not reach: an effect outside Kafka.
//!
//! Goal: each message has one row in the database, whatever happens to the program in between.
//!
//! As given, the row is in the database and the offset in Kafka: killed between the two, the message gets a second row.
//!
//! ```text
//! terminal 1   cargo run -p lab -- broker
//! terminal 2   cargo run -p producer-exactly-once -- --count 20
//! terminal 3   cargo run -p ex15-database -- --interval-ms 500
//! terminal 3   Ctrl-\ (abrupt), then run it again: how many rows?
//! ```

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use common::grammar::Line;
use common::group::{self, Group, Until};
use common::{Error, app, cli, connect, out, stop};
use rdkafka::consumer::{CommitMode, Consumer};
use rdkafka::message::BorrowedMessage;
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};
use rusqlite::{Connection, params};

/// Consumer: exactly once into a database
#[derive(Parser)]
#[command(version, after_help = EXAMPLES)]
struct Args {
    #[command(flatten)]
    kafka: cli::Broker,

    /// Topic to read
    #[arg(long, env = "TOPIC", default_value = "input", value_parser = cli::topic_name)]
    topic: String,

    /// Consumer group: for its committed offsets only
    #[arg(long, env = "GROUP_ID", default_value = "g-database", value_parser = cli::identifier)]
    group: String,

    /// The SQLite database [default: GROUP.sqlite in the folder for temporary files]
    #[arg(long, env = "DATABASE", value_name = "FILE")]
    database: Option<PathBuf>,

    #[command(flatten)]
    consume: cli::Consume,
}

const EXAMPLES: &str = "\
Examples:
  ex15-database --interval-ms 500     time to kill it between the database and Kafka
  ex15-database --database ./my.sqlite --idle-exit 3

Exit status: 0 done, 1 reading or storing failed, 2 bad usage or no broker";

fn main() -> ExitCode {
    app::main(run)
}

fn run(args: Args) -> Result<(), Error> {
    let topic = args.kafka.name(&args.topic);
    let group = args.kafka.name(&args.group);

    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &args.kafka.bootstrap_servers);
    config.set("group.id", &group);
    // We commit ourselves.
    config.set("enable.auto.commit", "false");
    // Where nothing is known, start at the beginning.
    config.set("auto.offset.reset", "earliest");
    // What an upstream transaction aborted is no input.
    config.set("isolation.level", "read_committed");
    args.kafka.overrides(&mut config);

    let path = args.database.unwrap_or_else(|| std::env::temp_dir().join(format!("{group}.sqlite")));
    let unusable =
        |error: rusqlite::Error| Error::failed(format_args!("{}: {error}; choose another --database", path.display()));
    let mut database = Connection::open(&path).and_then(prepare).map_err(unusable)?;

    let consumer = Group::consumer(&config)?;
    let partitions = connect::topic(&consumer, &args.kafka.bootstrap_servers, &topic, args.kafka.connect_timeout)?;

    // All partitions are ours: no group decides who reads what, and where from is for us to say.
    let mut start = TopicPartitionList::new();
    for partition in 0..i32::try_from(partitions).unwrap_or(i32::MAX) {
        start.add_partition_offset(&topic, partition, next_offset(&database, &topic, partition).map_err(unusable)?)?;
    }
    consumer.assign(&start)?;

    let mut until = Until::new(&args.consume);
    until.processed(0); // no group to wait for: the clock of --idle-exit starts now
    while !until.reached(&consumer) {
        let Some(message) = group::poll(&consumer, Duration::from_secs(1))? else {
            continue;
        };

        store(&mut database, &message).map_err(unusable)?;
        // Told when it is true: the row is there.
        out::print(&Line::read(&message))?;
        until.processed(1);

        stop::sleep(args.consume.interval_ms); // the moment to kill it

        if let Err(why) = consumer.commit_message(&message, CommitMode::Sync) {
            log::warn!("stored, but its commit failed: {why}");
        }
    }
    let rows: i64 = database.query_row("SELECT count(*) FROM results", (), |row| row.get(0)).map_err(unusable)?;
    log::info!("{rows} rows in {}", path.display());
    Ok(())
}

fn prepare(database: Connection) -> rusqlite::Result<Connection> {
    // A write-ahead log, synced now and then: a power failure may undo the last transactions, each of them whole.
    database.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = NORMAL;
         CREATE TABLE IF NOT EXISTS results (topic TEXT, part INTEGER, offset INTEGER, value BLOB);
         CREATE TABLE IF NOT EXISTS progress (topic TEXT, part INTEGER, next INTEGER, PRIMARY KEY (topic, part));",
    )?;
    Ok(database)
}

/// Where to go on in this partition.
fn next_offset(_database: &Connection, _topic: &str, _partition: i32) -> rusqlite::Result<Offset> {
    // TODO 2: this is the offset that Kafka has for the group. Who knows better what has a row already?
    Ok(Offset::Stored)
}

/// The result of one message.
fn store(database: &mut Connection, message: &BorrowedMessage<'_>) -> rusqlite::Result<()> {
    let (topic, partition, offset) = (message.topic(), message.partition(), message.offset());
    let transaction = database.transaction()?;
    transaction.execute(
        "INSERT INTO results (topic, part, offset, value) VALUES (?1, ?2, ?3, ?4)",
        params![topic, partition, offset, message.payload()],
    )?;
    // TODO 1: the row is one half of what must be known after a crash. (The table `progress` is there.)
    transaction.commit()
}
