//! Is there a broker, and does the topic exist? Asked once, before a program starts its cycle, so that a wrong address
//! is one line and not minutes of silence.

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaResult, RDKafkaErrorCode};
use rdkafka::metadata::Metadata;
use rdkafka::producer::{BaseProducer, Producer};

use crate::delivery::DeliveryReports;
use crate::events::ClientEvents;
use crate::group::Group;
use crate::login::Login;
use crate::{Error, cli, stop};

/// One metadata request; librdkafka connects again in between.
const ATTEMPT: Duration = Duration::from_secs(1);

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
                    client.events().broker_answered();
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
                if client.events().last_error().is_some_and(|why| Login::look(&why) == Some(Login::Refused)) {
                    return Err(state.into_error(client, servers, topic, limit));
                }
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
            _ => {
                let why = client.events().last_error();
                let login = why.as_deref().and_then(Login::look);
                let told = why.map(|why| format!(" ({why})")).unwrap_or_default();
                match login {
                    Some(login) => format!("{servers} does not let this client in{told}: {}", login.advice()),
                    None => format!(
                        "no Kafka answers on {servers} within {seconds} s{told}: start one (cargo run -p lab -- broker, \
                         or compose/kafka.sh), or give its address with --bootstrap-servers HOST:PORT"
                    ),
                }
            }
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
