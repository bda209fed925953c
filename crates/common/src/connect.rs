//! Is there a broker, and does the topic exist? Asked once, before a program starts its cycle, so that a wrong address
//! is one line and not minutes of silence.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::metadata::Metadata;
use rdkafka::producer::{BaseProducer, Producer, ProducerContext};

use crate::delivery::DeliveryReports;
use crate::group::Group;
use crate::{Error, cli, stop};

/// One metadata request; librdkafka connects again in between.
const ATTEMPT: Duration = Duration::from_secs(1);

/// What librdkafka tells about its connections. Silent until a broker has answered: then [`topic`] says in one line
/// what librdkafka says in many.
#[derive(Default)]
pub struct ClientEvents {
    connected: AtomicBool,
    last_error: Mutex<Option<String>>,
}

impl ClientEvents {
    pub(crate) fn log(&self, client: &str, level: RDKafkaLogLevel, facility: &str, message: &str) {
        let told_as_error = matches!(facility, "FAIL" | "ERROR");
        // "X is a producer property": -X goes to both clients of a program.
        let harmless = facility == "CONFWARN" && message.contains("property and will be ignored");
        let level = match level {
            _ if told_as_error || harmless || !self.connected.load(Ordering::Relaxed) => log::Level::Debug,
            RDKafkaLogLevel::Debug => log::Level::Debug,
            RDKafkaLogLevel::Info | RDKafkaLogLevel::Notice => log::Level::Info,
            _ => log::Level::Warn,
        };
        log::log!(level, "librdkafka {client}: {facility} {message}");
        if told_as_error {
            self.note(message.split_once("]: ").map_or(message, |(_thread, text)| text));
        }
    }

    pub(crate) fn error(&self, client: &str, error: &KafkaError, reason: &str) {
        // "2/2 brokers are down" follows the error that says why, and must not hide it.
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::AllBrokersDown) {
            log::debug!("librdkafka {client}: {reason}");
            return;
        }
        let told = self.last_error.lock().unwrap_or_else(PoisonError::into_inner).as_deref() == Some(brief(reason));
        // rust-rdkafka 0.39 calls this twice for each error of a producer.
        let level = if told || !self.connected.load(Ordering::Relaxed) { log::Level::Debug } else { log::Level::Warn };
        log::log!(level, "librdkafka {client}: {reason}");
        self.note(reason);
    }

    fn note(&self, reason: &str) {
        *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(brief(reason).to_owned());
    }

    fn last_error(&self) -> String {
        match &*self.last_error.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(reason) => format!(" ({reason})"),
            None => String::new(),
        }
    }
}

/// "HOST:PORT/bootstrap: what happened (after 3ms in state CONNECT)", without what our own line says already.
fn brief(reason: &str) -> &str {
    let reason = reason.split_once("/bootstrap: ").map_or(reason, |(_address, text)| text);
    reason.split_once(" (after ").map_or(reason, |(text, _state)| text)
}

/// A client that can ask for metadata.
pub trait Link {
    /// Whether asking for a topic that does not exist creates it, where the broker allows that.
    const CREATES_TOPICS: bool;
    /// Metadata of one topic.
    ///
    /// # Errors
    /// When no broker answers in time.
    fn metadata(&self, topic: &str, timeout: Duration) -> KafkaResult<Metadata>;
    /// Serves callbacks, so that errors are heard.
    fn serve(&self);
    /// What librdkafka has said so far.
    fn events(&self) -> &ClientEvents;
}

impl Link for BaseProducer<DeliveryReports> {
    // librdkafka's default of allow.auto.create.topics is true for producers, false for consumers.
    const CREATES_TOPICS: bool = true;

    fn metadata(&self, topic: &str, timeout: Duration) -> KafkaResult<Metadata> {
        self.client().fetch_metadata(Some(topic), timeout)
    }

    fn serve(&self) {
        self.poll(Duration::ZERO);
    }

    fn events(&self) -> &ClientEvents {
        self.context().events()
    }
}

impl Link for BaseConsumer<Group> {
    const CREATES_TOPICS: bool = false;

    fn metadata(&self, topic: &str, timeout: Duration) -> KafkaResult<Metadata> {
        self.fetch_metadata(Some(topic), timeout)
    }

    fn serve(&self) {
        // Nothing is subscribed yet: all that can come is an error, and the context has noted it.
        let _ = self.poll(Duration::ZERO);
    }

    fn events(&self) -> &ClientEvents {
        self.context().events()
    }
}

