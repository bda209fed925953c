//! OffsetCommit, OffsetFetch and OffsetDelete.

use kafka_protocol::messages::{
    ConsumerProtocolSubscription, OffsetDeleteRequest, OffsetDeleteResponse, OffsetFetchRequest, OffsetFetchResponse,
    join_group_request::JoinGroupRequestProtocol,
    offset_delete_request::{OffsetDeleteRequestPartition, OffsetDeleteRequestTopic},
    offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics},
};
use kafka_protocol::protocol::Encodable;

use bytes::{BufMut, BytesMut};

use super::support::{
    Member, code, commit_offset, commit_request, committed_offset, connect, delete_topic, fetch_offset, group_id,
    group_state, join_request, topic, topic_name, try_commit, until,
};
use crate::support::{broker::unique, wire::text};

/// What OffsetFetch up to version 7 answers: error of the whole, then topic, partition, error, offset.
type Old = (i16, Vec<(String, i32, i16, i64)>);

fn old(response: &OffsetFetchResponse) -> Old {
    let partitions = response.topics.iter().flat_map(|topic| {
        topic.partitions.iter().map(|partition| {
            (topic.name.to_string(), partition.partition_index, partition.error_code, partition.committed_offset)
        })
    });
    let mut partitions: Vec<_> = partitions.collect();
    partitions.sort();
    (response.error_code, partitions)
}

fn fetch_old(group: &str, topics: Option<&[(&str, &[i32])]>, version: i16) -> OffsetFetchResponse {
    let topics = topics.map(|topics| {
        topics
            .iter()
            .map(|(name, partitions)| {
                OffsetFetchRequestTopic::default()
                    .with_name(topic_name(name))
                    .with_partition_indexes(partitions.to_vec())
            })
            .collect()
    });
    let request = OffsetFetchRequest::default().with_group_id(group_id(group)).with_topics(topics);
    connect().call(&request, version)
}

#[test]
fn a_committed_offset_is_fetched_again() {
    for version in 2..=9 {
        let (topic, group) = (topic(1), unique("group"));
        let request = commit_request(&group, &topic, 0, 42);
        assert_eq!(try_commit(&mut connect(), &request, version), code::NONE, "v{version}");
        assert_eq!(committed_offset(&group, &topic, 0), 42, "v{version}");
    }
}

#[test]
fn offsets_are_fetched_alike_at_each_version_of_one_group() {
    let (topic, group) = (topic(3), unique("group"));
    commit_offset(&group, &topic, 0, 10);
    commit_offset(&group, &topic, 2, 12);
    for version in 1..=7 {
        let fetched = old(&fetch_old(&group, Some(&[(&topic, &[0, 1, 2])]), version));
        let expected = vec![
            (topic.clone(), 0, code::NONE, 10),
            // None committed: no error.
            (topic.clone(), 1, code::NONE, -1),
            (topic.clone(), 2, code::NONE, 12),
        ];
        assert_eq!(fetched, (code::NONE, expected), "v{version}");
    }
}

#[test]
fn since_version_2_all_offsets_of_a_group_can_be_asked_for() {
    let (first, second, group) = (topic(2), topic(1), unique("group"));
    commit_offset(&group, &first, 0, 1);
    commit_offset(&group, &first, 1, 2);
    commit_offset(&group, &second, 0, 3);
    let mut expected = vec![(first.clone(), 0, code::NONE, 1), (first, 1, code::NONE, 2), (second, 0, code::NONE, 3)];
    expected.sort();
    for version in 2..=7 {
        assert_eq!(old(&fetch_old(&group, None, version)), (code::NONE, expected.clone()), "v{version}");
    }
    let all = OffsetFetchRequestGroup::default().with_group_id(group_id(&group)).with_topics(None);
    for version in [8, 9] {
        let response = connect().call(&OffsetFetchRequest::default().with_groups(vec![all.clone()]), version);
        assert_eq!(response.groups[0].error_code, code::NONE, "v{version}");
        let mut offsets: Vec<_> = response.groups[0]
            .topics
            .iter()
            .flat_map(|topic| {
                topic.partitions.iter().map(|partition| {
                    let index = partition.partition_index;
                    (topic.name.to_string(), index, partition.error_code, partition.committed_offset)
                })
            })
            .collect();
        offsets.sort();
        assert_eq!(offsets, expected, "v{version}");
    }
}

