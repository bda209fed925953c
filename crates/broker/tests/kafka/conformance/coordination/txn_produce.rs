//! Produce within transactions.

use kafka_protocol::messages::{
    ProduceRequest,
    produce_request::{PartitionProduceData, TopicProduceData},
};

use super::support::{
    Producer, READ_COMMITTED, READ_UNCOMMITTED, batch_of, code, committed, connect, end_offset, init, init_request,
    read, topic, topic_name, try_produce,
};
use crate::support::wire::text;

#[test]
fn a_partition_that_was_not_added_is_refused() {
    // TRANSACTION_ABORTABLE came with KIP-890, for clients that know it.
    for (version, expected) in
        [(3, code::INVALID_TXN_STATE), (9, code::INVALID_TXN_STATE), (11, code::TRANSACTION_ABORTABLE)]
    {
        let topic = topic(2);
        let mut producer = Producer::new();
        producer.add(&topic, 0);
        assert_eq!(producer.try_produce(&topic, 1, &["stray"], version).0, expected, "v{version}");
        assert_eq!(end_offset(&topic, 1), 0, "v{version}");
    }
}

#[test]
fn nothing_can_be_produced_before_the_transaction_begins() {
    let topic = topic(1);
    let mut producer = Producer::new();
    assert_eq!(producer.try_produce(&topic, 0, &["early"], 9).0, code::INVALID_TXN_STATE);
}

#[test]
fn nothing_can_be_produced_after_the_transaction_has_ended() {
    let topic = topic(1);
    let mut producer = Producer::new();
    producer.send(&topic, 0, &["in time"]);
    producer.commit();
    assert_eq!(producer.try_produce(&topic, 0, &["late"], 9).0, code::INVALID_TXN_STATE);
    assert_eq!(committed(&topic, 0), ["in time"]);
}

#[test]
fn an_older_epoch_cannot_produce() {
    let topic = topic(1);
    let mut old = Producer::new();
    let mut new = Producer::named(&old.transactional_id, 60_000);
    new.send(&topic, 0, &["new"]);
    for version in [3, 9, 11] {
        assert_eq!(old.try_produce(&topic, 0, &["old"], version).0, code::INVALID_PRODUCER_EPOCH, "v{version}");
    }
    new.commit();
    assert_eq!(committed(&topic, 0), ["new"]);
}

#[test]
fn a_producer_whose_transaction_was_aborted_by_a_successor_cannot_produce() {
    let topic = topic(1);
    let mut old = Producer::new();
    old.send(&topic, 0, &["first"]);
    let _new = Producer::named(&old.transactional_id, 60_000);
    assert_eq!(old.try_produce(&topic, 0, &["second"], 9).0, code::INVALID_PRODUCER_EPOCH);
}

#[test]
fn a_batch_without_the_transactional_flag_is_refused_within_a_transaction() {
    let topic = topic(1);
    let mut producer = Producer::new();
    producer.send(&topic, 0, &["first"]);
    let batch = batch_of(&["not transactional"]).by(producer.id, producer.epoch, 1);
    let (error, _) = try_produce(&mut producer.client, None, &topic, 0, &batch, 9);
    assert_eq!(error, code::INVALID_TXN_STATE);
    producer.commit();
    assert_eq!(committed(&topic, 0), ["first"]);
}

#[test]
fn sequence_numbers_go_on_from_one_transaction_to_the_next() {
    let topic = topic(1);
    let mut producer = Producer::new();
    producer.send(&topic, 0, &["0", "1"]);
    producer.commit();
    producer.add(&topic, 0);
    let gap = batch_of(&["gap"]).by(producer.id, producer.epoch, 3).transactional();
    let id = producer.transactional_id.clone();
    assert_eq!(try_produce(&mut producer.client, Some(&id), &topic, 0, &gap, 9).0, code::OUT_OF_ORDER_SEQUENCE_NUMBER);
    producer.produce(&topic, 0, &["2"]);
    producer.abort();
    producer.send(&topic, 0, &["3"]);
    producer.commit();
    assert_eq!(committed(&topic, 0), ["0", "1", "3"]);
}

#[test]
fn a_new_epoch_begins_at_sequence_0() {
    let topic = topic(1);
    let mut old = Producer::new();
    old.send(&topic, 0, &["0", "1", "2"]);
    old.commit();
    let mut new = Producer::named(&old.transactional_id, 60_000);
    new.add(&topic, 0);
    let id = new.transactional_id.clone();
    let going_on = batch_of(&["3"]).by(new.id, new.epoch, 3).transactional();
    assert_eq!(try_produce(&mut new.client, Some(&id), &topic, 0, &going_on, 9).0, code::OUT_OF_ORDER_SEQUENCE_NUMBER);
    new.produce(&topic, 0, &["from 0"]);
    new.commit();
    assert_eq!(committed(&topic, 0), ["0", "1", "2", "from 0"]);
}

#[test]
fn a_batch_sent_again_in_the_same_transaction_is_stored_once() {
    let topic = topic(1);
    let mut producer = Producer::new();
    producer.add(&topic, 0);
    let batch = producer.batch(&topic, 0, &["once"]);
    let id = producer.transactional_id.clone();
    let first = try_produce(&mut producer.client, Some(&id), &topic, 0, &batch, 9);
    let second = try_produce(&mut producer.client, Some(&id), &topic, 0, &batch, 9);
    assert_eq!((first, second), ((code::NONE, 0), (code::NONE, 0)));
    producer.commit();
    assert_eq!(committed(&topic, 0), ["once"]);
}

