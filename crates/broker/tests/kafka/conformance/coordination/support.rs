//! Producers, members and readers of one request at a time.

use std::{
    collections::HashMap,
    sync::OnceLock,
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use kafka_protocol::messages::{
    AddOffsetsToTxnRequest, AddPartitionsToTxnRequest, ApiVersionsRequest, CreateTopicsRequest, DeleteTopicsRequest,
    DescribeGroupsRequest, DescribeTransactionsRequest, EndTxnRequest, FetchRequest, FindCoordinatorRequest, GroupId,
    HeartbeatRequest, InitProducerIdRequest, InitProducerIdResponse, JoinGroupRequest, JoinGroupResponse,
    LeaveGroupRequest, ListOffsetsRequest, MetadataRequest, OffsetCommitRequest, OffsetFetchRequest, ProduceRequest,
    SyncGroupRequest, SyncGroupResponse, TopicName, TransactionalId, TxnOffsetCommitRequest,
    add_partitions_to_txn_request::AddPartitionsToTxnTopic,
    create_topics_request::CreatableTopic,
    describe_groups_response::DescribedGroup,
    describe_transactions_response::TransactionState,
    fetch_request::{FetchPartition, FetchTopic},
    join_group_request::JoinGroupRequestProtocol,
    list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic},
    metadata_request::MetadataRequestTopic,
    offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic},
    offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics},
    produce_request::{PartitionProduceData, TopicProduceData},
    sync_group_request::SyncGroupRequestAssignment,
    txn_offset_commit_request::{TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic},
};

use crate::support::{
    batch::{self, Batch, Fetched},
    broker::{self, unique},
    wire::{Client, Sent, text},
};

/// Error codes, by their names in the protocol guide.
pub(crate) mod code {
    pub(crate) const NONE: i16 = 0;
    pub(crate) const OFFSET_OUT_OF_RANGE: i16 = 1;
    pub(crate) const UNKNOWN_TOPIC_OR_PARTITION: i16 = 3;
    pub(crate) const OFFSET_METADATA_TOO_LARGE: i16 = 12;
    pub(crate) const COORDINATOR_LOAD_IN_PROGRESS: i16 = 14;
    pub(crate) const COORDINATOR_NOT_AVAILABLE: i16 = 15;
    pub(crate) const NOT_COORDINATOR: i16 = 16;
    pub(crate) const ILLEGAL_GENERATION: i16 = 22;
    pub(crate) const INCONSISTENT_GROUP_PROTOCOL: i16 = 23;
    pub(crate) const INVALID_GROUP_ID: i16 = 24;
    pub(crate) const UNKNOWN_MEMBER_ID: i16 = 25;
    pub(crate) const INVALID_SESSION_TIMEOUT: i16 = 26;
    pub(crate) const REBALANCE_IN_PROGRESS: i16 = 27;
    pub(crate) const INVALID_REQUEST: i16 = 42;
    pub(crate) const OUT_OF_ORDER_SEQUENCE_NUMBER: i16 = 45;
    pub(crate) const INVALID_PRODUCER_EPOCH: i16 = 47;
    pub(crate) const INVALID_TXN_STATE: i16 = 48;
    pub(crate) const INVALID_PRODUCER_ID_MAPPING: i16 = 49;
    pub(crate) const INVALID_TRANSACTION_TIMEOUT: i16 = 50;
    pub(crate) const CONCURRENT_TRANSACTIONS: i16 = 51;
    pub(crate) const TRANSACTIONAL_ID_AUTHORIZATION_FAILED: i16 = 53;
    pub(crate) const OPERATION_NOT_ATTEMPTED: i16 = 55;
    pub(crate) const NON_EMPTY_GROUP: i16 = 68;
    pub(crate) const GROUP_ID_NOT_FOUND: i16 = 69;
    pub(crate) const MEMBER_ID_REQUIRED: i16 = 79;
    pub(crate) const FENCED_INSTANCE_ID: i16 = 82;
    pub(crate) const GROUP_SUBSCRIBED_TO_TOPIC: i16 = 86;
    pub(crate) const UNSTABLE_OFFSET_COMMIT: i16 = 88;
    pub(crate) const PRODUCER_FENCED: i16 = 90;
    pub(crate) const TRANSACTIONAL_ID_NOT_FOUND: i16 = 105;
    pub(crate) const TRANSACTION_ABORTABLE: i16 = 120;
}

