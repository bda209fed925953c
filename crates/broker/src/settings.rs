//! What can be set when a broker is built.

use crate::{groups, time::Millis, transactions};

/// Settings of a broker. Where Apache Kafka has the same setting, its name is given; defaults are Apache Kafka's unless
/// said otherwise.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Settings {
    /// The only node's id (`node.id`).
    pub node_id: i32,
    /// Whether asking for a topic creates it (`auto.create.topics.enable`).
    pub auto_create_topics: bool,
    /// Partitions of a topic that is created without a number of them (`num.partitions`).
    pub default_partitions: i32,
    /// Bytes that a partition keeps (`log.retention.bytes`, unlimited in Apache Kafka; 256 MiB here, in memory). What is
    /// older is forgotten a segment (1 MiB) at a time.
    pub retention_bytes: usize,
    /// Partitions of all topics together.
    pub max_partitions: usize,
    /// Bytes of the largest request (`socket.request.max.bytes`).
    pub max_request_bytes: usize,
    /// Bytes of the largest request that carries no records. Apache Kafka has no such limit.
    pub max_small_request_bytes: usize,
    /// Bytes of records in the largest answer to a Fetch (`fetch.max.bytes`).
    pub max_fetch_bytes: usize,
    /// The longest time that a Fetch waits, in milliseconds.
    pub max_fetch_wait: Millis,
    /// Of the group coordinator.
    pub groups: groups::Settings,
    /// Of the transaction coordinator.
    pub transactions: transactions::Settings,
    /// Whether clients are told to speak the second transaction protocol (feature `transaction.version` at level 2,
    /// KIP-890), as Apache Kafka 4 tells them. librdkafka speaks the first against every broker.
    pub transaction_version_2: bool,
    /// Where topic ids, member ids and the cluster id come from. `None`: [`Builder::start`](crate::Builder::start) takes
    /// a random number, so that no two brokers share them; an [`Engine`](crate::Engine) alone takes 0.
    pub seed: Option<u64>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            node_id: 1,
            auto_create_topics: true,
            default_partitions: 1,
            retention_bytes: 256 << 20,
            max_partitions: 20_000,
            max_request_bytes: 100 << 20,
            max_small_request_bytes: 8 << 20,
            max_fetch_bytes: 55 << 20,
            max_fetch_wait: 300_000,
            groups: groups::Settings::default(),
            transactions: transactions::Settings::default(),
            transaction_version_2: true,
            seed: None,
        }
    }
}
