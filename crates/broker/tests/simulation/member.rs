//! Members of the group, and what must be so among them.

use std::collections::BTreeMap;

use broker::{Millis, Wait};
use bytes::Bytes;
use kafka_protocol::{
    messages::{
        DescribeGroupsRequest, HeartbeatRequest, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest,
        SyncGroupRequest, SyncGroupResponse, join_group_request::JoinGroupRequestProtocol,
        leave_group_request::MemberIdentity, sync_group_request::SyncGroupRequestAssignment,
    },
    protocol::StrBytes,
};

use crate::{
    run::{Checked, hold},
    world::{Credentials, Outcome, World, decode, group_id},
};

const SESSION_TIMEOUT: i32 = 6_000;
const REBALANCE_TIMEOUT: i32 = 5_000;
/// A first generation may wait for more members for as long as a rebalance, and once more the delay that it began with.
pub(crate) const LONGEST_JOIN: Millis = 6_000;
/// Who has not sent SyncGroup by then is out.
const LONGEST_SYNC: Millis = REBALANCE_TIMEOUT as Millis;

const JOIN: i16 = 5;
const SYNC: i16 = 3;
const MEMBER_ID_REQUIRED: i16 = 79;

/// What the coordinator has said about the group's generations.
#[derive(Debug, Default)]
pub(crate) struct Generations {
    newest: i32,
    leaders: BTreeMap<i32, StrBytes>,
    assigned: BTreeMap<(i32, StrBytes), Bytes>,
}

impl Generations {
    /// A request of this generation was granted.
    pub(crate) fn is_current(&self, generation: i32) -> Checked {
        hold!(generation >= self.newest, "generation {generation} is served after generation {}", self.newest);
        Ok(())
    }

    fn joined(&mut self, response: &JoinGroupResponse) -> Checked {
        let generation = response.generation_id;
        self.is_current(generation)?;
        self.newest = generation;
        let leader = self.leaders.entry(generation).or_insert_with(|| response.leader.clone());
        hold!(*leader == response.leader, "generation {generation} has two leaders");
        let leads = response.leader == response.member_id;
        hold!(leads != response.members.is_empty(), "only the leader is told who is a member");
        let own = response.members.iter().any(|member| member.member_id == response.member_id);
        hold!(!leads || own, "the leader is no member");
        Ok(())
    }

