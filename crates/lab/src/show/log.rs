//! The log of a partition, put together from what two consumers saw and from the batches that they were sent.

use std::collections::{BTreeMap, HashMap, HashSet};

use proxy::{Batch, Marker};

use crate::reader::Record;
use crate::value::Value;

/// Batches by partition and base offset.
pub(super) type Batches = BTreeMap<(i32, i64), Batch>;

/// The offsets of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bounds {
    /// The first that is still there.
    pub(super) first: i64,
    /// The first that is shown.
    pub(super) from: i64,
    /// Where read_committed readers stop.
    pub(super) last_stable: i64,
    /// That of the next record.
    pub(super) end: i64,
}

/// A partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Partition {
    pub(super) number: i32,
    pub(super) bounds: Bounds,
    /// By offset. Offsets at which nothing stands any more (compaction) are not among them.
    pub(super) entries: Vec<Entry>,
}

/// What stands at an offset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) offset: i64,
    pub(super) what: What,
    /// Producer id and epoch, of a producer that has one.
    pub(super) producer: Option<(i64, i16)>,
    pub(super) transaction: State,
    /// Whether a read_committed reader is given it.
    pub(super) committed: bool,
    /// Whether a read_uncommitted reader is given it.
    pub(super) uncommitted: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    Record {
        key: Value,
        value: Value,
    },
    /// A control record: no reader is given it.
    Marker(Marker),
}

/// What has become of the transaction to which something belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It belongs to none.
    None,
    Committed,
    Aborted,
    Open,
}

impl Partition {
    /// The log from `bounds.from` to `bounds.end`, of which read_committed readers were given `visible`, and
    /// read_uncommitted readers `all`.
    pub(super) fn new(number: i32, bounds: Bounds, visible: &[Record], all: &[Record], batches: &Batches) -> Self {
        let own: Vec<&Batch> =
            batches.range((number, i64::MIN)..(number, bounds.end)).map(|(_, batch)| batch).collect();
        let ended = ended(&own);
        let visible: HashSet<_> = visible.iter().filter(|r| r.partition == number).map(|r| r.offset).collect();
        let mut entries = Vec::new();
        for record in all.iter().filter(|record| record.partition == number) {
            let holds = |batch: &&&Batch| (batch.base_offset..=batch.last_offset).contains(&record.offset);
            // By base offset, the last one that does not begin after it.
            let after = own.partition_point(|batch| batch.base_offset <= record.offset);
            let batch = own.get(after.saturating_sub(1)).filter(holds);
            let committed = visible.contains(&record.offset);
            let transaction = match batch {
                Some(batch) if !batch.transactional => State::None,
                Some(batch) => match ended.get(&batch.base_offset) {
                    Some(Marker::Commit) => State::Committed,
                    Some(Marker::Abort) => State::Aborted,
                    None if record.offset >= bounds.last_stable => State::Open,
                    // It has ended since the end was read.
                    None if committed => State::Committed,
                    None => State::Aborted,
                },
                None => State::None,
            };
            entries.push(Entry {
                offset: record.offset,
                what: What::Record { key: record.key.clone(), value: record.value.clone() },
                producer: batch.and_then(|batch| producer(batch)),
                transaction,
                committed,
                uncommitted: true,
            });
        }
        for batch in own.iter().filter(|batch| batch.base_offset >= bounds.from) {
            let Some(marker) = batch.marker else { continue };
            entries.push(Entry {
                offset: batch.base_offset,
                what: What::Marker(marker),
                producer: producer(batch),
                transaction: match marker {
                    Marker::Commit => State::Committed,
                    Marker::Abort => State::Aborted,
                },
                committed: false,
                uncommitted: false,
            });
        }
        entries.sort_by_key(|entry| entry.offset);
        Self { number, bounds, entries }
    }
}

fn producer(batch: &Batch) -> Option<(i64, i16)> {
    (batch.producer_id >= 0).then_some((batch.producer_id, batch.producer_epoch))
}

