//! The command line of a program in a run of the lab: its own topics, group and transactional id.

use std::borrow::Cow;
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
    /// The consumer group.
    pub group: &'a str,
    /// The transactional id of whoever has one; `None`: its own default.
    pub transactional_id: Option<&'a str>,
    /// How many messages a producer sends.
    pub messages: u64,
    /// Where it may keep files: a folder of this run, for all instances of the program.
    pub folder: &'a Path,
}

/// Variables that the programs read in place of flags (common::cli): those of the user's terminal are not for them.
const VARIABLES: &[&str] = &[
    "BATCH_MS",
    "BATCH_SIZE",
    "COUNT",
    "DATABASE",
    "GROUP_ID",
    "IDLE_EXIT",
    "INTERVAL_MS",
    "KAFKA_PROPERTIES",
    "NAMESPACE",
    "OUTPUT_TOPIC",
    "SEEN",
    "SIZE",
    "TOPIC",
    "TRANSACTIONAL_ID",
];

/// The command that runs `program`; `more` are properties besides those of the command line.
pub fn command(
    executable: &Path,
    program: &Program,
    broker: &Broker,
    work: &Work<'_>,
    more: &[(String, String)],
) -> Command {
    let mut command = Command::new(executable);
    for variable in VARIABLES {
        command.env_remove(variable);
    }
    command.current_dir(work.folder).env("TMPDIR", work.folder);
    command.args(["--bootstrap-servers", &broker.bootstrap_servers]);
    command.args(["--connect-timeout", &broker.connect_timeout.as_secs_f64().to_string()]);
    // A program may add a name of its own to those that it is given (a random transactional.id): that belongs into the
    // namespace too.
    command.args(broker.namespace.iter().flat_map(|namespace| ["--namespace", namespace]));
    let within = |name| within(name, broker.namespace.as_deref());
    command.args(["--topic", within(work.topic)]);
    match program.role {
        Role::Producer(_) => _ = command.args(["--count", &work.messages.to_string()]),
        Role::Consumer { .. } => _ = command.args(["--group", within(work.group)]),
        Role::Pipeline { .. } => {
            command.args(["--group", within(work.group)]);
            command.args(work.output.iter().flat_map(|output| ["--output-topic", within(output)]));
        }
    }
    if let Some(id) = work.transactional_id.filter(|_| program.is_transactional()) {
        command.args(["--transactional-id", within(id)]);
    }
    properties(&mut command, broker, more);
    command
}

/// The name without the namespace, which all names of a run begin with.
fn within<'a>(name: &'a str, namespace: Option<&str>) -> &'a str {
    namespace.and_then(|namespace| name.strip_prefix(namespace)?.strip_prefix('-')).unwrap_or(name)
}

/// A command of the user's, which finds the same in the variables that the programs of the course read.
pub fn foreign(
    words: &[String],
    program: &Program,
    broker: &Broker,
    work: &Work<'_>,
    more: &[(String, String)],
) -> Command {
    let mut words = words.iter();
    let mut command = Command::new(words.next().map_or("", String::as_str));
    command.args(words);
    for variable in VARIABLES {
        command.env_remove(variable);
    }
    // It stays where the user is: its words may name files there.
    command.env("TMPDIR", work.folder);
    command.env("BOOTSTRAP_SERVERS", &broker.bootstrap_servers);
    command.env("CONNECT_TIMEOUT", broker.connect_timeout.as_secs_f64().to_string());
    command.env("TOPIC", work.topic);
    match program.role {
        Role::Producer(producer) => {
            command.env("COUNT", work.messages.to_string()).env("VALUE_PREFIX", producer.prefix);
        }
        // No COUNT: it stops when the lab has seen everything.
        Role::Consumer { .. } | Role::Pipeline { .. } => _ = command.env("GROUP_ID", work.group),
    }
    command.envs(work.output.map(|output| ("OUTPUT_TOPIC", output)));
    command.envs(work.transactional_id.map(|id| ("TRANSACTIONAL_ID", id)));
    let all: Vec<_> = all(broker, more).map(|(key, value)| format!("{key}={value}")).collect();
    if !all.is_empty() {
        command.env("KAFKA_PROPERTIES", all.join(";"));
    }
    command
}

