//! Whole flows, through librdkafka.

use std::time::{Duration, Instant};

use rdkafka::{
    ClientConfig, Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, CommitMode, Consumer},
    error::{KafkaError, RDKafkaError, RDKafkaErrorCode},
    producer::{BaseRecord, DefaultProducerContext, Producer as _, ThreadedProducer},
};

use super::support::{
    Producer, commit_offset, committed, committed_offset, connect, describe_group, group_state, produce_plainly, topic,
    until,
};
use crate::support::broker::{bootstrap, unique};

type Threaded = ThreadedProducer<DefaultProducerContext>;

const PATIENCE: Duration = Duration::from_secs(60);

fn config() -> ClientConfig {
    // Makes the coordinators ready.
    let _ = connect();
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap());
    config
}

/// Initialised.
fn transactional(id: &str) -> Threaded {
    transactional_with(id, &[])
}

fn transactional_with(id: &str, settings: &[(&str, &str)]) -> Threaded {
    let mut config = config();
    config.set("transactional.id", id);
    for (key, value) in settings {
        config.set(*key, *value);
    }
    let producer: Threaded = config.create().unwrap();
    producer.init_transactions(PATIENCE).unwrap();
    producer
}

fn send(producer: &Threaded, topic: &str, values: &[&str]) {
    for value in values {
        producer.send(BaseRecord::<(), _>::to(topic).payload(*value).partition(0)).map_err(|(error, _)| error).unwrap();
    }
    producer.flush(PATIENCE).unwrap();
}

fn consumer(settings: &[(&str, &str)]) -> BaseConsumer {
    let mut config = config();
    config
        .set("enable.auto.commit", "false")
        .set("auto.offset.reset", "earliest")
        .set("enable.partition.eof", "true")
        .set("heartbeat.interval.ms", "100")
        .set("fetch.wait.max.ms", "50");
    for (key, value) in settings {
        config.set(*key, *value);
    }
    config.create().unwrap()
}

fn value(message: &impl Message) -> String {
    String::from_utf8(message.payload().unwrap().to_vec()).unwrap()
}

/// Polls until `done`, which is told each value; the end of a partition comes as `None`.
fn poll(consumer: &BaseConsumer, mut done: impl FnMut(Option<String>) -> bool) {
    let start = Instant::now();
    loop {
        assert!(start.elapsed() < PATIENCE, "polled in vain");
        let seen = match consumer.poll(Duration::from_millis(100)) {
            None => continue,
            Some(Ok(message)) => Some(value(&message)),
            Some(Err(KafkaError::PartitionEOF(_))) => None,
            Some(Err(error)) => panic!("{error}"),
        };
        if done(seen) {
            return;
        }
    }
}

/// All values of partition 0 up to its end at this isolation level.
fn read_all(topic: &str, isolation: &str) -> Vec<String> {
    let consumer = consumer(&[("group.id", &unique("reader")), ("isolation.level", isolation)]);
    let mut partitions = TopicPartitionList::new();
    partitions.add_partition_offset(topic, 0, Offset::Beginning).unwrap();
    consumer.assign(&partitions).unwrap();
    let mut values = Vec::new();
    poll(&consumer, |value| {
        let end = value.is_none();
        values.extend(value);
        end
    });
    values
}

/// Polls some consumers in turns until each has so many partitions.
fn until_assigned(consumers: &[(&BaseConsumer, usize)]) {
    let start = Instant::now();
    loop {
        for (consumer, _) in consumers {
            if let Some(Err(error)) = consumer.poll(Duration::from_millis(20)) {
                assert!(matches!(error, KafkaError::PartitionEOF(_)), "{error}");
            }
        }
        if consumers.iter().all(|(consumer, count)| consumer.assignment().unwrap().count() == *count) {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "waited in vain for the partitions");
    }
}

fn transaction_error(result: Result<(), KafkaError>) -> RDKafkaError {
    match result {
        Err(KafkaError::Transaction(error)) => error,
        other => panic!("{other:?}"),
    }
}

fn offsets(topic: &str, offset: i64) -> TopicPartitionList {
    let mut offsets = TopicPartitionList::new();
    offsets.add_partition_offset(topic, 0, Offset::Offset(offset)).unwrap();
    offsets
}

#[test]
fn a_consumer_at_read_committed_gets_what_was_committed() {
    let topic = topic(1);
    let producer = transactional(&unique("txn"));
    for (values, commit) in [(["0", "1"], true), (["2", "3"], false), (["4", "5"], true)] {
        producer.begin_transaction().unwrap();
        send(&producer, &topic, &values);
        if commit {
            producer.commit_transaction(PATIENCE).unwrap()
        } else {
            producer.abort_transaction(PATIENCE).unwrap()
        }
    }
    until("the last marker", || (committed(&topic, 0).len() == 4).then_some(()));
    assert_eq!(read_all(&topic, "read_committed"), ["0", "1", "4", "5"]);
    assert_eq!(read_all(&topic, "read_uncommitted"), ["0", "1", "2", "3", "4", "5"]);
}

