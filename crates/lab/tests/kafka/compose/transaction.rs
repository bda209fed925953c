//! One transaction, from its first to its last step: what every Kafka here has to be able to do.

use std::time::{Duration, Instant, UNIX_EPOCH};

use rdkafka::{
    ClientConfig, Message,
    consumer::{BaseConsumer, CommitMode, Consumer},
    producer::{BaseRecord, Producer, ThreadedProducer},
};

const TIMEOUT: Duration = Duration::from_secs(30);

/// Sends `value` to `topic` in a transaction, reads it back as a member of a group at read_committed, and commits its
/// offset: so the topic and both internal topics exist afterwards.
pub(super) fn round_trip(bootstrap: &str, topic: &str, value: &str) {
    let producer: ThreadedProducer<_> = ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        .set("transactional.id", format!("{topic}-producer"))
        .create()
        .unwrap();
    producer.init_transactions(TIMEOUT).expect("init_transactions");
    producer.begin_transaction().expect("begin_transaction");
    producer.send(BaseRecord::<(), str>::to(topic).payload(value)).map_err(|(error, _)| error).expect("produce");
    producer.commit_transaction(TIMEOUT).expect("commit_transaction");
    read_back(bootstrap, topic, value);
}

/// Reads one value with a new group, and commits its offset.
pub(super) fn read_back(bootstrap: &str, topic: &str, value: &str) {
    let now = UNIX_EPOCH.elapsed().unwrap().as_nanos();
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        .set("group.id", format!("{topic}-{now}"))
        .set("auto.offset.reset", "earliest")
        .set("isolation.level", "read_committed")
        .set("enable.auto.commit", "false")
        .create()
        .unwrap();
    consumer.subscribe(&[topic]).unwrap();
    let end = Instant::now() + TIMEOUT;
    let message = loop {
        assert!(Instant::now() < end, "nothing to read in {topic} at read_committed");
        if let Some(Ok(message)) = consumer.poll(Duration::from_millis(100)) {
            break message;
        }
    };
    assert_eq!(message.payload_view::<str>(), Some(Ok(value)));
    consumer.commit_message(&message, CommitMode::Sync).expect("commit");
}
