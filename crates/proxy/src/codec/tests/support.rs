//! Frames as kafka-protocol writes them, and batches byte by byte.

use std::ops::RangeInclusive;

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::{
    messages::{RequestHeader, ResponseHeader, TopicName, TransactionalId},
    protocol::{Decodable, Encodable, HeaderVersion, Message, Request, StrBytes},
};

use crate::codec::Header;

pub(super) const CORRELATION: i32 = 77;

/// The versions that the codec knows.
pub(super) fn versions<M: Message>() -> RangeInclusive<i16> {
    M::VERSIONS.min..=M::VERSIONS.max
}

/// A request, and its header as it is to be read.
pub(super) fn request<R: Request>(version: i16, body: &R) -> (Header, Bytes) {
    let header = RequestHeader::default()
        .with_request_api_key(R::KEY)
        .with_request_api_version(version)
        .with_correlation_id(CORRELATION)
        .with_client_id(Some("me".into()));
    let mut frame = BytesMut::new();
    header.encode(&mut frame, R::header_version(version)).unwrap();
    body.encode(&mut frame, version).unwrap_or_else(|error| panic!("key {} version {version}: {error}", R::KEY));
    (of::<R>(version), frame.freeze())
}

/// The header of a request of this kind.
pub(super) fn of<R: Request>(version: i16) -> Header {
    Header { api_key: R::KEY, version, correlation: CORRELATION, client_id: Some("me".into()) }
}

pub(super) fn response<M: Encodable + HeaderVersion>(version: i16, body: &M) -> Bytes {
    let header = ResponseHeader::default().with_correlation_id(CORRELATION);
    let mut frame = BytesMut::new();
    header.encode(&mut frame, M::header_version(version)).unwrap();
    body.encode(&mut frame, version).unwrap_or_else(|error| panic!("version {version}: {error}"));
    frame.freeze()
}

/// A response, whose correlation id must be right and after which nothing may follow.
pub(super) fn read<M: Decodable + HeaderVersion>(version: i16, frame: &Bytes) -> M {
    let mut rest = frame.clone();
    let header = ResponseHeader::decode(&mut rest, M::header_version(version)).unwrap();
    assert_eq!(header.correlation_id, CORRELATION);
    let body = M::decode(&mut rest, version).unwrap();
    assert_eq!(rest, Bytes::new());
    body
}

pub(super) fn topic(name: &'static str) -> TopicName {
    TopicName(name.into())
}

pub(super) fn transactional_id(id: &'static str) -> TransactionalId {
    TransactionalId(StrBytes::from_static_str(id))
}

/// The bytes of the topic id that [`TOPIC_ID_TEXT`] is.
pub(super) const TOPIC_ID: [u8; 16] = [0x47, 0x8d, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0xff, 0xfe, 0xfd];
/// As `base64 | tr +/ -_` writes it.
pub(super) const TOPIC_ID_TEXT: &str = "R40AAQIDBAUGBwgJCv_-_Q";

fn varint(out: &mut Vec<u8>, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

fn bytes(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    varint(out, bytes.map_or(-1, |bytes| bytes.len() as i64));
    out.extend(bytes.unwrap_or_default());
}

/// `None` for null.
pub(super) type KeyAndValue = (Option<Vec<u8>>, Option<Vec<u8>>);

/// A batch before it is written.
#[derive(Clone)]
pub(super) struct Draft {
    pub(super) base_offset: i64,
    pub(super) attributes: i16,
    pub(super) producer_id: i64,
    pub(super) producer_epoch: i16,
    pub(super) base_sequence: i32,
    pub(super) records: Vec<KeyAndValue>,
}

pub(super) const TRANSACTIONAL: i16 = 0x10;
pub(super) const CONTROL: i16 = 0x20;
pub(super) const SNAPPY: i16 = 2;

impl Draft {
    /// Records with these values, of no particular producer.
    pub(super) fn of<V: AsRef<[u8]>>(values: impl IntoIterator<Item = V>) -> Self {
        let records = values.into_iter().map(|value| (None, Some(value.as_ref().to_vec()))).collect();
        Self { base_offset: 0, attributes: 0, producer_id: -1, producer_epoch: -1, base_sequence: -1, records }
    }

    pub(super) fn build(&self) -> Bytes {
        let mut records = Vec::new();
        for (index, (key, value)) in self.records.iter().enumerate() {
            let mut body = vec![0, 0];
            varint(&mut body, index as i64);
            bytes(&mut body, key.as_deref());
            bytes(&mut body, value.as_deref());
            varint(&mut body, 0);
            varint(&mut records, body.len() as i64);
            records.extend(body);
        }
        if self.attributes & 7 == SNAPPY {
            records = snap::raw::Encoder::new().compress_vec(&records).unwrap();
        }
        let mut batch = BytesMut::new();
        batch.put_i64(self.base_offset);
        batch.put_i32(49 + records.len() as i32);
        batch.put_i32(-1);
        batch.put_i8(2);
        // Nobody here looks at the checksum.
        batch.put_u32(0);
        batch.put_i16(self.attributes);
        batch.put_i32(self.records.len() as i32 - 1);
        batch.put_i64(0);
        batch.put_i64(0);
        batch.put_i64(self.producer_id);
        batch.put_i16(self.producer_epoch);
        batch.put_i32(self.base_sequence);
        batch.put_i32(self.records.len() as i32);
        batch.put_slice(&records);
        batch.freeze()
    }
}
