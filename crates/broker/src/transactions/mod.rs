//! The transaction coordinator.
//!
//! Source: KIP-98, KIP-360, KIP-890; `TransactionCoordinator` and `TransactionMetadata` of Apache Kafka.

pub(crate) mod state;

use std::collections::{BTreeMap, BTreeSet};

use kafka_protocol::ResponseError;

use crate::{
    log::{batch::NO_PRODUCER_EPOCH, batch::NO_PRODUCER_ID, marker::Marker},
    time::Millis,
    topics::TopicPartition,
};
use state::{Protocol, State, Transaction};

/// Settings of the transaction coordinator.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The longest transaction timeout that a producer may ask for, in milliseconds (`transaction.max.timeout.ms`,
    /// 900,000).
    pub max_timeout: Millis,
    /// How often transactions past their timeout are looked for, in milliseconds
    /// (`transaction.abort.timed.out.transaction.cleanup.interval.ms`: 10,000 in Apache Kafka, 1,000 here).
    pub scan_interval: Millis,
    /// How many transactional ids are remembered. An id that has nothing open is forgotten to make room for another.
    pub max_ids: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { max_timeout: 900_000, scan_interval: 1_000, max_ids: 100_000 }
    }
}

/// A producer id and its epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ProducerIdAndEpoch {
    pub(crate) id: i64,
    pub(crate) epoch: i16,
}

impl ProducerIdAndEpoch {
    /// Neither.
    pub(crate) const NONE: Self = Self { id: NO_PRODUCER_ID, epoch: NO_PRODUCER_EPOCH };
}

/// Markers that are to be written, into each partition of a transaction that has just been decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) marker: Marker,
    pub(crate) producer: ProducerIdAndEpoch,
    pub(crate) partitions: BTreeSet<TopicPartition>,
}

/// The epoch of the only coordinator that there is.
pub(crate) const COORDINATOR_EPOCH: i32 = 0;

/// The state of every transactional id.
#[derive(Debug)]
pub(crate) struct Transactions {
    settings: Settings,
    /// What this coordinator uses where no client has a say (`transaction.version`).
    protocol: Protocol,
    by_id: BTreeMap<String, Transaction>,
    next_producer_id: i64,
    next_scan: Option<Millis>,
}