/// Waits until a broker answers and the topic exists with a leader for every partition; returns how many partitions it
/// has. A producer's question creates the topic where the broker allows it: without the wait, acks=0 messages sent
/// meanwhile would be lost, which is not the loss that the lesson is about.
///
/// # Errors
/// [`Error::Usage`] when the limit is over: no broker, no such topic; at once when the name is refused.
pub fn topic<L: Link>(client: &L, servers: &str, topic: &str, limit: Duration) -> Result<usize, Error> {
    // Checked once more: with its namespace, the name may have become too long.
    cli::topic_name(topic)
        .map_err(|why| Error::Usage(format!("topic {topic}: {why}; shorten --namespace or --topic")))?;
    let end = Instant::now() + limit;
    let mut state = State::NoBroker;
    let mut waiting_told = false;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(state.into_error(client, servers, topic, limit));
        }
        if stop::requested() {
            return Err(Error::failed("stopped before the topic was there: nothing was done"));
        }
        match client.metadata(topic, left.min(ATTEMPT)) {
            Ok(metadata) => {
                state = look(&metadata, topic)?;
                if let State::Ready(partitions) = state {
                    client.events().connected.store(true, Ordering::Relaxed);
                    return Ok(partitions);
                }
                if !L::CREATES_TOPICS && !waiting_told {
                    waiting_told = true;
                    log::info!("topic {topic} does not exist yet: waiting up to {} s for it", limit.as_secs_f32());
                }
                // Its creation is under way, and nothing tells when it is over.
                stop::sleep(Duration::from_millis(50).min(left));
            }
            Err(error) => {
                log::debug!("no metadata yet: {error}");
                client.serve();
                // An error may come back at once; librdkafka itself waits 100 ms before it connects again.
                stop::sleep(Duration::from_millis(50).min(left));
            }
        }
        client.serve();
    }
}

enum State {
    NoBroker,
    NoTopic,
    Ready(usize),
}

impl State {
    fn into_error<L: Link>(self, client: &L, servers: &str, topic: &str, limit: Duration) -> Error {
        let seconds = limit.as_secs_f32();
        Error::Usage(match self {
            Self::NoTopic if L::CREATES_TOPICS => format!(
                "topic {topic} was not created within {seconds} s: create it first, or allow auto.create.topics.enable"
            ),
            Self::NoTopic => format!("topic {topic} does not exist: run its producer first, or correct --topic"),
            _ => format!(
                "no Kafka answers on {servers} within {seconds} s{}: start one with compose/kafka.sh, or give its \
                 address with --bootstrap-servers HOST:PORT",
                client.events().last_error()
            ),
        })
    }
}

/// What the metadata says of the topic.
fn look(metadata: &Metadata, topic: &str) -> Result<State, Error> {
    let Some(found) = metadata.topics().iter().find(|found| found.name() == topic) else {
        return Ok(State::NoTopic);
    };
    match found.error().map(RDKafkaErrorCode::from) {
        None => {
            let led = found.partitions().iter().filter(|partition| partition.leader() >= 0).count();
            let all = found.partitions().len();
            Ok(if all > 0 && led == all { State::Ready(all) } else { State::NoTopic })
        }
        Some(RDKafkaErrorCode::InvalidTopic) => {
            Err(Error::Usage(format!("the broker refuses the topic name {topic}: correct --topic or --namespace")))
        }
        Some(code @ (RDKafkaErrorCode::TopicAuthorizationFailed | RDKafkaErrorCode::ClusterAuthorizationFailed)) => {
            Err(Error::Usage(format!("topic {topic}: {code}; ask for access, or correct --topic or --namespace")))
        }
        Some(_) => Ok(State::NoTopic),
    }
}

/// The part of a client's context that producers and consumers share.
pub(crate) trait HasEvents {
    fn client_events(&self) -> &ClientEvents;
}

macro_rules! client_context {
    ($context:ty, $client:literal) => {
        impl ClientContext for $context {
            fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
                self.client_events().log($client, level, facility, message);
            }

            fn error(&self, error: KafkaError, reason: &str) {
                self.client_events().error($client, &error, reason);
            }
        }
    };
}
// Named in the log: a program may have both, and their events come in any order.
client_context!(DeliveryReports, "producer");
client_context!(Group, "consumer");

// The traits that the macro's types must also have, checked here so that a mistake shows where it is made.
const _: fn() = || {
    fn producer<T: ProducerContext>() {}
    fn consumer<T: ConsumerContext>() {}
    producer::<DeliveryReports>();
    consumer::<Group>();
};
