//! After the play: what the instances said, against what the broker holds, against what was announced.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use common::grammar::Position;
use proxy::Event;

use super::Stage;
use super::cast::Cast;
use crate::catalogue::{Program, Role};
use crate::child::Ended;
use crate::error::Error;
use crate::evidence;
use crate::ledger::{Anomaly, Kind, Ledger};
use crate::outcome::Outcome;
use crate::own;
use crate::reader::{Contents, Record};
use crate::said::{self, Producing};
use crate::scenario::{Case, Ends, Exhibit, Scenario};
use crate::value::Value;
use crate::verdict::{Failure, Surprise, Verdict, judge};

impl Stage<'_> {
    /// Ends the run, and judges it; what `played` says went wrong makes it unknown.
    pub(super) fn close(mut self, played: Result<(), Error>) -> Outcome {
        self.clear();
        let played = played.and(self.restore_nodes());
        let mut outcome = Outcome::unknown(self.scenario, self.case, self.program, Error::Interrupted);
        outcome.trace = self.proxy.trace();
        let judged = played.and_then(|()| self.refused()).and_then(|()| self.books(&outcome.trace));
        outcome.marks = evidence::marks(&outcome.trace);
        outcome.instances = self.cast.iter().map(Cast::instance).collect();
        outcome.nodes = self.nodes_instances();
        outcome.settings.clone_from(&self.settings);
        outcome.held = self.house.held();
        match judged {
            Ok((ledger, seen)) => {
                let (verdict, others) = judge(outcome.promise(), &ledger);
                outcome.verdict = verdict;
                outcome.surprises = self.surprises(&outcome, others, seen);
                outcome.missing = self.missing(&outcome, &ledger);
                outcome.ledger = ledger;
                if outcome.held.is_some() {
                    own::judge(&mut outcome);
                }
            }
            Err(why) => outcome.verdict = Verdict::Unknown(why),
        }
        if let Some(why) = self.proxy.trace_error() {
            log::warn!("{}: the trace is not complete: {why}", self.names.prefix());
        }
        outcome
    }

    /// A program that says that it was used wrongly, or prints without end, has shown nothing.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::Flooded`].
    pub(crate) fn refused(&self) -> Result<(), Error> {
        for cast in &self.cast {
            if cast.flooded() {
                return Err(Error::Flooded(cast.lines().len()));
            }
            // Under any faults, one may find no broker in time; if another has worked, that is not how it was started.
            let another_worked = self.scenario.cases.is_empty() && self.count_lines() > 0;
            if cast.ended() == Some(Ended::Status(2)) && !another_worked {
                return Err(Error::Refused(cast.last_words().unwrap_or_default()));
            }
        }
        Ok(())
    }

    /// The books of the run, and how many of the aborted records in the input a read_uncommitted reader sees.
    fn books(&self, trace: &[Event]) -> Result<(Ledger, usize), Error> {
        let topic = self.read_replicated()?;
        let seen = topic.aborted().filter(|record| crate::aborted::is_ours(&record.value)).count();
        let ledger = match self.program.role {
            Role::Producer(producer) => {
                let producer = match self.house.held() {
                    Some(held) => held.producer(producer, trace),
                    None => producer,
                };
                let mut said = Producing::default();
                for cast in &self.cast {
                    said.merge(said::producing(&cast.lines(), producer.transactional));
                }
                Ledger::of_producer(producer, &self.values, &said, &topic).with(uncommitted(trace, &topic))
            }
            Role::Consumer { .. } => {
                let (said, committed) = self.consumed(&topic)?;
                Ledger::of_consumer(&said, &topic, &committed)
            }
            Role::Pipeline { transform, .. } => {
                let (said, committed) = self.consumed(&topic)?;
                let output = self.reader()?.read(&self.written(), self.case.partitions)?;
                Ledger::of_pipeline(&said, &topic, &committed, &output, transform).with(uncommitted(trace, &output))
            }
        };
        Ok((ledger, seen))
    }

    fn consumed(&self, input: &Contents) -> Result<(Vec<said::Process>, BTreeMap<i32, i64>), Error> {
        let known: HashSet<&Value> = input.all.iter().map(|record| &record.value).collect();
        let said = said::processing_of(self.cast.iter().map(Cast::lines), &known);
        let committed = self.offsets()?.committed(&self.topic(), self.case.partitions)?;
        Ok((said, committed.into_iter().collect()))
    }

    /// What showed and was not announced.
    fn surprises(&self, outcome: &Outcome, others: Vec<Anomaly>, seen: usize) -> Vec<Surprise> {
        let announced = |kind| self.case.exhibits.contains(&Exhibit::Anomaly(kind)) || self.case.allows.contains(&kind);
        let broken = match &outcome.verdict {
            Verdict::Violated(anomalies) => anomalies.clone(),
            _ => Vec::new(),
        };
        let mut surprises: Vec<_> = broken
            .into_iter()
            .chain(others)
            .filter(|anomaly| !announced(anomaly.kind))
            .map(Surprise::Anomaly)
            .collect();
        let last = self.cast.len().saturating_sub(1);
        for (nth, cast) in self.cast.iter().enumerate() {
            let must = cast.must().unwrap_or(if nth == last { self.case.ends } else { Ends::Anyhow });
            let as_announced = match must {
                Ends::Well => cast.ended() == Some(Ended::Status(0)),
                Ends::Failing => cast.ended() == Some(Ended::Status(1)),
                Ends::Anyhow => true,
            };
            if !as_announced {
                let failure = cast.ended().map(|ended| Failure { ended, said: cast.last_words() });
                surprises.extend(failure.map(Surprise::Failed));
            }
        }
        if seen != self.aborted {
            surprises.push(Surprise::AbortedInput { written: self.aborted, seen });
        }
        surprises
    }

    /// What was announced and did not show.
    fn missing(&self, outcome: &Outcome, ledger: &Ledger) -> Vec<Exhibit> {
        let shows = |exhibit: &Exhibit| match exhibit {
            Exhibit::Anomaly(kind) => ledger.count(*kind) > 0,
            Exhibit::Mark(mark) => outcome.marks.iter().any(|(other, _)| other == mark),
        };
        self.case.exhibits.iter().filter(|exhibit| !shows(exhibit)).copied().collect()
    }
}

/// What is visible although its commit was never asked for: only the trace knows.
fn uncommitted(trace: &[Event], written: &Contents) -> Vec<Anomaly> {
    let stored = evidence::uncommitted(trace);
    let never_asked =
        |record: &&Record| stored.iter().any(|it| it.holds(&written.topic, record.partition, record.offset));
    let found = written.visible.iter().filter(never_asked);
    let anomaly = |record: &Record| {
        let topic = written.topic.clone().into();
        let place = Position { topic, partition: record.partition, offset: record.offset };
        Anomaly { kind: Kind::Uncommitted, value: record.value.clone(), times: 1, places: vec![place] }
    };
    found.map(anomaly).collect()
}

impl Outcome {
    /// A run that decides nothing.
    pub fn unknown(scenario: &'static Scenario, case: &'static Case, program: &'static Program, why: Error) -> Self {
        Self {
            scenario,
            case,
            program,
            held: None,
            verdict: Verdict::Unknown(why),
            missing: Vec::new(),
            surprises: Vec::new(),
            ledger: Ledger::default(),
            marks: Vec::new(),
            instances: Vec::new(),
            nodes: Vec::new(),
            settings: Vec::new(),
            trace: Vec::new(),
            took: Duration::ZERO,
        }
    }
}
