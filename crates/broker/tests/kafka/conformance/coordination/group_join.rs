//! JoinGroup: who is let in, and what he is told.

use kafka_protocol::messages::{
    ConsumerProtocolSubscription, JoinGroupRequest, JoinGroupResponse, join_group_request::JoinGroupRequestProtocol,
};
use kafka_protocol::protocol::Encodable;

use bytes::{BufMut, BytesMut};

use super::support::{
    Member, admit, code, commit_offset, committed_offset, connect, connect_as, describe_group, group_state,
    join_request, pair, protocols, topic, until,
};
use crate::support::{broker::unique, wire::text};

/// A uuid in its usual form.
fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[test]
fn before_version_4_a_new_member_joins_at_once() {
    for version in 0..=3 {
        let joined = connect().call(&join_request(&unique("group"), ""), version);
        assert_eq!(joined.error_code, code::NONE, "v{version}");
        assert_eq!(joined.generation_id, 1, "v{version}");
        assert_eq!(joined.leader, joined.member_id, "v{version}");
    }
}

#[test]
fn since_version_4_a_new_member_is_told_its_id_first() {
    for version in [4, 5, 7, 9] {
        let mut client = connect();
        let group = unique("group");
        let first = client.call(&join_request(&group, ""), version);
        assert_eq!(first.error_code, code::MEMBER_ID_REQUIRED, "v{version}");
        assert_eq!(first.generation_id, -1, "v{version}");
        let second = client.call(&join_request(&group, &first.member_id), version);
        assert_eq!((second.error_code, second.generation_id), (code::NONE, 1), "v{version}");
        assert_eq!(second.member_id, first.member_id, "v{version}");
    }
}

#[test]
fn a_member_id_is_the_client_id_and_a_uuid() {
    for version in [0, 3, 4, 9] {
        let joined = connect_as("client-of-mine").call(&join_request(&unique("group"), ""), version);
        let uuid = joined.member_id.strip_prefix("client-of-mine-").unwrap();
        assert!(is_uuid(uuid), "v{version}: {}", joined.member_id);
    }
}

#[test]
fn two_newcomers_have_two_member_ids() {
    let group = unique("group");
    assert_ne!(Member::stranger(&group).id, Member::stranger(&group).id);
}

#[test]
fn a_member_that_was_only_told_its_id_is_not_in_the_group_yet() {
    let group = unique("group");
    let mut stranger = Member::stranger(&group);
    stranger.generation = 0;
    assert_eq!(stranger.heartbeat(), code::UNKNOWN_MEMBER_ID);
    assert_eq!(stranger.sync(&[]).error_code, code::UNKNOWN_MEMBER_ID);
    let described = describe_group(&group);
    assert_eq!((described.group_state.as_str(), described.members.len()), ("Empty", 0));
}

#[test]
fn the_leader_is_told_the_members_with_their_metadata() {
    for version in [0, 2, 5, 7, 9] {
        let mut client = connect();
        let group = unique("group");
        let mut request = join_request(&group, "");
        if version >= 4 {
            request.member_id = client.call(&request, version).member_id;
        }
        let joined = client.call(&request, version);
        assert_eq!(joined.error_code, code::NONE, "v{version}");
        assert_eq!(joined.protocol_name.as_deref(), Some("range"), "v{version}");
        if version >= 7 {
            assert_eq!(joined.protocol_type.as_deref(), Some("worker"), "v{version}");
        }
        assert!(!joined.skip_assignment, "v{version}");
        let members: Vec<_> = joined.members.iter().map(|member| (&member.member_id, &member.metadata[..])).collect();
        assert_eq!(members, [(&joined.member_id, &b"subscription"[..])], "v{version}");
    }
}

#[test]
fn a_follower_is_told_the_leader_and_no_members() {
    let group = unique("group");
    let (leader, follower) = pair(&group);
    assert!(leader.leads() && !follower.leads());
    assert_eq!(follower.leader, leader.id);
    assert_eq!(leader.joined.members.len(), 2);
    assert_eq!(follower.joined.members.len(), 0);
    assert_eq!(leader.generation, follower.generation);
}

