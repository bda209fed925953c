//! The engine, its time, and every request that is sent to it. After each, an observer reads what is new, and compares.

use std::{
    collections::{BTreeMap, HashMap},
    hash::{DefaultHasher, Hash, Hasher},
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

use broker::{Caller, Engine, Handled, Millis, Settings, Wait};
use bytes::{Bytes, BytesMut};
use kafka_protocol::{
    messages::{
        AddOffsetsToTxnRequest, AddPartitionsToTxnRequest, CreateTopicsRequest, DeleteRecordsRequest,
        DeleteTopicsRequest, DescribeTransactionsRequest, EndTxnRequest, GroupId, InitProducerIdRequest,
        OffsetCommitRequest, OffsetFetchRequest, ProduceRequest, ProducerId, RequestHeader, ResponseHeader, TopicName,
        TransactionalId, TxnOffsetCommitRequest,
        add_partitions_to_txn_request::AddPartitionsToTxnTopic,
        create_topics_request::CreatableTopic,
        delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic},
        offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic},
        offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics},
        produce_request::{PartitionProduceData, TopicProduceData},
        txn_offset_commit_request::{TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic},
    },
    protocol::{Decodable, Encodable, HeaderVersion, Request as Api, StrBytes},
};

use crate::{
    batch::Batch,
    coordinator::{Coordinator, Decided},
    fetch::{Delivered, Wanted},
    log::{Log, next_sequence},
    member::{Generations, LONGEST_JOIN},
    offsets::Offsets,
    run::{Checked, hold},
    step::{At, PARTITIONS, TOPICS},
};

pub(crate) const START: Millis = 1_700_000_000_000;
pub(crate) const TRANSACTION_TIMEOUT: i32 = 3_000;
pub(crate) const GROUP: &str = "group";
/// A topic that is never deleted: its offset keeps the group from being forgotten.
const ANCHOR: &str = "anchor";
const NAMES: [&str; TOPICS] = ["topic-0", "topic-1"];
const IDS: [&str; 2] = ["id-0", "id-1"];

pub(crate) const UNKNOWN_TOPIC_OR_PARTITION: i16 = 3;
pub(crate) const OUT_OF_ORDER_SEQUENCE_NUMBER: i16 = 45;
pub(crate) const CONCURRENT_TRANSACTIONS: i16 = 51;
const UNSTABLE_OFFSET_COMMIT: i16 = 88;

/// What became of a request.
#[derive(Debug)]
pub(crate) enum Outcome<R> {
    Answer(R),
    Silence,
    Wait(Wait),
}

/// Which requests a transactional producer sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// Those of librdkafka.
    Old,
    /// Flexible ones, of the first transaction protocol.
    New,
    /// Of the second (KIP-890): each EndTxn brings a new epoch.
    Second,
}

/// A producer, as it shows itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Who {
    /// Its transactional id.
    pub(crate) id: Option<usize>,
    pub(crate) producer_id: i64,
    pub(crate) epoch: i16,
    pub(crate) protocol: Protocol,
}

/// A member, as it shows itself: its id and generation.
pub(crate) type Credentials = Option<(String, i32)>;

/// A request of a producer. Sent twice, it is the same bytes twice.
#[derive(Debug, Clone)]
pub(crate) enum Request {
    Init { id: Option<usize>, present: Option<(i64, i16)>, protocol: Protocol },
    Add { who: Who, at: At },
    Produce { who: Who, at: At, sequence: i32, ids: Vec<u64>, acks: i16, large: bool },
    AddOffsets { who: Who },
    SendOffsets { who: Who, at: At, offset: i64, member: Credentials },
    End { who: Who, commit: bool },
}

/// An error code, and what the request was for.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Reply {
    pub(crate) code: i16,
    pub(crate) producer: (i64, i16),
}

/// What must happen to a batch that is produced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Append,
    /// It stands at this offset already.
    Duplicate(i64),
    Refuse,
}

pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) now: Millis,
    pub(crate) settings: Settings,
    /// Whether requests arrive in the order and in the time in which they were sent. Otherwise the engine may refuse more.
    pub(crate) punctual: bool,
    pub(crate) logs: BTreeMap<At, Log>,
    pub(crate) coordinator: Coordinator,
    pub(crate) offsets: Offsets,
    pub(crate) generations: Generations,
    /// Fetches that wait.
    pub(crate) fetches: BTreeMap<Wait, Wanted>,
    /// Answers to JoinGroup and SyncGroup that have come, and those that are awaited, with the time by which they must
    /// have come.
    pub(crate) arrived: HashMap<Wait, Bytes>,
    pub(crate) awaited: BTreeMap<Wait, Millis>,
    /// What the observer at `read_committed` has read.
    pub(crate) stable: BTreeMap<At, i64>,
    /// What Fetches that waited have brought, by consumer.
    pub(crate) delivered: Vec<(usize, Delivered)>,
    offsets_changed: bool,
    /// What has been answered, in its order.
    digest: DefaultHasher,
    correlation_id: i32,
    next_record: u64,
    /// Every frame that is sent, where someone wants them.
    pub(crate) frames: Option<Vec<Bytes>>,
}

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

pub(crate) fn topic_name(topic: usize) -> TopicName {
    TopicName(StrBytes::from_static_str(NAMES[topic]))
}

pub(crate) fn group_id() -> GroupId {
    GroupId(StrBytes::from_static_str(GROUP))
}

fn transactional_id(id: usize) -> TransactionalId {
    TransactionalId(StrBytes::from_static_str(IDS[id]))
}

pub(crate) fn caller() -> Caller {
    let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
    Caller { peer, reached_at: SocketAddr::new(peer, 9092) }
}

/// A request as a frame, without its length.
pub(crate) fn encode<R: Api>(request: &R, version: i16, correlation_id: i32) -> Bytes {
    let mut frame = BytesMut::new();
    RequestHeader::default()
        .with_request_api_key(R::KEY)
        .with_request_api_version(version)
        .with_correlation_id(correlation_id)
        .with_client_id(Some(StrBytes::from_static_str("simulated")))
        .encode(&mut frame, R::header_version(version))
        .unwrap();
    request.encode(&mut frame, version).unwrap();
    frame.freeze()
}

/// An answer, from a frame with its length; and its correlation id.
pub(crate) fn decode<R: Decodable + HeaderVersion>(mut frame: Bytes, version: i16) -> Checked<(i32, R)> {
    let length = frame.split_to(4);
    hold!(length[..] == (frame.len() as u32).to_be_bytes(), "the length of an answer is wrong");
    let header = ResponseHeader::decode(&mut frame, R::header_version(version)).map_err(|error| error.to_string())?;
    let response = R::decode(&mut frame, version).map_err(|error| error.to_string())?;
    hold!(frame.is_empty(), "{} bytes follow an answer", frame.len());
    Ok((header.correlation_id, response))
}

impl World {
    pub(crate) fn new(change: impl FnOnce(&mut Settings)) -> Checked<Self> {
        let mut settings = Settings::default();
        settings.auto_create_topics = false;
        change(&mut settings);
        let mut world = Self {
            engine: Engine::new(settings.clone()),
            now: START,
            settings,
            punctual: true,
            logs: BTreeMap::new(),
            coordinator: Coordinator::default(),
            offsets: Offsets::default(),
            generations: Generations::default(),
            fetches: BTreeMap::new(),
            arrived: HashMap::new(),
            awaited: BTreeMap::new(),
            stable: BTreeMap::new(),
            delivered: Vec::new(),
            offsets_changed: false,
            digest: DefaultHasher::new(),
            correlation_id: 0,
            next_record: 0,
            frames: None,
        };
        world.engine.tick(START);
        let anchor = CreatableTopic::default().with_name(TopicName(text(ANCHOR))).with_num_partitions(1);
        let anchor = CreateTopicsRequest::default().with_topics(vec![anchor.with_replication_factor(1)]);
        world.call(&anchor, 4)?;
        let partition = OffsetCommitRequestPartition::default().with_committed_offset(7);
        let topic = OffsetCommitRequestTopic::default().with_name(TopicName(text(ANCHOR)));
        let commit = OffsetCommitRequest::default()
            .with_group_id(group_id())
            .with_generation_id_or_member_epoch(-1)
            .with_topics(vec![topic.with_partitions(vec![partition])]);
        world.call(&commit, 7)?;
        for topic in 0..TOPICS {
            world.create_topic(topic)?;
        }
        Ok(world)
    }

    /// All answers so far, in a number.
    pub(crate) fn digest(&self) -> u64 {
        self.digest.finish()
    }

    pub(crate) fn new_records(&mut self, count: usize) -> Vec<u64> {
        let first = self.next_record;
        self.next_record += count as u64;
        (first..self.next_record).collect()
    }

