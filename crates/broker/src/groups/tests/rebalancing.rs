//! From one generation to the next.

use super::*;

fn session() -> Millis {
    SESSION.into()
}

fn rebalance() -> Millis {
    REBALANCE.into()
}

#[test]
fn the_initial_delay_is_extended_by_each_new_member_up_to_the_rebalance_timeout() {
    let mut world = World::with(Settings { initial_rebalance_delay: 3_000, ..Settings::default() });
    let short = || new_member("g").with_rebalance_timeout_ms(8_000);
    let first = world.join(short(), 3);
    world.pass(2_999);
    let second = world.join(short(), 3);
    world.pass(1);
    assert!(world.joins.is_empty(), "the second member extends the delay");
    world.pass(2_000);
    let third = world.join(short(), 3);
    world.pass(1_000);
    // 5000 were left for extensions, of which the first took 3000.
    let fourth = world.join(short(), 3);
    world.pass(1_999);
    assert!(world.joins.is_empty());
    world.pass(1);
    for wait in [first, second, third, fourth] {
        assert_eq!(world.joined(wait).generation_id, 1);
    }
}

#[test]
fn without_a_new_member_the_initial_delay_is_not_extended() {
    let mut world = World::with(Settings { initial_rebalance_delay: 3_000, ..Settings::default() });
    let wait = world.join(new_member("g"), 3);
    world.pass(2_999);
    assert!(world.joins.is_empty());
    world.pass(1);
    assert_eq!(world.joined(wait).generation_id, 1);
}

#[test]
fn everyone_leaves_during_the_initial_delay() {
    let mut world = World::with(Settings { initial_rebalance_delay: 3_000, ..Settings::default() });
    let wait = world.join(new_member("g"), 4);
    let id = world.joined(wait).member_id;
    let wait = world.join(as_member("g", &id), 4);
    world.leave("g", &id);
    assert_eq!(world.joined(wait).error_code, error(ResponseError::UnknownMemberId));
    assert_eq!(world.state("g"), "PreparingRebalance");
    world.pass(3_000);
    assert_eq!((world.state("g"), world.generation("g")), ("Empty", 1));
}

#[test]
fn followers_wait_for_the_leader_and_get_their_part() {
    let mut world = World::new();
    let waits = [world.join(new_member("g"), 3), world.join(new_member("g"), 3)];
    world.settle();
    let [leader, follower] = waits.map(|wait| world.joined(wait));
    assert_eq!(leader.members.len(), 2);
    assert!(follower.members.is_empty());
    assert_eq!(follower.leader, leader.member_id);

    let waiting = world.sync(sync("g", &follower.member_id, 1), 3);
    assert!(world.syncs.is_empty());
    let parts = [(&leader.member_id, "one"), (&follower.member_id, "two")];
    let own = world.sync(assigning(sync("g", &leader.member_id, 1), &parts), 3);
    assert_eq!(world.synced(own).assignment, "one");
    assert_eq!(world.synced(waiting).assignment, "two");
    // Again: the assignment stands.
    let again = world.sync(sync("g", &follower.member_id, 1), 3);
    assert_eq!(world.synced(again).assignment, "two");
}

#[test]
fn a_follower_that_the_leader_forgot_gets_an_empty_assignment() {
    let mut world = World::new();
    let waits = [world.join(new_member("g"), 3), world.join(new_member("g"), 3)];
    world.settle();
    let [leader, follower] = waits.map(|wait| world.joined(wait).member_id);
    let waiting = world.sync(sync("g", &follower, 1), 3);
    world.sync(assigning(sync("g", &leader, 1), &[(&leader, "all")]), 3);
    let synced = world.synced(waiting);
    assert_eq!((synced.error_code, synced.assignment), (NONE, Bytes::new()));
}

