//! A topic of its own for each test, and short ways to ask for what nearly every test here needs.

use std::{
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use kafka_protocol::messages::{
    CreateTopicsRequest, DeleteRecordsRequest, DeleteTopicsRequest, FetchRequest, FetchResponse, InitProducerIdRequest,
    ListOffsetsRequest, MetadataRequest, ProduceRequest, ProduceResponse, TopicName,
    create_topics_request::{CreatableTopic, CreatableTopicConfig},
    create_topics_response::CreatableTopicResult,
    delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic},
    delete_records_response::DeleteRecordsPartitionResult,
    delete_topics_request::DeleteTopicState,
    fetch_request::{FetchPartition, FetchTopic},
    fetch_response::PartitionData,
    list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic},
    list_offsets_response::ListOffsetsPartitionResponse,
    metadata_request::MetadataRequestTopic,
    metadata_response::MetadataResponseTopic,
    produce_request::{PartitionProduceData, TopicProduceData},
    produce_response::PartitionProduceResponse,
};

use crate::support::{
    batch::{Batch, Fetched, parse},
    broker::{connect, unique},
    wire::{Client, text},
};

/// The timestamps that ListOffsets takes for a place.
pub(super) const LATEST: i64 = -1;
pub(super) const EARLIEST: i64 = -2;
pub(super) const MAX_TIMESTAMP: i64 = -3;
pub(super) const EARLIEST_LOCAL: i64 = -4;
pub(super) const LATEST_TIERED: i64 = -5;

/// Bits of a batch's attributes.
pub(super) const GZIP: i16 = 1;
pub(super) const LOG_APPEND_TIME: i16 = 8;

/// Where the fields of a batch are.
pub(super) const MAGIC: usize = 16;
pub(super) const ATTRIBUTES: usize = 21;
pub(super) const LAST_OFFSET_DELTA: usize = 23;
pub(super) const MAX_TIMESTAMP_FIELD: usize = 35;
pub(super) const RECORD_COUNT: usize = 57;
pub(super) const RECORDS: usize = 61;

/// What a test waits for longer than this does not come.
const PATIENCE: Duration = Duration::from_secs(60);

/// A topic that no other test knows, and a connection.
pub(super) struct Topic {
    pub(super) client: Client,
    pub(super) name: TopicName,
}

impl Topic {
    /// With one partition.
    pub(super) fn new() -> Self {
        Self::with(1, &[])
    }

    pub(super) fn with(partitions: i32, configs: &[(&str, &str)]) -> Self {
        let mut client = connect();
        let name = unused_name();
        let created = create(&mut client, creatable(&name, partitions).with_configs(creatable_configs(configs)));
        assert_eq!(created.error_code, 0, "{:?}", created.error_message);
        wait_until_led(&mut client, &name, partitions);
        Self { client, name }
    }

    /// A second connection to the same topic.
    pub(super) fn again(&self) -> Self {
        Self { client: connect(), name: self.name.clone() }
    }

    /// Writes to a partition, with acks=all.
    pub(super) fn produce_to(&mut self, partition: i32, records: Bytes) -> PartitionProduceResponse {
        let response = self.client.call(&produce_request(&self.name, partition, Some(records)), 9);
        only_partition(response)
    }

    /// Writes to partition 0, with acks=all.
    pub(super) fn produce(&mut self, records: Bytes) -> PartitionProduceResponse {
        self.produce_to(0, records)
    }

    /// Writes a batch that must be taken, and returns its first offset.
    pub(super) fn append(&mut self, batch: &Batch) -> i64 {
        let written = self.produce(batch.build());
        assert_eq!(written.error_code, 0, "{:?}", written.error_message);
        written.base_offset
    }

    /// Reads partition 0 from an offset, without waiting.
    pub(super) fn fetch(&mut self, offset: i64) -> PartitionData {
        let response = self.client.call(&fetch_request(&self.name, &[(0, offset)]), 12);
        assert_eq!(response.error_code, 0);
        only_fetched(response)
    }

