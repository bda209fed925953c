//! OffsetCommit, OffsetFetch, OffsetDelete.

use kafka_protocol::messages::{
    OffsetCommitRequest, OffsetCommitResponse, OffsetDeleteRequest, OffsetFetchRequest,
    offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic},
    offset_delete_request::{OffsetDeleteRequestPartition, OffsetDeleteRequestTopic},
    offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics},
};

use super::*;

/// Two partitions of each topic but `nope`.
pub(super) fn exists(topic: &str, partition: i32) -> bool {
    topic != "nope" && (0..2).contains(&partition)
}

pub(super) fn commit(group: &str, offsets: &[(&str, i32, i64)]) -> OffsetCommitRequest {
    let topics = offsets.iter().map(|(topic, partition, offset)| {
        let partition = OffsetCommitRequestPartition::default()
            .with_partition_index(*partition)
            .with_committed_offset(*offset)
            .with_committed_metadata(Some(text("note")));
        OffsetCommitRequestTopic::default().with_name(topic_name(topic)).with_partitions(vec![partition])
    });
    OffsetCommitRequest::default()
        .with_group_id(group_id(group))
        .with_generation_id_or_member_epoch(-1)
        .with_topics(topics.collect())
}

fn codes(response: &OffsetCommitResponse) -> Vec<(String, i32, i16)> {
    let topics = response.topics.iter();
    topics
        .flat_map(|topic| {
            topic.partitions.iter().map(|own| (topic.name.to_string(), own.partition_index, own.error_code))
        })
        .collect()
}

impl World {
    pub(super) fn commit(&mut self, request: OffsetCommitRequest, version: i16) -> i16 {
        let response = self.groups.commit(self.now, request, version, &exists);
        self.collect();
        response.topics[0].partitions[0].error_code
    }

    /// Offset and error code of partition 0 of a topic.
    pub(super) fn fetch(&mut self, group: &str, topic: &str, stable: bool) -> (i64, i16) {
        let topic = OffsetFetchRequestTopics::default().with_name(topic_name(topic)).with_partition_indexes(vec![0]);
        let group = OffsetFetchRequestGroup::default().with_group_id(group_id(group)).with_topics(Some(vec![topic]));
        let request = OffsetFetchRequest::default().with_groups(vec![group]).with_require_stable(stable);
        let response = self.groups.fetch_offsets(self.now, request, 8);
        let partition = &response.groups[0].topics[0].partitions[0];
        (partition.committed_offset, partition.error_code)
    }
}

#[test]
fn a_commit_without_a_member_makes_a_simple_group() {
    let mut world = World::new();
    assert_eq!(world.commit(commit("g", &[("t", 0, 5)]), 8), NONE);
    assert_eq!(world.state("g"), "Empty");
    assert_eq!(world.fetch("g", "t", true), (5, NONE));
    assert_eq!(world.fetch("g", "other", true), (-1, NONE));
    assert_eq!(world.fetch("unknown", "t", true), (-1, NONE));
    // The empty name is a group as any other, for OffsetCommit and OffsetFetch.
    assert_eq!(world.commit(commit("", &[("t", 0, 6)]), 8), NONE);
    assert_eq!(world.fetch("", "t", true), (6, NONE));
}

#[test]
fn a_commit_of_a_generation_to_an_unknown_group_is_refused() {
    let mut world = World::new();
    let of_member = || commit("g", &[("t", 0, 5)]).with_generation_id_or_member_epoch(0).with_member_id(text("m"));
    assert_eq!(world.commit(of_member(), 8), error(ResponseError::IllegalGeneration));
    assert_eq!(world.commit(of_member(), 9), error(ResponseError::GroupIdNotFound));
    assert_eq!(world.state("g"), "Dead");
}

