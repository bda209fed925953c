//! Transactions: librdkafka's three kinds of error, and commit and abort that serve delivery reports.

use std::fmt;
use std::time::{Duration, Instant};

use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::producer::Producer;

use crate::Error;
use crate::delivery::{ReportingProducer, flush};

/// What librdkafka asks the application to do about a failed transaction call (librdkafka's INTRODUCTION.md,
/// "Transactional producer").
#[derive(Debug, Clone)]
pub enum TxnError {
    /// Call the same function again.
    Retriable(KafkaError),
    /// Abort the transaction, then begin again.
    Abortable(KafkaError),
    /// This producer instance can do no more: the program stops.
    Fatal(KafkaError),
}

impl From<KafkaError> for TxnError {
    fn from(error: KafkaError) -> Self {
        match &error {
            KafkaError::Transaction(flags) if flags.is_fatal() => Self::Fatal(error),
            KafkaError::Transaction(flags) if flags.txn_requires_abort() => Self::Abortable(error),
            KafkaError::Transaction(flags) if flags.is_retriable() => Self::Retriable(error),
            KafkaError::Flush(_) => Self::Retriable(error),
            KafkaError::MessageProduction(RDKafkaErrorCode::Fatal) => Self::Fatal(error),
            // _STATE (the transaction has failed already), or a message that librdkafka refuses.
            KafkaError::MessageProduction(_) => Self::Abortable(error),
            _ => Self::Fatal(error),
        }
    }
}

impl TxnError {
    fn kafka_error(&self) -> &KafkaError {
        match self {
            Self::Retriable(error) | Self::Abortable(error) | Self::Fatal(error) => error,
        }
    }

    /// Whether a newer instance with the same transactional.id has taken over (KIP-360: librdkafka says `_FENCED`; the
    /// broker PRODUCER_FENCED or, before EndTxn v3, INVALID_PRODUCER_EPOCH).
    pub fn is_fenced(&self) -> bool {
        use RDKafkaErrorCode::{Fenced, InvalidProducerEpoch, ProducerFenced};
        matches!(
            self.kafka_error().rdkafka_error_code(),
            Some(Fenced | ProducerFenced | InvalidProducerEpoch)
        )
    }
}

impl fmt::Display for TxnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_fenced() {
            f.write_str("fenced: a newer instance with the same transactional.id has taken over")
        } else {
            // Without the prefix "Transaction error:", which says nothing here.
            match self.kafka_error() {
                KafkaError::Transaction(error) => write!(f, "{error}"),
                other => write!(f, "{other}"),
            }
        }
    }
}

impl From<TxnError> for Error {
    fn from(error: TxnError) -> Self {
        match error {
            TxnError::Fatal(_) if error.is_fenced() => Self::failed(format!("{error}; this one stops")),
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

/// Python's `commit_transaction(timeout)`: waits for the delivery reports, then commits.
///
/// # Errors
/// Retriable: call it again, and nothing else (an abort would be refused once the commit is under way).
pub fn commit(producer: &ReportingProducer, timeout: Duration) -> Result<(), TxnError> {
    if flush(producer, timeout) > 0 {
        return Err(TxnError::Retriable(KafkaError::Flush(
            RDKafkaErrorCode::OperationTimedOut,
        )));
    }
    serving(producer, producer.commit_transaction(timeout))
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
        match serving(producer, producer.abort_transaction(Duration::from_millis(50))) {
            Err(TxnError::Retriable(_)) if Instant::now() < end => {}
            other => return other,
        }
    }
}

/// Serves the callbacks that the call has left in the queue.
fn serving(producer: &ReportingProducer, result: KafkaResult<()>) -> Result<(), TxnError> {
    producer.poll(Duration::ZERO);
    Ok(result?)
}