#[test]
fn refusals_of_sync_group() {
    let mut world = World::new();
    let (ids, generation) = world.stable("g", 1);
    let mut code = |request: SyncGroupRequest, version| {
        let wait = world.sync(request, version);
        world.synced(wait).error_code
    };
    let good = || sync("g", &ids[0], generation);
    assert_eq!(code(good(), 5), error(ResponseError::InconsistentGroupProtocol));
    let named = |name| good().with_protocol_type(Some(text("consumer"))).with_protocol_name(Some(text(name)));
    assert_eq!(code(named("range"), 5), NONE);
    assert_eq!(code(named("sticky"), 5), error(ResponseError::InconsistentGroupProtocol));
    assert_eq!(code(sync("", &ids[0], generation), 3), error(ResponseError::InvalidGroupId));
    assert_eq!(code(sync("other", &ids[0], generation), 3), error(ResponseError::UnknownMemberId));
    assert_eq!(code(sync("g", &text("nobody"), generation), 3), error(ResponseError::UnknownMemberId));
    assert_eq!(code(sync("g", &ids[0], generation + 1), 3), error(ResponseError::IllegalGeneration));
    world.join(as_member("g", &ids[0]), 3);
    let (ids, generation) = (ids, generation + 1);
    world.join(new_member("g"), 3);
    let wait = world.sync(sync("g", &ids[0], generation), 3);
    assert_eq!(world.synced(wait).error_code, error(ResponseError::RebalanceInProgress));
}

#[test]
fn a_member_without_heartbeats_is_removed_and_the_others_are_told() {
    let mut world = World::new();
    let (ids, generation) = world.stable("g", 2);
    world.pass(session() - 1);
    assert_eq!(world.heartbeat("g", &ids[0], generation), NONE);
    world.pass(1);
    assert_eq!(world.heartbeat("g", &ids[1], generation), error(ResponseError::UnknownMemberId));
    assert_eq!(world.heartbeat("g", &ids[0], generation), error(ResponseError::RebalanceInProgress));
    let wait = world.join(as_member("g", &ids[0]), 3);
    let joined = world.joined(wait);
    assert_eq!((joined.generation_id, joined.members.len()), (generation + 1, 1));
}

#[test]
fn the_last_member_that_expires_leaves_an_empty_group_of_a_new_generation() {
    let mut world = World::new();
    let (_, generation) = world.stable("g", 1);
    world.pass(session());
    assert_eq!((world.state("g"), world.generation("g")), ("Empty", generation + 1));
}

#[test]
fn heartbeats_before_the_sync_are_answered_without_error() {
    let mut world = World::new();
    let wait = world.join(new_member("g"), 3);
    world.settle();
    let id = world.joined(wait).member_id;
    assert_eq!(world.heartbeat("g", &id, 1), NONE);
    assert_eq!(world.heartbeat("g", &id, 0), error(ResponseError::IllegalGeneration));
    assert_eq!(world.heartbeat("other", &id, 1), error(ResponseError::UnknownMemberId));
    assert_eq!(world.heartbeat("", &id, 1), error(ResponseError::InvalidGroupId));
}

#[test]
fn members_that_do_not_rejoin_within_the_rebalance_timeout_are_removed() {
    let mut world = World::new();
    let (ids, generation) = world.stable("g", 3);
    let rejoin = world.join(as_member("g", &ids[0]), 3);
    for _ in 0..6 {
        world.pass(5_000 - 1);
        world.heartbeat("g", &ids[1], generation);
    }
    assert!(world.joins.is_empty());
    world.pass(6);
    let joined = world.joined(rejoin);
    assert_eq!((joined.generation_id, joined.members.len()), (generation + 1, 1));
    assert_eq!(world.heartbeat("g", &ids[1], generation), error(ResponseError::UnknownMemberId));
}