#[test]
fn a_group_that_does_not_exist_has_no_offsets_and_no_error() {
    let (topic, group) = (topic(1), unique("group"));
    for version in 1..=7 {
        let fetched = old(&fetch_old(&group, Some(&[(&topic, &[0])]), version));
        assert_eq!(fetched, (code::NONE, vec![(topic.clone(), 0, code::NONE, -1)]), "v{version}");
    }
    assert_eq!(old(&fetch_old(&group, None, 7)), (code::NONE, vec![]));
    assert_eq!(fetch_offset(&group, &topic, 0, true), (code::NONE, -1));
}

#[test]
fn an_offset_of_an_unknown_topic_is_none_and_no_error() {
    let unknown = unique("unknown");
    let fetched = old(&fetch_old(&unique("group"), Some(&[(&unknown, &[7])]), 5));
    assert_eq!(fetched, (code::NONE, vec![(unknown, 7, code::NONE, -1)]));
}

#[test]
fn several_groups_are_fetched_at_once() {
    let (topic, first, second, absent) = (topic(2), unique("group"), unique("group"), unique("group"));
    commit_offset(&first, &topic, 0, 1);
    commit_offset(&second, &topic, 1, 2);
    for version in [8, 9] {
        let asked = |group: &str, partitions: Vec<i32>| {
            let topic =
                OffsetFetchRequestTopics::default().with_name(topic_name(&topic)).with_partition_indexes(partitions);
            OffsetFetchRequestGroup::default().with_group_id(group_id(group)).with_topics(Some(vec![topic]))
        };
        let groups = vec![asked(&first, vec![0]), asked(&second, vec![0, 1]), asked(&absent, vec![0])];
        let response = connect().call(&OffsetFetchRequest::default().with_groups(groups), version);
        let mut offsets = Vec::new();
        for group in &response.groups {
            assert_eq!(group.error_code, code::NONE, "v{version}");
            for partition in &group.topics[0].partitions {
                assert_eq!(partition.error_code, code::NONE, "v{version}");
                offsets.push((group.group_id.to_string(), partition.partition_index, partition.committed_offset));
            }
        }
        offsets.sort();
        let mut expected =
            vec![(first.clone(), 0, 1), (second.clone(), 0, -1), (second.clone(), 1, 2), (absent.clone(), 0, -1)];
        expected.sort();
        assert_eq!(offsets, expected, "v{version}");
    }
}

#[test]
fn metadata_and_leader_epoch_are_kept_with_the_offset() {
    let (topic, group) = (topic(1), unique("group"));
    let mut request = commit_request(&group, &topic, 0, 5);
    request.topics[0].partitions[0].committed_leader_epoch = 3;
    request.topics[0].partitions[0].committed_metadata = Some(text("what for"));
    assert_eq!(try_commit(&mut connect(), &request, 6), code::NONE);
    for version in [1, 4, 5, 7] {
        let fetched = fetch_old(&group, Some(&[(&topic, &[0])]), version);
        let partition = &fetched.topics[0].partitions[0];
        assert_eq!(partition.metadata.as_deref(), Some("what for"), "v{version}");
        // Known since version 5.
        let epoch = if version >= 5 { 3 } else { -1 };
        assert_eq!(partition.committed_leader_epoch, epoch, "v{version}");
    }
}

#[test]
fn no_metadata_is_fetched_as_empty() {
    let (topic, group) = (topic(1), unique("group"));
    let mut request = commit_request(&group, &topic, 0, 5);
    request.topics[0].partitions[0].committed_metadata = None;
    assert_eq!(try_commit(&mut connect(), &request, 8), code::NONE);
    let fetched = fetch_old(&group, Some(&[(&topic, &[0])]), 7);
    let partition = &fetched.topics[0].partitions[0];
    assert_eq!((partition.committed_offset, partition.metadata.as_deref()), (5, Some("")));
}

/// offset.metadata.max.bytes is 4096 by default.
#[test]
fn metadata_of_an_offset_has_a_limit() {
    let (topic, group) = (topic(1), unique("group"));
    for version in [2, 6, 9] {
        let mut request = commit_request(&group, &topic, 0, i64::from(version));
        request.topics[0].partitions[0].committed_metadata = Some(text(&"m".repeat(4097)));
        assert_eq!(try_commit(&mut connect(), &request, version), code::OFFSET_METADATA_TOO_LARGE, "v{version}");
        request.topics[0].partitions[0].committed_metadata = Some(text(&"m".repeat(4096)));
        assert_eq!(try_commit(&mut connect(), &request, version), code::NONE, "v{version}");
        assert_eq!(committed_offset(&group, &topic, 0), i64::from(version));
    }
}

