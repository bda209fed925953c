//! SyncGroup, Heartbeat and LeaveGroup: the life of a generation and the way to the next.

use std::time::Duration;

use kafka_protocol::messages::{
    HeartbeatRequest, LeaveGroupRequest, SyncGroupRequest, leave_group_request::MemberIdentity,
};

use super::support::{
    Member, admit, code, connect, describe_group, group_id, group_state, join_request, pair, protocols, until,
};
use crate::support::{broker::unique, wire::text};

#[test]
fn each_member_gets_the_assignment_that_the_leader_made_for_it() {
    for version in [0, 1, 3, 5] {
        let group = unique("group");
        let (mut leader, mut follower) = pair(&group);
        // Of a stable group the assignment can be had again.
        for (member, expected) in [(&mut leader, "first"), (&mut follower, "second")] {
            let request = member
                .sync_request(&[])
                .with_protocol_type(Some(text("worker")))
                .with_protocol_name(Some(text("range")));
            let synced = member.client.call(&request, version);
            assert_eq!(synced.error_code, code::NONE, "v{version}");
            assert_eq!(synced.assignment, expected, "v{version}");
            if version == 5 {
                assert_eq!(synced.protocol_type.as_deref(), Some("worker"));
                assert_eq!(synced.protocol_name.as_deref(), Some("range"));
            }
        }
    }
}

#[test]
fn a_follower_waits_for_the_leaders_assignment() {
    let group = unique("group");
    let (mut leader, mut follower) = pair(&group);
    let leading = leader.rejoin();
    follower.hears_of_rebalance();
    let following = follower.rejoin();
    assert_eq!(leader.rejoined(leading), code::NONE);
    assert_eq!(follower.rejoined(following), code::NONE);
    assert_eq!(group_state(&group), "CompletingRebalance");
    let request = follower.sync_request(&[]);
    let waiting = follower.client.send(&request, 3);
    assert!(follower.client.is_silent_for(Duration::from_millis(200)));
    let other = follower.id.clone();
    assert_eq!(leader.sync(&[(&other, "yours")]).error_code, code::NONE);
    let synced = follower.client.receive(waiting);
    assert_eq!((synced.error_code, &synced.assignment[..]), (code::NONE, &b"yours"[..]));
}

#[test]
fn a_member_that_the_leader_forgot_gets_an_empty_assignment() {
    let mut member = Member::join(&unique("group"));
    let synced = member.sync(&[]);
    assert_eq!((synced.error_code, synced.assignment.len()), (code::NONE, 0));
}

#[test]
fn assignments_of_a_follower_are_ignored() {
    let group = unique("group");
    let (mut leader, mut follower) = pair(&group);
    let (first, second) = (leader.id.clone(), follower.id.clone());
    let synced = follower.sync(&[(&first, "stolen"), (&second, "stolen")]);
    assert_eq!((synced.error_code, &synced.assignment[..]), (code::NONE, &b"second"[..]));
    assert_eq!(leader.sync(&[]).assignment, "first");
}

#[test]
fn sync_of_an_unknown_group_member_or_generation_is_refused() {
    for version in [0, 3, 5] {
        let group = unique("group");
        let mut member = Member::join(&group);
        let request =
            member.sync_request(&[]).with_protocol_type(Some(text("worker"))).with_protocol_name(Some(text("range")));
        let mut call = |request: SyncGroupRequest| member.client.call(&request, version).error_code;
        assert_eq!(call(request.clone().with_group_id(group_id(&unique("group")))), code::UNKNOWN_MEMBER_ID);
        assert_eq!(call(request.clone().with_group_id(group_id(""))), code::INVALID_GROUP_ID);
        assert_eq!(call(request.clone().with_member_id(text("stranger"))), code::UNKNOWN_MEMBER_ID);
        assert_eq!(call(request.clone().with_generation_id(2)), code::ILLEGAL_GENERATION);
        assert_eq!(call(request.clone().with_generation_id(0)), code::ILLEGAL_GENERATION);
        assert_eq!(call(request), code::NONE);
    }
}

