//! The lab itself: what it says of the nine programs, whom it convicts, and what it leaves behind.

mod bad_clients;
mod convictions;
mod lifetime;
mod matrix;
mod reader;
mod three_nodes;
mod usage;

use std::env;
use std::process::{Command, Output};
use std::time::Duration;

use common::cli::Broker;
use lab::kafka::Kafka;
use lab::names::random_seed;
use lab::stage::House;
use serde_json::Value as Json;

/// The Kafka that is given to the tests; without one, each run of the lab has an embedded broker of its own.
pub(crate) fn given() -> Option<String> {
    // Looked at once more, so that a wrong address is a sentence and not a riddle.
    env::var("KAFKA_BOOTSTRAP_SERVERS").ok().map(|_| crate::support::broker::bootstrap().to_owned())
}

/// The lab, in English, whatever the terminal's settings.
pub(crate) fn lab(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
    command.args(args);
    for variable in ["RUST_LOG", "NAMESPACE", "KAFKA_PROPERTIES", "BOOTSTRAP_SERVERS", "CONNECT_TIMEOUT"] {
        command.env_remove(variable);
    }
    if let Some(servers) = given() {
        command.env("BOOTSTRAP_SERVERS", servers);
    }
    command.env("LC_ALL", "C");
    command
}

/// Runs the lab, and returns its JSON.
#[track_caller]
pub(crate) fn json(args: &[&str], status: i32) -> Json {
    let output = lab(args).args(["--format", "json"]).output().unwrap();
    expect(&output, status);
    serde_json::from_slice(&output.stdout).unwrap()
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[track_caller]
pub(crate) fn expect(output: &Output, status: i32) {
    assert_eq!(output.status.code(), Some(status), "{}\n{}", stdout(output), stderr(output));
}

/// A Kafka for the library, without a command line.
pub(crate) fn kafka() -> Kafka {
    Kafka::new(flags(crate::support::broker::bootstrap()))
}

/// Where runs take place: on the Kafka that is given, or on embedded brokers.
pub(crate) fn house() -> House {
    lab::capacity::raise_open_files();
    let servers = given();
    let flags = flags(servers.as_deref().unwrap_or("127.0.0.1:1"));
    House { kafka: servers.map(|_| kafka()), messages: 20, ..House::new(flags, random_seed()) }
}

/// Deletes what the runs have left there; what could not be deleted, and why.
pub(crate) fn clear(house: House) -> Vec<(String, String)> {
    house.kafka.map(|kafka| house.leftovers.delete(&kafka)).unwrap_or_default()
}

fn flags(servers: &str) -> Broker {
    Broker {
        bootstrap_servers: servers.to_owned(),
        namespace: None,
        property: Vec::new(),
        properties: Vec::new(),
        connect_timeout: Duration::from_secs(10),
    }
}