#[test]
fn offsets_may_go_back_and_be_negative() {
    let (topic, group) = (topic(1), unique("group"));
    for offset in [5, 3, 0, 1_000_000_000_000, -5] {
        commit_offset(&group, &topic, 0, offset);
        assert_eq!(committed_offset(&group, &topic, 0), offset);
    }
}

#[test]
fn an_offset_of_an_unknown_topic_or_partition_cannot_be_committed() {
    for version in [2, 5, 9] {
        let (topic, group) = (topic(1), unique("group"));
        let unknown = commit_request(&group, &unique("unknown"), 0, 5);
        assert_eq!(try_commit(&mut connect(), &unknown, version), code::UNKNOWN_TOPIC_OR_PARTITION, "v{version}");
        // The others are committed all the same.
        let mut request = commit_request(&group, &topic, 0, 5);
        let mut beyond = request.topics[0].partitions[0].clone();
        beyond.partition_index = 1;
        request.topics[0].partitions.push(beyond);
        let response = connect().call(&request, version);
        let mut codes: Vec<_> =
            response.topics[0].partitions.iter().map(|p| (p.partition_index, p.error_code)).collect();
        codes.sort();
        assert_eq!(codes, [(0, code::NONE), (1, code::UNKNOWN_TOPIC_OR_PARTITION)], "v{version}");
        assert_eq!(committed_offset(&group, &topic, 0), 5, "v{version}");
    }
}

#[test]
fn a_commit_without_membership_makes_an_empty_group() {
    let (topic, group) = (topic(1), unique("group"));
    commit_offset(&group, &topic, 0, 5);
    assert_eq!(group_state(&group), "Empty");
}

#[test]
fn a_member_commits_for_its_generation() {
    let topic = topic(1);
    for version in [2, 5, 8, 9] {
        let group = unique("group");
        let mut member = Member::alone(&group);
        let request = member.commit_request(&topic, 0, 5);
        let mut commit = |request| try_commit(&mut member.client, &request, version);
        let older = request.clone().with_generation_id_or_member_epoch(member.generation - 1);
        assert_eq!(commit(older), code::ILLEGAL_GENERATION, "v{version}");
        let newer = request.clone().with_generation_id_or_member_epoch(member.generation + 1);
        assert_eq!(commit(newer), code::ILLEGAL_GENERATION, "v{version}");
        assert_eq!(commit(request.clone().with_member_id(text("stranger"))), code::UNKNOWN_MEMBER_ID, "v{version}");
        assert_eq!(commit(request), code::NONE, "v{version}");
        assert_eq!(committed_offset(&group, &topic, 0), 5, "v{version}");
    }
}

#[test]
fn without_membership_nobody_commits_to_a_group_with_members() {
    let (topic, group) = (topic(1), unique("group"));
    let mut member = Member::alone(&group);
    for version in [2, 5, 9] {
        let request = commit_request(&group, &topic, 0, 5);
        assert_eq!(try_commit(&mut connect(), &request, version), code::UNKNOWN_MEMBER_ID, "v{version}");
    }
    assert_eq!(member.leave(), code::NONE);
    assert_eq!(try_commit(&mut connect(), &commit_request(&group, &topic, 0, 5), 9), code::NONE);
}

#[test]
fn a_generation_of_a_group_that_does_not_exist_cannot_commit() {
    let topic = topic(1);
    for (version, expected) in
        [(2, code::ILLEGAL_GENERATION), (8, code::ILLEGAL_GENERATION), (9, code::GROUP_ID_NOT_FOUND)]
    {
        let request = commit_request(&unique("group"), &topic, 0, 5)
            .with_generation_id_or_member_epoch(1)
            .with_member_id(text("member"));
        assert_eq!(try_commit(&mut connect(), &request, version), expected, "v{version}");
    }
}

#[test]
fn a_departed_member_cannot_commit() {
    let (topic, group) = (topic(1), unique("group"));
    let mut member = Member::alone(&group);
    let request = member.commit_request(&topic, 0, 5);
    assert_eq!(member.leave(), code::NONE);
    assert_eq!(try_commit(&mut member.client, &request, 8), code::UNKNOWN_MEMBER_ID);
}