    /// Sends a request; whoever waited and is answered by it has the answer afterwards.
    pub(crate) fn send<R: Api>(&mut self, request: &R, version: i16) -> Checked<Outcome<R::Response>>
    where
        R::Response: Decodable + HeaderVersion,
    {
        self.correlation_id += 1;
        let frame = encode(request, version, self.correlation_id);
        self.frames.iter_mut().for_each(|frames| frames.push(frame.clone()));
        let handled = self.engine.handle(self.now, caller(), frame);
        if let Handled::Answer(bytes) = &handled {
            bytes.hash(&mut self.digest);
        }
        let outcome = match handled {
            Handled::Answer(bytes) => {
                let (correlation_id, response) = decode(bytes, version)?;
                hold!(correlation_id == self.correlation_id, "an answer to another request");
                Outcome::Answer(response)
            }
            Handled::Silence => Outcome::Silence,
            Handled::Wait(wait) => Outcome::Wait(wait),
            Handled::Close(why) => return Err(format!("the connection is closed: {why}")),
        };
        Ok(outcome)
    }

    /// Sends a request that is answered at once.
    pub(crate) fn call<R: Api>(&mut self, request: &R, version: i16) -> Checked<R::Response>
    where
        R::Response: Decodable + HeaderVersion,
    {
        match self.send(request, version)? {
            Outcome::Answer(response) => Ok(response),
            _ => Err("a request that is answered at once waits".into()),
        }
    }

    /// Sends a producer's request, and holds the answer against everything that is known. `None`: it wants no answer.
    pub(crate) fn perform(&mut self, request: &Request) -> Checked<Option<Reply>> {
        match request {
            Request::Init { id, present, protocol } => self.init(*id, *present, *protocol).map(Some),
            Request::Add { who, at } => self.add(*who, *at).map(Some),
            Request::Produce { who, at, sequence, ids, acks, large } => {
                self.produce(*who, *at, *sequence, ids, *acks, *large)
            }
            Request::AddOffsets { who } => self.add_offsets(*who).map(Some),
            Request::SendOffsets { who, at, offset, member } => self.send_offsets(*who, *at, *offset, member).map(Some),
            Request::End { who, commit } => self.end(*who, *commit).map(Some),
        }
    }

    fn init(&mut self, id: Option<usize>, present: Option<(i64, i16)>, protocol: Protocol) -> Checked<Reply> {
        let (producer_id, epoch) = present.unwrap_or((-1, -1));
        let request = InitProducerIdRequest::default()
            .with_transactional_id(id.map(transactional_id))
            .with_transaction_timeout_ms(TRANSACTION_TIMEOUT)
            .with_producer_id(ProducerId(producer_id))
            .with_producer_epoch(epoch);
        let version = if protocol == Protocol::Second { 5 } else { 4 };
        let response = self.call(&request, version)?;
        let code = response.error_code;
        let producer = (response.producer_id.0, response.producer_epoch);
        let Some(id) = id else {
            hold!(code == 0 && producer.1 == 0, "an idempotent producer is given {producer:?}, error {code}");
            self.coordinator.give(producer.0)?;
            self.observe(None, &[])?;
            return Ok(Reply { code, producer });
        };
        let open = self.coordinator.open(id).is_some();
        let mut decided = None;
        match code {
            0 => self.coordinator.initialized(id, producer, present, TRANSACTION_TIMEOUT.into())?,
            CONCURRENT_TRANSACTIONS => {
                decided = self.coordinator.fence(id);
                hold!(decided.is_some(), "InitProducerId waits for a transaction that is not there");
            }
            _ => {}
        }
        let fits = present.is_none_or(|(producer_id, epoch)| self.coordinator.is_live(id, producer_id, epoch));
        if fits && code != 0 && code != CONCURRENT_TRANSACTIONS {
            return Err(format!("InitProducerId gets error {code}"));
        }
        hold!(!(open && code == 0), "InitProducerId is granted while a transaction is open");
        self.observe(None, decided.as_slice())?;
        Ok(Reply { code, producer })
    }

