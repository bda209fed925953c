//! The logs as an observer has seen them grow, and what follows from their batches alone: the last stable offset, and
//! what a reader at `read_committed` is to see.

use std::collections::{BTreeMap, HashMap, VecDeque};

use bytes::Bytes;

use crate::{
    batch::{self, TRANSACTIONAL},
    run::{Checked, hold},
};

/// What became of the records of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Plain,
    Open,
    Committed,
    Aborted,
    /// Of a marker.
    Control,
}

/// A batch in the log.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) bytes: Bytes,
    pub(crate) base_offset: i64,
    pub(crate) last_offset: i64,
    pub(crate) producer_id: i64,
    pub(crate) epoch: i16,
    pub(crate) sequence: i32,
    pub(crate) ids: Vec<u64>,
    pub(crate) fate: Fate,
    pub(crate) commits: Option<bool>,
}

/// What a log says of a producer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    pub(crate) epoch: i16,
    pub(crate) last_sequence: Option<i32>,
    /// Base sequence, number of records and base offset of the last batches.
    pub(crate) batches: VecDeque<(i32, usize, i64)>,
    /// First offset of the open transaction.
    pub(crate) open: Option<i64>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Log {
    pub(crate) batches: Vec<Seen>,
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) producers: BTreeMap<i64, Known>,
    /// Where each record stands: index of its batch, offset.
    pub(crate) places: HashMap<u64, (usize, i64)>,
    last_stable: i64,
}

impl Log {
    /// Up to here, every transaction has ended. Where the start of an open one has been deleted, Kafka takes the batch with
    /// which the log starts now (`UnifiedLog.maybeIncrementFirstUnstableOffset`).
    pub(crate) fn last_stable_offset(&self) -> i64 {
        match self.producers.values().filter_map(|known| known.open).min() {
            None => self.end,
            Some(first) if first >= self.start => first,
            Some(_) => self.batches.get(self.index_of(self.start)).map_or(self.start, |seen| seen.base_offset),
        }
    }

    pub(crate) fn upper(&self, committed: bool) -> i64 {
        if committed { self.last_stable_offset() } else { self.end }
    }

    /// The index of the batch that holds this offset.
    pub(crate) fn index_of(&self, offset: i64) -> usize {
        self.batches.partition_point(|seen| seen.last_offset < offset)
    }

    /// How many bytes can be read from this offset.
    pub(crate) fn readable(&self, from: i64, committed: bool) -> usize {
        let upper = self.upper(committed);
        let batches = &self.batches[self.index_of(from)..];
        batches.iter().take_while(|seen| seen.last_offset < upper).map(|seen| seen.bytes.len()).sum()
    }

    /// The bytes from the start on.
    pub(crate) fn kept(&self) -> usize {
        self.batches[self.index_of(self.start)..].iter().map(|seen| seen.bytes.len()).sum()
    }

    /// What the records of a batch at these offsets became; `None` where nothing stands.
    pub(crate) fn fate(&self, id: u64) -> Option<(Fate, i64)> {
        self.places.get(&id).map(|(index, offset)| (self.batches[*index].fate, *offset))
    }

    /// The next batch of the log: gapless, whole, and in the order of its producer.
    pub(crate) fn push(&mut self, bytes: Bytes, plain_ids_repeat: bool) -> Checked {
        let parsed = batch::parse(&bytes);
        hold!(parsed.len() == 1, "{} batches where one was expected", parsed.len());
        let batch = &parsed[0];
        hold!(batch.checksum_is_right, "a wrong checksum at offset {}", batch.base_offset);
        hold!(batch.base_offset == self.end, "offset {} follows {}", batch.base_offset, self.end - 1);
        hold!(batch.leader_epoch == 0, "leader epoch {}", batch.leader_epoch);
        let offsets = batch.records.iter().map(|(offset, ..)| *offset);
        hold!(offsets.eq(batch.base_offset..=batch.last_offset), "the offsets within a batch are not dense");
        let mut seen = Seen {
            base_offset: batch.base_offset,
            last_offset: batch.last_offset,
            producer_id: batch.producer_id,
            epoch: batch.producer_epoch,
            sequence: batch.base_sequence,
            ids: Vec::new(),
            fate: Fate::Plain,
            commits: batch.commits(),
            bytes,
        };
        if batch.is_control() {
            seen.fate = Fate::Control;
            self.marker(&seen)?;
        } else {
            for (offset, _, value) in &batch.records {
                let id = value.as_deref().and_then(|value| value.first_chunk()).map(|id| u64::from_be_bytes(*id));
                let id = id.ok_or("a record without its number")?;
                let earlier = self.places.insert(id, (self.batches.len(), *offset));
                hold!(
                    earlier.is_none() || plain_ids_repeat && batch.producer_id < 0,
                    "record {id} stands at {:?} and at {offset}",
                    earlier.map(|(_, offset)| offset)
                );
                seen.ids.push(id);
            }
            if batch.producer_id >= 0 {
                self.sequenced(&mut seen, batch.attributes & TRANSACTIONAL != 0)?;
            }
        }
        self.end = seen.last_offset + 1;
        self.batches.push(seen);
        Ok(())
    }

