//! Where one run takes place: a Kafka, the proxy in front of it, topics and names of its own, and the program's
//! instances. A scenario plays on it ([`Case::play`]); what is there afterwards is judged.

mod cast;
mod clock;
mod drain;
mod folder;
mod input;
mod judge;
mod nodes;
mod replicated;
mod spent;

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::broker::Broker;
use common::stop;
use proxy::{ApiKey, Fault, Frame, Happening, Proxy, Side};

use cast::Cast;
pub(crate) use cast::STALLED;
pub use cast::Start;
use clock::Clock;
pub(crate) use drain::Work;
use folder::Folder;

use crate::catalogue::{Guarantee, Producer, Program, Role};
use crate::error::Error;
use crate::grade::Room;
use crate::kafka::{Isolation, Kafka, Offsets};
use crate::names::Names;
use crate::nodes::{Control, Nodes};
use crate::outcome::{Deed, Outcome};
use crate::own::{Client, Held};
use crate::reader::Reader;
use crate::scenario::{Case, Scenario};
use crate::serve;
use crate::topics::{Leftovers, Topics};
use crate::value::Value;

/// How long a moment of the protocol is waited for. Longer than any time limit that a case rests on.
const PATIENCE: Duration = Duration::from_secs(40);

/// How long the first connection is waited for: a Java machine on a busy computer takes its time.
const STARTING: Duration = Duration::from_secs(90);

/// Ctrl-C at the lab, and the end of a program, are noticed within this time.
const SLICE: Duration = Duration::from_millis(50);

/// How often the lab looks again at what nobody tells it.
const LOOK: Duration = Duration::from_millis(20);

/// How often it is looked whether there is anything left to wait for.
const GLANCE: Duration = Duration::from_secs(1);

/// A moment may have been the reason for the end of a program: it is told so long after it, at most.
const TOLD: Duration = Duration::from_secs(1);

/// The same, when a fault has killed the program: it surely was the reason, and on a busy machine it takes its time.
const KILL_TOLD: Duration = Duration::from_secs(10);

/// What the runs of one `lab` share.
pub struct House {
    /// The Kafka that the command line names; `None`: each run has an embedded broker of its own.
    pub kafka: Option<Kafka>,
    /// Flags of the command line for every program: properties, the time limit for connecting.
    pub flags: common::cli::Broker,
    /// Where the programs are.
    pub executables: HashMap<String, PathBuf>,
    /// A client of the user's own, to run in place of the program.
    pub command: Option<Client>,
    /// Where names and the brokers' ids come from.
    pub seed: u32,
    /// How many messages the scenarios without a fault use; the others use their own numbers.
    pub messages: u64,
    /// Where each run writes its trace as JSON lines.
    pub traces: Option<PathBuf>,
    /// What is to be deleted at the end.
    pub leftovers: Leftovers,
    /// Who kills and starts the nodes of a cluster.
    pub node_control: Control,
    /// Where the program runs confined, when it is not the user's own.
    pub room: Option<Arc<Room>>,
}

/// Where one run takes place.
pub struct Stage<'a> {
    house: &'a House,
    /// The scenario.
    pub scenario: &'static Scenario,
    /// Its case.
    pub case: &'static Case,
    /// The program.
    pub program: &'static Program,
    names: Names,
    kafka: Kafka,
    /// Asks for the group's committed offsets; finding the coordinator can take a second.
    offsets: OnceCell<Offsets>,
    /// Reads topics, each time with the same two clients.
    reader: OnceCell<Reader>,
    proxy: Proxy,
    clock: Clock,
    cast: Vec<Cast>,
    settings: Vec<(String, String)>,
    /// The values that the program is to send, or that were written into its input and committed.
    values: Vec<Value>,
    /// How many records the lab wrote to the input and aborted.
    aborted: usize,
    /// Where the program may keep files. After the instances, so that nobody writes there when it goes.
    folder: Folder,
    /// The nodes of the cluster, once a scenario has asked for them.
    nodes: Option<Nodes>,
    /// What was done to them.
    node_deeds: BTreeMap<i32, Vec<(u64, Deed)>>,
    /// Last, so that it goes last.
    _broker: Option<Broker>,
}

