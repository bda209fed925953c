//! Records whose commit nobody asked for.

use std::collections::HashMap;
use std::ops::Range;

use proxy::{Event, Facts, Frame, Happening, Side};

/// Records in a topic: `offset..offset + count` of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    topic: String,
    partition: i32,
    offsets: Range<i64>,
}

impl Stored {
    /// Whether the record at this place is one of them.
    pub(crate) fn holds(&self, topic: &str, partition: i32, offset: i64) -> bool {
        self.topic == topic && self.partition == partition && self.offsets.contains(&offset)
    }
}

/// A Produce in a transaction.
struct Sent<'a> {
    facts: &'a Facts,
    /// Producer id and epoch.
    by: (i64, i16),
    end: End,
}

/// What the client has asked for since.
#[derive(PartialEq)]
enum End {
    Nothing,
    Commit,
    Abort,
}

/// What was stored in transactions for which no client has sent EndTxn(commit): neither the one that stored it, nor, if
/// it was sent again, that of the retry.
pub(crate) fn uncommitted(trace: &[Event]) -> Vec<Stored> {
    let mut sent: HashMap<u64, Sent<'_>> = HashMap::new();
    let mut answered = Vec::new();
    for event in trace {
        let Happening::Frame(frame) = &event.happening else { continue };
        match (frame.api.as_str(), frame.side) {
            ("Produce", Side::Request) => {
                if let Some(by) = transaction(&frame.facts) {
                    sent.insert(event.number, Sent { facts: &frame.facts, by, end: End::Nothing });
                }
            }
            ("Produce", Side::Response) => answered.push(frame),
            ("EndTxn", Side::Request) => {
                let by = frame.facts.producer_id.zip(frame.facts.producer_epoch);
                for sent in sent.values_mut().filter(|sent| Some(sent.by) == by && sent.end == End::Nothing) {
                    sent.end = if frame.facts.commits == Some(true) { End::Commit } else { End::Abort };
                }
            }
            _ => {}
        }
    }
    let (asked, never): (Vec<_>, Vec<_>) = answered
        .into_iter()
        .filter_map(|frame| Some((frame, sent.get(&frame.request?)?)))
        .flat_map(|(frame, sent)| stored(frame, sent).map(|stored| (sent.end == End::Commit, stored)))
        .partition(|(asked, _)| *asked);
    never.into_iter().filter(|(_, stored)| asked.iter().all(|(_, other)| other != stored)).map(|(_, it)| it).collect()
}

fn transaction(produce: &Facts) -> Option<(i64, i16)> {
    let mut batches = produce.partitions.iter().flat_map(|part| &part.batches);
    let batch = batches.find(|batch| batch.transactional)?;
    Some((batch.producer_id, batch.producer_epoch))
}

/// Where the broker has put the batches of this request.
fn stored(response: &Frame, sent: &Sent<'_>) -> impl Iterator<Item = Stored> {
    let found = response.facts.partitions.iter().filter(|told| told.error == Some(0)).filter_map(|told| {
        let asked = &sent.facts.partitions;
        let asked = asked.iter().find(|asked| (&asked.topic, asked.partition) == (&told.topic, told.partition))?;
        let first = told.offset.filter(|offset| *offset >= 0)?;
        let records: i64 = asked.batches.iter().map(|batch| i64::from(batch.records)).sum();
        Some(Stored { topic: told.topic.clone(), partition: told.partition, offsets: first..first + records })
    });
    found.collect::<Vec<_>>().into_iter()
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    fn part(part: Part) -> Facts {
        Facts { partitions: vec![Part { topic: "t".into(), ..part }], ..Facts::default() }
    }

    fn batch(epoch: i16, records: i32) -> Facts {
        let batch = Batch { producer_id: 1, producer_epoch: epoch, transactional: true, records, ..Batch::default() };
        part(Part { batches: vec![batch], ..Part::default() })
    }

    fn stored_at(offset: i64) -> Facts {
        part(Part { error: Some(0), offset: Some(offset), ..Part::default() })
    }

    fn end(epoch: i16, commits: bool) -> Facts {
        Facts { producer_id: Some(1), producer_epoch: Some(epoch), commits: Some(commits), ..Facts::default() }
    }

    /// The offsets below 20 of what nobody committed.
    fn offsets(trace: &Trace) -> Vec<i64> {
        let found = uncommitted(trace.events());
        (0..20).filter(|&offset| found.iter().any(|stored| stored.holds("t", 0, offset))).collect()
    }

    #[test]
    fn a_commit_asks_for_what_went_before_it_in_its_epoch() {
        let mut trace = Trace::default();
        trace.exchange("a", "Produce", batch(0, 3), stored_at(0));
        trace.request("a", "EndTxn", end(0, true));
        trace.exchange("a", "Produce", batch(0, 2), stored_at(4));
        trace.exchange("a", "Produce", batch(1, 3), stored_at(6));
        trace.request("a", "EndTxn", end(1, true));
        assert_eq!(offsets(&trace), [4, 5]);
    }

    #[test]
    fn what_is_aborted_stays_so_and_what_is_sent_again_may_be_committed() {
        let mut trace = Trace::default();
        trace.exchange("a", "Produce", batch(0, 1), stored_at(0));
        trace.request("a", "EndTxn", end(0, false));
        trace.request("a", "EndTxn", end(0, true));
        assert_eq!(offsets(&trace), [0]);
        trace.exchange("a", "Produce", batch(0, 1), stored_at(0));
        trace.request("a", "EndTxn", end(0, true));
        assert_eq!(offsets(&trace), [0; 0]);
    }

    #[test]
    fn what_was_refused_or_is_in_no_transaction_does_not_count() {
        let mut trace = Trace::default();
        let refused = part(Part { error: Some(45), offset: Some(0), ..Part::default() });
        trace.exchange("a", "Produce", batch(0, 1), refused);
        let mut plain = batch(0, 1);
        plain.partitions[0].batches[0].transactional = false;
        trace.exchange("a", "Produce", plain, stored_at(1));
        assert_eq!(offsets(&trace), [0; 0]);
    }
}