#[test]
fn since_version_5_a_sync_names_the_protocol_that_was_chosen() {
    let mut member = Member::join(&unique("group"));
    let request = member.sync_request(&[]);
    let mut call = |kind: Option<&str>, name: Option<&str>| {
        let request = request.clone().with_protocol_type(kind.map(text)).with_protocol_name(name.map(text));
        member.client.call(&request, 5).error_code
    };
    assert_eq!(call(None, None), code::INCONSISTENT_GROUP_PROTOCOL);
    assert_eq!(call(Some("worker"), None), code::INCONSISTENT_GROUP_PROTOCOL);
    assert_eq!(call(Some("another"), Some("range")), code::INCONSISTENT_GROUP_PROTOCOL);
    assert_eq!(call(Some("worker"), Some("another")), code::INCONSISTENT_GROUP_PROTOCOL);
    assert_eq!(call(Some("worker"), Some("range")), code::NONE);
}

#[test]
fn a_heartbeat_of_a_member_of_the_current_generation_is_accepted() {
    let mut member = Member::alone(&unique("group"));
    let request = member.heartbeat_request();
    for version in 0..=4 {
        assert_eq!(member.client.call(&request, version).error_code, code::NONE, "v{version}");
    }
}

#[test]
fn a_heartbeat_is_accepted_before_the_assignment_is_there() {
    let group = unique("group");
    let mut member = Member::join(&group);
    assert_eq!(group_state(&group), "CompletingRebalance");
    assert_eq!(member.heartbeat(), code::NONE);
}

#[test]
fn a_heartbeat_of_an_unknown_group_member_or_generation_is_refused() {
    for version in 0..=4 {
        let mut member = Member::alone(&unique("group"));
        let request = member.heartbeat_request();
        let mut call = |request: HeartbeatRequest| member.client.call(&request, version).error_code;
        assert_eq!(call(request.clone().with_group_id(group_id(&unique("group")))), code::UNKNOWN_MEMBER_ID);
        assert_eq!(call(request.clone().with_group_id(group_id(""))), code::INVALID_GROUP_ID);
        assert_eq!(call(request.clone().with_member_id(text("stranger"))), code::UNKNOWN_MEMBER_ID);
        assert_eq!(call(request.clone().with_member_id(text(""))), code::UNKNOWN_MEMBER_ID);
        assert_eq!(call(request.clone().with_generation_id(2)), code::ILLEGAL_GENERATION);
        assert_eq!(call(request.with_generation_id(0)), code::ILLEGAL_GENERATION);
    }
}

#[test]
fn a_newcomer_makes_the_members_rejoin_in_a_new_generation() {
    let group = unique("group");
    let mut leader = Member::alone(&group);
    assert_eq!(leader.generation, 1);
    let mut newcomer = Member::stranger(&group);
    // Told its id, it is not waited for yet.
    assert_eq!(leader.heartbeat(), code::NONE);
    let joining = newcomer.rejoin();
    leader.hears_of_rebalance();
    assert_eq!(group_state(&group), "PreparingRebalance");
    assert!(newcomer.client.is_silent_for(Duration::from_millis(200)));
    assert_eq!(leader.sync(&[]).error_code, code::REBALANCE_IN_PROGRESS);
    let rejoining = leader.rejoin();
    assert_eq!((leader.rejoined(rejoining), newcomer.rejoined(joining)), (code::NONE, code::NONE));
    assert_eq!((leader.generation, newcomer.generation), (2, 2));
    assert_eq!(group_state(&group), "CompletingRebalance");
}

#[test]
fn the_old_generation_is_illegal_after_a_rebalance() {
    let group = unique("group");
    let (mut leader, _follower) = pair(&group);
    leader.generation -= 1;
    assert_eq!(leader.heartbeat(), code::ILLEGAL_GENERATION);
    assert_eq!(leader.sync(&[]).error_code, code::ILLEGAL_GENERATION);
}

#[test]
fn a_leader_that_rejoins_makes_the_group_rebalance() {
    let group = unique("group");
    let (mut leader, mut follower) = pair(&group);
    let leading = leader.rejoin();
    follower.hears_of_rebalance();
    let following = follower.rejoin();
    assert_eq!((leader.rejoined(leading), follower.rejoined(following)), (code::NONE, code::NONE));
    assert_eq!((leader.generation, follower.generation), (3, 3));
}

