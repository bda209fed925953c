//! One transactional id, and what becomes of it.

use std::collections::BTreeSet;

use kafka_protocol::ResponseError;

use super::{Decision, ProducerIdAndEpoch};
use crate::{
    log::{
        batch::{NO_PRODUCER_EPOCH, NO_PRODUCER_ID},
        marker::Marker,
    },
    time::Millis,
    topics::TopicPartition,
};

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

/// Where a transaction stands. Markers are written in the instant of the decision, so that the states between
/// (`PrepareCommit`, `PrepareAbort`) are never seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Empty,
    Ongoing,
    CompleteCommit,
    CompleteAbort,
}

impl State {
    /// As `DescribeTransactions` and `ListTransactions` write it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Empty => "Empty",
            Self::Ongoing => "Ongoing",
            Self::CompleteCommit => "CompleteCommit",
            Self::CompleteAbort => "CompleteAbort",
        }
    }
}

/// What is known of a transactional id.
#[derive(Debug, Clone)]
pub(crate) struct Transaction {
    pub(crate) producer: ProducerIdAndEpoch,
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

    /// Ends the transaction, or recognises that it has ended so.
    pub(crate) fn end(
        &mut self,
        producer: ProducerIdAndEpoch,
        marker: Marker,
        protocol: Protocol,
        fresh_id: i64,
        now: Millis,
    ) -> Result<(ProducerIdAndEpoch, Option<Decision>), ResponseError> {
        let bumped = protocol == Protocol::V2;
        let repeated_bump = bumped && self.producer.epoch == producer.epoch.saturating_add(1);
        let repeated_rotation =
            bumped && self.previous_id == producer.id && producer.epoch == LAST_EPOCH && self.producer.epoch == 0;
        if self.producer.id != producer.id && !repeated_rotation {
            return Err(ResponseError::InvalidProducerIdMapping);
        }
        let ended = matches!(self.state, State::CompleteCommit | State::CompleteAbort);
        let current = if bumped && ended {
            // The same epoch would be that of a next transaction, in which nothing has happened yet.
            repeated_bump || repeated_rotation || producer.epoch == self.producer.epoch
        } else {
            producer.epoch == self.producer.epoch
        };
        if !current {
            return Err(ResponseError::ProducerFenced);
        }
        match (self.state, marker) {
            (State::Ongoing, _) => {
                let decision = self.complete(marker, protocol, fresh_id, now);
                Ok((self.producer, Some(decision)))
            }
            // Nothing has been added since the last one: an abort of nothing is granted, with a new epoch.
            (_, Marker::Abort) if protocol == Protocol::V2 && !repeated_bump && !repeated_rotation => {
                let decision = self.complete(marker, protocol, fresh_id, now);
                Ok((self.producer, Some(decision)))
            }
            (State::CompleteCommit, Marker::Commit) | (State::CompleteAbort, Marker::Abort)
                if protocol == Protocol::V1 || repeated_bump || repeated_rotation =>
            {
                Ok((self.producer, None))
            }
            _ => Err(ResponseError::InvalidTxnState),
        }
    }

    /// Aborts the transaction against its producer's will, who is fenced by it. With the second protocol, the one of the
    /// coordinator and not of the client, the producer may still learn of the new epoch, as if it had asked for the abort.
    pub(crate) fn fence(&mut self, protocol: Protocol, now: Millis) -> Decision {
        let fenced = self.producer.epoch;
        self.producer.epoch = fenced.saturating_add(1);
        let decision = self.complete(Marker::Abort, Protocol::V1, NO_PRODUCER_ID, now);
        self.last_epoch = match protocol {
            Protocol::V1 => NO_PRODUCER_EPOCH,
            Protocol::V2 => fenced,
        };
        decision
    }

    fn complete(&mut self, marker: Marker, protocol: Protocol, fresh_id: i64, now: Millis) -> Decision {
        if protocol == Protocol::V2 {
            self.last_epoch = self.producer.epoch;
            self.producer.epoch = self.producer.epoch.saturating_add(1);
        }
        let producer = self.producer;
        if protocol == Protocol::V2 {
            self.previous_id = self.producer.id;
            if self.producer.epoch > LAST_EPOCH {
                self.producer = ProducerIdAndEpoch { id: fresh_id, epoch: 0 };
            }
        }
        self.state = match marker {
            Marker::Commit => State::CompleteCommit,
            Marker::Abort => State::CompleteAbort,
        };
        self.last_update = now;
        Decision { marker, producer, partitions: std::mem::take(&mut self.partitions) }
    }

    pub(crate) fn has_timed_out(&self, now: Millis) -> bool {
        self.state == State::Ongoing && self.start + Millis::from(self.timeout) < now
    }

    fn with_epoch(&self, epoch: i16) -> ProducerIdAndEpoch {
        ProducerIdAndEpoch { epoch, ..self.producer }
    }
}
