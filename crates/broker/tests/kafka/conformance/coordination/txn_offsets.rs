//! AddOffsetsToTxn and TxnOffsetCommit.

use kafka_protocol::messages::{DeleteGroupsRequest, OffsetDeleteRequest, OffsetFetchRequest};
use kafka_protocol::messages::{
    offset_delete_request::{OffsetDeleteRequestPartition, OffsetDeleteRequestTopic},
    offset_fetch_request::OffsetFetchRequestTopic,
};

use super::support::{
    Member, Producer, code, commit_offset, committed_offset, connect, describe, fetch_offset, group_id, group_state,
    join_request, topic, topic_name,
};
use crate::support::{broker::unique, wire::text};

#[test]
fn offsets_of_a_transaction_are_pending_until_its_commit() {
    for version in 0..=4 {
        let (topic, group) = (topic(1), unique("group"));
        let mut producer = Producer::new();
        assert_eq!(producer.try_add_offsets(&group, version.min(3)), code::NONE, "v{version}");
        let request = producer.offsets_request(&group, &topic, 0, 5);
        assert_eq!(producer.try_offsets(&request, version), code::NONE, "v{version}");
        assert_eq!(committed_offset(&group, &topic, 0), -1, "v{version}");
        producer.commit();
        assert_eq!(committed_offset(&group, &topic, 0), 5, "v{version}");
    }
}

#[test]
fn offsets_of_a_transaction_are_dropped_on_its_abort() {
    let (topic, group) = (topic(1), unique("group"));
    commit_offset(&group, &topic, 0, 3);
    let mut producer = Producer::new();
    producer.send_offset(&group, &topic, 0, 5);
    producer.abort();
    assert_eq!(fetch_offset(&group, &topic, 0, true), (code::NONE, 3));
}

#[test]
fn a_fetch_of_stable_offsets_is_told_that_one_is_pending() {
    let (topic, group) = (topic(2), unique("group"));
    commit_offset(&group, &topic, 0, 3);
    commit_offset(&group, &topic, 1, 4);
    let mut producer = Producer::new();
    producer.send_offset(&group, &topic, 0, 5);
    assert_eq!(fetch_offset(&group, &topic, 0, true), (code::UNSTABLE_OFFSET_COMMIT, -1));
    // Another partition's is stable.
    assert_eq!(fetch_offset(&group, &topic, 1, true), (code::NONE, 4));
    // Who does not ask for stable ones gets the last one that was.
    assert_eq!(fetch_offset(&group, &topic, 0, false), (code::NONE, 3));
    producer.commit();
    assert_eq!(fetch_offset(&group, &topic, 0, true), (code::NONE, 5));
}

#[test]
fn the_first_offset_of_a_partition_can_be_pending_too() {
    let (topic, group) = (topic(1), unique("group"));
    let mut producer = Producer::new();
    producer.send_offset(&group, &topic, 0, 5);
    assert_eq!(fetch_offset(&group, &topic, 0, true), (code::UNSTABLE_OFFSET_COMMIT, -1));
    assert_eq!(fetch_offset(&group, &topic, 0, false), (code::NONE, -1));
    producer.abort();
    assert_eq!(fetch_offset(&group, &topic, 0, true), (code::NONE, -1));
}

#[test]
fn stable_offsets_can_be_asked_for_since_version_7() {
    let (topic, group) = (topic(1), unique("group"));
    commit_offset(&group, &topic, 0, 3);
    let mut producer = Producer::new();
    producer.send_offset(&group, &topic, 0, 5);
    let asked = OffsetFetchRequestTopic::default().with_name(topic_name(&topic)).with_partition_indexes(vec![0]);
    let request = OffsetFetchRequest::default().with_group_id(group_id(&group)).with_topics(Some(vec![asked]));
    for version in [1, 5, 6] {
        let response = connect().call(&request, version);
        assert_eq!(response.error_code, code::NONE, "v{version}");
        let partition = &response.topics[0].partitions[0];
        assert_eq!((partition.error_code, partition.committed_offset), (code::NONE, 3), "v{version}");
    }
    let response = connect().call(&request.with_require_stable(true), 7);
    assert_eq!(response.error_code, code::NONE);
    let partition = &response.topics[0].partitions[0];
    assert_eq!((partition.error_code, partition.committed_offset), (code::UNSTABLE_OFFSET_COMMIT, -1));
}

