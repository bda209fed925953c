//! Members with an instance id (KIP-345).

use super::*;

/// A stable group of two static members, `a`, who leads, and `b`.
fn stable(world: &mut World) -> [StrBytes; 2] {
    let waits = [world.join(static_member("g", "a"), 9), world.join(static_member("g", "b"), 9)];
    world.settle();
    let ids = waits.map(|wait| world.joined(wait).member_id);
    let leader = usize::from(world.groups.groups[&text("g")].leader.as_ref() == Some(&ids[1]));
    assert_eq!(leader, 0, "the first to join leads");
    let parts = [(&ids[0], "part a"), (&ids[1], "part b")];
    world.sync(assigning(sync("g", &ids[0], 1), &parts), 3);
    world.sync(sync("g", &ids[1], 1), 3);
    world.syncs.clear();
    assert_eq!(world.state("g"), "Stable");
    ids
}

#[test]
fn a_static_member_joins_at_once_with_an_id_of_its_instance() {
    let mut world = World::new();
    let wait = world.join(static_member("g", "a"), 9);
    world.settle();
    let joined = world.joined(wait);
    assert_eq!(joined.error_code, NONE);
    assert!(joined.member_id.starts_with("a-"));
    assert_eq!(joined.members[0].group_instance_id, Some(text("a")));
}

#[test]
fn a_restarted_follower_takes_its_place_without_a_rebalance() {
    let mut world = World::new();
    let ids = stable(&mut world);
    let wait = world.join(static_member("g", "b"), 9);
    let joined = world.joined(wait);
    assert_eq!((joined.error_code, joined.generation_id, joined.skip_assignment), (NONE, 1, false));
    assert_ne!(joined.member_id, ids[1]);
    assert_eq!(joined.leader, ids[0]);
    assert!(joined.members.is_empty());
    let wait = world.sync(sync("g", &joined.member_id, 1), 3);
    assert_eq!(world.synced(wait).assignment, "part b");
    assert_eq!(world.heartbeat("g", &ids[1], 1), error(ResponseError::UnknownMemberId));
}

#[test]
fn a_restarted_leader_of_version_9_skips_the_assignment() {
    let mut world = World::new();
    stable(&mut world);
    let wait = world.join(static_member("g", "a"), 9);
    let joined = world.joined(wait);
    assert_eq!((joined.generation_id, joined.skip_assignment), (1, true));
    assert_eq!(joined.leader, joined.member_id);
    assert_eq!(joined.members.len(), 2);
    let wait = world.sync(sync("g", &joined.member_id, 1), 3);
    assert_eq!(world.synced(wait).assignment, "part a");
}

#[test]
fn a_restarted_leader_of_an_older_version_is_not_told_that_it_leads() {
    let mut world = World::new();
    let ids = stable(&mut world);
    let wait = world.join(static_member("g", "a"), 8);
    let joined = world.joined(wait);
    assert_eq!((joined.generation_id, joined.skip_assignment), (1, false));
    assert_eq!(joined.leader, ids[0]);
    assert!(joined.members.is_empty());
    assert_eq!(world.groups.groups[&text("g")].leader, Some(joined.member_id));
}

#[test]
fn the_earlier_owner_of_an_instance_id_is_fenced_everywhere() {
    let mut world = World::new();
    let ids = stable(&mut world);
    world.join(static_member("g", "b"), 9);
    let fenced = error(ResponseError::FencedInstanceId);
    let instance = Some(text("b"));

    let wait = world.join(as_member("g", &ids[1]).with_group_instance_id(instance.clone()), 9);
    let refused = world.joined(wait);
    assert_eq!((refused.error_code, &refused.member_id), (fenced, &ids[1]));
    let wait = world.sync(sync("g", &ids[1], 1).with_group_instance_id(instance.clone()), 3);
    assert_eq!(world.synced(wait).error_code, fenced);
    let heartbeat = HeartbeatRequest::default()
        .with_group_id(group_id("g"))
        .with_member_id(ids[1].clone())
        .with_generation_id(1)
        .with_group_instance_id(instance.clone());
    assert_eq!(world.groups.heartbeat(world.now, heartbeat.clone()).error_code, fenced);
    let other = heartbeat.with_group_instance_id(Some(text("c")));
    assert_eq!(world.groups.heartbeat(world.now, other).error_code, error(ResponseError::UnknownMemberId));
    let member = MemberIdentity::default().with_member_id(ids[1].clone()).with_group_instance_id(instance);
    let leave = LeaveGroupRequest::default().with_group_id(group_id("g")).with_members(vec![member]);
    assert_eq!(world.groups.leave(world.now, leave, 5).members[0].error_code, fenced);
}

