//! DescribeGroups, ListGroups, DeleteGroups.

use kafka_protocol::messages::{DeleteGroupsRequest, DescribeGroupsRequest, ListGroupsRequest};

use super::{offsets::commit, *};

fn describe(
    world: &mut World,
    group: &str,
    version: i16,
) -> kafka_protocol::messages::describe_groups_response::DescribedGroup {
    let request = DescribeGroupsRequest::default()
        .with_groups(vec![group_id(group)])
        .with_include_authorized_operations(version >= 3);
    world.groups.describe(world.now, request, version).groups.remove(0)
}

#[test]
fn a_group_is_described_by_its_state_and_members() {
    let mut world = World::new();
    let wait = world.join(new_member("g"), 3);
    world.settle();
    let id = world.joined(wait).member_id;
    let group = describe(&mut world, "g", 5);
    assert_eq!(group.group_state.as_str(), "CompletingRebalance");
    assert_eq!((group.protocol_type.as_str(), group.protocol_data.as_str()), ("consumer", ""));
    assert_eq!(group.members[0].member_metadata, Bytes::new());
    // What Apache Kafka 4.3.1 answers without an authorizer.
    assert_eq!(group.authorized_operations, 3_400);

    world.sync(assigning(sync("g", &id, 1), &[(&id, "all")]), 3);
    let group = describe(&mut world, "g", 0);
    assert_eq!((group.group_state.as_str(), group.protocol_data.as_str()), ("Stable", "range"));
    let member = &group.members[0];
    assert_eq!((member.client_id.as_str(), member.client_host.as_str()), ("client", "/127.0.0.1"));
    assert_eq!((&member.member_metadata, &member.member_assignment), (&subscription(&["in"]), &Bytes::from("all")));
    assert_eq!(group.authorized_operations, i32::MIN);

    world.leave("g", &id);
    let group = describe(&mut world, "g", 5);
    assert_eq!((group.group_state.as_str(), group.protocol_type.as_str()), ("Empty", "consumer"));
}

#[test]
fn an_unknown_group_is_dead_and_from_version_6_an_error() {
    let mut world = World::new();
    let group = describe(&mut world, "g", 5);
    assert_eq!((group.error_code, group.group_state.as_str()), (NONE, "Dead"));
    assert_eq!(group.authorized_operations, 3_400);
    let group = describe(&mut world, "g", 6);
    assert_eq!((group.error_code, group.group_state.as_str()), (error(ResponseError::GroupIdNotFound), "Dead"));
    assert_eq!(group.error_message, Some(text("Group g not found.")));
    assert_eq!(group.authorized_operations, i32::MIN);
}

#[test]
fn groups_are_listed_by_state_and_type() {
    let mut world = World::new();
    world.stable("live", 1);
    world.commit(commit("simple", &[("t", 0, 1)]), 8);
    let mut names = |request: ListGroupsRequest, version| {
        let response = world.groups.list(world.now, request, version);
        let mut names: Vec<String> = response.groups.iter().map(|group| group.group_id.to_string()).collect();
        names.sort();
        names
    };
    let by_state = |state| ListGroupsRequest::default().with_states_filter(vec![text(state)]);
    let by_type = |kind| ListGroupsRequest::default().with_types_filter(vec![text(kind)]);
    assert_eq!(names(ListGroupsRequest::default(), 0), ["live", "simple"]);
    assert_eq!(names(by_state(" stable "), 4), ["live"]);
    assert_eq!(names(by_state("Empty"), 4), ["simple"]);
    assert_eq!(names(by_state("Dead"), 4), [""; 0]);
    assert_eq!(names(by_type("Classic"), 5), ["live", "simple"]);
    assert_eq!(names(by_type("consumer"), 5), [""; 0]);
    let listed = world.groups.list(world.now, by_state("Empty"), 5).groups.remove(0);
    assert_eq!((listed.protocol_type.as_str(), listed.group_type.as_str()), ("", "classic"));
}

#[test]
fn only_groups_without_members_are_deleted_and_their_offsets_with_them() {
    let mut world = World::new();
    let (ids, _) = world.stable("g", 1);
    let delete = |world: &mut World, groups: &[&str]| {
        let names = groups.iter().map(|group| group_id(group)).collect();
        let response = world.groups.delete(world.now, DeleteGroupsRequest::default().with_groups_names(names));
        response.results.iter().map(|result| result.error_code).collect::<Vec<_>>()
    };
    let expected = [error(ResponseError::NonEmptyGroup), error(ResponseError::GroupIdNotFound)];
    assert_eq!(delete(&mut world, &["g", "h"]), expected);
    world.leave("g", &ids[0]);
    world.commit(commit("g", &[("t", 0, 1)]), 8);
    assert_eq!(delete(&mut world, &["g", "g"]), [NONE]);
    assert_eq!(world.state("g"), "Dead");
    assert_eq!(world.fetch("g", "t", false), (-1, NONE));
    // Its name is free, and begins at generation 1 again.
    let (_, generation) = world.stable("g", 1);
    assert_eq!(generation, 1);
}

#[test]
fn a_deleted_group_leaves_no_timer_behind() {
    let mut world = World::new();
    let wait = world.join(new_member("g"), 4);
    let id = world.joined(wait).member_id;
    let names = vec![group_id("g")];
    world.groups.delete(world.now, DeleteGroupsRequest::default().with_groups_names(names));
    let wait = world.join(as_member("g", &id), 4);
    assert_eq!(world.joined(wait).error_code, error(ResponseError::UnknownMemberId));
    world.pass(600_000);
    assert_eq!(world.groups.next_deadline(), None);
}
