//! A run of batches in one piece of memory: the unit in which a log forgets.

use wire::batch::Batch;

/// What is known of a batch without touching it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) base_offset: i64,
    pub(crate) max_timestamp: i64,
    position: u32,
    last_offset_delta: i32,
}

impl Entry {
    pub(crate) fn last_offset(&self) -> i64 {
        self.base_offset + i64::from(self.last_offset_delta)
    }
}

/// Batches one after the other.
#[derive(Debug, Clone, Default)]
pub(crate) struct Segment {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    /// Known when nothing will be added any more.
    max_timestamp: Option<i64>,
}

impl Segment {
    /// With room for so many bytes.
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), ..Self::default() }
    }

    /// Nothing will be added any more.
    pub(crate) fn close(&mut self) {
        self.bytes.shrink_to_fit();
        self.entries.shrink_to_fit();
        self.max_timestamp = self.entries.iter().map(|entry| entry.max_timestamp).max();
    }

    pub(crate) fn size(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn last_offset(&self) -> Option<i64> {
        self.entries.last().map(Entry::last_offset)
    }

    /// The largest timestamp of a record, in milliseconds; of a closed segment.
    pub(crate) fn max_timestamp(&self) -> i64 {
        self.max_timestamp.unwrap_or(i64::MAX)
    }

    pub(crate) fn base_offset(&self) -> Option<i64> {
        self.entries.first().map(|entry| entry.base_offset)
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Copies a batch to the end, and gives it back to be patched.
    pub(crate) fn push(&mut self, base_offset: i64, batch: Batch<'_>) -> &mut [u8] {
        let position = self.bytes.len();
        self.bytes.extend_from_slice(batch.bytes());
        self.entries.push(Entry {
            base_offset,
            max_timestamp: batch.max_timestamp(),
            // A segment is far smaller than 4 GiB: see `partition::SEGMENT`.
            position: u32::try_from(position).unwrap_or(u32::MAX),
            last_offset_delta: batch.last_offset_delta(),
        });
        self.bytes.get_mut(position..).unwrap_or_default()
    }

    /// Corrects the timestamp of the newest batch, which has just been patched.
    pub(crate) fn set_last_timestamp(&mut self, max_timestamp: i64) {
        if let Some(entry) = self.entries.last_mut() {
            entry.max_timestamp = max_timestamp;
        }
    }

    /// The index of the first batch that ends at this offset or after it.
    pub(crate) fn first_reaching(&self, offset: i64) -> usize {
        self.entries.partition_point(|entry| entry.last_offset() < offset)
    }

    /// Where a batch starts in [`Segment::bytes`]; where the last one ends, for the index after it.
    pub(crate) fn position(&self, index: usize) -> usize {
        self.entries.get(index).map_or(self.bytes.len(), |entry| entry.position as usize)
    }

    pub(crate) fn bytes(&self, from: usize, to: usize) -> &[u8] {
        self.bytes.get(from..to).unwrap_or_default()
    }

    /// The bytes of one batch.
    pub(crate) fn batch(&self, index: usize) -> &[u8] {
        self.bytes(self.position(index), self.position(index + 1))
    }
}