/// Fetch and ListOffsets: `isolation_level`.
pub(crate) const READ_UNCOMMITTED: i8 = 0;
pub(crate) const READ_COMMITTED: i8 = 1;

/// What has not happened by then will not happen.
const PATIENCE: Duration = Duration::from_secs(60);

/// Looks until there is something to be seen.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(start.elapsed() < PATIENCE, "waited in vain for {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Whether a coordinator is not there yet, or no longer.
fn not_there_yet(error: i16) -> bool {
    matches!(error, code::COORDINATOR_LOAD_IN_PROGRESS | code::COORDINATOR_NOT_AVAILABLE | code::NOT_COORDINATOR)
}

/// A connection to a broker whose coordinators have begun their work.
pub(crate) fn connect() -> Client {
    connect_as("conformance")
}

/// The same, with this client id.
pub(crate) fn connect_as(client_id: &str) -> Client {
    // A broker makes the internal topics when it is first asked for a coordinator.
    static READY: OnceLock<()> = OnceLock::new();
    READY.get_or_init(|| {
        let mut client = broker::connect();
        for key_type in [0, 1] {
            until("a coordinator", || {
                let request = FindCoordinatorRequest::default().with_key(text("any")).with_key_type(key_type);
                (client.call(&request, 1).error_code == code::NONE).then_some(())
            });
        }
        until("the group coordinator", || {
            let request = DescribeGroupsRequest::default().with_groups(vec![group_id("any")]);
            (!not_there_yet(client.call(&request, 0).groups[0].error_code)).then_some(())
        });
        until("the transaction coordinator", || {
            let request =
                DescribeTransactionsRequest::default().with_transactional_ids(vec![TransactionalId(text("any"))]);
            (!not_there_yet(client.call(&request, 0).transaction_states[0].error_code)).then_some(())
        });
        until("a producer id", || {
            let request = InitProducerIdRequest::default().with_transactional_id(None);
            (client.call(&request, 0).error_code == code::NONE).then_some(())
        });
    });
    Client::named(broker::bootstrap(), client_id)
}

/// The cluster's transaction.version: 0 where it has none. Version 2 changes how often the coordinator raises an epoch,
/// even for clients of protocol 1.
pub(crate) fn transaction_version() -> i16 {
    let request = ApiVersionsRequest::default()
        .with_client_software_name(text("conformance"))
        .with_client_software_version(text("1"));
    let features = connect().call(&request, 3).finalized_features;
    features
        .iter()
        .find(|feature| feature.name.as_str() == "transaction.version")
        .map_or(0, |feature| feature.max_version_level)
}

pub(crate) fn group_id(name: &str) -> GroupId {
    GroupId(text(name))
}

pub(crate) fn topic_name(name: &str) -> TopicName {
    TopicName(text(name))
}

/// A new topic whose partitions can be written to.
pub(crate) fn topic(partitions: i32) -> String {
    let name = unique("topic");
    create_topic(&name, partitions);
    name
}

pub(crate) fn create_topic(name: &str, partitions: i32) {
    let mut client = connect();
    let topic = CreatableTopic::default()
        .with_name(topic_name(name))
        .with_num_partitions(partitions)
        .with_replication_factor(1);
    let request = CreateTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(30_000);
    let error = client.call(&request, 4).topics[0].error_code;
    assert_eq!(error, code::NONE, "creating {name}");
    until("the topic's leaders", || {
        let topic = MetadataRequestTopic::default().with_name(Some(topic_name(name)));
        let request = MetadataRequest::default().with_topics(Some(vec![topic])).with_allow_auto_topic_creation(false);
        let topic = &client.call(&request, 4).topics[0];
        let led = topic.partitions.iter().filter(|partition| partition.error_code == 0 && partition.leader_id.0 >= 0);
        (led.count() == partitions as usize).then_some(())
    });
    // The metadata may know the leader before the leader does.
    for partition in 0..partitions {
        until("the partition", || {
            (try_offset(&mut client, name, partition, -1, READ_UNCOMMITTED, 1).0 == code::NONE).then_some(())
        });
    }
}

