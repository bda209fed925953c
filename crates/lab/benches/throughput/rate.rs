//! How fast a topic was filled, by the broker's clock.

use std::time::{Duration, Instant};

use common::Error;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::{Message, Offset, Timestamp, TopicPartitionList};

use crate::shared::kafka::{Quiet, REQUEST, Topic};

/// The time of a record is that at which the broker has stored it: what [`Topic::rate`] goes by.
pub(crate) const BROKERS_CLOCK: &[(&str, &str)] = &[("message.timestamp.type", "LogAppendTime")];

/// After so long without a further message, none will come.
const QUIET: Duration = Duration::from_secs(3);

impl Topic<'_> {
    /// Messages per second by the broker's clock, after the first tenth, when so many messages are there.
    pub(crate) fn rate(&self, messages: u64) -> Result<f64, Error> {
        let consumer = self.kafka.consumer()?;
        let end = self.wait_for(&consumer, messages)?;
        let (_, early) = self.last_before(&consumer, end / 10 + 1)?;
        let (_, late) = self.last_before(&consumer, end)?;
        let first = self.first_after(&consumer, early)?.ok_or_else(|| {
            Error::failed("all messages were stored within one millisecond: nothing can be measured, send more")
        })?;
        // Control records of transactions have offsets as well: so it is a share of the messages, not a number of offsets.
        let share = (end - first) as f64 / end as f64;
        Ok(messages as f64 * share / ((late - early) as f64 / 1e3))
    }

    /// The end offset, when all is there. (acks=0: the last messages may still be on their way when the program ends.)
    fn wait_for(&self, consumer: &BaseConsumer<Quiet>, messages: u64) -> Result<i64, Error> {
        let (mut known, mut since) = (-1, Instant::now());
        loop {
            let (_, end) = consumer.fetch_watermarks(&self.name, 0, REQUEST)?;
            if end > known {
                (known, since) = (end, Instant::now());
            }
            if since.elapsed() > Duration::from_millis(100) && known as u64 >= messages {
                return Ok(known);
            }
            if since.elapsed() > QUIET {
                return Err(Error::failed(format!("{known} of {messages} messages arrived: nothing was measured")));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Offset and time of the last record before that offset: a few offsets back there is one that is no control record.
    fn last_before(&self, consumer: &BaseConsumer<Quiet>, offset: i64) -> Result<(i64, i64), Error> {
        let mut from = TopicPartitionList::new();
        from.add_partition_offset(&self.name, 0, Offset::Offset((offset - 3).max(0)))?;
        consumer.assign(&from)?;
        let mut found = None;
        let limit = Instant::now() + REQUEST;
        while Instant::now() < limit {
            match consumer.poll(REQUEST) {
                Some(Ok(message)) if message.offset() < offset => {
                    let Timestamp::LogAppendTime(time) = message.timestamp() else {
                        return Err(Error::failed(
                            "this Kafka does not support message.timestamp.type=LogAppendTime, by which rates are measured",
                        ));
                    };
                    found = Some((message.offset(), time));
                }
                Some(Ok(_)) | Some(Err(KafkaError::PartitionEOF(_))) if found.is_some() => break,
                Some(Err(error)) if !matches!(error, KafkaError::PartitionEOF(_)) => return Err(error.into()),
                _ => {}
            }
        }
        found.ok_or_else(|| Error::failed(format!("topic {} cannot be read", self.name)))
    }

    /// Offset of the first record that was stored after that time.
    fn first_after(&self, consumer: &BaseConsumer<Quiet>, time: i64) -> KafkaResult<Option<i64>> {
        let mut times = TopicPartitionList::new();
        times.add_partition_offset(&self.name, 0, Offset::Offset(time + 1))?;
        let found = consumer.offsets_for_times(times, REQUEST)?;
        Ok(found.elements().first().and_then(|partition| match partition.offset() {
            Offset::Offset(offset) => Some(offset),
            _ => None,
        }))
    }
}
