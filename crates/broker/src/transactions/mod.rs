//! The transaction coordinator.
//!
//! Source: KIP-98, KIP-360, KIP-890; `TransactionCoordinator` and `TransactionMetadata` of Apache Kafka.

pub(crate) mod state;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use kafka_protocol::ResponseError;
use wire::batch::{NO_PRODUCER_EPOCH, NO_PRODUCER_ID};

use crate::{log::marker::Marker, time::Millis, topics::TopicPartition};
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
    /// How long the markers of a decided transaction take, in milliseconds. Apache Kafka answers EndTxn before they are
    /// written; a producer that goes on meanwhile gets `CONCURRENT_TRANSACTIONS` and comes back. 0: they are written
    /// first.
    pub marker_delay: Millis,
    /// How many transactional ids are remembered. An id that has nothing open is forgotten to make room for another.
    pub max_ids: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { max_timeout: 900_000, scan_interval: 1_000, marker_delay: 0, max_ids: 100_000 }
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
    /// `transaction.version` is 2.
    version_2: bool,
    by_id: BTreeMap<String, Transaction>,
    next_producer_id: i64,
    next_scan: Option<Millis>,
    /// Decided, with the time at which the markers are written.
    decided: VecDeque<(Millis, String)>,
}

impl Transactions {
    pub(crate) fn new(settings: Settings, version_2: bool) -> Self {
        Self {
            settings,
            version_2,
            by_id: BTreeMap::new(),
            next_producer_id: 0,
            next_scan: None,
            decided: VecDeque::new(),
        }
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
        match transaction.state {
            State::Prepare(_) => return (Err(ResponseError::ConcurrentTransactions), None),
            State::Ongoing => {
                // The client asks again. The epoch that fences is given to nobody, unless the fenced producer itself asks.
                transaction.fence(self.version_2, now);
                return (Err(ResponseError::ConcurrentTransactions), self.carry_on(id, now));
            }
            State::Empty | State::Complete(_) => {}
        }
        let result = transaction.init(timeout, expected, fresh_id, now);
        if result.is_ok_and(|producer| producer.id == fresh_id) {
            self.next_producer_id += 1;
        }
        (result, None)
    }

    /// What follows from a decision: its markers, now or later.
    fn carry_on(&mut self, id: &str, now: Millis) -> Option<Decision> {
        if self.settings.marker_delay > 0 {
            self.decided.push_back((now + self.settings.marker_delay, id.to_owned()));
            return None;
        }
        self.by_id.get_mut(id)?.complete(now)
    }

    /// Forgets the id that has been idle for longest.
    fn forget_one(&mut self) -> bool {
        let idle = self
            .by_id
            .iter()
            .filter(|(_, transaction)| matches!(transaction.state, State::Empty | State::Complete(_)))
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
        } else if matches!(transaction.state, State::Prepare(_)) {
            // Its markers are being written.
            Err(ResponseError::ConcurrentTransactions)
        } else {
            Ok(transaction)
        }
    }

    /// Makes partitions a part of the transaction, and begins one if none is open.
    ///
    /// # Errors
    /// `INVALID_REQUEST`, `INVALID_PRODUCER_ID_MAPPING`, `PRODUCER_FENCED`, `CONCURRENT_TRANSACTIONS`.
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
    /// `INVALID_PRODUCER_ID_MAPPING`, `PRODUCER_FENCED`, `CONCURRENT_TRANSACTIONS`; `TRANSACTION_ABORTABLE` when it is not.
    pub(crate) fn verify(
        &mut self,
        id: &str,
        producer: ProducerIdAndEpoch,
        partition: &TopicPartition,
    ) -> Result<(), ResponseError> {
        let transaction = self.of_producer(id, producer)?;
        if transaction.partitions.contains(partition) { Ok(()) } else { Err(ResponseError::TransactionAbortable) }
    }

    /// Whether a write to the partition may go on; with the second protocol, the write itself makes the partition a part
    /// of the transaction. `knows_abortable`: the client knows `TRANSACTION_ABORTABLE`.
    ///
    /// # Errors
    /// As [`Transactions::verify`], in the terms of those who write: `INVALID_PRODUCER_EPOCH` for a fenced one, and
    /// `INVALID_TXN_STATE` for clients that know no better.
    pub(crate) fn admit(
        &mut self,
        id: &str,
        producer: ProducerIdAndEpoch,
        partition: &TopicPartition,
        protocol: Protocol,
        knows_abortable: bool,
        now: Millis,
    ) -> Result<(), ResponseError> {
        let admitted = match protocol {
            Protocol::V1 => self.verify(id, producer, partition),
            Protocol::V2 => self.add_partitions(id, producer, [partition.clone()], now),
        };
        admitted.map_err(|error| match error {
            ResponseError::ProducerFenced => ResponseError::InvalidProducerEpoch,
            ResponseError::TransactionAbortable if !knows_abortable => ResponseError::InvalidTxnState,
            other => other,
        })
    }

    /// Ends a transaction for its producer.
    ///
    /// With [`Protocol::V1`] the request names no transaction: one that was held up on its way ends whatever is open
    /// when it arrives (KAFKA-17754). This is Apache Kafka's behaviour, and kept.
    ///
    /// # Errors
    /// `INVALID_REQUEST`, `INVALID_PRODUCER_ID_MAPPING`, `PRODUCER_FENCED`, `CONCURRENT_TRANSACTIONS`,
    /// `INVALID_TXN_STATE`.
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
        let decided = transaction.end(producer, marker, protocol, fresh_id, now)?;
        let next = transaction.producer;
        if next.id == fresh_id {
            self.next_producer_id += 1;
        }
        Ok((next, if decided { self.carry_on(id, now) } else { None }))
    }

    /// When there is something to do next.
    pub(crate) fn next_deadline(&self) -> Option<Millis> {
        let markers = self.decided.front().map(|(due, _)| *due);
        [self.next_scan, markers].into_iter().flatten().min()
    }

    /// Writes the markers that are due; and aborts the transactions that have been open for longer than their timeout,
    /// once it is time to look.
    pub(crate) fn tick(&mut self, now: Millis) -> Vec<Decision> {
        let mut decisions = Vec::new();
        while self.decided.front().is_some_and(|(due, _)| *due <= now) {
            let decided = self.decided.pop_front().and_then(|(_, id)| self.by_id.get_mut(&id)?.complete(now));
            decisions.extend(decided);
        }
        if self.next_scan.is_some_and(|scan| scan <= now) {
            let late = self.by_id.iter_mut().filter(|(_, transaction)| transaction.has_timed_out(now));
            let late: Vec<_> = late
                .map(|(id, transaction)| {
                    transaction.fence(self.version_2, now);
                    id.clone()
                })
                .collect();
            decisions.extend(late.iter().filter_map(|id| self.carry_on(id, now)));
            let open = self.by_id.values().any(|transaction| transaction.state == State::Ongoing);
            self.next_scan = open.then_some(now + self.settings.scan_interval);
        }
        decisions
    }
}