/// Deletes a topic, and waits until it is unknown.
pub(crate) fn delete_topic(name: &str) {
    let mut client = connect();
    let request = DeleteTopicsRequest::default().with_topic_names(vec![topic_name(name)]).with_timeout_ms(30_000);
    assert_eq!(client.call(&request, 4).responses[0].error_code, code::NONE);
    until("the topic's end", || {
        let topic = MetadataRequestTopic::default().with_name(Some(topic_name(name)));
        let request = MetadataRequest::default().with_topics(Some(vec![topic])).with_allow_auto_topic_creation(false);
        (client.call(&request, 4).topics[0].error_code == code::UNKNOWN_TOPIC_OR_PARTITION).then_some(())
    });
}

/// ListOffsets: error, timestamp, offset.
pub(crate) fn try_offset(
    client: &mut Client,
    topic: &str,
    partition: i32,
    timestamp: i64,
    isolation: i8,
    version: i16,
) -> (i16, i64, i64) {
    let partition = ListOffsetsPartition::default()
        .with_partition_index(partition)
        .with_timestamp(timestamp)
        .with_current_leader_epoch(-1);
    let topic = ListOffsetsTopic::default().with_name(topic_name(topic)).with_partitions(vec![partition]);
    let request = ListOffsetsRequest::default()
        .with_replica_id((-1).into())
        .with_isolation_level(isolation)
        .with_topics(vec![topic]);
    let response = client.call(&request, version);
    let partition = &response.topics[0].partitions[0];
    (partition.error_code, partition.timestamp, partition.offset)
}

/// The high watermark.
pub(crate) fn end_offset(topic: &str, partition: i32) -> i64 {
    let (error, _, offset) = try_offset(&mut connect(), topic, partition, -1, READ_UNCOMMITTED, 7);
    assert_eq!(error, code::NONE);
    offset
}

/// The last stable offset.
pub(crate) fn last_stable_offset(topic: &str, partition: i32) -> i64 {
    let (error, _, offset) = try_offset(&mut connect(), topic, partition, -1, READ_COMMITTED, 7);
    assert_eq!(error, code::NONE);
    offset
}

/// A partition's part of the answer to Fetch.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) error: i16,
    pub(crate) high_watermark: i64,
    pub(crate) last_stable_offset: i64,
    /// Producer id and first offset, in the order of the answer.
    pub(crate) aborted: Option<Vec<(i64, i64)>>,
    pub(crate) batches: Vec<Fetched>,
}

impl Read {
    /// The values of all records, those of control batches left out, the aborted ones not.
    pub(crate) fn values(&self) -> Vec<String> {
        self.batches.iter().filter(|batch| !batch.is_control()).flat_map(Fetched::values).collect()
    }

    /// What a read_committed consumer hands to its application: without the batches of aborted transactions.
    pub(crate) fn committed(&self) -> Vec<String> {
        let mut values = Vec::new();
        let mut waiting = self.aborted.clone().unwrap_or_default();
        let mut aborting = Vec::new();
        for batch in &self.batches {
            waiting.retain(|(producer, first)| {
                let begins = *first <= batch.last_offset;
                if begins {
                    aborting.push(*producer);
                }
                !begins
            });
            if batch.is_control() {
                aborting.retain(|producer| *producer != batch.producer_id || batch.commits() == Some(true));
            } else if batch.attributes & batch::TRANSACTIONAL == 0 || !aborting.contains(&batch.producer_id) {
                values.extend(batch.values());
            }
        }
        values
    }

    pub(crate) fn control(&self) -> Vec<&Fetched> {
        self.batches.iter().filter(|batch| batch.is_control()).collect()
    }
}

