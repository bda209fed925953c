//! The nodes of a cluster, one by one. The lab kills none itself: it has no right to, and need not run on their machine.
//! Either a command does it (`--node-control`, which `compose/kafka.sh` offers), or the user, who is told what to type.
//! That it has happened is seen on the node itself: it answers, or it does not.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::process::Command;
use std::time::{Duration, Instant};

use common::stop;
use rdkafka::consumer::Consumer as _;
use rdkafka::metadata::{Metadata, MetadataPartition};

use crate::child::{Child, Ended, Reading};
use crate::error::Error;
use crate::kafka::{Isolation, Kafka, REQUEST};
use crate::text::Lang;

/// How many nodes a scenario needs that kills some of them.
pub const NEEDED: usize = 3;

/// What a node says of the cluster is waited for so long: it may have stood still, or not be there.
const ANSWER: Duration = Duration::from_secs(2);

/// A command that ends a node in order waits for it.
const COMMAND: Duration = Duration::from_secs(60);

/// How long it takes, at most, until what was done to a node has had its effect: a Java starts, replicas catch up, a
/// dead node's session ends.
const EFFECT: Duration = Duration::from_secs(180);

/// The same where a user has to read and to type first.
const TYPED: Duration = Duration::from_secs(900);

/// How often the cluster is asked again.
const LOOK: Duration = Duration::from_millis(100);

/// What can be done to a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// kill -9.
    Kill,
    /// End in order: its partitions get other leaders first.
    Stop,
    /// Stand still (SIGSTOP).
    Freeze,
    /// Go on (SIGCONT).
    Thaw,
    /// Start again, with what it has on disk.
    Start,
}

impl Order {
    /// What `compose/kafka.sh` calls it.
    fn word(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::Stop => "stop",
            Self::Freeze => "freeze",
            Self::Thaw => "thaw",
            Self::Start => "start",
        }
    }

    /// What does it to a node of compose/cluster.yaml.
    fn docker(self, node: i32) -> String {
        let command = match self {
            Self::Kill => "kill -s KILL",
            Self::Stop => "stop",
            Self::Freeze => "pause",
            Self::Thaw => "unpause",
            Self::Start => "start",
        };
        format!("docker compose -f compose/cluster.yaml {command} kafka-{node}")
    }

    /// Whether the node answers afterwards.
    fn leaves_alive(self) -> bool {
        matches!(self, Self::Thaw | Self::Start)
    }

    /// What takes it back.
    fn undone_by(self) -> Option<Self> {
        match self {
            Self::Kill | Self::Stop => Some(Self::Start),
            Self::Freeze => Some(Self::Thaw),
            Self::Thaw | Self::Start => None,
        }
    }
}

/// Who kills and starts nodes.
#[derive(Debug, Clone)]
pub struct Control {
    /// A command line, to which two words are added: what to do, and the number of the node. `None`: the user.
    command: Option<String>,
    lang: Lang,
}

impl Default for Control {
    fn default() -> Self {
        Self::new(None, Lang::En)
    }
}

impl Control {
    /// The command, or the user, who is spoken to in this language.
    pub fn new(command: Option<String>, lang: Lang) -> Self {
        Self { command, lang }
    }

    fn order(&self, order: Order, node: i32) -> Result<(), Error> {
        let Some(command) = &self.command else {
            // Nothing can be done when standard error is closed.
            let _ = writeln!(io::stderr(), "{}", self.lang.to_type(&order.docker(node)));
            return Ok(());
        };
        let number = node.to_string();
        let failed = |why: String| Error::NodeControl { command: format!("{command} {} {node}", order.word()), why };
        // As the user's shell reads it: it may hold quotes.
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("{command} \"$@\""), "sh", order.word(), &number]);
        let reading = Reading { most_lines: 100, pause_after: None };
        let mut child = Child::spawn(&mut shell, reading).map_err(|error| failed(error.to_string()))?;
        match child.wait(COMMAND) {
            Some(Ended::Status(0)) => Ok(()),
            Some(_) => Err(failed(child.log().pop().unwrap_or_default())),
            None => Err(failed(self.lang.too_slow(COMMAND))),
        }
    }

    /// Whether the user is asked.
    pub fn asks(&self) -> bool {
        self.command.is_none()
    }

    fn patience(&self) -> Duration {
        if self.asks() { TYPED } else { EFFECT }
    }
}

/// A Kafka of several nodes.
pub(crate) struct Nodes {
    kafka: Kafka,
    control: Control,
    /// Where each listens, by its id.
    addresses: BTreeMap<i32, String>,
    /// What was done to those that are not as they should be.
    changed: BTreeMap<i32, Order>,
}

impl Nodes {
    /// The nodes that the cluster has now.
    ///
    /// # Errors
    /// When no node answers.
    pub(crate) fn new(kafka: &Kafka, control: &Control) -> Result<Self, Error> {
        let consumer = kafka.consumer(&kafka.broker().name("lab"), Isolation::ReadUncommitted)?;
        let metadata = consumer.fetch_metadata(None, REQUEST).map_err(|error| Error::NoBroker {
            servers: kafka.broker().bootstrap_servers.clone(),
            reason: Some(error.to_string()),
        })?;
        let address = |broker: &rdkafka::metadata::MetadataBroker| match broker.host() {
            ipv6 if ipv6.contains(':') => format!("[{ipv6}]:{}", broker.port()),
            host => format!("{host}:{}", broker.port()),
        };
        let addresses = metadata.brokers().iter().map(|broker| (broker.id(), address(broker))).collect();
        Ok(Self { kafka: kafka.clone(), control: control.clone(), addresses, changed: BTreeMap::new() })
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.addresses.len()
    }

