//! Produce.
//!
//! Source: `KafkaApis.handleProduceRequest`, `ReplicaManager.handleProduceAppend`, `UnifiedLog.append`, `LogValidator`.

use bytes::Bytes;
use kafka_protocol::{
    ResponseError,
    messages::{
        ProduceRequest, ProduceResponse,
        produce_request::{PartitionProduceData, TopicProduceData},
        produce_response::{BatchIndexAndErrorMessage, PartitionProduceResponse, TopicProduceResponse},
    },
    protocol::StrBytes,
};
use wire::{
    batch::{Batch, Corrupt, NO_TIMESTAMP},
    records::{self, Invalid},
};

use crate::{
    engine::{Engine, dispatch::Call},
    log::partition::{PartitionLog, Timestamps},
    topics::{TopicPartition, config::TopicConfig},
    transactions::{ProducerIdAndEpoch, state::Protocol},
};

/// From this version on, a transactional write makes its partition a part of the transaction (KIP-890).
const ADDS_PARTITIONS: i16 = 12;
/// From this version on, batches may be compressed with zstd (KIP-110).
const KNOWS_ZSTD: i16 = 7;
/// From this version on, clients are told which records were at fault (KIP-467).
const TELLS_RECORDS: i16 = 8;
/// From this version on, clients know `TRANSACTION_ABORTABLE`.
const KNOWS_ABORTABLE: i16 = 11;

/// What becomes of a Produce.
pub(crate) enum Produced {
    Answer(ProduceResponse),
    Silence,
    Close(String),
}

/// What a request says of all its batches.
struct Terms<'a> {
    acks: i16,
    transactional_id: Option<&'a StrBytes>,
    version: i16,
    /// How many bytes may still be decompressed: batches that grow without measure take the time of all clients.
    unpack: usize,
}

/// Where a batch went.
struct Stored {
    base_offset: i64,
    append_time: i64,
}

/// Why a batch was refused.
struct Refused {
    error: ResponseError,
    why: Option<String>,
    /// Records at fault, counted from 0.
    records: Vec<i32>,
    /// Whether the log has refused it, and so tells where it starts.
    by_log: bool,
}

impl Refused {
    /// Source: `ReplicaManager.appendToLocalLog`.
    fn by_log(self) -> Self {
        let known = matches!(self.error, ResponseError::MessageTooLarge | ResponseError::CorruptMessage);
        Self { by_log: !known, ..self }
    }
}

impl From<ResponseError> for Refused {
    fn from(error: ResponseError) -> Self {
        Self { error, why: None, records: Vec::new(), by_log: false }
    }
}

fn refused(error: ResponseError, why: impl Into<String>) -> Refused {
    Refused { error, why: Some(why.into()), records: Vec::new(), by_log: false }
}

impl Engine {
    pub(crate) fn produce(&mut self, call: Call<ProduceRequest>) -> Produced {
        let Call { request, version, .. } = call;
        let acks = request.acks;
        let transactional_id = request.transactional_id.map(|id| id.0);
        let mut first_error = None;
        let verdict = whole_request(transactional_id.as_ref(), &request.topic_data);
        let transactional_id = transactional_id.as_ref();
        let mut terms = Terms { acks, transactional_id, version, unpack: records::MOST_UNPACKED };
        let responses = request
            .topic_data
            .into_iter()
            .map(|topic| {
                let partitions = topic
                    .partition_data
                    .into_iter()
                    .map(|data| {
                        let partition = TopicPartition { topic: topic.name.clone(), partition: data.index };
                        let result = match verdict {
                            Some(error) => Err(error.into()),
                            None => self.append(&partition, &data, &mut terms),
                        };
                        if let Err(refused) = &result {
                            first_error.get_or_insert(refused.error);
                        }
                        self.produced(&partition, result, version)
                    })
                    .collect();
                TopicProduceResponse::default().with_name(topic.name).with_partition_responses(partitions)
            })
            .collect();
        match (acks, first_error) {
            (0, None) => Produced::Silence,
            (0, Some(error)) => Produced::Close(format!("a Produce with acks=0 failed: {error}")),
            _ => Produced::Answer(ProduceResponse::default().with_responses(responses)),
        }
    }