#[test]
fn a_follower_that_rejoins_unchanged_gets_the_current_generation() {
    let group = unique("group");
    let (mut leader, mut follower) = pair(&group);
    let sent = follower.rejoin();
    assert_eq!(follower.rejoined(sent), code::NONE);
    assert_eq!((follower.generation, follower.joined.members.len()), (2, 0));
    assert_eq!(follower.leader, leader.id);
    assert_eq!(leader.heartbeat(), code::NONE);
    assert_eq!(follower.sync(&[]).assignment, "second");
}

#[test]
fn a_follower_that_rejoins_with_new_metadata_makes_the_group_rebalance() {
    let group = unique("group");
    let (mut leader, mut follower) = pair(&group);
    follower.subscription.protocols = protocols(&[("range", "changed")]);
    let following = follower.rejoin();
    leader.hears_of_rebalance();
    let leading = leader.rejoin();
    assert_eq!((leader.rejoined(leading), follower.rejoined(following)), (code::NONE, code::NONE));
    assert_eq!(leader.generation, 3);
    let of_follower = leader.joined.members.iter().find(|member| member.member_id.as_str() == follower.id);
    assert_eq!(of_follower.unwrap().metadata, "changed");
}

/// Its first answer may have been lost on the way.
#[test]
fn a_member_that_joins_again_before_the_assignment_gets_the_same_generation() {
    let mut member = Member::join(&unique("group"));
    let sent = member.rejoin();
    assert_eq!(member.rejoined(sent), code::NONE);
    assert_eq!((member.generation, member.joined.members.len()), (1, 1));
    assert!(member.leads());
}

#[test]
fn a_newcomer_before_the_assignment_sends_waiting_followers_back() {
    let group = unique("group");
    let (mut leader, mut follower) = pair(&group);
    let leading = leader.rejoin();
    follower.hears_of_rebalance();
    let following = follower.rejoin();
    assert_eq!((leader.rejoined(leading), follower.rejoined(following)), (code::NONE, code::NONE));
    let request = follower.sync_request(&[]);
    let waiting = follower.client.send(&request, 3);
    let mut newcomer = Member::stranger(&group);
    let _joining = newcomer.rejoin();
    assert_eq!(follower.client.receive(waiting).error_code, code::REBALANCE_IN_PROGRESS);
}

#[test]
fn a_member_that_does_not_rejoin_in_time_is_removed() {
    let group = unique("group");
    let mut leader = Member::with(join_request(&group, "").with_rebalance_timeout_ms(3_000));
    let sent = leader.rejoin();
    assert_eq!(leader.rejoined(sent), code::NONE);
    let own = leader.id.clone();
    assert_eq!(leader.sync(&[(&own, "")]).error_code, code::NONE);
    let mut newcomer = Member::with(join_request(&group, "").with_rebalance_timeout_ms(3_000));
    // The leader does not hear of it: only its session, much longer, is kept.
    let joining = newcomer.rejoin();
    assert_eq!(newcomer.rejoined(joining), code::NONE);
    assert_eq!((newcomer.generation, newcomer.joined.members.len()), (2, 1));
    assert!(newcomer.leads());
    assert_eq!(leader.heartbeat(), code::UNKNOWN_MEMBER_ID);
}

#[test]
fn the_longest_rebalance_timeout_of_the_members_counts() {
    let group = unique("group");
    let mut leader = Member::alone(&group);
    let mut newcomer = Member::with(join_request(&group, "").with_rebalance_timeout_ms(100));
    let joining = newcomer.rejoin();
    assert!(newcomer.client.is_silent_for(Duration::from_millis(1_000)));
    leader.hears_of_rebalance();
    let rejoining = leader.rejoin();
    assert_eq!((leader.rejoined(rejoining), newcomer.rejoined(joining)), (code::NONE, code::NONE));
    assert_eq!(newcomer.generation, 2);
}

