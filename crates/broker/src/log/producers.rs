//! What a partition knows of its producers: enough to recognise a duplicate, a gap, and a zombie.
//!
//! Source: KIP-98; `ProducerStateEntry` and `ProducerAppendInfo` of Apache Kafka's storage module.

use std::collections::{BTreeMap, HashMap, VecDeque};

use kafka_protocol::ResponseError;
use wire::batch::{Batch, NO_PRODUCER_EPOCH, NO_SEQUENCE, NO_TIMESTAMP, subtract_sequence};

/// How many batches of a producer are remembered. It is also the largest `max.in.flight` of an idempotent producer.
const REMEMBERED: usize = 5;

/// How many producers a partition remembers. Apache Kafka forgets those that were silent for a day
/// (`producer.id.expiration.ms`); here, beyond this number, the half that has been silent for longest.
const MOST: usize = 50_000;

/// A batch that has been appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Appended {
    last_sequence: i32,
    last_offset: i64,
    offset_delta: i32,
    pub(crate) timestamp: i64,
}

impl Appended {
    fn first_sequence(self) -> i32 {
        subtract_sequence(self.last_sequence, self.offset_delta)
    }

    pub(crate) fn first_offset(self) -> i64 {
        self.last_offset - i64::from(self.offset_delta)
    }
}

/// A producer as this partition knows it.
#[derive(Debug, Clone)]
pub(crate) struct Producer {
    pub(crate) epoch: i16,
    pub(crate) coordinator_epoch: i32,
    pub(crate) last_timestamp: i64,
    /// Of the first record of its open transaction.
    pub(crate) transaction_start: Option<i64>,
    batches: VecDeque<Appended>,
    /// Grows with each write to the partition.
    last_write: u64,
}

impl Producer {
    fn unknown() -> Self {
        Self {
            epoch: NO_PRODUCER_EPOCH,
            coordinator_epoch: -1,
            last_timestamp: NO_TIMESTAMP,
            transaction_start: None,
            batches: VecDeque::new(),
            last_write: 0,
        }
    }

    pub(crate) fn last_sequence(&self) -> i32 {
        self.batches.back().map_or(NO_SEQUENCE, |batch| batch.last_sequence)
    }

    fn move_to_epoch(&mut self, epoch: i16) {
        if self.epoch != epoch {
            self.batches.clear();
            self.epoch = epoch;
        }
    }
}

/// A transactional write that the coordinator was asked about before this partition had anything of the transaction.
#[derive(Debug, Clone, Copy)]
struct Verification {
    epoch: i16,
    lowest_sequence: i32,
}

/// A transaction that a marker has just ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Completed {
    pub(crate) first_offset: i64,
}

/// The producers of a partition.
#[derive(Debug, Clone, Default)]
pub(crate) struct Producers {
    known: HashMap<i64, Producer>,
    verifications: HashMap<i64, Verification>,
    /// First offset of each open transaction, with its producer id.
    open: BTreeMap<i64, i64>,
    writes: u64,
}

impl Producers {
    /// Where the oldest open transaction starts.
    pub(crate) fn first_unstable_offset(&self) -> Option<i64> {
        self.open.keys().next().copied()
    }

    /// Whether the producer has written here in a transaction that is still open, with this very epoch.
    pub(crate) fn has_open_transaction(&self, producer_id: i64, epoch: i16) -> bool {
        self.known
            .get(&producer_id)
            .is_some_and(|producer| producer.transaction_start.is_some() && producer.epoch == epoch)
    }

