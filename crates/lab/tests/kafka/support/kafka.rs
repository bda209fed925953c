//! The broker's side of a test: topics of its own, what is stored in them, committed offsets.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::{BaseRecord, Producer, ThreadedProducer};
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};

use super::broker::bootstrap;
use super::program::PATIENCE;

/// Which records a reader sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    ReadCommitted,
    ReadUncommitted,
}

/// A stored record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub partition: i32,
    pub offset: i64,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
}

impl Record {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(self.value.as_deref().unwrap_or_default()).into_owned()
    }
}

/// A name that no other test uses, on this Kafka or in an earlier run.
pub fn unique(name: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("test-{}-{}-{name}", uuid(), NEXT.fetch_add(1, Ordering::Relaxed))
}

fn uuid() -> u32 {
    static RUN: std::sync::OnceLock<u32> = std::sync::OnceLock::new();
    *RUN.get_or_init(rand::random)
}

pub fn config() -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap());
    config
}

/// Creates a topic of this test.
pub fn topic(name: &str, partitions: i32) -> String {
    let name = unique(name);
    create(&name, partitions, &[]);
    name
}

/// Creates a topic with this very name and these settings.
pub fn create(name: &str, partitions: i32, settings: &[(&str, &str)]) {
    let admin: AdminClient<DefaultClientContext> = config().create().unwrap();
    let mut new = NewTopic::new(name, partitions, TopicReplication::Fixed(-1));
    new.config = settings.to_vec();
    let created = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(admin.create_topics([&new], &AdminOptions::new().operation_timeout(Some(PATIENCE))))
        .unwrap();
    for result in created {
        result.unwrap();
    }
}

/// Writes these values, one partition after the other (`i % partitions`).
pub fn fill<V: AsRef<[u8]>>(topic: &str, partitions: i32, values: impl IntoIterator<Item = V>) {
    let producer: ThreadedProducer<_> = config().set("enable.idempotence", "true").create().unwrap();
    for (value, partition) in values.into_iter().zip((0..partitions).cycle()) {
        let mut record = BaseRecord::<(), [u8]>::to(topic).payload(value.as_ref()).partition(partition);
        while let Err((_, back)) = producer.send(record) {
            std::thread::sleep(Duration::from_millis(10));
            record = back;
        }
    }
    producer.flush(PATIENCE).unwrap();
}

/// Reads every partition to its end offset at this isolation level (at read_committed: the last stable offset).
/// The end is an offset and not a count: control records leave gaps.
pub fn read(topic: &str, isolation: Isolation) -> Vec<Record> {
    let level = match isolation {
        Isolation::ReadCommitted => "read_committed",
        Isolation::ReadUncommitted => "read_uncommitted",
    };
    let consumer: BaseConsumer = config()
        .set("group.id", "test-reader-without-commits")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .set("auto.offset.reset", "earliest")
        .set("isolation.level", level)
        .create()
        .unwrap();
    let partitions = partitions(&consumer, topic);
    let mut assignment = TopicPartitionList::new();
    for &partition in &partitions {
        assignment.add_partition_offset(topic, partition, Offset::Beginning).unwrap();
    }
    consumer.assign(&assignment).unwrap();
    let (mut records, mut ended) = (Vec::new(), 0);
    let end = Instant::now() + PATIENCE;
    while ended < partitions.len() {
        assert!(Instant::now() < end, "{topic} could not be read to its end");
        match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(message)) => records.push(Record {
                partition: message.partition(),
                offset: message.offset(),
                key: message.key().map(<[u8]>::to_vec),
                value: message.payload().map(<[u8]>::to_vec),
            }),
            Some(Err(rdkafka::error::KafkaError::PartitionEOF(_))) => ended += 1,
            Some(Err(error)) => panic!("{topic}: {error}"),
            None => {}
        }
    }
    records.sort_by_key(|record| (record.partition, record.offset));
    records
}

fn partitions(consumer: &BaseConsumer, topic: &str) -> Vec<i32> {
    let metadata = consumer.fetch_metadata(Some(topic), PATIENCE).unwrap();
    metadata.topics()[0].partitions().iter().map(|partition| partition.id()).collect()
}

/// Values of [`read`], as text.
pub fn values(topic: &str, isolation: Isolation) -> Vec<String> {
    read(topic, isolation).iter().map(Record::text).collect()
}

/// Waits until no transaction is open: the last stable offset has reached the high watermark (EndTxn is answered before
/// the markers are written).
pub fn wait_for_markers(topic: &str) {
    let end = Instant::now() + PATIENCE;
    loop {
        let ends = |level: &str| -> Vec<i64> {
            let consumer: BaseConsumer = config().set("isolation.level", level).create().unwrap();
            let partitions = partitions(&consumer, topic);
            partitions.iter().map(|&p| consumer.fetch_watermarks(topic, p, PATIENCE).unwrap().1).collect()
        };
        // read_uncommitted first: what is stable afterwards covers it.
        let (high_watermarks, stable) = (ends("read_uncommitted"), ends("read_committed"));
        if high_watermarks == stable {
            return;
        }
        assert!(Instant::now() < end, "{topic}: a transaction stays open: {stable:?} of {high_watermarks:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The offset after the last record or marker of a partition.
pub fn end_offset(topic: &str, partition: i32) -> i64 {
    let consumer: BaseConsumer = config().create().unwrap();
    consumer.fetch_watermarks(topic, partition, PATIENCE).unwrap().1
}

/// The committed offset of a group, or `None` where it has none. While a transaction holds offsets for it, the broker
/// answers UNSTABLE_OFFSET_COMMIT and this waits (KIP-447), at most for `limit`; then `Err`.
pub fn committed(group: &str, topic: &str, partition: i32, limit: Duration) -> Result<Option<i64>, String> {
    let consumer: BaseConsumer = config().set("group.id", group).create().unwrap();
    let mut wanted = TopicPartitionList::new();
    wanted.add_partition(topic, partition);
    let offsets = consumer.committed_offsets(wanted, limit).map_err(|error| error.to_string())?;
    let found = offsets.find_partition(topic, partition).unwrap();
    found.error().map_err(|error| error.to_string())?;
    match found.offset() {
        Offset::Offset(offset) => Ok(Some(offset)),
        _ => Ok(None),
    }
}

/// How many members the group has now.
pub fn members(group: &str) -> usize {
    let consumer: BaseConsumer = config().create().unwrap();
    let groups = consumer.fetch_group_list(Some(group), PATIENCE).unwrap();
    groups.groups().iter().map(|group| group.members().len()).sum()
}
