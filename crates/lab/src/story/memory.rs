//! What was sent and committed so far: by it, a request is seen to be one that was there before, or an offset to move
//! backwards.

use std::collections::HashMap;

use proxy::{Event, Frame, Part};

use super::frames::error;

/// What makes two batches the same.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Identity {
    client: String,
    topic: String,
    partition: i32,
    /// Producer id, epoch and sequence number; without them the values.
    batch: (i64, i16, i32, Option<String>, Option<String>, i32),
}

/// What was sent and committed so far.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// Where each batch was stored, as far as the broker said.
    sent: HashMap<Identity, Option<i64>>,
    /// Which transactions were ended, with no answer so far.
    ending: HashMap<(String, Option<i64>, Option<i16>), Option<bool>>,
    /// The committed offset of a group in a partition.
    committed: HashMap<(String, String, i32), i64>,
    /// The same in a transaction, by producer id.
    pending: HashMap<i64, Vec<(String, Vec<Part>)>>,
}

impl Memory {
    /// Whether this request was sent before by the same client; and where the batch was stored then. Notes it.
    pub(super) fn sent_before(&mut self, event: &Event, frame: &Frame, answer: Option<&Frame>) -> Option<Option<i64>> {
        match frame.api.as_str() {
            "Produce" => {
                let mut before = None;
                for part in &frame.facts.partitions {
                    let place = answer.filter(|answer| error(&answer.facts).is_none()).and_then(|answer| {
                        let same = |other: &&Part| other.topic == part.topic && other.partition == part.partition;
                        answer.facts.partitions.iter().find(same)?.offset
                    });
                    for batch in &part.batches {
                        let ids = (batch.producer_id, batch.producer_epoch, batch.base_sequence);
                        let batch = if ids.0 >= 0 {
                            (ids.0, ids.1, ids.2, None, None, 0)
                        } else {
                            (-1, -1, -1, batch.first.clone(), batch.last.clone(), batch.records)
                        };
                        let identity = Identity {
                            client: event.client.clone(),
                            topic: part.topic.clone(),
                            partition: part.partition,
                            batch,
                        };
                        let first = self.sent.get(&identity).copied();
                        before = before.or(first);
                        // The place where it was stored first.
                        self.sent.insert(identity, first.flatten().or(place));
                    }
                }
                before
            }
            "EndTxn" => {
                let key = (event.client.clone(), frame.facts.producer_id, frame.facts.producer_epoch);
                let open = self.ending.get(&key).is_some_and(|commits| *commits == frame.facts.commits);
                if answer.is_some_and(|answer| error(&answer.facts).is_none()) && open {
                    self.ending.remove(&key);
                } else {
                    // An answer may be lost between the proxy and the client: the next of the kind is a repetition
                    // unless something else of the transaction comes first.
                    self.ending.insert(key, frame.facts.commits);
                }
                open.then_some(None)
            }
            "AddPartitionsToTxn" | "AddOffsetsToTxn" | "InitProducerId" => {
                self.ending.retain(|(client, _, _), _| *client != event.client);
                None
            }
            _ => None,
        }
    }

    /// Notes which offsets are committed; the offset before, where one moves backwards.
    pub(super) fn commits(&mut self, frame: &Frame, answer: Option<&Frame>) -> Option<i64> {
        let answer = answer?;
        if error(&answer.facts).is_some() {
            return None;
        }
        let group = frame.facts.group.clone().unwrap_or_default();
        match frame.api.as_str() {
            "OffsetCommit" => self.commit(&group, &frame.facts.partitions),
            "TxnOffsetCommit" => {
                let back = frame.facts.partitions.iter().find_map(|part| self.ahead(&group, part));
                let pending = self.pending.entry(frame.facts.producer_id?).or_default();
                pending.push((group, frame.facts.partitions.clone()));
                back
            }
            "EndTxn" => {
                let pending = self.pending.remove(&frame.facts.producer_id?).unwrap_or_default();
                if frame.facts.commits == Some(true) {
                    for (group, parts) in pending {
                        self.commit(&group, &parts);
                    }
                }
                None
            }
            _ => None,
        }
    }

    fn commit(&mut self, group: &str, parts: &[Part]) -> Option<i64> {
        let mut back = None;
        for part in parts {
            back = back.or(self.ahead(group, part));
            if let Some(offset) = part.offset {
                self.committed.insert((group.to_owned(), part.topic.clone(), part.partition), offset);
            }
        }
        back
    }

    /// The committed offset, if it is beyond the one that is committed now.
    fn ahead(&self, group: &str, part: &Part) -> Option<i64> {
        let before = self.committed.get(&(group.to_owned(), part.topic.clone(), part.partition)).copied()?;
        (part.offset? < before).then_some(before)
    }
}
