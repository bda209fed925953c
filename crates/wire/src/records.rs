//! The records inside a batch, for the few occasions on which someone looks at them.
//!
//! A batch (format 2, from its base offset on) is trusted as far as its header goes: its length is that of the slice,
//! its magic is 2 and its checksum is right. Compressed batches are read as a stream, and never held in memory whole.

mod codec;
mod read;
#[cfg(test)]
mod tests;

use std::{fmt, ops::ControlFlow};

use read::{Contents, Keep, Nothing, Slice, Source, Stream};

use crate::batch::Batch;

/// What a batch may unpack to, in bytes. Kafka has no limit, and reads on; but a batch of 1 MiB may unpack to gigabytes of
/// nothing, and everyone waits meanwhile.
pub const MOST_UNPACKED: usize = 128 << 20;

/// A record, as far as a broker is interested in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// The offset, from the base offset that the batch has now.
    pub offset: i64,
    /// Milliseconds; that of the batch where the broker stamps (`LogAppendTime`).
    pub timestamp: i64,
    /// Whether its key is not null.
    pub has_key: bool,
}

/// Why the records of a batch are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Invalid {
    /// They are not what the header says, or no records.
    Structure(&'static str),
    /// What is compressed cannot be unpacked.
    Compression,
    /// Compressed records are not numbered 0, 1, 2 and so on. Kafka means to write such a batch anew, and fails to: the
    /// keys and values that it needs have been skipped (`PartialDefaultRecord.key`).
    Numbering,
    /// More than [`MOST_UNPACKED`].
    TooLarge,
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Structure(why) => f.write_str(why),
            Self::Compression => f.write_str("the records cannot be decompressed"),
            Self::Numbering => f.write_str("the compressed records are not numbered from 0 on"),
            Self::TooLarge => write!(f, "the records decompress to more than {MOST_UNPACKED} bytes"),
        }
    }
}

impl std::error::Error for Invalid {}

/// What Kafka makes sure of before it appends the batch of a producer: see [`validate_each`]. Gives the greatest timestamp
/// of the records (milliseconds), at least -1.
///
/// Kafka puts that timestamp into the header, whatever the producer wrote there, and computes the checksum anew if it was
/// another (`DefaultRecordBatch.setMaxTimestamp`).
///
/// # Errors
/// The first fault.
pub fn validate(batch: &[u8]) -> Result<i64, Invalid> {
    validate_each(batch, &mut MOST_UNPACKED.clone(), |_| {})
}

/// As [`validate`], and shows each record: for a topic that demands keys or recent timestamps. `unpack` is how many bytes
/// may still be decompressed, of this batch and of those that come with it.
///
/// Source: `LogValidator.validateBatch`, `assignOffsetsNonCompressed`, `validateMessagesAndAssignOffsetsCompressed`.
/// The number of records is at least 1, that of the header, and that of the offsets; each has the structure of a record;
/// nothing follows the last. Offset deltas must be 0, 1, 2 and so on in compressed batches; in others, Kafka stores
/// whatever they are (so that the log shows offsets that the batch does not have). The sizes of compressed records are not
/// compared with their contents, since Kafka does not either (`DefaultRecord.readPartiallyFrom`).
///
/// # Errors
/// The first fault.
pub fn validate_each(batch: &[u8], unpack: &mut usize, mut look: impl FnMut(&Record)) -> Result<i64, Invalid> {
    let batch = header(batch)?;
    if batch.count() <= 0 {
        return Err(Invalid::Structure("a batch without records"));
    }
    if i64::from(batch.last_offset_delta()) + 1 != i64::from(batch.count()) {
        return Err(Invalid::Structure("the number of records is not that of the offsets"));
    }
    let mut max_timestamp = -1;
    let mut expected = 0;
    let mut consecutive = true;
    walk(batch, unpack, |record| {
        max_timestamp = max_timestamp.max(record.timestamp);
        consecutive &= record.offset == expected;
        expected += 1;
        look(record);
        ControlFlow::<()>::Continue(())
    })?;
    if batch.codec() != 0 && !consecutive {
        return Err(Invalid::Numbering);
    }
    Ok(max_timestamp)
}

