//! A consumer, at most once, that the lab can judge (docs/your-own-client.md):
//!
//! ```text
//! cargo build -p lab --example own-consumer
//! lab run --guarantee at-most-once --role consumer -- target/debug/examples/own-consumer
//! ```
#![allow(clippy::print_stdout, reason = "the lab reads standard output")]

use std::env;
use std::error::Error;

use rdkafka::consumer::{CommitMode, Consumer, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::{ClientConfig, Message};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", env::var("BOOTSTRAP_SERVERS")?);
    config.set("group.id", env::var("GROUP_ID")?);
    // Committed below, before a message is processed.
    config.set("enable.auto.commit", "false");
    // A group without committed offsets begins at the beginning.
    config.set("auto.offset.reset", "earliest");
    // What the lab shortens or sets for its scenario: KEY=VALUE;KEY=VALUE.
    for (key, value) in
        env::var("KAFKA_PROPERTIES").unwrap_or_default().split(';').filter_map(|set| set.split_once('='))
    {
        config.set(key, value);
    }
    let consumer: StreamConsumer = config.create()?;
    consumer.subscribe(&[&env::var("TOPIC")?])?;
    loop {
        let received = tokio::select! {
            // The lab stops a consumer with Ctrl-C when everything is done.
            _ = tokio::signal::ctrl_c() => return Ok(()),
            received = consumer.recv() => received,
        };
        let message = match received {
            Ok(message) => message,
            // Another member has its group.instance.id, for instance: this one stops.
            Err(error @ KafkaError::MessageConsumptionFatal(_)) => return Err(error.into()),
            Err(error) => {
                eprintln!("{error}; trying again");
                continue;
            }
        };

        // 1) Commit of the offset after it. Refused, the message is not processed: it may be another member's now.
        if let Err(error) = consumer.commit_message(&message, CommitMode::Sync) {
            eprintln!("not committed, so not processed: {error}");
            continue;
        }

        // 2) Processing: for the lab, the line is the effect.
        let value = message.payload_view::<str>().and_then(Result::ok).unwrap_or_default();
        println!("[{} p{}@{}] {value}", message.topic(), message.partition(), message.offset());
    }
}
