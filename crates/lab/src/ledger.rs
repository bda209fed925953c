//! The books of one run: what a program said, against what the broker holds.
//!
//! Values are unique, so each can be followed. From standard output ([`crate::said`]): sent, acknowledged, failed,
//! processed. From the broker, read to the end offset at both isolation levels ([`crate::reader`]): stored, aborted,
//! committed offsets. Everything in which the two differ is an [`Anomaly`], with the value named; whether it breaks the
//! program's promise is for [`crate::verdict`] to say.

use std::collections::{BTreeMap, HashMap, HashSet};

use common::grammar::Position;

use crate::catalogue::Producer;
use crate::reader::{Contents, Record};
use crate::said::{Outcome, Process, Processed, Producing};
use crate::value::Value;

/// The totals of a run, and everything that does not add up. `None` where a number has no meaning: an acks=0 producer
/// is never acknowledged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Messages that the program said it had sent, whatever became of them.
    pub sent: Option<usize>,
    /// Messages that the program said were stored (and, in a transaction, committed).
    pub acknowledged: Option<usize>,
    /// Records that a read_committed reader sees: in the topic that a producer or a pipeline writes, or that a consumer
    /// reads.
    pub stored: usize,
    /// How many times a message stood in a line of standard output as processed.
    pub processed: Option<usize>,
    /// Records of aborted transactions that stood in the input.
    pub aborted_input: usize,
    /// What does not add up.
    pub anomalies: Vec<Anomaly>,
}

/// A value with which something is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anomaly {
    /// What is wrong.
    pub kind: Kind,
    /// With which value.
    pub value: Value,
    /// How often: the surplus copies of a duplicate, otherwise 1.
    pub times: usize,
    /// Where it stands, or was said to stand.
    pub places: Vec<Position<'static>>,
}

/// What can be wrong with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Acknowledged (acks=0: sent) and not stored; or the group's committed offset is beyond it and it was never
    /// processed (pipeline: has no result).
    Lost,
    /// Stored, or processed, more often than it was there to begin with.
    Duplicated,
    /// Stands after a message that was sent after it.
    Reordered,
    /// The program says that its transaction was aborted; a read_committed reader sees it.
    AbortedVisible,
    /// Not visible, while another message of the same transaction is.
    Torn,
    /// Processed, although the transaction that it belongs to was aborted.
    AbortedProcessed,
    /// Stored or processed, and nobody has ever sent it.
    Phantom,
    /// The program says that it stands there, and something else does, or nothing.
    Misplaced,
    /// The pipeline's result is not in the partition of its input.
    OtherPartition,
    /// The pipeline's result does not have the key of its input.
    OtherKey,
    /// Reported as failed.
    Failed,
    /// Producer: never sent, as far as it says. Consumer: never processed, and its offset not committed: nothing is lost
    /// as yet.
    Missing,
    /// Processed, and its offset not committed: the next member of the group processes it again.
    NotCommitted,
    /// The pipeline did it more than once (its result need not be there twice for that).
    Repeated,
}

impl Ledger {
    /// How many anomalies there are of this kind; a duplicate counts once for each surplus copy.
    pub fn count(&self, kind: Kind) -> usize {
        self.anomalies
            .iter()
            .filter(|anomaly| anomaly.kind == kind)
            .map(|anomaly| anomaly.times)
            .sum()
    }

