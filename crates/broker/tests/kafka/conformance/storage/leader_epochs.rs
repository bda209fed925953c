//! OffsetForLeaderEpoch (KIP-320): where the records of a leader's time end.

use kafka_protocol::messages::{
    OffsetForLeaderEpochRequest, TopicName,
    offset_for_leader_epoch_request::{OffsetForLeaderPartition, OffsetForLeaderTopic},
    offset_for_leader_epoch_response::EpochEndOffset,
};

use super::support::{Topic, batch, describe_topic, name};
use crate::support::{broker::unique, wire::Client};

/// A consumer's question: it is no replica.
fn end_of_epoch(
    client: &mut Client,
    version: i16,
    topic: &TopicName,
    partition: i32,
    epochs: (i32, i32),
) -> EpochEndOffset {
    let partition = OffsetForLeaderPartition::default()
        .with_partition(partition)
        .with_current_leader_epoch(epochs.0)
        .with_leader_epoch(epochs.1);
    let topic = OffsetForLeaderTopic::default().with_topic(topic.clone()).with_partitions(vec![partition]);
    let request = OffsetForLeaderEpochRequest::default().with_replica_id((-1).into()).with_topics(vec![topic]);
    client.call(&request, version).topics.remove(0).partitions.remove(0)
}

#[test]
fn the_current_epoch_ends_where_the_log_ends() {
    let mut topic = Topic::new();
    topic.append(&batch(["a", "b"]));
    for version in 2..=4 {
        let found = end_of_epoch(&mut topic.client, version, &topic.name, 0, (0, 0));
        assert_eq!((found.error_code, found.leader_epoch, found.end_offset), (0, 0, 2), "version {version}");
    }
    topic.append(&batch(["c"]));
    assert_eq!(end_of_epoch(&mut topic.client, 4, &topic.name, 0, (-1, 0)).end_offset, 3);
}

#[test]
fn the_end_of_an_epoch_that_has_not_begun_is_unknown() {
    let mut topic = Topic::new();
    topic.append(&batch(["a"]));
    for version in 2..=4 {
        for epoch in [1, 5] {
            let found = end_of_epoch(&mut topic.client, version, &topic.name, 0, (-1, epoch));
            assert_eq!((found.error_code, found.leader_epoch, found.end_offset), (0, -1, -1), "version {version}");
        }
    }
}

#[test]
fn no_epoch_has_no_end() {
    let mut topic = Topic::new();
    topic.append(&batch(["a"]));
    let found = end_of_epoch(&mut topic.client, 4, &topic.name, 0, (-1, -1));
    assert_eq!((found.error_code, found.leader_epoch, found.end_offset), (0, -1, -1));
}

#[test]
fn a_current_epoch_that_is_not_the_leaders_is_refused() {
    let mut topic = Topic::new();
    for version in 2..=4 {
        let found = end_of_epoch(&mut topic.client, version, &topic.name, 0, (1, 0));
        assert_eq!((found.error_code, found.leader_epoch, found.end_offset), (75, -1, -1), "version {version}");
    }
}

#[test]
fn unknown_topics_and_partitions_have_no_epochs() {
    let mut topic = Topic::new();
    for version in 2..=4 {
        let found = end_of_epoch(&mut topic.client, version, &topic.name, 9, (-1, 0));
        assert_eq!((found.error_code, found.partition, found.end_offset), (3, 9, -1), "version {version}");
        let found = end_of_epoch(&mut topic.client, version, &name(&unique("absent")), 0, (-1, 0));
        assert_eq!((found.error_code, found.end_offset), (3, -1), "version {version}");
    }
}

#[test]
fn metadata_batches_and_list_offsets_tell_the_same_epoch() {
    let mut topic = Topic::new();
    topic.append(&batch(["a"]));
    let epoch = describe_topic(&mut topic.client, &topic.name).partitions[0].leader_epoch;
    assert_eq!(topic.batches_from(0)[0].leader_epoch, epoch);
    assert_eq!(topic.list_offset(-1).leader_epoch, epoch);
}