/// What the transactions ended with, by the base offsets of their batches. A marker ends what its producer id has open.
fn ended(batches: &[&Batch]) -> HashMap<i64, Marker> {
    let mut open: HashMap<i64, Vec<i64>> = HashMap::new();
    let mut ended = HashMap::new();
    for batch in batches {
        let of_producer = open.entry(batch.producer_id).or_default();
        match batch.marker {
            Some(marker) => ended.extend(of_producer.drain(..).map(|base| (base, marker))),
            None if batch.transactional => of_producer.push(batch.base_offset),
            None => {}
        }
    }
    ended
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(base_offset: i64, records: i32, producer_id: i64) -> Batch {
        let last_offset = base_offset + i64::from(records) - 1;
        let producer_epoch = if producer_id < 0 { -1 } else { 2 };
        let transactional = producer_id >= 0;
        Batch { base_offset, last_offset, records, producer_id, producer_epoch, transactional, ..Batch::default() }
    }

    fn marker(offset: i64, producer_id: i64, marker: Marker) -> Batch {
        Batch { marker: Some(marker), ..batch(offset, 1, producer_id) }
    }

    fn records(offsets: &[i64]) -> Vec<Record> {
        let record = |&offset: &i64| Record {
            partition: 0,
            offset,
            key: Value::new(None),
            value: Value::from(offset.to_string().as_str()),
        };
        offsets.iter().map(record).collect()
    }

    /// (offset, transaction, seen at read_committed).
    fn shown(
        from: i64,
        last_stable: i64,
        end: i64,
        visible: &[i64],
        all: &[i64],
        batches: &[Batch],
    ) -> Vec<(i64, State, bool)> {
        let bounds = Bounds { first: 0, from, last_stable, end };
        let batches = batches.iter().map(|batch| ((0, batch.base_offset), batch.clone())).collect();
        let partition = Partition::new(0, bounds, &records(visible), &records(all), &batches);
        partition.entries.iter().map(|entry| (entry.offset, entry.transaction, entry.committed)).collect()
    }

    #[test]
    fn a_marker_ends_what_its_producer_has_open() {
        let batches = [
            batch(0, 2, 7),
            batch(2, 1, 8),
            marker(3, 7, Marker::Commit),
            batch(4, 1, 7),
            marker(5, 8, Marker::Abort),
            batch(6, 1, -1),
        ];
        let expected = [
            (0, State::Committed, true),
            (1, State::Committed, true),
            (2, State::Aborted, false),
            (3, State::Committed, false),
            (4, State::Open, false),
            (5, State::Aborted, false),
            (6, State::None, false),
        ];
        assert_eq!(shown(0, 4, 7, &[0, 1], &[0, 1, 2, 4, 6], &batches), expected);
    }

    #[test]
    fn what_stands_before_the_first_that_is_shown_or_after_the_end_is_not_shown() {
        let batches =
            [marker(1, 9, Marker::Commit), batch(2, 3, 7), marker(5, 7, Marker::Commit), marker(6, 8, Marker::Abort)];
        let expected = [(3, State::Committed, true), (4, State::Committed, true), (5, State::Committed, false)];
        assert_eq!(shown(3, 6, 6, &[3, 4], &[3, 4], &batches), expected);
    }

    #[test]
    fn a_transaction_that_has_ended_since_the_end_was_read_is_what_readers_saw() {
        let batches = [batch(0, 1, 7), batch(1, 1, 8), marker(2, 7, Marker::Commit), marker(3, 8, Marker::Abort)];
        assert_eq!(shown(0, 2, 2, &[0], &[0, 1], &batches), [(0, State::Committed, true), (1, State::Aborted, false)]);
    }

    #[test]
    fn without_its_batch_a_record_is_shown_all_the_same() {
        assert_eq!(shown(0, 1, 1, &[0], &[0], &[]), [(0, State::None, true)]);
        let before = [batch(0, 1, 7), marker(1, 7, Marker::Abort)];
        assert_eq!(shown(2, 3, 3, &[2], &[2], &before), [(2, State::None, true)], "nor is it in the one before");
    }
}