    fn sequenced(&mut self, seen: &mut Seen, transactional: bool) -> Checked {
        let (id, epoch, sequence) = (seen.producer_id, seen.epoch, seen.sequence);
        let known = self.producers.get(&id);
        if let Some(known) = known {
            let expected = match known.last_sequence {
                Some(last) if epoch == known.epoch => next_sequence(last, 1),
                _ => 0,
            };
            hold!(epoch >= known.epoch, "producer {id} of epoch {epoch} writes after epoch {}", known.epoch);
            hold!(sequence == expected, "sequence {sequence} of producer {id} where {expected} was next");
        }
        let known = self.producers.entry(id).or_default();
        if known.epoch != epoch {
            known.batches.clear();
        }
        known.epoch = epoch;
        known.last_sequence = Some(next_sequence(sequence, seen.ids.len() - 1));
        if known.batches.len() == 5 {
            known.batches.pop_front();
        }
        known.batches.push_back((sequence, seen.ids.len(), seen.base_offset));
        if transactional {
            seen.fate = Fate::Open;
            known.open.get_or_insert(seen.base_offset);
        } else {
            hold!(known.open.is_none(), "producer {id} writes outside of its transaction");
        }
        Ok(())
    }

    /// Decides what the transaction of its producer has written here.
    fn marker(&mut self, seen: &Seen) -> Checked {
        let commits = seen.commits.ok_or("a control batch without a type")?;
        let known = self.producers.entry(seen.producer_id).or_insert_with(|| Known { epoch: -1, ..Known::default() });
        hold!(seen.epoch >= known.epoch, "a marker of epoch {} after epoch {}", seen.epoch, known.epoch);
        if seen.epoch != known.epoch {
            known.batches.clear();
            known.last_sequence = None;
        }
        known.epoch = seen.epoch;
        if let Some(first) = known.open.take() {
            let from = self.index_of(first);
            for batch in &mut self.batches[from..] {
                if batch.producer_id == seen.producer_id && batch.fate == Fate::Open {
                    batch.fate = if commits { Fate::Committed } else { Fate::Aborted };
                }
            }
        }
        Ok(())
    }

    /// What a partition says of itself beside its records.
    pub(crate) fn bounds(&mut self, high_watermark: i64, last_stable: i64, start: i64) -> Checked {
        hold!(start >= self.start, "the log start offset goes back from {} to {start}", self.start);
        hold!(start <= self.end, "the log start offset {start} is past the end {}", self.end);
        self.start = start;
        hold!(high_watermark == self.end, "high watermark {high_watermark}, but the log ends at {}", self.end);
        let expected = self.last_stable_offset();
        hold!(last_stable == expected, "last stable offset {last_stable}; its batches say {expected}");
        hold!(last_stable >= self.last_stable, "the LSO goes back from {} to {last_stable}", self.last_stable);
        self.last_stable = last_stable;
        Ok(())
    }
}

/// The sequence number so many records later.
pub(crate) fn next_sequence(sequence: i32, records: usize) -> i32 {
    ((i64::from(sequence) + records as i64) % (1 << 31)) as i32
}

/// The batches in what was fetched; one that was cut is left out.
pub(crate) fn split(bytes: &Bytes) -> Vec<Bytes> {
    let mut rest = bytes.clone();
    let mut batches = Vec::new();
    while let Some(length) = rest.get(8..12) {
        let length = 12 + u32::from_be_bytes(length.try_into().expect("4 bytes")) as usize;
        if rest.len() < length {
            break;
        }
        batches.push(rest.split_to(length));
    }
    batches
}
