//! Becoming a member.

use super::*;

#[test]
fn a_new_member_gets_its_id_first_and_joins_with_it() {
    let mut world = World::new();
    let wait = world.join(new_member("g"), 4);
    let required = world.joined(wait);
    assert_eq!(required.error_code, error(ResponseError::MemberIdRequired));
    assert!(required.member_id.starts_with("client-"));
    assert_eq!(required.member_id.len(), "client-".len() + 36);
    assert_eq!(world.state("g"), "Empty");

    let wait = world.join(as_member("g", &required.member_id), 4);
    world.settle();
    let joined = world.joined(wait);
    assert_eq!((joined.error_code, joined.generation_id), (NONE, 1));
    assert_eq!((&joined.leader, &joined.member_id), (&required.member_id, &required.member_id));
    assert_eq!(joined.members.len(), 1);
    assert_eq!(joined.protocol_name, Some(text("range")));
    assert_eq!(world.state("g"), "CompletingRebalance");
}

#[test]
fn before_version_4_a_new_member_joins_at_once() {
    let mut world = World::new();
    let wait = world.join(new_member("g"), 3);
    world.settle();
    assert_eq!(world.joined(wait).error_code, NONE);
}

#[test]
fn a_member_id_that_is_not_used_in_its_session_timeout_is_forgotten() {
    let mut world = World::new();
    let wait = world.join(new_member("g"), 4);
    let id = world.joined(wait).member_id;
    world.pass(Millis::from(SESSION));
    let wait = world.join(as_member("g", &id), 4);
    assert_eq!(world.joined(wait).error_code, error(ResponseError::UnknownMemberId));
}

#[test]
fn a_join_phase_waits_for_members_that_only_have_their_id() {
    let mut world = World::new();
    let (ids, _) = world.stable("g", 1);
    let wait = world.join(new_member("g"), 4);
    let pending = world.joined(wait).member_id;
    let rejoin = world.join(as_member("g", &ids[0]), 4);
    assert!(world.joins.is_empty());
    world.join(as_member("g", &pending), 4);
    assert_eq!(world.joined(rejoin).members.len(), 2);
}

#[test]
fn a_join_phase_ends_when_a_pending_id_expires_or_leaves() {
    let mut world = World::new();
    let (ids, _) = world.stable("g", 1);
    world.join(new_member("g"), 4);
    let rejoin = world.join(as_member("g", &ids[0]), 4);
    world.pass(Millis::from(SESSION));
    assert_eq!(world.joined(rejoin).members.len(), 1);

    let wait = world.join(new_member("g"), 4);
    let pending = world.joined(wait).member_id;
    let rejoin = world.join(as_member("g", &ids[0]).with_protocols(vec![protocol("range", Bytes::new())]), 4);
    assert!(!world.joins.contains_key(&rejoin));
    assert_eq!(world.leave("g", &pending).members[0].error_code, NONE);
    assert_eq!(world.joined(rejoin).members.len(), 1);
}

#[test]
fn refusals_in_the_order_of_kafka() {
    let mut world = World::new();
    let mut code = |request: JoinGroupRequest| {
        let wait = world.join(request, 9);
        world.joined(wait).error_code
    };
    assert_eq!(code(new_member("").with_session_timeout_ms(1)), error(ResponseError::InvalidGroupId));
    assert_eq!(code(new_member("g").with_session_timeout_ms(5_999)), error(ResponseError::InvalidSessionTimeout));
    assert_eq!(code(new_member("g").with_session_timeout_ms(1_800_001)), error(ResponseError::InvalidSessionTimeout));
    assert_eq!(code(as_member("g", &text("nobody"))), error(ResponseError::UnknownMemberId));
    assert_eq!(code(new_member("g").with_protocols(vec![])), error(ResponseError::InconsistentGroupProtocol));
    assert_eq!(code(new_member("g").with_protocol_type(text(""))), error(ResponseError::InconsistentGroupProtocol));
    // Refused, and yet the group exists from now on.
    assert_eq!(world.state("g"), "Empty");
}

#[test]
fn a_pending_member_cannot_become_a_static_one() {
    let mut world = World::new();
    let wait = world.join(new_member("g"), 9);
    let id = world.joined(wait).member_id;
    let wait = world.join(as_member("g", &id).with_group_instance_id(Some(text("i"))), 9);
    let refused = world.joined(wait);
    assert_eq!((refused.error_code, refused.member_id.as_str()), (error(ResponseError::UnknownServerError), ""));
}

