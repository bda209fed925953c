//! Committed offsets: refused, and moved backwards.

use std::collections::HashMap;

use proxy::Facts;

use super::transactions::producer;
use super::{Exchange, Step, exchanges};

/// ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID, REBALANCE_IN_PROGRESS, FENCED_INSTANCE_ID.
const NO_MEMBER: [i16; 4] = [22, 25, 27, 82];

/// The first refusal of offsets because of who sends them.
pub(super) fn refused(steps: &[Step<'_>]) -> Option<u64> {
    let refused = exchanges(steps).find(|exchange| {
        ["OffsetCommit", "TxnOffsetCommit"].contains(&exchange.api)
            && exchange.arrived
            && exchange.errors().any(|code| NO_MEMBER.contains(&code))
    });
    refused.map(|exchange| exchange.number)
}

/// Group, topic, partition.
type Place<'a> = (&'a str, &'a str, i32);

/// Transactional id, producer id, epoch.
type Producer<'a> = (&'a str, (i64, i16));

/// The first commit of a lower offset than the group had for that partition: of a consumer when it is accepted; in a
/// transaction, when the commit of the transaction is.
pub(super) fn rewound(steps: &[Step<'_>]) -> Option<u64> {
    let mut committed: HashMap<Place<'_>, i64> = HashMap::new();
    let mut pending: HashMap<Producer<'_>, Vec<(Place<'_>, i64)>> = HashMap::new();
    for exchange in exchanges(steps) {
        let asked = exchange.asked;
        let effective = match exchange.api {
            "OffsetCommit" => accepted(exchange),
            "TxnOffsetCommit" => {
                if let Some(producer) = transaction(asked) {
                    pending.entry(producer).or_default().extend(accepted(exchange));
                }
                continue;
            }
            "EndTxn" if exchange.told.error == Some(0) => {
                let offsets = transaction(asked).and_then(|producer| pending.remove(&producer)).unwrap_or_default();
                if asked.commits == Some(true) { offsets } else { continue }
            }
            // Whatever was open is aborted.
            "InitProducerId" if exchange.told.error == Some(0) => {
                pending.retain(|(id, _), _| Some(*id) != asked.transactional_id.as_deref());
                continue;
            }
            _ => continue,
        };
        for (place, offset) in effective {
            if committed.insert(place, offset).is_some_and(|before| offset < before) {
                return Some(exchange.number);
            }
        }
    }
    None
}

fn transaction(facts: &Facts) -> Option<Producer<'_>> {
    Some((facts.transactional_id.as_deref()?, producer(facts)?))
}