#[test]
fn a_transaction_over_two_partitions_is_decided_in_both() {
    let topic = topic(2);
    let mut producer = Producer::new();
    producer.send(&topic, 0, &["a"]);
    producer.send(&topic, 1, &["b"]);
    for partition in [0, 1] {
        let read = read(&topic, partition, READ_COMMITTED);
        assert_eq!((read.last_stable_offset, read.high_watermark), (0, 1));
        assert!(read.batches.is_empty());
    }
    producer.commit();
    assert_eq!((committed(&topic, 0), committed(&topic, 1)), (vec!["a".to_owned()], vec!["b".to_owned()]));
}

#[test]
fn batches_of_a_transaction_keep_flag_producer_and_sequence() {
    let topic = topic(1);
    let mut producer = Producer::new();
    producer.send(&topic, 0, &["0", "1"]);
    producer.produce(&topic, 0, &["2"]);
    let read = read(&topic, 0, READ_UNCOMMITTED);
    let of: Vec<_> = read
        .batches
        .iter()
        .map(|batch| {
            (batch.attributes, batch.producer_id, batch.producer_epoch, batch.base_sequence, batch.base_offset)
        })
        .collect();
    assert_eq!(of, [(0x10, producer.id, producer.epoch, 0, 0), (0x10, producer.id, producer.epoch, 2, 2)]);
}

#[test]
fn an_idempotent_producer_stands_beside_a_transaction() {
    let topic = topic(1);
    let mut client = connect();
    let idempotent = init(&mut client, &init_request(None, 0), 1).producer_id.0;
    let mut producer = Producer::new();
    producer.send(&topic, 0, &["in transaction"]);
    let batch = batch_of(&["without"]).by(idempotent, 0, 0);
    assert_eq!(try_produce(&mut client, None, &topic, 0, &batch, 9), (code::NONE, 1));
    producer.abort();
    assert_eq!(committed(&topic, 0), ["without"]);
}

#[test]
fn a_transactional_batch_needs_a_transactional_id_in_its_request() {
    let topic = topic(1);
    let mut producer = Producer::new();
    producer.add(&topic, 0);
    let batch = producer.batch(&topic, 0, &["nameless"]);
    for version in [3, 9, 11] {
        let (error, _) = try_produce(&mut producer.client, None, &topic, 0, &batch, version);
        assert_eq!(error, code::TRANSACTIONAL_ID_AUTHORIZATION_FAILED, "v{version}");
    }
}

#[test]
fn a_fenced_producer_cannot_produce_even_where_its_successor_has_not_been() {
    let topic = topic(1);
    let mut old = Producer::new();
    let _new = Producer::named(&old.transactional_id, 60_000);
    for version in [3, 9, 11] {
        assert_eq!(old.try_produce(&topic, 0, &["old"], version).0, code::INVALID_PRODUCER_EPOCH, "v{version}");
    }
}

#[test]
fn an_epoch_from_the_future_cannot_produce() {
    let topic = topic(1);
    let mut producer = Producer::new();
    producer.add(&topic, 0);
    let (error, _) = producer.at_epoch(producer.epoch + 1).try_produce(&topic, 0, &["early"], 9);
    assert_eq!(error, code::INVALID_PRODUCER_EPOCH);
}

#[test]
fn a_producer_id_that_is_not_that_of_the_transactional_id_cannot_produce() {
    let topic = topic(1);
    let mut producer = Producer::new();
    producer.add(&topic, 0);
    producer.id += 1_000_000;
    assert_eq!(producer.try_produce(&topic, 0, &["alien"], 9).0, code::INVALID_PRODUCER_ID_MAPPING);
}

#[test]
fn a_batch_of_the_last_transaction_sent_again_in_the_next_is_not_stored_again() {
    let topic = topic(1);
    let mut producer = Producer::new();
    producer.add(&topic, 0);
    let batch = producer.batch(&topic, 0, &["once"]);
    producer.produce(&topic, 0, &["once"]);
    producer.commit();
    producer.add(&topic, 0);
    let id = producer.transactional_id.clone();
    assert_eq!(try_produce(&mut producer.client, Some(&id), &topic, 0, &batch, 9), (code::NONE, 0));
    producer.commit();
    assert_eq!(committed(&topic, 0), ["once"]);
}

#[test]
fn each_partition_of_a_request_is_checked_for_itself() {
    let topic = topic(2);
    let mut producer = Producer::new();
    producer.add(&topic, 1);
    let partitions = [0, 1].map(|index| {
        let batch = producer.batch(&topic, index, &["value"]);
        PartitionProduceData::default().with_index(index).with_records(Some(batch.build()))
    });
    let data = TopicProduceData::default().with_name(topic_name(&topic)).with_partition_data(partitions.to_vec());
    let request = ProduceRequest::default()
        .with_transactional_id(Some(text(&producer.transactional_id).into()))
        .with_acks(-1)
        .with_timeout_ms(30_000)
        .with_topic_data(vec![data]);
    let response = producer.client.call(&request, 9);
    let mut answers: Vec<_> = response.responses[0]
        .partition_responses
        .iter()
        .map(|partition| (partition.index, partition.error_code, partition.base_offset))
        .collect();
    answers.sort();
    assert_eq!(answers, [(0, code::INVALID_TXN_STATE, -1), (1, code::NONE, 0)]);
}