/// The first record at or above `from_offset` whose timestamp is at least `at_least` (milliseconds): its offset and
/// timestamp. The records of control batches count. `unpack` is as in [`validate_each`]: at 0, nothing compressed is found.
///
/// Source: `FileRecords.searchForTimestamp`, which skips batches whose header has a smaller greatest timestamp.
pub fn find_timestamp(batch: &[u8], at_least: i64, from_offset: i64, unpack: &mut usize) -> Option<(i64, i64)> {
    find(batch, unpack, |record| record.timestamp >= at_least && record.offset >= from_offset)
}

/// The first record that has the greatest timestamp of the batch, as its header says: its offset and timestamp.
///
/// Source: `RecordBatch.offsetOfMaxTimestamp` (KIP-734).
pub fn max_timestamp_offset(batch: &[u8], unpack: &mut usize) -> Option<(i64, i64)> {
    let max_timestamp = header(batch).ok()?.max_timestamp();
    find(batch, unpack, |record| record.timestamp == max_timestamp)
}

fn find(batch: &[u8], unpack: &mut usize, mut is_it: impl FnMut(&Record) -> bool) -> Option<(i64, i64)> {
    let found = walk(header(batch).ok()?, unpack, |record| {
        if is_it(record) { ControlFlow::Break((record.offset, record.timestamp)) } else { ControlFlow::Continue(()) }
    });
    found.ok().flatten()
}

fn header(batch: &[u8]) -> Result<Batch<'_>, Invalid> {
    Batch::whole(batch).ok_or(Invalid::Structure("shorter than the header of a batch"))
}

/// Shows the key and value of each record (`None` for null) in their order, until `look` breaks off; what it breaks off
/// with. Of each, the first `most` bytes are shown. `unpack` is as in [`validate_each`].
///
/// # Errors
/// The first fault. What came before it has been shown.
pub fn contents<T>(
    batch: &[u8],
    most: usize,
    unpack: &mut usize,
    mut look: impl FnMut(Option<&[u8]>, Option<&[u8]>) -> ControlFlow<T>,
) -> Result<Option<T>, Invalid> {
    let contents = &mut Contents { most, key: None, value: None };
    walk_keeping(header(batch)?, unpack, contents, |_, contents| {
        look(contents.key.as_deref(), contents.value.as_deref())
    })
}

fn walk<T>(
    batch: Batch<'_>,
    unpack: &mut usize,
    mut look: impl FnMut(&Record) -> ControlFlow<T>,
) -> Result<Option<T>, Invalid> {
    walk_keeping(batch, unpack, &mut Nothing, |record, _| look(record))
}

/// Shows the records of a batch in their order, until `look` breaks off; what it breaks off with, or the first fault.
/// After the last record, nothing may follow.
fn walk_keeping<T, K: Keep>(
    batch: Batch<'_>,
    unpack: &mut usize,
    keep: &mut K,
    look: impl FnMut(&Record, &K) -> ControlFlow<T>,
) -> Result<Option<T>, Invalid> {
    match codec::unpack(batch.codec(), batch.records())? {
        None => walk_source(&mut Slice(batch.records()), batch, keep, look),
        Some(unpacked) => {
            let mut stream = Stream::new(unpacked, *unpack);
            let walked = walk_source(&mut stream, batch, keep, look);
            *unpack = stream.left();
            walked
        }
    }
}

fn walk_source<T, K: Keep>(
    source: &mut impl Source,
    batch: Batch<'_>,
    keep: &mut K,
    mut look: impl FnMut(&Record, &K) -> ControlFlow<T>,
) -> Result<Option<T>, Invalid> {
    // Read once, not for each record.
    let (base_offset, base_timestamp) = (batch.base_offset(), batch.base_timestamp());
    let stamp = batch.has_append_time().then(|| batch.max_timestamp());
    for _ in 0..batch.count() {
        let fields = source.record(keep)?;
        let record = Record {
            offset: base_offset.wrapping_add(i64::from(fields.offset_delta)),
            timestamp: stamp.unwrap_or_else(|| base_timestamp.wrapping_add(fields.timestamp_delta)),
            has_key: fields.has_key,
        };
        if let ControlFlow::Break(found) = look(&record, keep) {
            return Ok(Some(found));
        }
    }
    if source.is_at_end()? { Ok(None) } else { Err(Invalid::Structure("more records than the header says")) }
}