/// One run among others of the same program in the same case, where there are several: its names, and that of its trace.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Nth {
    /// The run.
    pub(crate) run: u32,
    /// How often it was repeated before.
    pub(crate) again: u32,
}

impl House {
    /// A house for the usual programs, on embedded brokers, that leaves no trace.
    pub fn new(flags: common::cli::Broker, seed: u32) -> Self {
        Self {
            kafka: None,
            flags,
            executables: HashMap::new(),
            command: None,
            seed,
            messages: 200,
            traces: None,
            leftovers: Leftovers::default(),
            node_control: Control::default(),
            room: None,
        }
    }

    /// Whether the user's own client is held to a guarantee.
    fn held(&self) -> Option<Held> {
        self.command.as_ref().and_then(Client::held)
    }

    /// Runs one program in one case, and judges it.
    pub fn run(&self, scenario: &'static Scenario, case: &'static Case, program: &'static Program) -> Outcome {
        self.play(scenario, case, program, None, case.play)
    }

    /// The same, with another play.
    pub(crate) fn play(
        &self,
        scenario: &'static Scenario,
        case: &'static Case,
        program: &'static Program,
        nth: Option<Nth>,
        play: impl FnOnce(&mut Stage<'_>) -> Result<(), Error>,
    ) -> Outcome {
        let begun = Instant::now();
        let mut outcome = match Stage::open(self, scenario, case, program, nth) {
            Ok(mut stage) => {
                let played = play(&mut stage);
                stage.close(played)
            }
            Err(why) => Outcome { held: self.held(), ..Outcome::unknown(scenario, case, program, why) },
        };
        outcome.took = begun.elapsed();
        outcome
    }
}

impl<'a> Stage<'a> {
    fn open(
        house: &'a House,
        scenario: &'static Scenario,
        case: &'static Case,
        program: &'static Program,
        nth: Option<Nth>,
    ) -> Result<Self, Error> {
        if stop::requested() {
            return Err(Error::Interrupted);
        }
        let folder = Folder::new()?;
        let mut names = Names::new(house.seed, house.flags.namespace.as_deref());
        if let Some(Nth { run, again }) = nth {
            names = names.numbered(run).numbered(again);
        }
        let names = names.within(scenario, case, program);
        let (kafka, broker) = match &house.kafka {
            Some(kafka) => (kafka.clone(), None),
            None => {
                let broker = serve::for_this_run(house.seed)?;
                let mut flags = house.flags.clone();
                flags.bootstrap_servers = broker.address().to_string();
                (Kafka::new(flags), Some(broker))
            }
        };
        let mut wanted = vec![(names.of("topic"), case.partitions)];
        if let Role::Pipeline { .. } = program.role {
            wanted.push((names.of("output"), case.partitions));
        }
        let leftovers = broker.is_none().then_some(&house.leftovers);
        Topics::create(&kafka, &names, &wanted, leftovers)?;
        if broker.is_none() {
            for (topic, partitions) in &wanted {
                kafka.wait_for_topic(topic, *partitions)?;
            }
        }
        let mut builder = Proxy::builder(kafka.broker().bootstrap_servers.clone());
        if let Some(folder) = &house.traces {
            builder = builder.trace_to(trace_file(folder, scenario, case, program, nth)?);
        }
        let proxy = builder.start().map_err(|error| Error::Proxy(error.to_string()))?;
        let clock = Clock::of(&proxy);
        let embedded = broker.is_some();
        let settings =
            case.settings.iter().map(|set| (set.key.to_owned(), set.value.on(embedded).to_owned())).collect();
        let values = program.writer().values(if case.messages == 0 { house.messages } else { case.messages });
        Ok(Self {
            house,
            scenario,
            case,
            program,
            names,
            kafka,
            offsets: OnceCell::new(),
            reader: OnceCell::new(),
            proxy,
            clock,
            cast: Vec::new(),
            settings,
            values,
            aborted: 0,
            folder,
            nodes: None,
            node_deeds: BTreeMap::new(),
            _broker: broker,
        })
    }

