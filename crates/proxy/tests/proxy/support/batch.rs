//! Record batches, format 2, written field by field so that a test can break any of them.
//!
//! Source: the protocol guide, "Record Batch"; KIP-98.

use bytes::{BufMut, Bytes, BytesMut};

/// A batch to be produced.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    pub(crate) base_offset: i64,
    pub(crate) leader_epoch: i32,
    pub(crate) magic: i8,
    pub(crate) attributes: i16,
    pub(crate) base_timestamp: i64,
    pub(crate) producer_id: i64,
    pub(crate) producer_epoch: i16,
    pub(crate) base_sequence: i32,
    pub(crate) records: Vec<Record>,
}

/// A record: its timestamp is `base_timestamp` + `timestamp_delta`, in milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) timestamp_delta: i64,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
}

/// Attribute bit.
const CONTROL: i16 = 0x20;

impl Batch {
    /// One record for each value, of no particular producer.
    pub(crate) fn of<V: AsRef<[u8]>>(values: impl IntoIterator<Item = V>) -> Self {
        let records: Vec<_> = values
            .into_iter()
            .map(|value| Record { value: Some(value.as_ref().to_vec()), ..Record::default() })
            .collect();
        Self {
            base_offset: 0,
            leader_epoch: -1,
            magic: 2,
            attributes: 0,
            base_timestamp: 1_700_000_000_000,
            producer_id: -1,
            producer_epoch: -1,
            base_sequence: -1,
            records,
        }
    }

    /// The batch as it goes over the wire.
    pub(crate) fn build(&self) -> Bytes {
        let mut records = BytesMut::new();
        for (index, record) in self.records.iter().enumerate() {
            let mut body = BytesMut::new();
            body.put_i8(0);
            varint(&mut body, record.timestamp_delta);
            varint(&mut body, index as i64);
            for bytes in [&record.key, &record.value] {
                match bytes {
                    Some(bytes) => {
                        varint(&mut body, bytes.len() as i64);
                        body.put_slice(bytes);
                    }
                    None => varint(&mut body, -1),
                }
            }
            varint(&mut body, 0);
            varint(&mut records, body.len() as i64);
            records.put_slice(&body);
        }
        let max_delta = self.records.iter().map(|record| record.timestamp_delta).max().unwrap_or(0);
        // What the checksum covers: from the attributes to the end.
        let mut covered = BytesMut::new();
        covered.put_i16(self.attributes);
        covered.put_i32(self.records.len() as i32 - 1);
        covered.put_i64(self.base_timestamp);
        covered.put_i64(self.base_timestamp + max_delta);
        covered.put_i64(self.producer_id);
        covered.put_i16(self.producer_epoch);
        covered.put_i32(self.base_sequence);
        covered.put_i32(self.records.len() as i32);
        covered.put_slice(&records);

        let mut batch = BytesMut::new();
        batch.put_i64(self.base_offset);
        batch.put_i32(4 + 1 + 4 + covered.len() as i32);
        batch.put_i32(self.leader_epoch);
        batch.put_i8(self.magic);
        batch.put_u32(crc32c::crc32c(&covered));
        batch.put_slice(&covered);
        batch.freeze()
    }
}

fn varint(buffer: &mut BytesMut, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    while rest >= 0x80 {
        buffer.put_u8(rest as u8 | 0x80);
        rest >>= 7;
    }
    buffer.put_u8(rest as u8);
}

/// Offset, key, value.
pub(crate) type Stored = (i64, Option<Vec<u8>>, Option<Vec<u8>>);

/// A batch as it came from the broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fetched {
    pub(crate) base_offset: i64,
    pub(crate) last_offset: i64,
    pub(crate) leader_epoch: i32,
    pub(crate) attributes: i16,
    pub(crate) base_timestamp: i64,
    pub(crate) max_timestamp: i64,
    pub(crate) producer_id: i64,
    pub(crate) producer_epoch: i16,
    pub(crate) base_sequence: i32,
    pub(crate) checksum_is_right: bool,
    /// Empty for a compressed batch.
    pub(crate) records: Vec<Stored>,
}

impl Fetched {
    pub(crate) fn is_control(&self) -> bool {
        self.attributes & CONTROL != 0
    }

    /// What the values say, as text.
    pub(crate) fn values(&self) -> Vec<String> {
        self.records
            .iter()
            .map(|(_, _, value)| String::from_utf8_lossy(value.as_deref().unwrap_or(b"null")).into_owned())
            .collect()
    }
}

/// The batches of an answer to Fetch; a batch that was cut at the end is left out.
pub(crate) fn parse(mut bytes: &[u8]) -> Vec<Fetched> {
    let mut batches = Vec::new();
    while bytes.len() >= 61 {
        let length = 12 + i32_at(bytes, 8) as usize;
        if bytes.len() < length {
            break;
        }
        let (batch, rest) = bytes.split_at(length);
        bytes = rest;
        let base_offset = i64_at(batch, 0);
        let attributes = i16_at(batch, 21);
        let mut fetched = Fetched {
            base_offset,
            last_offset: base_offset + i64::from(i32_at(batch, 23)),
            leader_epoch: i32_at(batch, 12),
            attributes,
            base_timestamp: i64_at(batch, 27),
            max_timestamp: i64_at(batch, 35),
            producer_id: i64_at(batch, 43),
            producer_epoch: i16_at(batch, 51),
            base_sequence: i32_at(batch, 53),
            checksum_is_right: crc32c::crc32c(&batch[21..]) == i32_at(batch, 17) as u32,
            records: Vec::new(),
        };
        if attributes & 7 == 0 {
            let mut records = &batch[61..];
            for _ in 0..i32_at(batch, 57) {
                let length = take_varint(&mut records) as usize;
                let (mut record, rest) = records.split_at(length);
                records = rest;
                record = &record[1..];
                take_varint(&mut record);
                let offset = base_offset + take_varint(&mut record);
                let key = take_bytes(&mut record);
                let value = take_bytes(&mut record);
                fetched.records.push((offset, key, value));
            }
        }
        batches.push(fetched);
    }
    batches
}

fn take_bytes(from: &mut &[u8]) -> Option<Vec<u8>> {
    let length = usize::try_from(take_varint(from)).ok()?;
    let (bytes, rest) = from.split_at(length);
    *from = rest;
    Some(bytes.to_vec())
}

fn take_varint(from: &mut &[u8]) -> i64 {
    let mut value = 0u64;
    for shift in (0..70).step_by(7) {
        let byte = from[0];
        *from = &from[1..];
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

fn i16_at(bytes: &[u8], at: usize) -> i16 {
    i16::from_be_bytes(bytes[at..at + 2].try_into().unwrap())
}

fn i32_at(bytes: &[u8], at: usize) -> i32 {
    i32::from_be_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn i64_at(bytes: &[u8], at: usize) -> i64 {
    i64::from_be_bytes(bytes[at..at + 8].try_into().unwrap())
}
