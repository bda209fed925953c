//! `compose/kafka.sh`: what it refuses, what it says, and that it leaves nothing behind.

use std::{
    collections::BTreeMap,
    env, fs,
    net::TcpListener,
    os::unix::{
        fs::{PermissionsExt, symlink},
        process::{CommandExt, ExitStatusExt},
    },
    path::{Path, PathBuf},
    process::{self, Command},
    time::{Duration, Instant},
};

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process};
use tempfile::TempDir;

use super::{
    files::{is_place, kafka_services},
    transaction::{read_back, round_trip},
};
use crate::support::broker::{self, Kafka, Node, Script, free_ports, version};

#[test]
fn a_wrong_command_line_is_answered_with_one_line() {
    let machine = Machine::new();
    machine.tool("java", JAVA);
    let cases: [(&[&str], &str); 15] = [
        (&["--prot", "1"], "unknown option --prot"),
        (&["9092"], "unknown option 9092"),
        (&["--port"], "--port needs a value"),
        (&["--port", "abc"], "--port abc: not a port number"),
        (&["--port="], "--port : not a port number"),
        (&["--port", "0"], "--port 0: not between 1 and 65534"),
        (&["--port", "65535"], "--port 65535: not between 1 and 65534"),
        (&["--port", "65531", "--nodes", "3"], "--port 65531: not between 1 and 65530"),
        (&["--port", "123456789012345678901"], "not a port number"),
        (&["--nodes", "2"], "--nodes 2: only 1 and 3 are possible"),
        (&["--host", "a b"], "--host a b: not a host name"),
        (&["--host", ""], "--host : not a host name"),
        (&["--users"], "--users needs a value"),
        (&["--users="], "--users needs the name of a file"),
        (&["--data", ""], "--data needs the name of a directory"),
    ];
    for (arguments, expected) in cases {
        machine.refuses(machine.kafka().args(arguments), 2, expected);
    }
}

#[test]
fn help_names_every_option_the_ports_and_the_environment() {
    let (status, stdout, stderr) = Machine::new().run(Machine::new().kafka().arg("--help"));
    assert_eq!((status, stderr.as_str()), (0, ""));
    let options = [
        "--port",
        "--nodes",
        "--host",
        "--users",
        "--data",
        "--stop-on-eof",
        "--download",
        "--help",
        "status",
        "kill NODE",
        "start NODE",
    ];
    for expected in options.into_iter().chain(["9095 to 9097", "KAFKA_LIB_DIR", "JAVA_HOME", "127.0.0.1", &version()]) {
        assert!(stdout.contains(expected), "{expected} is missing in:\n{stdout}");
    }
}