#[test]
fn adding_the_group_alone_makes_nothing_pending() {
    let (topic, group) = (topic(1), unique("group"));
    let mut producer = Producer::new();
    assert_eq!(producer.try_add_offsets(&group, 0), code::NONE);
    assert_eq!(fetch_offset(&group, &topic, 0, true), (code::NONE, -1));
    assert_eq!(describe(&producer.transactional_id).transaction_state.to_string(), "Ongoing");
    producer.commit();
}

#[test]
fn the_transaction_holds_the_partition_of_the_offsets_topic() {
    let group = unique("group");
    let mut producer = Producer::new();
    assert_eq!(producer.try_add_offsets(&group, 3), code::NONE);
    let state = describe(&producer.transactional_id);
    assert_eq!(state.topics.len(), 1);
    assert_eq!(state.topics[0].topic.to_string(), "__consumer_offsets");
    assert_eq!(state.topics[0].partitions.len(), 1);
}

#[test]
fn a_group_may_be_added_twice() {
    let group = unique("group");
    let mut producer = Producer::new();
    for version in 0..=3 {
        assert_eq!(producer.try_add_offsets(&group, version), code::NONE, "v{version}");
    }
}

#[test]
fn a_fenced_producer_can_add_no_group() {
    let mut old = Producer::new();
    let _new = Producer::named(&old.transactional_id, 60_000);
    let expected = [
        (0, code::INVALID_PRODUCER_EPOCH),
        (1, code::INVALID_PRODUCER_EPOCH),
        (2, code::PRODUCER_FENCED),
        (3, code::PRODUCER_FENCED),
    ];
    for (version, expected) in expected {
        assert_eq!(old.try_add_offsets(&unique("group"), version), expected, "v{version}");
    }
}

#[test]
fn a_group_cannot_be_added_for_another_producer_or_transactional_id() {
    for version in [0, 1, 3] {
        let mut producer = Producer::new();
        producer.id += 1_000_000;
        assert_eq!(producer.try_add_offsets("group", version), code::INVALID_PRODUCER_ID_MAPPING, "v{version}");
        let mut producer = Producer::new();
        producer.transactional_id = unique("unknown");
        assert_eq!(producer.try_add_offsets("group", version), code::INVALID_PRODUCER_ID_MAPPING, "v{version}");
        producer.transactional_id = String::new();
        assert_eq!(producer.try_add_offsets("group", version), code::INVALID_REQUEST, "v{version}");
    }
}

#[test]
fn offsets_cannot_be_committed_before_the_group_is_added() {
    for version in [0, 2, 3, 4] {
        let (topic, group) = (topic(1), unique("group"));
        let mut producer = Producer::new();
        let request = producer.offsets_request(&group, &topic, 0, 5);
        assert_eq!(
            producer.try_offsets(&request, version),
            if version < 4 { code::INVALID_TXN_STATE } else { code::TRANSACTION_ABORTABLE },
            "v{version}"
        );
        assert_eq!(fetch_offset(&group, &topic, 0, true), (code::NONE, -1));
    }
}

#[test]
fn offsets_of_a_fenced_producer_are_refused() {
    let (topic, group) = (topic(1), unique("group"));
    let mut old = Producer::new();
    old.send_offset(&group, &topic, 0, 5);
    let mut new = Producer::named(&old.transactional_id, 60_000);
    let request = old.offsets_request(&group, &topic, 0, 6);
    for version in [0, 3] {
        assert_eq!(old.try_offsets(&request, version), code::INVALID_PRODUCER_EPOCH, "v{version}");
    }
    new.send_offset(&group, &topic, 0, 7);
    new.commit();
    assert_eq!(committed_offset(&group, &topic, 0), 7);
}

