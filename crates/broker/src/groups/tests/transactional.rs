//! Offsets that are committed in transactions.

use kafka_protocol::messages::{
    DeleteGroupsRequest, ProducerId, TxnOffsetCommitRequest,
    txn_offset_commit_request::{TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic},
};

use super::{
    offsets::{commit, exists},
    *,
};

const UNSTABLE: (i64, i16) = (-1, 88);

pub(super) fn in_transaction(producer: i64, group: &str, offset: i64) -> TxnOffsetCommitRequest {
    let partition = TxnOffsetCommitRequestPartition::default().with_partition_index(0).with_committed_offset(offset);
    let topic = TxnOffsetCommitRequestTopic::default().with_name(topic_name("t")).with_partitions(vec![partition]);
    TxnOffsetCommitRequest::default()
        .with_producer_id(ProducerId(producer))
        .with_group_id(group_id(group))
        .with_generation_id(-1)
        .with_topics(vec![topic])
}

impl World {
    pub(super) fn commit_in_transaction(&mut self, request: TxnOffsetCommitRequest) -> i16 {
        let response = self.groups.commit_in_transaction(self.now, request, 3, &exists);
        self.collect();
        response.topics[0].partitions[0].error_code
    }
}

#[test]
fn an_offset_is_pending_until_its_transaction_ends() {
    let mut world = World::new();
    assert_eq!(world.commit(commit("g", &[("t", 0, 1)]), 8), NONE);
    assert_eq!(world.commit_in_transaction(in_transaction(7, "g", 5)), NONE);
    assert_eq!(world.fetch("g", "t", true), UNSTABLE);
    assert_eq!(world.fetch("g", "t", false), (1, NONE));
    world.groups.end_transaction(world.now, 8, true);
    assert_eq!(world.fetch("g", "t", true), UNSTABLE);
    world.groups.end_transaction(world.now, 7, true);
    assert_eq!(world.fetch("g", "t", true), (5, NONE));

    world.commit_in_transaction(in_transaction(7, "g", 9));
    world.groups.end_transaction(world.now, 7, false);
    assert_eq!(world.fetch("g", "t", true), (5, NONE));
}

#[test]
fn a_later_plain_commit_wins_over_an_older_pending_one() {
    let mut world = World::new();
    world.commit_in_transaction(in_transaction(7, "g", 20));
    world.commit(commit("g", &[("t", 0, 7)]), 8);
    world.groups.end_transaction(world.now, 7, true);
    assert_eq!(world.fetch("g", "t", true), (7, NONE));
}

#[test]
fn of_two_transactions_the_later_write_wins_not_the_later_end() {
    let mut world = World::new();
    world.commit_in_transaction(in_transaction(7, "g", 1));
    world.commit_in_transaction(in_transaction(8, "g", 2));
    world.groups.end_transaction(world.now, 8, true);
    assert_eq!(world.fetch("g", "t", true), UNSTABLE);
    world.groups.end_transaction(world.now, 7, true);
    assert_eq!(world.fetch("g", "t", true), (2, NONE));
}

#[test]
fn one_marker_decides_in_all_groups() {
    let mut world = World::new();
    world.commit_in_transaction(in_transaction(7, "g", 1));
    world.commit_in_transaction(in_transaction(7, "h", 2));
    world.groups.end_transaction(world.now, 7, true);
    assert_eq!((world.fetch("g", "t", true), world.fetch("h", "t", true)), ((1, NONE), (2, NONE)));
}

#[test]
fn the_checks_of_the_group() {
    let mut world = World::new();
    let of = |member: &StrBytes, generation| {
        in_transaction(7, "g", 5).with_member_id(member.clone()).with_generation_id(generation)
    };
    let unknown = error(ResponseError::UnknownMemberId);
    let illegal = error(ResponseError::IllegalGeneration);
    assert_eq!(world.commit_in_transaction(in_transaction(7, "", 5)), error(ResponseError::InvalidGroupId));
    assert_eq!(world.commit_in_transaction(of(&text("m"), 4)), illegal);
    // An empty or unknown group takes any member without a generation, and then no longer one with it.
    assert_eq!(world.commit_in_transaction(of(&text("m"), -1)), NONE);
    assert_eq!(world.commit_in_transaction(of(&text("m"), 4)), unknown);

    let (ids, generation) = world.stable("g", 1);
    assert_eq!(world.commit_in_transaction(of(&ids[0], generation)), NONE);
    assert_eq!(world.commit_in_transaction(of(&text(""), -1)), NONE);
    assert_eq!(world.commit_in_transaction(of(&ids[0], generation - 1)), illegal);
    assert_eq!(world.commit_in_transaction(of(&ids[0], -1)), illegal);
    assert_eq!(world.commit_in_transaction(of(&text("nobody"), generation)), unknown);
    // The state of the group does not matter.
    world.join(as_member("g", &ids[0]), 3);
    assert_eq!(world.state("g"), "CompletingRebalance");
    assert_eq!(world.commit_in_transaction(of(&ids[0], generation + 1)), NONE);
}

#[test]
fn a_fenced_static_member_cannot_commit() {
    let mut world = World::new();
    let wait = world.join(static_member("g", "a"), 9);
    world.settle();
    let id = world.joined(wait).member_id;
    world.sync(sync("g", &id, 1), 3);
    world.join(static_member("g", "a"), 9);
    let request =
        in_transaction(7, "g", 5).with_member_id(id).with_generation_id(1).with_group_instance_id(Some(text("a")));
    assert_eq!(world.commit_in_transaction(request), error(ResponseError::FencedInstanceId));
}

#[test]
fn it_is_not_a_sign_of_life() {
    let mut world = World::new();
    let (ids, generation) = world.stable("g", 1);
    world.pass(Millis::from(SESSION) - 1);
    let request = in_transaction(7, "g", 5).with_member_id(ids[0].clone()).with_generation_id(generation);
    assert_eq!(world.commit_in_transaction(request), NONE);
    world.pass(1);
    assert_eq!(world.state("g"), "Empty");
}

#[test]
fn a_deleted_group_or_topic_takes_pending_offsets_along() {
    let mut world = World::new();
    world.commit_in_transaction(in_transaction(7, "g", 5));
    let request = DeleteGroupsRequest::default().with_groups_names(vec![group_id("g")]);
    assert_eq!(world.groups.delete(world.now, request).results[0].error_code, NONE);
    assert_eq!(world.fetch("g", "t", true), (-1, NONE));
    world.groups.end_transaction(world.now, 7, true);
    assert_eq!((world.fetch("g", "t", true), world.state("g")), ((-1, NONE), "Dead"));

    world.commit_in_transaction(in_transaction(7, "g", 5));
    world.groups.forget_topic("t");
    assert_eq!(world.fetch("g", "t", true), (-1, NONE));
    world.groups.end_transaction(world.now, 7, true);
    assert_eq!(world.fetch("g", "t", true), (-1, NONE));
}
