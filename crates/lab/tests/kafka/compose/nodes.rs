//! The commands of `kafka.sh` for single nodes: killed, stopped, frozen, started again. Its Kafka only passes for one: a
//! process that does nothing, and this test, which answers on the nodes' ports.

use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    thread,
};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::script::{Machine, has_ended, soon, wait_until};
use crate::support::broker::{Node, Script, free_ports};

/// A kafka.sh of three nodes that takes orders.
struct Cluster {
    script: Script,
    port: String,
}

impl Cluster {
    fn start(machine: &Machine) -> Self {
        let port = free_ports(6);
        let script = Script::start(machine.interruptible_kafka().args(["--nodes", "3", "--port", &port.to_string()]));
        let nodes = std::iter::from_fn(|| Node::parse(&script.line(soon())?)).take(3).count();
        assert_eq!(nodes, 3, "{}", script.stderr());
        // Nobody listens there before: that would be another Kafka.
        (port..port + 3).for_each(answer);
        while !script.line(soon()).unwrap_or_else(|| panic!("{}", script.stderr())).starts_with("Ctrl-C") {}
        Self { script, port: port.to_string() }
    }

    /// What it answers: exit status, standard output, standard error.
    fn order(&self, machine: &Machine, words: &[&str]) -> (i32, String, String) {
        let output = machine.kafka().args(["--port", &self.port]).args(words).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
    }

    #[track_caller]
    fn does(&self, machine: &Machine, words: &[&str]) -> String {
        let (status, stdout, stderr) = self.order(machine, words);
        assert_eq!((status, stderr.as_str()), (0, ""), "{words:?}: {stdout}");
        stdout
    }

    #[track_caller]
    fn refuses(&self, machine: &Machine, words: &[&str], reason: &str) {
        let (status, stdout, stderr) = self.order(machine, words);
        assert_eq!((status, stdout.as_str()), (1, ""), "{words:?}: {stderr}");
        assert_eq!(stderr, format!("kafka.sh: {reason}\n"));
    }

    /// The process of a node, from the line that `status` has for it.
    #[track_caller]
    fn pid(&self, machine: &Machine, node: usize) -> Pid {
        let status = self.does(machine, &["status"]);
        let line = status.lines().nth(node - 1).unwrap();
        let number = line.split_once(": process ").expect(line).1.split(',').next().unwrap();
        Pid::from_raw(number.parse().unwrap()).unwrap()
    }
}

/// Answers one Metadata request after the other on this port: there are three brokers. (All that kafka.sh reads are the
/// length, the correlation id and the number of brokers.)
fn answer(port: u16) {
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    thread::spawn(move || {
        for mut client in listener.incoming().map_while(Result::ok) {
            let mut request = [0; 18];
            let _ =
                client.read_exact(&mut request).and_then(|()| client.write_all(&[0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 3]));
        }
    });
}

fn is_frozen(pid: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap();
    stat.rsplit(')').next().unwrap().trim_start().starts_with('T')
}