#[test]
fn the_generation_of_the_group_is_checked() {
    let (topic, group) = (topic(1), unique("group"));
    let member = Member::alone(&group);
    let mut producer = Producer::new();
    assert_eq!(producer.try_add_offsets(&group, 3), code::NONE);
    let request = producer.offsets_request(&group, &topic, 0, 5).with_member_id(text(&member.id));
    let old = request.clone().with_generation_id(member.generation - 1);
    assert_eq!(producer.try_offsets(&old, 3), code::ILLEGAL_GENERATION);
    let next = request.clone().with_generation_id(member.generation + 1);
    assert_eq!(producer.try_offsets(&next, 3), code::ILLEGAL_GENERATION);
    let right = request.with_generation_id(member.generation);
    assert_eq!(producer.try_offsets(&right, 3), code::NONE);
    producer.commit();
    assert_eq!(committed_offset(&group, &topic, 0), 5);
}

#[test]
fn a_member_that_the_group_does_not_have_cannot_send_offsets() {
    let (topic, group) = (topic(1), unique("group"));
    let mut member = Member::alone(&group);
    let mut producer = Producer::new();
    assert_eq!(producer.try_add_offsets(&group, 3), code::NONE);
    let request = producer.offsets_request(&group, &topic, 0, 5).with_generation_id(member.generation);
    let stranger = request.clone().with_member_id(text("stranger"));
    assert_eq!(producer.try_offsets(&stranger, 3), code::UNKNOWN_MEMBER_ID);
    assert_eq!(member.leave(), code::NONE);
    let departed = request.with_member_id(text(&member.id));
    assert_eq!(producer.try_offsets(&departed, 3), code::UNKNOWN_MEMBER_ID);
}

#[test]
fn a_generation_of_a_group_that_does_not_exist_is_illegal() {
    let (topic, group) = (topic(1), unique("group"));
    let mut producer = Producer::new();
    assert_eq!(producer.try_add_offsets(&group, 3), code::NONE);
    let request = producer.offsets_request(&group, &topic, 0, 5).with_generation_id(1).with_member_id(text("somebody"));
    assert_eq!(producer.try_offsets(&request, 3), code::ILLEGAL_GENERATION);
}

/// Unlike OffsetCommit: before KIP-447 a producer knew nothing of generations.
#[test]
fn nobody_in_particular_can_send_offsets_even_to_a_group_with_members() {
    let (topic, group) = (topic(1), unique("group"));
    let _member = Member::alone(&group);
    for version in [0, 2, 3] {
        let mut producer = Producer::new();
        assert_eq!(producer.try_add_offsets(&group, 0), code::NONE);
        let request = producer.offsets_request(&group, &topic, 0, i64::from(version));
        assert_eq!(producer.try_offsets(&request, version), code::NONE, "v{version}");
        producer.commit();
        assert_eq!(committed_offset(&group, &topic, 0), i64::from(version));
    }
}

#[test]
fn a_static_member_that_was_replaced_cannot_send_offsets() {
    let (topic, group) = (topic(1), unique("group"));
    let subscription = join_request(&group, "").with_group_instance_id(Some(text("instance")));
    let mut old = Member::with(subscription.clone());
    let sent = old.rejoin();
    assert_eq!(old.rejoined(sent), code::NONE);
    let own = old.id.clone();
    assert_eq!(old.sync(&[(&own, "all")]).error_code, code::NONE);
    let mut new = Member::with(subscription);
    let sent = new.rejoin();
    assert_eq!(new.rejoined(sent), code::NONE);
    let mut producer = Producer::new();
    assert_eq!(producer.try_add_offsets(&group, 3), code::NONE);
    let request = producer
        .offsets_request(&group, &topic, 0, 5)
        .with_generation_id(new.generation)
        .with_group_instance_id(Some(text("instance")));
    let replaced = request.clone().with_member_id(text(&old.id));
    assert_eq!(producer.try_offsets(&replaced, 3), code::FENCED_INSTANCE_ID);
    let unknown = request.with_member_id(text(&old.id)).with_group_instance_id(Some(text("another")));
    assert_eq!(producer.try_offsets(&unknown, 3), code::UNKNOWN_MEMBER_ID);
}

#[test]
fn metadata_of_an_offset_in_a_transaction_has_a_limit() {
    let (topic, group) = (topic(1), unique("group"));
    let mut producer = Producer::new();
    assert_eq!(producer.try_add_offsets(&group, 3), code::NONE);
    let mut request = producer.offsets_request(&group, &topic, 0, 5);
    // offset.metadata.max.bytes is 4096 by default.
    request.topics[0].partitions[0].committed_metadata = Some(text(&"m".repeat(4097)));
    assert_eq!(producer.try_offsets(&request, 3), code::OFFSET_METADATA_TOO_LARGE);
    request.topics[0].partitions[0].committed_metadata = Some(text(&"m".repeat(4096)));
    assert_eq!(producer.try_offsets(&request, 3), code::NONE);
}

