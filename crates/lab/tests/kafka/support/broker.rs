//! A Kafka for the tests: embedded, given, or started by `compose/kafka.sh`.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{self, Child, Command, ExitStatus, Stdio},
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicU32, Ordering},
        mpsc::{self, Receiver},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use broker::Broker;
use rdkafka::{
    ClientConfig,
    consumer::{BaseConsumer, Consumer},
};
use rustix::process::{Pid, Signal, kill_process};

/// A first start downloads Kafka too.
const START: Duration = Duration::from_secs(300);
/// Three nodes on a busy machine, the last of which waits for a quorum that has gone, and is killed.
const STOP: Duration = Duration::from_secs(40);
const POLL: Duration = Duration::from_millis(20);

/// The Kafka of this test process: that of `KAFKA_BOOTSTRAP_SERVERS`, else an embedded broker.
pub(crate) fn bootstrap() -> &'static str {
    // A failure is kept, too: otherwise each test would wait for it again.
    static GIVEN: OnceLock<Option<Result<String, String>>> = OnceLock::new();
    static EMBEDDED: OnceLock<(Broker, String)> = OnceLock::new();

    let given = GIVEN.get_or_init(|| {
        let given = env::var("KAFKA_BOOTSTRAP_SERVERS").ok()?;
        Some(match answers(&given) {
            Ok(()) => Ok(given),
            Err(error) => Err(format!("KAFKA_BOOTSTRAP_SERVERS={given}: no Kafka answers there: {error}")),
        })
    });
    match given {
        Some(Ok(given)) => given,
        Some(Err(error)) => panic!("{error}"),
        None => {
            let (_, address) = EMBEDDED.get_or_init(|| {
                let broker = Broker::builder().start().expect("an embedded broker");
                let address = broker.address().to_string();
                (broker, address)
            });
            address
        }
    }
}

/// A broker that belongs to one test, and may die: embedded, unless the tests run on Apache Kafka.
pub(crate) enum Mortal {
    Embedded(Broker),
    Kafka(Kafka),
}

impl Mortal {
    pub(crate) fn start() -> Self {
        match env::var_os("KAFKA_BOOTSTRAP_SERVERS") {
            Some(_) => Self::Kafka(Kafka::start(1)),
            None => Self::Embedded(Broker::builder().start().expect("an embedded broker")),
        }
    }

    pub(crate) fn bootstrap(&self) -> String {
        match self {
            Self::Embedded(broker) => broker.address().to_string(),
            Self::Kafka(kafka) => kafka.bootstrap().to_owned(),
        }
    }

    /// At once, and for good.
    pub(crate) fn kill(self) {
        match self {
            Self::Embedded(broker) => drop(broker),
            Self::Kafka(kafka) => kafka.kill_node(1),
        }
    }
}

fn answers(bootstrap: &str) -> Result<(), rdkafka::error::KafkaError> {
    let client: BaseConsumer = ClientConfig::new().set("bootstrap.servers", bootstrap).create()?;
    client.fetch_metadata(None, Duration::from_secs(10)).map(drop)
}

/// A Kafka that belongs to one test, and may be maltreated. Dropping it stops it.
pub(crate) struct Kafka {
    pub(crate) script: Script,
    bootstrap: String,
    nodes: Vec<Node>,
}

/// A node of kafka.sh.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) pid: Pid,
    pub(crate) log: PathBuf,
}

impl Kafka {
    /// One node, or three with replication factor 3.
    pub(crate) fn start(nodes: usize) -> Self {
        Self::try_start(nodes).unwrap_or_else(|error| panic!("{error}"))
    }

    fn try_start(nodes: usize) -> Result<Self, String> {
        let nodes = nodes.to_string();
        Self::start_with(|port| {
            let mut command = Command::new(Script::path());
            command.args(["--stop-on-eof", "--nodes", &nodes, "--port", &port.to_string()]);
            command
        })
    }

    /// The command gets the first port. Another program may take that before Kafka does: hence more than one attempt.
    pub(crate) fn start_with(command: impl Fn(u16) -> Command) -> Result<Self, String> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let script = Script::start(&mut command(free_ports(6)));
            match Self::ready(script) {
                Err(error) if attempt < 5 && error.contains(" is in use; choose ") => {}
                other => return other,
            }
        }
    }

    fn ready(script: Script) -> Result<Self, String> {
        let mut nodes = Vec::new();
        let end = Instant::now() + START;
        loop {
            let Some(line) = script.line(end) else {
                return Err(format!("compose/kafka.sh has not started Kafka; it says:\n{}", script.stderr()));
            };
            if let Some((_, bootstrap)) = line.split_once(" is ready on ") {
                return Ok(Self { bootstrap: bootstrap.to_owned(), script, nodes });
            }
            nodes.extend(Node::parse(&line));
        }
    }

    pub(crate) fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    /// The first node's.
    pub(crate) fn port(&self) -> &str {
        self.bootstrap.split([',', ':']).nth(1).expect("HOST:PORT")
    }

    pub(crate) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// kill -9, to the node with this number, from 1.
    pub(crate) fn kill_node(&self, number: usize) {
        kill_process(self.nodes[number - 1].pid, Signal::KILL).expect("the node is still running");
    }
}

