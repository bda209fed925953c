//! The lab's own clients: they observe, so no setting of the observed programs may change them.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use common::cli::{Broker, Property, ssl_advice};
use common::events::brief;
use common::login::Login;
use common::stop;
use rdkafka::admin::AdminClient;
use rdkafka::client::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, DeliveryResult, Producer, ProducerContext};
use rdkafka::{ClientConfig, TopicPartitionList};

use crate::error::Error;

/// librdkafka's own time limit for one request of the lab.
pub(crate) const REQUEST: Duration = Duration::from_secs(10);

/// One metadata request while waiting for the broker.
const ATTEMPT: Duration = Duration::from_millis(500);

/// Which properties given with -X the lab's own clients take: those that say how to reach the broker. One that changes
/// what a program does (acks, isolation.level, …) must not change how it is measured.
const CONNECTION: &[&str] = &[
    "api.version.",
    "broker.address.",
    "broker.version.",
    "client.dns.",
    "debug",
    "enable.sasl.",
    "enable.ssl.",
    "https.",
    "metadata.recovery.",
    "reconnect.",
    "sasl.",
    "security.",
    "socket.",
    "ssl.",
];

/// A Kafka, and how to reach it.
#[derive(Debug, Clone)]
pub struct Kafka {
    broker: Broker,
}

/// Which records a reader is given (Kafka's isolation.level).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// All records, those of open and aborted transactions included, up to the end offset.
    ReadUncommitted,
    /// No records of aborted transactions, and nothing beyond the last stable offset.
    ReadCommitted,
}

impl Kafka {
    /// The Kafka that the command line names.
    pub fn new(broker: Broker) -> Self {
        Self { broker }
    }

    /// The flags that a program needs in order to reach the same Kafka.
    pub fn broker(&self) -> &Broker {
        &self.broker
    }

    /// Refuses what a run names itself.
    ///
    /// # Errors
    /// [`Error::NamedByTheLab`] when -X names a group or a transactional id: the programs would share it.
    pub fn check(&self) -> Result<(), Error> {
        let mut properties = self.broker.properties.iter().chain(&self.broker.property);
        match properties.find(|property| ["group.id", "transactional.id"].contains(&property.key.as_str())) {
            Some(property) => Err(Error::NamedByTheLab(property.key.clone())),
            None => Ok(()),
        }
    }

    /// Waits until a broker answers, up to --connect-timeout.
    ///
    /// # Errors
    /// [`Error::NoBroker`] when none does, at once when it refuses the login; [`Error::Client`] when librdkafka refuses the properties.
    pub fn wait(&self) -> Result<(), Error> {
        let consumer = self.consumer(&self.broker.name("lab"), Isolation::ReadUncommitted)?;
        let end = Instant::now() + self.broker.connect_timeout;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let refused = |why: String| Login::look(&why) == Some(Login::Refused);
            if left.is_zero() || consumer.context().last_error().is_some_and(refused) {
                return Err(Error::NoBroker {
                    servers: self.broker.bootstrap_servers.clone(),
                    reason: consumer.context().last_error(),
                });
            }
            if stop::requested() {
                return Err(Error::Interrupted);
            }
            match consumer.fetch_metadata(None, left.min(ATTEMPT)) {
                Ok(_) => return Ok(()),
                Err(error) => {
                    log::debug!("no metadata yet: {error}");
                    // Serves the error callback: nothing is assigned, so there is no message.
                    while consumer.poll(Duration::ZERO).is_some() {}
                    stop::sleep(Duration::from_millis(50).min(left));
                }
            }
        }
    }

    /// Waits until the leader of each partition of a new topic serves it: until then, it answers the first requests with
    /// errors, and a program would send again what no fault has touched.
    ///
    /// # Errors
    /// [`Error::Read`] when one does not.
    pub(crate) fn wait_for_topic(&self, topic: &str, partitions: i32) -> Result<(), Error> {
        let consumer = self.consumer(&self.broker.name("lab"), Isolation::ReadUncommitted)?;
        let end = Instant::now() + REQUEST;
        for partition in 0..partitions {
            while let Err(error) = consumer.fetch_watermarks(topic, partition, ATTEMPT) {
                if stop::requested() {
                    return Err(Error::Interrupted);
                }
                if Instant::now() >= end {
                    return Err(Error::Read { topic: topic.to_owned(), why: error.to_string() });
                }
                stop::sleep(Duration::from_millis(20));
            }
        }
        Ok(())
    }

    /// A consumer that is to be assigned its partitions: it joins no group, and commits nothing.
    ///
    /// # Errors
    /// When librdkafka refuses the properties.
    pub fn consumer(&self, group: &str, isolation: Isolation) -> Result<BaseConsumer<Observer>, Error> {
        let isolation = match isolation {
            Isolation::ReadUncommitted => "read_uncommitted",
            Isolation::ReadCommitted => "read_committed",
        };
        // librdkafka wants a group.id even for a consumer that never joins the group.
        self.create(&[
            ("group.id", group),
            ("isolation.level", isolation),
            ("enable.auto.commit", "false"),
            ("enable.auto.offset.store", "false"),
            ("auto.offset.reset", "error"),
            ("enable.partition.eof", "true"),
            // How long the broker waits for more before it answers that the end is reached.
            ("fetch.wait.max.ms", "10"),
        ])
    }

    /// A consumer of small records that nobody vouches for: it goes on wherever the topics begin, and holds little of them.
    ///
    /// # Errors
    /// When librdkafka refuses the properties.
    pub(crate) fn follower(&self, group: &str) -> Result<BaseConsumer<Observer>, Error> {
        self.create(&[
            ("group.id", group),
            // A transaction that somebody leaves open must not hide the rest.
            ("isolation.level", "read_uncommitted"),
            ("enable.auto.commit", "false"),
            ("enable.auto.offset.store", "false"),
            ("auto.offset.reset", "earliest"),
            ("fetch.message.max.bytes", "65536"),
            ("fetch.max.bytes", "1048576"),
            ("receive.message.max.bytes", "8388608"),
            ("queued.max.messages.kbytes", "8192"),
        ])
    }

    /// A transactional producer; what it leaves open is aborted after the timeout.
    ///
    /// # Errors
    /// When librdkafka refuses the properties.
    pub(crate) fn producer<P: FromClientConfigAndContext<Observer>>(
        &self,
        transactional_id: &str,
        timeout: Duration,
    ) -> Result<P, Error> {
        self.create(&[
            ("transactional.id", transactional_id),
            ("transaction.timeout.ms", &timeout.as_millis().to_string()),
            // The next transaction meets the markers of the last one (CONCURRENT_TRANSACTIONS), and asks again.
            ("retry.backoff.ms", "5"),
        ])
    }

    /// A client for topics and groups.
    ///
    /// # Errors
    /// When librdkafka refuses the properties.
    pub(crate) fn admin(&self) -> Result<AdminClient<Observer>, Error> {
        self.create(&[])
    }

    /// A producer that sends each record once: what is not acknowledged is an error, and not sent again. (An idempotent
    /// one would first wait half a second for its producer id.)
    ///
    /// # Errors
    /// When librdkafka refuses the properties.
    pub(crate) fn writer<P: FromClientConfigAndContext<Observer>>(&self) -> Result<P, Error> {
        self.create(&[("retries", "0"), ("max.in.flight", "1"), ("linger.ms", "0")])
    }

    /// The committed offsets of a group. With read_committed, those of a transaction that is ending are waited for
    /// (UNSTABLE_OFFSET_COMMIT is retried); otherwise they do not count as yet.
    ///
    /// # Errors
    /// When librdkafka refuses the properties.
    pub fn offsets(&self, group: &str, isolation: Isolation) -> Result<Offsets, Error> {
        Ok(Offsets { group: group.to_owned(), consumer: self.consumer(group, isolation)? })
    }

    fn create<T: FromClientConfigAndContext<Observer>>(&self, settings: &[(&str, &str)]) -> Result<T, Error> {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.broker.bootstrap_servers);
        config.set("client.id", self.broker.name("lab"));
        for Property { key, value } in self.broker.properties.iter().chain(&self.broker.property) {
            if CONNECTION.iter().any(|prefix| key.starts_with(prefix)) {
                config.set(key, value);
            }
        }
        for (key, value) in settings {
            config.set(*key, *value);
        }
        config.create_with_context(Observer::default()).map_err(|error| {
            let why = error.to_string();
            Error::Client(ssl_advice(&why).unwrap_or(why))
        })
    }
}