#[test]
fn offsets_of_an_unknown_topic_or_partition_are_refused_and_the_others_taken() {
    let (topic, group) = (topic(1), unique("group"));
    let mut producer = Producer::new();
    assert_eq!(producer.try_add_offsets(&group, 3), code::NONE);
    let unknown = producer.offsets_request(&group, &unique("unknown"), 0, 5);
    assert_eq!(producer.try_offsets(&unknown, 3), code::UNKNOWN_TOPIC_OR_PARTITION);
    let mut request = producer.offsets_request(&group, &topic, 0, 5);
    let mut beyond = request.topics[0].partitions[0].clone();
    beyond.partition_index = 1;
    request.topics[0].partitions.push(beyond);
    let response = producer.client.call(&request, 3);
    let mut codes: Vec<_> = response.topics[0].partitions.iter().map(|p| (p.partition_index, p.error_code)).collect();
    codes.sort();
    assert_eq!(codes, [(0, code::NONE), (1, code::UNKNOWN_TOPIC_OR_PARTITION)]);
}

#[test]
fn offsets_of_two_groups_are_committed_together() {
    let (topic, first, second) = (topic(1), unique("group"), unique("group"));
    let mut producer = Producer::new();
    producer.send_offset(&first, &topic, 0, 5);
    producer.send_offset(&second, &topic, 0, 6);
    assert_eq!(fetch_offset(&second, &topic, 0, true).0, code::UNSTABLE_OFFSET_COMMIT);
    producer.commit();
    assert_eq!((committed_offset(&first, &topic, 0), committed_offset(&second, &topic, 0)), (5, 6));
}

#[test]
fn offsets_and_records_of_a_transaction_are_decided_together() {
    let (topic, group) = (topic(1), unique("group"));
    let mut producer = Producer::new();
    producer.send(&topic, 0, &["aborted"]);
    producer.send_offset(&group, &topic, 0, 5);
    producer.abort();
    assert_eq!(committed_offset(&group, &topic, 0), -1);
    assert!(super::support::committed(&topic, 0).is_empty());
    producer.send(&topic, 0, &["kept"]);
    producer.send_offset(&group, &topic, 0, 6);
    producer.commit();
    assert_eq!(committed_offset(&group, &topic, 0), 6);
    assert_eq!(super::support::committed(&topic, 0), ["kept"]);
}

#[test]
fn the_last_offset_that_a_transaction_sends_for_a_partition_counts() {
    let (topic, group) = (topic(1), unique("group"));
    let mut producer = Producer::new();
    producer.send_offset(&group, &topic, 0, 5);
    producer.send_offset(&group, &topic, 0, 4);
    producer.commit();
    assert_eq!(committed_offset(&group, &topic, 0), 4);
}

/// The later write into the offsets topic counts, not the later decision.
#[test]
fn a_plain_commit_overtakes_a_pending_one() {
    let (topic, group) = (topic(1), unique("group"));
    let mut producer = Producer::new();
    producer.send_offset(&group, &topic, 0, 5);
    commit_offset(&group, &topic, 0, 9);
    assert_eq!(fetch_offset(&group, &topic, 0, true).0, code::UNSTABLE_OFFSET_COMMIT);
    assert_eq!(committed_offset(&group, &topic, 0), 9);
    producer.commit();
    assert_eq!(committed_offset(&group, &topic, 0), 9);
}

#[test]
fn two_transactions_of_one_group_are_pending_side_by_side() {
    let (topic, group) = (topic(1), unique("group"));
    let (mut first, mut second) = (Producer::new(), Producer::new());
    first.send_offset(&group, &topic, 0, 5);
    second.send_offset(&group, &topic, 0, 6);
    second.commit();
    assert_eq!(committed_offset(&group, &topic, 0), 6);
    assert_eq!(fetch_offset(&group, &topic, 0, true).0, code::UNSTABLE_OFFSET_COMMIT);
    first.commit();
    // Written before that of the second.
    assert_eq!(fetch_offset(&group, &topic, 0, true), (code::NONE, 6));
}

