//! The log of one partition.

use std::collections::VecDeque;

use kafka_protocol::ResponseError;
use wire::{
    batch::{self, Batch, NO_TIMESTAMP},
    records,
};

use super::{
    aborted::{Aborted, AbortedIndex},
    marker::Marker,
    producers::{Appended, Producers},
    segment::Segment,
};
use crate::time::Millis;

/// A segment is closed when the next batch would make it larger, in bytes.
const SEGMENT: usize = 1 << 20;

/// The epoch of the only leader that a partition here ever has.
pub(crate) const LEADER_EPOCH: i32 = 0;

/// Apache Kafka looks up how far a read may reach in a sparse index, with an entry every so many bytes
/// (`index.interval.bytes`): nearer to the end it takes the end.
const INDEX_INTERVAL: usize = 4096;

/// What becomes of the timestamps of a batch that is appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Timestamps {
    /// As the producer set them; this is the largest.
    Create { max: Millis },
    /// The time of the append, for all records.
    Append { now: Millis },
}

/// What a read found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Read {
    /// Batches, the first of which holds the wanted offset; the last may be cut.
    pub(crate) bytes: Vec<u8>,
    /// The aborted transactions that concern them, where they were asked for.
    pub(crate) aborted: Vec<Aborted>,
}

/// The bounds of a read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Bytes.
    pub(crate) max_bytes: usize,
    /// Give the first batch whole even if it is larger.
    pub(crate) at_least_one: bool,
    /// Stop at the last stable offset, and tell which transactions were aborted.
    pub(crate) committed: bool,
}

/// A log.
#[derive(Debug, Clone, Default)]
pub(crate) struct PartitionLog {
    segments: VecDeque<Segment>,
    start: i64,
    end: i64,
    size: usize,
    pub(crate) producers: Producers,
    aborted: AbortedIndex,
}

impl PartitionLog {
    /// The first offset that can be read.
    pub(crate) fn start_offset(&self) -> i64 {
        self.start
    }

    /// The offset after the last; the high watermark as well, since there is no other replica to wait for.
    pub(crate) fn end_offset(&self) -> i64 {
        self.end
    }

    /// Up to here, every transaction has ended.
    ///
    /// Where the start of the oldest open one has been deleted, Apache Kafka takes the batch with which the log starts
    /// now, from its first offset on even if that is deleted too (`UnifiedLog.maybeIncrementFirstUnstableOffset`).
    pub(crate) fn last_stable_offset(&self) -> i64 {
        match self.producers.first_unstable_offset() {
            None => self.end,
            Some(first) if first >= self.start => first,
            Some(_) => self.batch_base(self.start).unwrap_or(self.start),
        }
    }

    /// The first offset of the batch that holds this one.
    fn batch_base(&self, offset: i64) -> Option<i64> {
        let segment = self.segments_from(offset).next()?;
        segment.entries().get(segment.first_reaching(offset)).map(|entry| entry.base_offset)
    }

    /// Bytes held.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// The batch as which this one has been appended before, if it has, and it is one of the last five of its producer.
    pub(crate) fn duplicate_of(&self, batch: Batch<'_>) -> Option<Appended> {
        self.producers.duplicate_of(batch)
    }

    /// Appends a batch of a producer, and gives it its offsets.
    ///
    /// # Errors
    /// Those of [`Producers::check`].
    pub(crate) fn append(&mut self, batch: Batch<'_>, timestamps: Timestamps) -> Result<i64, ResponseError> {
        if batch.has_producer_id() {
            self.producers.check(batch)?;
        }
        let base_offset = self.end;
        let stored = self.push(batch);
        let max_timestamp = match timestamps {
            Timestamps::Append { now } => {
                batch::set_append_time(stored, now);
                now
            }
            Timestamps::Create { max } => {
                if max != batch.max_timestamp() || batch.has_append_time() {
                    batch::set_create_time(stored, max);
                }
                max
            }
        };
        if max_timestamp != batch.max_timestamp()
            && let Some(segment) = self.segments.back_mut()
        {
            segment.set_last_timestamp(max_timestamp);
        }
        if batch.has_producer_id() {
            self.producers.appended(batch, base_offset, max_timestamp);
        }
        Ok(base_offset)
    }

    /// Ends a transaction in this partition.
    ///
    /// # Errors
    /// `INVALID_PRODUCER_EPOCH` when a newer epoch of the producer has written since.
    pub(crate) fn append_marker(
        &mut self,
        marker: Marker,
        producer_id: i64,
        producer_epoch: i16,
        coordinator_epoch: i32,
        now: Millis,
    ) -> Result<(), ResponseError> {
        let completed = self.producers.end(producer_id, producer_epoch, coordinator_epoch, now)?;
        let bytes = marker.batch(now, producer_id, producer_epoch, coordinator_epoch);
        let offset = self.end;
        if let Ok(Some((batch, _))) = Batch::split_first(&bytes) {
            self.push(batch);
        }
        if let (Some(completed), Marker::Abort) = (completed, marker) {
            self.aborted.push(Aborted {
                producer_id,
                first_offset: completed.first_offset,
                last_offset: offset,
                last_stable_offset: self.last_stable_offset(),
            });
        }
        Ok(())
    }

