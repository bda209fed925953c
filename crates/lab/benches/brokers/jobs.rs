//! What the client is told to do.

use std::process::{Child, Command, Stdio};

use common::Error;

use crate::shared::SIZE;
use crate::shared::kafka::Topic;
use crate::shared::programs::{PERFORMANCE, Programs, TRANSACTIONS};
use crate::shared::ratios::Speed;
use crate::shared::show::go_on;

/// One line of the table.
pub(crate) struct Job {
    pub(crate) title: &'static str,
    /// How many times as fast as Apache Kafka the embedded broker should be.
    pub(crate) wanted: f64,
    pub(crate) kind: Kind,
    /// Of each client.
    pub(crate) messages: u64,
}

/// Which client, and how.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// rdkafka_performance writes; further flags.
    Produce(&'static str),
    /// rdkafka_performance reads what another has written.
    Consume,
    /// So many processes, which write at the same time; each message is a transaction.
    Transactions(u64),
}

/// The tool itself sets linger.ms to 1000 and retry.backoff.ms to 500, with which a run would measure mainly its last second.
const ALL: &str = "-a all -X linger.ms=5 -X retry.backoff.ms=100";
const IDEMPOTENT: &str = "-a all -X linger.ms=5 -X retry.backoff.ms=100 -X enable.idempotence=true -X retries=1000000";

/// All lines, for so many messages in a run that writes.
pub(crate) fn all(messages: u64) -> Vec<Job> {
    // What the embedded broker keeps of a partition by default holds so many.
    let read = messages.min(2_000_000);
    // Some hundred a second.
    let one_by_one = (messages / 4000).max(20);
    vec![
        Job { title: "produce, acks=all", wanted: 3.0, kind: Kind::Produce(ALL), messages },
        Job { title: "produce, idempotent", wanted: 2.0, kind: Kind::Produce(IDEMPOTENT), messages },
        Job { title: "consume", wanted: 1.0, kind: Kind::Consume, messages: read },
        Job {
            title: "transactions of one message, 1 producer",
            wanted: 5.0,
            kind: Kind::Transactions(1),
            messages: one_by_one,
        },
        Job {
            title: "transactions of one message, 8 producers",
            wanted: 5.0,
            kind: Kind::Transactions(8),
            messages: one_by_one,
        },
    ]
}

impl Job {
    /// Of all clients together.
    pub(crate) fn all_messages(&self) -> u64 {
        match self.kind {
            Kind::Produce(_) | Kind::Consume => self.messages,
            Kind::Transactions(producers) => producers * self.messages,
        }
    }

    /// How fast it is, once.
    pub(crate) fn run(&self, programs: &Programs, servers: &str, topic: &Topic<'_>) -> Result<Speed, Error> {
        let count = &*self.messages.to_string();
        match self.kind {
            Kind::Produce(flags) => {
                let mut command = programs.command(PERFORMANCE)?;
                command.args(["-P", "-q", "-b", servers, "-t", &topic.name, "-c", count, "-s", SIZE]);
                command.args(flags.split_whitespace());
                speed_told(&finish(start(command)?)?)
            }
            Kind::Consume => {
                let mut command = programs.command(PERFORMANCE)?;
                command.args(["-C", "-q", "-b", servers, "-t", &topic.name, "-p", "0", "-o", "beginning", "-c", count]);
                speed_told(&finish(start(command)?)?)
            }
            Kind::Transactions(producers) => {
                let mut all = Vec::new();
                for producer in 0..producers {
                    let mut command = programs.command(TRANSACTIONS)?;
                    command.args([servers, &topic.name, count, SIZE, "1", "acks=all", "linger.ms=0"]);
                    command.arg(format!("transactional.id={}-{producer}", topic.name));
                    all.push(start(command)?);
                }
                all.into_iter().map(|client| speed_told(&finish(client)?)).sum()
            }
        }
    }
}

/// Writes what is to be read.
pub(crate) fn fill(programs: &Programs, servers: &str, topic: &str, messages: u64) -> Result<(), Error> {
    let mut command = programs.command(PERFORMANCE)?;
    command.args(["-P", "-q", "-b", servers, "-t", topic, "-c", &messages.to_string(), "-s", SIZE]);
    command.args(ALL.split_whitespace());
    finish(start(command)?).map(drop)
}

fn start(mut command: Command) -> Result<Child, Error> {
    go_on()?;
    let what = format!("{:?}", command.get_program());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().map_err(|error| Error::failed(format!("{what}: {error}")))
}

/// What it said, if it ended well.
fn finish(client: Child) -> Result<String, Error> {
    let output = client.wait_with_output().map_err(Error::failed)?;
    go_on()?;
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        return Ok(said(&output.stdout));
    }
    let why = said(&output.stderr);
    Err(Error::failed(format!("a client: {}: {}", output.status, why.lines().last().unwrap_or("it said nothing"))))
}

/// Both programs end with "… in 1234ms: 2431118 msgs/s and 243.11 MB/s, …".
fn speed_told(said: &str) -> Result<Speed, Error> {
    let words: Vec<_> = said.split_whitespace().collect();
    let speed = words.iter().rposition(|word| *word == "msgs/s").and_then(|unit| words.get(unit.checked_sub(1)?));
    speed.and_then(|speed| speed.parse().ok()).ok_or_else(|| Error::failed("a client does not tell its speed"))
}
