//! A producer, exactly once (one transaction for all messages), that the lab can judge (docs/your-own-client.md):
//!
//! ```text
//! cargo build -p lab --example own-producer
//! lab run --guarantee exactly-once -- target/debug/examples/own-producer
//! ```
#![allow(clippy::print_stdout, reason = "the lab reads standard output")]

use std::env::{self, VarError};
use std::error::Error;
use std::time::{Duration, Instant};

use rdkafka::error::KafkaError;
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseRecord, Producer, ProducerContext, ThreadedProducer};
use rdkafka::{ClientConfig, ClientContext, Message};

const TEN_SECONDS: Duration = Duration::from_secs(10);

/// The coordinator aborts a transaction of its own accord when it is as old (transaction.timeout.ms).
const GIVE_UP: Duration = Duration::from_secs(60);

struct Reports;

impl ClientContext for Reports {}

impl ProducerContext for Reports {
    type DeliveryOpaque = ();

    /// Stored, which does not yet mean visible: readers at read_committed wait for the commit.
    fn delivery(&self, report: &DeliveryResult<'_>, (): ()) {
        match report {
            Ok(message) => {
                let (topic, partition, offset) = (message.topic(), message.partition(), message.offset());
                println!("delivered {topic}[{partition}]@{offset} {}", value(message));
            }
            Err((why, message)) => println!("failed {}: {why}", value(message)),
        }
    }
}

fn value(message: &impl Message) -> &str {
    message.payload_view().and_then(Result::ok).unwrap_or_default()
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", env::var("BOOTSTRAP_SERVERS")?);
    // Implies acks=all and enable.idempotence. Stable: a successor aborts what its predecessor left open, and fences it.
    config.set("transactional.id", env::var("TRANSACTIONAL_ID")?);
    for (key, value) in settings()? {
        config.set(key, value);
    }
    let topic = env::var("TOPIC")?;
    let prefix = env::var("VALUE_PREFIX")?;
    let count: u64 = env::var("COUNT")?.parse()?;
    let pause = Duration::from_millis(optional("INTERVAL_MS")?.unwrap_or("0".into()).parse()?);

    let producer: ThreadedProducer<Reports> = config.create_with_context(Reports)?;
    retry(|| producer.init_transactions(TEN_SECONDS))?;
    producer.begin_transaction()?;
    let sent = (0..count).try_for_each(|i| {
        let value = format!("{prefix}{i}");
        std::thread::sleep(pause);
        producer.send(BaseRecord::<(), str>::to(&topic).payload(&value)).map_err(|(error, _)| error)
    });
    match sent.and_then(|()| retry(|| producer.commit_transaction(TEN_SECONDS))) {
        Ok(()) => {
            println!("committed {count}");
            Ok(())
        }
        // Nothing of it counts: say so, and leave no transaction open.
        Err(error) if can_abort(&error) => {
            retry(|| producer.abort_transaction(TEN_SECONDS))?;
            println!("aborted {count}: {error}");
            Err(error.into())
        }
        // Fatal (fenced by a successor, for instance), or unknown to all but the coordinator.
        Err(error) => Err(error.into()),
    }
}

/// Calls again for as long as the error is one that may pass.
fn retry(call: impl Fn() -> Result<(), KafkaError>) -> Result<(), KafkaError> {
    let end = Instant::now() + GIVE_UP;
    loop {
        match call() {
            Err(KafkaError::Transaction(error)) if error.is_retriable() && Instant::now() < end => {}
            Err(KafkaError::Flush(_)) if Instant::now() < end => {}
            other => return other,
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn can_abort(error: &KafkaError) -> bool {
    match error {
        KafkaError::Transaction(error) => error.txn_requires_abort(),
        // A message that librdkafka does not take, since its transaction has failed already.
        KafkaError::MessageProduction(_) => true,
        _ => false,
    }
}

/// What the lab shortens or sets for its scenario: KEY=VALUE;KEY=VALUE.
fn settings() -> Result<Vec<(String, String)>, VarError> {
    let text = optional("KAFKA_PROPERTIES")?.unwrap_or_default();
    let pairs = text.split(';').filter_map(|setting| setting.split_once('='));
    Ok(pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect())
}

fn optional(name: &str) -> Result<Option<String>, VarError> {
    match env::var(name) {
        Err(VarError::NotPresent) => Ok(None),
        other => other.map(Some),
    }
}
