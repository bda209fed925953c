//! The header of a record batch, format 2, read in place.
//!
//! Source: the protocol guide, "Record Batch"; KIP-98.

/// Bytes before the records.
const HEADER: usize = 61;
/// Bytes that the length field does not count: the base offset and the length itself.
const OVERHEAD: usize = 12;

/// The least that the length field of any format may say.
const LEAST_LENGTH: usize = 14;

const BASE_OFFSET: usize = 0;
const LENGTH: usize = 8;
const LEADER_EPOCH: usize = 12;
const MAGIC: usize = 16;
const CRC: usize = 17;
/// The checksum covers everything from here.
const ATTRIBUTES: usize = 21;
const LAST_OFFSET_DELTA: usize = 23;
const BASE_TIMESTAMP: usize = 27;
const MAX_TIMESTAMP: usize = 35;
const PRODUCER_ID: usize = 43;
const PRODUCER_EPOCH: usize = 51;
const BASE_SEQUENCE: usize = 53;
const COUNT: usize = 57;

const COMPRESSION: i16 = 0x07;
const ZSTD: i16 = 4;
const LOG_APPEND_TIME: i16 = 0x08;
const TRANSACTIONAL: i16 = 0x10;
const CONTROL: i16 = 0x20;

/// No producer id: the batch is of no particular producer.
pub const NO_PRODUCER_ID: i64 = -1;
/// No producer epoch.
pub const NO_PRODUCER_EPOCH: i16 = -1;
/// No sequence number.
pub const NO_SEQUENCE: i32 = -1;
/// No timestamp.
pub const NO_TIMESTAMP: i64 = -1;

/// What stands where a batch should begin is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Corrupt;

/// A batch, at least as long as its header, and as long as its length field says.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a>(&'a [u8]);

impl<'a> Batch<'a> {
    /// The first batch of a sequence, and what follows it; `None` where no whole batch is left.
    ///
    /// Of an older format it may be shorter than a header of format 2: then only [`Batch::magic`] and [`Batch::size`]
    /// mean anything.
    ///
    /// # Errors
    /// When no batch can begin like this. Source: `ByteBufferLogInputStream.nextBatchSize`.
    pub fn split_first(bytes: &'a [u8]) -> Result<Option<(Self, &'a [u8])>, Corrupt> {
        let (Some(length), Some(magic)) = (field(bytes, LENGTH), field(bytes, MAGIC)) else { return Ok(None) };
        let length = usize::try_from(i32::from_be_bytes(length)).map_err(|_| Corrupt)?;
        if length < LEAST_LENGTH || !matches!(i8::from_be_bytes(magic), 0..=2) {
            return Err(Corrupt);
        }
        Ok(bytes.split_at_checked(OVERHEAD + length).map(|(batch, rest)| (Self(batch), rest)))
    }

    /// The bytes of a batch of format 2 as its log or its producer has them; `None` where they are too few for a header.
    pub fn whole(bytes: &'a [u8]) -> Option<Self> {
        (bytes.len() >= HEADER).then_some(Self(bytes))
    }

    /// Whether it is of format 2, and has a whole header.
    pub fn is_current_format(self) -> bool {
        self.magic() == 2 && self.0.len() >= HEADER
    }

    /// All of it, the header included.
    pub fn bytes(self) -> &'a [u8] {
        self.0
    }

    /// Bytes, the header included.
    pub fn size(self) -> usize {
        self.0.len()
    }

    /// The number of its format: 0, 1 or 2.
    pub fn magic(self) -> i8 {
        i8::from_be_bytes(self.field(MAGIC))
    }

    /// The offset of the first record, as its producer counted: a log may have removed that record.
    pub fn base_offset(self) -> i64 {
        i64::from_be_bytes(self.field(BASE_OFFSET))
    }

    /// Whether the bytes are those over which the checksum (CRC-32C) was computed.
    pub fn checksum_is_right(self) -> bool {
        let stored = u32::from_be_bytes(self.field(CRC));
        self.0.get(ATTRIBUTES..).is_some_and(|covered| crc32c::crc32c(covered) == stored)
    }

    fn attributes(self) -> i16 {
        i16::from_be_bytes(self.field(ATTRIBUTES))
    }

    /// The number of its compression; 0 for none.
    pub fn codec(self) -> i16 {
        self.attributes() & COMPRESSION
    }

    /// Whether it is compressed by zstd, which old clients cannot read.
    pub fn is_zstd(self) -> bool {
        self.codec() == ZSTD
    }

    /// Whether it says that its timestamps are those of an append.
    pub fn has_append_time(self) -> bool {
        self.attributes() & LOG_APPEND_TIME != 0
    }

    /// Whether it belongs to a transaction.
    pub fn is_transactional(self) -> bool {
        self.attributes() & TRANSACTIONAL != 0
    }

    /// Whether its records are control records: markers that end transactions.
    pub fn is_control(self) -> bool {
        self.attributes() & CONTROL != 0
    }

    /// The offset of the last record, less the base offset.
    pub fn last_offset_delta(self) -> i32 {
        i32::from_be_bytes(self.field(LAST_OFFSET_DELTA))
    }

    /// The timestamp that those of the records are counted from. Milliseconds.
    pub fn base_timestamp(self) -> i64 {
        i64::from_be_bytes(self.field(BASE_TIMESTAMP))
    }

    /// The greatest timestamp of its records, or that of the append. Milliseconds.
    pub fn max_timestamp(self) -> i64 {
        i64::from_be_bytes(self.field(MAX_TIMESTAMP))
    }

    /// The producer id; [`NO_PRODUCER_ID`] for none.
    pub fn producer_id(self) -> i64 {
        i64::from_be_bytes(self.field(PRODUCER_ID))
    }

    /// Whether it has a producer id.
    pub fn has_producer_id(self) -> bool {
        self.producer_id() > NO_PRODUCER_ID
    }

    /// The producer epoch; [`NO_PRODUCER_EPOCH`] for none.
    pub fn producer_epoch(self) -> i16 {
        i16::from_be_bytes(self.field(PRODUCER_EPOCH))
    }

    /// The sequence number of the first record; [`NO_SEQUENCE`] for none.
    pub fn base_sequence(self) -> i32 {
        i32::from_be_bytes(self.field(BASE_SEQUENCE))
    }

    /// The sequence number of the last record: they wrap from the largest `i32` to 0.
    pub fn last_sequence(self) -> i32 {
        if self.base_sequence() == NO_SEQUENCE {
            return NO_SEQUENCE;
        }
        add_sequence(self.base_sequence(), self.last_offset_delta())
    }

    /// How many records it says that it holds.
    pub fn count(self) -> i32 {
        i32::from_be_bytes(self.field(COUNT))
    }

    /// What follows the header.
    pub fn records(self) -> &'a [u8] {
        self.0.get(HEADER..).unwrap_or_default()
    }

    /// All zeros where the batch is of another format and too short.
    fn field<const N: usize>(self, at: usize) -> [u8; N] {
        field(self.0, at).unwrap_or([0; N])
    }
}