#[test]
fn a_consumer_at_read_committed_stops_at_an_open_transaction() {
    let topic = topic(1);
    produce_plainly(&topic, 0, &["before"]);
    let producer = transactional(&unique("txn"));
    producer.begin_transaction().unwrap();
    send(&producer, &topic, &["open"]);
    produce_plainly(&topic, 0, &["behind"]);
    assert_eq!(read_all(&topic, "read_committed"), ["before"]);
    assert_eq!(read_all(&topic, "read_uncommitted"), ["before", "open", "behind"]);
    producer.commit_transaction(PATIENCE).unwrap();
    assert_eq!(committed(&topic, 0), ["before", "open", "behind"]);
    assert_eq!(read_all(&topic, "read_committed"), ["before", "open", "behind"]);
}

#[test]
fn a_second_producer_fences_the_first() {
    let topic = topic(1);
    let id = unique("txn");
    let first = transactional(&id);
    first.begin_transaction().unwrap();
    send(&first, &topic, &["by the first"]);
    let second = transactional(&id);
    let error = transaction_error(first.commit_transaction(PATIENCE));
    assert!(error.is_fatal());
    assert_eq!(error.code(), RDKafkaErrorCode::Fenced);
    second.begin_transaction().unwrap();
    send(&second, &topic, &["by the second"]);
    second.commit_transaction(PATIENCE).unwrap();
    assert_eq!(committed(&topic, 0), ["by the second"]);
}

#[test]
fn a_commit_after_the_transaction_timed_out_is_fatal() {
    let topic = topic(1);
    let id = unique("txn");
    let producer = transactional_with(&id, &[("transaction.timeout.ms", "1000"), ("message.timeout.ms", "1000")]);
    producer.begin_transaction().unwrap();
    send(&producer, &topic, &["too late"]);
    until("the abort", || (super::support::describe(&id).transaction_state.as_str() == "CompleteAbort").then_some(()));
    assert!(transaction_error(producer.commit_transaction(PATIENCE)).is_fatal());
    assert!(committed(&topic, 0).is_empty());
}

#[test]
fn offsets_are_committed_with_the_transaction() {
    let (topic, group) = (topic(1), unique("group"));
    produce_plainly(&topic, 0, &["0", "1"]);
    let consumer = consumer(&[("group.id", &group)]);
    consumer.subscribe(&[&topic]).unwrap();
    poll(&consumer, |value| value.is_none());
    let producer = transactional(&unique("txn"));
    let metadata = consumer.group_metadata().unwrap();
    producer.begin_transaction().unwrap();
    producer.send_offsets_to_transaction(&offsets(&topic, 1), &metadata, PATIENCE).unwrap();
    producer.abort_transaction(PATIENCE).unwrap();
    producer.begin_transaction().unwrap();
    producer.send_offsets_to_transaction(&offsets(&topic, 2), &metadata, PATIENCE).unwrap();
    assert_eq!(committed_offset(&group, &topic, 0), -1);
    producer.commit_transaction(PATIENCE).unwrap();
    until("the offset", || (committed_offset(&group, &topic, 0) == 2).then_some(()));
}

#[test]
fn offsets_of_a_past_generation_can_be_aborted_and_the_producer_goes_on() {
    let (topic, group) = (topic(2), unique("group"));
    let first = consumer(&[("group.id", &group)]);
    first.subscribe(&[&topic]).unwrap();
    until_assigned(&[(&first, 2)]);
    let past = first.group_metadata().unwrap();
    let second = consumer(&[("group.id", &group)]);
    second.subscribe(&[&topic]).unwrap();
    until_assigned(&[(&first, 1), (&second, 1)]);
    let producer = transactional(&unique("txn"));
    producer.begin_transaction().unwrap();
    let error = transaction_error(producer.send_offsets_to_transaction(&offsets(&topic, 5), &past, PATIENCE));
    assert_eq!(error.code(), RDKafkaErrorCode::IllegalGeneration);
    assert!(error.txn_requires_abort() && !error.is_fatal());
    producer.abort_transaction(PATIENCE).unwrap();
    producer.begin_transaction().unwrap();
    let metadata = first.group_metadata().unwrap();
    producer.send_offsets_to_transaction(&offsets(&topic, 6), &metadata, PATIENCE).unwrap();
    producer.commit_transaction(PATIENCE).unwrap();
    until("the offset", || (committed_offset(&group, &topic, 0) == 6).then_some(()));
}

#[test]
fn offsets_of_a_consumer_that_has_left_can_be_aborted() {
    let (topic, group) = (topic(1), unique("group"));
    let consumer = consumer(&[("group.id", &group)]);
    consumer.subscribe(&[&topic]).unwrap();
    until_assigned(&[(&consumer, 1)]);
    let metadata = consumer.group_metadata().unwrap();
    drop(consumer);
    until("its leaving", || (group_state(&group) == "Empty").then_some(()));
    let producer = transactional(&unique("txn"));
    producer.begin_transaction().unwrap();
    let error = transaction_error(producer.send_offsets_to_transaction(&offsets(&topic, 5), &metadata, PATIENCE));
    assert_eq!(error.code(), RDKafkaErrorCode::UnknownMemberId);
    assert!(error.txn_requires_abort());
    producer.abort_transaction(PATIENCE).unwrap();
}

