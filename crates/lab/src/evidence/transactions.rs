//! Fencing, aborts, and commits that are sent again.

use std::collections::{HashMap, HashSet};

use proxy::Facts;

use super::{Step, exchanges};

const INVALID_PRODUCER_EPOCH: i16 = 47;
const PRODUCER_FENCED: i16 = 90;

/// The first refusal of a client whose transactional id another one has taken over.
///
/// A coordinator that aborts a transaction for its timeout refuses what follows with the same code; then nobody has
/// taken over. INVALID_TXN_STATE is no fencing: the producer is the right one, and its transaction in another state.
pub(super) fn fenced(steps: &[Step<'_>]) -> Option<u64> {
    // Of each transactional id, the clients that another one has replaced.
    let mut replaced: HashMap<&str, HashSet<&str>> = HashMap::new();
    // Those that had one at all.
    let mut owners: HashMap<&str, HashSet<&str>> = HashMap::new();
    for step in steps {
        match step {
            Step::Request(event, frame) => {
                let Some(id) = frame.facts.transactional_id.as_deref() else { continue };
                if frame.api == "InitProducerId" {
                    // The coordinator fences at once, also where the answer is to come back later.
                    let others = owners.entry(id).or_default().iter().filter(|owner| **owner != event.client);
                    replaced.entry(id).or_default().extend(others);
                }
            }
            Step::Response(exchange) => {
                let Some(id) = exchange.asked.transactional_id.as_deref() else { continue };
                if exchange.api == "InitProducerId" && exchange.went_well() {
                    owners.entry(id).or_default().insert(exchange.client);
                    if let Some(replaced) = replaced.get_mut(id) {
                        replaced.remove(exchange.client);
                    }
                }
                let refused = exchange.errors().any(|code| [INVALID_PRODUCER_EPOCH, PRODUCER_FENCED].contains(&code));
                let is_replaced = replaced.get(id).is_some_and(|replaced| replaced.contains(exchange.client));
                if refused && exchange.arrived && is_replaced {
                    return Some(exchange.number);
                }
            }
            Step::Killed(_) => {}
        }
    }
    None
}

/// Whether a client's commit was accepted after another client had initialised its producer: the other was to find what
/// the first had done, or to find that it would never be.
pub(super) fn overtaken(steps: &[Step<'_>]) -> bool {
    // In the order in which they initialised their producers for the first time.
    let mut clients: Vec<&str> = Vec::new();
    exchanges(steps).any(|exchange| match exchange.api {
        "InitProducerId" if exchange.went_well() => {
            // Again: it bumps its epoch, and fences whoever came after it.
            clients.retain(|client| *client != exchange.client);
            clients.push(exchange.client);
            false
        }
        "EndTxn" if exchange.asked.commits == Some(true) && exchange.went_well() => {
            clients.last().is_some_and(|last| *last != exchange.client)
        }
        _ => false,
    })
}

/// The first abort that was accepted.
pub(super) fn aborted(steps: &[Step<'_>]) -> Option<u64> {
    let aborted = exchanges(steps).find(|exchange| {
        exchange.api == "EndTxn" && exchange.asked.commits == Some(false) && exchange.told.error == Some(0)
    });
    aborted.map(|exchange| exchange.number)
}

/// The first commit that was sent again, with nothing in between that belongs to another transaction.
pub(super) fn commit_repeated(steps: &[Step<'_>]) -> Option<u64> {
    // (producer id, epoch) of the last commit, by transactional id.
    let mut committed = HashMap::new();
    for step in steps {
        let Step::Request(event, frame) = step else { continue };
        let facts = &frame.facts;
        let Some(id) = facts.transactional_id.as_deref() else { continue };
        match frame.api.as_str() {
            "EndTxn" if facts.commits == Some(true) => {
                let producer = producer(facts);
                if producer.is_some() && committed.insert(id, producer) == Some(producer) {
                    return Some(event.number);
                }
            }
            "EndTxn" | "Produce" | "AddPartitionsToTxn" | "AddOffsetsToTxn" => {
                committed.remove(id);
            }
            _ => {}
        }
    }
    None
}

/// The producer id and epoch.
pub(super) fn producer(facts: &Facts) -> Option<(i64, i16)> {
    Some((facts.producer_id?, facts.producer_epoch?))
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use crate::scenario::Mark;

    fn init(trace: &mut Trace, client: &str, epoch: i16) {
        trace.exchange(client, "InitProducerId", id("t"), Facts { error: Some(0), ..producer(7, epoch) });
    }

    fn end(commits: bool, epoch: i16) -> Facts {
        Facts { commits: Some(commits), ..with_id("t", producer(7, epoch)) }
    }

    fn commit(trace: &mut Trace, client: &str, epoch: i16, code: i16) {
        trace.exchange(client, "EndTxn", end(true, epoch), error(code));
    }

    #[test]
    fn a_commit_after_the_successors_beginning_is_a_zombies() {
        let mut trace = Trace::default();
        init(&mut trace, "first", 0);
        commit(&mut trace, "first", 0, 0);
        init(&mut trace, "second", 1);
        commit(&mut trace, "second", 1, 0);
        commit(&mut trace, "first", 0, 47);
        assert!(!crate::evidence::overtaken(trace.events()), "the broker has refused it");
        commit(&mut trace, "first", 0, 0);
        assert!(crate::evidence::overtaken(trace.events()));
    }

    #[test]
    fn a_producer_that_initialises_once_more_is_the_newest_again() {
        let mut trace = Trace::default();
        init(&mut trace, "first", 0);
        init(&mut trace, "second", 1);
        init(&mut trace, "first", 2);
        commit(&mut trace, "first", 2, 0);
        assert!(!crate::evidence::overtaken(trace.events()));
        commit(&mut trace, "second", 1, 0);
        assert!(crate::evidence::overtaken(trace.events()));
    }

    #[test]
    fn a_refusal_after_another_client_has_taken_over_is_fencing() {
        for (api, code) in [("EndTxn", 47), ("EndTxn", 90), ("AddOffsetsToTxn", 47), ("InitProducerId", 90)] {
            let mut trace = Trace::default();
            init(&mut trace, "first", 0);
            init(&mut trace, "second", 1);
            let shown = trace.exchange("first", api, end(true, 0), error(code));
            assert_eq!(trace.first(Mark::Fenced), Some(shown), "{api} {code}");
        }
    }

    #[test]
    fn a_produce_is_refused_by_partition() {
        let mut trace = Trace::default();
        init(&mut trace, "first", 0);
        init(&mut trace, "second", 1);
        let shown = trace.exchange("first", "Produce", id("t"), refused(0, 47));
        assert_eq!(trace.first(Mark::Fenced), Some(shown));
    }

    #[test]
    fn the_old_one_is_fenced_while_the_new_one_still_waits() {
        let mut trace = Trace::default();
        init(&mut trace, "first", 0);
        trace.exchange("second", "InitProducerId", id("t"), error(51));
        let shown = trace.exchange("first", "EndTxn", end(true, 0), error(47));
        assert_eq!(trace.first(Mark::Fenced), Some(shown));
    }

    #[test]
    fn a_timeout_is_no_fencing_and_nor_is_another_error() {
        let mut trace = Trace::default();
        init(&mut trace, "first", 0);
        trace.exchange("first", "EndTxn", end(true, 0), error(47));
        assert_eq!(trace.first(Mark::Fenced), None, "nobody has taken over");
        init(&mut trace, "second", 1);
        trace.exchange("first", "EndTxn", end(true, 0), error(48));
        trace.exchange("second", "EndTxn", end(true, 1), error(47));
        assert_eq!(trace.first(Mark::Fenced), None, "an invalid state, and the newest client");
        let other = Facts { commits: Some(true), ..with_id("u", producer(8, 0)) };
        trace.exchange("first", "EndTxn", other, error(47));
        assert_eq!(trace.first(Mark::Fenced), None, "another transactional id");
    }

    #[test]
    fn what_the_proxy_says_or_the_client_never_hears_is_no_fencing() {
        let mut trace = Trace::default();
        init(&mut trace, "first", 0);
        init(&mut trace, "second", 1);
        let asked = trace.request("first", "EndTxn", end(true, 0));
        trace.fault("answer", asked);
        trace.response("first", "EndTxn", asked, error(47));
        assert_eq!(trace.first(Mark::Fenced), None);
        let shown = trace.exchange("first", "EndTxn", end(true, 0), error(47));
        trace.fault("cut", shown);
        assert_eq!(trace.first(Mark::Fenced), None);
        let asked = trace.request("first", "EndTxn", end(true, 0));
        trace.ours("first", "EndTxn", asked, error(47));
        assert_eq!(trace.first(Mark::Fenced), None);
    }

    #[test]
    fn an_abort_counts_when_it_is_accepted() {
        let mut trace = Trace::default();
        trace.exchange("first", "EndTxn", end(true, 0), error(0));
        trace.exchange("first", "EndTxn", end(false, 0), error(51));
        trace.request("first", "EndTxn", end(false, 0));
        assert_eq!(trace.first(Mark::Aborted), None);
        let shown = trace.exchange("first", "EndTxn", end(false, 0), error(0));
        assert_eq!(trace.first(Mark::Aborted), Some(shown));
    }

    #[test]
    fn a_commit_is_repeated_when_nothing_else_is_in_between() {
        let mut trace = Trace::default();
        trace.request("first", "EndTxn", end(true, 0));
        trace.request("first", "TxnOffsetCommit", with_id("u", producer(8, 0)));
        let shown = trace.request("first", "EndTxn", end(true, 0));
        assert_eq!(trace.first(Mark::CommitRepeated), Some(shown));
    }

    #[test]
    fn a_commit_of_the_next_transaction_is_no_repetition() {
        for api in ["Produce", "AddPartitionsToTxn", "AddOffsetsToTxn"] {
            let mut trace = Trace::default();
            trace.request("first", "EndTxn", end(true, 0));
            trace.request("first", api, with_id("t", producer(7, 0)));
            trace.request("first", "EndTxn", end(true, 0));
            assert_eq!(trace.first(Mark::CommitRepeated), None, "{api}");
        }
        let mut trace = Trace::default();
        trace.request("first", "EndTxn", end(true, 0));
        trace.request("second", "EndTxn", end(true, 1));
        trace.request("second", "EndTxn", end(false, 1));
        let other = Facts { commits: Some(true), ..with_id("u", producer(7, 1)) };
        trace.request("second", "EndTxn", other);
        assert_eq!(trace.first(Mark::CommitRepeated), None, "another epoch, an abort, another id");
    }
}
