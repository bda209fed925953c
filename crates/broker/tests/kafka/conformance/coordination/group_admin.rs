//! DescribeGroups, ListGroups and DeleteGroups.

use kafka_protocol::messages::{
    DeleteGroupsRequest, DescribeGroupsRequest, DescribeGroupsResponse, ListGroupsRequest,
    list_groups_response::ListedGroup,
};

use super::support::{
    Member, code, commit_offset, committed_offset, connect, connect_as, describe_group, group_id, group_state,
    join_request, pair, topic,
};
use crate::support::{broker::unique, wire::text};

fn describe(groups: &[&str], version: i16) -> DescribeGroupsResponse {
    let groups = groups.iter().map(|group| group_id(group)).collect();
    connect().call(&DescribeGroupsRequest::default().with_groups(groups), version)
}

#[test]
fn a_stable_group_is_described_with_members_and_assignments() {
    for version in 0..=6 {
        let group = unique("group");
        let (leader, follower) = pair(&group);
        let described = describe(&[&group], version).groups.remove(0);
        assert_eq!(described.error_code, code::NONE, "v{version}");
        assert_eq!(described.group_id.as_str(), group, "v{version}");
        assert_eq!(described.group_state.as_str(), "Stable", "v{version}");
        assert_eq!(described.protocol_type.as_str(), "worker", "v{version}");
        assert_eq!(described.protocol_data.as_str(), "range", "v{version}");
        let mut members: Vec<_> = described
            .members
            .iter()
            .map(|member| {
                assert_eq!(member.client_id.as_str(), "conformance", "v{version}");
                assert_eq!(member.client_host.as_str(), "/127.0.0.1", "v{version}");
                assert_eq!(member.group_instance_id, None, "v{version}");
                assert_eq!(member.member_metadata, "subscription", "v{version}");
                (member.member_id.to_string(), member.member_assignment.to_vec())
            })
            .collect();
        members.sort();
        let mut expected = vec![(leader.id, b"first".to_vec()), (follower.id, b"second".to_vec())];
        expected.sort();
        assert_eq!(members, expected, "v{version}");
    }
}

#[test]
fn the_authorized_operations_of_a_group_are_told_only_on_demand() {
    let group = unique("group");
    let _member = Member::alone(&group);
    assert_eq!(describe_group(&group).authorized_operations, i32::MIN);
    let request =
        DescribeGroupsRequest::default().with_groups(vec![group_id(&group)]).with_include_authorized_operations(true);
    for version in 3..=6 {
        // Without authorizer all that there are for a group: READ, DELETE, DESCRIBE, DESCRIBE_CONFIGS, ALTER_CONFIGS.
        let all = 1 << 3 | 1 << 6 | 1 << 8 | 1 << 10 | 1 << 11;
        assert_eq!(connect().call(&request, version).groups[0].authorized_operations, all, "v{version}");
    }
}

#[test]
fn a_group_goes_from_empty_over_two_kinds_of_rebalance_to_stable() {
    let group = unique("group");
    let mut leader = Member::join(&group);
    assert_eq!(group_state(&group), "CompletingRebalance");
    assert_eq!(leader.sync(&[]).error_code, code::NONE);
    assert_eq!(group_state(&group), "Stable");
    let mut newcomer = Member::stranger(&group);
    let _joining = newcomer.rejoin();
    leader.hears_of_rebalance();
    assert_eq!(group_state(&group), "PreparingRebalance");
    assert_eq!(newcomer.leave_by_another(), code::NONE);
    let rejoining = leader.rejoin();
    assert_eq!(leader.rejoined(rejoining), code::NONE);
    assert_eq!(leader.leave(), code::NONE);
    assert_eq!(group_state(&group), "Empty");
}

