//! Idempotent producers: the sequence numbers of a producer id in a partition.
//!
//! Source: KIP-98, and ProducerAppendInfo and ProducerStateEntry of Apache Kafka.

use kafka_protocol::messages::produce_request::PartitionProduceData;

use super::support::{
    LATEST, Topic, batch, creatable, create, delete_and_wait, only_partition, produce_request, produce_requests,
    producer_id, wait_until_led,
};
use crate::support::{
    batch::{Batch, Record},
    broker::connect,
};

/// A topic of one partition, and a producer id.
fn start() -> (Topic, i64) {
    let mut topic = Topic::new();
    let id = producer_id(&mut topic.client);
    (topic, id)
}

/// One record of this producer.
fn one(id: i64, epoch: i16, sequence: i32) -> Batch {
    batch([format!("{epoch}/{sequence}")]).by(id, epoch, sequence)
}

/// Error code and base offset.
fn send(topic: &mut Topic, batch: &Batch) -> (i16, i64) {
    let written = topic.produce(batch.build());
    (written.error_code, written.base_offset)
}

#[test]
fn producer_ids_are_never_given_twice() {
    let mut clients: Vec<_> = (0..3).map(|_| connect()).collect();
    let mut ids: Vec<_> = (0..30).map(|index| producer_id(&mut clients[index % 3])).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 30);
}

#[test]
fn batches_in_sequence_are_written() {
    let (mut topic, id) = start();
    for version in 3..=12 {
        let sequence = i32::from(version) - 3;
        let request = produce_request(&topic.name, 0, Some(one(id, 0, sequence).build()));
        let written = only_partition(topic.client.call(&request, version));
        assert_eq!((written.error_code, written.base_offset), (0, i64::from(sequence)), "version {version}");
    }
    let kept = topic.batches_from(0);
    assert!(kept.iter().all(|kept| kept.producer_id == id && kept.producer_epoch == 0));
    assert!(kept.iter().enumerate().all(|(index, kept)| kept.base_sequence == index as i32));
}

#[test]
fn the_sequence_counts_records_and_not_batches() {
    let (mut topic, id) = start();
    assert_eq!(send(&mut topic, &batch(["a", "b", "c"]).by(id, 0, 0)), (0, 0));
    assert_eq!(send(&mut topic, &one(id, 0, 1)), (45, -1));
    assert_eq!(send(&mut topic, &one(id, 0, 3)), (0, 3));
}

#[test]
fn a_duplicate_of_each_of_the_last_five_batches_gets_its_offset_again() {
    let (mut topic, id) = start();
    topic.append(&batch(["before"]));
    for sequence in 0..7 {
        send(&mut topic, &one(id, 0, sequence));
    }
    for version in [3, 7, 12] {
        for sequence in 2..7 {
            let request = produce_request(&topic.name, 0, Some(one(id, 0, sequence).build()));
            let again = only_partition(topic.client.call(&request, version));
            assert_eq!((again.error_code, again.base_offset), (0, i64::from(sequence) + 1), "version {version}");
        }
    }
    assert_eq!(topic.range(), (0, 8));
}

#[test]
fn the_sixth_last_batch_is_not_known_as_a_duplicate_any_more() {
    let (mut topic, id) = start();
    for sequence in 0..6 {
        send(&mut topic, &one(id, 0, sequence));
    }
    for version in [3, 7, 12] {
        let request = produce_request(&topic.name, 0, Some(one(id, 0, 0).build()));
        assert_eq!(only_partition(topic.client.call(&request, version)).error_code, 45, "version {version}");
    }
    assert_eq!(topic.range(), (0, 6));
}

#[test]
fn a_duplicate_does_not_change_what_comes_next() {
    let (mut topic, id) = start();
    for sequence in 0..3 {
        send(&mut topic, &one(id, 0, sequence));
    }
    assert_eq!(send(&mut topic, &one(id, 0, 0)), (0, 0));
    assert_eq!(send(&mut topic, &one(id, 0, 3)), (0, 3));
    assert_eq!(topic.values_from(0), ["0/0", "0/1", "0/2", "0/3"]);
}

#[test]
fn a_duplicate_is_known_by_its_sequence_numbers_and_not_by_its_content() {
    let (mut topic, id) = start();
    assert_eq!(send(&mut topic, &batch(["a", "b"]).by(id, 0, 0)), (0, 0));
    assert_eq!(send(&mut topic, &batch(["x", "y"]).by(id, 0, 0)), (0, 0));
    assert_eq!(topic.values_from(0), ["a", "b"]);
}