#[test]
fn partitions_that_do_not_exist_are_refused_one_by_one_and_first() {
    let mut world = World::new();
    let unknown = error(ResponseError::UnknownTopicOrPartition);
    let request = commit("g", &[("t", 0, 1), ("t", 9, 1), ("nope", 0, 1), ("t", 1, 1)]);
    let response = world.groups.commit(world.now, request, 9, &exists);
    let expected = [("t", 9, unknown), ("t", 0, NONE), ("t", 1, NONE), ("nope", 0, unknown)];
    assert_eq!(codes(&response), expected.map(|(topic, partition, code)| (topic.to_owned(), partition, code)));
    // Nobody asks the group where nothing is left to commit.
    let request = commit("h", &[("nope", 0, 1)]).with_generation_id_or_member_epoch(7);
    assert_eq!(world.commit(request, 9), unknown);
    assert_eq!(world.state("h"), "Dead");
}

#[test]
fn too_long_metadata_is_refused() {
    let mut world = World::new();
    let with = |length: usize| {
        let mut request = commit("g", &[("t", 0, 1)]);
        request.topics[0].partitions[0].committed_metadata = Some(text(&"é".repeat(length)));
        request
    };
    assert_eq!(world.commit(with(4_096), 8), NONE);
    assert_eq!(world.commit(with(4_097), 8), error(ResponseError::OffsetMetadataTooLarge));
}

#[test]
fn commits_in_each_state_of_the_group() {
    let mut world = World::new();
    let of = |member: &StrBytes, generation| {
        commit("g", &[("t", 0, 1)]).with_member_id(member.clone()).with_generation_id_or_member_epoch(generation)
    };
    let wait = world.join(new_member("g"), 3);
    world.settle();
    let id = world.joined(wait).member_id;
    // CompletingRebalance
    assert_eq!(world.commit(of(&id, 1), 8), error(ResponseError::RebalanceInProgress));
    assert_eq!(world.commit(of(&id, 2), 8), error(ResponseError::IllegalGeneration));
    assert_eq!(world.commit(of(&text("nobody"), 1), 8), error(ResponseError::UnknownMemberId));
    // Stable
    world.sync(sync("g", &id, 1), 3);
    assert_eq!(world.commit(of(&id, 1), 8), NONE);
    assert_eq!(world.commit(of(&text(""), -1), 8), error(ResponseError::UnknownMemberId));
    assert_eq!(world.commit(of(&id, -1), 8), error(ResponseError::IllegalGeneration));
    let fenced = of(&id, 1).with_group_instance_id(Some(text("i")));
    assert_eq!(world.commit(fenced, 8), error(ResponseError::UnknownMemberId));
    // PreparingRebalance: what the member has read may still be committed.
    world.join(new_member("g"), 3);
    assert_eq!(world.commit(of(&id, 1), 8), NONE);
    // Empty
    world.pass(100_000);
    assert_eq!(world.state("g"), "Empty");
    assert_eq!(world.commit(of(&id, 1), 8), error(ResponseError::UnknownMemberId));
    assert_eq!(world.commit(of(&text(""), -1), 8), NONE);
    assert_eq!(world.commit(of(&text("anybody"), -1), 8), NONE);
}

#[test]
fn a_commit_is_a_sign_of_life() {
    let mut world = World::new();
    let (ids, generation) = world.stable("g", 1);
    for _ in 0..5 {
        world.pass(Millis::from(SESSION) - 1);
        let request =
            commit("g", &[("t", 0, 1)]).with_member_id(ids[0].clone()).with_generation_id_or_member_epoch(generation);
        assert_eq!(world.commit(request, 8), NONE);
    }
}

#[test]
fn all_offsets_of_a_group() {
    let mut world = World::new();
    world.groups.commit(world.now, commit("g", &[("b", 1, 3), ("a", 0, 1), ("b", 0, 2)]), 8, &exists);
    let group = OffsetFetchRequestGroup::default().with_group_id(group_id("g")).with_topics(None);
    let request = OffsetFetchRequest::default().with_groups(vec![group.clone(), group]);
    let response = world.groups.fetch_offsets(world.now, request, 8);
    assert_eq!(response.groups.len(), 2);
    let offsets: Vec<i64> = response.groups[1]
        .topics
        .iter()
        .flat_map(|topic| topic.partitions.iter().map(|partition| partition.committed_offset))
        .collect();
    assert_eq!(offsets, [1, 2, 3]);
    assert_eq!(response.groups[0].topics[0].partitions[0].metadata, Some(text("note")));
}