/// Fetches at once what there is.
pub(crate) fn read_by(
    client: &mut Client,
    topic: &str,
    partition: i32,
    offset: i64,
    isolation: i8,
    version: i16,
) -> Read {
    let partition = FetchPartition::default()
        .with_partition(partition)
        .with_fetch_offset(offset)
        .with_current_leader_epoch(-1)
        .with_partition_max_bytes(10_000_000);
    let topic = FetchTopic::default().with_topic(topic_name(topic)).with_partitions(vec![partition]);
    let request = FetchRequest::default()
        .with_replica_id((-1).into())
        .with_max_wait_ms(0)
        .with_min_bytes(0)
        .with_max_bytes(10_000_000)
        .with_isolation_level(isolation)
        .with_session_id(0)
        .with_session_epoch(-1)
        .with_topics(vec![topic]);
    let response = client.call(&request, version);
    assert_eq!(response.error_code, code::NONE);
    let partition = &response.responses[0].partitions[0];
    Read {
        error: partition.error_code,
        high_watermark: partition.high_watermark,
        last_stable_offset: partition.last_stable_offset,
        aborted: partition
            .aborted_transactions
            .as_ref()
            .map(|list| list.iter().map(|aborted| (aborted.producer_id.0, aborted.first_offset)).collect()),
        batches: batch::parse(partition.records.as_deref().unwrap_or_default()),
    }
}

/// The same, on a connection of its own, from the partition's beginning.
pub(crate) fn read(topic: &str, partition: i32, isolation: i8) -> Read {
    let read = read_by(&mut connect(), topic, partition, 0, isolation, 11);
    assert_eq!(read.error, code::NONE);
    read
}

/// What a read_committed consumer gets, once nothing is open any more.
pub(crate) fn committed(topic: &str, partition: i32) -> Vec<String> {
    until("the last transaction's end", || {
        let read = read(topic, partition, READ_COMMITTED);
        (read.last_stable_offset == read.high_watermark).then(|| read.committed())
    })
}

/// A batch of now. Apache Kafka begins a new segment where a marker is a week younger than the batch before it; a Fetch
/// ends at its segment, and retention takes the old one away.
pub(crate) fn batch_of(values: &[&str]) -> Batch {
    Batch { base_timestamp: now(), ..Batch::of(values) }
}

/// Milliseconds since 1970-01-01 UTC.
pub(crate) fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64
}

/// Whether a time of the broker lies between that of the caller and now, as far as two clocks agree.
pub(crate) fn is_now(time: i64, begin: i64) -> bool {
    (begin - 1_000..=now() + 1_000).contains(&time)
}

/// Produces one batch: error and base offset.
pub(crate) fn try_produce(
    client: &mut Client,
    transactional_id: Option<&str>,
    topic: &str,
    partition: i32,
    batch: &Batch,
    version: i16,
) -> (i16, i64) {
    let partition = PartitionProduceData::default().with_index(partition).with_records(Some(batch.build()));
    let topic = TopicProduceData::default().with_name(topic_name(topic)).with_partition_data(vec![partition]);
    let request = ProduceRequest::default()
        .with_transactional_id(transactional_id.map(|id| TransactionalId(text(id))))
        .with_acks(-1)
        .with_timeout_ms(30_000)
        .with_topic_data(vec![topic]);
    let response = client.call(&request, version);
    let partition = &response.responses[0].partition_responses[0];
    (partition.error_code, partition.base_offset)
}

/// Produces without transaction; the base offset.
pub(crate) fn produce_plainly(topic: &str, partition: i32, values: &[&str]) -> i64 {
    let (error, offset) = try_produce(&mut connect(), None, topic, partition, &batch_of(values), 9);
    assert_eq!(error, code::NONE);
    offset
}

pub(crate) fn init_request(transactional_id: Option<&str>, timeout: i32) -> InitProducerIdRequest {
    InitProducerIdRequest::default()
        .with_transactional_id(transactional_id.map(|id| TransactionalId(text(id))))
        .with_transaction_timeout_ms(timeout)
        .with_producer_id((-1).into())
        .with_producer_epoch(-1)
}

/// Asks for a producer id as often as the coordinator says that it is busy with the last transaction.
pub(crate) fn init(client: &mut Client, request: &InitProducerIdRequest, version: i16) -> InitProducerIdResponse {
    until("the coordinator", || {
        let response = client.call(request, version);
        let busy = response.error_code == code::CONCURRENT_TRANSACTIONS || not_there_yet(response.error_code);
        (!busy).then_some(response)
    })
}

/// What the transaction coordinator knows.
pub(crate) fn describe(transactional_id: &str) -> TransactionState {
    let request =
        DescribeTransactionsRequest::default().with_transactional_ids(vec![TransactionalId(text(transactional_id))]);
    connect().call(&request, 0).transaction_states.remove(0)
}

