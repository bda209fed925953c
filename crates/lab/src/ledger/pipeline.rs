//! The books of a pipeline.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::consumer::Processed;
use super::findings::{Findings, by_value, is_behind};
use super::{Kind, Ledger};
use crate::reader::{Contents, Record};
use crate::said::Process;
use crate::value::{Transform, Value};

impl Ledger {
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
        let mut found = Findings::new(&input.topic);
        let processed = Processed::new(said);
        processed.repeated(Kind::Repeated, &mut found, &inputs);
        processed.not_in_the_input(&mut found, input, &inputs);
        // Where its result stands in the output, that is what breaks the promise, and is told below.
        found.anomalies.retain(|anomaly| {
            anomaly.kind != Kind::AbortedProcessed || !stored.contains_key(&anomaly.value.transformed(transform))
        });
        processed.misplaced(&mut found, input);
        for record in &input.visible {
            let result = record.value.transformed(transform);
            let kind = match (stored.contains_key(&result), is_behind(record, committed)) {
                (false, true) => Kind::Lost,
                (false, false) => Kind::Missing,
                (true, false) => Kind::Half,
                (true, true) => continue,
            };
            found.add(kind, &record.value, vec![found.place(record)]);
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
        // Whichever instance wrote it: the first copy of each result is there before that of the next message.
        found.disorder(
            output.visible.iter().filter_map(|record| Some((record.partition, *order.get(&record.value)?, record))),
        );
        anomalies.extend(found.anomalies);
        Self {
            sent: None,
            acknowledged: None,
            stored: output.visible.len(),
            processed: Some(said.len()),
            aborted_input: input.aborted().count(),
            anomalies,
            started_over: HashSet::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

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
    fn results_whose_offsets_are_not_committed_are_half_of_a_transaction() {
        let ledger = pipeline(TRANSFORMED, &topic(&["a b", "c"]), &[(0, 1), (1, 1)], &topic(&["A B", "C"]));
        assert_eq!(judged("eos-pipeline", &ledger).0, one(Kind::Half, "b", "t[0]@1"));
    }

    #[test]
    fn work_that_two_instances_did_is_repeated_and_only_results_are_duplicated() {
        let input = topic(&["a b", "c"]);
        let all = [(0, 2), (1, 1)];
        let second = "process: t[0]@1 b -> B";
        let once = pipelines(&[TRANSFORMED, second], &input, &all, &topic(&["A -B _ B _", "C _"]));
        assert_eq!(judged("eos-pipeline", &once), (Vec::new(), one(Kind::Repeated, "b", "t[0]@1")));
        let twice = pipelines(&[TRANSFORMED, second], &input, &all, &topic(&["A B _ B _", "C _"]));
        assert_eq!(judged("eos-pipeline", &twice).0, one(Kind::Duplicated, "B", "t[0]@1 t[0]@3"));
    }

    #[test]
    fn an_instance_that_was_killed_before_it_said_so_has_done_it_all_the_same() {
        let ledger = pipelines(&["", ""], &topic(&["a"]), &[(0, 1)], &topic(&["A _"]));
        assert_eq!(ledger.anomalies, []);
    }
}