    /// The topic that a producer writes, or the input of the others.
    pub fn topic(&self) -> String {
        self.names.of("topic")
    }

    /// Where a pipeline writes.
    pub fn output(&self) -> Option<String> {
        matches!(self.program.role, Role::Pipeline { .. }).then(|| self.names.of("output"))
    }

    /// The topic that the program's records go to: a producer's topic, a pipeline's output.
    pub fn written(&self) -> String {
        self.output().unwrap_or_else(|| self.topic())
    }

    /// The consumer group.
    pub fn group(&self) -> String {
        self.names.of("group")
    }

    /// The transactional id that instances have unless [`Start`] says otherwise.
    pub fn transactional_id(&self) -> String {
        self.names.of("id")
    }

    /// How many messages are sent, or stand in the input.
    pub fn messages(&self) -> usize {
        self.values.len()
    }

    /// What the nth message (from 0) holds when the program writes it: what a producer sends, what a pipeline makes of
    /// its input. For [`proxy::When::holding`].
    pub fn written_value(&self, nth: usize) -> Vec<u8> {
        let bytes = self.values.get(nth).and_then(Value::bytes).unwrap_or_default();
        match self.program.role {
            Role::Pipeline { transform, .. } => transform(bytes),
            _ => bytes.to_vec(),
        }
    }

    /// The request by which its offsets are committed.
    pub fn commits_by(&self) -> ApiKey {
        let of_transaction = match self.program.role {
            Role::Pipeline { .. } => self.house.held().is_none_or(|held| held.guarantee == Guarantee::ExactlyOnce),
            _ => self.program.is_transactional(),
        };
        if of_transaction { ApiKey::TxnOffsetCommit } else { ApiKey::OffsetCommit }
    }

    /// Whether it is a client that is held to a guarantee: it commits when it likes.
    pub fn is_held(&self) -> bool {
        self.house.held().is_some()
    }

    /// The proxy.
    pub fn proxy(&self) -> &Proxy {
        &self.proxy
    }

    /// Arms a fault.
    pub fn arm(&self, fault: Fault) {
        self.proxy.arm(fault);
    }

    /// Raises a signal.
    pub fn signal(&self, name: &str) {
        self.proxy.signal(name);
    }

    /// Whether every instance has ended.
    pub fn is_over(&self) -> bool {
        self.cast.iter().all(Cast::has_ended)
    }

    /// Whether this instance has ended.
    pub fn has_ended(&self, name: &str) -> bool {
        self.cast.iter().filter(|cast| cast.is(name)).all(Cast::has_ended)
    }

    /// Waits for the moment at which this fault acts, or this signal is raised.
    ///
    /// # Errors
    /// [`Error::NotReached`] when it does not come, or every instance has ended, or done all that it has to do, without it.
    pub fn moment(&self, signal: &str) -> Result<(), Error> {
        self.moments(signal, 1)
    }

    /// The same, for the moment at which it happens for the nth time.
    ///
    /// # Errors
    /// As [`moment`](Self::moment).
    pub fn moments(&self, signal: &str, times: usize) -> Result<(), Error> {
        let mut looked = Instant::now();
        self.wait_for(signal, times, || {
            self.is_over()
                || looked.elapsed() > GLANCE && {
                    looked = Instant::now();
                    self.is_spent()
                }
        })
    }

    /// Waits for a moment that only this instance can bring about.
    ///
    /// # Errors
    /// [`Error::NotReached`] when it does not come, or the instance has ended without it.
    pub fn moment_of(&self, name: &str, signal: &str) -> Result<(), Error> {
        self.wait_for(signal, 1, || self.has_ended(name))
    }