    fn append(
        &mut self,
        partition: &TopicPartition,
        data: &PartitionProduceData,
        terms: &mut Terms<'_>,
    ) -> Result<Stored, Refused> {
        let Terms { acks, transactional_id, version, ref mut unpack } = *terms;
        let TopicPartition { topic, partition: index } = partition;
        if self.topics.partition(topic, *index).is_none() {
            return Err(ResponseError::UnknownTopicOrPartition.into());
        }
        let batch = only_batch(data.records.as_ref(), version)?;
        if !matches!(acks, -1..=1) {
            return Err(ResponseError::InvalidRequiredAcks.into());
        }
        if let Some(id) = transactional_id
            && batch.is_transactional()
            && batch.has_producer_id()
        {
            self.verify(partition, batch, id, version)?;
        }
        let now = self.now;
        let Some(topic) = self.topics.get_mut(topic) else {
            return Err(ResponseError::UnknownTopicOrPartition.into());
        };
        let retention = topic.config.retention.unwrap_or(usize::MAX).min(self.settings.retention_bytes);
        let oldest = topic.config.retention_time.map_or(i64::MIN, |time| now.saturating_sub(time));
        let timestamps = check(batch, &topic.config, now, unpack).map_err(Refused::by_log)?;
        let Some(log) = topic.partition_mut(*index) else {
            return Err(ResponseError::UnknownTopicOrPartition.into());
        };
        if batch.has_producer_id()
            && let Some(seen) = log.duplicate_of(batch)
        {
            return Ok(Stored { base_offset: seen.first_offset(), append_time: seen.timestamp });
        }
        if batch.is_transactional() && batch.has_producer_id() && transactional_id.is_none() {
            return Err(Refused::from(ResponseError::InvalidTxnState).by_log());
        }
        let base_offset = log.append(batch, timestamps).map_err(|error| Refused::from(error).by_log())?;
        log.retain(retention, oldest);
        self.fetches.changed(partition);
        let append_time = match timestamps {
            Timestamps::Append { now } => now,
            Timestamps::Create { .. } => -1,
        };
        Ok(Stored { base_offset, append_time })
    }

    /// Asks the coordinator whether the partition is a part of the transaction, unless the log knows that it is.
    fn verify(
        &mut self,
        partition: &TopicPartition,
        batch: Batch<'_>,
        transactional_id: &str,
        version: i16,
    ) -> Result<(), ResponseError> {
        let producer = ProducerIdAndEpoch { id: batch.producer_id(), epoch: batch.producer_epoch() };
        let Some(log) = self.topics.partition_mut(&partition.topic, partition.partition) else { return Ok(()) };
        if log.producers.has_open_transaction(producer.id, producer.epoch) {
            return Ok(());
        }
        log.producers.begin_verification(producer.id, producer.epoch, batch.base_sequence());
        let protocol = if version >= ADDS_PARTITIONS { Protocol::V2 } else { Protocol::V1 };
        let knows_abortable = version >= KNOWS_ABORTABLE;
        let admitted =
            self.transactions.admit(transactional_id, producer, partition, protocol, knows_abortable, self.now);
        admitted.map_err(|error| match error {
            // Older clients would not come back.
            ResponseError::ConcurrentTransactions if protocol == Protocol::V1 => ResponseError::NotEnoughReplicas,
            other => other,
        })
    }

    fn produced(
        &self,
        partition: &TopicPartition,
        result: Result<Stored, Refused>,
        version: i16,
    ) -> PartitionProduceResponse {
        let response = PartitionProduceResponse::default().with_index(partition.partition);
        let log = self.topics.partition(&partition.topic, partition.partition);
        let start = log.map_or(-1, PartitionLog::start_offset);
        match result {
            Ok(Stored { base_offset, append_time }) => {
                response.with_base_offset(base_offset).with_log_append_time_ms(append_time).with_log_start_offset(start)
            }
            Err(Refused { error, why, records, by_log }) => {
                let why = why.map(StrBytes::from_string);
                let records = records
                    .into_iter()
                    .map(|index| {
                        BatchIndexAndErrorMessage::default()
                            .with_batch_index(index)
                            .with_batch_index_error_message(why.clone())
                    })
                    .collect();
                let response = response
                    .with_error_code(error.code())
                    .with_base_offset(-1)
                    .with_log_append_time_ms(-1)
                    .with_log_start_offset(if by_log { start } else { -1 });
                if version < TELLS_RECORDS {
                    return response;
                }
                response.with_record_errors(records).with_error_message(why)
            }
        }
    }
}