impl Node {
    /// From `Node 1 is process 123; its log is /tmp/…/kafka.log`.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let (_, rest) = line.strip_prefix("Node ")?.split_once(" is process ")?;
        let (pid, log) = rest.split_once("; its log is ")?;
        Some(Self { pid: Pid::from_raw(pid.parse().ok()?)?, log: log.into() })
    }
}

/// The first of as many free ports in a row, no two calls giving the same.
///
/// From below the range where systems take ports for outgoing connections: nobody gets one of these by chance.
pub(crate) fn free_ports(count: u16) -> u16 {
    const FIRST: u32 = 21_000;
    const LAST: u32 = 32_000;
    static TAKEN: AtomicU32 = AtomicU32::new(0);

    for _ in 0..LAST - FIRST {
        // Test processes that run at the same time begin at different places.
        let taken = process::id() * 97 + TAKEN.fetch_add(count.into(), Ordering::Relaxed);
        let first = (FIRST + taken % (LAST - FIRST)) as u16;
        if (first..first + count).all(|port| TcpListener::bind(("127.0.0.1", port)).is_ok()) {
            return first;
        }
    }
    panic!("no {count} free ports in a row between {FIRST} and {LAST}");
}

/// A running kafka.sh. Dropping it stops it, and waits until it has stopped.
pub(crate) struct Script {
    child: Child,
    stdout: Mutex<Receiver<String>>,
    stderr: Arc<Mutex<String>>,
    stderr_reader: JoinHandle<()>,
}

impl Script {
    pub(crate) fn path() -> PathBuf {
        folder().join("kafka.sh")
    }

    /// Standard input stays open until it is dropped, or until this process ends.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let (sender, stdout) = mpsc::channel();
        let from = child.stdout.take().expect("stdout is a pipe");
        thread::spawn(move || {
            BufReader::new(from).lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        let stderr = Arc::new(Mutex::new(String::new()));
        let (from, to) = (child.stderr.take().expect("stderr is a pipe"), Arc::clone(&stderr));
        let stderr_reader = thread::spawn(move || {
            let mut from = BufReader::new(from);
            let mut line = Vec::new();
            while from.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                to.lock().expect("no holder panics").push_str(&String::from_utf8_lossy(&line));
                line.clear();
            }
        });
        Self { child, stdout: Mutex::new(stdout), stderr, stderr_reader }
    }

    /// The next line of standard output; none when there will be no more, or none until `end`.
    pub(crate) fn line(&self, end: Instant) -> Option<String> {
        let stdout = self.stdout.lock().expect("no holder panics");
        stdout.recv_timeout(end.saturating_duration_since(Instant::now())).ok()
    }

    /// All of standard error so far.
    pub(crate) fn stderr(&self) -> String {
        self.stderr.lock().expect("no holder panics").clone()
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Closes standard input.
    pub(crate) fn close_stdin(&mut self) {
        drop(self.child.stdin.take());
    }

    /// Waits until the script has ended, and with it all that writes to its standard error.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let end = Instant::now() + STOP;
        let status = self.wait_until(end).unwrap_or_else(|| panic!("still running; it says:\n{}", self.stderr()));
        while !self.stderr_reader.is_finished() {
            assert!(Instant::now() < end, "kafka.sh has left somebody behind; it says:\n{}", self.stderr());
            thread::sleep(POLL);
        }
        status
    }

    /// `Child::wait` knows no limit.
    fn wait_until(&mut self, end: Instant) -> Option<ExitStatus> {
        loop {
            if let Some(status) = self.child.try_wait().expect("the child is ours") {
                return Some(status);
            }
            if Instant::now() > end {
                return None;
            }
            thread::sleep(POLL);
        }
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        if self.wait_until(Instant::now()).is_none() {
            // Errors would mean that it has just ended.
            let _ = kill_process(self.pid(), Signal::TERM);
            if self.wait_until(Instant::now() + STOP).is_none() {
                let _ = self.child.kill();
                let _ = self.child.wait();
            }
        }
    }
}

/// The folder compose/ of the project.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../compose")
}

/// Kafka's version, which stands in compose/pom.xml only.
pub(crate) fn version() -> String {
    let pom = fs::read_to_string(folder().join("pom.xml")).expect("compose/pom.xml is there");
    let (_, rest) = pom.split_once("<kafka.version>").expect("compose/pom.xml names Kafka's version");
    rest.split_once('<').expect("an element ends").0.to_owned()
}