    fn push(&mut self, batch: Batch<'_>) -> &mut [u8] {
        let base_offset = self.end;
        self.end += i64::from(batch.last_offset_delta()) + 1;
        self.size += batch.size();
        let full = self.segments.back().is_none_or(|last| last.size() > 0 && last.size() + batch.size() > SEGMENT);
        if full {
            if let Some(last) = self.segments.back_mut() {
                last.close();
            }
            // The first one grows with its content: most topics of a lesson stay small.
            let capacity = if self.segments.is_empty() { 0 } else { SEGMENT.max(batch.size()) };
            self.segments.push_back(Segment::with_capacity(capacity));
        }
        let Some(segment) = self.segments.back_mut() else { return &mut [] };
        let stored = segment.push(base_offset, batch);
        batch::set_place(stored, base_offset, LEADER_EPOCH);
        stored
    }

    /// Forgets the oldest segments, as long as what remains holds at least so many bytes; and those in which all is older
    /// than `oldest`. The newest segment stays.
    pub(crate) fn retain(&mut self, bytes: usize, oldest: Millis) {
        let start = self.start;
        while self.segments.len() > 1
            && let Some(first) = self.segments.front()
            && (self.size - first.size() >= bytes || first.max_timestamp() < oldest)
        {
            self.size -= first.size();
            self.segments.pop_front();
            if let Some(base) = self.segments.front().and_then(Segment::base_offset) {
                self.start = self.start.max(base);
            }
        }
        if self.start > start {
            self.aborted.forget_before(self.start);
        }
    }

    /// Makes an offset the first that can be read (`DeleteRecords`); the caller has checked that it is not past the end.
    pub(crate) fn delete_before(&mut self, offset: i64) {
        if offset <= self.start {
            return;
        }
        self.start = offset;
        while self.segments.front().is_some_and(|segment| segment.last_offset().is_none_or(|last| last < offset)) {
            if let Some(gone) = self.segments.pop_front() {
                self.size -= gone.size();
            }
        }
        self.aborted.forget_before(offset);
    }

    /// Reads from an offset that is neither before the start nor after the end.
    pub(crate) fn read(&self, from: i64, bounds: Bounds) -> Read {
        let upper = if bounds.committed { self.last_stable_offset() } else { self.end };
        let (mut parts, mut size) = (Vec::new(), 0);
        let mut reached = from;
        let mut rest = 0;
        for segment in self.segments_from(from) {
            let first = segment.first_reaching(from);
            // The last stable offset may lie within a batch that is not, when records before it were deleted.
            let last = segment.first_reaching(upper);
            let (start, end) = (segment.position(first), segment.position(last.max(first)));
            let room = bounds.max_bytes.saturating_sub(size);
            let mut take = (end - start).min(room);
            if size == 0 && end > start {
                let whole = segment.position(first + 1) - start;
                if take < whole {
                    // A client can do nothing with a part of the first batch.
                    take = if bounds.at_least_one { whole } else { 0 };
                }
            }
            if take == 0 {
                break;
            }
            parts.push(segment.bytes(start, start + take));
            size += take;
            let read = (first..last).take_while(|index| segment.position(*index) < start + take).last();
            reached =
                read.and_then(|index| segment.entries().get(index)).map_or(reached, |entry| entry.last_offset() + 1);
            rest = segment.size() - (start + take);
            if take < end - start {
                break;
            }
        }
        let aborted = if bounds.committed && size > 0 {
            let to = if rest < INDEX_INTERVAL { self.end } else { reached };
            self.aborted.between(from, to).collect()
        } else {
            Vec::new()
        };
        Read { bytes: parts.concat(), aborted }
    }

    /// How many bytes a read from this offset could give.
    pub(crate) fn readable(&self, from: i64, committed: bool) -> usize {
        let upper = if committed { self.last_stable_offset() } else { self.end };
        self.segments_from(from)
            .map(|segment| {
                let first = segment.first_reaching(from);
                segment.position(segment.first_reaching(upper).max(first)) - segment.position(first)
            })
            .sum()
    }

    /// The segments that hold this offset or a later one.
    fn segments_from(&self, offset: i64) -> impl Iterator<Item = &Segment> {
        let first = self.segments.partition_point(|segment| segment.last_offset().is_some_and(|last| last < offset));
        self.segments.iter().skip(first)
    }

    /// The first record with at least this timestamp: its timestamp and offset. `unpack` is how many bytes may still be
    /// decompressed in search of it.
    pub(crate) fn find_timestamp(&self, at_least: Millis, unpack: &mut usize) -> Option<(Millis, i64)> {
        for segment in &self.segments {
            for (index, entry) in segment.entries().iter().enumerate() {
                if entry.max_timestamp >= at_least
                    && entry.last_offset() >= self.start
                    && let Some((offset, timestamp)) =
                        records::find_timestamp(segment.batch(index), at_least, self.start, unpack)
                {
                    return Some((timestamp, offset));
                }
            }
        }
        None
    }

    /// The record with the largest timestamp, the first of them: its timestamp and offset. `unpack` is as above.
    pub(crate) fn find_max_timestamp(&self, unpack: &mut usize) -> Option<(Millis, i64)> {
        let mut best = NO_TIMESTAMP;
        let mut found = None;
        for segment in &self.segments {
            for (index, entry) in segment.entries().iter().enumerate() {
                if entry.max_timestamp > best {
                    best = entry.max_timestamp;
                    found = Some((segment, index));
                }
            }
        }
        let (segment, index) = found?;
        let (offset, timestamp) = records::max_timestamp_offset(segment.batch(index), unpack)?;
        Some((timestamp, offset))
    }
}
