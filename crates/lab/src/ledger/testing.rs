//! What the tests of the books share.

use super::{Anomaly, Kind, Ledger};
use crate::catalogue::{Promise, Role, find};
use crate::reader::{Contents, Record};
use crate::said::{self, Producing};
use crate::value::Value;
use crate::verdict::{Verdict, judge};

pub(super) const TOPIC: &str = "t";

pub(super) fn value(name: &str) -> Value {
    Value::from(name)
}

pub(super) fn lines(text: &str) -> Vec<String> {
    text.lines().map(|line| line.trim().to_owned()).collect()
}

/// Records at the offsets 0, 1, 2 … of a partition; those with a `-` before their value are of aborted transactions,
/// and `_` is a control record, which no reader is given.
pub(super) fn topic(partitions: &[&str]) -> Contents {
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

pub(super) fn promise(package: &str) -> Promise {
    find(package).unwrap().promise()
}

/// (kind, value, times, places) of what breaks the promise, and of what it allows.
pub(super) type Found = Vec<(Kind, String, usize, String)>;

pub(super) fn found(anomalies: &[Anomaly]) -> Found {
    let shown = |anomaly: &Anomaly| {
        let places: Vec<_> = anomaly.places.iter().map(ToString::to_string).collect();
        (anomaly.kind, anomaly.value.to_string(), anomaly.times, places.join(" "))
    };
    anomalies.iter().map(shown).collect()
}

pub(super) fn judged(package: &str, ledger: &Ledger) -> (Found, Found) {
    let (verdict, allowed) = judge(promise(package), ledger);
    let broken = match verdict {
        Verdict::Violated(anomalies) => found(&anomalies),
        _ => Vec::new(),
    };
    (broken, found(&allowed))
}

/// The books of a producer that was to send `0`, `1`, `2`, `3`.
pub(super) fn producer(package: &str, text: &str, contents: &Contents) -> Ledger {
    producers(package, &[text], contents)
}

/// The same of several instances.
pub(super) fn producers(package: &str, instances: &[&str], contents: &Contents) -> Ledger {
    let Role::Producer(producer) = find(package).unwrap().role else { panic!("{package} is no producer") };
    let intended: Vec<_> = ["0", "1", "2", "3"].map(value).into();
    let mut said = Producing::default();
    for text in instances {
        said.merge(said::producing(&lines(text), producer.transactional));
    }
    Ledger::of_producer(producer, &intended, &said, contents)
}

pub(super) fn consumer(text: &str, contents: &Contents, committed: &[(i32, i64)]) -> Ledger {
    consumers(&[text], contents, committed)
}

/// The same of several instances.
pub(super) fn consumers(instances: &[&str], contents: &Contents, committed: &[(i32, i64)]) -> Ledger {
    let known = contents.all.iter().map(|record| &record.value).collect();
    let said = said::processing_of(instances.iter().map(|text| lines(text)), &known);
    Ledger::of_consumer(&said, contents, &committed.iter().copied().collect())
}

pub(super) fn pipeline(text: &str, input: &Contents, committed: &[(i32, i64)], output: &Contents) -> Ledger {
    pipelines(&[text], input, committed, output)
}

/// The same of several instances.
pub(super) fn pipelines(instances: &[&str], input: &Contents, committed: &[(i32, i64)], output: &Contents) -> Ledger {
    let known = input.all.iter().map(|record| &record.value).collect();
    let said = said::processing_of(instances.iter().map(|text| lines(text)), &known);
    let Role::Pipeline { transform, .. } = find("eos-pipeline").unwrap().role else { panic!("no pipeline") };
    Ledger::of_pipeline(&said, input, &committed.iter().copied().collect(), output, transform)
}

pub(super) fn one(kind: Kind, value: &str, places: &str) -> Found {
    vec![(kind, value.to_owned(), 1, places.to_owned())]
}