#[test]
fn a_member_that_does_not_sync_in_time_is_removed() {
    let group = unique("group");
    let mut member = Member::with(join_request(&group, "").with_rebalance_timeout_ms(1_000));
    let sent = member.rejoin();
    assert_eq!(member.rejoined(sent), code::NONE);
    until("the removal", || (member.heartbeat() == code::UNKNOWN_MEMBER_ID).then_some(()));
    until("the empty group", || (group_state(&group) == "Empty").then_some(()));
}

#[test]
fn a_silent_member_is_removed_at_its_session_timeout() {
    let group = unique("group");
    let mut leader = Member::alone(&group);
    // The least that Kafka allows by default.
    let silent = Member::with(join_request(&group, "").with_session_timeout_ms(6_000));
    let silent = admit(&mut leader, silent);
    leader.hears_of_rebalance();
    let rejoining = leader.rejoin();
    assert_eq!(leader.rejoined(rejoining), code::NONE);
    assert_eq!((leader.generation, leader.joined.members.len()), (3, 1));
    assert!(describe_group(&group).members.iter().all(|member| member.member_id.as_str() != silent.id));
}

#[test]
fn a_member_that_leaves_makes_the_others_rejoin() {
    let group = unique("group");
    let (mut leader, mut follower) = pair(&group);
    assert_eq!(follower.leave(), code::NONE);
    leader.hears_of_rebalance();
    let rejoining = leader.rejoin();
    assert_eq!(leader.rejoined(rejoining), code::NONE);
    assert_eq!((leader.generation, leader.joined.members.len()), (3, 1));
    assert_eq!(follower.heartbeat(), code::UNKNOWN_MEMBER_ID);
}

#[test]
fn another_member_leads_when_the_leader_has_left() {
    let group = unique("group");
    let (mut leader, mut follower) = pair(&group);
    assert_eq!(leader.leave(), code::NONE);
    follower.hears_of_rebalance();
    let rejoining = follower.rejoin();
    assert_eq!(follower.rejoined(rejoining), code::NONE);
    assert!(follower.leads());
    assert_eq!(follower.joined.members.len(), 1);
}

#[test]
fn the_last_member_leaves_an_empty_group() {
    for version in 0..=2 {
        let group = unique("group");
        let member = Member::alone(&group);
        let request = LeaveGroupRequest::default().with_group_id(group_id(&group)).with_member_id(text(&member.id));
        assert_eq!(connect().call(&request, version).error_code, code::NONE, "v{version}");
        assert_eq!(group_state(&group), "Empty", "v{version}");
        // Twice is once too often.
        assert_eq!(connect().call(&request, version).error_code, code::UNKNOWN_MEMBER_ID, "v{version}");
    }
}

#[test]
fn a_member_that_was_only_told_its_id_can_leave() {
    let group = unique("group");
    let mut stranger = Member::stranger(&group);
    assert_eq!(stranger.leave(), code::NONE);
    let sent = stranger.rejoin();
    assert_eq!(stranger.rejoined(sent), code::UNKNOWN_MEMBER_ID);
}

#[test]
fn several_members_leave_at_once_each_with_its_own_answer() {
    for version in 3..=5 {
        let group = unique("group");
        let (leader, follower) = pair(&group);
        let members = [leader.id.as_str(), "stranger", follower.id.as_str()]
            .map(|member| MemberIdentity::default().with_member_id(text(member)).with_group_instance_id(None));
        let request = LeaveGroupRequest::default().with_group_id(group_id(&group)).with_members(members.to_vec());
        let left = connect().call(&request, version);
        assert_eq!(left.error_code, code::NONE, "v{version}");
        let answers: Vec<_> =
            left.members.iter().map(|member| (member.member_id.to_string(), member.error_code)).collect();
        let expected = [
            (leader.id.clone(), code::NONE),
            ("stranger".to_owned(), code::UNKNOWN_MEMBER_ID),
            (follower.id.clone(), code::NONE),
        ];
        assert_eq!(answers, expected, "v{version}");
        assert_eq!(group_state(&group), "Empty", "v{version}");
    }
}