#[test]
fn a_group_that_is_not_stable_is_described_without_metadata() {
    let group = unique("group");
    let member = Member::join(&group);
    let described = describe_group(&group);
    assert_eq!((described.protocol_type.as_str(), described.protocol_data.as_str()), ("worker", ""));
    assert_eq!(described.members.len(), 1);
    assert_eq!(described.members[0].member_id.as_str(), member.id);
    assert_eq!((described.members[0].member_metadata.len(), described.members[0].member_assignment.len()), (0, 0));
}

#[test]
fn a_group_that_was_left_keeps_its_protocol_type() {
    let group = unique("group");
    assert_eq!(Member::alone(&group).leave(), code::NONE);
    let described = describe_group(&group);
    assert_eq!((described.group_state.as_str(), described.protocol_type.as_str()), ("Empty", "worker"));
    assert_eq!(described.members.len(), 0);
}

#[test]
fn a_group_of_offsets_alone_is_empty_and_of_no_type() {
    let (topic, group) = (topic(1), unique("group"));
    commit_offset(&group, &topic, 0, 1);
    let described = describe_group(&group);
    assert_eq!((described.group_state.as_str(), described.protocol_type.as_str()), ("Empty", ""));
}

#[test]
fn an_absent_group_is_dead_and_since_version_6_not_found() {
    let group = unique("group");
    for (version, expected) in [(0, code::NONE), (3, code::NONE), (5, code::NONE), (6, code::GROUP_ID_NOT_FOUND)] {
        let described = describe(&[&group], version).groups.remove(0);
        assert_eq!(described.error_code, expected, "v{version}");
        assert_eq!(described.group_id.as_str(), group, "v{version}");
        assert_eq!(described.group_state.as_str(), "Dead", "v{version}");
        assert_eq!(described.members.len(), 0, "v{version}");
    }
}

#[test]
fn several_groups_are_described_at_once() {
    let (first, absent, second) = (unique("group"), unique("group"), unique("group"));
    let _members = (Member::alone(&first), Member::join(&second));
    let described = describe(&[&first, &absent, &second], 5);
    let mut states: Vec<_> =
        described.groups.iter().map(|group| (group.group_id.to_string(), group.group_state.to_string())).collect();
    states.sort();
    let mut expected =
        vec![(first, "Stable".to_owned()), (absent, "Dead".to_owned()), (second, "CompletingRebalance".to_owned())];
    expected.sort();
    assert_eq!(states, expected);
}

#[test]
fn a_member_is_described_with_its_client_and_instance() {
    let group = unique("group");
    let mut client = connect_as("another client");
    let request = join_request(&group, "").with_group_instance_id(Some(text("instance")));
    assert_eq!(client.call(&request, 5).error_code, code::NONE);
    let described = describe_group(&group);
    assert_eq!(described.members[0].client_id.as_str(), "another client");
    assert_eq!(described.members[0].group_instance_id.as_deref(), Some("instance"));
}

fn list(states: &[&str], types: &[&str], version: i16) -> Vec<ListedGroup> {
    let request = ListGroupsRequest::default()
        .with_states_filter(states.iter().map(|state| text(state)).collect())
        .with_types_filter(types.iter().map(|kind| text(kind)).collect());
    let response = connect().call(&request, version);
    assert_eq!(response.error_code, code::NONE);
    response.groups
}

fn listed(group: &str, states: &[&str], types: &[&str], version: i16) -> Option<ListedGroup> {
    list(states, types, version).into_iter().find(|listed| listed.group_id.as_str() == group)
}

#[test]
fn groups_are_listed_with_protocol_type_state_and_type() {
    let group = unique("group");
    let _member = Member::alone(&group);
    for version in 0..=5 {
        let listed = listed(&group, &[], &[], version).unwrap();
        assert_eq!(listed.protocol_type.as_str(), "worker", "v{version}");
        let state = if version >= 4 { "Stable" } else { "" };
        assert_eq!(listed.group_state.as_str(), state, "v{version}");
        let kind = if version >= 5 { "classic" } else { "" };
        assert_eq!(listed.group_type.as_str(), kind, "v{version}");
    }
}