#[test]
fn a_command_for_a_node_is_refused_where_it_means_nothing() {
    let machine = Machine::ready();
    for words in [&["kill"][..], &["kill", "4"], &["start", "two"], &["freeze", "--port", "9092"]] {
        machine.refuses(machine.kafka().args(words), 2, &format!("{} needs the number of a node", words[0]));
    }
    let port = free_ports(1).to_string();
    let expected = format!("no Kafka that kafka.sh has started is ready on port {port}, as far as ");
    for words in [&["status"][..], &["kill", "1"], &["start", "1"]] {
        machine.refuses(machine.kafka().args(["--port", &port]).args(words), 1, &expected);
    }

    // What another user has put there, and what a script has left whose process is another's now, is no Kafka of ours.
    let left = machine.temp().join("kafka.999999999.1");
    fs::create_dir(&left).unwrap();
    fs::write(left.join("port"), &port).unwrap();
    let output = machine.kafka().args(["--port", &port, "status"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    fs::remove_dir_all(left).unwrap();
}

#[test]
#[cfg(target_os = "linux")]
fn a_node_is_killed_stopped_frozen_and_started_again() {
    let machine = Machine::ready();
    let mut cluster = Cluster::start(&machine);

    let first = cluster.pid(&machine, 2);
    assert_eq!(cluster.does(&machine, &["kill", "2"]), "Node 2: killed\n");
    assert!(has_ended(first));
    cluster.refuses(&machine, &["kill", "2"], "node 2 does not run (killed): start it first");
    cluster.refuses(&machine, &["thaw", "2"], "node 2 does not run (killed): start it first");
    assert!(cluster.does(&machine, &["status"]).contains("Node 2: killed\n"));

    let started = cluster.does(&machine, &["start", "2"]);
    let second = cluster.pid(&machine, 2);
    assert_eq!(started, format!("Node 2: process {}\n", second.as_raw_nonzero()));
    assert!(second != first && !has_ended(second));
    assert_eq!(cluster.does(&machine, &["start", "2"]), "Node 2 runs already\n");

    cluster.does(&machine, &["freeze", "2"]);
    wait_until("it stands still", || is_frozen(second));
    assert!(cluster.does(&machine, &["status"]).contains(", frozen\n"));
    cluster.does(&machine, &["thaw", "2"]);
    wait_until("it goes on", || !is_frozen(second));

    // A frozen process would not hear of it.
    cluster.does(&machine, &["freeze", "2"]);
    assert_eq!(cluster.does(&machine, &["stop", "2"]), "Node 2: stopped\n");
    assert!(has_ended(second));

    // All of them, as in a power cut: what is asked for is no reason to give up.
    cluster.does(&machine, &["kill", "1"]);
    cluster.does(&machine, &["kill", "3"]);
    for node in ["1", "2", "3"] {
        cluster.does(&machine, &["start", node]);
    }
    // One that dies of something else is.
    for node in [1, 2, 3] {
        kill_process(cluster.pid(&machine, node), Signal::KILL).unwrap();
        let told = format!("Node {node}, process ");
        wait_until("the death is reported", || cluster.script.stderr().contains(&told));
        if node < 3 {
            assert!(cluster.does(&machine, &["status"]).contains(&format!("Node {node}: ended by itself\n")));
        }
    }
    assert_eq!(cluster.script.wait().code(), Some(1));
    assert!(cluster.script.stderr().ends_with("kafka.sh: no node is left\n"), "{}", cluster.script.stderr());
    machine.is_clean();
}

#[test]
fn orders_that_come_together_are_all_carried_out() {
    let machine = Machine::ready();
    let mut cluster = Cluster::start(&machine);
    thread::scope(|scope| {
        for node in ["1", "2", "3"] {
            let (cluster, machine) = (&cluster, &machine);
            scope.spawn(move || {
                for _ in 0..3 {
                    assert_eq!(cluster.does(machine, &["kill", node]), format!("Node {node}: killed\n"));
                    cluster.does(machine, &["start", node]);
                }
            });
        }
    });
    let nodes: Vec<_> = (1..=3).map(|node| cluster.pid(&machine, node)).collect();
    kill_process(cluster.script.pid(), Signal::TERM).unwrap();
    assert_eq!(cluster.script.wait().code(), Some(143));
    assert!(nodes.into_iter().all(has_ended));
    machine.is_clean();
}

#[test]
fn whatever_ends_the_script_no_node_is_left_that_was_started_or_frozen_on_command() {
    type End = fn(&mut Script);
    let ends: [(&str, End, Option<i32>); 2] = [
        ("Ctrl-C", |script| kill_process_group(script.pid(), Signal::INT).unwrap(), Some(130)),
        ("kill -9", |script| kill_process(script.pid(), Signal::KILL).unwrap(), None),
    ];
    let machine = Machine::ready();
    for (name, end, code) in ends {
        let mut cluster = Cluster::start(&machine);
        cluster.does(&machine, &["kill", "1"]);
        cluster.does(&machine, &["start", "1"]);
        cluster.does(&machine, &["freeze", "2"]);
        let nodes: Vec<_> = (1..=3).map(|node| cluster.pid(&machine, node)).collect();
        end(&mut cluster.script);
        assert_eq!(cluster.script.wait().code(), code, "{name}: {}", cluster.script.stderr());
        assert!(!cluster.script.stderr().contains("did not stop within"), "{name}: {}", cluster.script.stderr());
        wait_until("the nodes have ended", || nodes.iter().all(|node| has_ended(*node)));
        wait_until("the files have gone", || fs::read_dir(machine.temp()).unwrap().next().is_none());
        machine.is_clean();
        // Whoever gives an order now is told that there is nobody.
        assert_eq!(cluster.order(&machine, &["status"]).0, 1, "{name}");
    }
}
