//! One transactional id, and what becomes of it.

use std::collections::BTreeSet;

use kafka_protocol::ResponseError;
use wire::batch::{NO_PRODUCER_EPOCH, NO_PRODUCER_ID};

use super::{Decision, ProducerIdAndEpoch};
use crate::{log::marker::Marker, time::Millis, topics::TopicPartition};

/// The largest epoch that a producer is given: one more is left, to fence it.
const LAST_EPOCH: i16 = i16::MAX - 1;

/// How a client ends its transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// The epoch stays until the next `InitProducerId`. All that librdkafka speaks.
    V1,
    /// Each end brings a new epoch (KIP-890), so that a request of an earlier transaction can be told from one of this.
    V2,
}

/// Where a transaction stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Empty,
    Ongoing,
    /// Decided, and its markers are not written yet.
    Prepare(Marker),
    /// Decided, and its markers are written.
    Complete(Marker),
}

impl State {
    /// As `DescribeTransactions` and `ListTransactions` write it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Empty => "Empty",
            Self::Ongoing => "Ongoing",
            Self::Prepare(Marker::Commit) => "PrepareCommit",
            Self::Prepare(Marker::Abort) => "PrepareAbort",
            Self::Complete(Marker::Commit) => "CompleteCommit",
            Self::Complete(Marker::Abort) => "CompleteAbort",
        }
    }
}

/// What is known of a transactional id.
#[derive(Debug, Clone)]
pub(crate) struct Transaction {
    pub(crate) producer: ProducerIdAndEpoch,
    /// What the markers of the last decision carry.
    decided_for: ProducerIdAndEpoch,
    /// Before the producer's last bump of its own: a repeated request is recognised by it.
    last_epoch: i16,
    previous_id: i64,
    pub(crate) timeout: i32,
    pub(crate) state: State,
    pub(crate) partitions: BTreeSet<TopicPartition>,
    /// When the open or last transaction began; -1 before the first.
    pub(crate) start: Millis,
    pub(crate) last_update: Millis,
}

impl Transaction {
    /// Of an id that has not been seen before, and has no epoch yet.
    pub(crate) fn new(producer_id: i64, now: Millis) -> Self {
        Self {
            producer: ProducerIdAndEpoch { id: producer_id, epoch: NO_PRODUCER_EPOCH },
            decided_for: ProducerIdAndEpoch::NONE,
            last_epoch: NO_PRODUCER_EPOCH,
            previous_id: NO_PRODUCER_ID,
            timeout: 0,
            state: State::Empty,
            partitions: BTreeSet::new(),
            start: -1,
            last_update: now,
        }
    }

    /// Whether a producer that names an id and epoch may be given the next epoch (KIP-360).
    pub(crate) fn may_continue(&self, expected: ProducerIdAndEpoch) -> bool {
        self.producer.epoch == NO_PRODUCER_EPOCH
            || expected.id == self.producer.id
            || expected.id == self.previous_id && expected.epoch >= LAST_EPOCH
    }

    /// The next epoch, where no transaction is open; the next id with epoch 0, where the epochs are used up.
    pub(crate) fn init(
        &mut self,
        timeout: i32,
        expected: Option<ProducerIdAndEpoch>,
        fresh_id: i64,
        now: Millis,
    ) -> Result<ProducerIdAndEpoch, ResponseError> {
        let epoch = self.producer.epoch;
        let (producer, last_epoch) = if epoch >= LAST_EPOCH && expected.is_none_or(|expected| expected.epoch == epoch) {
            let last_epoch = if expected.is_some() { epoch } else { NO_PRODUCER_EPOCH };
            (ProducerIdAndEpoch { id: fresh_id, epoch: 0 }, last_epoch)
        } else {
            match expected {
                None => (self.with_epoch(epoch.saturating_add(1)), NO_PRODUCER_EPOCH),
                Some(expected) if epoch == NO_PRODUCER_EPOCH || expected.epoch == epoch => {
                    (self.with_epoch(epoch.saturating_add(1)), epoch)
                }
                // The answer to the same request was lost: nobody else has asked since.
                Some(expected) if expected.epoch == self.last_epoch => (self.producer, self.last_epoch),
                Some(_) => return Err(ResponseError::ProducerFenced),
            }
        };
        self.previous_id = self.producer.id;
        self.producer = producer;
        self.last_epoch = last_epoch;
        self.timeout = timeout;
        self.state = State::Empty;
        self.partitions.clear();
        self.start = -1;
        self.last_update = now;
        Ok(producer)
    }