#[test]
fn a_batch_that_repeats_a_part_of_another_is_out_of_sequence() {
    let (mut topic, id) = start();
    assert_eq!(send(&mut topic, &batch(["a", "b", "c"]).by(id, 0, 0)), (0, 0));
    for (values, sequence) in [(2, 0), (4, 0), (2, 1), (1, 2), (2, 2)] {
        let part = batch(vec!["x"; values]).by(id, 0, sequence);
        assert_eq!(send(&mut topic, &part), (45, -1), "{values} from {sequence}");
    }
    assert_eq!(topic.range(), (0, 3));
}

#[test]
fn a_gap_is_out_of_sequence_and_can_still_be_filled() {
    let (mut topic, id) = start();
    send(&mut topic, &one(id, 0, 0));
    for version in [3, 7, 12] {
        let request = produce_request(&topic.name, 0, Some(one(id, 0, 2).build()));
        let refused = only_partition(topic.client.call(&request, version));
        assert_eq!((refused.error_code, refused.base_offset), (45, -1), "version {version}");
    }
    assert_eq!(send(&mut topic, &one(id, 0, 1)), (0, 1));
    assert_eq!(send(&mut topic, &one(id, 0, 2)), (0, 2));
}

/// The broker may have forgotten the producer: its batches were deleted, or expired.
#[test]
fn a_producer_that_the_partition_does_not_know_may_start_with_any_sequence() {
    let (mut topic, id) = start();
    assert_eq!(send(&mut topic, &one(id, 0, 4711)), (0, 0));
    assert_eq!(send(&mut topic, &one(id, 0, 4713)), (45, -1));
    assert_eq!(send(&mut topic, &one(id, 0, 4712)), (0, 1));
}

#[test]
fn a_producer_that_the_partition_does_not_know_may_start_with_any_epoch() {
    let (mut topic, id) = start();
    assert_eq!(send(&mut topic, &one(id, 7, 0)), (0, 0));
    assert_eq!(send(&mut topic, &one(id, 6, 0)), (47, -1));
    assert_eq!(send(&mut topic, &one(id, 7, 1)), (0, 1));
}

#[test]
fn a_producer_id_that_was_never_given_is_taken_all_the_same() {
    let mut topic = Topic::new();
    let never = i64::MAX - i64::from(rand::random::<u32>());
    assert_eq!(send(&mut topic, &one(never, 0, 0)), (0, 0));
    assert_eq!(send(&mut topic, &one(never, 0, 0)), (0, 0));
    assert_eq!(topic.range(), (0, 1));
}

#[test]
fn a_new_epoch_starts_at_sequence_0() {
    let (mut topic, id) = start();
    send(&mut topic, &one(id, 0, 0));
    send(&mut topic, &one(id, 0, 1));
    assert_eq!(send(&mut topic, &one(id, 1, 2)), (45, -1));
    assert_eq!(send(&mut topic, &one(id, 1, 1)), (45, -1));
    assert_eq!(send(&mut topic, &one(id, 1, 0)), (0, 2));
    assert_eq!(send(&mut topic, &one(id, 1, 1)), (0, 3));
}

#[test]
fn an_older_epoch_is_fenced() {
    let (mut topic, id) = start();
    send(&mut topic, &one(id, 0, 0));
    send(&mut topic, &one(id, 1, 0));
    for version in [3, 7, 12] {
        let request = produce_request(&topic.name, 0, Some(one(id, 0, 1).build()));
        assert_eq!(only_partition(topic.client.call(&request, version)).error_code, 47, "version {version}");
    }
    assert_eq!(topic.range(), (0, 2));
}

#[test]
fn duplicates_of_an_older_epoch_are_not_known_any_more() {
    let (mut topic, id) = start();
    send(&mut topic, &one(id, 0, 0));
    send(&mut topic, &one(id, 0, 1));
    assert_eq!(send(&mut topic, &one(id, 1, 0)), (0, 2));
    assert_eq!(send(&mut topic, &one(id, 0, 1)), (47, -1));
    assert_eq!(send(&mut topic, &one(id, 1, 0)), (0, 2));
}