/// A transactional producer of protocol 1.
pub(crate) struct Producer {
    pub(crate) client: Client,
    pub(crate) transactional_id: String,
    pub(crate) id: i64,
    pub(crate) epoch: i16,
    pub(crate) sequences: HashMap<(String, i32), i32>,
}

impl Producer {
    pub(crate) fn new() -> Self {
        Self::named(&unique("txn"), 60_000)
    }

    /// Initialised with this id and transaction timeout in milliseconds.
    pub(crate) fn named(transactional_id: &str, timeout: i32) -> Self {
        let mut client = connect();
        let response = init(&mut client, &init_request(Some(transactional_id), timeout), 4);
        assert_eq!(response.error_code, code::NONE);
        Self {
            client,
            transactional_id: transactional_id.to_owned(),
            id: response.producer_id.0,
            epoch: response.producer_epoch,
            sequences: HashMap::new(),
        }
    }

    /// The same producer at another epoch, on a connection of its own: for what comes late, or too early.
    pub(crate) fn at_epoch(&self, epoch: i16) -> Self {
        Self {
            client: connect(),
            transactional_id: self.transactional_id.clone(),
            id: self.id,
            epoch,
            sequences: HashMap::new(),
        }
    }

    fn txn(&self) -> TransactionalId {
        TransactionalId(text(&self.transactional_id))
    }

    pub(crate) fn add_request(&self, topics: &[(&str, &[i32])]) -> AddPartitionsToTxnRequest {
        let topics = topics.iter().map(|(name, partitions)| {
            AddPartitionsToTxnTopic::default().with_name(topic_name(name)).with_partitions(partitions.to_vec())
        });
        AddPartitionsToTxnRequest::default()
            .with_v3_and_below_transactional_id(self.txn())
            .with_v3_and_below_producer_id(self.id.into())
            .with_v3_and_below_producer_epoch(self.epoch)
            .with_v3_and_below_topics(topics.collect())
    }

    /// AddPartitionsToTxn for one partition, as often as the coordinator is busy: the error.
    pub(crate) fn try_add(&mut self, topic: &str, partition: i32, version: i16) -> i16 {
        let request = self.add_request(&[(topic, &[partition])]);
        until("the coordinator", || {
            let response = self.client.call(&request, version);
            let error = response.results_by_topic_v3_and_below[0].results_by_partition[0].partition_error_code;
            (error != code::CONCURRENT_TRANSACTIONS).then_some(error)
        })
    }

    pub(crate) fn add(&mut self, topic: &str, partition: i32) {
        assert_eq!(self.try_add(topic, partition, 3), code::NONE);
    }

    /// A batch with the partition's next sequence number.
    pub(crate) fn batch(&self, topic: &str, partition: i32, values: &[&str]) -> Batch {
        let sequence = self.sequences.get(&(topic.to_owned(), partition)).copied().unwrap_or(0);
        batch_of(values).by(self.id, self.epoch, sequence).transactional()
    }

    /// Produces to a partition of the transaction: error and base offset.
    pub(crate) fn try_produce(&mut self, topic: &str, partition: i32, values: &[&str], version: i16) -> (i16, i64) {
        let batch = self.batch(topic, partition, values);
        let transactional_id = self.transactional_id.clone();
        let produced = try_produce(&mut self.client, Some(&transactional_id), topic, partition, &batch, version);
        if produced.0 == code::NONE {
            *self.sequences.entry((topic.to_owned(), partition)).or_default() += values.len() as i32;
        }
        produced
    }

    pub(crate) fn produce(&mut self, topic: &str, partition: i32, values: &[&str]) -> i64 {
        let (error, offset) = self.try_produce(topic, partition, values, 9);
        assert_eq!(error, code::NONE);
        offset
    }

    /// Adds the partition and produces to it; the base offset.
    pub(crate) fn send(&mut self, topic: &str, partition: i32, values: &[&str]) -> i64 {
        self.add(topic, partition);
        self.produce(topic, partition, values)
    }

    pub(crate) fn end_request(&self, commit: bool) -> EndTxnRequest {
        EndTxnRequest::default()
            .with_transactional_id(self.txn())
            .with_producer_id(self.id.into())
            .with_producer_epoch(self.epoch)
            .with_committed(commit)
    }

