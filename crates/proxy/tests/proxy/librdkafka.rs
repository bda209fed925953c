//! A real client through the proxy: it never leaves it, and a cut costs it a retry.

use std::time::{Duration, Instant};

use proxy::{Action, ApiKey, Fault, When};
use rdkafka::{
    ClientConfig, Message,
    consumer::{BaseConsumer, CommitMode, Consumer},
    producer::{BaseProducer, BaseRecord, Producer},
};

use crate::support::{PATIENCE, frames, kafka, kafka::unique, wait};

fn config(proxy: &proxy::Proxy, name: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", proxy.client(name).unwrap().to_string()).set("linger.ms", "0");
    config
}

fn send(producer: &BaseProducer, topic: &str, values: impl IntoIterator<Item = usize>) {
    for value in values {
        producer.send(BaseRecord::<(), _>::to(topic).payload(&value.to_string())).unwrap();
    }
    producer.flush(PATIENCE).unwrap();
}

#[test]
fn a_lost_answer_is_a_duplicate_without_idempotence_and_none_with_it() {
    for (idempotent, expected) in [("false", vec!["0", "1", "1", "2"]), ("true", vec!["0", "1", "2"])] {
        let proxy = kafka::proxy();
        let topic = kafka::topic();
        proxy.arm(Fault::new("lost", When::response(ApiKey::Produce).holding("1"), Action::Cut));
        let producer: BaseProducer = config(&proxy, "program").set("enable.idempotence", idempotent).create().unwrap();
        for value in 0..3 {
            send(&producer, &topic, [value]);
        }
        wait(&proxy, "lost");
        assert_eq!(kafka::values(&topic), expected);
    }
}

#[test]
fn transactions_and_groups_work_through_the_proxy() {
    let proxy = kafka::proxy();
    let topic = kafka::topic();
    let producer: BaseProducer = config(&proxy, "producer").set("transactional.id", unique("txn")).create().unwrap();
    producer.init_transactions(PATIENCE).unwrap();
    for n in 0..3 {
        producer.begin_transaction().unwrap();
        send(&producer, &topic, [2 * n, 2 * n + 1]);
        producer.commit_transaction(PATIENCE).unwrap();
    }
    let consumer: BaseConsumer = config(&proxy, "consumer")
        .set("group.id", unique("group"))
        .set("auto.offset.reset", "earliest")
        .set("enable.auto.commit", "false")
        .create()
        .unwrap();
    consumer.subscribe(&[&topic]).unwrap();
    let deadline = Instant::now() + PATIENCE;
    let mut values = Vec::new();
    while values.len() < 6 && Instant::now() < deadline {
        // It also returns when the group rebalances.
        if let Some(message) = consumer.poll(PATIENCE) {
            values.push(String::from_utf8(message.unwrap().payload().unwrap().to_vec()).unwrap());
        }
    }
    assert_eq!(values, ["0", "1", "2", "3", "4", "5"]);
    consumer.commit_consumer_state(CommitMode::Sync).unwrap();
    let trace = proxy.trace();
    for (name, api) in [("producer", "EndTxn"), ("consumer", "OffsetCommit"), ("consumer", "Fetch")] {
        let seen = frames(&trace).into_iter().any(|(event, frame)| event.client == name && frame.api == api);
        assert!(seen, "{api} of the {name} went past the proxy");
    }
}

#[test]
fn a_broker_that_was_away_is_found_again() {
    let proxy = kafka::proxy();
    let topic = kafka::topic();
    let what = Action::Away { until: "back".into() };
    proxy.arm(Fault::new("away", When::request(ApiKey::Produce).holding("1"), what));
    let producer: BaseProducer = config(&proxy, "program").set("reconnect.backoff.max.ms", "100").create().unwrap();
    send(&producer, &topic, [0]);
    producer.send(BaseRecord::<(), _>::to(&topic).payload("1")).unwrap();
    wait(&proxy, "away");
    assert!(proxy.wait("refused", 2, PATIENCE));
    proxy.signal("back");
    producer.flush(PATIENCE).unwrap();
    assert_eq!(kafka::values(&topic), ["0", "1"]);
    producer.poll(Duration::ZERO);
}