#[test]
fn whoever_waits_under_the_earlier_id_is_fenced_at_once() {
    let mut world = World::new();
    let ids = stable(&mut world);
    let rejoining = world.join(as_member("g", &ids[0]).with_group_instance_id(Some(text("a"))), 9);
    assert!(world.joins.is_empty());
    let successor = world.join(static_member("g", "a"), 9);
    let fenced = world.joined(rejoining);
    assert_eq!((fenced.error_code, &fenced.member_id), (error(ResponseError::FencedInstanceId), &ids[0]));
    world.join(as_member("g", &ids[1]).with_group_instance_id(Some(text("b"))), 9);
    let joined = world.joined(successor);
    assert_eq!((joined.generation_id, &joined.leader), (2, &joined.member_id));

    // In the same way, while it waits for its assignment.
    let waiting = world.sync(sync("g", &ids[1], 2), 3);
    world.join(static_member("g", "b"), 9);
    assert_eq!(world.synced(waiting).error_code, error(ResponseError::FencedInstanceId));
    assert_eq!(world.state("g"), "PreparingRebalance", "the leader may be assigning to the earlier id");
}

#[test]
fn a_restart_that_changes_the_protocol_makes_a_rebalance() {
    let mut world = World::new();
    let both = |instance, first, second| {
        static_member("g", instance).with_protocols(vec![protocol(first, Bytes::new()), protocol(second, Bytes::new())])
    };
    let waits = [world.join(both("a", "x", "y"), 9), world.join(both("b", "x", "y"), 9)];
    world.settle();
    let [a, b] = waits.map(|wait| world.joined(wait));
    assert_eq!(a.protocol_name, Some(text("x")));
    world.sync(sync("g", &a.member_id, 1), 3);
    world.sync(sync("g", &b.member_id, 1), 3);
    let only = static_member("g", "b").with_protocols(vec![protocol("y", Bytes::new())]);
    world.join(only, 9);
    assert_eq!(world.state("g"), "PreparingRebalance");
}

#[test]
fn a_static_member_that_does_not_rejoin_keeps_its_place_until_its_session_ends() {
    let mut world = World::new();
    let ids = stable(&mut world);
    let session = 60_000;
    for (id, instance) in ids.iter().zip(["a", "b"]) {
        let request = as_member("g", id).with_group_instance_id(Some(text(instance))).with_session_timeout_ms(session);
        world.join(request, 9);
    }
    world.sync(sync("g", &ids[0], 2), 3);
    world.sync(sync("g", &ids[1], 2), 3);
    world.joins.clear();
    let rejoin = world.join(as_member("g", &ids[0]).with_group_instance_id(Some(text("a"))), 9);
    world.pass(REBALANCE.into());
    let joined = world.joined(rejoin);
    assert_eq!((joined.generation_id, joined.members.len()), (3, 2));
    // It is expected to sync, as all are, and is out when it does not.
    world.sync(sync("g", &ids[0], 3), 3);
    for _ in 0..4 {
        world.pass(Millis::from(REBALANCE) / 4 - 1);
        assert_eq!(world.heartbeat("g", &ids[0], 3), NONE);
    }
    world.pass(4);
    assert_eq!(world.heartbeat("g", &ids[0], 3), error(ResponseError::RebalanceInProgress));
    assert_eq!(world.heartbeat("g", &ids[1], 3), error(ResponseError::UnknownMemberId));
}

#[test]
fn a_group_none_of_whose_static_members_rejoins_waits_for_their_sessions() {
    let mut world = World::new();
    let wait = world.join(static_member("g", "a").with_session_timeout_ms(100_000), 9);
    world.settle();
    let id = world.joined(wait).member_id;
    world.sync(sync("g", &id, 1), 3);
    world.join(new_member("g"), 3);
    // The dynamic member goes; nobody has joined.
    let dynamic: Vec<StrBytes> =
        world.groups.groups[&text("g")].members.keys().filter(|member| **member != id).cloned().collect();
    world.leave("g", &dynamic[0]);
    world.pass(REBALANCE.into());
    assert_eq!((world.state("g"), world.generation("g")), ("PreparingRebalance", 1));
    assert_eq!(world.heartbeat("g", &id, 1), error(ResponseError::RebalanceInProgress));
    world.pass(200_000);
    assert_eq!((world.state("g"), world.generation("g")), ("Empty", 2));
}

#[test]
fn an_administrator_removes_a_static_member_by_its_instance_id() {
    let mut world = World::new();
    let ids = stable(&mut world);
    let by = |instance: &str| MemberIdentity::default().with_group_instance_id(Some(text(instance)));
    let leave = LeaveGroupRequest::default().with_group_id(group_id("g")).with_members(vec![by("b"), by("c")]);
    let response = world.groups.leave(world.now, leave, 5);
    assert_eq!(response.members[0].error_code, NONE);
    assert_eq!(response.members[1].error_code, error(ResponseError::UnknownMemberId));
    assert_eq!(world.heartbeat("g", &ids[0], 1), error(ResponseError::RebalanceInProgress));
    assert_eq!(world.heartbeat("g", &ids[1], 1), error(ResponseError::UnknownMemberId));
}
