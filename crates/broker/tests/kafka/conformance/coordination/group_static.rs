//! Static members: those with a group.instance.id (KIP-345).

use kafka_protocol::messages::{LeaveGroupRequest, leave_group_request::MemberIdentity};

use super::support::{
    Member, admit, code, connect, describe_group, group_id, group_state, join_request, protocols, topic, try_commit,
};
use crate::support::{broker::unique, wire::text};

fn instance(group: &str, instance: &str) -> Member {
    Member::with(join_request(group, "").with_group_instance_id(Some(text(instance))))
}

/// The only member, as an instance, with the assignment "all".
fn alone(group: &str, name: &str) -> Member {
    let mut member = instance(group, name);
    let sent = member.rejoin();
    assert_eq!(member.rejoined(sent), code::NONE);
    let own = member.id.clone();
    assert_eq!(member.sync(&[(&own, "all")]).error_code, code::NONE);
    member
}

#[test]
fn a_static_member_joins_at_once() {
    for version in [5, 7, 9] {
        let request = join_request(&unique("group"), "").with_group_instance_id(Some(text("one")));
        let joined = connect().call(&request, version);
        assert_eq!((joined.error_code, joined.generation_id), (code::NONE, 1), "v{version}");
        // Its id begins with the instance's, not with the client's.
        assert!(joined.member_id.starts_with("one-"), "v{version}: {}", joined.member_id);
        assert_eq!(joined.members[0].group_instance_id.as_deref(), Some("one"), "v{version}");
    }
}

#[test]
fn the_same_instance_takes_over_without_rebalance() {
    let group = unique("group");
    let old = alone(&group, "one");
    let mut new = instance(&group, "one");
    let sent = new.rejoin();
    assert_eq!(new.rejoined(sent), code::NONE);
    assert_ne!(new.id, old.id);
    assert_eq!(new.generation, old.generation);
    assert_eq!(group_state(&group), "Stable");
    assert_eq!(new.sync(&[]).assignment, "all");
    assert_eq!(describe_group(&group).members.len(), 1);
}

/// Before version 9 it is told its predecessor's id as the leader's, so as not to assign anew.
#[test]
fn an_instance_that_takes_over_the_lead_is_not_to_assign() {
    let group = unique("group");
    let old = alone(&group, "one");
    let mut new = instance(&group, "one");
    let sent = new.rejoin();
    assert_eq!(new.rejoined(sent), code::NONE);
    assert_eq!((new.leader.as_str(), new.joined.members.len()), (old.id.as_str(), 0));
    let request = join_request(&group, "").with_group_instance_id(Some(text("one")));
    let joined = connect().call(&request, 9);
    assert_eq!((joined.error_code, joined.generation_id), (code::NONE, 1));
    assert_eq!(joined.leader, joined.member_id);
    assert!(joined.skip_assignment);
    assert_eq!(joined.members.len(), 1);
}

#[test]
fn an_instance_that_follows_takes_over_as_follower() {
    let group = unique("group");
    let mut leader = alone(&group, "one");
    let old = admit(&mut leader, instance(&group, "two"));
    let request = join_request(&group, "").with_group_instance_id(Some(text("two")));
    let joined = connect().call(&request, 9);
    assert_eq!((joined.error_code, joined.generation_id), (code::NONE, old.generation));
    assert_eq!(joined.leader.as_str(), leader.id);
    assert!(!joined.skip_assignment);
    assert_eq!(joined.members.len(), 0);
    assert_eq!(leader.heartbeat(), code::NONE);
}

#[test]
fn the_member_that_was_replaced_is_fenced() {
    let group = unique("group");
    let topic = topic(1);
    let mut old = alone(&group, "one");
    let mut new = instance(&group, "one");
    let sent = new.rejoin();
    assert_eq!(new.rejoined(sent), code::NONE);
    assert_eq!(old.heartbeat(), code::FENCED_INSTANCE_ID);
    assert_eq!(old.sync(&[]).error_code, code::FENCED_INSTANCE_ID);
    let commit = old.commit_request(&topic, 0, 1);
    assert_eq!(try_commit(&mut old.client, &commit, 8), code::FENCED_INSTANCE_ID);
    let sent = old.rejoin();
    assert_eq!(old.rejoined(sent), code::FENCED_INSTANCE_ID);
    assert_eq!(new.heartbeat(), code::NONE);
}