    /// EndTxn, as often as the coordinator is busy: the error.
    pub(crate) fn try_end(&mut self, commit: bool, version: i16) -> i16 {
        let request = self.end_request(commit);
        until("the coordinator", || {
            let error = self.client.call(&request, version).error_code;
            (error != code::CONCURRENT_TRANSACTIONS).then_some(error)
        })
    }

    /// Waits until all markers of the last transaction are written.
    pub(crate) fn completed(&self) {
        until("the transaction's end", || {
            let state = describe(&self.transactional_id).transaction_state;
            state.starts_with("Complete").then_some(())
        });
    }

    /// Commits, and waits for the markers.
    pub(crate) fn commit(&mut self) {
        assert_eq!(self.try_end(true, 3), code::NONE);
        self.completed();
    }

    /// Aborts, and waits for the markers.
    pub(crate) fn abort(&mut self) {
        assert_eq!(self.try_end(false, 3), code::NONE);
        self.completed();
    }

    /// AddOffsetsToTxn, as often as the coordinator is busy: the error.
    pub(crate) fn try_add_offsets(&mut self, group: &str, version: i16) -> i16 {
        let request = AddOffsetsToTxnRequest::default()
            .with_transactional_id(self.txn())
            .with_producer_id(self.id.into())
            .with_producer_epoch(self.epoch)
            .with_group_id(group_id(group));
        until("the coordinator", || {
            let error = self.client.call(&request, version).error_code;
            (error != code::CONCURRENT_TRANSACTIONS).then_some(error)
        })
    }

    /// TxnOffsetCommit by nobody in particular: member "" of generation -1.
    pub(crate) fn offsets_request(
        &self,
        group: &str,
        topic: &str,
        partition: i32,
        offset: i64,
    ) -> TxnOffsetCommitRequest {
        let partition = TxnOffsetCommitRequestPartition::default()
            .with_partition_index(partition)
            .with_committed_offset(offset)
            .with_committed_leader_epoch(-1)
            .with_committed_metadata(Some(text("")));
        let topic =
            TxnOffsetCommitRequestTopic::default().with_name(topic_name(topic)).with_partitions(vec![partition]);
        TxnOffsetCommitRequest::default()
            .with_transactional_id(self.txn())
            .with_group_id(group_id(group))
            .with_producer_id(self.id.into())
            .with_producer_epoch(self.epoch)
            .with_generation_id(-1)
            .with_member_id(text(""))
            .with_topics(vec![topic])
    }

    pub(crate) fn try_offsets(&mut self, request: &TxnOffsetCommitRequest, version: i16) -> i16 {
        self.client.call(request, version).topics[0].partitions[0].error_code
    }

    /// Adds the group and commits one offset into the transaction.
    pub(crate) fn send_offset(&mut self, group: &str, topic: &str, partition: i32, offset: i64) {
        assert_eq!(self.try_add_offsets(group, 3), code::NONE);
        let request = self.offsets_request(group, topic, partition, offset);
        assert_eq!(self.try_offsets(&request, 3), code::NONE);
    }
}

/// OffsetCommit by nobody in particular: member "" of generation -1, as a consumer without group management does it.
pub(crate) fn commit_request(group: &str, topic: &str, partition: i32, offset: i64) -> OffsetCommitRequest {
    let partition = OffsetCommitRequestPartition::default()
        .with_partition_index(partition)
        .with_committed_offset(offset)
        .with_committed_leader_epoch(-1)
        .with_committed_metadata(Some(text("")));
    let topic = OffsetCommitRequestTopic::default().with_name(topic_name(topic)).with_partitions(vec![partition]);
    OffsetCommitRequest::default()
        .with_group_id(group_id(group))
        .with_generation_id_or_member_epoch(-1)
        .with_member_id(text(""))
        .with_retention_time_ms(-1)
        .with_topics(vec![topic])
}

pub(crate) fn try_commit(client: &mut Client, request: &OffsetCommitRequest, version: i16) -> i16 {
    client.call(request, version).topics[0].partitions[0].error_code
}

pub(crate) fn commit_offset(group: &str, topic: &str, partition: i32, offset: i64) {
    let error = try_commit(&mut connect(), &commit_request(group, topic, partition, offset), 8);
    assert_eq!(error, code::NONE);
}