#[test]
fn members_need_a_protocol_in_common() {
    let mut world = World::new();
    world.stable("g", 1);
    let other = new_member("g").with_protocols(vec![protocol("sticky", Bytes::new())]);
    let wait = world.join(other, 3);
    assert_eq!(world.joined(wait).error_code, error(ResponseError::InconsistentGroupProtocol));
    let wait = world.join(new_member("g").with_protocol_type(text("connect")), 3);
    assert_eq!(world.joined(wait).error_code, error(ResponseError::InconsistentGroupProtocol));
}

#[test]
fn an_empty_group_may_take_another_type() {
    let mut world = World::new();
    let (ids, _) = world.stable("g", 1);
    world.leave("g", &ids[0]);
    let wait = world.join(new_member("g").with_protocol_type(text("connect")), 3);
    world.settle();
    assert_eq!(world.joined(wait).protocol_type, Some(text("connect")));
}

/// Each pair was tried on Apache Kafka 4.3.1.
#[test]
fn ties_of_votes_go_as_on_kafka() {
    for (one, other, winner) in [
        ("range", "roundrobin", "range"),
        ("roundrobin", "range", "range"),
        ("cooperative-sticky", "range", "range"),
        ("sticky", "range", "sticky"),
        ("b", "a", "a"),
    ] {
        let mut world = World::new();
        let both = |first, second| vec![protocol(first, Bytes::new()), protocol(second, Bytes::new())];
        let wait = world.join(new_member("g").with_protocols(both(one, other)), 3);
        let second = world.join(new_member("g").with_protocols(both(other, one)), 3);
        world.settle();
        assert_eq!(world.joined(wait).protocol_name, Some(text(winner)), "{one} against {other}");
        assert_eq!(world.joined(second).protocol_name, Some(text(winner)));
    }
}

#[test]
fn the_protocol_with_most_votes_wins_among_those_that_all_support() {
    let mut world = World::new();
    let with = |names: &[&str]| {
        new_member("g").with_protocols(names.iter().map(|name| protocol(name, Bytes::new())).collect())
    };
    let waits = [
        world.join(with(&["c", "b", "a"]), 3),
        world.join(with(&["c", "b", "a"]), 3),
        world.join(with(&["a", "b"]), 3),
    ];
    world.settle();
    for wait in waits {
        assert_eq!(world.joined(wait).protocol_name, Some(text("b")));
    }
}

#[test]
fn a_full_group_refuses_one_more() {
    let mut world = World::with(Settings { max_size: 2, ..Settings::default() });
    world.stable("g", 2);
    let wait = world.join(new_member("g"), 3);
    assert_eq!(world.joined(wait).error_code, error(ResponseError::GroupMaxSizeReached));
    assert_eq!(world.state("g"), "Stable");
}

#[test]
fn while_members_join_the_first_to_come_have_the_room() {
    let mut world = World::with(Settings { max_size: 2, ..Settings::default() });
    let (ids, _) = world.stable("g", 2);
    let leader = world.join(as_member("g", &ids[0]), 3);
    let new = world.join(new_member("g"), 3);
    let late = world.join(as_member("g", &ids[1]), 3);
    assert_eq!(world.joined(late).error_code, error(ResponseError::GroupMaxSizeReached));
    world.pass(Millis::from(REBALANCE));
    assert_eq!(world.joined(leader).members.len(), 2);
    assert_eq!(world.joined(new).error_code, NONE);
}

#[test]
fn memory_is_bounded() {
    let mut world = World::with(Settings { max_size: 3, max_groups: 2, ..Settings::default() });
    let mut code = |request: JoinGroupRequest| {
        let wait = world.join(request, 9);
        world.joined(wait).error_code
    };
    for _ in 0..3 {
        assert_eq!(code(new_member("a")), error(ResponseError::MemberIdRequired));
    }
    assert_eq!(code(new_member("a")), error(ResponseError::GroupMaxSizeReached));
    assert_eq!(code(new_member("b")), error(ResponseError::MemberIdRequired));
    assert_eq!(code(new_member("c")), error(ResponseError::CoordinatorNotAvailable));
    let large = protocol("range", Bytes::from(vec![0; 1_048_577]));
    assert_eq!(code(new_member("b").with_protocols(vec![large])), error(ResponseError::UnknownServerError));
}

#[test]
fn a_group_that_does_not_fit_into_a_record_gets_no_assignment() {
    let mut world = World::new();
    let wait = world.join(new_member("g"), 3);
    world.settle();
    let id = world.joined(wait).member_id;
    let large = SyncGroupRequestAssignment::default()
        .with_member_id(id.clone())
        .with_assignment(Bytes::from(vec![0; 1_048_577]));
    let wait = world.sync(sync("g", &id, 1).with_assignments(vec![large]), 3);
    assert_eq!(world.synced(wait).error_code, error(ResponseError::UnknownServerError));
    assert_eq!(world.state("g"), "PreparingRebalance");
}
