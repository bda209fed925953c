//! Topics of a benchmark, and the broker's clock.

use std::time::{Duration, Instant};

use common::Error;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::{Message, Offset, Timestamp, TopicPartitionList};
use tokio::runtime::Runtime;

const REQUEST: Duration = Duration::from_secs(10);

/// The time of a record is that at which the broker has stored it: what [`Topic::rate`] goes by.
pub(crate) const BROKERS_CLOCK: &[(&str, &str)] = &[("message.timestamp.type", "LogAppendTime")];

/// After so long without a further message, none will come.
const QUIET: Duration = Duration::from_secs(3);

/// Clients that say nothing by themselves: what goes wrong comes back as an error, in one line.
struct Quiet;

impl ClientContext for Quiet {
    fn log(&self, _: RDKafkaLogLevel, _: &str, _: &str) {}
    fn error(&self, _: KafkaError, _: &str) {}
}

impl ConsumerContext for Quiet {}

/// A Kafka, and what the benchmark asks of it.
pub(crate) struct Kafka {
    pub(crate) servers: String,
    config: ClientConfig,
    admin: AdminClient<Quiet>,
    runtime: Runtime,
}

impl Kafka {
    pub(crate) fn connect(servers: &str) -> Result<Self, Error> {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", servers).set("client.id", "bench");
        // librdkafka wants a group.id even from a consumer that joins no group.
        config.set("group.id", "bench").set("isolation.level", "read_uncommitted");
        config.set("enable.auto.commit", "false").set("enable.partition.eof", "true");
        let consumer: BaseConsumer<Quiet> = config.create_with_context(Quiet)?;
        consumer.fetch_metadata(None, REQUEST).map_err(|_| {
            Error::Usage(format!(
                "no Kafka answers on {servers}: start one with compose/kafka.sh, or give its address with \
                 --bootstrap-servers HOST:PORT"
            ))
        })?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::failed)?;
        Ok(Self { servers: servers.to_owned(), admin: config.create_with_context(Quiet)?, config, runtime })
    }

    /// A topic with one partition and this configuration, deleted when the result is dropped.
    pub(crate) fn topic(&self, name: &str, config: &[(&str, &str)]) -> Result<Topic<'_>, Error> {
        // Gigabytes of deleted topics would otherwise lie about for a minute.
        let topic = NewTopic::new(name, 1, TopicReplication::Fixed(-1)).set("file.delete.delay.ms", "1000");
        let topic = config.iter().fold(topic, |topic, (key, value)| topic.set(key, value));
        let answers = self.runtime.block_on(self.admin.create_topics([&topic], &options()))?;
        match answers.into_iter().next() {
            Some(Err((name, code))) => Err(Error::failed(format!("topic {name}: {code}"))),
            _ => Ok(Topic { kafka: self, name: name.to_owned() }),
        }
    }
}

fn options() -> AdminOptions {
    AdminOptions::new().request_timeout(Some(REQUEST)).operation_timeout(Some(REQUEST))
}

/// A topic of one run, and the group of the same name.
pub(crate) struct Topic<'a> {
    kafka: &'a Kafka,
    pub(crate) name: String,
}

impl Drop for Topic<'_> {
    fn drop(&mut self) {
        let (kafka, name) = (self.kafka, &*self.name);
        // Most runs have no group.
        let _ = kafka.runtime.block_on(kafka.admin.delete_groups(&[name], &options()));
        if let Err(error) = kafka.runtime.block_on(kafka.admin.delete_topics(&[name], &options())) {
            log::warn!("topic {name} could not be deleted: {error}");
        }
    }
}

impl Topic<'_> {
    /// Messages per second by the broker's clock, after the first tenth, when so many messages are there.
    pub(crate) fn rate(&self, messages: u64) -> Result<f64, Error> {
        let consumer: BaseConsumer<Quiet> = self.kafka.config.create_with_context(Quiet)?;
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