    /// The books of a producer that was asked to send `intended`, in this order, to a topic of its own.
    pub fn of_producer(producer: Producer, intended: &[Value], said: &Producing, topic: &Contents) -> Self {
        let stored = by_value(&topic.visible);
        let mut found = Findings::new(&topic.topic);
        let sent: HashSet<_> = said.sent.iter().collect();
        let acknowledged: Vec<_> = if producer.transactional {
            let committed = said.transactions.iter().filter(|t| t.outcome == Outcome::Committed);
            committed.flat_map(|t| &t.values).collect()
        } else if producer.acknowledged {
            said.delivered.iter().collect()
        } else {
            Vec::new()
        };

        let failed: HashSet<_> = said.failed.iter().collect();
        let owed: HashSet<_> = if producer.acknowledged {
            acknowledged.iter().copied().collect()
        } else {
            said.sent.iter().filter(|value| !failed.contains(value)).collect()
        };
        let said_at: HashMap<_, _> = said.places.iter().map(|(place, value)| (value, place)).collect();
        for value in in_order(&owed, intended) {
            if !stored.contains_key(value) {
                let place = said_at.get(value).map(|&place| place.clone());
                found.add(Kind::Lost, value, place.into_iter().filter(|place| place.offset >= 0).collect());
            }
        }
        found.duplicates(&stored, |_| 1);

        let order: HashMap<_, _> = intended.iter().enumerate().map(|(i, value)| (value, i)).collect();
        found.disorder(
            topic
                .visible
                .iter()
                .filter_map(|record| Some((record.partition, *order.get(&record.value)?, record))),
        );
        for record in &topic.visible {
            if !order.contains_key(&record.value) && !sent.contains(&record.value) {
                found.add(Kind::Phantom, &record.value, vec![found.place(record)]);
            }
        }

        for transaction in &said.transactions {
            let visible = |value: &&Value| stored.contains_key(*value);
            match transaction.outcome {
                // A value of it that is not visible is lost, and counted as such.
                Outcome::Committed => {}
                Outcome::Aborted => {
                    for value in transaction.values.iter().filter(visible) {
                        found.add(Kind::AbortedVisible, value, found.places(&stored, value));
                    }
                }
                Outcome::Unknown => {
                    if transaction.values.iter().any(|value| visible(&value)) {
                        for value in transaction.values.iter().filter(|value| !visible(value)) {
                            found.add(Kind::Torn, value, Vec::new());
                        }
                    }
                }
            }
        }

        found.misplaced(&said.places, topic);
        for value in in_order(&failed, intended) {
            found.add(Kind::Failed, value, found.places(&stored, value));
        }
        for value in intended.iter().filter(|value| !sent.contains(value)) {
            found.add(Kind::Missing, value, found.places(&stored, value));
        }
        Self {
            sent: Some(sent.len()),
            acknowledged: producer.acknowledged.then_some(acknowledged.len()),
            stored: topic.visible.len(),
            processed: None,
            aborted_input: 0,
            anomalies: found.anomalies,
        }
    }

    /// The books of a consumer: its input, its group's committed offsets, and what it said that it had processed.
    pub fn of_consumer(said: &[Process], input: &Contents, committed: &BTreeMap<i32, i64>) -> Self {
        let stored = by_value(&input.visible);
        let mut found = Findings::new(&input.topic);
        let times = times_processed(said);

        for record in &input.visible {
            let is_processed = times.contains_key(&record.value);
            match (is_processed, is_behind(record, committed)) {
                (false, true) => found.add(Kind::Lost, &record.value, vec![found.place(record)]),
                (false, false) => found.add(Kind::Missing, &record.value, vec![found.place(record)]),
                (true, false) => found.add(Kind::NotCommitted, &record.value, vec![found.place(record)]),
                (true, true) => {}
            }
        }
        found.repeated(Kind::Duplicated, said, &times, &stored);
        found.not_in_the_input(said, input, &stored);
        found.misplaced(&places(said), input);
        // In the order of its lines; where a line has no place, the one where the value stands.
        let order = said.iter().filter_map(|process| {
            let value = process.value.as_ref()?;
            let record = *stored.get(value)?.first()?;
            let (partition, offset) = match &process.place {
                Some(place) => (place.partition, place.offset),
                None => (record.partition, record.offset),
            };
            Some((partition, usize::try_from(offset).ok()?, record))
        });
        found.disorder(order);
        Self {
            sent: None,
            acknowledged: None,
            stored: input.visible.len(),
            processed: Some(times.values().sum()),
            aborted_input: input.aborted().count(),
            anomalies: found.anomalies,
        }
    }