    /// Takes partitions into the transaction, which begins if none is open.
    pub(crate) fn add(&mut self, partitions: impl IntoIterator<Item = TopicPartition>, now: Millis) {
        let before = self.partitions.len();
        self.partitions.extend(partitions);
        if self.state != State::Ongoing {
            self.state = State::Ongoing;
            self.start = now;
            self.last_update = now;
        } else if self.partitions.len() > before {
            self.last_update = now;
        }
    }

    /// Decides the transaction, or recognises that it was decided so already: whether the former.
    pub(crate) fn end(
        &mut self,
        producer: ProducerIdAndEpoch,
        marker: Marker,
        protocol: Protocol,
        fresh_id: i64,
        now: Millis,
    ) -> Result<bool, ResponseError> {
        // The request of which this is the repetition has brought a new epoch, or even a new id.
        let repeated = protocol == Protocol::V2
            && (producer.id == self.producer.id && self.producer.epoch == producer.epoch.saturating_add(1)
                || producer.id == self.previous_id && producer.epoch == LAST_EPOCH && self.producer.epoch == 0);
        if self.producer.id != producer.id && !repeated {
            return Err(ResponseError::InvalidProducerIdMapping);
        }
        let decided = matches!(self.state, State::Prepare(_) | State::Complete(_));
        if producer != self.producer && !(decided && repeated) {
            return Err(ResponseError::ProducerFenced);
        }
        match self.state {
            State::Ongoing => {}
            State::Prepare(decided) if decided == marker => return Err(ResponseError::ConcurrentTransactions),
            // An abort of nothing is granted, with a new epoch.
            State::Empty | State::Complete(_) if protocol == Protocol::V2 && marker == Marker::Abort && !repeated => {}
            State::Complete(decided) if decided == marker && (protocol == Protocol::V1 || repeated) => {
                return Ok(false);
            }
            _ => return Err(ResponseError::InvalidTxnState),
        }
        self.decide(marker, protocol, fresh_id, now);
        Ok(true)
    }

    /// Aborts the transaction on behalf of another instance or of time, so that its producer is fenced. With
    /// `transaction.version` 2 it may come back, if it was alone: it knows then that its transaction has ended (KIP-890).
    pub(crate) fn fence(&mut self, may_come_back: bool, now: Millis) {
        let epoch = self.producer.epoch;
        self.producer.epoch = epoch.saturating_add(1);
        self.decide(Marker::Abort, Protocol::V1, NO_PRODUCER_ID, now);
        self.last_epoch = if may_come_back { epoch } else { NO_PRODUCER_EPOCH };
    }

    fn decide(&mut self, marker: Marker, protocol: Protocol, fresh_id: i64, now: Millis) {
        if protocol == Protocol::V2 {
            self.last_epoch = self.producer.epoch;
            self.producer.epoch = self.producer.epoch.saturating_add(1);
        }
        self.decided_for = self.producer;
        if protocol == Protocol::V2 {
            self.previous_id = self.producer.id;
            if self.producer.epoch > LAST_EPOCH {
                self.producer = ProducerIdAndEpoch { id: fresh_id, epoch: 0 };
            }
        }
        self.state = State::Prepare(marker);
        self.last_update = now;
    }

    /// The markers of a decision are written now; none, when they have been.
    pub(crate) fn complete(&mut self, now: Millis) -> Option<Decision> {
        let State::Prepare(marker) = self.state else { return None };
        self.state = State::Complete(marker);
        self.last_update = now;
        Some(Decision { marker, producer: self.decided_for, partitions: std::mem::take(&mut self.partitions) })
    }

    pub(crate) fn has_timed_out(&self, now: Millis) -> bool {
        self.state == State::Ongoing && self.start + Millis::from(self.timeout) < now
    }

    fn with_epoch(&self, epoch: i16) -> ProducerIdAndEpoch {
        ProducerIdAndEpoch { epoch, ..self.producer }
    }
}
