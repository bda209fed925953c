//! The codec refuses a field that its version does not have: each answer must fit each version.

use bytes::BytesMut;
use kafka_protocol::{
    messages::{
        DescribeGroupsRequest, ListGroupsRequest, OffsetFetchRequest, offset_fetch_request::OffsetFetchRequestGroup,
    },
    protocol::Encodable,
};

use super::{offsets::commit, *};

fn fits<T: Encodable>(response: &T, version: i16) {
    response.encode(&mut BytesMut::new(), version).unwrap_or_else(|error| panic!("version {version}: {error}"));
}

#[test]
fn answers_fit_each_version() {
    for version in 0..=9 {
        let mut world = World::new();
        let mut request = new_member("g");
        let wait = world.join(request.clone(), version);
        world.settle();
        let mut joined = world.joined(wait);
        fits(&joined, version);
        if version >= 4 {
            request.member_id = joined.member_id.clone();
            let wait = world.join(request.clone(), version);
            world.settle();
            joined = world.joined(wait);
            fits(&joined, version);
        }
        assert_eq!(joined.error_code, NONE);
        request.member_id = text("nobody");
        let wait = world.join(request, version);
        fits(&world.joined(wait), version);
        let wait = world.join(static_member("g", "i"), version);
        world.join(as_member("g", &joined.member_id), version);
        world.pass(60_000);
        fits(&world.joined(wait), version);
    }
}

#[test]
fn answers_to_others_fit_each_version() {
    let mut world = World::new();
    let (ids, generation) = world.stable("g", 1);
    world.commit(commit("simple", &[("t", 0, 1)]), 8);
    for version in 0..=5 {
        let request = sync("g", &ids[0], generation)
            .with_protocol_type(Some(text("consumer")))
            .with_protocol_name(Some(text("range")));
        let wait = world.sync(request, version);
        fits(&world.synced(wait), version);
        let leave = LeaveGroupRequest::default()
            .with_group_id(group_id("g"))
            .with_members(vec![MemberIdentity::default().with_group_instance_id(Some(text("i")))]);
        fits(&world.groups.leave(world.now, leave, version), version);
        fits(&world.groups.list(world.now, ListGroupsRequest::default(), version), version);
    }
    for version in 0..=6 {
        let request = DescribeGroupsRequest::default()
            .with_groups(vec![group_id("g"), group_id("none")])
            .with_include_authorized_operations(true);
        fits(&world.groups.describe(world.now, request, version), version);
    }
    for version in 1..=9 {
        let group = OffsetFetchRequestGroup::default().with_group_id(group_id("simple")).with_topics(None);
        let request =
            OffsetFetchRequest::default().with_group_id(group_id("simple")).with_topics(None).with_groups(vec![group]);
        fits(&world.groups.fetch_offsets(world.now, request, version), version);
    }
    for version in 2..=9 {
        let response =
            world.groups.commit(world.now, commit("simple", &[("t", 0, 1), ("nope", 0, 1)]), version, &offsets::exists);
        fits(&response, version);
    }
}