#[test]
fn deleting_an_offset_deletes_the_pending_one_as_well() {
    let (topic, group) = (topic(1), unique("group"));
    commit_offset(&group, &topic, 0, 3);
    let mut producer = Producer::new();
    producer.send_offset(&group, &topic, 0, 5);
    let partition = OffsetDeleteRequestPartition::default().with_partition_index(0);
    let of = OffsetDeleteRequestTopic::default().with_name(topic_name(&topic)).with_partitions(vec![partition]);
    let request = OffsetDeleteRequest::default().with_group_id(group_id(&group)).with_topics(vec![of]);
    let response = connect().call(&request, 0);
    assert_eq!((response.error_code, response.topics[0].partitions[0].error_code), (code::NONE, code::NONE));
    assert_eq!(fetch_offset(&group, &topic, 0, true), (code::NONE, -1));
    producer.commit();
    assert_eq!(committed_offset(&group, &topic, 0), -1);
}

#[test]
fn a_group_with_a_pending_offset_can_be_deleted() {
    let (topic, group) = (topic(1), unique("group"));
    commit_offset(&group, &topic, 0, 3);
    let mut producer = Producer::new();
    producer.send_offset(&group, &topic, 0, 5);
    let request = DeleteGroupsRequest::default().with_groups_names(vec![group_id(&group)]);
    assert_eq!(connect().call(&request, 2).results[0].error_code, code::NONE);
    assert_eq!(fetch_offset(&group, &topic, 0, true), (code::NONE, -1));
    producer.commit();
    assert_eq!(committed_offset(&group, &topic, 0), -1);
}

/// Unlike OffsetCommit.
#[test]
fn a_member_sends_offsets_to_a_transaction_in_the_middle_of_a_rebalance() {
    let (topic, group) = (topic(1), unique("group"));
    let member = Member::join(&group);
    assert_eq!(group_state(&group), "CompletingRebalance");
    let mut producer = Producer::new();
    assert_eq!(producer.try_add_offsets(&group, 3), code::NONE);
    let request = producer.offsets_request(&group, &topic, 0, 5);
    let request = request.with_generation_id(member.generation).with_member_id(text(&member.id));
    assert_eq!(producer.try_offsets(&request, 3), code::NONE);
    producer.commit();
    assert_eq!(committed_offset(&group, &topic, 0), 5);
}

#[test]
fn offsets_of_an_empty_group_can_be_sent_to_a_transaction() {
    let (topic, group) = (topic(1), unique("group"));
    assert_eq!(Member::alone(&group).leave(), code::NONE);
    let mut producer = Producer::new();
    producer.send_offset(&group, &topic, 0, 5);
    producer.commit();
    assert_eq!(committed_offset(&group, &topic, 0), 5);
}

#[test]
fn metadata_and_leader_epoch_are_kept_with_an_offset_of_a_transaction() {
    let (topic, group) = (topic(1), unique("group"));
    let mut producer = Producer::new();
    assert_eq!(producer.try_add_offsets(&group, 3), code::NONE);
    let mut request = producer.offsets_request(&group, &topic, 0, 5);
    request.topics[0].partitions[0].committed_metadata = Some(text("what for"));
    request.topics[0].partitions[0].committed_leader_epoch = 3;
    assert_eq!(producer.try_offsets(&request, 3), code::NONE);
    producer.commit();
    let asked = OffsetFetchRequestTopic::default().with_name(topic_name(&topic)).with_partition_indexes(vec![0]);
    let request = OffsetFetchRequest::default().with_group_id(group_id(&group)).with_topics(Some(vec![asked]));
    let response = connect().call(&request, 5);
    let partition = &response.topics[0].partitions[0];
    assert_eq!((partition.committed_offset, partition.committed_leader_epoch), (5, 3));
    assert_eq!(partition.metadata.as_deref(), Some("what for"));
}

/// Its members are asked by nobody.
#[test]
fn a_group_that_exists_by_pending_offsets_alone_is_empty() {
    let (topic, group) = (topic(1), unique("group"));
    let mut producer = Producer::new();
    producer.send_offset(&group, &topic, 0, 5);
    assert_eq!(group_state(&group), "Empty");
    producer.commit();
    assert_eq!(group_state(&group), "Empty");
}