#[test]
fn without_its_instance_id_the_replaced_member_is_unknown() {
    let group = unique("group");
    let mut old = alone(&group, "one");
    let mut new = instance(&group, "one");
    let sent = new.rejoin();
    assert_eq!(new.rejoined(sent), code::NONE);
    old.instance = None;
    assert_eq!(old.heartbeat(), code::UNKNOWN_MEMBER_ID);
}

#[test]
fn an_instance_id_that_the_group_does_not_have_is_unknown() {
    let mut member = alone(&unique("group"), "one");
    member.instance = Some("two".to_owned());
    assert_eq!(member.heartbeat(), code::UNKNOWN_MEMBER_ID);
}

#[test]
fn an_instance_that_changes_the_groups_protocol_makes_it_rebalance() {
    let group = unique("group");
    let member = |of: &[(&str, &str)]| {
        let request = join_request(&group, "").with_group_instance_id(Some(text("one")));
        let mut member = Member::with(request.with_protocols(protocols(of)));
        let sent = member.rejoin();
        assert_eq!(member.rejoined(sent), code::NONE);
        member
    };
    let mut old = member(&[("range", ""), ("sticky", "")]);
    assert_eq!(old.joined.protocol_name.as_deref(), Some("range"));
    assert_eq!(old.sync(&[]).error_code, code::NONE);
    let new = member(&[("sticky", ""), ("range", "")]);
    assert_eq!(new.generation, old.generation + 1);
    assert_eq!(new.joined.protocol_name.as_deref(), Some("sticky"));
}

/// Unlike a dynamic member's.
#[test]
fn new_metadata_of_an_instance_that_comes_back_makes_no_rebalance() {
    let group = unique("group");
    let old = alone(&group, "one");
    let mut new = Member::with(
        join_request(&group, "")
            .with_group_instance_id(Some(text("one")))
            .with_protocols(protocols(&[("range", "changed")])),
    );
    let sent = new.rejoin();
    assert_eq!(new.rejoined(sent), code::NONE);
    assert_eq!(new.generation, old.generation);
    let described = describe_group(&group);
    assert_eq!(described.members[0].member_metadata, "changed");
}

#[test]
fn an_instance_can_be_removed_by_its_name() {
    for version in 3..=5 {
        let group = unique("group");
        let mut member = alone(&group, "one");
        let leaving =
            |name: &str| MemberIdentity::default().with_member_id(text("")).with_group_instance_id(Some(text(name)));
        let request = LeaveGroupRequest::default()
            .with_group_id(group_id(&group))
            .with_members(vec![leaving("one"), leaving("two")]);
        let left = connect().call(&request, version);
        assert_eq!(left.error_code, code::NONE, "v{version}");
        let answers: Vec<_> = left
            .members
            .iter()
            .map(|member| (member.group_instance_id.as_ref().unwrap().to_string(), member.error_code))
            .collect();
        assert_eq!(answers, [("one".to_owned(), code::NONE), ("two".to_owned(), code::UNKNOWN_MEMBER_ID)]);
        assert_eq!(member.heartbeat(), code::UNKNOWN_MEMBER_ID, "v{version}");
        assert_eq!(group_state(&group), "Empty", "v{version}");
    }
}

#[test]
fn an_instance_cannot_leave_with_the_id_of_its_predecessor() {
    let group = unique("group");
    let old = alone(&group, "one");
    let mut new = instance(&group, "one");
    let sent = new.rejoin();
    assert_eq!(new.rejoined(sent), code::NONE);
    let leaving = MemberIdentity::default().with_member_id(text(&old.id)).with_group_instance_id(Some(text("one")));
    let request = LeaveGroupRequest::default().with_group_id(group_id(&group)).with_members(vec![leaving]);
    let left = connect().call(&request, 4);
    assert_eq!((left.error_code, left.members[0].error_code), (code::NONE, code::FENCED_INSTANCE_ID));
    assert_eq!(new.heartbeat(), code::NONE);
}
