//! Without a fault. Every program must do exactly what it was asked to do: nothing lost, nothing twice, nothing missing.
//! The baseline: a scenario with a fault is worth nothing when this one fails.
//!
//! Producers feed consumers, in chains that share nothing and so run side by side:
//!
//! ```text
//! producer-at-most-once   ─→ consumer-at-most-once
//! producer-at-least-once  ─→ consumer-at-least-once
//! producer-exactly-once   ─→ consumer-exactly-once
//! eos-producer            ─→ eos-consumer
//! producer-exactly-once   ─→ eos-pipeline             (three partitions)
//! ```
//!
//! Before and after the producer, the lab itself writes transactions to the same topic and aborts them. A read_committed
//! reader must not see them; a read_uncommitted reader must, or the experiment shows nothing.

use std::collections::{BTreeMap, HashSet};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use common::grammar::Line;
use common::stop;

use crate::aborted::{AbortedWriter, PREFIX};
use crate::cargo::Executables;
use crate::catalogue::{self, Producer, Program, Role};
use crate::error::Error;
use crate::execution::{Execution, Failure, Watch, execute};
use crate::invocation::{self, Work};
use crate::kafka::Kafka;
use crate::ledger::Ledger;
use crate::names::Names;
use crate::progress::Progress;
use crate::reader::{Contents, Reader};
use crate::report::Row;
use crate::said;
use crate::value::{Transform, Value};
use crate::verdict::Surprise;

/// The scenario's name.
pub const NAME: &str = "calm";

/// A producer, and the program that reads what it wrote.
#[derive(Debug, Clone, Copy)]
pub struct Chain {
    feeder: &'static Program,
    producer: Producer,
    /// Whether the producer is one of the programs to judge, or only feeds another.
    judges_feeder: bool,
    reader: Option<&'static Program>,
    partitions: i32,
}

/// The chains in which the selected programs take part.
pub fn chains(selected: &[&'static Program]) -> Vec<Chain> {
    let is_selected = |program: &Program| selected.iter().any(|other| other.package == program.package);
    let mut chains: Vec<Chain> = Vec::new();
    for program in catalogue::PROGRAMS.iter().filter(|program| is_selected(program)) {
        match program.role {
            Role::Producer(producer) => {
                chains.push(Chain { feeder: program, producer, judges_feeder: true, reader: None, partitions: 1 })
            }
            Role::Consumer { fed_by, .. } => {
                let alone = |chain: &&mut Chain| chain.feeder.package == fed_by && chain.reader.is_none();
                match chains.iter_mut().find(alone) {
                    Some(chain) => chain.reader = Some(program),
                    None => chains.extend(Chain::feeding(program, fed_by, 1)),
                }
            }
            // Its feeder is asked for several partitions: a run of its own.
            Role::Pipeline { fed_by, partitions, .. } => chains.extend(Chain::feeding(program, fed_by, partitions)),
        }
    }
    chains
}

impl Chain {
    fn feeding(reader: &'static Program, fed_by: &str, partitions: i32) -> Option<Self> {
        let feeder = catalogue::find(fed_by)?;
        let Role::Producer(producer) = feeder.role else {
            return None;
        };
        Some(Self { feeder, producer, judges_feeder: false, reader: Some(reader), partitions })
    }

    /// The programs that have to be built.
    pub fn programs(&self) -> impl Iterator<Item = &'static Program> {
        std::iter::once(self.feeder).chain(self.reader)
    }

    fn judged(&self) -> impl Iterator<Item = &'static Program> {
        self.programs().filter(|program| self.judges_feeder || program.package != self.feeder.package)
    }

    fn pipeline(&self) -> Option<Transform> {
        match self.reader?.role {
            Role::Pipeline { transform, .. } => Some(transform),
            _ => None,
        }
    }

    /// What the names of this chain begin with: no two chains judge the same program.
    fn own(&self) -> &'static str {
        self.judged().next().unwrap_or(self.feeder).package
    }

    fn topic(&self, names: &Names) -> String {
        names.of(self.own())
    }

    fn output(&self, names: &Names) -> Option<String> {
        self.pipeline().map(|_| names.of(&format!("{}-output", self.own())))
    }

    /// The topics of this chain, with their number of partitions.
    pub fn topics(&self, names: &Names) -> Vec<(String, i32)> {
        std::iter::once(self.topic(names)).chain(self.output(names)).map(|topic| (topic, self.partitions)).collect()
    }

    /// The consumer group of this chain.
    pub fn group(&self, names: &Names) -> Option<String> {
        self.reader.map(|reader| names.of(reader.package))
    }
}

