//! Record batches, by the protocol's codec.

use bytes::{Bytes, BytesMut};
use kafka_protocol::records::{
    Compression, Record, RecordBatchDecoder, RecordBatchEncoder, RecordEncodeOptions, TimestampType,
};

/// A batch of one record for each value, of no particular producer.
pub(crate) fn of<V: AsRef<[u8]>>(values: impl IntoIterator<Item = V>) -> Bytes {
    let record = |(index, value): (usize, V)| Record {
        transactional: false,
        control: false,
        delete_horizon: false,
        partition_leader_epoch: -1,
        producer_id: -1,
        producer_epoch: -1,
        timestamp_type: TimestampType::Creation,
        offset: index as i64,
        // The encoder wants it to grow with the offset.
        sequence: index as i32 - 1,
        timestamp: 1_700_000_000_000,
        key: None,
        value: Some(Bytes::copy_from_slice(value.as_ref())),
        headers: Default::default(),
    };
    let records: Vec<_> = values.into_iter().enumerate().map(record).collect();
    let mut batch = BytesMut::new();
    let options = RecordEncodeOptions { version: 2, compression: Compression::None };
    RecordBatchEncoder::encode(&mut batch, &records, &options).unwrap();
    batch.freeze()
}

/// Offset and value of each record; control records have none.
pub(crate) fn parse(mut batches: Bytes) -> Vec<(i64, Option<String>)> {
    let sets = RecordBatchDecoder::decode_all(&mut batches).unwrap();
    let value = |record: &Record| {
        let value = record.value.as_deref().filter(|_| !record.control)?;
        Some(String::from_utf8_lossy(value).into_owned())
    };
    sets.iter().flat_map(|set| &set.records).map(|record| (record.offset, value(record))).collect()
}