    /// The books of a pipeline: those of a consumer for its input, and for each message of the input one result in the
    /// output, of the same key, in the same partition, in the same order.
    pub fn of_pipeline(
        said: &[Process],
        input: &Contents,
        committed: &BTreeMap<i32, i64>,
        output: &Contents,
        transform: fn(&[u8]) -> Vec<u8>,
    ) -> Self {
        let inputs = by_value(&input.visible);
        let stored = by_value(&output.visible);
        let times = times_processed(said);
        let mut found = Findings::new(&input.topic);
        found.repeated(Kind::Repeated, said, &times, &inputs);
        found.not_in_the_input(said, input, &inputs);
        found.misplaced(&places(said), input);
        for record in &input.visible {
            let result = record.value.transformed(transform);
            match (stored.contains_key(&result), is_behind(record, committed)) {
                (false, true) => found.add(Kind::Lost, &record.value, vec![found.place(record)]),
                (false, false) => found.add(Kind::Missing, &record.value, vec![found.place(record)]),
                (true, false) => found.add(Kind::NotCommitted, &record.value, vec![found.place(record)]),
                (true, true) => {}
            }
        }
        let mut anomalies = found.anomalies;

        let mut found = Findings::new(&output.topic);
        let mut expected: HashMap<Value, Vec<&Record>> = HashMap::new();
        let mut order = HashMap::new();
        for (i, record) in input.visible.iter().enumerate() {
            let result = record.value.transformed(transform);
            order.entry(result.clone()).or_insert(i);
            expected.entry(result).or_default().push(record);
        }
        let aborted: HashSet<_> = input.aborted().map(|record| record.value.transformed(transform)).collect();
        found.duplicates(&stored, |value| expected.get(value).map_or(1, Vec::len));
        for record in &output.visible {
            let place = vec![found.place(record)];
            match expected.get(&record.value) {
                None if aborted.contains(&record.value) => found.add(Kind::AbortedProcessed, &record.value, place),
                None => found.add(Kind::Phantom, &record.value, place),
                Some(from) if from.iter().all(|from| from.partition != record.partition) => {
                    found.add(Kind::OtherPartition, &record.value, place);
                }
                Some(from) if from.iter().all(|from| from.key != record.key) => {
                    found.add(Kind::OtherKey, &record.value, place);
                }
                Some(_) => {}
            }
        }
        found.disorder(
            output
                .visible
                .iter()
                .filter_map(|record| Some((record.partition, *order.get(&record.value)?, record))),
        );
        anomalies.extend(found.anomalies);
        Self {
            sent: None,
            acknowledged: None,
            stored: output.visible.len(),
            processed: Some(times.values().sum()),
            aborted_input: input.aborted().count(),
            anomalies,
        }
    }
}

/// Anomalies, as they are found in one topic.
struct Findings<'a> {
    topic: &'a str,
    anomalies: Vec<Anomaly>,
}

impl<'a> Findings<'a> {
    fn new(topic: &'a str) -> Self {
        Self {
            topic,
            anomalies: Vec::new(),
        }
    }