/// What all chains of a run share.
pub struct Calm<'a> {
    /// The Kafka.
    pub kafka: &'a Kafka,
    /// The names of this run.
    pub names: &'a Names,
    /// Where the programs are.
    pub executables: &'a Executables,
    /// How many messages each producer sends.
    pub messages: u64,
}

impl Calm<'_> {
    /// Runs all chains, as many at a time as there are cores; their topics have been created. Returns a row for each
    /// judged program, in the order of the catalogue.
    pub fn run(&self, chains: &[Chain]) -> Vec<Row> {
        let programs: usize = chains.iter().map(|chain| chain.programs().count()).sum();
        let progress = Progress::new(self.messages.saturating_mul(programs as u64));
        let rows = Mutex::new(Vec::new());
        // The longest come last in the catalogue, and are best begun first.
        let next = AtomicUsize::new(chains.len());
        let work = || {
            while let Ok(i) = next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)) {
                if let Some(chain) = i.checked_sub(1).and_then(|i| chains.get(i)) {
                    let done = self.run_chain(chain, &progress);
                    rows.lock().unwrap_or_else(PoisonError::into_inner).extend(done);
                }
            }
        };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            for _ in 1..cores.min(chains.len()) {
                scope.spawn(work);
            }
            work();
        });
        progress.finish();
        let mut rows = rows.into_inner().unwrap_or_else(PoisonError::into_inner);
        let place = |row: &Row| catalogue::PROGRAMS.iter().position(|program| program.package == row.program.package);
        rows.sort_by_key(place);
        rows
    }

    fn run_chain(&self, chain: &Chain, progress: &Progress) -> Vec<Row> {
        let fed = match self.feed(chain, progress) {
            Ok(fed) => fed,
            Err(why) => {
                let because = |program: &'static Program| match &why {
                    Error::Interrupted => Error::Interrupted,
                    _ if program.package != chain.feeder.package => {
                        Error::NoInput { feeder: chain.feeder.package, why: Box::new(why.clone()) }
                    }
                    why => why.clone(),
                };
                return chain.judged().map(|program| Row::unknown(program, because(program))).collect();
            }
        };
        let mut rows = Vec::new();
        if chain.judges_feeder {
            rows.push(Row::calm(chain.feeder, fed.ledger, fed.failure));
        }
        if let Some(reader) = chain.reader {
            rows.push(match self.read(chain, reader, &fed.input, progress) {
                Ok((ledger, failure)) => {
                    let mut row = Row::calm(reader, ledger, failure);
                    let is_ours =
                        |value: &Value| value.bytes().is_some_and(|bytes| bytes.starts_with(PREFIX.as_bytes()));
                    let seen = fed.input.aborted().filter(|record| is_ours(&record.value)).count();
                    if seen != fed.aborted {
                        let written = fed.aborted;
                        row.surprises.push(Surprise::AbortedInput { written, seen });
                    }
                    row
                }
                Err(why) => Row::unknown(reader, why),
            });
        }
        rows
    }

    /// Runs the producer, between two rounds of aborted transactions.
    fn feed(&self, chain: &Chain, progress: &Progress) -> Result<Fed, Error> {
        if stop::requested() {
            return Err(Error::Interrupted);
        }
        let topic = chain.topic(self.names);
        let mut aborted = match chain.reader {
            Some(_) => {
                let id = self.names.of(&format!("{}-aborted", chain.own()));
                Some(AbortedWriter::new(self.kafka, &id, &topic, chain.partitions)?)
            }
            None => None,
        };
        if let Some(aborted) = &mut aborted {
            aborted.write()?;
        }
        let identity = self.names.of(&format!("{}-{}", chain.own(), chain.feeder.package));
        let mut command = self.command(chain.feeder, &topic, None, &identity)?;
        if chain.partitions > 1 {
            // Otherwise librdkafka's partitioner stays with one partition for 10 ms: for all of these messages.
            command.args(["-X", "sticky.partitioning.linger.ms=0"]);
        }
        let mut running = progress.begin(chain.feeder.package, self.messages);
        let execution = self.execute(chain.feeder, &mut command, self.messages, &mut |_| {
            running.message();
            false
        })?;
        drop(running);
        if let Some(aborted) = &mut aborted {
            aborted.write()?;
        }
        let input = Reader::new(self.kafka, &identity)?.read(&topic, chain.partitions)?;
        let said = said::producing(&execution.lines, chain.producer.transactional);
        let intended = chain.producer.values(self.messages);
        Ok(Fed {
            ledger: Ledger::of_producer(chain.producer, &intended, &said, &input),
            input,
            failure: execution.failure,
            aborted: aborted.map_or(0, |aborted| aborted.written()),
        })
    }

    /// Runs the consumer or pipeline until it has done all of its input.
    fn read(
        &self,
        chain: &Chain,
        reader: &'static Program,
        input: &Contents,
        progress: &Progress,
    ) -> Result<(Ledger, Option<Failure>), Error> {
        if stop::requested() {
            return Err(Error::Interrupted);
        }
        let group = self.names.of(reader.package);
        let output = chain.output(self.names);
        let mut command = self.command(reader, &input.topic, output.as_deref(), &group)?;
        let known: HashSet<_> = input.all.iter().map(|record| &record.value).collect();
        let mut left: HashSet<_> = input.visible.iter().map(|record| record.value.clone()).collect();
        // The results of a pipeline count when their transaction is committed.
        let mut uncommitted = if output.is_some() { left.len() as u64 } else { 0 };
        let mut running = progress.begin(reader.package, self.messages);
        let expected = input.all.len() as u64;
        let execution = self.execute(reader, &mut command, expected, &mut |line| {
            if let Some(Line::Committed(messages)) = Line::parse(line) {
                uncommitted = uncommitted.saturating_sub(messages);
            }
            for process in said::processed(line, &known) {
                left.remove(&process.value);
                running.message();
            }
            left.is_empty() && uncommitted == 0
        })?;
        drop(running);
        let said = said::processing(&execution.lines, &known);
        let committed: BTreeMap<_, _> =
            self.kafka.committed(&group, &input.topic, chain.partitions)?.into_iter().collect();
        let ledger = match (chain.pipeline(), output) {
            (Some(transform), Some(output)) => {
                let output = Reader::new(self.kafka, &group)?.read(&output, chain.partitions)?;
                Ledger::of_pipeline(&said, input, &committed, &output, transform)
            }
            _ => Ledger::of_consumer(&said, input, &committed),
        };
        Ok((ledger, execution.failure))
    }

    fn command(&self, program: &Program, topic: &str, output: Option<&str>, identity: &str) -> Result<Command, Error> {
        let executable = self.executables.get(program.package).ok_or_else(|| Error::Spawn {
            program: program.package.to_owned(),
            why: "cargo has not built it".to_owned(),
        })?;
        let work = Work { topic, output, identity, messages: self.messages };
        Ok(invocation::command(executable, program, self.kafka.broker(), &work))
    }

    fn execute(
        &self,
        program: &Program,
        command: &mut Command,
        expected: u64,
        done: &mut dyn FnMut(&str) -> bool,
    ) -> Result<Execution, Error> {
        // A line or two for each message, and room for a program that repeats itself: that is an anomaly, no flood.
        let most_lines = usize::try_from(expected).unwrap_or(usize::MAX).saturating_mul(10).saturating_add(1000);
        let watch = Watch { program: program.package, most_lines, done };
        execute(command, watch)
    }
}