    fn synced(&self, generation: i32, member: &StrBytes, assignment: &Bytes) -> Checked {
        let assigned = self.assigned.get(&(generation, member.clone()));
        hold!(
            assigned == Some(assignment),
            "{member:?} is assigned {assignment:?}, and its leader assigned {assigned:?}"
        );
        Ok(())
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Awaits {
    Nothing,
    Join(Wait),
    Sync(Wait),
}

#[derive(Debug)]
pub(crate) struct Member {
    id: StrBytes,
    generation: i32,
    awaits: Awaits,
    /// The leader's: whom it is to assign something.
    members: Vec<StrBytes>,
    joined: bool,
}

impl Member {
    pub(crate) fn new() -> Self {
        let id = StrBytes::new();
        Self { id, generation: -1, awaits: Awaits::Nothing, members: Vec::new(), joined: false }
    }

    /// What it shows with an offset.
    pub(crate) fn credentials(&self) -> Credentials {
        self.joined.then(|| (self.id.to_string(), self.generation))
    }

    pub(crate) fn join(&mut self, world: &mut World) -> Checked {
        if self.awaits != Awaits::Nothing {
            return Ok(());
        }
        let protocol = JoinGroupRequestProtocol::default().with_name(StrBytes::from_static_str("range"));
        let request = JoinGroupRequest::default()
            .with_group_id(group_id())
            .with_session_timeout_ms(SESSION_TIMEOUT)
            .with_rebalance_timeout_ms(REBALANCE_TIMEOUT)
            .with_member_id(self.id.clone())
            .with_protocol_type(StrBytes::from_static_str("consumer"))
            .with_protocols(vec![protocol]);
        match world.send(&request, JOIN)? {
            Outcome::Answer(response) if response.error_code == MEMBER_ID_REQUIRED => {
                hold!(self.id.is_empty() && !response.member_id.is_empty(), "a member with an id is given another");
                self.id = response.member_id;
                world.look()?;
                return self.join(world);
            }
            Outcome::Answer(response) => self.joined(world, &response)?,
            Outcome::Wait(wait) => {
                world.awaited.insert(wait, world.now + LONGEST_JOIN);
                self.awaits = Awaits::Join(wait);
            }
            Outcome::Silence => return Err("JoinGroup without answer".into()),
        }
        world.look()
    }

    fn joined(&mut self, world: &mut World, response: &JoinGroupResponse) -> Checked {
        if response.error_code != 0 {
            *self = Self::new();
            return Ok(());
        }
        hold!(response.member_id == self.id, "the answer is another member's");
        world.generations.joined(response)?;
        self.generation = response.generation_id;
        self.members = response.members.iter().map(|member| member.member_id.clone()).collect();
        self.joined = true;
        Ok(())
    }

    pub(crate) fn sync(&mut self, world: &mut World) -> Checked {
        if self.awaits != Awaits::Nothing || !self.joined {
            return Ok(());
        }
        let assignments: Vec<_> = self
            .members
            .iter()
            .map(|member| {
                let assignment = Bytes::from(format!("{}/{member:?}", self.generation));
                let given = world.generations.assigned.entry((self.generation, member.clone()));
                given.or_insert_with(|| assignment.clone());
                SyncGroupRequestAssignment::default().with_member_id(member.clone()).with_assignment(assignment)
            })
            .collect();
        let request = SyncGroupRequest::default()
            .with_group_id(group_id())
            .with_generation_id(self.generation)
            .with_member_id(self.id.clone())
            .with_assignments(assignments);
        match world.send(&request, SYNC)? {
            Outcome::Answer(response) => self.synced(world, &response)?,
            Outcome::Wait(wait) => {
                world.awaited.insert(wait, world.now + LONGEST_SYNC);
                self.awaits = Awaits::Sync(wait);
            }
            Outcome::Silence => return Err("SyncGroup without answer".into()),
        }
        world.look()
    }

    fn synced(&mut self, world: &mut World, response: &SyncGroupResponse) -> Checked {
        match response.error_code {
            0 => world.generations.synced(self.generation, &self.id, &response.assignment)?,
            _ => self.joined = false,
        }
        Ok(())
    }

    /// Takes the answer that this member has waited for, if it has come.
    pub(crate) fn arrive(&mut self, world: &mut World) -> Checked {
        let (Awaits::Join(wait) | Awaits::Sync(wait)) = self.awaits else { return Ok(()) };
        let Some(bytes) = world.arrived.remove(&wait) else { return Ok(()) };
        match std::mem::replace(&mut self.awaits, Awaits::Nothing) {
            Awaits::Join(_) => self.joined(world, &decode(bytes, JOIN)?.1),
            _ => self.synced(world, &decode(bytes, SYNC)?.1),
        }
    }

    pub(crate) fn heartbeat(&mut self, world: &mut World, stale: bool) -> Checked {
        if !self.joined {
            return Ok(());
        }
        let generation = self.generation - i32::from(stale);
        let request = HeartbeatRequest::default()
            .with_group_id(group_id())
            .with_generation_id(generation)
            .with_member_id(self.id.clone());
        if world.call(&request, 3)?.error_code == 0 {
            world.generations.is_current(generation)?;
        }
        world.look()
    }

    pub(crate) fn leave(&mut self, world: &mut World) -> Checked {
        if !self.id.is_empty() {
            let member = MemberIdentity::default().with_member_id(self.id.clone());
            let request = LeaveGroupRequest::default().with_group_id(group_id()).with_members(vec![member]);
            world.call(&request, 3)?;
        }
        self.crash(world)
    }

    pub(crate) fn crash(&mut self, world: &mut World) -> Checked {
        if let Awaits::Join(wait) | Awaits::Sync(wait) = self.awaits {
            world.engine.abandon(wait);
            world.awaited.remove(&wait);
        }
        *self = Self::new();
        // LeaveGroup may have answered the very request that is abandoned.
        world.deliver_abandoned()?;
        world.look()
    }
}

impl World {
    /// JoinGroup and SyncGroup wait for others, but not for ever.
    pub(crate) fn check_patience(&self) -> Checked {
        for (wait, by) in &self.awaited {
            hold!(self.now <= *by, "{wait:?} of the group waits {} ms too long", self.now - by);
        }
        Ok(())
    }

    /// Nobody has shown a sign of life for long.
    pub(crate) fn check_desertion(&mut self) -> Checked {
        let response = self.call(&DescribeGroupsRequest::default().with_groups(vec![group_id()]), 5)?;
        let group = response.groups.first().ok_or("no answer to DescribeGroups")?;
        hold!(group.group_state.as_str() == "Empty", "a deserted group is {:?}", group.group_state);
        hold!(group.members.is_empty(), "a deserted group has members");
        Ok(())
    }
}