    fn add(&mut self, who: Who, at: At) -> Checked<Reply> {
        let id = who.id.ok_or("a producer without transactional id adds a partition")?;
        let topic = AddPartitionsToTxnTopic::default().with_name(topic_name(at.0)).with_partitions(vec![at.1]);
        let request = AddPartitionsToTxnRequest::default()
            .with_v3_and_below_transactional_id(transactional_id(id))
            .with_v3_and_below_producer_id(ProducerId(who.producer_id))
            .with_v3_and_below_producer_epoch(who.epoch)
            .with_v3_and_below_topics(vec![topic]);
        let response = self.call(&request, if who.protocol == Protocol::Old { 0 } else { 3 })?;
        let result =
            response.results_by_topic_v3_and_below.first().and_then(|topic| topic.results_by_partition.first());
        let code = result.ok_or("no answer to AddPartitionsToTxn")?.partition_error_code;
        let allowed = self.logs.contains_key(&at) && self.coordinator.is_live(id, who.producer_id, who.epoch);
        hold!((code == 0) == allowed, "AddPartitionsToTxn of {who:?} gets error {code}");
        if code == 0 {
            self.coordinator.add(id, Some(at), self.now);
        }
        self.look()?;
        Ok(Reply { code, ..Reply::default() })
    }

    fn verdict(&mut self, who: Who, at: At, sequence: i32, records: usize) -> Verdict {
        let Some(log) = self.logs.get(&at) else { return Verdict::Refuse };
        if who.producer_id < 0 {
            return Verdict::Append;
        }
        let known = log.producers.get(&who.producer_id);
        if let Some(id) = who.id
            && known.is_none_or(|known| known.open.is_none())
        {
            // The coordinator is asked, even about what may be a duplicate.
            if !self.coordinator.is_live(id, who.producer_id, who.epoch) {
                return Verdict::Refuse;
            }
            if who.protocol == Protocol::Second {
                self.coordinator.add(id, Some(at), self.now);
            } else if self.coordinator.open(id).is_none_or(|open| !open.partitions.contains(&at)) {
                return Verdict::Refuse;
            }
        }
        let Some(known) = known else { return Verdict::Append };
        let same = known.epoch == who.epoch;
        let seen = known.batches.iter().find(|(first, count, _)| same && (*first, *count) == (sequence, records));
        if let Some((_, _, offset)) = seen {
            return Verdict::Duplicate(*offset);
        }
        let expected = match known.last_sequence {
            Some(last) if same => next_sequence(last, 1),
            _ => 0,
        };
        if who.epoch < known.epoch || sequence != expected { Verdict::Refuse } else { Verdict::Append }
    }

    fn produce(
        &mut self,
        who: Who,
        at: At,
        sequence: i32,
        ids: &[u64],
        acks: i16,
        large: bool,
    ) -> Checked<Option<Reply>> {
        let size = if large { 300 << 10 } else { 8 };
        let values = ids.iter().map(|id| {
            let mut value = id.to_be_bytes().to_vec();
            value.resize(size, 0);
            value
        });
        let mut batch = Batch::of(values);
        batch.base_timestamp = self.now;
        if who.producer_id >= 0 {
            batch = batch.by(who.producer_id, who.epoch, sequence);
        }
        if who.id.is_some() {
            batch = batch.transactional();
        }
        let data = PartitionProduceData::default().with_index(at.1).with_records(Some(batch.build()));
        let topic = TopicProduceData::default().with_name(topic_name(at.0)).with_partition_data(vec![data]);
        let request = ProduceRequest::default()
            .with_transactional_id(who.id.map(transactional_id))
            .with_acks(acks)
            .with_timeout_ms(1_000)
            .with_topic_data(vec![topic]);
        let version = match who.protocol {
            Protocol::Old => 7,
            Protocol::New => 10,
            Protocol::Second => 12,
        };
        let verdict = self.verdict(who, at, sequence, ids.len());
        if acks == 0 && verdict != Verdict::Append {
            // The connection would be closed, which clients take for a reason to connect again.
            return Ok(None);
        }
        let end = self.logs.get(&at).map_or(0, |log| log.end);
        let (code, offset) = match self.send(&request, version)? {
            Outcome::Silence => (0, end),
            Outcome::Wait(_) => return Err("Produce waits".into()),
            Outcome::Answer(response) => {
                let partition = response.responses.first().and_then(|topic| topic.partition_responses.first());
                let partition = partition.ok_or("no answer to Produce")?;
                (partition.error_code, partition.base_offset)
            }
        };
        let expected = match (verdict, code) {
            (Verdict::Append, 0) => {
                hold!(offset == end, "a batch is appended at {offset}, and the log ended at {end}");
                Some((at, who, sequence, ids))
            }
            (Verdict::Duplicate(first), 0) => {
                hold!(offset == first, "a duplicate is acknowledged with {offset}; it stands at {first}");
                None
            }
            (Verdict::Refuse, 0) => {
                return Err(format!("a batch of {who:?} with sequence {sequence} is accepted in {at:?}"));
            }
            (Verdict::Refuse, _) => None,
            // A request that came too early or too late may have left its sequence number behind (KIP-890).
            _ if !self.punctual && who.id.is_some() && code == OUT_OF_ORDER_SEQUENCE_NUMBER => None,
            (verdict, code) => return Err(format!("a batch of {who:?} gets error {code} instead of {verdict:?}")),
        };
        self.observe(expected, &[])?;
        Ok((acks != 0).then_some(Reply { code, ..Reply::default() }))
    }

