//! Anomalies, as they are found in one topic.

use std::collections::{BTreeMap, HashMap, HashSet};

use common::grammar::Position;

use super::{Anomaly, Kind};
use crate::reader::{Contents, Record};
use crate::value::Value;

/// The records of a topic by their value.
pub(super) type ByValue<'a> = HashMap<&'a Value, Vec<&'a Record>>;

pub(super) fn by_value(records: &[Record]) -> ByValue<'_> {
    let mut by_value = ByValue::new();
    for record in records {
        by_value.entry(&record.value).or_default().push(record);
    }
    by_value
}

/// What stands where.
pub(super) fn by_place(records: &[Record]) -> HashMap<(i32, i64), &Value> {
    records.iter().map(|record| ((record.partition, record.offset), &record.value)).collect()
}

/// Whether the group's committed offset is beyond the record: the group will not be given it again.
pub(super) fn is_behind(record: &Record, committed: &BTreeMap<i32, i64>) -> bool {
    committed.get(&record.partition).is_some_and(|&offset| record.offset < offset)
}

/// Anomalies, as they are found in one topic.
pub(super) struct Findings<'a> {
    topic: &'a str,
    pub(super) anomalies: Vec<Anomaly>,
}

impl<'a> Findings<'a> {
    pub(super) fn new(topic: &'a str) -> Self {
        Self { topic, anomalies: Vec::new() }
    }

    pub(super) fn place(&self, record: &Record) -> Position<'static> {
        Position { topic: self.topic.to_owned().into(), partition: record.partition, offset: record.offset }
    }

    pub(super) fn places(&self, stored: &ByValue<'_>, value: &Value) -> Vec<Position<'static>> {
        let records = stored.get(value).into_iter().flatten();
        records.map(|record| self.place(record)).collect()
    }

    pub(super) fn add(&mut self, kind: Kind, value: &Value, places: Vec<Position<'static>>) {
        self.add_times(kind, value, 1, places);
    }

    pub(super) fn add_times(&mut self, kind: Kind, value: &Value, times: usize, places: Vec<Position<'static>>) {
        self.anomalies.push(Anomaly { kind, value: value.clone(), times, places });
    }

    /// Values that stand more often than `due` in the topic.
    pub(super) fn duplicates(&mut self, stored: &ByValue<'_>, due: impl Fn(&Value) -> usize) {
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

    /// Given (partition, position in the order that was meant, record): those that come after one that was meant to
    /// come later. Of several copies, the first one counts.
    pub(super) fn disorder<'r>(&mut self, records: impl Iterator<Item = (i32, usize, &'r Record)>) {
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

/// Whether the value stands at this place.
pub(super) fn stands_at(
    there: &HashMap<(i32, i64), &Value>,
    topic: &Contents,
    place: &Position<'_>,
    value: &Value,
) -> bool {
    place.topic == topic.topic && there.get(&(place.partition, place.offset)) == Some(&value)
}
