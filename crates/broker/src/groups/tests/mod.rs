//! The coordinator under simulated time.

mod administration;
mod encoding;
mod expiration;
mod joining;
mod offsets;
mod random;
mod rebalancing;
mod static_members;
mod transactional;

use std::collections::HashMap;

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::{
    error::ResponseError,
    messages::{
        GroupId, HeartbeatRequest, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest, LeaveGroupResponse,
        SyncGroupRequest, SyncGroupResponse, TopicName, join_group_request::JoinGroupRequestProtocol,
        leave_group_request::MemberIdentity, sync_group_request::SyncGroupRequestAssignment,
    },
    protocol::StrBytes,
};

use super::{Caller, Completed, Groups, Settings};
use crate::{time::Millis, wait::Wait};

const SESSION: i32 = 10_000;
const REBALANCE: i32 = 30_000;
const NONE: i16 = 0;

/// A coordinator, its clock, and the answers that have come.
struct World {
    groups: Groups,
    now: Millis,
    waits: u64,
    joins: HashMap<Wait, JoinGroupResponse>,
    syncs: HashMap<Wait, SyncGroupResponse>,
}

impl World {
    /// With a delay that lets members who join at the same instant have their first generation together.
    fn new() -> Self {
        Self::with(Settings { initial_rebalance_delay: 1, ..Settings::default() })
    }

    fn with(settings: Settings) -> Self {
        Self {
            groups: Groups::new(settings, 7),
            now: 1_000_000,
            waits: 0,
            joins: HashMap::new(),
            syncs: HashMap::new(),
        }
    }

    /// Lets time pass, event by event.
    fn pass(&mut self, time: Millis) {
        let end = self.now + time;
        while let Some(deadline) = self.groups.next_deadline().filter(|deadline| *deadline <= end) {
            self.now = self.now.max(deadline);
            self.groups.tick(self.now);
        }
        self.now = end;
        self.groups.tick(end);
        self.collect();
    }

    /// Until no group is in its initial delay.
    fn settle(&mut self) {
        while self.groups.groups.values().any(|group| group.initial_delay.is_some()) {
            self.pass(1);
        }
    }

    fn collect(&mut self) {
        while let Some((wait, completed)) = self.groups.completed() {
            let answered_before = match completed {
                Completed::Join(response) => self.joins.insert(wait, response).is_some(),
                Completed::Sync(response) => self.syncs.insert(wait, response).is_some(),
            };
            assert!(!answered_before, "{wait:?} is answered twice");
        }
    }

    fn wait(&mut self) -> Wait {
        self.waits += 1;
        Wait(self.waits)
    }

    /// Sends a JoinGroup; its answer, if there is one at once, is where later ones are too.
    fn join(&mut self, request: JoinGroupRequest, version: i16) -> Wait {
        let wait = self.wait();
        let caller = Caller { client_id: "client", client_host: "/127.0.0.1" };
        if let Some(response) = self.groups.join(self.now, &caller, request, version, wait) {
            self.joins.insert(wait, response);
        }
        self.collect();
        wait
    }

    fn joined(&mut self, wait: Wait) -> JoinGroupResponse {
        self.joins.remove(&wait).expect("the JoinGroup is answered")
    }

    fn sync(&mut self, request: SyncGroupRequest, version: i16) -> Wait {
        let wait = self.wait();
        if let Some(response) = self.groups.sync(self.now, request, version, wait) {
            self.syncs.insert(wait, response);
        }
        self.collect();
        wait
    }

    fn synced(&mut self, wait: Wait) -> SyncGroupResponse {
        self.syncs.remove(&wait).expect("the SyncGroup is answered")
    }

    fn heartbeat(&mut self, group: &str, member: &StrBytes, generation: i32) -> i16 {
        let request = HeartbeatRequest::default()
            .with_group_id(group_id(group))
            .with_member_id(member.clone())
            .with_generation_id(generation);
        let error = self.groups.heartbeat(self.now, request).error_code;
        self.collect();
        error
    }

