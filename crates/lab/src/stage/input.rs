//! What the lab writes to the program's input itself, past the proxy.

use std::ops::Range;

use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};

use super::Stage;
use crate::aborted::AbortedWriter;
use crate::error::Error;
use crate::kafka::{Observer, flush};

impl Stage<'_> {
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
        let mut writer =
            AbortedWriter::new(&self.kafka, &self.names.of("aborted"), &self.topic(), self.case.partitions)?;
        writer.write()?;
        self.fill()?;
        writer.write()?;
        self.aborted += writer.written();
        Ok(())
    }
}