    /// Their ids, but for this one.
    pub(crate) fn others(&self, node: i32) -> Vec<i32> {
        self.addresses.keys().copied().filter(|other| *other != node).collect()
    }

    /// Has it done, and waits until the node answers, or does not any more.
    ///
    /// # Errors
    /// [`Error::NodeControl`] when the command fails; [`Error::NotReached`] when the node does not do it.
    pub(crate) fn order(&mut self, order: Order, node: i32) -> Result<(), Error> {
        self.control.order(order, node)?;
        match order.undone_by() {
            Some(_) => _ = self.changed.insert(node, order),
            None => _ = self.changed.remove(&node),
        }
        // A command that kills a node returns when it is dead.
        if order.leaves_alive() || self.control.asks() {
            self.until(&format!("node {node}: {}", order.word()), || {
                self.view(node).is_some() == order.leaves_alive()
            })?;
        }
        Ok(())
    }

    /// Starts and thaws what is not as it should be, and waits until all is as before.
    ///
    /// # Errors
    /// As [`order`](Self::order) and [`whole`](Self::whole). After Ctrl-C nothing is waited for.
    pub(crate) fn restore(&mut self, prefix: &str) -> Result<(), Error> {
        let changed = std::mem::take(&mut self.changed);
        let touched = !changed.is_empty();
        for (node, order) in changed {
            if let Some(back) = order.undone_by() {
                self.control.order(back, node)?;
            }
        }
        if touched { self.whole(prefix) } else { Ok(()) }
    }

    /// Waits until every node sees all nodes, and all replicas in sync: of Kafka's own topics, and of those whose names
    /// begin like this.
    ///
    /// # Errors
    /// [`Error::NotReached`] when that does not come.
    pub(crate) fn whole(&self, prefix: &str) -> Result<(), Error> {
        let in_sync = |partition: &MetadataPartition| {
            partition.leader() >= 0 && partition.isr().len() == partition.replicas().len()
        };
        let sees_all = |node| {
            self.view(node).is_some_and(|metadata| {
                let ours =
                    metadata.topics().iter().filter(|it| it.name().starts_with("__") || it.name().starts_with(prefix));
                metadata.brokers().len() == self.count() && ours.flat_map(|topic| topic.partitions()).all(in_sync)
            })
        };
        self.until("all replicas in sync", || self.addresses.keys().all(|node| sees_all(*node)))
    }

    /// Waits until this is true of the first partition of a topic, as every node sees it but this one.
    ///
    /// # Errors
    /// [`Error::NotReached`] when that does not come.
    pub(crate) fn seen(
        &self,
        moment: &str,
        topic: &str,
        but: i32,
        is_true: impl Fn(&MetadataPartition) -> bool,
    ) -> Result<(), Error> {
        let sees = |node| {
            self.view(node).is_some_and(|metadata| {
                let topic = metadata.topics().iter().find(|it| it.name() == topic);
                topic.and_then(|topic| topic.partitions().first()).is_some_and(&is_true)
            })
        };
        self.until(moment, || self.others(but).into_iter().all(sees))
    }

    /// What this node says of the cluster; `None` when it does not answer. A client that knows no other cannot ask
    /// another.
    fn view(&self, node: i32) -> Option<Metadata> {
        let mut flags = self.kafka.broker().clone();
        flags.bootstrap_servers.clone_from(self.addresses.get(&node)?);
        let group = flags.name("lab");
        let consumer = Kafka::new(flags).consumer(&group, Isolation::ReadUncommitted).ok()?;
        consumer.fetch_metadata(None, ANSWER).ok()
    }

    /// Waits until this is so.
    ///
    /// # Errors
    /// [`Error::NotReached`] when it does not come.
    pub(crate) fn until(&self, moment: &str, happened: impl Fn() -> bool) -> Result<(), Error> {
        let end = Instant::now() + self.control.patience();
        while !happened() {
            if stop::requested() {
                return Err(Error::Interrupted);
            }
            if Instant::now() >= end {
                return Err(Error::NotReached { moment: moment.to_owned() });
            }
            stop::sleep(LOOK);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control(command: &str) -> Control {
        Control::new(Some(command.to_owned()), Lang::En)
    }

    #[test]
    fn a_command_gets_two_more_words_and_may_hold_quotes() {
        let folder = tempfile::tempdir().unwrap();
        let said = folder.path().join("it said");
        control(&format!("echo 'a  b' >'{}'", said.display())).order(Order::Kill, 2).unwrap();
        assert_eq!(std::fs::read_to_string(said).unwrap(), "a  b kill 2\n");
    }

    #[test]
    fn a_command_that_fails_is_quoted_with_its_last_words() {
        let failed = control("echo no >&2; echo not here >&2; exit 3 #").order(Order::Start, 1).unwrap_err();
        let Error::NodeControl { command, why } = failed else { panic!("{failed:?}") };
        assert_eq!((command.ends_with(" start 1"), why.as_str()), (true, "not here"));
    }

    #[test]
    fn what_is_typed_names_the_service_of_the_compose_file() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../compose/cluster.yaml");
        let services = std::fs::read_to_string(file).unwrap();
        for node in 1..=3 {
            let typed = Order::Freeze.docker(node);
            let service = typed.rsplit(' ').next().unwrap();
            assert!(services.contains(&format!("  {service}:\n")), "{typed}");
            let id =
                services.split(&format!("  {service}:\n")).nth(1).unwrap().split("KAFKA_NODE_ID: ").nth(1).unwrap();
            assert!(id.starts_with(&node.to_string()), "{service} is another node");
        }
    }
}
