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
use crate::said::{Outcome, Process, Producing};
use crate::value::{Transform, Value};

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
    /// Sent, and neither acknowledged (in a transaction: committed) nor reported as failed.
    Unacknowledged,
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
        self.anomalies.iter().filter(|anomaly| anomaly.kind == kind).map(|anomaly| anomaly.times).sum()
    }

    /// The books of a producer that was asked to send `intended`, in this order, to a topic of its own.
    pub fn of_producer(producer: Producer, intended: &[Value], said: &Producing, topic: &Contents) -> Self {
        let stored = by_value(&topic.visible);
        let mut found = Findings::new(&topic.topic);
        let sent: HashSet<_> = said.sent.iter().collect();
        let failed: HashSet<_> = said.failed.iter().collect();
        // What has to be there: what was acknowledged; in a transaction, what was committed; with acks=0, what was sent.
        let owed: HashSet<_> = if producer.transactional {
            let committed = said.transactions.iter().filter(|t| t.outcome == Outcome::Committed);
            committed.flat_map(|t| &t.values).collect()
        } else if producer.acknowledged {
            said.delivered.iter().collect()
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
            topic.visible.iter().filter_map(|record| Some((record.partition, *order.get(&record.value)?, record))),
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
        for value in intended {
            if !sent.contains(value) {
                found.add(Kind::Missing, value, found.places(&stored, value));
            } else if !owed.contains(value) && !failed.contains(value) {
                found.add(Kind::Unacknowledged, value, found.places(&stored, value));
            }
        }
        Self {
            sent: Some(sent.len()),
            acknowledged: producer.acknowledged.then_some(owed.len()),
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
            let record = *stored.get(&process.value)?.first()?;
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
        transform: Transform,
    ) -> Self {
        let inputs = by_value(&input.visible);
        let stored = by_value(&output.visible);
        let times = times_processed(said);
        let mut found = Findings::new(&input.topic);
        found.repeated(Kind::Repeated, said, &times, &inputs);
        found.not_in_the_input(said, input, &inputs);
        // Where its result stands in the output, that is what breaks the promise, and is told below.
        found.anomalies.retain(|anomaly| {
            anomaly.kind != Kind::AbortedProcessed || !stored.contains_key(&anomaly.value.transformed(transform))
        });
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
            output.visible.iter().filter_map(|record| Some((record.partition, *order.get(&record.value)?, record))),
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
        Self { topic, anomalies: Vec::new() }
    }

    fn place(&self, record: &Record) -> Position<'static> {
        Position { topic: self.topic.to_owned().into(), partition: record.partition, offset: record.offset }
    }

    fn places(&self, stored: &ByValue<'_>, value: &Value) -> Vec<Position<'static>> {
        let records = stored.get(value).into_iter().flatten();
        records.map(|record| self.place(record)).collect()
    }

    fn add(&mut self, kind: Kind, value: &Value, places: Vec<Position<'static>>) {
        self.anomalies.push(Anomaly { kind, value: value.clone(), times: 1, places });
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
        for value in said.iter().map(|process| &process.value) {
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
        for value in said.iter().map(|process| &process.value) {
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
        let there: HashMap<_, _> =
            topic.all.iter().map(|record| ((record.partition, record.offset), &record.value)).collect();
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
    committed.get(&record.partition).is_some_and(|&offset| record.offset < offset)
}

fn times_processed(said: &[Process]) -> HashMap<&Value, usize> {
    let mut times = HashMap::new();
    for value in said.iter().map(|process| &process.value) {
        *times.entry(value).or_default() += 1;
    }
    times
}

fn places(said: &[Process]) -> Vec<(Position<'static>, Value)> {
    said.iter().filter_map(|process| Some((process.place.clone()?, process.value.clone()))).collect()
}

/// The set in the order of sending; what was not to be sent comes last, sorted, so that a report is the same each time.
fn in_order<'a>(set: &HashSet<&'a Value>, intended: &'a [Value]) -> Vec<&'a Value> {
    let mut ordered: Vec<_> = intended.iter().filter(|value| set.contains(value)).collect();
    let known: HashSet<_> = intended.iter().collect();
    let mut others: Vec<_> = set.iter().copied().filter(|value| !known.contains(value)).collect();
    others.sort();
    ordered.extend(others);
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{Promise, Role, find};
    use crate::said;
    use crate::verdict::{Verdict, judge};

    const TOPIC: &str = "t";

    fn value(name: &str) -> Value {
        Value::from(name)
    }

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(|line| line.trim().to_owned()).collect()
    }

    /// Records at the offsets 0, 1, 2 … of a partition; those with a `-` before their value are of aborted transactions,
    /// and `_` is a control record, which no reader is given.
    fn topic(partitions: &[&str]) -> Contents {
        let mut contents = Contents { topic: TOPIC.into(), ..Contents::default() };
        for (partition, records) in (0..).zip(partitions) {
            for (offset, text) in (0..).zip(records.split(' ')) {
                if ["", "_"].contains(&text) {
                    continue;
                }
                let (text, is_aborted) = match text.strip_prefix('-') {
                    Some(text) => (text, true),
                    None => (text, false),
                };
                let record = Record { partition, offset, key: Value::new(None), value: value(text) };
                contents.all.push(record.clone());
                if !is_aborted {
                    contents.visible.push(record);
                }
            }
        }
        contents
    }

    fn promise(package: &str) -> Promise {
        find(package).unwrap().promise()
    }

    /// (kind, value, times, places) of what breaks the promise, and of what it allows.
    type Found = Vec<(Kind, String, usize, String)>;

    fn found(anomalies: &[Anomaly]) -> Found {
        let shown = |anomaly: &Anomaly| {
            let places: Vec<_> = anomaly.places.iter().map(ToString::to_string).collect();
            (anomaly.kind, anomaly.value.to_string(), anomaly.times, places.join(" "))
        };
        anomalies.iter().map(shown).collect()
    }

    fn judged(package: &str, ledger: &Ledger) -> (Found, Found) {
        let (verdict, allowed) = judge(promise(package), ledger);
        let broken = match verdict {
            Verdict::Violated(anomalies) => found(&anomalies),
            _ => Vec::new(),
        };
        (broken, found(&allowed))
    }

    /// The books of a producer that was to send `0`, `1`, `2`, `3`.
    fn producer(package: &str, text: &str, contents: &Contents) -> Ledger {
        let Role::Producer(producer) = find(package).unwrap().role else { panic!("{package} is no producer") };
        let intended: Vec<_> = ["0", "1", "2", "3"].map(value).into();
        Ledger::of_producer(producer, &intended, &said::producing(&lines(text), producer.transactional), contents)
    }

    fn consumer(text: &str, contents: &Contents, committed: &[(i32, i64)]) -> Ledger {
        let known = contents.all.iter().map(|record| &record.value).collect();
        let said = said::processing(&lines(text), &known);
        Ledger::of_consumer(&said, contents, &committed.iter().copied().collect())
    }

    fn pipeline(text: &str, input: &Contents, committed: &[(i32, i64)], output: &Contents) -> Ledger {
        let known = input.all.iter().map(|record| &record.value).collect();
        let said = said::processing(&lines(text), &known);
        let Role::Pipeline { transform, .. } = find("eos-pipeline").unwrap().role else { panic!("no pipeline") };
        Ledger::of_pipeline(&said, input, &committed.iter().copied().collect(), output, transform)
    }

    fn one(kind: Kind, value: &str, places: &str) -> Found {
        vec![(kind, value.to_owned(), 1, places.to_owned())]
    }

    const DELIVERED: &str = "delivered t[0]@0 0\ndelivered t[0]@1 1\ndelivered t[0]@2 2\ndelivered t[0]@3 3";

    #[test]
    fn a_producer_that_did_everything_has_clean_books() {
        let ledger = producer("producer-at-least-once", DELIVERED, &topic(&["0 1 2 3"]));
        assert_eq!(ledger.anomalies, []);
        assert_eq!((ledger.sent, ledger.acknowledged, ledger.stored), (Some(4), Some(4), 4));

        let committed = format!("{DELIVERED}\ncommitted 4");
        let ledger = producer("producer-exactly-once", &committed, &topic(&["0 1 2 3 _"]));
        assert_eq!(ledger.anomalies, []);

        let ledger = producer("producer-at-most-once", "sent 0\nsent 1\nsent 2\nsent 3", &topic(&["0 1 2 3"]));
        assert_eq!(ledger.anomalies, []);
        assert_eq!(ledger.acknowledged, None);
    }

    #[test]
    fn an_acknowledged_message_that_is_not_stored_is_lost() {
        let ledger = producer("producer-at-least-once", DELIVERED, &topic(&["0 1 _ 3"]));
        let (broken, _) = judged("producer-at-least-once", &ledger);
        assert!(broken.contains(&(Kind::Lost, "2".into(), 1, "t[0]@2".into())), "{broken:?}");
        assert_eq!(ledger.count(Kind::Lost), 1);
    }

    #[test]
    fn without_acknowledgements_what_was_sent_and_is_not_stored_is_lost_and_that_is_allowed() {
        let ledger = producer("producer-at-most-once", "sent 0\nsent 1\nsent 2\nfailed 3: why", &topic(&["0 2"]));
        let (broken, allowed) = judged("producer-at-most-once", &ledger);
        assert_eq!(broken, []);
        assert_eq!(allowed, [one(Kind::Lost, "1", ""), one(Kind::Failed, "3", "")].concat());
    }

    #[test]
    fn a_copy_is_a_duplicate_wherever_it_stands() {
        let text = DELIVERED.replace("@3 3", "@4 3");
        let ledger = producer("producer-at-least-once", &text, &topic(&["0 1 2 0 3", "1 1"]));
        let duplicates = vec![
            (Kind::Duplicated, "0".to_owned(), 1, "t[0]@0 t[0]@3".to_owned()),
            (Kind::Duplicated, "1".to_owned(), 2, "t[0]@1 t[1]@0 t[1]@1".to_owned()),
        ];
        assert_eq!(judged("producer-at-least-once", &ledger), (Vec::new(), duplicates.clone()), "allowed");
        assert_eq!(ledger.count(Kind::Duplicated), 3);
        let ledger = producer("producer-at-most-once", "sent 0\nsent 1\nsent 2\nsent 3", &topic(&["0 1 2 0 3", "1 1"]));
        assert_eq!(judged("producer-at-most-once", &ledger), (duplicates, Vec::new()), "not allowed");
    }

    #[test]
    fn a_message_behind_a_later_one_is_out_of_order_and_a_late_copy_is_not() {
        let text = "delivered t[0]@0 0\ndelivered t[0]@2 1\ndelivered t[0]@1 2\ndelivered t[0]@3 3";
        let ledger = producer("producer-at-least-once", text, &topic(&["0 2 1 3"]));
        assert_eq!(judged("producer-at-least-once", &ledger), (Vec::new(), one(Kind::Reordered, "1", "t[0]@2")));
        let committed = format!("{text}\ncommitted 4");
        let ledger = producer("producer-exactly-once", &committed, &topic(&["0 2 1 3 _"]));
        assert_eq!(judged("producer-exactly-once", &ledger).0, one(Kind::Reordered, "1", "t[0]@2"));
        let ledger = producer("producer-at-least-once", DELIVERED, &topic(&["0 1 2 3 0 1"]));
        assert_eq!(ledger.count(Kind::Reordered), 0, "copies are duplicates, no disorder");
        let text = "delivered t[1]@0 0\ndelivered t[0]@0 1\ndelivered t[0]@1 2\ndelivered t[1]@1 3";
        let ledger = producer("producer-at-least-once", text, &topic(&["1 2", "0 3"]));
        assert_eq!(ledger.anomalies, [], "there is no order between partitions");
    }

    #[test]
    fn an_aborted_transaction_must_not_show() {
        let text = format!("{DELIVERED}\naborted 4: why");
        let ledger = producer("producer-exactly-once", &text, &topic(&["-0 -1 -2 -3 _"]));
        assert_eq!(judged("producer-exactly-once", &ledger).0, []);
        let ledger = producer("producer-exactly-once", &text, &topic(&["-0 1 -2 -3 _"]));
        assert_eq!(judged("producer-exactly-once", &ledger).0, one(Kind::AbortedVisible, "1", "t[0]@1"));
    }

    #[test]
    fn a_transaction_of_unknown_outcome_is_all_or_nothing() {
        let broken = |contents: &[&str]| {
            let ledger = producer("producer-exactly-once", DELIVERED, &topic(contents));
            judged("producer-exactly-once", &ledger).0
        };
        assert_eq!(broken(&["-0 -1 -2 -3 _"]), []);
        assert_eq!(broken(&["0 1 2 3 _"]), []);
        assert_eq!(broken(&["0 1 -2 3 _"]), one(Kind::Torn, "2", ""));
    }

    #[test]
    fn a_part_of_a_committed_transaction_is_a_loss() {
        let text = format!("{DELIVERED}\ncommitted 4");
        let ledger = producer("producer-exactly-once", &text, &topic(&["0 1 2 -3 _"]));
        assert_eq!(judged("producer-exactly-once", &ledger).0, one(Kind::Lost, "3", "t[0]@3"));
    }

    #[test]
    fn each_message_of_the_eos_producer_is_a_transaction() {
        let text = "committed t[0]@0 0\ncommitted t[0]@2 1\ncommitted t[0]@4 2\nfailed 3: why";
        let ledger = producer("eos-producer", text, &topic(&["0 _ 1 _ 2 _"]));
        assert_eq!(judged("eos-producer", &ledger), (Vec::new(), one(Kind::Failed, "3", "")));
        assert_eq!((ledger.sent, ledger.acknowledged), (Some(4), Some(3)));
        let ledger = producer("eos-producer", text, &topic(&["0 _ -1 _ 2 _"]));
        assert_eq!(judged("eos-producer", &ledger).0, one(Kind::Lost, "1", "t[0]@2"));
    }

    #[test]
    fn a_false_place_and_a_value_from_nowhere_break_any_promise() {
        let text = DELIVERED.replace("@1 1", "@7 1");
        let ledger = producer("producer-at-least-once", &text, &topic(&["0 1 2 3"]));
        assert_eq!(judged("producer-at-least-once", &ledger).0, one(Kind::Misplaced, "1", "t[0]@7"));
        let text = DELIVERED.replace("t[0]@1 1", "other[0]@1 1");
        let ledger = producer("producer-at-least-once", &text, &topic(&["0 1 2 3"]));
        assert_eq!(judged("producer-at-least-once", &ledger).0, one(Kind::Misplaced, "1", "other[0]@1"));
        let ledger = producer("producer-at-least-once", DELIVERED, &topic(&["0 1 2 3 boo"]));
        assert_eq!(judged("producer-at-least-once", &ledger).0, one(Kind::Phantom, "boo", "t[0]@4"));
    }

    #[test]
    fn what_was_not_sent_or_not_acknowledged_is_told_but_breaks_nothing() {
        let ledger =
            producer("producer-at-least-once", "delivered t[0]@0 0\nsent 1\nfailed 2: why", &topic(&["0 1 2"]));
        let expected =
            [one(Kind::Failed, "2", "t[0]@2"), one(Kind::Unacknowledged, "1", "t[0]@1"), one(Kind::Missing, "3", "")];
        assert_eq!(judged("producer-at-least-once", &ledger), (Vec::new(), expected.concat()));
    }

    const READ: &str = "[t p0@0] a\n[t p0@1] b\n[t p0@2] c";

    #[test]
    fn a_consumer_that_did_everything_has_clean_books() {
        let ledger = consumer(READ, &topic(&["a b c _ -x _"]), &[(0, 4)]);
        assert_eq!(ledger.anomalies, []);
        assert_eq!((ledger.stored, ledger.processed, ledger.aborted_input), (3, Some(3), 1));
    }

    #[test]
    fn what_was_committed_past_and_never_processed_is_lost() {
        let ledger = consumer("[t p0@0] a\n[t p0@2] c", &topic(&["a b c"]), &[(0, 3)]);
        assert_eq!(judged("consumer-at-least-once", &ledger).0, one(Kind::Lost, "b", "t[0]@1"));
        assert_eq!(judged("consumer-at-most-once", &ledger).1, one(Kind::Lost, "b", "t[0]@1"), "allowed");
    }

    #[test]
    fn what_was_not_committed_past_is_not_lost_as_yet() {
        let ledger = consumer("[t p0@0] a\n[t p0@1] b", &topic(&["a b c"]), &[(0, 1)]);
        let expected = [one(Kind::NotCommitted, "b", "t[0]@1"), one(Kind::Missing, "c", "t[0]@2")];
        assert_eq!(judged("consumer-at-least-once", &ledger), (Vec::new(), expected.concat()));
        let ledger = consumer("", &topic(&["a"]), &[]);
        assert_eq!(judged("consumer-at-least-once", &ledger), (Vec::new(), one(Kind::Missing, "a", "t[0]@0")));
    }

    #[test]
    fn what_was_processed_again_is_a_duplicate() {
        let twice = [READ, "[t p0@1] b"].join("\n");
        let ledger = consumer(&twice, &topic(&["a b c"]), &[(0, 3)]);
        assert_eq!(judged("consumer-at-most-once", &ledger).0, one(Kind::Duplicated, "b", "t[0]@1"));
        assert_eq!(judged("consumer-at-least-once", &ledger).0, [], "allowed");
        assert_eq!(judged("consumer-exactly-once", &ledger).0, [], "its offset is exactly once, its print is not");
        assert_eq!(ledger.processed, Some(4));
    }

    #[test]
    fn a_duplicate_of_the_producer_is_none_of_the_consumer() {
        let ledger = consumer("[t p0@0] a\n[t p0@1] b\n[t p0@2] a", &topic(&["a b a"]), &[(0, 3)]);
        assert_eq!(ledger.anomalies, []);
    }

    #[test]
    fn processing_what_was_aborted_is_named() {
        let ledger = consumer("[t p0@0] a\n[t p0@1] x", &topic(&["a -x _"]), &[(0, 3)]);
        assert_eq!(judged("consumer-exactly-once", &ledger).0, one(Kind::AbortedProcessed, "x", "t[0]@1"));
        assert_eq!(judged("consumer-at-most-once", &ledger).1, one(Kind::AbortedProcessed, "x", "t[0]@1"));
    }

    #[test]
    fn processing_what_is_not_there_breaks_any_promise() {
        let ledger = consumer("[t p0@0] a\n[t p0@1] zzz", &topic(&["a"]), &[(0, 1)]);
        let expected = [one(Kind::Phantom, "zzz", ""), one(Kind::Misplaced, "zzz", "t[0]@1")].concat();
        assert_eq!(judged("consumer-at-most-once", &ledger).0, expected);
    }

    #[test]
    fn a_partition_is_processed_in_its_order() {
        let text = "[t p0@1] b\n[t p1@0] d\n[t p0@0] a";
        let ledger = consumer(text, &topic(&["a b", "d"]), &[(0, 2), (1, 1)]);
        assert_eq!(found(&ledger.anomalies), one(Kind::Reordered, "a", "t[0]@0"));
        let foreign = consumer("got b\ngot d\ngot a", &topic(&["a b", "d"]), &[(0, 2), (1, 1)]);
        assert_eq!(foreign.anomalies, ledger.anomalies, "without a place, where the value stands");
    }

    const TRANSFORMED: &str = "process: t[0]@0 a -> A\nprocess: t[0]@1 b -> B\nprocess: t[1]@0 c -> C";

    #[test]
    fn a_pipeline_that_did_everything_has_clean_books() {
        let input = topic(&["a b _ -x", "c _"]);
        let ledger = pipeline(TRANSFORMED, &input, &[(0, 4), (1, 2)], &topic(&["A B _", "C _"]));
        assert_eq!(ledger.anomalies, []);
        assert_eq!((ledger.stored, ledger.processed, ledger.aborted_input), (3, Some(3), 1));
    }

    #[test]
    fn a_pipeline_is_judged_by_its_output() {
        let input = topic(&["a b -x", "c"]);
        let all = [(0, 3), (1, 1)];
        let broken = |output: &[&str]| judged("eos-pipeline", &pipeline(TRANSFORMED, &input, &all, &topic(output))).0;
        assert_eq!(broken(&["A", "C"]), one(Kind::Lost, "b", "t[0]@1"));
        assert_eq!(broken(&["A -B _", "C"]), one(Kind::Lost, "b", "t[0]@1"), "aborted");
        assert_eq!(broken(&["A B A", "C"]), one(Kind::Duplicated, "A", "t[0]@0 t[0]@2"));
        assert_eq!(broken(&["B A", "C"]), one(Kind::Reordered, "A", "t[0]@1"));
        assert_eq!(broken(&["A B C", ""]), one(Kind::OtherPartition, "C", "t[0]@2"));
        assert_eq!(broken(&["A B X", "C"]), one(Kind::AbortedProcessed, "X", "t[0]@2"));
        assert_eq!(broken(&["A B zzz", "C"]), one(Kind::Phantom, "zzz", "t[0]@2"));
    }

    #[test]
    fn a_result_without_its_key_is_another_result() {
        let mut output = topic(&["A B", "C"]);
        output.visible[1].key = value("k");
        let ledger = pipeline(TRANSFORMED, &topic(&["a b", "c"]), &[(0, 2), (1, 1)], &output);
        assert_eq!(judged("eos-pipeline", &ledger).0, one(Kind::OtherKey, "B", "t[0]@1"));
    }

    #[test]
    fn a_pipeline_may_do_its_work_twice_as_long_as_the_result_is_there_once() {
        let text = [TRANSFORMED, "process: t[0]@1 b -> B"].join("\n");
        let ledger = pipeline(&text, &topic(&["a b", "c"]), &[(0, 2), (1, 1)], &topic(&["A B", "C"]));
        assert_eq!(judged("eos-pipeline", &ledger), (Vec::new(), one(Kind::Repeated, "b", "t[0]@1")));
    }

    #[test]
    fn a_line_about_an_aborted_message_is_told_even_without_a_result() {
        let text = [TRANSFORMED, "process: t[0]@2 x -> X"].join("\n");
        let ledger = pipeline(&text, &topic(&["a b -x", "c"]), &[(0, 3), (1, 1)], &topic(&["A B", "C"]));
        assert_eq!(judged("eos-pipeline", &ledger).0, one(Kind::AbortedProcessed, "x", "t[0]@2"));
    }

    #[test]
    fn results_whose_offsets_are_not_committed_will_come_again() {
        let ledger = pipeline(TRANSFORMED, &topic(&["a b", "c"]), &[(0, 1), (1, 1)], &topic(&["A B", "C"]));
        assert_eq!(judged("eos-pipeline", &ledger), (Vec::new(), one(Kind::NotCommitted, "b", "t[0]@1")));
    }

    mod counts {
        use proptest::prelude::*;

        use super::*;

        /// What a broker might hold after twelve messages: any of them, any number of times, in any order.
        fn stored() -> impl Strategy<Value = Vec<usize>> {
            proptest::collection::vec(0..12_usize, 0..24)
        }

        proptest! {
            #[test]
            fn are_those_of_the_naive_count(stored in stored()) {
                let intended: Vec<_> = (0..12).map(|i| value(&i.to_string())).collect();
                let names: Vec<_> = stored.iter().map(ToString::to_string).collect();
                let contents = topic(&[&names.join(" ")]);
                let text: Vec<_> = (0..12).map(|i| format!("delivered t[0]@-1001 {i}")).collect();
                let Role::Producer(of) = find("producer-at-least-once").unwrap().role else { panic!() };
                let ledger = Ledger::of_producer(of, &intended, &said::producing(&text, false), &contents);

                let copies = |i: usize| stored.iter().filter(|&&other| other == i).count();
                let lost = (0..12).filter(|&i| copies(i) == 0).count();
                let surplus: usize = (0..12).map(|i| copies(i).saturating_sub(1)).sum();
                let late = (0..stored.len()).filter(|&at| {
                    let (before, this) = (&stored[..at], stored[at]);
                    !before.contains(&this) && before.iter().any(|&other| other > this)
                });
                prop_assert_eq!(ledger.count(Kind::Lost), lost);
                prop_assert_eq!(ledger.count(Kind::Duplicated), surplus);
                prop_assert_eq!(ledger.count(Kind::Reordered), late.count());
                prop_assert_eq!(ledger.stored, stored.len());
                prop_assert_eq!(ledger.anomalies.iter().filter(|a| a.kind == Kind::Phantom).count(), 0);
            }

            #[test]
            fn of_a_consumer_are_those_of_the_naive_count(processed in stored(), committed in 0..14_i64) {
                let names: Vec<_> = (0..12).map(|i| i.to_string()).collect();
                let contents = topic(&[&names.join(" ")]);
                let text: Vec<_> = processed.iter().map(|i| format!("Traitement: clé=None valeur={i} offset={i}")).collect();
                let ledger = consumer(&text.join("\n"), &contents, &[(0, committed)]);

                let times = |i: i64| processed.iter().filter(|&&other| i64::try_from(other) == Ok(i)).count();
                let lost = (0..12).filter(|&i| times(i) == 0 && i < committed).count();
                let uncommitted = (0..12).filter(|&i| times(i) > 0 && i >= committed).count();
                let surplus: usize = (0..12).map(|i| times(i).saturating_sub(1)).sum();
                prop_assert_eq!(ledger.count(Kind::Lost), lost);
                prop_assert_eq!(ledger.count(Kind::NotCommitted), uncommitted);
                prop_assert_eq!(ledger.count(Kind::Duplicated), surplus);
                prop_assert_eq!(ledger.processed, Some(processed.len()));
            }
        }
    }
}