    fn place(&self, record: &Record) -> Position<'static> {
        Position {
            topic: self.topic.to_owned().into(),
            partition: record.partition,
            offset: record.offset,
        }
    }

    fn places(&self, stored: &ByValue<'_>, value: &Value) -> Vec<Position<'static>> {
        let records = stored.get(value).into_iter().flatten();
        records.map(|record| self.place(record)).collect()
    }

    fn add(&mut self, kind: Kind, value: &Value, places: Vec<Position<'static>>) {
        self.anomalies.push(Anomaly {
            kind,
            value: value.clone(),
            times: 1,
            places,
        });
    }

    /// Values that stand more often than `due` in the topic.
    fn duplicates(&mut self, stored: &ByValue<'_>, due: impl Fn(&Value) -> usize) {
        let mut surplus: Vec<_> = stored
            .iter()
            .filter_map(|(value, records)| Some((*value, records.len().checked_sub(due(value))?)))
            .filter(|(_, times)| *times > 0)
            .map(|(value, times)| Anomaly {
                kind: Kind::Duplicated,
                value: value.clone(),
                times,
                places: self.places(stored, value),
            })
            .collect();
        surplus.sort_by(|a, b| a.places.cmp(&b.places));
        self.anomalies.extend(surplus);
    }

    /// Values that were processed more often than they stand in the input.
    fn repeated(&mut self, kind: Kind, said: &[Process], times: &HashMap<&Value, usize>, stored: &ByValue<'_>) {
        let mut told = HashSet::new();
        for value in said.iter().filter_map(|process| process.value.as_ref()) {
            let due = stored.get(value).map_or(1, Vec::len);
            let surplus = times.get(value).copied().unwrap_or(0).saturating_sub(due);
            if surplus > 0 && told.insert(value) {
                self.anomalies.push(Anomaly {
                    kind,
                    value: value.clone(),
                    times: surplus,
                    places: self.places(stored, value),
                });
            }
        }
    }

    /// Values that were processed and are not in the input for a read_committed reader.
    fn not_in_the_input(&mut self, said: &[Process], input: &Contents, visible: &ByValue<'_>) {
        let aborted: HashMap<_, _> = input.aborted().map(|record| (&record.value, record)).collect();
        let mut told = HashSet::new();
        for value in said.iter().filter_map(|process| process.value.as_ref()) {
            if visible.contains_key(value) || !told.insert(value) {
                continue;
            }
            match aborted.get(value) {
                Some(record) => self.add(Kind::AbortedProcessed, value, vec![self.place(record)]),
                None => self.add(Kind::Phantom, value, Vec::new()),
            }
        }
    }

    /// Lines that name a place at which something else stands, or nothing.
    fn misplaced(&mut self, said: &[(Position<'static>, Value)], topic: &Contents) {
        let there: HashMap<_, _> = topic
            .all
            .iter()
            .map(|record| ((record.partition, record.offset), &record.value))
            .collect();
        for (place, value) in said {
            // A broker that recognises a duplicate may not tell where the first one stands; then there is no offset.
            let is_there = place.topic == topic.topic && there.get(&(place.partition, place.offset)) == Some(&value);
            if place.offset >= 0 && !is_there {
                self.add(Kind::Misplaced, value, vec![place.clone()]);
            }
        }
    }

    /// Given (partition, position in the order that was meant, record): those that come after one that was meant to
    /// come later. Of several copies, the first one counts.
    fn disorder<'r>(&mut self, records: impl Iterator<Item = (i32, usize, &'r Record)>) {
        let mut furthest: HashMap<i32, usize> = HashMap::new();
        let mut seen = HashSet::new();
        for (partition, position, record) in records {
            if !seen.insert((partition, position)) {
                continue;
            }
            let furthest = furthest.entry(partition).or_insert(position);
            if position < *furthest {
                self.add(Kind::Reordered, &record.value, vec![self.place(record)]);
            }
            *furthest = position.max(*furthest);
        }
    }
}

type ByValue<'a> = HashMap<&'a Value, Vec<&'a Record>>;

fn by_value(records: &[Record]) -> ByValue<'_> {
    let mut by_value = ByValue::new();
    for record in records {
        by_value.entry(&record.value).or_default().push(record);
    }
    by_value
}

/// Whether the group's committed offset is beyond the record: the group will not be given it again.
fn is_behind(record: &Record, committed: &BTreeMap<i32, i64>) -> bool {
    committed
        .get(&record.partition)
        .is_some_and(|&offset| record.offset < offset)
}

fn times_processed(said: &[Process]) -> HashMap<&Value, usize> {
    let mut times = HashMap::new();
    for value in said.iter().filter_map(|process| process.value.as_ref()) {
        *times.entry(value).or_default() += 1;
    }
    times
}

fn places(said: &[Process]) -> Vec<(Position<'static>, Value)> {
    said.iter()
        .filter_map(|process| Some((process.place.clone()?, process.value.clone()?)))
        .collect()
}

/// The set in the order of sending; what was not to be sent comes last, sorted, so that a report is the same each time.
fn in_order<'a>(set: &HashSet<&'a Value>, intended: &'a [Value]) -> Vec<&'a Value> {
    let (mut ordered, known): (Vec<_>, HashSet<_>) = (
        intended.iter().filter(|value| set.contains(value)).collect(),
        intended.iter().collect(),
    );
    let mut others: Vec<_> = set.iter().copied().filter(|value| !known.contains(value)).collect();
    others.sort();
    ordered.extend(others);
    ordered
}