#[test]
fn nobody_can_leave_a_group_that_does_not_exist() {
    for version in 0..=2 {
        let request =
            LeaveGroupRequest::default().with_group_id(group_id(&unique("group"))).with_member_id(text("member"));
        assert_eq!(connect().call(&request, version).error_code, code::UNKNOWN_MEMBER_ID, "v{version}");
    }
    for version in 3..=5 {
        let member = MemberIdentity::default().with_member_id(text("member")).with_group_instance_id(None);
        let request = LeaveGroupRequest::default().with_group_id(group_id(&unique("group"))).with_members(vec![member]);
        let left = connect().call(&request, version);
        assert_eq!(left.error_code, code::NONE, "v{version}");
        assert_eq!(left.members[0].error_code, code::UNKNOWN_MEMBER_ID, "v{version}");
    }
}

#[test]
fn nobody_can_leave_the_empty_group_id() {
    let request = LeaveGroupRequest::default().with_group_id(group_id("")).with_member_id(text("member"));
    assert_eq!(connect().call(&request, 1).error_code, code::INVALID_GROUP_ID);
    let member = MemberIdentity::default().with_member_id(text("member")).with_group_instance_id(None);
    let request = LeaveGroupRequest::default().with_group_id(group_id("")).with_members(vec![member]);
    assert_eq!(connect().call(&request, 4).error_code, code::INVALID_GROUP_ID);
}

#[test]
fn a_rebalance_waits_for_a_member_that_was_told_its_id() {
    let group = unique("group");
    let mut leader = Member::alone(&group);
    let hesitant = Member::stranger(&group);
    let mut newcomer = Member::stranger(&group);
    let joining = newcomer.rejoin();
    leader.hears_of_rebalance();
    let rejoining = leader.rejoin();
    assert!(leader.client.is_silent_for(Duration::from_millis(300)));
    assert_eq!(hesitant.leave_by_another(), code::NONE);
    assert_eq!((leader.rejoined(rejoining), newcomer.rejoined(joining)), (code::NONE, code::NONE));
    assert_eq!(leader.joined.members.len(), 2);
}

#[test]
fn a_member_that_leaves_in_the_middle_of_a_rebalance_lets_it_complete() {
    let group = unique("group");
    let (mut leader, mut follower) = pair(&group);
    let leading = leader.rejoin();
    follower.hears_of_rebalance();
    assert!(leader.client.is_silent_for(Duration::from_millis(200)));
    assert_eq!(follower.leave(), code::NONE);
    assert_eq!(leader.rejoined(leading), code::NONE);
    assert_eq!((leader.generation, leader.joined.members.len()), (3, 1));
}

/// A client that gave up waiting for the answer, and asks again on a new connection.
#[test]
fn a_member_that_joins_twice_is_answered_at_its_second_request() {
    let group = unique("group");
    let (mut leader, mut follower) = pair(&group);
    let _given_up = leader.rejoin();
    follower.hears_of_rebalance();
    leader.client = connect();
    let again = leader.rejoin();
    assert!(leader.client.is_silent_for(Duration::from_millis(200)));
    let following = follower.rejoin();
    assert_eq!((leader.rejoined(again), follower.rejoined(following)), (code::NONE, code::NONE));
    assert_eq!((leader.generation, leader.joined.members.len()), (3, 2));
}

#[test]
fn a_second_assignment_for_the_same_generation_is_ignored() {
    let mut member = Member::alone(&unique("group"));
    let own = member.id.clone();
    let synced = member.sync(&[(&own, "another")]);
    assert_eq!((synced.error_code, &synced.assignment[..]), (code::NONE, &b"all"[..]));
}

#[test]
fn a_member_may_be_described_in_a_leave_with_a_reason() {
    let group = unique("group");
    let mut member = Member::alone(&group);
    let leaving = MemberIdentity::default().with_member_id(text(&member.id)).with_reason(Some(text("tired")));
    let leaving = leaving.with_group_instance_id(None);
    let request = LeaveGroupRequest::default().with_group_id(group_id(&group)).with_members(vec![leaving]);
    assert_eq!(connect().call(&request, 5).members[0].error_code, code::NONE);
    assert_eq!(member.heartbeat(), code::UNKNOWN_MEMBER_ID);
}