/// The sequence number so many records later.
pub fn add_sequence(sequence: i32, increment: i32) -> i32 {
    match sequence.checked_add(increment) {
        Some(sum) => sum,
        None => increment - (i32::MAX - sequence) - 1,
    }
}

/// The sequence number so many records earlier.
pub fn subtract_sequence(sequence: i32, decrement: i32) -> i32 {
    if sequence >= decrement { sequence - decrement } else { i32::MAX - (decrement - sequence) + 1 }
}

/// Gives a batch its place in the log. Neither field is under the checksum, so that a broker may do this.
pub fn set_place(batch: &mut [u8], base_offset: i64, leader_epoch: i32) {
    put(batch, BASE_OFFSET, base_offset.to_be_bytes());
    put(batch, LEADER_EPOCH, leader_epoch.to_be_bytes());
}

/// Stamps a batch with the time of the append (`message.timestamp.type=LogAppendTime`), in milliseconds.
pub fn set_append_time(batch: &mut [u8], millis: i64) {
    let attributes = field(batch, ATTRIBUTES).map(i16::from_be_bytes).unwrap_or_default() | LOG_APPEND_TIME;
    put(batch, ATTRIBUTES, attributes.to_be_bytes());
    set_max_timestamp(batch, millis);
}

/// Says that the timestamps are the producer's, the largest of which is this, in milliseconds.
pub fn set_create_time(batch: &mut [u8], millis: i64) {
    let attributes = field(batch, ATTRIBUTES).map(i16::from_be_bytes).unwrap_or_default() & !LOG_APPEND_TIME;
    put(batch, ATTRIBUTES, attributes.to_be_bytes());
    set_max_timestamp(batch, millis);
}

/// Says what the largest timestamp of the records is, in milliseconds.
fn set_max_timestamp(batch: &mut [u8], millis: i64) {
    put(batch, MAX_TIMESTAMP, millis.to_be_bytes());
    let crc = batch.get(ATTRIBUTES..).map(crc32c::crc32c).unwrap_or_default();
    put(batch, CRC, crc.to_be_bytes());
}

/// The header of a new control batch of one record, in front of the record's bytes.
pub fn control(record: &[u8], now: i64, producer_id: i64, producer_epoch: i16) -> Vec<u8> {
    let mut batch = vec![0; HEADER];
    batch.extend_from_slice(record);
    let length = i32::try_from(batch.len() - OVERHEAD).unwrap_or(i32::MAX);
    put(&mut batch, LENGTH, length.to_be_bytes());
    put(&mut batch, MAGIC, [2]);
    put(&mut batch, ATTRIBUTES, (TRANSACTIONAL | CONTROL).to_be_bytes());
    put(&mut batch, BASE_TIMESTAMP, now.to_be_bytes());
    put(&mut batch, PRODUCER_ID, producer_id.to_be_bytes());
    put(&mut batch, PRODUCER_EPOCH, producer_epoch.to_be_bytes());
    put(&mut batch, BASE_SEQUENCE, NO_SEQUENCE.to_be_bytes());
    put(&mut batch, COUNT, 1i32.to_be_bytes());
    set_max_timestamp(&mut batch, now);
    batch
}

fn field<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

fn put<const N: usize>(bytes: &mut [u8], at: usize, value: [u8; N]) {
    if let Some(place) = bytes.get_mut(at..at + N) {
        place.copy_from_slice(&value);
    }
}
