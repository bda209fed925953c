//! The coordinator alone.

use super::*;

fn coordinator(marker_delay: Millis) -> Transactions {
    Transactions::new(Settings { marker_delay, ..Settings::default() }, true)
}

fn partition(index: i32) -> TopicPartition {
    TopicPartition { topic: kafka_protocol::messages::TopicName("t".into()), partition: index }
}

fn begun(transactions: &mut Transactions) -> ProducerIdAndEpoch {
    let producer = transactions.init_producer("id", 1_000, None, 0).0.unwrap();
    transactions.add_partitions("id", producer, [partition(0)], 0).unwrap();
    producer
}

#[test]
fn while_markers_are_being_written_a_producer_is_told_to_come_back() {
    let mut transactions = coordinator(50);
    let producer = begun(&mut transactions);
    let (_, decision) = transactions.end("id", producer, Marker::Commit, Protocol::V1, 10).unwrap();
    assert_eq!(decision, None);
    assert_eq!(transactions.get("id").unwrap().state.name(), "PrepareCommit");

    let concurrent = ResponseError::ConcurrentTransactions;
    assert_eq!(transactions.add_partitions("id", producer, [partition(1)], 20), Err(concurrent));
    assert_eq!(transactions.verify("id", producer, &partition(0)), Err(concurrent));
    assert_eq!(transactions.init_producer("id", 1_000, None, 20), (Err(concurrent), None));
    assert_eq!(transactions.end("id", producer, Marker::Commit, Protocol::V1, 20).unwrap_err(), concurrent);
    let abort = transactions.end("id", producer, Marker::Abort, Protocol::V1, 20);
    assert_eq!(abort.unwrap_err(), ResponseError::InvalidTxnState);

    assert_eq!(transactions.tick(59), []);
    let decisions = transactions.tick(60);
    let expected = Decision { marker: Marker::Commit, producer, partitions: [partition(0)].into() };
    assert_eq!(decisions, [expected]);
    assert_eq!(transactions.get("id").unwrap().state.name(), "CompleteCommit");
    transactions.add_partitions("id", producer, [partition(1)], 60).unwrap();
}

#[test]
fn without_a_delay_the_markers_come_with_the_decision() {
    let mut transactions = coordinator(0);
    let producer = begun(&mut transactions);
    let (next, decision) = transactions.end("id", producer, Marker::Abort, Protocol::V1, 10).unwrap();
    assert_eq!(next, producer);
    assert_eq!(decision.unwrap().marker, Marker::Abort);
    assert_eq!(transactions.get("id").unwrap().state.name(), "CompleteAbort");
}

#[test]
fn the_second_protocol_gives_a_new_epoch_with_each_end_and_knows_a_repetition() {
    let mut transactions = coordinator(0);
    let first = begun(&mut transactions);
    let (second, _) = transactions.end("id", first, Marker::Commit, Protocol::V2, 10).unwrap();
    assert_eq!(second, ProducerIdAndEpoch { epoch: first.epoch + 1, ..first });
    assert_eq!(transactions.end("id", first, Marker::Commit, Protocol::V2, 11), Ok((second, None)));

    // The delayed end of the first transaction no longer decides the second (KAFKA-17754).
    transactions.add_partitions("id", second, [partition(0)], 12).unwrap();
    let late = transactions.end("id", first, Marker::Commit, Protocol::V2, 13);
    assert_eq!(late.unwrap_err(), ResponseError::ProducerFenced);
}

#[test]
fn a_transaction_past_its_timeout_is_aborted_at_the_next_scan() {
    let mut transactions = coordinator(0);
    let producer = begun(&mut transactions);
    assert_eq!(transactions.next_deadline(), Some(1_000));
    assert_eq!(transactions.tick(1_000), []);
    let decision = transactions.tick(2_000).remove(0);
    assert_eq!(decision.marker, Marker::Abort);
    assert_eq!(decision.producer.epoch, producer.epoch + 1);
    assert_eq!(transactions.next_deadline(), None);
}

#[test]
fn an_idle_id_makes_room_for_another_but_an_open_transaction_does_not() {
    let mut transactions = Transactions::new(Settings { max_ids: 1, ..Settings::default() }, true);
    begun(&mut transactions);
    let refused = transactions.init_producer("other", 1_000, None, 5).0;
    assert_eq!(refused, Err(ResponseError::CoordinatorNotAvailable));
    transactions.tick(2_000);
    assert!(transactions.init_producer("other", 1_000, None, 2_001).0.is_ok());
    assert!(transactions.get("id").is_none());
}