#[test]
fn a_consumer_waits_for_a_pending_offset() {
    let (topic, group) = (topic(1), unique("group"));
    produce_plainly(&topic, 0, &["0", "1", "2"]);
    commit_offset(&group, &topic, 0, 0);
    let mut producer = Producer::new();
    producer.send_offset(&group, &topic, 0, 2);
    let consumer = consumer(&[("group.id", &group)]);
    consumer.subscribe(&[&topic]).unwrap();
    until_assigned(&[(&consumer, 1)]);
    assert_eq!(consumer.poll(Duration::from_millis(300)).map(|polled| polled.is_ok()), None);
    producer.commit();
    let mut values = Vec::new();
    poll(&consumer, |value| {
        values.extend(value);
        values.len() == 1
    });
    assert_eq!(values, ["2"]);
}

#[test]
fn a_consumer_goes_on_where_its_group_committed() {
    let (topic, group) = (topic(1), unique("group"));
    produce_plainly(&topic, 0, &["0", "1", "2"]);
    let first = consumer(&[("group.id", &group)]);
    first.subscribe(&[&topic]).unwrap();
    poll(&first, |value| value.as_deref() == Some("0"));
    first.commit(&offsets(&topic, 1), CommitMode::Sync).unwrap();
    drop(first);
    let second = consumer(&[("group.id", &group)]);
    second.subscribe(&[&topic]).unwrap();
    let mut values = Vec::new();
    poll(&second, |value| {
        let end = value.is_none();
        values.extend(value);
        end
    });
    assert_eq!(values, ["1", "2"]);
}

#[test]
fn two_consumers_share_the_partitions_and_one_takes_them_all_over() {
    let (topic, group) = (topic(4), unique("group"));
    let first = consumer(&[("group.id", &group)]);
    first.subscribe(&[&topic]).unwrap();
    until_assigned(&[(&first, 4)]);
    let second = consumer(&[("group.id", &group)]);
    second.subscribe(&[&topic]).unwrap();
    until_assigned(&[(&first, 2), (&second, 2)]);
    assert_eq!(describe_group(&group).members.len(), 2);
    drop(first);
    until_assigned(&[(&second, 4)]);
}

#[test]
fn cooperative_consumers_share_the_partitions() {
    let (topic, group) = (topic(4), unique("group"));
    let settings = [("group.id", group.as_str()), ("partition.assignment.strategy", "cooperative-sticky")];
    let first = consumer(&settings);
    first.subscribe(&[&topic]).unwrap();
    until_assigned(&[(&first, 4)]);
    let second = consumer(&settings);
    second.subscribe(&[&topic]).unwrap();
    until_assigned(&[(&first, 2), (&second, 2)]);
    assert_eq!(describe_group(&group).protocol_data.as_str(), "cooperative-sticky");
    drop(second);
    until_assigned(&[(&first, 4)]);
}

#[test]
fn a_static_consumer_that_comes_back_has_its_partitions_without_rebalance() {
    let (topic, group) = (topic(2), unique("group"));
    let settings = |instance| [("group.id", group.as_str()), ("group.instance.id", instance)];
    let first = consumer(&settings("one"));
    first.subscribe(&[&topic]).unwrap();
    let second = consumer(&settings("two"));
    second.subscribe(&[&topic]).unwrap();
    until_assigned(&[(&first, 1), (&second, 1)]);
    drop(second);
    // It closes without leaving.
    assert_eq!((group_state(&group).as_str(), describe_group(&group).members.len()), ("Stable", 2));
    let again = consumer(&settings("two"));
    again.subscribe(&[&topic]).unwrap();
    until_assigned(&[(&again, 1)]);
    assert_eq!((group_state(&group).as_str(), describe_group(&group).members.len()), ("Stable", 2));
    assert_eq!(first.assignment().unwrap().count(), 1);
}

#[test]
fn a_second_consumer_of_an_instance_fences_the_first() {
    let (topic, group) = (topic(1), unique("group"));
    let settings = [("group.id", group.as_str()), ("group.instance.id", "one")];
    let first = consumer(&settings);
    first.subscribe(&[&topic]).unwrap();
    until_assigned(&[(&first, 1)]);
    let second = consumer(&settings);
    second.subscribe(&[&topic]).unwrap();
    until_assigned(&[(&second, 1)]);
    until("the fencing", || {
        let error = first.poll(Duration::from_millis(20))?.err()?;
        matches!(error, KafkaError::MessageConsumptionFatal(RDKafkaErrorCode::FencedInstanceId)).then_some(())
    });
}