    fn leave(&mut self, group: &str, member: &StrBytes) -> LeaveGroupResponse {
        let member = MemberIdentity::default().with_member_id(member.clone());
        let request = LeaveGroupRequest::default().with_group_id(group_id(group)).with_members(vec![member]);
        let response = self.groups.leave(self.now, request, 5);
        self.collect();
        response
    }

    /// A group with these many members, stable. The first one leads.
    fn stable(&mut self, group: &str, members: usize) -> (Vec<StrBytes>, i32) {
        let first = self.join(new_member(group), 3);
        self.settle();
        let first = self.joined(first);
        let others: Vec<Wait> = (1..members).map(|_| self.join(new_member(group), 3)).collect();
        if others.is_empty() {
            let assign = sync(group, &first.member_id, first.generation_id);
            let wait = self.sync(assign, 3);
            assert_eq!(self.synced(wait).error_code, NONE);
            return (vec![first.member_id], first.generation_id);
        }
        let again = self.join(as_member(group, &first.member_id), 3);
        let leader = self.joined(again);
        assert_eq!(leader.leader, first.member_id);
        assert_eq!(leader.members.len(), members);
        let mut ids = vec![first.member_id];
        ids.extend(others.into_iter().map(|wait| self.joined(wait).member_id));
        for id in ids.clone().iter().rev() {
            self.sync(sync(group, id, leader.generation_id), 3);
        }
        self.syncs.clear();
        assert_eq!(self.state(group), "Stable");
        (ids, leader.generation_id)
    }

    fn state(&self, group: &str) -> &'static str {
        self.groups.groups.get(&text(group)).map_or("Dead", |group| group.state.name())
    }

    fn generation(&self, group: &str) -> i32 {
        self.groups.groups.get(&text(group)).map_or(-1, |group| group.generation)
    }
}

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn group_id(group: &str) -> GroupId {
    GroupId(text(group))
}

fn topic_name(topic: &str) -> TopicName {
    TopicName(text(topic))
}

fn protocol(name: &str, metadata: Bytes) -> JoinGroupRequestProtocol {
    JoinGroupRequestProtocol::default().with_name(text(name)).with_metadata(metadata)
}

/// What a consumer of these topics sends.
fn subscription(topics: &[&str]) -> Bytes {
    let mut bytes = BytesMut::new();
    bytes.put_i16(1);
    bytes.put_i32(i32::try_from(topics.len()).unwrap());
    for topic in topics {
        bytes.put_i16(i16::try_from(topic.len()).unwrap());
        bytes.put_slice(topic.as_bytes());
    }
    bytes.put_i32(-1);
    bytes.freeze()
}

fn new_member(group: &str) -> JoinGroupRequest {
    JoinGroupRequest::default()
        .with_group_id(group_id(group))
        .with_session_timeout_ms(SESSION)
        .with_rebalance_timeout_ms(REBALANCE)
        .with_protocol_type(text("consumer"))
        .with_protocols(vec![protocol("range", subscription(&["in"]))])
}

fn as_member(group: &str, member: &StrBytes) -> JoinGroupRequest {
    new_member(group).with_member_id(member.clone())
}

fn static_member(group: &str, instance: &str) -> JoinGroupRequest {
    new_member(group).with_group_instance_id(Some(text(instance)))
}

fn sync(group: &str, member: &StrBytes, generation: i32) -> SyncGroupRequest {
    SyncGroupRequest::default()
        .with_group_id(group_id(group))
        .with_member_id(member.clone())
        .with_generation_id(generation)
}

fn assigning(request: SyncGroupRequest, assignments: &[(&StrBytes, &'static str)]) -> SyncGroupRequest {
    let assignments = assignments.iter().map(|(member, assignment)| {
        SyncGroupRequestAssignment::default()
            .with_member_id((*member).clone())
            .with_assignment(Bytes::from_static(assignment.as_bytes()))
    });
    request.with_assignments(assignments.collect())
}

fn error(error: ResponseError) -> i16 {
    error.code()
}