#[test]
fn metadata_is_any_bytes() {
    let mut member = Member::stranger(&unique("group"));
    let bytes: Vec<u8> = (0..=255).collect();
    let protocol = JoinGroupRequestProtocol::default().with_name(text("any")).with_metadata(bytes.clone().into());
    member.subscription = member.subscription.clone().with_protocols(vec![protocol]);
    let sent = member.rejoin();
    assert_eq!(member.rejoined(sent), code::NONE);
    assert_eq!(member.joined.members[0].metadata, bytes);
}

#[test]
fn subscriptions_of_consumers_pass_through_unchanged() {
    let mut metadata = BytesMut::new();
    // A cooperative consumer's: version 1 with owned partitions.
    metadata.put_i16(1);
    ConsumerProtocolSubscription::default().with_topics(vec![text("topic")]).encode(&mut metadata, 1).unwrap();
    let metadata = metadata.freeze();
    let mut member = Member::stranger(&unique("group"));
    let protocol =
        JoinGroupRequestProtocol::default().with_name(text("cooperative-sticky")).with_metadata(metadata.clone());
    member.subscription =
        member.subscription.clone().with_protocol_type(text("consumer")).with_protocols(vec![protocol]);
    let sent = member.rejoin();
    assert_eq!(member.rejoined(sent), code::NONE);
    assert_eq!(member.joined.protocol_name.as_deref(), Some("cooperative-sticky"));
    assert_eq!(member.joined.members[0].metadata, metadata);
}

#[test]
fn an_empty_group_id_is_refused() {
    for version in [0, 4, 5, 9] {
        assert_eq!(connect().call(&join_request("", ""), version).error_code, code::INVALID_GROUP_ID, "v{version}");
    }
}

/// group.min.session.timeout.ms and group.max.session.timeout.ms: 6 s and 30 minutes by default.
#[test]
fn a_session_timeout_out_of_range_is_refused() {
    let join = |timeout, version| {
        connect().call(&join_request(&unique("group"), "").with_session_timeout_ms(timeout), version).error_code
    };
    for version in [0, 3, 5, 9] {
        for timeout in [-1, 0, 5_999, 1_800_001] {
            assert_eq!(join(timeout, version), code::INVALID_SESSION_TIMEOUT, "v{version}, {timeout} ms");
        }
    }
    for timeout in [6_000, 1_800_000] {
        assert_eq!(join(timeout, 3), code::NONE, "{timeout} ms");
    }
}

#[test]
fn a_member_id_that_the_broker_did_not_give_is_unknown() {
    for version in [0, 3, 5, 9] {
        let group = unique("group");
        let joined = connect().call(&join_request(&group, "invented"), version);
        assert_eq!(joined.error_code, code::UNKNOWN_MEMBER_ID, "v{version}, no such group");
        let _member = Member::alone(&group);
        let joined = connect().call(&join_request(&group, "invented"), version);
        assert_eq!(joined.error_code, code::UNKNOWN_MEMBER_ID, "v{version}");
    }
}

#[test]
fn all_members_are_of_one_protocol_type() {
    let group = unique("group");
    let _member = Member::alone(&group);
    for version in [0, 5, 9] {
        let request = join_request(&group, "").with_protocol_type(text("another"));
        assert_eq!(connect().call(&request, version).error_code, code::INCONSISTENT_GROUP_PROTOCOL, "v{version}");
    }
}

#[test]
fn a_newcomer_shares_a_protocol_with_all_members() {
    let group = unique("group");
    let _member = Member::alone(&group);
    for version in [0, 5, 9] {
        let request = join_request(&group, "").with_protocols(protocols(&[("sticky", "")]));
        assert_eq!(connect().call(&request, version).error_code, code::INCONSISTENT_GROUP_PROTOCOL, "v{version}");
    }
}

#[test]
fn a_member_without_protocol_or_protocol_type_is_refused() {
    for version in [0, 5, 9] {
        let join = |request: JoinGroupRequest| connect().call(&request, version).error_code;
        let request = join_request(&unique("group"), "").with_protocols(vec![]);
        assert_eq!(join(request), code::INCONSISTENT_GROUP_PROTOCOL, "v{version}");
        let request = join_request(&unique("group"), "").with_protocol_type(text(""));
        assert_eq!(join(request), code::INCONSISTENT_GROUP_PROTOCOL, "v{version}");
    }
}