/// OffsetFetch v8 for one partition: error and offset.
pub(crate) fn fetch_offset(group: &str, topic: &str, partition: i32, require_stable: bool) -> (i16, i64) {
    let topic =
        OffsetFetchRequestTopics::default().with_name(topic_name(topic)).with_partition_indexes(vec![partition]);
    let group = OffsetFetchRequestGroup::default().with_group_id(group_id(group)).with_topics(Some(vec![topic]));
    let request = OffsetFetchRequest::default().with_groups(vec![group]).with_require_stable(require_stable);
    let response = connect().call(&request, 8);
    assert_eq!(response.groups[0].error_code, code::NONE);
    let partition = &response.groups[0].topics[0].partitions[0];
    (partition.error_code, partition.committed_offset)
}

/// The committed offset, pending ones left aside; -1 for none.
pub(crate) fn committed_offset(group: &str, topic: &str, partition: i32) -> i64 {
    let (error, offset) = fetch_offset(group, topic, partition, false);
    assert_eq!(error, code::NONE);
    offset
}

/// DescribeGroups v5 for one group.
pub(crate) fn describe_group(group: &str) -> DescribedGroup {
    connect().call(&DescribeGroupsRequest::default().with_groups(vec![group_id(group)]), 5).groups.remove(0)
}

pub(crate) fn group_state(group: &str) -> String {
    describe_group(group).group_state.to_string()
}

/// A member's subscription: one protocol "range" with some bytes as metadata. The type is none that the broker knows:
/// Apache Kafka reads the metadata of type "consumer", and a group whose bytes it cannot read never completes a join.
pub(crate) fn join_request(group: &str, member_id: &str) -> JoinGroupRequest {
    JoinGroupRequest::default()
        .with_group_id(group_id(group))
        .with_session_timeout_ms(60_000)
        .with_rebalance_timeout_ms(60_000)
        .with_member_id(text(member_id))
        .with_protocol_type(text("worker"))
        .with_protocols(protocols(&[("range", "subscription")]))
}

pub(crate) fn protocols(protocols: &[(&str, &str)]) -> Vec<JoinGroupRequestProtocol> {
    protocols
        .iter()
        .map(|(name, metadata)| {
            JoinGroupRequestProtocol::default()
                .with_name(text(name))
                .with_metadata(Bytes::copy_from_slice(metadata.as_bytes()))
        })
        .collect()
}

/// A member of a group.
pub(crate) struct Member {
    pub(crate) client: Client,
    pub(crate) group: String,
    pub(crate) id: String,
    pub(crate) instance: Option<String>,
    pub(crate) generation: i32,
    pub(crate) leader: String,
    pub(crate) joined: JoinGroupResponse,
    /// How it joins: set what a test wants to have otherwise.
    pub(crate) subscription: JoinGroupRequest,
}

impl Member {
    /// A member-to-be, whose id the broker has chosen (JoinGroup v5) but who waits for nothing yet.
    pub(crate) fn stranger(group: &str) -> Self {
        Self::with(join_request(group, ""))
    }

    pub(crate) fn with(subscription: JoinGroupRequest) -> Self {
        let mut member = Self {
            client: connect(),
            group: subscription.group_id.to_string(),
            id: String::new(),
            instance: subscription.group_instance_id.as_ref().map(ToString::to_string),
            generation: -1,
            leader: String::new(),
            joined: JoinGroupResponse::default(),
            subscription,
        };
        if member.instance.is_none() {
            let response = member.client.call(&member.subscription, 5);
            assert_eq!(response.error_code, code::MEMBER_ID_REQUIRED);
            member.id = response.member_id.to_string();
        }
        member
    }

    /// Joins a group in which nobody has to be waited for.
    pub(crate) fn join(group: &str) -> Self {
        let mut member = Self::stranger(group);
        let sent = member.rejoin();
        assert_eq!(member.rejoined(sent), code::NONE);
        member
    }

    /// The only member, with its assignment.
    pub(crate) fn alone(group: &str) -> Self {
        let mut member = Self::join(group);
        let own = member.id.clone();
        assert_eq!(member.sync(&[(&own, "all")]).error_code, code::NONE);
        member
    }

