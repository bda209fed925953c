//! The reader of topics: to the end, at both isolation levels.

use std::time::Duration;

use lab::reader::Reader;
use lab::value::Value;
use rand::RngExt;
use rdkafka::producer::{BaseRecord, Producer, ThreadedProducer};

use super::kafka;
use crate::support::kafka::{config, topic, unique};
use crate::support::program::PATIENCE;
use crate::support::seeded;

/// A producer whose transactions the test ends as it likes.
fn transactional(id: &str) -> ThreadedProducer<rdkafka::producer::DefaultProducerContext> {
    let producer: ThreadedProducer<_> =
        config().set("transactional.id", id).set("retry.backoff.ms", "5").create().unwrap();
    producer.init_transactions(PATIENCE).unwrap();
    producer
}

fn write(
    producer: &ThreadedProducer<rdkafka::producer::DefaultProducerContext>,
    topic: &str,
    partition: i32,
    value: &str,
) {
    producer
        .send(BaseRecord::<(), str>::to(topic).partition(partition).payload(value))
        .map_err(|(error, _)| error)
        .unwrap();
}

#[test]
fn the_reader_sees_each_record_once_and_tells_committed_from_aborted() {
    let mut random = seeded("the_reader_sees_each_record_once_and_tells_committed_from_aborted");
    let topic = topic("reader", 2);
    let producer = transactional(&unique("writer"));
    let (mut committed, mut all) = (vec![Vec::new(), Vec::new()], vec![Vec::new(), Vec::new()]);
    for transaction in 0..30 {
        let commits: bool = random.random();
        producer.begin_transaction().unwrap();
        for i in 0..random.random_range(1..5) {
            let partition = random.random_range(0..2);
            let value = format!("{transaction}.{i}");
            write(&producer, &topic, i32::try_from(partition).unwrap(), &value);
            all[partition].push(Value::from(value.as_str()));
            if commits {
                committed[partition].push(Value::from(value.as_str()));
            }
        }
        producer.flush(PATIENCE).unwrap();
        if commits {
            producer.commit_transaction(PATIENCE).unwrap();
        } else {
            producer.abort_transaction(PATIENCE).unwrap();
        }
    }
    // At once, while the last markers may still be on their way.
    let contents = Reader::new(&kafka(), &unique("group")).unwrap().read(&topic, 2).unwrap();
    let values =
        |records: &[lab::reader::Record]| -> Vec<_> { records.iter().map(|record| record.value.clone()).collect() };
    assert_eq!(values(&contents.visible), committed.concat());
    assert_eq!(values(&contents.all), all.concat());
    assert_eq!(contents.aborted().count(), all.concat().len() - committed.concat().len());
}

#[test]
fn the_reader_waits_for_a_transaction_that_is_about_to_end() {
    let topic = topic("open", 1);
    let producer = transactional(&unique("slow"));
    producer.begin_transaction().unwrap();
    write(&producer, &topic, 0, "late");
    producer.flush(PATIENCE).unwrap();
    let contents = std::thread::scope(|scope| {
        let reading = scope.spawn(|| Reader::new(&kafka(), &unique("group")).unwrap().read(&topic, 1).unwrap());
        std::thread::sleep(Duration::from_secs(1));
        assert!(!reading.is_finished(), "the transaction is open: the end is not known");
        producer.commit_transaction(PATIENCE).unwrap();
        reading.join().unwrap()
    });
    assert_eq!(contents.visible.len(), 1);
}