impl Transactions {
    pub(crate) fn new(settings: Settings, protocol: Protocol) -> Self {
        Self { settings, protocol, by_id: BTreeMap::new(), next_producer_id: 0, next_scan: None }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Transaction)> {
        self.by_id.iter().map(|(id, transaction)| (id.as_str(), transaction))
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Transaction> {
        self.by_id.get(id)
    }

    /// A producer id that nobody has had.
    pub(crate) fn new_producer_id(&mut self) -> i64 {
        let id = self.next_producer_id;
        self.next_producer_id += 1;
        id
    }

    /// Gives a transactional producer its id and epoch; whoever had them before is fenced. An open transaction is
    /// aborted first: the decision is to be carried out whatever the result.
    ///
    /// # Errors
    /// `INVALID_REQUEST`, `INVALID_TRANSACTION_TIMEOUT`, `PRODUCER_FENCED`, `CONCURRENT_TRANSACTIONS`.
    pub(crate) fn init_producer(
        &mut self,
        id: &str,
        timeout: i32,
        expected: Option<ProducerIdAndEpoch>,
        now: Millis,
    ) -> (Result<ProducerIdAndEpoch, ResponseError>, Option<Decision>) {
        if id.is_empty() {
            return (Err(ResponseError::InvalidRequest), None);
        }
        if timeout <= 0 || Millis::from(timeout) > self.settings.max_timeout {
            return (Err(ResponseError::InvalidTransactionTimeout), None);
        }
        if !self.by_id.contains_key(id) {
            if self.by_id.len() >= self.settings.max_ids && !self.forget_one() {
                return (Err(ResponseError::CoordinatorNotAvailable), None);
            }
            let producer_id = self.new_producer_id();
            self.by_id.insert(id.to_owned(), Transaction::new(producer_id, now));
        }
        let fresh_id = self.next_producer_id;
        let Some(transaction) = self.by_id.get_mut(id) else { return (Err(ResponseError::UnknownServerError), None) };
        if expected.is_some_and(|expected| !transaction.may_continue(expected)) {
            return (Err(ResponseError::ProducerFenced), None);
        }
        if transaction.state == State::Ongoing {
            // The epoch that fences is given to nobody: the client asks again, and gets the next one.
            let decision = transaction.fence(self.protocol, now);
            return (Err(ResponseError::ConcurrentTransactions), Some(decision));
        }
        let result = transaction.init(timeout, expected, fresh_id, now);
        if result.is_ok_and(|producer| producer.id == fresh_id) {
            self.next_producer_id += 1;
        }
        (result, None)
    }

    /// Forgets the id that has been idle for longest.
    fn forget_one(&mut self) -> bool {
        let idle = self
            .by_id
            .iter()
            .filter(|(_, transaction)| transaction.state != State::Ongoing)
            .min_by_key(|(_, transaction)| transaction.last_update)
            .map(|(id, _)| id.clone());
        idle.is_some_and(|id| self.by_id.remove(&id).is_some())
    }

    /// The transaction of a producer, as long as it is the newest with this transactional id.
    fn of_producer(&mut self, id: &str, producer: ProducerIdAndEpoch) -> Result<&mut Transaction, ResponseError> {
        if id.is_empty() {
            return Err(ResponseError::InvalidRequest);
        }
        let transaction = self.by_id.get_mut(id).ok_or(ResponseError::InvalidProducerIdMapping)?;
        if transaction.producer.id != producer.id {
            Err(ResponseError::InvalidProducerIdMapping)
        } else if transaction.producer.epoch != producer.epoch {
            Err(ResponseError::ProducerFenced)
        } else {
            Ok(transaction)
        }
    }

    /// Makes partitions a part of the transaction, and begins one if none is open.
    ///
    /// # Errors
    /// `INVALID_REQUEST`, `INVALID_PRODUCER_ID_MAPPING`, `PRODUCER_FENCED`.
    pub(crate) fn add_partitions(
        &mut self,
        id: &str,
        producer: ProducerIdAndEpoch,
        partitions: impl IntoIterator<Item = TopicPartition>,
        now: Millis,
    ) -> Result<(), ResponseError> {
        let transaction = self.of_producer(id, producer)?;
        transaction.add(partitions, now);
        let scan = now + self.settings.scan_interval;
        self.next_scan.get_or_insert(scan);
        Ok(())
    }

    /// Whether a partition is a part of the producer's open transaction.
    ///
    /// # Errors
    /// `INVALID_PRODUCER_ID_MAPPING`, `PRODUCER_FENCED`; `TRANSACTION_ABORTABLE` when it is not.
    pub(crate) fn verify(
        &mut self,
        id: &str,
        producer: ProducerIdAndEpoch,
        partition: &TopicPartition,
    ) -> Result<(), ResponseError> {
        let transaction = self.of_producer(id, producer)?;
        if transaction.partitions.contains(partition) { Ok(()) } else { Err(ResponseError::TransactionAbortable) }
    }

    /// Ends a transaction for its producer.
    ///
    /// With [`Protocol::V1`] the request names no transaction: one that was held up on its way ends whatever is open
    /// when it arrives (KAFKA-17754). This is Apache Kafka's behaviour, and kept.
    ///
    /// # Errors
    /// `INVALID_REQUEST`, `INVALID_PRODUCER_ID_MAPPING`, `PRODUCER_FENCED`, `INVALID_TXN_STATE`.
    pub(crate) fn end(
        &mut self,
        id: &str,
        producer: ProducerIdAndEpoch,
        marker: Marker,
        protocol: Protocol,
        now: Millis,
    ) -> Result<(ProducerIdAndEpoch, Option<Decision>), ResponseError> {
        if id.is_empty() {
            return Err(ResponseError::InvalidRequest);
        }
        let fresh_id = self.next_producer_id;
        let transaction = self.by_id.get_mut(id).ok_or(ResponseError::InvalidProducerIdMapping)?;
        let ended = transaction.end(producer, marker, protocol, fresh_id, now)?;
        if ended.0.id == fresh_id {
            self.next_producer_id += 1;
        }
        Ok(ended)
    }

    /// When transactions past their timeout are looked for next.
    pub(crate) fn next_deadline(&self) -> Option<Millis> {
        self.next_scan
    }

    /// Aborts the transactions that have been open for longer than their timeout, once it is time to look.
    pub(crate) fn tick(&mut self, now: Millis) -> Vec<Decision> {
        if self.next_scan.is_none_or(|scan| now < scan) {
            return Vec::new();
        }
        let decisions = self
            .by_id
            .values_mut()
            .filter(|transaction| transaction.has_timed_out(now))
            .map(|transaction| transaction.fence(self.protocol, now))
            .collect();
        let open = self.by_id.values().any(|transaction| transaction.state == State::Ongoing);
        self.next_scan = open.then_some(now + self.settings.scan_interval);
        decisions
    }

    /// A topic was deleted: no marker can be written to it any more.
    pub(crate) fn forget_topic(&mut self, topic: &str) {
        for transaction in self.by_id.values_mut() {
            transaction.partitions.retain(|partition| &*partition.topic.0 != topic);
        }
    }
}