    fn add_offsets(&mut self, who: Who) -> Checked<Reply> {
        let id = who.id.ok_or("a producer without transactional id adds offsets")?;
        let request = AddOffsetsToTxnRequest::default()
            .with_transactional_id(transactional_id(id))
            .with_producer_id(ProducerId(who.producer_id))
            .with_producer_epoch(who.epoch)
            .with_group_id(group_id());
        let code = self.call(&request, if who.protocol == Protocol::Old { 0 } else { 3 })?.error_code;
        let allowed = self.coordinator.is_live(id, who.producer_id, who.epoch);
        hold!((code == 0) == allowed, "AddOffsetsToTxn of {who:?} gets error {code}");
        if code == 0 {
            self.coordinator.add(id, None, self.now);
        }
        self.look()?;
        Ok(Reply { code, ..Reply::default() })
    }

    fn send_offsets(&mut self, who: Who, at: At, offset: i64, member: &Credentials) -> Checked<Reply> {
        let id = who.id.ok_or("a producer without transactional id sends offsets")?;
        let partition =
            TxnOffsetCommitRequestPartition::default().with_partition_index(at.1).with_committed_offset(offset);
        let topic = TxnOffsetCommitRequestTopic::default().with_name(topic_name(at.0)).with_partitions(vec![partition]);
        let (member_id, generation) = member.clone().unwrap_or((String::new(), -1));
        let request = TxnOffsetCommitRequest::default()
            .with_transactional_id(transactional_id(id))
            .with_group_id(group_id())
            .with_producer_id(ProducerId(who.producer_id))
            .with_producer_epoch(who.epoch)
            .with_generation_id(generation)
            .with_member_id(text(&member_id))
            .with_topics(vec![topic]);
        let version = if who.protocol == Protocol::Second { 5 } else { 3 };
        let response = self.call(&request, version)?;
        let code = response.topics.first().and_then(|topic| topic.partitions.first());
        let code = code.ok_or("no answer to TxnOffsetCommit")?.error_code;
        let exists = self.logs.contains_key(&at);
        let live = self.coordinator.is_live(id, who.producer_id, who.epoch);
        if who.protocol == Protocol::Second && live && exists {
            self.coordinator.add(id, None, self.now);
        }
        let added = self.coordinator.open(id).is_some_and(|open| open.offsets);
        let allowed = exists && live && added;
        hold!(allowed || code != 0, "offsets of {who:?} are accepted");
        hold!(!allowed || member.is_some() || code == 0, "offsets of {who:?} get error {code}");
        if code == 0 {
            if member.is_some() {
                self.generations.is_current(generation)?;
            }
            self.offsets.send(who.producer_id, at, offset);
            self.offsets_changed = true;
        }
        self.look()?;
        Ok(Reply { code, ..Reply::default() })
    }

    fn end(&mut self, who: Who, commit: bool) -> Checked<Reply> {
        let id = who.id.ok_or("a producer without transactional id ends a transaction")?;
        let request = EndTxnRequest::default()
            .with_transactional_id(transactional_id(id))
            .with_producer_id(ProducerId(who.producer_id))
            .with_producer_epoch(who.epoch)
            .with_committed(commit);
        let version = match who.protocol {
            Protocol::Old => 1,
            Protocol::New => 3,
            Protocol::Second => 5,
        };
        let response = self.call(&request, version)?;
        let code = response.error_code;
        let told = (response.producer_id.0, response.producer_epoch);
        let due = self.coordinator.is_live(id, who.producer_id, who.epoch) && self.coordinator.open(id).is_some();
        hold!(!due || code == 0, "EndTxn of {who:?} gets error {code}");
        let second = who.protocol == Protocol::Second;
        let again = self.coordinator.is_repeated_end(id, (who.producer_id, who.epoch), commit, second);
        hold!(!again || code == 0, "a repeated EndTxn of {who:?} gets error {code}");
        let decided = if code == 0 {
            let told = (who.protocol == Protocol::Second).then_some(told);
            self.coordinator.ended(id, (who.producer_id, who.epoch), commit, told)?
        } else {
            None
        };
        self.observe(None, decided.as_slice())?;
        Ok(Reply { code, producer: told })
    }