    /// Sends JoinGroup v5.
    pub(crate) fn rejoin(&mut self) -> Sent<JoinGroupRequest> {
        let request = self.subscription.clone().with_member_id(text(&self.id));
        self.client.send(&request, 5)
    }

    /// Takes the answer to it: the error.
    pub(crate) fn rejoined(&mut self, sent: Sent<JoinGroupRequest>) -> i16 {
        self.joined = self.client.receive(sent);
        if self.joined.error_code == code::NONE {
            self.id = self.joined.member_id.to_string();
            self.generation = self.joined.generation_id;
            self.leader = self.joined.leader.to_string();
        }
        self.joined.error_code
    }

    pub(crate) fn leads(&self) -> bool {
        self.leader == self.id
    }

    pub(crate) fn sync_request(&self, assignments: &[(&str, &str)]) -> SyncGroupRequest {
        let assignments = assignments.iter().map(|(member, assignment)| {
            SyncGroupRequestAssignment::default()
                .with_member_id(text(member))
                .with_assignment(Bytes::copy_from_slice(assignment.as_bytes()))
        });
        SyncGroupRequest::default()
            .with_group_id(group_id(&self.group))
            .with_generation_id(self.generation)
            .with_member_id(text(&self.id))
            .with_group_instance_id(self.instance.as_deref().map(text))
            .with_assignments(assignments.collect())
    }

    pub(crate) fn sync(&mut self, assignments: &[(&str, &str)]) -> SyncGroupResponse {
        let request = self.sync_request(assignments);
        self.client.call(&request, 3)
    }

    pub(crate) fn heartbeat_request(&self) -> HeartbeatRequest {
        HeartbeatRequest::default()
            .with_group_id(group_id(&self.group))
            .with_generation_id(self.generation)
            .with_member_id(text(&self.id))
            .with_group_instance_id(self.instance.as_deref().map(text))
    }

    pub(crate) fn heartbeat(&mut self) -> i16 {
        let request = self.heartbeat_request();
        self.client.call(&request, 3).error_code
    }

    /// Heartbeats until it is told that the group rebalances.
    pub(crate) fn hears_of_rebalance(&mut self) {
        until("the rebalance", || match self.heartbeat() {
            code::NONE => None,
            error => {
                assert_eq!(error, code::REBALANCE_IN_PROGRESS);
                Some(())
            }
        });
    }

    /// LeaveGroup v1.
    pub(crate) fn leave(&mut self) -> i16 {
        let request = LeaveGroupRequest::default().with_group_id(group_id(&self.group)).with_member_id(text(&self.id));
        self.client.call(&request, 1).error_code
    }

    /// The same on another connection, for a member whose own one waits for an answer.
    pub(crate) fn leave_by_another(&self) -> i16 {
        let request = LeaveGroupRequest::default().with_group_id(group_id(&self.group)).with_member_id(text(&self.id));
        connect().call(&request, 1).error_code
    }

    /// OffsetCommit as this member of its generation.
    pub(crate) fn commit_request(&self, topic: &str, partition: i32, offset: i64) -> OffsetCommitRequest {
        commit_request(&self.group, topic, partition, offset)
            .with_generation_id_or_member_epoch(self.generation)
            .with_member_id(text(&self.id))
            .with_group_instance_id(self.instance.as_deref().map(text))
    }
}

/// Leader and follower of a stable group of two.
pub(crate) fn pair(group: &str) -> (Member, Member) {
    let mut leader = Member::alone(group);
    let follower = admit(&mut leader, Member::stranger(group));
    (leader, follower)
}

/// A newcomer joins the only member; the group is stable again, with the assignments "first" and "second".
pub(crate) fn admit(leader: &mut Member, mut newcomer: Member) -> Member {
    let joining = newcomer.rejoin();
    leader.hears_of_rebalance();
    let rejoining = leader.rejoin();
    assert_eq!(leader.rejoined(rejoining), code::NONE);
    assert_eq!(newcomer.rejoined(joining), code::NONE);
    let (first, second) = (leader.id.clone(), newcomer.id.clone());
    assert_eq!(leader.sync(&[(&first, "first"), (&second, "second")]).error_code, code::NONE);
    assert_eq!(newcomer.sync(&[]).error_code, code::NONE);
    newcomer
}