#[test]
fn a_member_commits_while_the_group_prepares_to_rebalance() {
    let (topic, group) = (topic(1), unique("group"));
    let mut member = Member::alone(&group);
    let mut newcomer = Member::stranger(&group);
    let _joining = newcomer.rejoin();
    member.hears_of_rebalance();
    let request = member.commit_request(&topic, 0, 5);
    assert_eq!(try_commit(&mut member.client, &request, 8), code::NONE);
    assert_eq!(committed_offset(&group, &topic, 0), 5);
}

#[test]
fn a_member_without_assignment_cannot_commit() {
    let (topic, group) = (topic(1), unique("group"));
    let mut member = Member::join(&group);
    assert_eq!(group_state(&group), "CompletingRebalance");
    let request = member.commit_request(&topic, 0, 5);
    assert_eq!(try_commit(&mut member.client, &request, 8), code::REBALANCE_IN_PROGRESS);
}

#[test]
fn offsets_outlive_the_members() {
    let (topic, group) = (topic(1), unique("group"));
    let mut member = Member::alone(&group);
    let request = member.commit_request(&topic, 0, 5);
    assert_eq!(try_commit(&mut member.client, &request, 8), code::NONE);
    assert_eq!(member.leave(), code::NONE);
    assert_eq!(committed_offset(&group, &topic, 0), 5);
    let _next = Member::alone(&group);
    assert_eq!(committed_offset(&group, &topic, 0), 5);
}

/// As consumers before version 2.2 did that had no group.id.
#[test]
fn an_empty_group_id_keeps_offsets_as_well() {
    let topic = topic(1);
    commit_offset("", &topic, 0, 5);
    assert_eq!(committed_offset("", &topic, 0), 5);
}

#[test]
fn offsets_of_a_deleted_topic_are_forgotten() {
    let (gone, kept, group) = (topic(1), topic(1), unique("group"));
    commit_offset(&group, &gone, 0, 5);
    commit_offset(&group, &kept, 0, 6);
    delete_topic(&gone);
    until("the end of its offsets", || (committed_offset(&group, &gone, 0) == -1).then_some(()));
    assert_eq!(committed_offset(&group, &kept, 0), 6);
}

fn delete(group: &str, topics: &[(&str, &[i32])]) -> OffsetDeleteResponse {
    let topics = topics.iter().map(|(name, partitions)| {
        let partitions =
            partitions.iter().map(|index| OffsetDeleteRequestPartition::default().with_partition_index(*index));
        OffsetDeleteRequestTopic::default().with_name(topic_name(name)).with_partitions(partitions.collect())
    });
    connect().call(&OffsetDeleteRequest::default().with_group_id(group_id(group)).with_topics(topics.collect()), 0)
}

#[test]
fn an_offset_of_an_empty_group_can_be_deleted() {
    let (topic, group) = (topic(2), unique("group"));
    commit_offset(&group, &topic, 0, 5);
    commit_offset(&group, &topic, 1, 6);
    let response = delete(&group, &[(&topic, &[0])]);
    assert_eq!((response.error_code, response.topics[0].partitions[0].error_code), (code::NONE, code::NONE));
    assert_eq!((committed_offset(&group, &topic, 0), committed_offset(&group, &topic, 1)), (-1, 6));
    // None is left to delete: no error.
    let response = delete(&group, &[(&topic, &[0])]);
    assert_eq!((response.error_code, response.topics[0].partitions[0].error_code), (code::NONE, code::NONE));
}

#[test]
fn an_offset_of_an_unknown_topic_or_partition_cannot_be_deleted() {
    let (topic, group, unknown) = (topic(1), unique("group"), unique("unknown"));
    commit_offset(&group, &topic, 0, 5);
    let response = delete(&group, &[(&topic, &[1]), (&unknown, &[0])]);
    assert_eq!(response.error_code, code::NONE);
    assert_eq!(response.topics.len(), 2);
    for topic in &response.topics {
        assert_eq!(topic.partitions[0].error_code, code::UNKNOWN_TOPIC_OR_PARTITION);
    }
}

#[test]
fn offsets_of_an_absent_group_cannot_be_deleted() {
    let topic = topic(1);
    let response = delete(&unique("group"), &[(&topic, &[0])]);
    assert_eq!((response.error_code, response.topics.len()), (code::GROUP_ID_NOT_FOUND, 0));
}

#[test]
fn offsets_of_a_live_group_that_is_no_consumers_cannot_be_deleted() {
    let (topic, group) = (topic(1), unique("group"));
    let _member = Member::alone(&group);
    let response = delete(&group, &[(&topic, &[0])]);
    assert_eq!((response.error_code, response.topics.len()), (code::NON_EMPTY_GROUP, 0));
}