#[test]
fn groups_are_listed_by_state() {
    let (stable, empty) = (unique("group"), unique("group"));
    let _member = Member::alone(&stable);
    assert_eq!(Member::alone(&empty).leave(), code::NONE);
    for version in [4, 5] {
        let is_listed = |group: &str, states: &[&str]| listed(group, states, &[], version).is_some();
        assert!(is_listed(&stable, &["Stable"]) && !is_listed(&empty, &["Stable"]), "v{version}");
        assert!(!is_listed(&stable, &["Empty"]) && is_listed(&empty, &["Empty"]), "v{version}");
        assert!(is_listed(&stable, &["Empty", "Stable"]) && is_listed(&empty, &["Empty", "Stable"]), "v{version}");
        // In any case of letters.
        assert!(is_listed(&stable, &["sTABLE"]), "v{version}");
        assert!(list(&["NoSuchState"], &[], version).is_empty(), "v{version}");
    }
}

#[test]
fn groups_are_listed_by_type() {
    let group = unique("group");
    let _member = Member::alone(&group);
    assert!(listed(&group, &[], &["classic"], 5).is_some());
    assert!(listed(&group, &[], &["Classic"], 5).is_some());
    assert!(listed(&group, &[], &["consumer"], 5).is_none());
    assert!(listed(&group, &["Stable"], &["classic", "consumer"], 5).is_some());
    assert!(listed(&group, &["Empty"], &["classic"], 5).is_none());
}

#[test]
fn a_group_of_offsets_alone_is_listed() {
    let (topic, group) = (topic(1), unique("group"));
    commit_offset(&group, &topic, 0, 1);
    let listed = listed(&group, &[], &[], 5).unwrap();
    assert_eq!((listed.group_state.as_str(), listed.protocol_type.as_str()), ("Empty", ""));
}

fn delete(groups: &[&str], version: i16) -> Vec<(String, i16)> {
    let groups = groups.iter().map(|group| group_id(group)).collect();
    let response = connect().call(&DeleteGroupsRequest::default().with_groups_names(groups), version);
    let mut results: Vec<_> =
        response.results.iter().map(|result| (result.group_id.to_string(), result.error_code)).collect();
    results.sort();
    results
}

#[test]
fn an_empty_group_is_deleted_with_its_offsets() {
    let topic = topic(1);
    for version in 0..=2 {
        let group = unique("group");
        commit_offset(&group, &topic, 0, 1);
        assert_eq!(delete(&[&group], version), [(group.clone(), code::NONE)], "v{version}");
        assert_eq!(committed_offset(&group, &topic, 0), -1, "v{version}");
        assert_eq!(group_state(&group), "Dead", "v{version}");
        assert!(listed(&group, &[], &[], 5).is_none(), "v{version}");
    }
}

#[test]
fn each_group_is_deleted_for_itself() {
    let topic = topic(1);
    for version in 0..=2 {
        let (empty, live, absent) = (unique("group"), unique("group"), unique("group"));
        commit_offset(&empty, &topic, 0, 1);
        let mut member = Member::alone(&live);
        let mut expected = vec![
            (empty.clone(), code::NONE),
            (live.clone(), code::NON_EMPTY_GROUP),
            (absent.clone(), code::GROUP_ID_NOT_FOUND),
        ];
        expected.sort();
        assert_eq!(delete(&[&empty, &live, &absent], version), expected, "v{version}");
        assert_eq!(member.heartbeat(), code::NONE, "v{version}");
    }
}

#[test]
fn a_group_that_only_told_an_id_can_be_deleted() {
    let group = unique("group");
    let mut stranger = Member::stranger(&group);
    assert_eq!(delete(&[&group], 2), [(group.clone(), code::NONE)]);
    let sent = stranger.rejoin();
    assert_eq!(stranger.rejoined(sent), code::UNKNOWN_MEMBER_ID);
}
