//! A client that minds its own business, and must not notice what the others do.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use bytes::Bytes;
use kafka_protocol::messages::{
    CreateTopicsRequest, FetchRequest, ProduceRequest, TopicName,
    create_topics_request::CreatableTopic,
    fetch_request::{FetchPartition, FetchTopic},
    produce_request::{PartitionProduceData, TopicProduceData},
};

use crate::support::{
    batch::{self, Batch},
    broker,
    wire::{Client, text},
};

/// Produces a record and fetches it again, over and over, on one connection.
pub(crate) struct Witness {
    stop: Arc<AtomicBool>,
    rounds: Arc<AtomicI64>,
    thread: JoinHandle<()>,
}

impl Witness {
    pub(crate) fn start() -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let rounds = Arc::new(AtomicI64::new(0));
        let (stopped, counter) = (Arc::clone(&stop), Arc::clone(&rounds));
        let thread = thread::spawn(move || {
            let topic = new_topic("witness");
            let mut client = broker::connect();
            while !stopped.load(Ordering::Relaxed) {
                let offset = counter.load(Ordering::Relaxed);
                let value = format!("value {offset}");
                assert_eq!(produce(&mut client, &topic, &Batch::of([&value])), offset);
                let fetched = client.call(&fetch(&topic, offset, 1 << 20), 12);
                let records = fetched.responses[0].partitions[0].records.clone().unwrap();
                assert_eq!(batch::parse(&records)[0].values(), [value]);
                counter.store(offset + 1, Ordering::Relaxed);
                thread::sleep(Duration::from_millis(1));
            }
        });
        let witness = Self { stop, rounds, thread };
        witness.more_rounds();
        witness
    }

    /// Waits until the witness has gone on: it is served.
    pub(crate) fn more_rounds(&self) {
        let before = self.rounds.load(Ordering::Relaxed);
        // A round that has begun before does not count.
        while self.rounds.load(Ordering::Relaxed) < before + 3 && !self.thread.is_finished() {
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Fails if the witness has seen anything unusual.
    pub(crate) fn finish(self) {
        self.more_rounds();
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the witness was disturbed");
    }
}

/// A topic of its own, with one partition.
pub(crate) fn new_topic(prefix: &str) -> TopicName {
    let topic = TopicName(text(&broker::unique(prefix)));
    let new = CreatableTopic::default().with_name(topic.clone()).with_num_partitions(1).with_replication_factor(1);
    let mut client = broker::connect();
    let created = client.call(&CreateTopicsRequest::default().with_topics(vec![new]).with_timeout_ms(30_000), 5);
    assert_eq!(created.topics[0].error_code, 0);
    topic
}

/// Appends a batch to partition 0; the offset of its first record.
pub(crate) fn produce(client: &mut Client, topic: &TopicName, batch: &Batch) -> i64 {
    loop {
        let answer = client.call(&produce_request(topic, batch.build()), 9);
        let partition = &answer.responses[0].partition_responses[0];
        match partition.error_code {
            0 => return partition.base_offset,
            // UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER_OR_FOLLOWER: a topic that has just been created.
            3 | 6 if partition.base_offset == -1 => thread::sleep(Duration::from_millis(20)),
            error => panic!("Produce: error {error}"),
        }
    }
}

pub(crate) fn produce_request(topic: &TopicName, records: Bytes) -> ProduceRequest {
    let partition = PartitionProduceData::default().with_index(0).with_records(Some(records));
    let topic = TopicProduceData::default().with_name(topic.clone()).with_partition_data(vec![partition]);
    ProduceRequest::default().with_acks(-1).with_timeout_ms(30_000).with_topic_data(vec![topic])
}

/// Fetches partition 0, without waiting.
pub(crate) fn fetch(topic: &TopicName, offset: i64, max_bytes: i32) -> FetchRequest {
    let partition =
        FetchPartition::default().with_partition(0).with_fetch_offset(offset).with_partition_max_bytes(max_bytes);
    let topic = FetchTopic::default().with_topic(topic.clone()).with_partitions(vec![partition]);
    FetchRequest::default().with_max_wait_ms(0).with_min_bytes(1).with_max_bytes(max_bytes).with_topics(vec![topic])
}