#[test]
fn pending_offsets_show_when_all_are_asked_for() {
    let (topic, group) = (topic(3), unique("group"));
    commit_offset(&group, &topic, 0, 3);
    commit_offset(&group, &topic, 1, 4);
    let mut producer = Producer::new();
    producer.send_offset(&group, &topic, 0, 5);
    // Without any committed before, it does not show.
    producer.send_offset(&group, &topic, 2, 6);
    let request = OffsetFetchRequest::default().with_group_id(group_id(&group)).with_topics(None);
    let fetch = |require_stable| {
        let response = connect().call(&request.clone().with_require_stable(require_stable), 7);
        assert_eq!(response.error_code, code::NONE);
        let partitions = &response.topics[0].partitions;
        let mut offsets: Vec<_> = partitions
            .iter()
            .map(|partition| (partition.partition_index, partition.error_code, partition.committed_offset))
            .collect();
        offsets.sort();
        offsets
    };
    assert_eq!(fetch(true), [(0, code::UNSTABLE_OFFSET_COMMIT, -1), (1, code::NONE, 4)]);
    assert_eq!(fetch(false), [(0, code::NONE, 3), (1, code::NONE, 4)]);
    producer.commit();
    assert_eq!(fetch(true), [(0, code::NONE, 5), (1, code::NONE, 4), (2, code::NONE, 6)]);
}

#[test]
fn offsets_of_another_producer_id_or_transactional_id_are_refused() {
    let (topic, group) = (topic(1), unique("group"));
    let mut producer = Producer::new();
    assert_eq!(producer.try_add_offsets(&group, 3), code::NONE);
    for version in [0, 3] {
        let request = producer.offsets_request(&group, &topic, 0, 5);
        let alien = request.clone().with_producer_id((producer.id + 1_000_000).into());
        assert_eq!(producer.try_offsets(&alien, version), code::INVALID_PRODUCER_ID_MAPPING, "v{version}");
        let unknown = request.with_transactional_id(text(&unique("unknown")).into());
        assert_eq!(producer.try_offsets(&unknown, version), code::INVALID_PRODUCER_ID_MAPPING, "v{version}");
    }
    assert_eq!(fetch_offset(&group, &topic, 0, true), (code::NONE, -1));
}

#[test]
fn offsets_cannot_be_sent_after_the_transaction_has_ended() {
    let (topic, group) = (topic(1), unique("group"));
    let mut producer = Producer::new();
    producer.send_offset(&group, &topic, 0, 5);
    producer.commit();
    let late = producer.offsets_request(&group, &topic, 0, 6);
    assert_eq!(producer.try_offsets(&late, 3), code::INVALID_TXN_STATE);
    assert_eq!(fetch_offset(&group, &topic, 0, true), (code::NONE, 5));
}

#[test]
fn an_empty_group_id_has_no_transactional_offsets() {
    let topic = topic(1);
    let mut producer = Producer::new();
    assert_eq!(producer.try_add_offsets("", 3), code::NONE);
    let request = producer.offsets_request("", &topic, 0, 5);
    assert_eq!(producer.try_offsets(&request, 3), code::INVALID_GROUP_ID);
    producer.abort();
}

#[test]
fn a_generation_without_member_or_a_member_without_generation_cannot_send_offsets() {
    let (topic, group) = (topic(1), unique("group"));
    let member = Member::alone(&group);
    let mut producer = Producer::new();
    assert_eq!(producer.try_add_offsets(&group, 3), code::NONE);
    let request = producer.offsets_request(&group, &topic, 0, 5);
    let nobody = request.clone().with_generation_id(member.generation);
    assert_eq!(producer.try_offsets(&nobody, 3), code::UNKNOWN_MEMBER_ID);
    let timeless = request.clone().with_member_id(text(&member.id));
    assert_eq!(producer.try_offsets(&timeless, 3), code::ILLEGAL_GENERATION);
    let stranger = request.with_member_id(text("stranger"));
    assert_eq!(producer.try_offsets(&stranger, 3), code::UNKNOWN_MEMBER_ID);
}