/// Waits until everything that was sent is answered. (`BaseProducer::flush` looks every 100 ms.)
///
/// # Errors
/// When it is not within [`REQUEST`].
pub(crate) fn flush(producer: &BaseProducer<Observer>) -> KafkaResult<()> {
    let end = Instant::now() + REQUEST;
    loop {
        // Serves the delivery reports that are there, and returns.
        producer.poll(Duration::ZERO);
        if producer.in_flight_count() == 0 {
            return Ok(());
        }
        if Instant::now() >= end {
            return Err(KafkaError::Flush(RDKafkaErrorCode::OperationTimedOut));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Asks for the committed offsets of a group.
pub struct Offsets {
    group: String,
    consumer: BaseConsumer<Observer>,
}

impl Offsets {
    /// The committed offsets of the group, for all partitions of a topic: those that it has committed.
    ///
    /// # Errors
    /// When the group's coordinator does not tell them in time.
    pub fn committed(&self, topic: &str, partitions: i32) -> Result<Vec<(i32, i64)>, Error> {
        let why = |error: KafkaError| Error::Offsets { group: self.group.clone(), why: error.to_string() };
        let mut list = TopicPartitionList::new();
        list.add_partition_range(topic, 0, partitions - 1);
        let committed = self.consumer.committed_offsets(list, REQUEST).map_err(why)?;
        let mut offsets = Vec::new();
        for partition in committed.elements() {
            partition.error().map_err(why)?;
            if let rdkafka::Offset::Offset(offset) = partition.offset() {
                offsets.push((partition.partition(), offset));
            }
        }
        Ok(offsets)
    }
}

/// Context of the lab's clients: keeps what librdkafka said last, for an error message, and logs it for whoever asks
/// (RUST_LOG=debug).
#[derive(Debug, Default)]
pub struct Observer {
    last_error: Mutex<Option<String>>,
}

impl Observer {
    fn note(&self, reason: &str) {
        *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(brief(reason).to_owned());
    }

    pub(crate) fn last_error(&self) -> Option<String> {
        self.last_error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ClientContext for Observer {
    fn log(&self, _: RDKafkaLogLevel, facility: &str, message: &str) {
        log::debug!("librdkafka: {facility} {message}");
        // A broker that wants a login hangs up on who does not log in, and that is no error to librdkafka.
        if facility == "FAIL" {
            self.note(message.split_once("]: ").map_or(message, |(_thread, text)| text));
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        log::debug!("librdkafka: {reason}");
        // "All brokers are down" follows the error that says why, and must not hide it.
        if error.rdkafka_error_code() != Some(RDKafkaErrorCode::AllBrokersDown) {
            self.note(reason);
        }
    }
}

impl ConsumerContext for Observer {}

impl ProducerContext for Observer {
    type DeliveryOpaque = ();

    fn delivery(&self, report: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _)) = report {
            self.error(error.clone(), &error.to_string());
        }
    }
}