#[test]
fn a_leader_that_does_not_rejoin_is_succeeded() {
    let mut world = World::new();
    let (ids, generation) = world.stable("g", 2);
    world.leave("g", &ids[0]);
    let wait = world.join(as_member("g", &ids[1]), 3);
    let joined = world.joined(wait);
    assert_eq!(joined.leader, ids[1]);
    assert_eq!((joined.members.len(), joined.generation_id), (1, generation + 1));
}

#[test]
fn a_follower_that_rejoins_unchanged_is_told_the_current_generation() {
    let mut world = World::new();
    let (ids, generation) = world.stable("g", 2);
    let wait = world.join(as_member("g", &ids[1]), 3);
    let joined = world.joined(wait);
    assert_eq!((joined.error_code, joined.generation_id), (NONE, generation));
    assert!(joined.members.is_empty());
    assert_eq!(world.state("g"), "Stable");
}

#[test]
fn a_leader_that_rejoins_or_a_changed_follower_makes_a_rebalance() {
    let mut world = World::new();
    let (ids, _) = world.stable("g", 2);
    world.join(as_member("g", &ids[0]), 3);
    assert_eq!(world.state("g"), "PreparingRebalance");

    let (ids, _) = world.stable("h", 2);
    let changed = as_member("h", &ids[1]).with_protocols(vec![protocol("range", subscription(&["in", "more"]))]);
    world.join(changed, 3);
    assert_eq!(world.state("h"), "PreparingRebalance");
}

#[test]
fn before_the_assignment_a_member_may_ask_again_what_it_joined() {
    let mut world = World::new();
    let wait = world.join(new_member("g"), 3);
    world.settle();
    let first = world.joined(wait);
    let wait = world.join(as_member("g", &first.member_id), 3);
    assert_eq!(world.joined(wait), first);
}

#[test]
fn a_new_member_before_the_assignment_sends_waiting_followers_back() {
    let mut world = World::new();
    let waits = [world.join(new_member("g"), 3), world.join(new_member("g"), 3)];
    world.settle();
    let [_, follower] = waits.map(|wait| world.joined(wait).member_id);
    let waiting = world.sync(sync("g", &follower, 1), 3);
    world.join(new_member("g"), 3);
    assert_eq!(world.synced(waiting).error_code, error(ResponseError::RebalanceInProgress));
}

#[test]
fn members_that_do_not_sync_within_the_rebalance_timeout_are_removed() {
    let mut world = World::new();
    let waits = [world.join(new_member("g"), 3), world.join(new_member("g"), 3)];
    world.settle();
    let [leader, follower] = waits.map(|wait| world.joined(wait).member_id);
    let wait = world.sync(sync("g", &leader, 1), 3);
    assert_eq!(world.synced(wait).error_code, NONE);
    for _ in 0..6 {
        world.pass(rebalance() / 6 - 1);
        assert_eq!(world.heartbeat("g", &leader, 1), NONE);
        assert_eq!(world.heartbeat("g", &follower, 1), NONE);
    }
    world.pass(6);
    assert_eq!(world.heartbeat("g", &follower, 1), error(ResponseError::UnknownMemberId));
    assert_eq!(world.heartbeat("g", &leader, 1), error(ResponseError::RebalanceInProgress));
}

#[test]
fn members_that_wait_do_not_expire() {
    let mut world = World::new();
    let waits = [world.join(new_member("g"), 3), world.join(new_member("g"), 3)];
    world.settle();
    let [leader, follower] = waits.map(|wait| world.joined(wait).member_id);
    let waiting = world.sync(sync("g", &follower, 1), 3);
    for _ in 0..3 {
        world.pass(session() - 1);
        assert_eq!(world.heartbeat("g", &leader, 1), NONE);
    }
    assert!(world.syncs.is_empty());
    world.sync(sync("g", &leader, 1), 3);
    assert_eq!(world.synced(waiting).error_code, NONE);
    // Its session began anew with the answer.
    world.pass(session() - 1);
    assert_eq!(world.heartbeat("g", &follower, 1), NONE);
}