#[test]
fn a_refused_batch_of_a_new_epoch_does_not_fence_the_old_one() {
    let (mut topic, id) = start();
    send(&mut topic, &one(id, 0, 0));
    assert_eq!(send(&mut topic, &one(id, 1, 5)), (45, -1));
    assert_eq!(send(&mut topic, &one(id, 0, 1)), (0, 1));
}

#[test]
fn epochs_may_be_skipped() {
    let (mut topic, id) = start();
    send(&mut topic, &one(id, 0, 0));
    assert_eq!(send(&mut topic, &one(id, 9, 0)), (0, 1));
    assert_eq!(send(&mut topic, &one(id, 8, 0)), (47, -1));
}

#[test]
fn the_sequence_goes_on_at_0_after_the_greatest_number() {
    let (mut topic, id) = start();
    assert_eq!(send(&mut topic, &one(id, 0, i32::MAX - 1)), (0, 0));
    assert_eq!(send(&mut topic, &one(id, 0, 0)), (45, -1));
    assert_eq!(send(&mut topic, &one(id, 0, i32::MAX)), (0, 1));
    assert_eq!(send(&mut topic, &one(id, 0, 1)), (45, -1));
    assert_eq!(send(&mut topic, &one(id, 0, 0)), (0, 2));
    assert_eq!(send(&mut topic, &one(id, 0, i32::MAX)), (0, 1));
}

#[test]
fn the_sequence_may_wrap_within_a_batch() {
    let (mut topic, id) = start();
    let wraps = batch(["a", "b", "c", "d"]).by(id, 0, i32::MAX - 1);
    assert_eq!(send(&mut topic, &wraps), (0, 0));
    assert_eq!(send(&mut topic, &wraps), (0, 0));
    assert_eq!(send(&mut topic, &one(id, 0, 1)), (45, -1));
    assert_eq!(send(&mut topic, &one(id, 0, 2)), (0, 4));
}

#[test]
fn each_partition_has_sequences_of_its_own() {
    let mut topic = Topic::with(2, &[]);
    let id = producer_id(&mut topic.client);
    let mut to = |partition, batch: Batch| {
        let written = topic.produce_to(partition, batch.build());
        (written.error_code, written.base_offset)
    };
    assert_eq!(to(0, one(id, 0, 0)), (0, 0));
    assert_eq!(to(0, one(id, 0, 1)), (0, 1));
    assert_eq!(to(1, one(id, 0, 0)), (0, 0));
    assert_eq!(to(1, one(id, 0, 2)), (45, -1));
    assert_eq!(to(0, one(id, 0, 2)), (0, 2));
    // Epochs are the partition's, too.
    assert_eq!(to(0, one(id, 1, 0)), (0, 3));
    assert_eq!(to(1, one(id, 0, 1)), (0, 1));
}

#[test]
fn each_producer_has_sequences_of_its_own() {
    let (mut topic, id) = start();
    let other = producer_id(&mut topic.client);
    assert_eq!(send(&mut topic, &one(id, 0, 0)), (0, 0));
    assert_eq!(send(&mut topic, &one(other, 0, 0)), (0, 1));
    assert_eq!(send(&mut topic, &one(id, 0, 1)), (0, 2));
    assert_eq!(send(&mut topic, &one(other, 0, 0)), (0, 1));
}

#[test]
fn one_request_may_hold_batches_for_several_partitions_one_of_them_out_of_sequence() {
    let mut topic = Topic::with(2, &[]);
    let id = producer_id(&mut topic.client);
    topic.produce_to(0, one(id, 0, 0).build());
    topic.produce_to(1, one(id, 0, 0).build());
    let data = |index, sequence| {
        PartitionProduceData::default().with_index(index).with_records(Some(one(id, 0, sequence).build()))
    };
    let response = topic.client.call(&produce_requests(&topic.name, vec![data(0, 2), data(1, 1)]), 9);
    let mut codes: Vec<_> =
        response.responses[0].partition_responses.iter().map(|written| (written.index, written.error_code)).collect();
    codes.sort_unstable();
    assert_eq!(codes, [(0, 45), (1, 0)]);
}

#[test]
fn batches_sent_ahead_are_taken_in_their_order() {
    let (mut topic, id) = start();
    let sent: Vec<_> = (0..5)
        .map(|sequence| {
            let request = produce_request(&topic.name, 0, Some(one(id, 0, sequence).build()));
            topic.client.send(&request, 9)
        })
        .collect();
    for (offset, sent) in sent.into_iter().enumerate() {
        let written = only_partition(topic.client.receive(sent));
        assert_eq!((written.error_code, written.base_offset), (0, offset as i64));
    }
}