/// An error that concerns the request as a whole.
fn whole_request(transactional_id: Option<&StrBytes>, topics: &[TopicProduceData]) -> Option<ResponseError> {
    let batches = || {
        topics.iter().flat_map(|topic| &topic.partition_data).filter_map(|data| {
            let (batch, _) = Batch::split_first(data.records.as_ref()?).ok()??;
            (batch.is_current_format() && batch.is_transactional()).then_some(batch)
        })
    };
    if transactional_id.is_none() && batches().next().is_some() {
        return Some(ResponseError::TransactionalIdAuthorizationFailed);
    }
    let mut producers: Vec<_> = batches().filter(|batch| batch.has_producer_id()).map(Batch::producer_id).collect();
    producers.sort_unstable();
    producers.dedup();
    (producers.len() > 1).then_some(ResponseError::InvalidProducerIdMapping)
}

/// The batch of a partition: there must be one, and no other.
fn only_batch(records: Option<&Bytes>, version: i16) -> Result<Batch<'_>, Refused> {
    let records = records.map(|records| &records[..]).unwrap_or_default();
    let corrupt = |_| refused(ResponseError::CorruptMessage, "no record batch begins like this");
    let Some((batch, rest)) = Batch::split_first(records).map_err(corrupt)? else {
        return Err(refused(ResponseError::InvalidRecord, "Produce requests must have at least one record batch"));
    };
    if batch.magic() != 2 {
        return Err(refused(ResponseError::InvalidRecord, "Produce requests may only hold record batches of format 2"));
    }
    if !batch.is_current_format() {
        return Err(corrupt(Corrupt));
    }
    if batch.is_zstd() && version < KNOWS_ZSTD {
        return Err(ResponseError::UnsupportedCompressionType.into());
    }
    if Batch::split_first(rest).map_err(corrupt)?.is_some() {
        return Err(refused(
            ResponseError::InvalidRecord,
            "Produce requests must hold exactly one record batch a partition",
        ));
    }
    Ok(batch)
}

/// Whether a batch may stand in the log as it is, whoever sent it.
fn check(batch: Batch<'_>, config: &TopicConfig, now: i64, unpack: &mut usize) -> Result<Timestamps, Refused> {
    if batch.base_offset() != 0 {
        return Err(refused(ResponseError::InvalidRecord, "the base offset of a batch must be 0"));
    }
    if i64::try_from(batch.size()).is_ok_and(|size| size > i64::from(config.max_message_bytes)) {
        return Err(refused(ResponseError::MessageTooLarge, "the batch is larger than max.message.bytes"));
    }
    if !batch.checksum_is_right() {
        return Err(refused(ResponseError::CorruptMessage, "the checksum of the batch is wrong"));
    }
    if batch.count() <= 0 || batch.last_offset_delta().checked_add(1) != Some(batch.count()) {
        return Err(refused(ResponseError::InvalidRecord, "the offsets of a batch must be as many as its records"));
    }
    if batch.is_control() {
        return Err(refused(ResponseError::InvalidRecord, "clients may not write control batches"));
    }
    if batch.has_producer_id() && batch.base_sequence() < 0 {
        return Err(refused(ResponseError::InvalidRecord, "a batch with a producer id needs a sequence number"));
    }
    if config.append_time && batch.has_append_time() {
        return Err(Refused {
            records: vec![0],
            ..refused(ResponseError::InvalidTimestamp, "a producer may not set the time of the append")
        });
    }
    let oldest = if config.append_time { i64::MIN } else { now.saturating_sub(config.before_max) };
    let newest = if config.append_time { i64::MAX } else { now.saturating_add(config.after_max) };
    let (mut index, mut at_fault, mut without_key) = (0, Vec::new(), Vec::new());
    let max = records::validate_each(batch.bytes(), unpack, |record| {
        if config.compact && !record.has_key {
            without_key.push(index);
        } else if record.timestamp != NO_TIMESTAMP && !(oldest..=newest).contains(&record.timestamp) {
            at_fault.push(index);
        }
        index += 1;
    });
    let max = max.map_err(|why| refused(error_of(why), why.to_string()))?;
    if !without_key.is_empty() {
        let why = "a compacted topic takes no record without a key";
        return Err(Refused { records: without_key, ..refused(ResponseError::InvalidRecord, why) });
    }
    if !at_fault.is_empty() {
        let why = "a timestamp is too far from the broker's time";
        return Err(Refused { records: at_fault, ..refused(ResponseError::InvalidTimestamp, why) });
    }
    Ok(if config.append_time { Timestamps::Append { now } } else { Timestamps::Create { max } })
}

/// What Kafka answers to records that are refused: only its `InvalidRecordException` is meant for producers.
fn error_of(why: Invalid) -> ResponseError {
    match why {
        Invalid::Structure(_) => ResponseError::InvalidRecord,
        Invalid::Compression | Invalid::Numbering | Invalid::TooLarge => ResponseError::UnknownServerError,
    }
}