    /// Whether an offset is taken.
    pub(crate) fn commit_offset(&mut self, member: &Credentials, at: At, offset: i64) -> Checked<bool> {
        let (member_id, generation) = member.clone().unwrap_or((String::new(), -1));
        let partition =
            OffsetCommitRequestPartition::default().with_partition_index(at.1).with_committed_offset(offset);
        let topic = OffsetCommitRequestTopic::default().with_name(topic_name(at.0)).with_partitions(vec![partition]);
        let request = OffsetCommitRequest::default()
            .with_group_id(group_id())
            .with_generation_id_or_member_epoch(generation)
            .with_member_id(text(&member_id))
            .with_topics(vec![topic]);
        let response = self.call(&request, 7)?;
        let code = response.topics.first().and_then(|topic| topic.partitions.first());
        let code = code.ok_or("no answer to OffsetCommit")?.error_code;
        if code == 0 {
            hold!(self.logs.contains_key(&at), "an offset is committed for a partition that does not exist");
            if member.is_some() {
                self.generations.is_current(generation)?;
            }
            self.offsets.commit(at, offset);
            self.offsets_changed = true;
        }
        self.observe(None, &[])?;
        Ok(code == 0)
    }

    /// The committed offset as a client learns it before it begins: `None` while a transaction may still change it.
    pub(crate) fn fetch_offset(&mut self, at: At) -> Checked<Option<i64>> {
        let offset = self.fetch_offsets(true)?.remove(&at);
        let (offset, code) = offset.ok_or("no answer to OffsetFetch")?;
        Ok((code == 0).then_some(offset))
    }

    fn fetch_offsets(&mut self, stable: bool) -> Checked<BTreeMap<At, (i64, i16)>> {
        let topics = (0..TOPICS).map(|topic| {
            OffsetFetchRequestTopics::default()
                .with_name(topic_name(topic))
                .with_partition_indexes((0..PARTITIONS).collect())
        });
        let group = OffsetFetchRequestGroup::default().with_group_id(group_id());
        let request = OffsetFetchRequest::default()
            .with_groups(vec![group.with_topics(Some(topics.collect()))])
            .with_require_stable(stable);
        let response = self.call(&request, 8)?;
        let group = response.groups.into_iter().next().ok_or("no answer to OffsetFetch")?;
        hold!(group.error_code == 0, "OffsetFetch gets error {}", group.error_code);
        let mut found = BTreeMap::new();
        for (topic, name) in NAMES.iter().enumerate() {
            for answer in group.topics.iter().filter(|answer| answer.name.as_str() == *name) {
                for partition in &answer.partitions {
                    let at = (topic, partition.partition_index);
                    found.insert(at, (partition.committed_offset, partition.error_code));
                }
            }
        }
        Ok(found)
    }

    pub(crate) fn delete_records(&mut self, at: At, offset: i64) -> Checked {
        let partition = DeleteRecordsPartition::default().with_partition_index(at.1).with_offset(offset);
        let topic = DeleteRecordsTopic::default().with_name(topic_name(at.0)).with_partitions(vec![partition]);
        let response = self.call(&DeleteRecordsRequest::default().with_topics(vec![topic]), 2)?;
        let result = response.topics.first().and_then(|topic| topic.partitions.first());
        let result = result.ok_or("no answer to DeleteRecords")?;
        if let Some(log) = self.logs.get_mut(&at) {
            hold!(result.error_code == 0, "DeleteRecords gets error {}", result.error_code);
            log.start = log.start.max(offset);
            hold!(result.low_watermark == log.start, "the low watermark is {}", result.low_watermark);
        } else {
            hold!(result.error_code == UNKNOWN_TOPIC_OR_PARTITION, "DeleteRecords gets error {}", result.error_code);
        }
        self.observe(None, &[])
    }