/// A topic with what a producer wrote, and its books.
struct Fed {
    input: Contents,
    ledger: Ledger,
    failure: Option<Failure>,
    /// How many records the lab wrote and aborted.
    aborted: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(packages: &[&str]) -> Vec<&'static Program> {
        packages.iter().map(|package| catalogue::find(package).unwrap()).collect()
    }

    fn judged(chains: &[Chain]) -> Vec<&str> {
        chains.iter().flat_map(Chain::judged).map(|program| program.package).collect()
    }

    #[test]
    fn all_nine_programs_are_judged_once_in_five_chains() {
        let chains = chains(&catalogue::PROGRAMS.iter().collect::<Vec<_>>());
        assert_eq!(chains.len(), 5);
        let mut judged = judged(&chains);
        judged.sort_unstable();
        let mut all: Vec<_> = catalogue::PROGRAMS.iter().map(|program| program.package).collect();
        all.sort_unstable();
        assert_eq!(judged, all);
    }

    #[test]
    fn a_consumer_alone_is_fed_and_its_feeder_not_judged() {
        let chains = chains(&named(&["eos-consumer"]));
        assert_eq!(judged(&chains), ["eos-consumer"]);
        let programs: Vec<_> = chains[0].programs().map(|program| program.package).collect();
        assert_eq!(programs, ["eos-producer", "eos-consumer"]);
    }

    #[test]
    fn no_two_chains_share_a_name() {
        let names = Names::new(1, None);
        let chains = chains(&catalogue::PROGRAMS.iter().collect::<Vec<_>>());
        let mut topics: Vec<_> = chains.iter().flat_map(|chain| chain.topics(&names)).collect();
        assert_eq!(topics.len(), 6);
        assert!(topics.iter().all(|(topic, _)| topic.starts_with("lab-1-")));
        topics.sort();
        topics.dedup_by(|a, b| a.0 == b.0);
        assert_eq!(topics.len(), 6);
    }
}
