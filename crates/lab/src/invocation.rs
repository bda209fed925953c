//! The command line of a program in a run of the lab: its own topics, group and transactional id.

use std::path::Path;
use std::process::Command;

use common::cli::{Broker, Property};

use crate::catalogue::{Program, Role};

/// What the program works on.
#[derive(Debug, Clone, Copy)]
pub struct Work<'a> {
    /// The topic that a producer writes, or a consumer reads.
    pub topic: &'a str,
    /// Where a pipeline writes its results.
    pub output: Option<&'a str>,
    /// The consumer group, and the transactional id of whoever has one.
    pub identity: &'a str,
    /// How many messages a producer sends.
    pub messages: u64,
}

/// Variables that the programs read in place of flags (common::cli): those of the user's terminal are not for them.
const VARIABLES: &[&str] = &[
    "BATCH_MS",
    "BATCH_SIZE",
    "COUNT",
    "GROUP_ID",
    "IDLE_EXIT",
    "INTERVAL_MS",
    "KAFKA_PROPERTIES",
    "NAMESPACE",
    "OUTPUT_TOPIC",
    "SIZE",
    "TOPIC",
    "TRANSACTIONAL_ID",
];

/// Seconds without a message after which a consumer gives up by itself. The lab stops it as soon as it has seen
/// everything, so this time passes only when something is missing.
const IDLE_EXIT: &str = "15";

/// The command that runs `program`.
pub fn command(executable: &Path, program: &Program, broker: &Broker, work: &Work<'_>) -> Command {
    let mut command = Command::new(executable);
    for variable in VARIABLES {
        command.env_remove(variable);
    }
    command.args(["--bootstrap-servers", &broker.bootstrap_servers]);
    command.args(["--connect-timeout", &broker.connect_timeout.as_secs_f64().to_string()]);
    command.args(["--topic", work.topic]);
    match program.role {
        Role::Producer(producer) => {
            command.args(["--count", &work.messages.to_string()]);
            if producer.transactional {
                command.args(["--transactional-id", work.identity]);
            }
        }
        Role::Consumer { transactional, .. } => {
            command.args(["--group", work.identity, "--idle-exit", IDLE_EXIT]);
            if transactional {
                command.args(["--transactional-id", work.identity]);
            }
        }
        Role::Pipeline { .. } => {
            command.args(["--group", work.identity, "--idle-exit", IDLE_EXIT]);
            command.args(["--transactional-id", work.identity]);
            if let Some(output) = work.output {
                command.args(["--output-topic", output]);
            }
        }
    }
    properties(&mut command, broker);
    command
}

/// Hands on -X, through the environment where that is possible: a password does not belong on a command line, which
/// every user of the machine can read.
fn properties(command: &mut Command, broker: &Broker) {
    let mut together = Vec::new();
    for Property { key, value } in broker.properties.iter().chain(&broker.property) {
        let property = format!("{key}={value}");
        if property.contains(';') {
            command.args(["-X", &property]);
        } else {
            together.push(property);
        }
    }
    if !together.is_empty() {
        command.env("KAFKA_PROPERTIES", together.join(";"));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::catalogue;

    fn broker(properties: &[(&str, &str)]) -> Broker {
        Broker {
            bootstrap_servers: "h:1".into(),
            namespace: None,
            property: properties
                .iter()
                .map(|(key, value)| Property { key: (*key).into(), value: (*value).into() })
                .collect(),
            properties: Vec::new(),
            connect_timeout: Duration::from_secs(10),
        }
    }

    fn line(package: &str, broker: &Broker) -> String {
        let work = Work { topic: "t", output: Some("out"), identity: "me", messages: 7 };
        let command = command(Path::new("p"), catalogue::find(package).unwrap(), broker, &work);
        let args: Vec<_> = command.get_args().map(|arg| arg.to_str().unwrap()).collect();
        args.join(" ")
    }

    #[test]
    fn each_role_gets_its_own_flags() {
        let start = "--bootstrap-servers h:1 --connect-timeout 10 --topic t";
        let broker = broker(&[]);
        assert_eq!(line("producer-at-most-once", &broker), format!("{start} --count 7"));
        assert_eq!(line("eos-producer", &broker), format!("{start} --count 7 --transactional-id me"));
        assert_eq!(line("consumer-at-least-once", &broker), format!("{start} --group me --idle-exit 15"));
        assert_eq!(
            line("eos-pipeline", &broker),
            format!("{start} --group me --idle-exit 15 --transactional-id me --output-topic out")
        );
    }

    #[test]
    fn properties_reach_the_program_without_standing_on_its_command_line() {
        let broker = broker(&[("sasl.password", "secret"), ("linger.ms", "5"), ("client.id", "a;b")]);
        assert!(line("eos-producer", &broker).ends_with("-X client.id=a;b"));
        let work = Work { topic: "t", output: None, identity: "me", messages: 1 };
        let command = command(Path::new("p"), &catalogue::PROGRAMS[0], &broker, &work);
        let variable = |name: &str| command.get_envs().find(|(key, _)| *key == name).unwrap().1;
        assert_eq!(variable("KAFKA_PROPERTIES").unwrap(), "sasl.password=secret;linger.ms=5");
        assert_eq!(variable("NAMESPACE"), None, "removed");
    }
}