    /// Waits for a moment that may come when every instance has ended: something that is between the proxy and the broker
    /// alone.
    ///
    /// # Errors
    /// [`Error::NotReached`] when it does not come.
    pub fn aftermath(&self, signal: &str) -> Result<(), Error> {
        self.wait_for(signal, 1, || false)
    }

    /// Waits for a signal, for as long as it can still be raised.
    fn wait_for(&self, signal: &str, times: usize, mut is_over: impl FnMut() -> bool) -> Result<(), Error> {
        let begun = Instant::now();
        let mut connected = None;
        loop {
            // Looked at first: the moment may have been the reason for the end.
            let over = is_over();
            let patience = match over {
                false => SLICE,
                true if self.cast.iter().any(Cast::was_killed) => KILL_TOLD,
                true => TOLD,
            };
            if self.proxy.wait(signal, times, patience) {
                return Ok(());
            }
            if stop::requested() {
                return Err(Error::Interrupted);
            }
            if connected.is_none() && !self.proxy.trace().is_empty() {
                connected = Some(Instant::now());
            }
            let late = connected.map_or(begun.elapsed() > STARTING, |since| since.elapsed() > PATIENCE);
            if over || late {
                return Err(Error::NotReached { moment: signal.to_owned() });
            }
        }
    }

    /// Waits until no transaction is open in what the program writes: EndTxn is answered before that.
    ///
    /// # Errors
    /// [`Error::OpenTransaction`] when one stays open.
    pub fn markers(&self) -> Result<(), Error> {
        self.reader()?.read(&self.written(), self.case.partitions).map(drop)
    }

    /// Whether the broker has taken a request that a fault had kept for later (its answer, which no client sees, is there).
    pub fn late_one_taken(&self) -> bool {
        let taken = |frame: &Frame| frame.ours && frame.side == Side::Response && frame.facts.error == Some(0);
        self.proxy.trace().iter().any(|event| matches!(&event.happening, Happening::Frame(frame) if taken(frame)))
    }

    /// Asks for the group's committed offsets.
    fn offsets(&self) -> Result<&Offsets, Error> {
        once(&self.offsets, || self.kafka.offsets(&self.group(), Isolation::ReadCommitted))
    }

    /// Asks for them without waiting for a transaction to end.
    ///
    /// # Errors
    /// When librdkafka refuses the properties.
    pub(crate) fn settled_offsets(&self) -> Result<Offsets, Error> {
        self.kafka.offsets(&self.group(), Isolation::ReadUncommitted)
    }

    /// A reader of topics.
    fn reader(&self) -> Result<&Reader, Error> {
        once(&self.reader, || Reader::new(&self.kafka, &self.names.of("reader")))
    }
}

/// What is in the cell, made the first time.
fn once<T>(cell: &OnceCell<T>, make: impl FnOnce() -> Result<T, Error>) -> Result<&T, Error> {
    if let Some(made) = cell.get() {
        return Ok(made);
    }
    let made = make()?;
    Ok(cell.get_or_init(|| made))
}

impl Program {
    /// The producer whose values stand in the program's topic: itself, or the one that feeds it.
    fn writer(&self) -> Producer {
        self.feeder().unwrap_or(Producer { prefix: "msg-", acknowledged: true, transactional: false })
    }
}

fn trace_file(
    folder: &std::path::Path,
    scenario: &Scenario,
    case: &Case,
    program: &Program,
    nth: Option<Nth>,
) -> Result<Box<dyn std::io::Write + Send>, Error> {
    let nth = nth.map(|Nth { run, again }| format!("-{run}-{again}")).unwrap_or_default();
    let path = folder.join(format!("{}{nth}.jsonl", crate::names::label(scenario, case, program)));
    match std::fs::File::create(&path) {
        Ok(file) => Ok(Box::new(file)),
        Err(error) => Err(Error::Trace { path: path.display().to_string(), why: error.to_string() }),
    }
}