#[test]
fn an_empty_group_takes_any_protocol_type() {
    let group = unique("group");
    let mut member = Member::alone(&group);
    assert_eq!(member.leave(), code::NONE);
    assert_eq!(group_state(&group), "Empty");
    let request = join_request(&group, "").with_protocol_type(text("another")).with_protocols(protocols(&[("x", "")]));
    let joined = connect().call(&request, 3);
    assert_eq!((joined.error_code, joined.protocol_name.as_deref()), (code::NONE, Some("x")));
}

fn votes(first: &[(&str, &str)], second: &[(&str, &str)]) -> JoinGroupResponse {
    let group = unique("group");
    let mut leader = Member::with(join_request(&group, "").with_protocols(protocols(first)));
    let sent = leader.rejoin();
    assert_eq!(leader.rejoined(sent), code::NONE);
    let own = leader.id.clone();
    assert_eq!(leader.sync(&[(&own, "")]).error_code, code::NONE);
    admit(&mut leader, Member::with(join_request(&group, "").with_protocols(protocols(second))));
    leader.joined
}

#[test]
fn a_protocol_that_not_all_know_is_not_chosen() {
    let joined = votes(&[("new", "n1"), ("old", "o1")], &[("old", "o2")]);
    assert_eq!(joined.protocol_name.as_deref(), Some("old"));
    let mut metadata: Vec<_> = joined.members.iter().map(|member| member.metadata.to_vec()).collect();
    metadata.sort();
    assert_eq!(metadata, [b"o1".to_vec(), b"o2".to_vec()]);
}

#[test]
fn the_protocol_that_all_prefer_is_chosen() {
    let joined = votes(&[("b", ""), ("a", "")], &[("b", ""), ("c", ""), ("a", "")]);
    assert_eq!(joined.protocol_name.as_deref(), Some("b"));
}

#[test]
fn the_first_member_that_joins_leads_on() {
    let group = unique("group");
    let (mut leader, mut follower) = pair(&group);
    // A third makes them all rejoin, the leader last.
    let mut third = Member::stranger(&group);
    let joining = third.rejoin();
    follower.hears_of_rebalance();
    let following = follower.rejoin();
    leader.hears_of_rebalance();
    let leading = leader.rejoin();
    for (member, sent) in [(&mut leader, leading), (&mut follower, following), (&mut third, joining)] {
        assert_eq!(member.rejoined(sent), code::NONE);
    }
    assert_eq!((&follower.leader, &third.leader), (&leader.id, &leader.id));
    assert_eq!((leader.generation, leader.joined.members.len()), (3, 3));
}

#[test]
fn a_group_that_was_left_by_all_begins_again_with_the_next_generation() {
    let group = unique("group");
    let mut member = Member::alone(&group);
    assert_eq!(member.generation, 1);
    assert_eq!(member.leave(), code::NONE);
    until("the empty group", || (group_state(&group) == "Empty").then_some(()));
    // Emptiness had a generation of its own.
    assert_eq!(Member::alone(&group).generation, 3);
}

/// Not even if it is the only member: it votes with what it had.
#[test]
fn a_member_keeps_a_protocol_that_it_had() {
    let group = unique("group");
    let mut member = Member::alone(&group);
    member.subscription.protocols = protocols(&[("sticky", "")]);
    let sent = member.rejoin();
    assert_eq!(member.rejoined(sent), code::INCONSISTENT_GROUP_PROTOCOL);
    assert_eq!(member.heartbeat(), code::NONE);
    member.subscription.protocols = protocols(&[("sticky", ""), ("range", "")]);
    let sent = member.rejoin();
    assert_eq!(member.rejoined(sent), code::NONE);
    assert_eq!((member.generation, member.joined.protocol_name.as_deref()), (2, Some("sticky")));
}

#[test]
fn a_group_of_offsets_alone_can_be_joined() {
    let (topic, group) = (topic(1), unique("group"));
    commit_offset(&group, &topic, 0, 5);
    let member = Member::alone(&group);
    assert_eq!(member.generation, 1);
    assert_eq!(committed_offset(&group, &topic, 0), 5);
}

#[test]
fn an_instance_that_names_an_unknown_member_id_is_unknown() {
    let group = unique("group");
    let _member = Member::alone(&group);
    for version in [5, 9] {
        let request = join_request(&group, "invented").with_group_instance_id(Some(text("one")));
        assert_eq!(connect().call(&request, version).error_code, code::UNKNOWN_MEMBER_ID, "v{version}");
    }
}
