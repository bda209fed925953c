//! librdkafka on this broker: what its users rely on.

use std::{
    future::Future,
    pin::pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::Duration,
};

use rdkafka::{
    ClientConfig, Message, Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions, NewPartitions, NewTopic, ResourceSpecifier, TopicReplication},
    client::{ClientContext, DefaultClientContext},
    consumer::{BaseConsumer, Consumer},
    error::{KafkaError, RDKafkaErrorCode},
    producer::{BaseProducer, BaseRecord, DeliveryResult, Producer, ProducerContext},
};

use super::support::{Topic, batch, describe_topic, eventually, exists, name, now, unused_name, wait_until_led};
use crate::support::{
    batch::Batch,
    broker::{bootstrap, connect, unique},
};

const PATIENCE: Duration = Duration::from_secs(60);

fn config(settings: &[(&str, &str)]) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap());
    for (name, value) in settings {
        config.set(*name, *value);
    }
    config
}

/// A consumer of no group, at an offset of partition 0.
fn consumer_at(topic: &str, offset: Offset, settings: &[(&str, &str)]) -> BaseConsumer {
    let consumer: BaseConsumer = config(settings).set("group.id", unique("group")).create().unwrap();
    let mut assignment = TopicPartitionList::new();
    assignment.add_partition_offset(topic, 0, offset).unwrap();
    consumer.assign(&assignment).unwrap();
    consumer
}

/// Runs a future to its end on this thread.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

#[test]
fn a_client_reads_back_what_it_compressed() {
    let topic = Topic::new();
    let codecs = ["snappy", "lz4", "none"];
    for codec in codecs {
        let producer: BaseProducer = config(&[("compression.type", codec), ("linger.ms", "50")]).create().unwrap();
        for index in 0..100 {
            let (key, value) = (format!("{index}"), codec.repeat(50));
            producer.send(BaseRecord::to(&topic.name).partition(0).key(&key).payload(&value)).unwrap();
        }
        producer.flush(PATIENCE).unwrap();
    }
    let consumer = consumer_at(&topic.name, Offset::Beginning, &[("check.crcs", "true")]);
    for (offset, codec) in codecs.iter().flat_map(|codec| [*codec; 100]).enumerate() {
        let message = consumer.poll(PATIENCE).expect("a message").unwrap();
        assert_eq!(message.offset(), offset as i64);
        assert_eq!(message.payload(), Some(codec.repeat(50).as_bytes()));
        assert_eq!(message.key(), Some((offset % 100).to_string().as_bytes()));
    }
}

#[test]
fn an_idempotent_client_writes_each_message_once_and_in_order() {
    let mut topic = Topic::new();
    let producer: BaseProducer = config(&[
        ("enable.idempotence", "true"),
        // Many small batches, five of them on their way.
        ("linger.ms", "0"),
        ("batch.num.messages", "7"),
    ])
    .create()
    .unwrap();
    for index in 0..1000 {
        producer.send(BaseRecord::<str, _>::to(&topic.name).partition(0).payload(&index.to_string())).unwrap();
    }
    producer.flush(PATIENCE).unwrap();
    let expected: Vec<_> = (0..1000).map(|index| index.to_string()).collect();
    assert_eq!(topic.values_from(0), expected);
}

#[test]
fn a_client_creates_the_topic_that_it_writes_to() {
    let absent = unused_name();
    let producer: BaseProducer = config(&[]).create().unwrap();
    producer.send(BaseRecord::<str, str>::to(&absent).payload("a")).unwrap();
    producer.flush(PATIENCE).unwrap();
    assert!(exists(&mut connect(), &absent));
    let consumer = consumer_at(&absent, Offset::Beginning, &[]);
    assert_eq!(consumer.poll(PATIENCE).expect("a message").unwrap().payload(), Some(&b"a"[..]));
}

#[test]
fn a_client_learns_the_ends_of_a_log_and_offsets_by_time() {
    let mut topic = Topic::new();
    let start = now();
    for later in [0, 1000, 2000] {
        topic.append(&Batch { base_timestamp: start + later, ..batch(["a"]) });
    }
    topic.delete_records(1);
    let consumer: BaseConsumer = config(&[("group.id", "any")]).create().unwrap();
    assert_eq!(consumer.fetch_watermarks(&topic.name, 0, PATIENCE).unwrap(), (1, 3));
    for (timestamp, offset) in [(0, Offset::Offset(1)), (start + 1001, Offset::Offset(2)), (start + 2001, Offset::End)]
    {
        let mut asked = TopicPartitionList::new();
        asked.add_partition_offset(&topic.name, 0, Offset::Offset(timestamp)).unwrap();
        let found = consumer.offsets_for_times(asked, PATIENCE).unwrap();
        assert_eq!(found.elements()[0].offset(), offset);
    }
}

