//! The Kafka behind the proxy.

use std::{
    env,
    net::SocketAddr,
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use broker::Broker;
use kafka_protocol::{
    messages::{
        CreateTopicsRequest, FetchRequest, ListOffsetsRequest, MetadataRequest, TopicName,
        create_topics_request::CreatableTopic,
        fetch_request::{FetchPartition, FetchTopic},
        list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic},
        metadata_request::MetadataRequestTopic,
    },
    protocol::StrBytes,
};
use proxy::Proxy;

use super::{batch, until, wire::Client};

/// `host:port` of the Kafka under test: that of `KAFKA_BOOTSTRAP_SERVERS`, else an embedded one for this process.
pub(crate) fn bootstrap() -> &'static str {
    static EMBEDDED: OnceLock<Broker> = OnceLock::new();
    static BOOTSTRAP: OnceLock<String> = OnceLock::new();
    BOOTSTRAP.get_or_init(|| {
        let _ = env_logger::builder().is_test(true).try_init();
        env::var("KAFKA_BOOTSTRAP_SERVERS").unwrap_or_else(|_| {
            EMBEDDED.get_or_init(|| Broker::builder().start().expect("an embedded broker")).address().to_string()
        })
    })
}

/// A proxy in front of it.
pub(crate) fn proxy() -> Proxy {
    Proxy::builder(bootstrap()).start().unwrap()
}

/// A client of that name, connected through the proxy.
pub(crate) fn client(proxy: &Proxy, name: &str) -> Client {
    connect(proxy.client(name).unwrap())
}

/// A connection to this address.
pub(crate) fn connect(address: SocketAddr) -> Client {
    Client::connect(&address.to_string())
}

/// A name that no other test and no earlier run uses: topics, groups and transactional ids of a shared cluster.
pub(crate) fn unique(prefix: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    static RUN: OnceLock<u32> = OnceLock::new();
    let run = RUN.get_or_init(rand::random);
    format!("{prefix}-{run:08x}-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// The protocol's name of a topic.
pub(crate) fn topic_name(topic: &str) -> TopicName {
    StrBytes::from_string(topic.to_owned()).into()
}

/// A new topic with one partition, which can be written to.
pub(crate) fn topic() -> String {
    let topic = unique("topic");
    let mut client = Client::connect(bootstrap());
    let creatable = CreatableTopic::default().with_name(topic_name(&topic)).with_num_partitions(1);
    let request =
        CreateTopicsRequest::default().with_topics(vec![creatable.with_replication_factor(1)]).with_timeout_ms(10_000);
    assert_eq!(client.call(&request, 4).topics[0].error_code, 0);
    let name = MetadataRequestTopic::default().with_name(Some(topic_name(&topic)));
    let request = MetadataRequest::default().with_topics(Some(vec![name]));
    let answer = std::cell::RefCell::new(client);
    until("a leader", || {
        let answer = answer.borrow_mut().call(&request, 4);
        answer.topics[0].error_code == 0 && answer.topics[0].partitions.iter().all(|part| part.error_code == 0)
    });
    topic
}

/// The values in partition 0, to the end, committed or not; read without the proxy.
pub(crate) fn values(topic: &str) -> Vec<String> {
    let mut client = Client::connect(bootstrap());
    let partition = ListOffsetsPartition::default().with_timestamp(-1);
    let of = ListOffsetsTopic::default().with_name(topic_name(topic)).with_partitions(vec![partition]);
    let answer = client.call(&ListOffsetsRequest::default().with_replica_id((-1).into()).with_topics(vec![of]), 5);
    let end = answer.topics[0].partitions[0].offset;
    let (mut next, mut values) = (0, Vec::new());
    while next < end {
        let partition = FetchPartition::default()
            .with_fetch_offset(next)
            .with_partition_max_bytes(1 << 20)
            .with_log_start_offset(-1);
        let of = FetchTopic::default().with_topic(topic_name(topic)).with_partitions(vec![partition]);
        let request = FetchRequest::default()
            .with_replica_id((-1).into())
            .with_max_wait_ms(500)
            .with_min_bytes(1)
            .with_max_bytes(1 << 20)
            .with_session_epoch(-1)
            .with_topics(vec![of]);
        let answer = client.call(&request, 11);
        let records = answer.responses[0].partitions[0].records.clone().unwrap_or_default();
        for (offset, value) in batch::parse(records) {
            next = offset + 1;
            values.extend(value);
        }
    }
    values
}
