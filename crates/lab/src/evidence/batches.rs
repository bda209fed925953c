//! Batches that are sent again.

use std::collections::HashSet;

use proxy::{Batch, Part};

use super::Step;

/// What makes a batch the same one.
#[derive(PartialEq, Eq, Hash)]
enum Identity<'a> {
    /// What the broker goes by.
    Sequence { producer_id: i64, epoch: i16, sequence: i32 },
    /// Without sequence numbers: values are unique, and a batch that is sent again begins as it did, even where others
    /// have joined it since.
    First(&'a str),
}

/// The first Produce that holds a batch which the same instance has sent before.
pub(super) fn resent(steps: &[Step<'_>]) -> Option<u64> {
    let mut sent = HashSet::new();
    for step in steps {
        match step {
            Step::Request(event, frame) if frame.api == "Produce" => {
                for (part, identity) in frame.facts.partitions.iter().flat_map(identities) {
                    if !sent.insert((event.client.as_str(), part.topic.as_str(), part.partition, identity)) {
                        return Some(event.number);
                    }
                }
            }
            // Who is started in its place begins anew.
            Step::Killed(client) => sent.retain(|(other, ..)| other != client),
            _ => {}
        }
    }
    None
}

fn identities(part: &Part) -> impl Iterator<Item = (&Part, Identity<'_>)> {
    part.batches.iter().filter_map(move |batch| Some((part, identity(batch)?)))
}

fn identity(batch: &Batch) -> Option<Identity<'_>> {
    if batch.producer_id >= 0 {
        let Batch { producer_id, producer_epoch: epoch, base_sequence: sequence, .. } = *batch;
        return Some(Identity::Sequence { producer_id, epoch, sequence });
    }
    batch.first.as_deref().filter(|first| !first.is_empty()).map(Identity::First)
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use crate::scenario::Mark;

    fn produce(partition: i32, batch: Batch) -> Facts {
        let part = Part { topic: "out".into(), partition, batches: vec![batch], ..Part::default() };
        Facts { partitions: vec![part], ..Facts::default() }
    }

    fn numbered(producer_id: i64, producer_epoch: i16, base_sequence: i32) -> Batch {
        Batch { producer_id, producer_epoch, base_sequence, first: Some("a".into()), ..Batch::default() }
    }

    fn plain(first: &str, last: &str) -> Batch {
        let some = |text: &str| Some(text.to_owned());
        Batch { producer_id: -1, base_sequence: -1, first: some(first), last: some(last), ..Batch::default() }
    }

    #[test]
    fn the_same_sequence_number_is_the_same_batch() {
        let mut trace = Trace::default();
        trace.request("first", "Produce", produce(0, numbered(7, 0, 3)));
        let shown = trace.request("first", "Produce", produce(0, numbered(7, 0, 3)));
        assert_eq!(trace.first(Mark::Resent), Some(shown));
    }

    #[test]
    fn another_number_epoch_producer_partition_or_client_is_another_batch() {
        let mut trace = Trace::default();
        trace.request("first", "Produce", produce(0, numbered(7, 0, 3)));
        trace.request("first", "Produce", produce(0, numbered(7, 0, 4)));
        trace.request("first", "Produce", produce(0, numbered(7, 1, 3)));
        trace.request("first", "Produce", produce(0, numbered(8, 0, 3)));
        trace.request("first", "Produce", produce(1, numbered(7, 0, 3)));
        trace.request("second", "Produce", produce(0, numbered(7, 0, 3)));
        assert_eq!(trace.first(Mark::Resent), None);
    }

    #[test]
    fn without_numbers_the_value_tells() {
        let mut trace = Trace::default();
        trace.request("first", "Produce", produce(0, plain("a", "b")));
        trace.request("first", "Produce", produce(0, plain("c", "d")));
        assert_eq!(trace.first(Mark::Resent), None);
        let shown = trace.request("first", "Produce", produce(0, plain("c", "e")));
        assert_eq!(trace.first(Mark::Resent), Some(shown), "others may have joined it");
    }

    #[test]
    fn nothing_known_is_nothing_shown() {
        let mut trace = Trace::default();
        for _ in 0..2 {
            trace.request("first", "Produce", produce(0, Batch { first: None, ..plain("", "") }));
            trace.request("first", "Produce", produce(0, plain("", "")));
        }
        assert_eq!(trace.first(Mark::Resent), None);
    }

    #[test]
    fn who_is_started_after_a_kill_begins_anew() {
        let mut trace = Trace::default();
        let killed = trace.request("first", "Produce", produce(0, plain("a", "b")));
        trace.fault("kill", killed);
        trace.request("first", "Produce", produce(0, plain("a", "b")));
        assert_eq!(trace.first(Mark::Resent), None);
    }
}