#[test]
fn before_version_8_one_group_is_fetched() {
    let mut world = World::new();
    world.groups.commit(world.now, commit("g", &[("t", 0, 1)]), 8, &exists);
    let topic = OffsetFetchRequestTopic::default().with_name(topic_name("t")).with_partition_indexes(vec![0, 1]);
    let request = OffsetFetchRequest::default().with_group_id(group_id("g")).with_topics(Some(vec![topic]));
    let response = world.groups.fetch_offsets(world.now, request.clone(), 1);
    let offsets: Vec<i64> = response.topics[0].partitions.iter().map(|own| own.committed_offset).collect();
    assert_eq!(offsets, [1, -1]);
    let response = world.groups.fetch_offsets(world.now, request.with_topics(None), 7);
    assert_eq!(response.topics[0].partitions.len(), 1);
}

fn delete(group: &str, topic: &str, partition: i32) -> OffsetDeleteRequest {
    let partition = OffsetDeleteRequestPartition::default().with_partition_index(partition);
    let topic = OffsetDeleteRequestTopic::default().with_name(topic_name(topic)).with_partitions(vec![partition]);
    OffsetDeleteRequest::default().with_group_id(group_id(group)).with_topics(vec![topic])
}

#[test]
fn offsets_are_deleted_unless_the_group_reads_the_topic() {
    let mut world = World::new();
    let code = |world: &mut World, request| {
        let response = world.groups.delete_offsets(world.now, request, &exists);
        (response.error_code, response.topics.first().map_or(0, |topic| topic.partitions[0].error_code))
    };
    assert_eq!(code(&mut world, delete("", "in", 0)).0, error(ResponseError::InvalidGroupId));
    assert_eq!(code(&mut world, delete("g", "nope", 0)).0, error(ResponseError::GroupIdNotFound));
    for topic in ["in", "out"] {
        assert_eq!(world.commit(commit("g", &[(topic, 0, 9)]), 8), NONE);
    }
    let (ids, _) = world.stable("g", 2);
    assert_eq!(code(&mut world, delete("g", "in", 0)), (NONE, error(ResponseError::GroupSubscribedToTopic)));
    assert_eq!(code(&mut world, delete("g", "nope", 0)), (NONE, error(ResponseError::UnknownTopicOrPartition)));
    assert_eq!(code(&mut world, delete("g", "out", 0)), (NONE, NONE));
    assert_eq!(world.fetch("g", "out", false), (-1, NONE));
    for id in &ids {
        world.leave("g", id);
    }
    assert_eq!(code(&mut world, delete("g", "in", 0)), (NONE, NONE));
    assert_eq!(world.fetch("g", "in", false), (-1, NONE));
}

#[test]
fn a_subscription_that_cannot_be_read_may_be_to_any_topic() {
    let mut world = World::new();
    let garbage = new_member("g").with_protocols(vec![protocol("range", Bytes::from_static(b"x"))]);
    world.join(garbage, 3);
    let other = new_member("h").with_protocol_type(text("connect"));
    world.join(other, 3);
    world.settle();
    let response = world.groups.delete_offsets(world.now, delete("g", "out", 0), &exists);
    assert_eq!(response.topics[0].partitions[0].error_code, error(ResponseError::GroupSubscribedToTopic));
    let response = world.groups.delete_offsets(world.now, delete("h", "out", 0), &exists);
    assert_eq!(response.error_code, error(ResponseError::NonEmptyGroup));
}

#[test]
fn a_deleted_topic_takes_its_offsets_along() {
    let mut world = World::new();
    world.groups.commit(world.now, commit("g", &[("t", 0, 1), ("u", 0, 2)]), 8, &exists);
    world.groups.forget_topic("t");
    assert_eq!(world.fetch("g", "t", false), (-1, NONE));
    assert_eq!(world.fetch("g", "u", false), (2, NONE));
}