#[test]
fn a_client_behind_the_start_of_the_log_goes_on_at_the_start() {
    let mut topic = Topic::new();
    for value in ["a", "b", "c"] {
        topic.append(&batch([value]));
    }
    topic.delete_records(2);
    let consumer = consumer_at(&topic.name, Offset::Offset(0), &[("auto.offset.reset", "earliest")]);
    let message = consumer.poll(PATIENCE).expect("a message").unwrap();
    assert_eq!((message.offset(), message.payload()), (2, Some(&b"c"[..])));
}

/// Keeps what became of each message: nothing, or an error.
#[derive(Clone, Default)]
struct Reports(Arc<Mutex<Vec<Option<RDKafkaErrorCode>>>>);

impl ClientContext for Reports {}

impl ProducerContext for Reports {
    type DeliveryOpaque = ();

    fn delivery(&self, delivered: &DeliveryResult<'_>, (): ()) {
        let error = delivered.as_ref().err().and_then(|(error, _)| error.rdkafka_error_code());
        self.0.lock().unwrap().push(error);
    }
}

#[test]
fn a_client_is_told_that_its_message_is_too_large_and_goes_on() {
    let mut topic = Topic::with(1, &[("max.message.bytes", "1000")]);
    let reports = Reports::default();
    let producer: BaseProducer<Reports> = config(&[]).create_with_context(reports.clone()).unwrap();
    for size in [2000, 100] {
        let value = vec![0; size];
        producer.send(BaseRecord::<str, [u8]>::to(&topic.name).partition(0).payload(&value)).unwrap();
        producer.flush(PATIENCE).unwrap();
    }
    assert_eq!(*reports.0.lock().unwrap(), [Some(RDKafkaErrorCode::MessageSizeTooLarge), None]);
    assert_eq!(topic.range(), (0, 1));
}

#[test]
fn a_client_administers_topics() {
    let admin: AdminClient<DefaultClientContext> = config(&[]).create().unwrap();
    let options = AdminOptions::new().operation_timeout(Some(PATIENCE)).request_timeout(Some(PATIENCE));
    let topic = unused_name();
    let new = NewTopic::new(&topic, 2, TopicReplication::Fixed(1)).set("max.message.bytes", "4711");
    let created = block_on(admin.create_topics([&new], &options)).unwrap();
    assert_eq!(created, [Ok(topic.to_string())]);
    wait_until_led(&mut connect(), &topic, 2);
    let again = block_on(admin.create_topics([&new], &options)).unwrap();
    assert_eq!(again, [Err((topic.to_string(), RDKafkaErrorCode::TopicAlreadyExists))]);

    let grown = block_on(admin.create_partitions([&NewPartitions::new(&topic, 3)], &options)).unwrap();
    assert_eq!(grown, [Ok(topic.to_string())]);
    wait_until_led(&mut connect(), &topic, 3);

    let described = block_on(admin.describe_configs([&ResourceSpecifier::Topic(&topic)], &options)).unwrap();
    let limit = described[0].as_ref().unwrap().get("max.message.bytes").unwrap();
    assert_eq!((limit.value.as_deref(), limit.is_default), (Some("4711"), false));

    let deleted = block_on(admin.delete_topics(&[&topic], &options)).unwrap();
    assert_eq!(deleted, [Ok(topic.to_string())]);
    eventually("the end of the topic", || (!exists(&mut connect(), &topic)).then_some(()));
}

#[test]
fn a_client_that_reads_a_topic_that_is_not_there_is_told_so() {
    let absent = unused_name();
    let settings = [("allow.auto.create.topics", "false"), ("topic.metadata.propagation.max.ms", "0")];
    let consumer = consumer_at(&absent, Offset::Beginning, &settings);
    let error = consumer.poll(PATIENCE).expect("an error").unwrap_err();
    assert!(
        matches!(
            error,
            KafkaError::MessageConsumption(
                RDKafkaErrorCode::UnknownTopicOrPartition
                    | RDKafkaErrorCode::UnknownPartition
                    | RDKafkaErrorCode::UnknownTopic
            )
        ),
        "{error:?}"
    );
    assert_eq!(describe_topic(&mut connect(), &name(&absent)).error_code, 3);
}
