//! Aborted transactions in the input of the consumers: read_committed hides them (librdkafka's default), read_uncommitted
//! shows them. A consumer that processes one has read what never happened.

use std::time::Duration;

use common::transaction::{TxnError, retry};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use crate::error::Error;
use crate::kafka::{Kafka, Observer, REQUEST, flush};
use crate::value::Value;

/// What the values of aborted records begin with.
pub const PREFIX: &str = "aborted-";

/// Whether a value is one of those.
pub fn is_ours(value: &Value) -> bool {
    value.bytes().is_some_and(|bytes| bytes.starts_with(PREFIX.as_bytes()))
}

/// How many transactions each call of [`AbortedWriter::write`] aborts.
const TRANSACTIONS: usize = 2;

/// How many records each of them writes to each partition.
const RECORDS: usize = 3;

/// How long the coordinator leaves a transaction open that nobody ends: the default of librdkafka.
pub const TIMEOUT: Duration = Duration::from_secs(60);

/// Writes transactions, and aborts them.
pub struct AbortedWriter {
    producer: BaseProducer<Observer>,
    topic: String,
    partitions: i32,
    written: usize,
}

impl AbortedWriter {
    /// A writer for this topic. What another with this transactional id has left open is aborted; what this one leaves
    /// open is aborted after the timeout (at least 1 s, counted in milliseconds).
    ///
    /// # Errors
    /// When the transaction coordinator does not answer.
    pub fn new(
        kafka: &Kafka,
        transactional_id: &str,
        timeout: Duration,
        topic: &str,
        partitions: i32,
    ) -> Result<Self, Error> {
        let producer = kafka.producer(transactional_id, timeout)?;
        let writer = Self { producer, topic: topic.to_owned(), partitions, written: 0 };
        // With a connection at hand, librdkafka asks for the coordinator at once; without one, half a second later.
        writer
            .producer
            .client()
            .fetch_metadata(Some(topic), REQUEST)
            .map_err(|error| Error::Aborted { topic: topic.to_owned(), why: error.to_string() })?;
        retry(REQUEST, || Ok(writer.producer.init_transactions(REQUEST)?)).map_err(|error| writer.error(error))?;
        Ok(writer)
    }

    /// Writes a few records to every partition and aborts them. Their values begin with [`PREFIX`].
    ///
    /// # Errors
    /// When a record cannot be written: the experiment needs them to be there.
    pub fn write(&mut self) -> Result<(), Error> {
        for _ in 0..TRANSACTIONS {
            self.transaction().map_err(|error| self.error(error))?;
        }
        Ok(())
    }

    /// Writes a few such records to every partition, in a transaction that stays open, as if its producer had died.
    ///
    /// # Errors
    /// When a record cannot be written.
    pub fn leave_open(mut self) -> Result<usize, Error> {
        self.open().map_err(|error| self.error(error))?;
        // Letting go of a producer does not end its transaction.
        Ok(self.written)
    }

    /// How many records were written, and aborted.
    pub fn written(&self) -> usize {
        self.written
    }

    fn transaction(&mut self) -> Result<(), TxnError> {
        self.open()?;
        retry(REQUEST, || Ok(self.producer.abort_transaction(REQUEST)?))
    }

    fn open(&mut self) -> Result<(), TxnError> {
        self.producer.begin_transaction()?;
        for _ in 0..RECORDS {
            for partition in 0..self.partitions {
                let value = format!("{PREFIX}{}", self.written);
                let record = BaseRecord::<(), str>::to(&self.topic).partition(partition).payload(&value);
                self.producer.send(record).map_err(|(error, _)| error)?;
                self.written += 1;
            }
        }
        // An abort would discard what has not left yet.
        Ok(flush(&self.producer)?)
    }

    fn error(&self, error: TxnError) -> Error {
        let why = match self.producer.context().last_error() {
            Some(reason) => format!("{error} ({reason})"),
            None => error.to_string(),
        };
        Error::Aborted { topic: self.topic.clone(), why }
    }
}
