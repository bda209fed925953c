//! Topics of a benchmark.

use std::time::Duration;

use common::Error;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use tokio::runtime::Runtime;

pub(crate) const REQUEST: Duration = Duration::from_secs(10);

/// Clients that say nothing by themselves: what goes wrong comes back as an error, in one line.
pub(crate) struct Quiet;

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
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::failed)?;
        let kafka = Self { servers: servers.to_owned(), admin: config.create_with_context(Quiet)?, config, runtime };
        kafka.consumer()?.fetch_metadata(None, REQUEST).map_err(|_| {
            Error::Usage(format!(
                "no Kafka answers on {servers}: start one with compose/kafka.sh, or give its address with \
                 --bootstrap-servers HOST:PORT"
            ))
        })?;
        Ok(kafka)
    }

    /// A consumer without a group.
    pub(crate) fn consumer(&self) -> Result<BaseConsumer<Quiet>, Error> {
        Ok(self.config.create_with_context(Quiet)?)
    }

    /// A topic with one partition and this configuration, deleted when the result is dropped.
    pub(crate) fn topic(&self, name: &str, config: &[(&str, &str)]) -> Result<Topic<'_>, Error> {
        let create = |config: &[(&str, &str)]| {
            let topic = NewTopic::new(name, 1, TopicReplication::Fixed(-1));
            let topic = config.iter().fold(topic, |topic, (key, value)| topic.set(key, value));
            self.runtime.block_on(self.admin.create_topics([&topic], &options()))
        };
        // Gigabytes of deleted topics would otherwise lie about for a minute. A broker without files does not know it.
        let mut answers = create(&[config, &[("file.delete.delay.ms", "1000")]].concat())?;
        if let [Err((_, RDKafkaErrorCode::InvalidConfig))] = answers[..] {
            answers = create(config)?;
        }
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
    pub(crate) kafka: &'a Kafka,
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
