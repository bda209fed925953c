//! What the lab writes to the program's input itself, past the proxy.

use std::ops::Range;
use std::time::Duration;

use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};

use super::Stage;
use crate::aborted::{AbortedWriter, TIMEOUT};
use crate::catalogue::Role;
use crate::error::Error;
use crate::kafka::{Observer, flush};

/// Whose transaction stays open.
const OPEN: &str = "open";

/// librdkafka's queue takes 100,000 messages, and refuses more.
const QUEUED: usize = 10_000;

impl Stage<'_> {
    /// Writes all values to the input of a consumer or a pipeline, as [`fill`](Self::fill) does; a producer has none.
    ///
    /// # Errors
    /// When the broker does not take them.
    pub fn fill_input(&mut self) -> Result<(), Error> {
        match self.program.role {
            Role::Producer(_) => Ok(()),
            Role::Consumer { .. } | Role::Pipeline { .. } => self.fill(),
        }
    }

    /// Writes all values to the input, the nth to partition n modulo their number, each with its value as its key.
    ///
    /// # Errors
    /// When the broker does not take them.
    pub fn fill(&mut self) -> Result<(), Error> {
        self.fill_some(0..self.messages())
    }

    /// The same for some of the values.
    ///
    /// # Errors
    /// When the broker does not take them.
    pub fn fill_some(&mut self, which: Range<usize>) -> Result<(), Error> {
        let topic = self.topic();
        let refused = |why: String| Error::Input { topic: topic.clone(), why };
        let producer: BaseProducer<Observer> = self.kafka.writer()?;
        for nth in which {
            if nth % QUEUED == 0 {
                flush(&producer).map_err(|error| refused(error.to_string()))?;
            }
            let Some(bytes) = self.values.get(nth).and_then(|value| value.bytes()) else { continue };
            let partition = i32::try_from(nth).unwrap_or(0) % self.case.partitions;
            let record = BaseRecord::<[u8], [u8]>::to(&topic).partition(partition).key(bytes).payload(bytes);
            producer.send(record).map_err(|(error, _)| refused(error.to_string()))?;
        }
        flush(&producer).map_err(|error| refused(error.to_string()))?;
        match producer.context().last_error() {
            Some(why) => Err(refused(why)),
            None => Ok(()),
        }
    }

    /// Writes all values, with aborted transactions of the lab's own before and after them ([`crate::aborted`]).
    ///
    /// # Errors
    /// When the broker does not take them.
    pub fn fill_between_aborted(&mut self) -> Result<(), Error> {
        let mut writer = self.aborted_writer("aborted", TIMEOUT)?;
        writer.write()?;
        self.fill()?;
        writer.write()?;
        self.aborted += writer.written();
        Ok(())
    }

    /// Writes aborted transactions of the lab's own, and nothing else.
    ///
    /// # Errors
    /// When the broker does not take them.
    pub(crate) fn fill_aborted(&mut self) -> Result<(), Error> {
        let mut writer = self.aborted_writer("aborted", TIMEOUT)?;
        writer.write()?;
        self.aborted += writer.written();
        Ok(())
    }

    /// A writer for [`leave_open`](Self::leave_open). The coordinator aborts what it leaves open so long after it began
    /// (at least 1 s).
    ///
    /// # Errors
    /// When the coordinator does not answer.
    pub fn open_writer(&self, timeout: Duration) -> Result<AbortedWriter, Error> {
        self.aborted_writer(OPEN, timeout)
    }

    /// Writes records to the input, in a transaction that stays open: until its timeout, or until
    /// [`succeed_open`](Self::succeed_open).
    ///
    /// # Errors
    /// When the broker does not take them.
    pub fn leave_open(&mut self, writer: AbortedWriter) -> Result<(), Error> {
        self.aborted += writer.leave_open()?;
        Ok(())
    }

    /// Starts a producer with the transactional id of the open transaction, for which the coordinator aborts it.
    ///
    /// # Errors
    /// When the coordinator does not answer.
    pub fn succeed_open(&self) -> Result<(), Error> {
        self.aborted_writer(OPEN, TIMEOUT)?;
        Ok(())
    }

    fn aborted_writer(&self, id: &str, timeout: Duration) -> Result<AbortedWriter, Error> {
        AbortedWriter::new(&self.kafka, &self.names.of(id), timeout, &self.topic(), self.case.partitions)
    }
}
