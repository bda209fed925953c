//! Transactions: librdkafka's three kinds of error, and commit and abort that serve delivery reports.

use std::fmt;
use std::time::{Duration, Instant};

use rdkafka::TopicPartitionList;
use rdkafka::consumer::Consumer;
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::ToBytes;
use rdkafka::producer::{BaseRecord, Producer};

use crate::Error;
use crate::delivery::{self, ReportingProducer, flush};
use crate::group::GroupConsumer;

/// What librdkafka asks the application to do about a failed transaction call (librdkafka's INTRODUCTION.md,
/// "Transactional producer").
#[derive(Debug, Clone)]
pub enum TxnError {
    /// Call the same function again.
    Retriable(Cause),
    /// Abort the transaction, then begin again.
    Abortable(Cause),
    /// This producer instance can do no more: the program stops.
    Fatal(Cause),
}

/// librdkafka's code and text.
#[derive(Debug, Clone)]
pub struct Cause {
    code: Option<RDKafkaErrorCode>,
    text: String,
}

impl From<KafkaError> for TxnError {
    fn from(error: KafkaError) -> Self {
        let code = error.rdkafka_error_code();
        match error {
            KafkaError::Transaction(flags) => {
                let cause = Cause { code, text: flags.string() };
                if flags.is_fatal() {
                    Self::Fatal(cause)
                } else if flags.txn_requires_abort() {
                    Self::Abortable(cause)
                } else if flags.is_retriable() {
                    Self::Retriable(cause)
                } else {
                    Self::Fatal(cause)
                }
            }
            KafkaError::Flush(_) => Self::Retriable(Cause { code, text: "messages are still under way".into() }),
            // _STATE (the transaction has failed already), or a message that librdkafka refuses.
            KafkaError::MessageProduction(code) if code != RDKafkaErrorCode::Fatal => {
                Self::Abortable(Cause { code: Some(code), text: code.to_string() })
            }
            other => Self::Fatal(Cause { code, text: other.to_string() }),
        }
    }
}

impl TxnError {
    fn cause(&self) -> &Cause {
        match self {
            Self::Retriable(cause) | Self::Abortable(cause) | Self::Fatal(cause) => cause,
        }
    }

    /// Whether a newer instance with the same transactional.id has taken over (KIP-360: librdkafka says `_FENCED`; the
    /// broker PRODUCER_FENCED or, before EndTxn v3, INVALID_PRODUCER_EPOCH).
    pub fn is_fenced(&self) -> bool {
        use RDKafkaErrorCode::{Fenced, InvalidProducerEpoch, ProducerFenced};
        matches!(self.cause().code, Some(Fenced | ProducerFenced | InvalidProducerEpoch))
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for TxnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_fenced() {
            f.write_str("fenced: a newer instance with the same transactional.id has taken over")
        } else {
            self.cause().fmt(f)
        }
    }
}

impl From<TxnError> for Error {
    fn from(error: TxnError) -> Self {
        match error {
            TxnError::Fatal(_) if error.is_fenced() => Self::failed(format!("{error}; this one stops")),
            TxnError::Fatal(Cause { code: Some(RDKafkaErrorCode::InvalidTransactionTimeout), .. }) => {
                Self::Usage("transaction.timeout.ms is more than the broker's transaction.max.timeout.ms".into())
            }
            TxnError::Fatal(_) => Self::failed(format!("this producer cannot go on: {error}")),
            TxnError::Abortable(_) => Self::failed(format!("the transaction failed: {error}")),
            TxnError::Retriable(_) => Self::failed(format!("no answer from the transaction coordinator: {error}")),
        }
    }
}

/// Calls again for as long as the error is retriable, up to the limit.
///
/// # Errors
/// The last error: a retriable one means that the limit is over and the outcome is not known.
pub fn retry<T>(limit: Duration, mut call: impl FnMut() -> Result<T, TxnError>) -> Result<T, TxnError> {
    let end = Instant::now() + limit;
    loop {
        match call() {
            Err(TxnError::Retriable(error)) if Instant::now() < end => {
                log::info!("retriable, calling again: {error}");
                // Not every call that fails has waited for its timeout.
                std::thread::sleep(Duration::from_millis(20));
            }
            other => return other,
        }
    }
}

