//! `lab broker`, and the broker of a run that was given none.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rustix::process::{Pid, Signal, kill_process};

use crate::support::program::{PATIENCE, command};

/// A running `lab broker`, which ends with the test.
struct Serving(Child);

impl Serving {
    fn start(args: &[&str]) -> Self {
        let child = lab(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        Self(child)
    }

    /// Reads so many lines of standard output.
    fn lines(&mut self, count: usize) -> Vec<String> {
        let stdout = self.0.stdout.as_mut().unwrap();
        BufReader::with_capacity(1, stdout).lines().take(count).map(Result::unwrap).collect()
    }

    /// Sends a signal, waits for the end; exit status and standard error.
    fn end(mut self, signal: Signal) -> (Option<i32>, String) {
        kill_process(Pid::from_child(&self.0), signal).unwrap();
        let mut stderr = String::new();
        self.0.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        (self.0.wait().unwrap().code(), stderr)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn lab(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
    command.arg("broker").args(args).env("LC_ALL", "C").env_remove("RUST_LOG").env_remove("LISTEN");
    command
}

fn partitions(bootstrap: &str, topic: &str) -> usize {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        .set("allow.auto.create.topics", "true")
        .create()
        .unwrap();
    consumer.fetch_metadata(Some(topic), PATIENCE).unwrap().topics()[0].partitions().len()
}

#[test]
fn it_tells_its_address_the_next_commands_and_that_it_forgets_and_stops_at_ctrl_c() {
    let mut serving = Serving::start(&["--listen", "127.0.0.1:0"]);
    let lines = serving.lines(4);
    let address = lines[0].strip_prefix("Kafka is ready on ").unwrap().split(',').next().unwrap().to_owned();
    assert!(lines[0].contains("everything is gone when it stops"), "{lines:?}");
    for (line, program) in lines[2..].iter().zip(["producer-at-least-once", "consumer-at-least-once"]) {
        assert_eq!(line, &format!("  cargo run -p {program} -- --bootstrap-servers {address}"));
    }

    // As the first of these commands does it.
    let sent = command("producer-at-least-once", &["--count", "3"])
        .env("BOOTSTRAP_SERVERS", &address)
        .stderr(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(sent.stdout).unwrap().lines().count(), 3);

    assert_eq!(serving.end(Signal::INT), (Some(0), String::new()));
    assert!(std::net::TcpStream::connect(&address).is_err(), "it still listens");
}

#[test]
fn quietly_it_tells_its_address_only_and_a_terminated_one_has_not_failed() {
    let mut serving = Serving::start(&["--listen", "localhost:0", "--quiet", "--partitions", "3"]);
    let address = serving.lines(1).remove(0);
    assert!(address.starts_with("127.0.0.1:"), "{address}");
    assert_eq!(partitions(&address, "asked-for"), 3);
    assert_eq!(serving.end(Signal::TERM), (Some(0), String::new()));
}

#[test]
fn in_french_it_speaks_french() {
    let mut serving = Serving::start(&["--listen", "127.0.0.1:0", "--lang", "fr"]);
    let lines = serving.lines(4);
    assert!(lines[0].starts_with("Kafka est prêt sur 127.0.0.1:"), "{lines:?}");
    assert!(lines[0].contains("tout disparaît quand il s'arrête"), "{lines:?}");
}

#[test]
fn what_others_can_reach_comes_with_a_warning() {
    let mut serving = Serving::start(&["--listen", "0.0.0.0:0"]);
    let lines = serving.lines(4);
    assert!(lines[2].contains(" -- --bootstrap-servers 127.0.0.1:"), "{lines:?}");
    let (status, stderr) = serving.end(Signal::INT);
    assert_eq!(status, Some(0));
    assert!(stderr.contains("can be reached from other machines"), "{stderr}");
}

#[test]
fn where_it_cannot_listen_it_says_so_in_one_line() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    for (listen, says) in [
        (taken.as_str(), "is in use: a Kafka may be there already; stop it, or choose another address with --listen"),
        ("192.0.2.1:9092", "cannot listen on 192.0.2.1:9092: "),
    ] {
        let refused = lab(&["--listen", listen]).output().unwrap();
        let stderr = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(2), "{stderr}");
        assert!(stderr.starts_with("error: ") && stderr.contains(says) && stderr.lines().count() == 1, "{stderr}");
        assert!(refused.stdout.is_empty());
    }
    for wrong in ["nowhere", "127.0.0.1", "127.0.0.1:70000", "no.such.host.invalid:1"] {
        assert_eq!(lab(&["--listen", wrong]).output().unwrap().status.code(), Some(2), "{wrong}");
    }
}

#[test]
fn a_run_that_was_given_no_kafka_brings_its_own() {
    let mut lab = Command::new(env!("CARGO_BIN_EXE_lab"));
    lab.args(["run", "producer-at-least-once", "calm", "--messages", "20"]);
    lab.env("LC_ALL", "C").env_remove("RUST_LOG").env_remove("BOOTSTRAP_SERVERS");
    let run = lab.output().unwrap();
    let stderr = String::from_utf8(run.stderr).unwrap();
    assert_eq!(run.status.code(), Some(0), "{stderr}");
    assert!(stderr.contains("one run, on an embedded broker of its own"), "{stderr}");
}