/// The offsets that were sent, of the partitions for which they were accepted.
fn accepted<'a>(exchange: &Exchange<'a>) -> Vec<(Place<'a>, i64)> {
    let Some(group) = exchange.asked.group.as_deref() else { return Vec::new() };
    let is_accepted = |topic: &str, partition: i32| {
        let mut told = exchange.told.partitions.iter();
        told.any(|part| (part.topic.as_str(), part.partition, part.error) == (topic, partition, Some(0)))
    };
    let asked = exchange.asked.partitions.iter();
    asked
        .filter(|part| is_accepted(&part.topic, part.partition))
        .filter_map(|part| Some(((group, part.topic.as_str(), part.partition), part.offset?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use crate::scenario::Mark;

    fn commit(group: &str, partition: i32, offset: i64) -> Facts {
        let part = Part { topic: "in".into(), partition, offset: Some(offset), ..Part::default() };
        Facts { group: Some(group.into()), partitions: vec![part], ..Facts::default() }
    }

    fn in_transaction(id: &str, epoch: i16, offset: i64) -> Facts {
        let Facts { producer_id, producer_epoch, .. } = producer(7, epoch);
        Facts { transactional_id: Some(id.into()), producer_id, producer_epoch, ..commit("g", 0, offset) }
    }

    fn end(commits: bool, id: &str, epoch: i16) -> Facts {
        Facts { commits: Some(commits), ..with_id(id, producer(7, epoch)) }
    }

    fn done(partition: i32) -> Facts {
        let part = Part { topic: "in".into(), partition, error: Some(0), ..Part::default() };
        Facts { partitions: vec![part], ..Facts::default() }
    }

    fn not_done(code: i16) -> Facts {
        let part = Part { topic: "in".into(), partition: 0, error: Some(code), ..Part::default() };
        Facts { partitions: vec![part], ..Facts::default() }
    }

    #[test]
    fn offsets_of_a_former_member_are_refused() {
        for (api, code) in
            [("OffsetCommit", 22), ("OffsetCommit", 27), ("TxnOffsetCommit", 25), ("TxnOffsetCommit", 82)]
        {
            let mut trace = Trace::default();
            let shown = trace.exchange("first", api, commit("g", 0, 5), not_done(code));
            assert_eq!(trace.first(Mark::OffsetsRefused), Some(shown), "{api} {code}");
        }
    }

    #[test]
    fn other_refusals_are_of_another_kind() {
        let mut trace = Trace::default();
        trace.exchange("first", "OffsetCommit", commit("g", 0, 5), not_done(16));
        trace.exchange("first", "Heartbeat", commit("g", 0, 5), error(22));
        trace.exchange("first", "TxnOffsetCommit", commit("g", 0, 5), done(0));
        let asked = trace.request("first", "OffsetCommit", commit("g", 0, 5));
        trace.fault("answer", asked);
        trace.response("first", "OffsetCommit", asked, not_done(22));
        assert_eq!(trace.first(Mark::OffsetsRefused), None);
    }

    #[test]
    fn an_accepted_commit_of_a_lower_offset_rewinds_whoever_sent_the_higher_one() {
        let mut trace = Trace::default();
        trace.exchange("first", "OffsetCommit", commit("g", 0, 5), done(0));
        let shown = trace.exchange("second", "OffsetCommit", commit("g", 0, 4), done(0));
        assert_eq!(trace.first(Mark::OffsetsRewound), Some(shown));
    }

    #[test]
    fn the_same_or_a_refused_offset_or_that_of_another_place_is_no_rewinding() {
        let mut trace = Trace::default();
        trace.exchange("first", "OffsetCommit", commit("g", 0, 5), done(0));
        trace.exchange("first", "OffsetCommit", commit("g", 0, 5), done(0));
        trace.exchange("first", "OffsetCommit", commit("g", 0, 4), not_done(22));
        trace.exchange("first", "OffsetCommit", commit("g", 1, 4), done(1));
        trace.exchange("first", "OffsetCommit", commit("h", 0, 4), done(0));
        trace.request("first", "OffsetCommit", commit("g", 0, 4));
        assert_eq!(trace.first(Mark::OffsetsRewound), None);
    }

    #[test]
    fn offsets_in_a_transaction_count_when_it_is_committed() {
        let mut trace = Trace::default();
        trace.exchange("second", "OffsetCommit", commit("g", 0, 9), done(0));
        trace.exchange("first", "TxnOffsetCommit", in_transaction("t", 0, 5), done(0));
        assert_eq!(trace.first(Mark::OffsetsRewound), None);
        let shown = trace.exchange("first", "EndTxn", end(true, "t", 0), error(0));
        assert_eq!(trace.first(Mark::OffsetsRewound), Some(shown));
    }

    #[test]
    fn offsets_in_a_transaction_that_is_not_committed_have_no_effect() {
        let mut trace = Trace::default();
        trace.exchange("second", "OffsetCommit", commit("g", 0, 9), done(0));
        trace.exchange("first", "TxnOffsetCommit", in_transaction("t", 0, 5), done(0));
        trace.exchange("first", "EndTxn", end(true, "t", 0), error(47));
        trace.exchange("first", "EndTxn", end(true, "t", 1), error(0));
        trace.exchange("first", "EndTxn", end(false, "t", 0), error(0));
        trace.exchange("first", "EndTxn", end(true, "t", 0), error(0));
        assert_eq!(trace.first(Mark::OffsetsRewound), None, "refused, of another epoch, aborted");
        trace.exchange("first", "TxnOffsetCommit", in_transaction("t", 0, 5), done(0));
        trace.exchange("second", "InitProducerId", id("t"), error(0));
        trace.exchange("first", "EndTxn", end(true, "t", 0), error(0));
        assert_eq!(trace.first(Mark::OffsetsRewound), None, "aborted by a successor");
    }

    #[test]
    fn a_commit_of_which_the_client_never_heard_counts() {
        let mut trace = Trace::default();
        trace.exchange("second", "OffsetCommit", commit("g", 0, 9), done(0));
        trace.exchange("first", "TxnOffsetCommit", in_transaction("t", 0, 5), done(0));
        let asked = trace.request("first", "EndTxn", end(true, "t", 0));
        let shown = trace.ours("first", "EndTxn", asked, error(0));
        assert_eq!(trace.first(Mark::OffsetsRewound), Some(shown));
    }
}