#[test]
fn offsets_of_a_topic_that_consumers_are_subscribed_to_cannot_be_deleted() {
    let (subscribed, other, group) = (topic(1), topic(1), unique("group"));
    commit_offset(&group, &subscribed, 0, 5);
    commit_offset(&group, &other, 0, 6);
    let mut metadata = BytesMut::new();
    metadata.put_i16(0);
    ConsumerProtocolSubscription::default().with_topics(vec![text(&subscribed)]).encode(&mut metadata, 0).unwrap();
    let protocol = JoinGroupRequestProtocol::default().with_name(text("range")).with_metadata(metadata.freeze());
    let subscription = join_request(&group, "").with_protocol_type(text("consumer")).with_protocols(vec![protocol]);
    let mut member = Member::with(subscription);
    let sent = member.rejoin();
    assert_eq!(member.rejoined(sent), code::NONE);
    assert_eq!(member.sync(&[]).error_code, code::NONE);
    let response = delete(&group, &[(&subscribed, &[0]), (&other, &[0])]);
    assert_eq!(response.error_code, code::NONE);
    let mut codes: Vec<_> =
        response.topics.iter().map(|topic| (topic.name.to_string(), topic.partitions[0].error_code)).collect();
    codes.sort();
    let mut expected = vec![(subscribed.clone(), code::GROUP_SUBSCRIBED_TO_TOPIC), (other.clone(), code::NONE)];
    expected.sort();
    assert_eq!(codes, expected);
    assert_eq!((committed_offset(&group, &subscribed, 0), committed_offset(&group, &other, 0)), (5, -1));
}

#[test]
fn no_topic_asked_for_is_no_topic_answered() {
    let (topic, group) = (topic(1), unique("group"));
    commit_offset(&group, &topic, 0, 5);
    for version in 1..=7 {
        assert_eq!(old(&fetch_old(&group, Some(&[]), version)), (code::NONE, vec![]), "v{version}");
    }
}

/// The fields are for groups of KIP-848.
#[test]
fn a_member_of_a_classic_group_that_fetches_offsets_is_not_checked() {
    let (topic, group) = (topic(1), unique("group"));
    let mut member = Member::alone(&group);
    let request = member.commit_request(&topic, 0, 5);
    assert_eq!(try_commit(&mut member.client, &request, 9), code::NONE);
    let asked = OffsetFetchRequestTopics::default().with_name(topic_name(&topic)).with_partition_indexes(vec![0]);
    for (id, epoch) in [(None, -1), (Some("stranger"), 7), (Some(member.id.as_str()), 0)] {
        let asked = OffsetFetchRequestGroup::default()
            .with_group_id(group_id(&group))
            .with_member_id(id.map(text))
            .with_member_epoch(epoch)
            .with_topics(Some(vec![asked.clone()]));
        let response = connect().call(&OffsetFetchRequest::default().with_groups(vec![asked]), 9);
        let fetched = &response.groups[0];
        assert_eq!((fetched.error_code, fetched.topics[0].partitions[0].committed_offset), (code::NONE, 5));
    }
}

#[test]
fn a_generation_without_member_or_a_member_without_generation_cannot_commit_to_a_live_group() {
    let (topic, group) = (topic(1), unique("group"));
    let mut member = Member::alone(&group);
    let request = member.commit_request(&topic, 0, 5);
    for version in [2, 8, 9] {
        let nobody = request.clone().with_member_id(text(""));
        assert_eq!(try_commit(&mut member.client, &nobody, version), code::UNKNOWN_MEMBER_ID, "v{version}");
        let timeless = request.clone().with_generation_id_or_member_epoch(-1);
        assert_eq!(try_commit(&mut member.client, &timeless, version), code::ILLEGAL_GENERATION, "v{version}");
    }
}

/// Whoever it says it is.
#[test]
fn without_generation_anybody_commits_to_an_empty_group() {
    let (topic, group) = (topic(1), unique("group"));
    let request = commit_request(&group, &topic, 0, 5).with_member_id(text("anybody"));
    assert_eq!(try_commit(&mut connect(), &request, 8), code::NONE);
    assert_eq!(try_commit(&mut connect(), &request, 9), code::NONE);
    assert_eq!(committed_offset(&group, &topic, 0), 5);
}