#[test]
fn what_the_machine_lacks_is_named_in_one_line() {
    let machine = Machine::new();
    machine.refuses(&mut machine.kafka(), 1, "Java 17 or later is needed, and there is no java in PATH");
    machine.refuses(machine.kafka().env("JAVA_HOME", "/nowhere"), 1, "JAVA_HOME has no /nowhere/bin/java");
    for (answer, expected) in [
        (r#"echo 'openjdk version "11.0.2" 2019-01-15' >&2"#, "is version 11.0.2"),
        (r#"echo 'java version "1.8.0_392"' >&2"#, "is version 1.8.0_392"),
        (r#"echo 'hello' >&2"#, "is version unknown"),
        // What macOS has where no Java is installed.
        ("echo 'Unable to locate a Java Runtime.' >&2; exit 1", "does not run: Unable to locate a Java Runtime."),
    ] {
        machine.tool("java", answer);
        machine.refuses(&mut machine.kafka(), 1, expected);
    }

    machine.tool("java", JAVA);
    machine.refuses(&mut machine.kafka(), 1, "mvn (Maven) is needed to download Kafka");
    machine.tool("mvn", "echo '[ERROR] repo.example: unknown host'; echo '[ERROR] more'; exit 1");
    machine.refuses_after(1, &mut machine.kafka(), 1, "the download failed: [ERROR] repo.example: unknown host");
    assert_eq!(names(&machine.lib()), Vec::<String>::new(), "left of the download");
}

#[test]
fn a_wrong_file_of_users_is_answered_with_its_line() {
    let machine = Machine::ready();
    let users = TempDir::new().unwrap();
    let file = users.path().join("users");
    for (text, expected) in [
        ("# me\nadmin\n", "users, line 2: write NAME PASSWORD"),
        ("admin a b\n", "users, line 1: write NAME PASSWORD"),
        ("admin a\n\nann b\nadmin c\n", "users, line 4: admin is there twice"),
        ("ad\"min a\n", "users, line 1: a name is of letters"),
        ("admin a\nann \"b;\n", "users, line 2: a password is of letters"),
        ("ann \\b", "users, line 1: a password is of letters"),
        ("# nobody\r\n\r\n", "users names nobody"),
    ] {
        fs::write(&file, text).unwrap();
        machine.refuses(machine.kafka().arg("--users").arg(&file), 1, expected);
    }
    machine.refuses(machine.kafka().args(["--users", "/nowhere/users"]), 1, "cannot read /nowhere/users");
    machine.refuses(machine.kafka().arg("--users").arg(users.path()), 1, "cannot read ");
}

#[test]
fn a_port_that_is_taken_is_named() {
    let machine = Machine::ready();
    let first = free_ports(6);
    // With three nodes, the first is for the second node's clients, the other for the third's controller.
    for taken in [first + 1, first + 5] {
        let _taken = TcpListener::bind(("127.0.0.1", taken)).unwrap();
        let port = first.to_string();
        machine.refuses(machine.kafka().args(["--nodes", "3", "--port", &port]), 1, &format!("port {taken} is in use"));
    }
}

#[test]
fn data_is_written_only_where_it_can_be_and_no_other_kafka_is() {
    let machine = Machine::ready();
    let data = TempDir::new().unwrap();
    let path = data.path().to_str().unwrap();
    machine.refuses(machine.kafka().args(["--data", "/dev/null/data"]), 1, "cannot write to /dev/null/data");

    let owner = process::id().to_string();
    fs::write(data.path().join("in-use"), &owner).unwrap();
    machine.refuses(machine.kafka().args(["--data", path]), 1, &format!("is in use by process {owner}"));
    assert_eq!(fs::read_to_string(data.path().join("in-use")).unwrap(), owner, "it is not this script's to remove");

    // Left by a script that was killed together with its guardian: pids end below this one.
    fs::write(data.path().join("in-use"), "999999999").unwrap();
    fs::write(data.path().join("nodes"), "3").unwrap();
    machine.refuses(machine.kafka().args(["--data", path]), 1, "holds a Kafka of 3 node(s): start it with --nodes 3");
    assert!(!data.path().join("in-use").exists());
}

#[test]
fn a_node_that_dies_while_it_starts_is_reported_with_its_log() {
    let machine = Machine::ready();
    machine.tool("java", &JAVA.replace("exec sleep 1000", "echo 'ERROR no such luck'; exit 3"));
    let (status, _, stderr) = machine.run(machine.kafka().args(["--port", &free_ports(2).to_string()]));
    assert_eq!(status, 1, "{stderr}");
    assert!(stderr.contains("ERROR no such luck\nkafka.sh: node 1 ended while it was starting"), "{stderr}");

    // As when another program takes the port between the check and Kafka's start.
    let line =
        "org.apache.kafka.common.KafkaException: Socket server failed to bind to 127.0.0.1:4: Address already in use.";
    machine.tool("java", &JAVA.replace("exec sleep 1000", &format!("echo '{line}'; exit 1")));
    machine.refuses_after(
        1,
        machine.kafka().args(["--port", &free_ports(2).to_string()]),
        1,
        "port 4 is in use; choose",
    );
}

#[test]
fn an_interrupted_or_simultaneous_download_leaves_no_half_full_directory() {
    let machine = Machine::new();
    machine.tool("java", JAVA);
    machine.tool("mvn", &format!("{MVN}; exec sleep 1000"));
    let mut script = Script::start(machine.kafka().arg("--download"));
    wait_until("mvn has begun", || names(&machine.lib()).len() == 1);
    kill_process(script.pid(), Signal::TERM).unwrap();
    assert_eq!(script.wait().code(), Some(143));
    assert_eq!(names(&machine.lib()), Vec::<String>::new());
    machine.is_clean();

    machine.tool("mvn", &format!("{MVN}; sleep 0.3"));
    let mut both = [(); 2].map(|()| Script::start(machine.kafka().arg("--download")));
    for script in &mut both {
        assert!(script.wait().success(), "{}", script.stderr());
    }
    assert_eq!(names(&machine.lib()), [version()]);
    assert_eq!(names(&machine.lib().join(version())), ["kafka.jar"]);
    machine.is_clean();

    machine.tool("mvn", "exit 1");
    assert_eq!(machine.run(machine.kafka().arg("--download")).0, 0, "Maven is not asked again");
}

#[test]
fn nothing_is_left_of_a_start_that_is_interrupted() {
    type End = fn(&mut Script);
    let ends: [(&str, End, Option<i32>); 4] = [
        // What a terminal does at Ctrl-C: everybody in the group gets it.
        ("Ctrl-C", |script| kill_process_group(script.pid(), Signal::INT).unwrap(), Some(130)),
        ("closed terminal", |script| kill_process_group(script.pid(), Signal::HUP).unwrap(), Some(129)),
        ("end of input", Script::close_stdin, Some(0)),
        ("kill -9", |script| kill_process(script.pid(), Signal::KILL).unwrap(), None),
    ];
    let machine = Machine::ready();
    for (name, end, code) in ends {
        println!("{name}"); // shown with a failure
        let port = free_ports(6).to_string();
        let arguments = ["--stop-on-eof", "--nodes", "3", "--port", &port];
        let mut script = Script::start(machine.interruptible_kafka().args(arguments));
        let nodes: Vec<_> = std::iter::from_fn(|| Node::parse(&script.line(soon())?)).take(3).collect();
        assert_eq!(nodes.len(), 3, "{name}: {}", script.stderr());
        end(&mut script);
        assert_eq!(script.wait().code(), code, "{name}: {}", script.stderr());
        if code.is_none() {
            // Nobody is left to wait for a node that ends because it was too late to be registered.
            wait_until("the nodes have ended", || nodes.iter().all(|node| has_ended(node.pid)));
        }
        assert!(nodes.iter().all(|node| has_ended(node.pid)), "{name}: {nodes:?}");
        machine.is_clean();
    }
}

/// One node: its settings, Ctrl-C, what a second start finds, and the death of the only node.
#[test]
#[ignore = "needs Java 17 and Maven: it starts Apache Kafka"]
fn one_node_keeps_its_data_and_stops_in_order() {
    let machine = Machine::new();
    let data = TempDir::new().unwrap();
    let start = || {
        let started = Kafka::start_with(|port| {
            let mut command = machine.with_everything(interruptible(Script::path()));
            command.args(["--port", &port.to_string(), "--data"]).arg(data.path());
            command
        });
        started.unwrap_or_else(|error| panic!("{error}"))
    };

    let mut kafka = start();
    round_trip(kafka.bootstrap(), "kept", "kept");
    assert_eq!(settings(&data.path().join("node-1")), kafka_services("single.yaml")[0].settings());
    let identity = fs::read_to_string(data.path().join("node-1/data/meta.properties")).unwrap();
    let log = kafka.nodes()[0].log.clone();
    kill_process_group(kafka.script.pid(), Signal::INT).unwrap();
    assert_eq!(kafka.script.wait().code(), Some(130));
    assert!(kafka.script.stderr().ends_with("Stopping Kafka: interrupted.\n"), "{}", kafka.script.stderr());
    machine.is_clean();
    // It was the script that stopped Kafka, and not the terminal.
    let log = fs::read_to_string(log).unwrap();
    assert!(log.contains("due to signal SIGTERM") && !log.contains("due to signal SIGINT"));
    assert!(log.contains("App info kafka.server for 1 unregistered"), "Kafka was not given the time to shut down");

    let mut kafka = start();
    read_back(kafka.bootstrap(), "kept", "kept");
    assert_eq!(fs::read_to_string(data.path().join("node-1/data/meta.properties")).unwrap(), identity);
    kafka.kill_node(1);
    assert_eq!(kafka.script.wait().code(), Some(1));
    let stderr = kafka.script.stderr();
    assert!(stderr.contains("has ended unexpectedly (signal KILL).\nkafka.sh: no node is left"), "{stderr}");
    machine.is_clean();
}

/// Three nodes: their settings, the death of one, and the end of standard input.
#[test]
#[ignore = "needs Java 17 and Maven: it starts Apache Kafka"]
fn three_nodes_survive_the_loss_of_one() {
    let mut kafka = Kafka::start(3);
    assert_eq!(kafka.bootstrap().split(',').count(), 3);
    for (node, service) in kafka.nodes().iter().zip(kafka_services("cluster.yaml")) {
        assert_eq!(settings(node.log.parent().unwrap()), service.settings());
    }

    round_trip(kafka.bootstrap(), "before", "before");
    kafka.kill_node(2);
    wait_until("the death is reported", || kafka.script.stderr().contains("The other node(s) go on: 2 of 3."));
    round_trip(kafka.bootstrap(), "before", "before");
    read_back(kafka.bootstrap(), "before", "before");

    kafka.script.close_stdin();
    assert_eq!(kafka.script.wait().code(), Some(0));
    for node in kafka.nodes() {
        assert!(has_ended(node.pid) && !node.log.exists(), "{node:?} is left");
    }
}

/// Three nodes that log in to each other, on an address of this machine that is not the usual one; their clients log in
/// too. (What users may do, the session's tests look at.)
#[test]
#[ignore = "needs Java 17 and Maven: it starts Apache Kafka"]
fn who_has_logged_in_reaches_three_nodes_and_nobody_else() {
    let machine = Machine::new();
    let data = TempDir::new().unwrap();
    let users = data.path().join("users");
    fs::write(&users, "admin admin-secret\r\nann a._-+/@:%=z\r\n").unwrap();
    // All of 127.0.0.0/8 is this machine; macOS knows the first one only.
    let host = if cfg!(target_os = "linux") { "127.0.0.2" } else { "127.0.0.1" };
    let kafka = Kafka::start_with(|port| {
        let mut command = machine.with_everything(Command::new(Script::path()));
        command.args(["--stop-on-eof", "--nodes", "3", "--host", host, "--port", &port.to_string(), "--data"]);
        command.arg(data.path()).arg("--users").arg(&users);
        command
    });
    let kafka = kafka.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(kafka.bootstrap().matches(host).count(), 3);
    let brokers = |login: &[(&str, &str)]| {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", kafka.bootstrap());
        for (key, value) in login {
            config.set(*key, *value);
        }
        let client: BaseConsumer = config.create().unwrap();
        client.fetch_metadata(None, Duration::from_secs(5)).map(|metadata| metadata.brokers().len())
    };
    let login = |password| {
        [
            ("security.protocol", "SASL_PLAINTEXT"),
            ("sasl.mechanism", "PLAIN"),
            ("sasl.username", "ann"),
            ("sasl.password", password),
        ]
    };
    wait_until("all three nodes know each other", || brokers(&login("a._-+/@:%=z")) == Ok(3));
    assert!(brokers(&login("wrong")).is_err());
    assert!(brokers(&[]).is_err());
    let settings = data.path().join("node-1/server.properties");
    assert_eq!(fs::metadata(settings).unwrap().permissions().mode() & 0o777, 0o600, "it holds passwords");
    let log = fs::read_to_string(data.path().join("node-1/kafka.log")).unwrap();
    assert!(!log.contains("admin-secret"), "a password is in the log");
}

#[test]
fn the_kafka_of_the_tests_answers() {
    round_trip(broker::bootstrap(), &format!("shared-{}", process::id()), "shared");
}

/// A Java that passes for one: it formats nothing, and its Kafka never answers.
const JAVA: &str = r#"case "$*" in
  -version) echo 'openjdk version "21.0.1" 2023-10-17' >&2 ;;
  *kafka.Kafka*) exec sleep 1000 ;;
esac"#;

/// A Maven that copies one jar.
const MVN: &str = r#"for a; do case $a in -DoutputDirectory=*) touch "${a#*=}/kafka.jar" ;; esac; done"#;

/// A directory for everything that the script uses and makes, where nothing else is.
pub(super) struct Machine(TempDir);

impl Machine {
    /// With what every system has, but without Java, Maven and Kafka.
    fn new() -> Self {
        let machine = Self(TempDir::new().unwrap());
        for dir in ["bin", "lib", "tmp"] {
            fs::create_dir(machine.0.path().join(dir)).unwrap();
        }
        let tools =
            "awk base64 bash cat dd dirname env grep head mkdir mkfifo mktemp mv od rm sed sh sleep tail touch tr";
        for tool in tools.split(' ') {
            let path = env::var("PATH").unwrap();
            let found = env::split_paths(&path).map(|dir| dir.join(tool)).find(|file| file.exists()).expect(tool);
            symlink(found, machine.0.path().join("bin").join(tool)).unwrap();
        }
        machine
    }

    /// With a Java and a Kafka that pass for them.
    pub(super) fn ready() -> Self {
        let machine = Self::new();
        machine.tool("java", JAVA);
        fs::create_dir(machine.lib().join(version())).unwrap();
        machine
    }

    fn lib(&self) -> PathBuf {
        self.0.path().join("lib")
    }

    /// Where the script keeps what it needs while it runs.
    pub(super) fn temp(&self) -> PathBuf {
        self.0.path().join("tmp")
    }

    fn tool(&self, name: &str, script: &str) {
        let file = self.0.path().join("bin").join(name);
        // Beside it and renamed: an executable that is open for writing anywhere cannot be run.
        let new = file.with_extension("new");
        fs::write(&new, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&new, fs::Permissions::from_mode(0o755)).unwrap();
        fs::rename(new, file).unwrap();
    }

    pub(super) fn kafka(&self) -> Command {
        self.enclose(Command::new(Script::path()))
    }

    pub(super) fn interruptible_kafka(&self) -> Command {
        self.enclose(interruptible(Script::path()))
    }

    fn enclose(&self, mut command: Command) -> Command {
        command.env("PATH", self.0.path().join("bin")).env("KAFKA_LIB_DIR", self.lib()).env_remove("JAVA_HOME");
        self.with_everything(command)
    }

    /// With this machine's Java and Kafka, and only temporary files in the directory.
    fn with_everything(&self, mut command: Command) -> Command {
        command.env("TMPDIR", self.temp());
        command
    }

    fn run(&self, command: &mut Command) -> (i32, String, String) {
        let mut script = Script::start(command);
        let status = script.wait();
        let stdout: String = std::iter::from_fn(|| script.line(soon())).map(|line| line + "\n").collect();
        assert_eq!(status.signal(), None);
        self.is_clean();
        (status.code().unwrap(), stdout, script.stderr())
    }

    pub(super) fn refuses(&self, command: &mut Command, status: i32, reason: &str) {
        self.refuses_after(0, command, status, reason);
    }

    /// Ends with `status` and one line, which follows so many lines of progress.
    fn refuses_after(&self, progress: usize, command: &mut Command, status: i32, reason: &str) {
        let (got, _, stderr) = self.run(command);
        let lines: Vec<_> = stderr.lines().skip(progress).collect();
        assert_eq!((got, lines.len()), (status, 1), "{command:?}: {stderr}");
        assert!(lines[0].starts_with("kafka.sh: ") && lines[0].contains(reason), "{reason:?} is not in {stderr}");
    }

    /// Neither temporary files nor processes are left.
    pub(super) fn is_clean(&self) {
        assert_eq!(names(&self.temp()), Vec::<String>::new(), "temporary files");
        let mark = format!("TMPDIR={}", self.temp().display());
        // Where there is no /proc, the tests look for the processes that they know.
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten().filter_map(|entry| {
            let environment = fs::read(entry.path().join("environ")).ok()?;
            let marked = environment.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes());
            marked.then(|| fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default())
        });
        assert_eq!(processes.collect::<Vec<_>>(), Vec::<String>::new(), "processes");
    }
}

/// A command in a process group of its own, as a terminal starts it.
fn interruptible(program: PathBuf) -> Command {
    // Whoever runs the tests in the background may have made them ignore these (nohup does), and bash keeps what it
    // inherits.
    let mut command = if cfg!(target_os = "linux") {
        let mut env = Command::new("env");
        env.args(["--default-signal=INT", "--default-signal=HUP"]).arg(program);
        env
    } else {
        Command::new(program)
    };
    command.process_group(0);
    command
}

fn settings(node: &Path) -> BTreeMap<String, String> {
    let properties = fs::read_to_string(node.join("server.properties")).unwrap();
    let settings = properties.lines().map(|line| line.split_once('=').expect(line));
    settings.filter(|(name, _)| !is_place(name)).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn names(dir: &Path) -> Vec<String> {
    fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

pub(super) fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

pub(super) fn wait_until(what: &str, happened: impl Fn() -> bool) {
    let end = soon();
    while !happened() {
        assert!(Instant::now() < end, "not yet: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

pub(super) fn has_ended(pid: Pid) -> bool {
    test_kill_process(pid).is_err()
}
