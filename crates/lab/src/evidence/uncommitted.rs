//! Values whose commit nobody asked for.

use std::collections::{HashMap, HashSet};

use proxy::{Event, Happening, Side};

use crate::value::Value;

/// The values that were sent in a transaction, and in none for which a client sent EndTxn(commit). Of a batch with more
/// than two records, only the first and the last are looked at: the trace holds no others.
pub(crate) fn uncommitted(trace: &[Event]) -> HashSet<Value> {
    let mut open: HashMap<(i64, i16), Vec<Value>> = HashMap::new();
    let mut sent = HashSet::new();
    let mut asked = HashSet::new();
    for event in trace {
        let Happening::Frame(frame) = &event.happening else { continue };
        if frame.side != Side::Request {
            continue;
        }
        let facts = &frame.facts;
        match frame.api.as_str() {
            "Produce" => {
                let batches = facts.partitions.iter().flat_map(|part| &part.batches);
                for batch in batches.filter(|batch| batch.transactional) {
                    for value in batch.first.iter().chain(&batch.last) {
                        let value = Value::from(value.as_str());
                        sent.insert(value.clone());
                        open.entry((batch.producer_id, batch.producer_epoch)).or_default().push(value);
                    }
                }
            }
            "EndTxn" => {
                let Some(transaction) = facts.producer_id.zip(facts.producer_epoch) else { continue };
                let values = open.remove(&transaction).unwrap_or_default();
                if facts.commits == Some(true) {
                    asked.extend(values);
                }
            }
            _ => {}
        }
    }
    sent.retain(|value| !asked.contains(value));
    sent
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn produce(epoch: i16, value: &str) -> Facts {
        let batch = Batch {
            producer_id: 1,
            producer_epoch: epoch,
            transactional: true,
            first: Some(value.into()),
            last: Some(value.into()),
            ..Batch::default()
        };
        Facts { partitions: vec![Part { batches: vec![batch], ..Part::default() }], ..Facts::default() }
    }

    fn end(epoch: i16, commits: bool) -> Facts {
        Facts { producer_id: Some(1), producer_epoch: Some(epoch), commits: Some(commits), ..Facts::default() }
    }

    fn values(trace: &Trace) -> HashSet<Value> {
        uncommitted(trace.events())
    }

    #[test]
    fn a_commit_asks_for_what_went_before_it_in_its_epoch() {
        let mut trace = Trace::default();
        trace.request("a", "Produce", produce(0, "a"));
        trace.request("a", "EndTxn", end(0, true));
        trace.request("a", "Produce", produce(0, "b"));
        trace.request("a", "Produce", produce(1, "c"));
        trace.request("a", "EndTxn", end(1, true));
        assert_eq!(values(&trace), HashSet::from([Value::from("b")]));
    }

    #[test]
    fn what_is_aborted_was_not_asked_for_until_it_is_sent_again() {
        let mut trace = Trace::default();
        trace.request("a", "Produce", produce(0, "a"));
        trace.request("a", "EndTxn", end(0, false));
        trace.request("a", "EndTxn", end(0, true));
        assert_eq!(values(&trace), HashSet::from([Value::from("a")]));
        trace.request("a", "Produce", produce(0, "a"));
        trace.request("a", "EndTxn", end(0, true));
        assert_eq!(values(&trace), HashSet::new());
    }

    #[test]
    fn outside_a_transaction_there_is_nothing_to_commit() {
        let mut trace = Trace::default();
        let mut facts = produce(0, "a");
        facts.partitions[0].batches[0].transactional = false;
        trace.request("a", "Produce", facts);
        assert_eq!(values(&trace), HashSet::new());
    }
}