    /// All that partition 0 holds from an offset on.
    pub(super) fn bytes_from(&mut self, offset: i64) -> Bytes {
        let fetched = self.fetch(offset);
        assert_eq!(fetched.error_code, 0);
        fetched.records.unwrap_or_default()
    }

    /// All batches that partition 0 holds from an offset on.
    pub(super) fn batches_from(&mut self, offset: i64) -> Vec<Fetched> {
        parse(&self.bytes_from(offset))
    }

    /// All values in partition 0 from an offset on.
    pub(super) fn values_from(&mut self, offset: i64) -> Vec<String> {
        self.batches_from(offset).iter().flat_map(Fetched::values).collect()
    }

    /// The answer of ListOffsets (version 7) for partition 0.
    pub(super) fn list_offset(&mut self, timestamp: i64) -> ListOffsetsPartitionResponse {
        self.list_offset_in_version(7, timestamp)
    }

    pub(super) fn list_offset_in_version(&mut self, version: i16, timestamp: i64) -> ListOffsetsPartitionResponse {
        let partition = ListOffsetsPartition::default().with_timestamp(timestamp);
        list_offsets(&mut self.client, version, &self.name, vec![partition]).remove(0)
    }

    /// The first offset and the end of partition 0.
    pub(super) fn range(&mut self) -> (i64, i64) {
        (self.list_offset(EARLIEST).offset, self.list_offset(LATEST).offset)
    }

    /// DeleteRecords (version 2) in partition 0, up to an offset.
    pub(super) fn delete_records(&mut self, offset: i64) -> DeleteRecordsPartitionResult {
        delete_records(&mut self.client, 2, &self.name, 0, offset)
    }
}

/// A name that no topic has.
pub(super) fn unused_name() -> TopicName {
    name(&unique("storage"))
}

pub(super) fn exists(client: &mut Client, topic: &TopicName) -> bool {
    describe_topic(client, topic).error_code == 0
}

pub(super) fn name(name: &str) -> TopicName {
    TopicName(text(name))
}