#[test]
fn a_refused_batch_lets_all_that_follow_it_fail() {
    let (mut topic, id) = start();
    send(&mut topic, &one(id, 0, 0));
    let mut broken = one(id, 0, 1).build().to_vec();
    *broken.last_mut().unwrap() ^= 1;
    assert_eq!(topic.produce(broken.into()).error_code, 2);
    assert_eq!(send(&mut topic, &one(id, 0, 2)), (45, -1));
    assert_eq!(send(&mut topic, &one(id, 0, 1)), (0, 1));
    assert_eq!(send(&mut topic, &one(id, 0, 2)), (0, 2));
}

#[test]
fn a_duplicate_is_recognised_on_another_connection() {
    let (mut topic, id) = start();
    assert_eq!(send(&mut topic, &one(id, 0, 0)), (0, 0));
    assert_eq!(send(&mut topic.again(), &one(id, 0, 0)), (0, 0));
    assert_eq!(send(&mut topic.again(), &one(id, 0, 1)), (0, 1));
}

#[test]
fn a_duplicate_with_acks_0_is_neither_written_nor_an_error() {
    let (mut topic, id) = start();
    send(&mut topic, &one(id, 0, 0));
    let request = produce_request(&topic.name, 0, Some(one(id, 0, 0).build())).with_acks(0);
    let _unanswered = topic.client.send(&request, 9);
    assert_eq!(topic.list_offset(LATEST).offset, 1);
}

#[test]
fn a_producer_is_remembered_though_its_records_are_deleted() {
    let (mut topic, id) = start();
    send(&mut topic, &one(id, 0, 0));
    send(&mut topic, &one(id, 0, 1));
    assert_eq!(topic.delete_records(-1).error_code, 0);
    assert_eq!(topic.range(), (2, 2));
    assert_eq!(send(&mut topic, &one(id, 0, 1)), (0, 1));
    assert_eq!(send(&mut topic, &one(id, 0, 5)), (45, -1));
    assert_eq!(send(&mut topic, &one(id, 0, 2)), (0, 2));
}

#[test]
fn a_topic_that_is_created_again_knows_no_producer() {
    let (mut topic, id) = start();
    send(&mut topic, &one(id, 3, 0));
    delete_and_wait(&mut topic.client, &topic.name);
    super::support::eventually("the topic again", || {
        (create(&mut topic.client, creatable(&topic.name, 1)).error_code == 0).then_some(())
    });
    wait_until_led(&mut topic.client, &topic.name, 1);
    assert_eq!(send(&mut topic, &one(id, 0, 8)), (0, 0));
}

#[test]
fn the_answer_to_a_duplicate_has_the_append_time_of_the_first() {
    let mut topic = Topic::with(1, &[("message.timestamp.type", "LogAppendTime")]);
    let id = producer_id(&mut topic.client);
    let first = topic.produce(one(id, 0, 0).build());
    assert!(first.log_append_time_ms > 0);
    topic.produce(one(id, 0, 1).build());
    let again = topic.produce(one(id, 0, 0).build());
    assert_eq!((again.error_code, again.base_offset), (0, 0));
    assert_eq!(again.log_append_time_ms, first.log_append_time_ms);
}

#[test]
fn a_plain_batch_may_come_between_those_of_an_idempotent_producer() {
    let (mut topic, id) = start();
    send(&mut topic, &one(id, 0, 0));
    topic.append(&batch(["plain"]));
    assert_eq!(send(&mut topic, &one(id, 0, 1)), (0, 2));
    assert_eq!(send(&mut topic, &one(id, 0, 0)), (0, 0));
}

/// The broker remembers one timestamp for each batch, and does not ask which kind it was (UnifiedLog.append).
#[test]
fn the_answer_to_a_duplicate_has_the_greatest_timestamp_of_the_batch_as_its_append_time() {
    let (mut topic, id) = start();
    let records = [0, 20, 10]
        .map(|timestamp_delta| Record { timestamp_delta, value: Some(b"a".to_vec()), ..Record::default() })
        .to_vec();
    let batch = Batch { records, ..one(id, 0, 0) };
    assert_eq!(topic.produce(batch.build()).log_append_time_ms, -1);
    let again = topic.produce(batch.build());
    assert_eq!((again.error_code, again.log_append_time_ms), (0, batch.base_timestamp + 20));
}