    pub(crate) fn create_topic(&mut self, topic: usize) -> Checked {
        let new = CreatableTopic::default()
            .with_name(topic_name(topic))
            .with_num_partitions(PARTITIONS)
            .with_replication_factor(1);
        let response = self.call(&CreateTopicsRequest::default().with_topics(vec![new]), 4)?;
        let code = response.topics.first().ok_or("no answer to CreateTopics")?.error_code;
        let exists = self.logs.contains_key(&(topic, 0));
        hold!((code == 0) != exists, "CreateTopics gets error {code}");
        if !exists {
            for partition in 0..PARTITIONS {
                self.logs.insert((topic, partition), Log::default());
                self.stable.insert((topic, partition), 0);
            }
        }
        self.observe(None, &[])
    }

    pub(crate) fn delete_topic(&mut self, topic: usize) -> Checked {
        let request = DeleteTopicsRequest::default().with_topic_names(vec![topic_name(topic)]);
        let response = self.call(&request, 4)?;
        let code = response.responses.first().ok_or("no answer to DeleteTopics")?.error_code;
        let exists = self.logs.contains_key(&(topic, 0));
        hold!((code == 0) == exists, "DeleteTopics gets error {code}");
        self.logs.retain(|(other, _), _| *other != topic);
        self.offsets.forget_topic(topic);
        self.offsets_changed = true;
        self.observe(None, &[])
    }

    /// To the engine's next deadline.
    pub(crate) fn next_deadline(&mut self) -> Checked {
        match self.engine.next_deadline() {
            // Not to the next search for expired offsets: it is days until there are any.
            Some(deadline) => self.tick(deadline.min(self.now + 60_000)),
            None => Ok(()),
        }
    }

    /// Lets time pass: in one go, or from deadline to deadline.
    pub(crate) fn pass(&mut self, millis: Millis, busy: bool) -> Checked {
        let to = self.now + millis;
        while busy && let Some(deadline) = self.engine.next_deadline().filter(|deadline| *deadline <= to) {
            self.tick(deadline.max(self.now))?;
        }
        if !busy {
            // An engine that learns late of the time is late with everything that follows from it.
            self.awaited.values_mut().for_each(|by| *by = to + LONGEST_JOIN);
        }
        self.tick(to)
    }

    fn tick(&mut self, to: Millis) -> Checked {
        self.now = to;
        self.engine.tick(to);
        if let Some(next) = self.engine.next_deadline() {
            hold!(next > to, "after tick({to}), the next deadline is {next}: whoever waits for it is busy for ever");
        }
        let mut decided = Vec::new();
        let overdue: Vec<usize> = self
            .coordinator
            .ids
            .iter()
            .filter(|(_, state)| state.open.as_ref().is_some_and(|open| open.since + state.timeout < to))
            .map(|(id, _)| *id)
            .collect();
        for id in overdue {
            let request = DescribeTransactionsRequest::default().with_transactional_ids(vec![transactional_id(id)]);
            let response = self.call(&request, 0)?;
            let state = response.transaction_states.first().ok_or("no answer to DescribeTransactions")?;
            if state.transaction_state.as_str() == "Ongoing" {
                let begun = self.coordinator.open(id).map_or(to, |open| open.since);
                let latest = begun + Millis::from(TRANSACTION_TIMEOUT) + self.settings.transactions.scan_interval;
                hold!(to <= latest, "a transaction is open {} ms after it should have been aborted", to - latest);
            } else {
                decided.extend(self.coordinator.fence(id));
            }
        }
        self.observe(None, &decided)
    }

    /// Holds everything that can be seen against everything that is known. In the logs there may be one new batch, and
    /// the markers of these decisions.
    fn observe(&mut self, appended: Option<(At, Who, i32, &[u64])>, decided: &[Decided]) -> Checked {
        for decision in decided {
            if decision.open.offsets {
                self.offsets.decide(decision.producer_id, decision.commits);
                self.offsets_changed = true;
            }
        }
        let new = self.read_new()?;
        for (at, first) in new {
            let log = &self.logs[&at];
            let mut markers: Vec<(i64, i16, bool)> = decided
                .iter()
                .filter(|decision| decision.open.partitions.contains(&at))
                .map(|decision| (decision.producer_id, decision.epoch, decision.commits))
                .collect();
            let mut batch = appended.filter(|(to, ..)| *to == at);
            for seen in &log.batches[first..] {
                let sign = (seen.producer_id, seen.epoch);
                if let Some(commits) = seen.commits {
                    let place = markers.iter().position(|marker| *marker == (sign.0, sign.1, commits));
                    let place = place.ok_or_else(|| format!("a marker in {at:?} that nobody has decided: {sign:?}"))?;
                    markers.swap_remove(place);
                } else {
                    let (_, who, sequence, ids) = batch.take().ok_or_else(|| format!("a batch in {at:?} too many"))?;
                    let sequence = if who.producer_id < 0 { -1 } else { sequence };
                    hold!(
                        sign == (who.producer_id, who.epoch) && seen.sequence == sequence && seen.ids == ids,
                        "what stands in {at:?} is not what was sent: {seen:?}"
                    );
                }
            }
            hold!(batch.is_none(), "an acknowledged batch does not stand in {at:?}");
            hold!(markers.is_empty(), "a marker is missing in {at:?}: {markers:?}");
            self.check_retention(at)?;
        }
        self.read_stable()?;
        self.deliver()?;
        if std::mem::take(&mut self.offsets_changed) {
            self.check_offsets()?;
        }
        Ok(())
    }