/// Calls the probe until it answers something.
pub(super) fn eventually<T>(what: &str, mut probe: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = probe() {
            return found;
        }
        assert!(start.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Milliseconds since 1970.
pub(super) fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64
}

/// One record for each value, written now: retention, and the expiration of producer ids, go by what batches say.
pub(super) fn batch<V: AsRef<[u8]>>(values: impl IntoIterator<Item = V>) -> Batch {
    Batch { base_timestamp: now(), ..Batch::of(values) }
}

pub(super) fn creatable(name: &TopicName, partitions: i32) -> CreatableTopic {
    CreatableTopic::default().with_name(name.clone()).with_num_partitions(partitions).with_replication_factor(1)
}

pub(super) fn creatable_configs(configs: &[(&str, &str)]) -> Vec<CreatableTopicConfig> {
    configs
        .iter()
        .map(|(name, value)| CreatableTopicConfig::default().with_name(text(name)).with_value(Some(text(value))))
        .collect()
}

/// CreateTopics, version 7, of one topic.
pub(super) fn create(client: &mut Client, topic: CreatableTopic) -> CreatableTopicResult {
    create_in_version(client, 7, topic, false)
}

pub(super) fn create_in_version(
    client: &mut Client,
    version: i16,
    topic: CreatableTopic,
    validate_only: bool,
) -> CreatableTopicResult {
    let request = CreateTopicsRequest::default()
        .with_topics(vec![topic])
        .with_timeout_ms(30_000)
        .with_validate_only(validate_only);
    let mut response = client.call(&request, version);
    assert_eq!(response.topics.len(), 1);
    response.topics.remove(0)
}

/// Waits until each partition answers: a topic exists before the broker leads its partitions.
pub(super) fn wait_until_led(client: &mut Client, topic: &TopicName, partitions: i32) {
    eventually("the leaders of a new topic", || {
        let found = describe_topic(client, topic);
        let led = found.error_code == 0
            && found.partitions.len() == partitions as usize
            && found.partitions.iter().all(|partition| partition.error_code == 0 && partition.leader_id.0 >= 0);
        if !led {
            return None;
        }
        let latest = (0..partitions)
            .map(|partition| ListOffsetsPartition::default().with_partition_index(partition).with_timestamp(LATEST))
            .collect();
        list_offsets(client, 7, topic, latest).iter().all(|found| found.error_code == 0).then_some(())
    });
}

/// DeleteTopics by name; then waits until Metadata has forgotten it.
pub(super) fn delete_and_wait(client: &mut Client, topic: &TopicName) {
    let request = DeleteTopicsRequest::default()
        .with_topics(vec![DeleteTopicState::default().with_name(Some(topic.clone()))])
        .with_timeout_ms(30_000);
    assert_eq!(client.call(&request, 6).responses[0].error_code, 0);
    eventually("the end of a topic", || (describe_topic(client, topic).error_code == 3).then_some(()));
}

/// Metadata (version 12) of one topic, which is not created by that.
pub(super) fn describe_topic(client: &mut Client, topic: &TopicName) -> MetadataResponseTopic {
    let mut response = client.call(&metadata_request(topic), 12);
    assert_eq!(response.topics.len(), 1);
    response.topics.remove(0)
}

pub(super) fn metadata_request(topic: &TopicName) -> MetadataRequest {
    MetadataRequest::default()
        .with_topics(Some(vec![MetadataRequestTopic::default().with_name(Some(topic.clone()))]))
        .with_allow_auto_topic_creation(false)
}

/// Records for one partition, with acks=all.
pub(super) fn produce_request(topic: &TopicName, partition: i32, records: Option<Bytes>) -> ProduceRequest {
    let data = PartitionProduceData::default().with_index(partition).with_records(records);
    produce_requests(topic, vec![data])
}

pub(super) fn produce_requests(topic: &TopicName, partitions: Vec<PartitionProduceData>) -> ProduceRequest {
    let topic = TopicProduceData::default().with_name(topic.clone()).with_partition_data(partitions);
    ProduceRequest::default().with_acks(-1).with_timeout_ms(30_000).with_topic_data(vec![topic])
}

pub(super) fn only_partition(mut response: ProduceResponse) -> PartitionProduceResponse {
    assert_eq!(response.responses.len(), 1);
    assert_eq!(response.responses[0].partition_responses.len(), 1);
    response.responses.remove(0).partition_responses.remove(0)
}

/// Partitions and their offsets, outside of any session; does not wait, and no limit of bytes matters.
pub(super) fn fetch_request(topic: &TopicName, offsets: &[(i32, i64)]) -> FetchRequest {
    let partitions = offsets.iter().map(|&(partition, offset)| fetch_partition(partition, offset)).collect();
    FetchRequest::default()
        .with_max_wait_ms(0)
        .with_min_bytes(1)
        .with_max_bytes(50 << 20)
        .with_session_epoch(-1)
        .with_topics(vec![FetchTopic::default().with_topic(topic.clone()).with_partitions(partitions)])
}

pub(super) fn fetch_partition(partition: i32, offset: i64) -> FetchPartition {
    FetchPartition::default().with_partition(partition).with_fetch_offset(offset).with_partition_max_bytes(10 << 20)
}

pub(super) fn only_fetched(response: FetchResponse) -> PartitionData {
    let mut partitions = fetched(response);
    assert_eq!(partitions.len(), 1);
    partitions.remove(0)
}

/// The partitions of the one topic of an answer.
pub(super) fn fetched(mut response: FetchResponse) -> Vec<PartitionData> {
    assert_eq!(response.responses.len(), 1);
    response.responses.remove(0).partitions
}

pub(super) fn list_offsets(
    client: &mut Client,
    version: i16,
    topic: &TopicName,
    partitions: Vec<ListOffsetsPartition>,
) -> Vec<ListOffsetsPartitionResponse> {
    let topic = ListOffsetsTopic::default().with_name(topic.clone()).with_partitions(partitions);
    let request = ListOffsetsRequest::default().with_replica_id((-1).into()).with_topics(vec![topic]);
    let mut response = client.call(&request, version);
    assert_eq!(response.topics.len(), 1);
    response.topics.remove(0).partitions
}

pub(super) fn delete_records(
    client: &mut Client,
    version: i16,
    topic: &TopicName,
    partition: i32,
    offset: i64,
) -> DeleteRecordsPartitionResult {
    let partition = DeleteRecordsPartition::default().with_partition_index(partition).with_offset(offset);
    let topic = DeleteRecordsTopic::default().with_name(topic.clone()).with_partitions(vec![partition]);
    let request = DeleteRecordsRequest::default().with_topics(vec![topic]).with_timeout_ms(30_000);
    let mut response = client.call(&request, version);
    assert_eq!((response.topics.len(), response.topics[0].partitions.len()), (1, 1));
    response.topics.remove(0).partitions.remove(0)
}

/// A producer id without a transactional id. A broker that has just started may still be loading (14).
pub(super) fn producer_id(client: &mut Client) -> i64 {
    let request = InitProducerIdRequest::default()
        .with_transactional_id(None)
        .with_transaction_timeout_ms(60_000)
        .with_producer_id((-1).into())
        .with_producer_epoch(-1);
    let response =
        eventually("a producer id", || Some(client.call(&request, 4)).filter(|response| response.error_code != 14));
    assert_eq!((response.error_code, response.producer_epoch), (0, 0));
    response.producer_id.0
}

/// The batch with other bytes from a place on, and a checksum that is right again.
pub(super) fn patched(batch: &Bytes, at: usize, bytes: &[u8]) -> Bytes {
    let mut batch = batch.to_vec();
    batch[at..at + bytes.len()].copy_from_slice(bytes);
    let checksum = crc32c::crc32c(&batch[ATTRIBUTES..]);
    batch[MAGIC + 1..ATTRIBUTES].copy_from_slice(&checksum.to_be_bytes());
    batch.into()
}

/// The batch with other records behind its header, and length and checksum that are right again.
pub(super) fn with_records(batch: &Bytes, records: &[u8]) -> Bytes {
    let mut bytes = batch[..RECORDS].to_vec();
    bytes.extend_from_slice(records);
    let length = (bytes.len() - 12) as i32;
    bytes[8..12].copy_from_slice(&length.to_be_bytes());
    patched(&bytes.into(), 0, &[])
}

/// A batch that holds one value, and is `size` bytes long.
pub(super) fn batch_of_size(size: usize) -> Batch {
    // 61 bytes of header; each record adds its length, attributes, deltas, key, value length and header count.
    let mut length = size.saturating_sub(RECORDS + 7);
    loop {
        let batch = batch([vec![b'x'; length]]);
        match batch.build().len() {
            built if built == size => return batch,
            built if built < size => panic!("no batch is {size} bytes long"),
            _ => length -= 1,
        }
    }
}

/// Base offsets of the batches in an answer to Fetch.
pub(super) fn base_offsets(records: Option<&[u8]>) -> Vec<i64> {
    parse(records.unwrap_or_default()).iter().map(|batch| batch.base_offset).collect()
}

/// The values of the records in an answer to Fetch.
pub(super) fn parse_values(records: Option<&[u8]>) -> Vec<String> {
    parse(records.unwrap_or_default()).iter().flat_map(Fetched::values).collect()
}

/// The same batch, its records in gzip.
pub(super) fn compressed(batch: &Bytes) -> Bytes {
    patched(&with_records(batch, &gzip(&batch[RECORDS..])), ATTRIBUTES, &GZIP.to_be_bytes())
}

/// A gzip member of one block that is stored as it is (RFC 1952, RFC 1951 3.2.4).
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let length = bytes.len() as u16;
    let mut packed = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1];
    packed.extend_from_slice(&length.to_le_bytes());
    packed.extend_from_slice(&(!length).to_le_bytes());
    packed.extend_from_slice(bytes);
    let mut checksum = !0_u32;
    for byte in bytes {
        checksum ^= u32::from(*byte);
        for _ in 0..8 {
            checksum = (checksum >> 1) ^ if checksum & 1 == 1 { 0xedb8_8320 } else { 0 };
        }
    }
    packed.extend_from_slice(&(!checksum).to_le_bytes());
    packed.extend_from_slice(&u32::from(length).to_le_bytes());
    packed
}
