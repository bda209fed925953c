//! The books of a consumer.

use std::collections::{BTreeMap, HashMap, HashSet};

use common::grammar::Position;

use super::findings::{ByValue, Findings, by_place, by_value, is_behind, stands_at};
use super::{Kind, Ledger};
use crate::reader::{Contents, Record};
use crate::said::Process;
use crate::value::Value;

impl Ledger {
    /// The books of a consumer: its input, its group's committed offsets, and what its instances said that they had
    /// processed.
    pub fn of_consumer(said: &[Process], input: &Contents, committed: &BTreeMap<i32, i64>) -> Self {
        let stored = by_value(&input.visible);
        let mut found = Findings::new(&input.topic);
        let processed = Processed::new(said);

        for record in &input.visible {
            let kind = match (processed.contains(&record.value), is_behind(record, committed)) {
                (false, true) => Kind::Lost,
                (false, false) => Kind::Missing,
                (true, false) if processed.may_include(record) => Kind::NotCommitted,
                (true, _) => continue,
            };
            found.add(kind, &record.value, vec![found.place(record)]);
        }
        processed.repeated(Kind::Duplicated, &mut found, &stored);
        processed.not_in_the_input(&mut found, input, &stored);
        processed.misplaced(&mut found, input);
        processed.disorder(&mut found, &stored);
        Self {
            sent: None,
            acknowledged: None,
            stored: input.visible.len(),
            processed: Some(said.len()),
            aborted_input: input.aborted().count(),
            anomalies: found.anomalies,
            started_over: HashSet::new(),
        }
    }
}

/// What was said to be processed, by value.
pub(super) struct Processed<'a> {
    said: &'a [Process],
    by_value: HashMap<&'a Value, Vec<&'a Process>>,
}

impl<'a> Processed<'a> {
    pub(super) fn new(said: &'a [Process]) -> Self {
        let mut by_value: HashMap<_, Vec<_>> = HashMap::new();
        for process in said {
            by_value.entry(&process.value).or_default().push(process);
        }
        Self { said, by_value }
    }

    fn contains(&self, value: &Value) -> bool {
        self.by_value.contains_key(value)
    }

    fn of(&self, value: &Value) -> &[&'a Process] {
        self.by_value.get(value).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether this very copy was processed; lines without a place may be about any copy.
    fn may_include(&self, record: &Record) -> bool {
        let here = |place: &Position<'_>| (place.partition, place.offset) == (record.partition, record.offset);
        self.of(&record.value).iter().any(|process| process.place.as_ref().is_none_or(here))
    }

    /// The values, each once, in the order of their first line.
    fn values(&self) -> impl Iterator<Item = &'a Value> {
        let mut told = HashSet::new();
        self.said.iter().map(|process| &process.value).filter(move |value| told.insert(*value))
    }

    /// Values that were processed more often than they stand in the input: where each line names a place, a place that
    /// was processed more than once.
    pub(super) fn repeated(&self, kind: Kind, found: &mut Findings<'_>, stored: &ByValue<'_>) {
        for value in self.values() {
            let processes = self.of(value);
            let named: Option<Vec<_>> = processes.iter().map(|process| process.place.as_ref()).collect();
            let (surplus, places) = match named {
                Some(mut named) => {
                    let all = named.len();
                    named.sort();
                    let again: Vec<_> =
                        named.iter().zip(named.iter().skip(1)).filter(|(a, b)| a == b).map(|(a, _)| *a).collect();
                    named.dedup();
                    let mut places: Vec<_> = again.into_iter().cloned().collect();
                    places.dedup();
                    (all - named.len(), places)
                }
                None => {
                    let due = stored.get(value).map_or(1, Vec::len);
                    (processes.len().saturating_sub(due), found.places(stored, value))
                }
            };
            if surplus > 0 {
                found.add_times(kind, value, surplus, places);
            }
        }
    }

    /// Values that were processed and are not in the input for a read_committed reader.
    pub(super) fn not_in_the_input(&self, found: &mut Findings<'_>, input: &Contents, visible: &ByValue<'_>) {
        let aborted: HashMap<_, _> = input.aborted().map(|record| (&record.value, record)).collect();
        for value in self.values().filter(|value| !visible.contains_key(value)) {
            match aborted.get(value) {
                Some(record) => found.add(Kind::AbortedProcessed, value, vec![found.place(record)]),
                None => found.add(Kind::Phantom, value, Vec::new()),
            }
        }
    }

    /// Lines that name a place at which something else stands, or nothing. (What stands there in an aborted transaction
    /// is told as such.)
    pub(super) fn misplaced(&self, found: &mut Findings<'_>, input: &Contents) {
        let there = by_place(&input.all);
        for process in self.said {
            if let Some(place) = process.place.as_ref().filter(|place| place.offset >= 0)
                && !stands_at(&there, input, place, &process.value)
            {
                found.add(Kind::Misplaced, &process.value, vec![place.clone()]);
            }
        }
    }

    /// The lines of each instance, in their order; where a line has no place, the one where the value stands. What
    /// another instance has processed as well is no disorder, but the same work once more.
    fn disorder(&self, found: &mut Findings<'_>, stored: &ByValue<'_>) {
        let instances: HashSet<_> = self.said.iter().map(|process| process.instance).collect();
        let mut instances: Vec<_> = instances.into_iter().collect();
        instances.sort_unstable();
        for instance in instances {
            let alone =
                |process: &&Process| self.of(&process.value).iter().all(|other| other.instance == process.instance);
            let own = self.said.iter().filter(|process| process.instance == instance).filter(alone);
            found.disorder(own.filter_map(|process| {
                let record = *stored.get(&process.value)?.first()?;
                let (partition, offset) = match &process.place {
                    Some(place) => (place.partition, place.offset),
                    None => (record.partition, record.offset),
                };
                Some((partition, usize::try_from(offset).ok()?, record))
            }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

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

    #[test]
    fn what_a_successor_reads_again_is_a_duplicate_and_no_disorder() {
        let ledger = consumers(&[READ, "[t p0@1] b\n[t p0@2] c\n[t p0@3] d"], &topic(&["a b c d"]), &[(0, 4)]);
        let again = [one(Kind::Duplicated, "b", "t[0]@1"), one(Kind::Duplicated, "c", "t[0]@2")].concat();
        assert_eq!(found(&ledger.anomalies), again);
        let ledger = consumers(&["[t p0@0] a\n[t p0@2] c", "[t p0@1] b"], &topic(&["a b c"]), &[(0, 3)]);
        assert_eq!(ledger.anomalies, [], "between instances there is no order");
        let ledger = consumers(&["[t p0@2] c\n[t p0@1] b", "[t p0@1] b"], &topic(&["a b c"]), &[(0, 1)]);
        assert_eq!(ledger.count(Kind::Reordered), 0, "the same work once more");
    }

    #[test]
    fn the_place_tells_which_copy_was_processed() {
        let log = topic(&["a b a"]);
        let ledger = consumer("[t p0@0] a\n[t p0@1] b\n[t p0@0] a", &log, &[(0, 3)]);
        assert_eq!(found(&ledger.anomalies), one(Kind::Duplicated, "a", "t[0]@0"));
        let ledger = consumer("[t p0@0] a\n[t p0@1] b", &log, &[(0, 2)]);
        assert_eq!(ledger.anomalies, [], "a program may recognise the copy");
    }

    #[test]
    fn an_aborted_record_stands_where_it_stands() {
        let ledger = consumer("[t p0@0] a\n[t p0@1] x", &topic(&["a -x _"]), &[(0, 3)]);
        assert_eq!(ledger.count(Kind::Misplaced), 0);
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