    /// A log holds as much as it should, and not much more.
    fn check_retention(&self, at: At) -> Checked {
        /// Logs forget so many bytes at a time.
        const SEGMENT: usize = 1 << 20;

        let log = &self.logs[&at];
        let (limit, kept) = (self.settings.retention_bytes, log.kept());
        let newest = log.batches.last().map_or(0, |seen| seen.bytes.len());
        hold!(kept <= limit + SEGMENT + newest, "{at:?} keeps {kept} bytes where {limit} are wanted");
        Ok(())
    }

    /// The group's offsets are those that are known to be committed.
    pub(crate) fn check_offsets(&mut self) -> Checked {
        for stable in [false, true] {
            for (at, (offset, code)) in self.fetch_offsets(stable)? {
                let expected = if stable && self.offsets.is_pending(at) {
                    (-1, UNSTABLE_OFFSET_COMMIT)
                } else {
                    (self.offsets.get(at), 0)
                };
                hold!(
                    (offset, code) == expected,
                    "the committed offset of {at:?} is {offset}, error {code}; {expected:?} was expected"
                );
            }
        }
        Ok(())
    }

    /// Nothing is new but what the logs of others say.
    pub(crate) fn look(&mut self) -> Checked {
        self.observe(None, &[])
    }

    /// The engine asks to be told of the time before it is too late.
    fn check_deadline(&self) -> Checked {
        let settings = &self.settings.transactions;
        let open = self.coordinator.ids.values().filter_map(|state| Some((state.timeout, state.open.as_ref()?.since)));
        let open = open.map(|(timeout, since)| since + timeout + settings.scan_interval + 1);
        let latest = self.fetches.values().map(|wanted| wanted.deadline).chain(open).min();
        let next = self.engine.next_deadline();
        hold!(
            latest.is_none_or(|latest| next.is_some_and(|next| next <= latest)),
            "something is due at {latest:?}, and the next deadline is {next:?}"
        );
        Ok(())
    }

    /// Answers that nobody wants any more.
    pub(crate) fn deliver_abandoned(&mut self) -> Checked {
        while let Some((wait, bytes)) = self.engine.completed() {
            if self.fetches.contains_key(&wait) || self.awaited.remove(&wait).is_some() {
                hold!(!self.fetches.contains_key(&wait), "a Fetch is answered when a group changes");
                self.arrived.insert(wait, bytes);
            }
        }
        Ok(())
    }

    /// Takes the answers of those who waited, and makes sure that nobody waits who should not.
    fn deliver(&mut self) -> Checked {
        while let Some((wait, bytes)) = self.engine.completed() {
            wait.hash(&mut self.digest);
            bytes.hash(&mut self.digest);
            if let Some(wanted) = self.fetches.remove(&wait) {
                self.answer_fetch(wait, &wanted, bytes)?;
            } else {
                let by = self.awaited.remove(&wait);
                let by = by.ok_or_else(|| format!("{wait:?} is answered, and nobody waits for it"))?;
                hold!(self.now <= by, "{wait:?} of the group is answered {} ms too late", self.now - by);
                self.arrived.insert(wait, bytes);
            }
        }
        for wanted in self.fetches.values() {
            hold!(!wanted.is_satisfied(&self.logs), "a Fetch waits, and could be answered: {wanted:?}");
            hold!(wanted.deadline > self.now, "a Fetch waits for longer than it wants: {wanted:?}");
        }
        self.check_deadline()?;
        let waiting = self.fetches.len() + self.awaited.len();
        hold!(self.engine.waiting() == waiting, "{} wait, {waiting} were expected", self.engine.waiting());
        Ok(())
    }
}