#[test]
fn a_new_member_that_waits_too_long_is_given_up() {
    let mut world = World::new();
    let long =
        |request: JoinGroupRequest| request.with_rebalance_timeout_ms(600_000).with_session_timeout_ms(1_800_000);
    let wait = world.join(long(new_member("g")), 3);
    world.settle();
    let first = world.joined(wait).member_id;
    world.sync(sync("g", &first, 1), 3);
    let second = world.join(long(new_member("g")), 3);
    world.pass(299_999);
    assert!(world.joins.is_empty());
    world.pass(1);
    assert_eq!(world.joined(second).error_code, error(ResponseError::UnknownMemberId));
}

#[test]
fn a_second_join_of_a_member_answers_the_first() {
    let mut world = World::new();
    let (ids, _) = world.stable("g", 2);
    let first = world.join(as_member("g", &ids[0]), 3);
    let second = world.join(as_member("g", &ids[0]), 3);
    assert_eq!(world.joined(first).error_code, error(ResponseError::RebalanceInProgress));
    world.join(as_member("g", &ids[1]), 3);
    assert_eq!(world.joined(second).error_code, NONE);
}

#[test]
fn a_second_sync_of_a_member_answers_the_first() {
    let mut world = World::new();
    let waits = [world.join(new_member("g"), 3), world.join(new_member("g"), 3)];
    world.settle();
    let [_, follower] = waits.map(|wait| world.joined(wait).member_id);
    let first = world.sync(sync("g", &follower, 1), 3);
    world.sync(sync("g", &follower, 1), 3);
    assert_eq!(world.synced(first).error_code, error(ResponseError::RebalanceInProgress));
}

#[test]
fn a_member_that_leaves_while_it_waits_is_answered() {
    let mut world = World::new();
    let waits = [world.join(new_member("g"), 3), world.join(new_member("g"), 3)];
    world.settle();
    let [_, follower] = waits.map(|wait| world.joined(wait).member_id);
    let waiting = world.sync(sync("g", &follower, 1), 3);
    world.leave("g", &follower);
    assert_eq!(world.synced(waiting).error_code, error(ResponseError::UnknownMemberId));
}

#[test]
fn leave_group_answers_for_each_member_or_before_version_3_for_one() {
    let mut world = World::new();
    let (ids, _) = world.stable("g", 2);
    let response = world.leave("g", &text("nobody"));
    assert_eq!((response.error_code, response.members[0].error_code), (NONE, error(ResponseError::UnknownMemberId)));
    assert_eq!(world.state("g"), "Stable");
    let old =
        |member: &StrBytes| LeaveGroupRequest::default().with_group_id(group_id("g")).with_member_id(member.clone());
    let response = world.groups.leave(world.now, old(&ids[0]), 2);
    assert_eq!((response.error_code, response.members.len()), (NONE, 0));
    let response = world.groups.leave(world.now, old(&ids[0]), 2);
    assert_eq!(response.error_code, error(ResponseError::UnknownMemberId));
    let response = world.leave("", &ids[0]);
    assert_eq!(response.error_code, error(ResponseError::InvalidGroupId));
    let response = world.leave("other", &ids[0]);
    assert_eq!((response.error_code, response.members[0].error_code), (NONE, error(ResponseError::UnknownMemberId)));
}

#[test]
fn a_rebalance_timeout_of_zero_ends_at_once() {
    let mut world = World::new();
    let (ids, _) = world.stable("g", 1);
    let waits = [new_member("h"), new_member("h")].map(|request| world.join(request.with_rebalance_timeout_ms(0), 3));
    world.settle();
    for wait in waits {
        assert_eq!(world.joined(wait).generation_id, 1);
    }
    // Nobody has synced: all are out at once.
    assert_eq!(world.state("h"), "Empty");
    assert_eq!(world.heartbeat("g", &ids[0], 1), NONE);
}