    /// Producer ids with what is known of them, in the order of the ids.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (i64, &Producer)> {
        let mut all: Vec<_> = self.known.iter().map(|(id, producer)| (*id, producer)).collect();
        all.sort_unstable_by_key(|(id, _)| *id);
        all.into_iter()
    }

    /// A batch of this producer with these very sequence numbers, if it is among the last five.
    pub(crate) fn duplicate_of(&self, batch: Batch<'_>) -> Option<Appended> {
        let producer = self.known.get(&batch.producer_id())?;
        if producer.epoch != batch.producer_epoch() {
            return None;
        }
        let (first, last) = (batch.base_sequence(), batch.last_sequence());
        producer.batches.iter().copied().find(|seen| seen.first_sequence() == first && seen.last_sequence == last)
    }

    /// Remembers that a first write of a transaction is about to be verified, so that a later one cannot overtake it.
    ///
    /// Source: `VerificationStateEntry` (KIP-890).
    pub(crate) fn begin_verification(&mut self, producer_id: i64, epoch: i16, sequence: i32) {
        if self.verifications.len() >= MOST {
            self.verifications.clear();
        }
        let entry = self.verifications.entry(producer_id).or_insert(Verification { epoch, lowest_sequence: sequence });
        if epoch > entry.epoch {
            *entry = Verification { epoch, lowest_sequence: sequence };
        } else if epoch == entry.epoch {
            entry.lowest_sequence = entry.lowest_sequence.min(sequence);
        }
    }

    /// A producer that writes now.
    fn writer(&mut self, producer_id: i64) -> &mut Producer {
        if self.known.len() >= MOST && !self.known.contains_key(&producer_id) {
            self.forget_silent();
        }
        self.writes += 1;
        let producer = self.known.entry(producer_id).or_insert_with(Producer::unknown);
        producer.last_write = self.writes;
        producer
    }

    fn forget_silent(&mut self) {
        let mut writes: Vec<_> = self.known.values().map(|producer| producer.last_write).collect();
        let middle = writes.len() / 2;
        let (_, median, _) = writes.select_nth_unstable(middle);
        let median = *median;
        self.known.retain(|_, producer| producer.transaction_start.is_some() || producer.last_write > median);
        self.verifications.clear();
    }

    /// Whether a producer may append this batch.
    ///
    /// # Errors
    /// `INVALID_PRODUCER_EPOCH`, `OUT_OF_ORDER_SEQUENCE_NUMBER`, `INVALID_TXN_STATE`.
    pub(crate) fn check(&self, batch: Batch<'_>) -> Result<(), ResponseError> {
        let unknown = Producer::unknown();
        let producer = self.known.get(&batch.producer_id()).unwrap_or(&unknown);
        if batch.producer_epoch() < producer.epoch {
            return Err(ResponseError::InvalidProducerEpoch);
        }
        let sequence = batch.base_sequence();
        if let Some(verification) = self.verifications.get(&batch.producer_id())
            && batch.producer_epoch() <= verification.epoch
            && sequence > verification.lowest_sequence
        {
            return Err(ResponseError::OutOfOrderSequenceNumber);
        }
        // A producer of which nothing is known may start anywhere: its records may have been deleted.
        if producer.epoch != NO_PRODUCER_EPOCH {
            let expected = if batch.producer_epoch() == producer.epoch { next(producer.last_sequence()) } else { 0 };
            if sequence != expected {
                return Err(ResponseError::OutOfOrderSequenceNumber);
            }
        }
        if producer.transaction_start.is_some() && !batch.is_transactional() {
            return Err(ResponseError::InvalidTxnState);
        }
        Ok(())
    }

    /// A batch has been appended: one that [`Producers::check`] let pass.
    pub(crate) fn appended(&mut self, batch: Batch<'_>, base_offset: i64, timestamp: i64) {
        let producer_id = batch.producer_id();
        if batch.is_transactional() {
            self.verifications.remove(&producer_id);
        }
        let producer = self.writer(producer_id);
        producer.move_to_epoch(batch.producer_epoch());
        if producer.batches.len() == REMEMBERED {
            producer.batches.pop_front();
        }
        producer.batches.push_back(Appended {
            last_sequence: batch.last_sequence(),
            last_offset: base_offset + i64::from(batch.last_offset_delta()),
            offset_delta: batch.last_offset_delta(),
            timestamp,
        });
        producer.last_timestamp = timestamp;
        if batch.is_transactional() {
            self.begin(producer_id, base_offset);
        }
    }

    /// The producer's transaction has something here from this offset on, if it had nothing before.
    fn begin(&mut self, producer_id: i64, offset: i64) {
        let Some(producer) = self.known.get_mut(&producer_id) else { return };
        if producer.transaction_start.is_none() {
            producer.transaction_start = Some(offset);
            self.open.insert(offset, producer_id);
        }
    }

    /// Whether a producer of this epoch is not fenced here.
    ///
    /// # Errors
    /// `INVALID_PRODUCER_EPOCH`.
    pub(crate) fn check_epoch(&self, producer_id: i64, epoch: i16) -> Result<(), ResponseError> {
        match self.known.get(&producer_id) {
            Some(producer) if epoch < producer.epoch => Err(ResponseError::InvalidProducerEpoch),
            _ => Ok(()),
        }
    }

    /// Notes a write without sequence numbers, which the group coordinator makes for a transaction, and opens it here.
    pub(crate) fn append_unsequenced(&mut self, producer_id: i64, epoch: i16, offset: i64, now: i64) {
        let producer = self.writer(producer_id);
        producer.move_to_epoch(epoch);
        producer.last_timestamp = now;
        self.begin(producer_id, offset);
    }

    /// A marker is appended. `None` inside when the transaction has nothing here.
    ///
    /// # Errors
    /// `INVALID_PRODUCER_EPOCH` when a newer epoch has written since.
    pub(crate) fn end(
        &mut self,
        producer_id: i64,
        epoch: i16,
        coordinator_epoch: i32,
        now: i64,
    ) -> Result<Option<Completed>, ResponseError> {
        self.check_epoch(producer_id, epoch)?;
        self.verifications.remove(&producer_id);
        let producer = self.writer(producer_id);
        producer.move_to_epoch(epoch);
        producer.coordinator_epoch = coordinator_epoch;
        producer.last_timestamp = now;
        let first_offset = producer.transaction_start.take();
        Ok(first_offset.map(|first_offset| {
            self.open.remove(&first_offset);
            Completed { first_offset }
        }))
    }
}

fn next(sequence: i32) -> i32 {
    if sequence == i32::MAX { 0 } else { sequence + 1 }
}
