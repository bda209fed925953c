//! Parts of a log that no request of reasonable size reaches.

use wire::batch::{Batch, add_sequence, subtract_sequence};

use super::{
    marker::Marker,
    partition::{Bounds, PartitionLog, Timestamps},
};

/// A batch of one record, with a value of so many bytes; its checksum is not looked at here.
fn batch(producer_id: i64, sequence: i32, size: usize, timestamp: i64) -> Vec<u8> {
    let mut bytes = Marker::Commit.batch(timestamp, producer_id, 0, 0);
    // Neither transactional nor control.
    bytes[21..23].fill(0);
    bytes[53..57].copy_from_slice(&sequence.to_be_bytes());
    bytes.resize(61 + size, 0);
    let length = i32::try_from(bytes.len() - 12).unwrap();
    bytes[8..12].copy_from_slice(&length.to_be_bytes());
    bytes
}

fn append(log: &mut PartitionLog, bytes: &[u8]) -> i64 {
    let (batch, _) = Batch::split_first(bytes).unwrap().unwrap();
    log.append(batch, Timestamps::Create { max: batch.max_timestamp() }).unwrap()
}

fn filled(batches: i64, size: usize) -> PartitionLog {
    let mut log = PartitionLog::default();
    for index in 0..batches {
        assert_eq!(append(&mut log, &batch(-1, -1, size, 1_000 + index)), index);
    }
    log
}

fn read(log: &PartitionLog, from: i64, max_bytes: usize) -> Vec<u8> {
    log.read(from, Bounds { max_bytes, at_least_one: true, committed: false }).bytes
}

#[test]
fn a_read_goes_on_from_one_segment_to_the_next() {
    // Some ten batches a segment.
    let log = filled(100, 100_000);
    let all = read(&log, 0, usize::MAX);
    assert_eq!(all.len(), log.size());
    assert_eq!(all.len(), log.readable(0, false));
    let mut rest = &all[..];
    for expected in 0..100 {
        let (batch, after) = Batch::split_first(rest).unwrap().unwrap();
        assert_eq!(batch.base_offset(), expected);
        rest = after;
    }
    for from in [1, 9, 10, 11, 55, 99] {
        assert_eq!(read(&log, from, usize::MAX), all[from as usize * 100_061..]);
        assert_eq!(
            read(&log, from, 250_000),
            all[from as usize * 100_061..][..250_000.min((100 - from as usize) * 100_061)]
        );
    }
    assert_eq!(read(&log, 100, usize::MAX), []);
}

#[test]
fn the_oldest_segments_are_forgotten_and_the_start_moves() {
    let mut log = filled(100, 100_000);
    log.retain(3_000_000, i64::MIN);
    assert!((3_000_000..4_100_000).contains(&log.size()), "{}", log.size());
    let start = log.start_offset();
    assert_eq!(log.end_offset(), 100);
    assert_eq!(read(&log, start, usize::MAX).len(), log.size());
    // The newest segment stays, whatever its size.
    log.retain(0, i64::MIN);
    assert!(log.size() > 0 && log.start_offset() > start);
}

#[test]
fn what_is_older_than_it_may_be_is_forgotten_by_segments() {
    let mut log = filled(100, 100_000);
    log.retain(usize::MAX, 1_050);
    // The segment that holds the first record of that time stays whole.
    assert!((40..=50).contains(&log.start_offset()), "{}", log.start_offset());
    log.retain(usize::MAX, i64::MAX);
    assert!(log.start_offset() < 100);
}

#[test]
fn of_very_many_producers_those_that_were_silent_for_longest_are_forgotten() {
    let mut log = PartitionLog::default();
    for producer in 0..50_001 {
        append(&mut log, &batch(producer, 0, 10, 0));
    }
    let known: Vec<_> = log.producers.iter().map(|(id, _)| id).collect();
    assert!((20_000..=30_000).contains(&known.len()), "{}", known.len());
    assert_eq!(known.last(), Some(&50_000));
    // One that was forgotten may start anywhere, one that is known may not.
    append(&mut log, &batch(0, 77, 10, 0));
    let gap = batch(50_000, 77, 10, 0);
    let (gap, _) = Batch::split_first(&gap).unwrap().unwrap();
    assert!(log.append(gap, Timestamps::Create { max: 0 }).is_err());
}

#[test]
fn sequence_numbers_wrap_to_zero() {
    for (sequence, increment, sum) in [(0, 5, 5), (i32::MAX, 1, 0), (i32::MAX - 1, 3, 1), (i32::MAX, 0, i32::MAX)] {
        assert_eq!(add_sequence(sequence, increment), sum);
        assert_eq!(subtract_sequence(sum, increment), sequence);
    }
}