/// Hands on -X, through the environment where that is possible: a password does not belong on a command line, which
/// every user of the machine can read.
fn properties(command: &mut Command, broker: &Broker, more: &[(String, String)]) {
    let mut together = Vec::new();
    for (key, value) in all(broker, more) {
        let property = format!("{key}={}", from_here(key, value));
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

/// A file that is named as seen from the user's folder (a certificate: ssl.ca.location): the program runs in another.
fn from_here<'a>(key: &str, value: &'a str) -> Cow<'a, str> {
    let file = key.ends_with(".location").then(|| Path::new(value).canonicalize().ok()).flatten();
    file.and_then(|file| file.to_str().map(|file| file.to_owned().into())).unwrap_or(value.into())
}

/// The properties of the case, then those of the command line, which win.
fn all<'a>(broker: &'a Broker, more: &'a [(String, String)]) -> impl Iterator<Item = (&'a str, &'a str)> {
    let given = broker.properties.iter().chain(&broker.property);
    let given = given.map(|Property { key, value }| (key.as_str(), value.as_str()));
    more.iter().map(|(key, value)| (key.as_str(), value.as_str())).chain(given)
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
        let work = Work {
            topic: "t",
            output: Some("out"),
            group: "us",
            transactional_id: Some("me"),
            messages: 7,
            folder: Path::new("/run"),
        };
        let command = command(Path::new("p"), catalogue::find(package).unwrap(), broker, &work, &[]);
        let args: Vec<_> = command.get_args().map(|arg| arg.to_str().unwrap()).collect();
        args.join(" ")
    }

    #[test]
    fn each_role_gets_its_own_flags() {
        let start = "--bootstrap-servers h:1 --connect-timeout 10 --topic t";
        let broker = broker(&[]);
        assert_eq!(line("producer-at-most-once", &broker), format!("{start} --count 7"));
        assert_eq!(line("eos-producer", &broker), format!("{start} --count 7 --transactional-id me"));
        assert_eq!(line("consumer-at-least-once", &broker), format!("{start} --group us"));
        assert_eq!(
            line("eos-pipeline", &broker),
            format!("{start} --group us --output-topic out --transactional-id me")
        );
    }

    #[test]
    fn with_a_namespace_no_name_is_outside() {
        let broker = Broker { namespace: Some("ann".into()), ..broker(&[]) };
        let work = Work {
            topic: "ann-t",
            output: Some("ann-out"),
            group: "ann-us",
            transactional_id: Some("ann-me"),
            messages: 7,
            folder: Path::new("/run"),
        };
        let command = command(Path::new("p"), catalogue::find("eos-pipeline").unwrap(), &broker, &work, &[]);
        let args: Vec<_> = command.get_args().map(|arg| arg.to_str().unwrap()).collect();
        let expected = "--namespace ann --topic t --group us --output-topic out --transactional-id me";
        assert_eq!(args[4..].join(" "), expected);
    }

    #[test]
    fn properties_reach_the_program_without_standing_on_its_command_line() {
        let broker = broker(&[("sasl.password", "secret"), ("linger.ms", "5"), ("client.id", "a;b")]);
        assert!(line("eos-producer", &broker).ends_with("-X client.id=a;b"));
        let work = Work {
            topic: "t",
            output: None,
            group: "us",
            transactional_id: None,
            messages: 1,
            folder: Path::new("/run"),
        };
        let more = [("session.timeout.ms".to_owned(), "6000".to_owned())];
        let command = command(Path::new("p"), &catalogue::PROGRAMS[0], &broker, &work, &more);
        let variable = |name: &str| command.get_envs().find(|(key, _)| *key == name).unwrap().1;
        assert_eq!(variable("KAFKA_PROPERTIES").unwrap(), "session.timeout.ms=6000;sasl.password=secret;linger.ms=5");
        assert_eq!(variable("NAMESPACE"), None, "removed");
    }

    #[test]
    fn a_file_is_found_from_the_folder_of_the_run_too() {
        let here = Path::new("Cargo.toml").canonicalize().unwrap();
        assert_eq!(from_here("ssl.ca.location", "Cargo.toml"), here.to_str().unwrap());
        for (key, value) in [("ssl.ca.location", "probe"), ("client.id", "Cargo.toml")] {
            assert_eq!(from_here(key, value), value);
        }
    }
}