/// Python's `init_transactions(timeout)`: gets a producer id and epoch from the transaction coordinator, which first
/// finishes what an earlier instance with the same transactional.id has left open, and fences it.
///
/// # Errors
/// As librdkafka's `rd_kafka_init_transactions`.
pub fn init(producer: &ReportingProducer, timeout: Duration) -> Result<(), TxnError> {
    serving(producer, producer.init_transactions(timeout))
}

/// Python's `begin_transaction()`.
///
/// # Errors
/// As librdkafka's `rd_kafka_begin_transaction`; nothing is sent yet.
pub fn begin(producer: &ReportingProducer) -> Result<(), TxnError> {
    Ok(producer.begin_transaction()?)
}

/// Python's `produce` inside a transaction.
///
/// # Errors
/// Abortable: the message is refused, or the transaction has failed already. Fatal: the producer has, and why.
pub fn send<K, P>(producer: &ReportingProducer, record: BaseRecord<'_, K, P>) -> Result<(), TxnError>
where
    K: ToBytes + ?Sized,
    P: ToBytes + ?Sized,
{
    delivery::send(producer, record).map_err(|error| match (TxnError::from(error), producer.client().fatal_error()) {
        // `_FATAL` only says that there was a fatal error before: this is it.
        (TxnError::Fatal(_), Some((code, text))) => TxnError::Fatal(Cause { code: Some(code), text }),
        (error, _) => error,
    })
}

/// Python's `send_offsets_to_transaction(offsets, group_metadata)`: these offsets are committed with the transaction, or
/// not at all. The group metadata (member id and generation) is the consumer's at this moment: with it, the coordinator
/// refuses the offsets of a member that the group has gone on without (KIP-447).
///
/// # Errors
/// As librdkafka's `rd_kafka_send_offsets_to_transaction`.
pub fn send_offsets(
    producer: &ReportingProducer,
    offsets: &TopicPartitionList,
    consumer: &GroupConsumer,
    timeout: Duration,
) -> Result<(), TxnError> {
    let Some(metadata) = consumer.group_metadata() else {
        let text = "the consumer is in no group: group.id is needed".into();
        return Err(TxnError::Fatal(Cause { code: None, text }));
    };
    serving(producer, producer.send_offsets_to_transaction(offsets, &metadata, timeout))
}

/// Python's `commit_transaction(timeout)`: waits for the delivery reports, then commits.
///
/// # Errors
/// Retriable: call it again, and nothing else (an abort would be refused once the commit is under way).
pub fn commit(producer: &ReportingProducer, timeout: Duration) -> Result<(), TxnError> {
    let end = Instant::now() + timeout;
    while flush(producer, end.saturating_duration_since(Instant::now()).min(SLICE)) > 0 {
        failed(producer)?;
        if Instant::now() >= end {
            return Err(KafkaError::Flush(RDKafkaErrorCode::OperationTimedOut).into());
        }
    }
    serving(producer, producer.commit_transaction(timeout))
}

/// Whether the transaction has failed meanwhile. Messages that were to be sent again then stay in librdkafka's queue, and
/// no flush ends before the abort. librdkafka tells when it is asked for something that it refuses anyhow: it begins no
/// transaction inside another.
fn failed(producer: &ReportingProducer) -> Result<(), TxnError> {
    match producer.begin_transaction() {
        Err(KafkaError::Transaction(error)) if error.txn_requires_abort() || error.is_fatal() => {
            Err(KafkaError::Transaction(error).into())
        }
        _ => Ok(()),
    }
}

/// Python's `abort_transaction(timeout)`: discards what has not left, waits for the answers to what has, then aborts.
///
/// # Errors
/// As librdkafka's `rd_kafka_abort_transaction`, when the timeout is over.
pub fn abort(producer: &ReportingProducer, timeout: Duration) -> Result<(), TxnError> {
    let end = Instant::now() + timeout;
    loop {
        // librdkafka waits for delivery reports that only `poll` serves, so it gets its time in slices, and a poll
        // between two of them. An abort that is under way goes on where it was.
        match serving(producer, producer.abort_transaction(SLICE)) {
            Err(TxnError::Retriable(_)) if Instant::now() < end => {}
            other => return other,
        }
    }
}

/// Serves the callbacks that the call has left in the queue.
fn serving(producer: &ReportingProducer, result: KafkaResult<()>) -> Result<(), TxnError> {
    delivery::serve(producer);
    Ok(result?)
}

/// Between two looks at what else has happened.
const SLICE: Duration = Duration::from_millis(50);
