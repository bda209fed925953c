//! One group (`ClassicGroup`): its state, its members, and who among them is awaited.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use kafka_protocol::{
    error::ResponseError,
    messages::{JoinGroupRequest, JoinGroupResponse, SyncGroupResponse, join_group_request::JoinGroupRequestProtocol},
    protocol::StrBytes,
};

use super::{
    member::{Member, owned_protocols},
    runtime::{JoinWait, Runtime},
    timers::Timer,
};
use crate::time::Millis;

/// Kafka's Dead is a group that no longer exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// No members. It may have offsets.
    Empty,
    /// Members are awaited to join, or to join again.
    PreparingRebalance,
    /// Members have joined; the leader's assignment is awaited.
    CompletingRebalance,
    /// Each member has its assignment, or can have it.
    Stable,
}

impl State {
    /// As DescribeGroups and ListGroups give it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Empty => "Empty",
            Self::PreparingRebalance => "PreparingRebalance",
            Self::CompletingRebalance => "CompletingRebalance",
            Self::Stable => "Stable",
        }
    }
}

/// The delay of a group's first generation, which each new member extends (KIP-134).
#[derive(Debug, Clone, Copy)]
pub(super) struct InitialDelay {
    pub(super) delay: Millis,
    /// How much longer it may become.
    pub(super) remaining: Millis,
}

#[derive(Debug)]
pub(super) struct Group {
    pub(super) id: StrBytes,
    pub(super) state: State,
    pub(super) previous_state: Option<State>,
    pub(super) state_since: Millis,
    /// `consumer`, for consumers. A simple group, that only keeps offsets, has none.
    pub(super) protocol_type: Option<StrBytes>,
    /// The one that was selected for this generation.
    pub(super) protocol: Option<StrBytes>,
    pub(super) generation: i32,
    pub(super) leader: Option<StrBytes>,
    pub(super) members: BTreeMap<StrBytes, Member>,
    /// Member ids by instance id.
    pub(super) static_members: HashMap<StrBytes, StrBytes>,
    /// They got their member id, and have not joined with it yet (KIP-394).
    pub(super) pending_join: HashSet<StrBytes>,
    /// They have joined this generation, and have not sent SyncGroup yet.
    pub(super) pending_sync: BTreeSet<StrBytes>,
    /// By how many members each protocol is supported.
    pub(super) supported: HashMap<StrBytes, usize>,
    /// `None`: unknown.
    pub(super) subscribed: Option<BTreeSet<StrBytes>>,
    /// Since the initial delay was last scheduled.
    pub(super) new_member_added: bool,
    /// While that is what the join timer stands for.
    pub(super) initial_delay: Option<InitialDelay>,
}

impl Group {
    pub(super) fn new(id: StrBytes, now: Millis) -> Self {
        Self {
            id,
            state: State::Empty,
            previous_state: None,
            state_since: now,
            protocol_type: None,
            protocol: None,
            generation: 0,
            leader: None,
            members: BTreeMap::new(),
            static_members: HashMap::new(),
            pending_join: HashSet::new(),
            pending_sync: BTreeSet::new(),
            supported: HashMap::new(),
            subscribed: None,
            new_member_added: false,
            initial_delay: None,
        }
    }

    pub(super) fn transition_to(&mut self, runtime: &Runtime, state: State) {
        self.previous_state = Some(self.state);
        self.state = state;
        self.state_since = runtime.now;
    }

    pub(super) fn is_leader(&self, member: &StrBytes) -> bool {
        self.leader.as_ref() == Some(member)
    }

    pub(super) fn awaiting_join(&self) -> usize {
        self.members.values().filter(|member| member.join.is_some()).count()
    }

    pub(super) fn has_all_members_joined(&self) -> bool {
        self.pending_join.is_empty() && self.members.values().all(|member| member.join.is_some())
    }

    /// The longest that any member asks for.
    pub(super) fn rebalance_timeout(&self) -> Millis {
        self.members.values().map(|member| member.rebalance_timeout).max().unwrap_or(0).max(0)
    }

    pub(super) fn uses_consumer_protocol(&self) -> bool {
        self.protocol_type.as_ref().is_some_and(|kind| **kind == *"consumer")
    }

    /// The member exists, and the instance id, if there is one, is its own.
    ///
    /// # Errors
    /// UNKNOWN_MEMBER_ID, or FENCED_INSTANCE_ID where another member has this instance id.
    pub(super) fn validate_member(&self, id: &StrBytes, instance_id: Option<&StrBytes>) -> Result<(), ResponseError> {
        if let Some(instance_id) = instance_id {
            match self.static_members.get(instance_id) {
                None => return Err(ResponseError::UnknownMemberId),
                Some(owner) if owner != id => return Err(ResponseError::FencedInstanceId),
                Some(_) => {}
            }
        }
        if self.members.contains_key(id) { Ok(()) } else { Err(ResponseError::UnknownMemberId) }
    }

    /// A new member, which waits for the end of the join phase.
    pub(super) fn add(&mut self, mut member: Member, protocol_type: &StrBytes, join: JoinWait) {
        if let Some(instance_id) = &member.instance_id {
            self.static_members.insert(instance_id.clone(), member.id.clone());
        }
        if self.members.is_empty() {
            self.protocol_type = Some(super::runtime::owned(protocol_type));
        }
        if self.leader.is_none() {
            self.leader = Some(member.id.clone());
        }
        self.count_protocols(&member.protocols);
        self.pending_join.remove(&member.id);
        member.join = Some(join);
        self.members.insert(member.id.clone(), member);
    }

    /// The member goes, or one that has only its id. Whatever it waited for is answered: its client, if there still is
    /// one, is to join as a new member.
    pub(super) fn remove(&mut self, runtime: &mut Runtime, id: &StrBytes) {
        runtime.timers.cancel(&Timer::Session(self.id.clone(), id.clone()));
        if let Some(mut member) = self.members.remove(id) {
            self.discount_protocols(&member.protocols);
            if let Some(instance_id) = &member.instance_id {
                self.static_members.remove(instance_id);
            }
            let unknown = ResponseError::UnknownMemberId.code();
            complete_join(runtime, &mut member, JoinGroupResponse::default().with_error_code(unknown));
            complete_sync(runtime, &mut member, SyncGroupResponse::default().with_error_code(unknown));
        }
        if self.is_leader(id) {
            self.leader = self.members.keys().next().cloned();
        }
        self.pending_join.remove(id);
        self.pending_sync.remove(id);
    }

    /// Takes over what the request says, and lets it wait. One that the member already has waiting is answered: its
    /// client gave it up (Kafka forgets it, and never answers).
    pub(super) fn update(&mut self, runtime: &mut Runtime, id: &StrBytes, request: &JoinGroupRequest, join: JoinWait) {
        let Some(member) = self.members.get_mut(id) else { return };
        let superseded = JoinGroupResponse::default()
            .with_member_id(id.clone())
            .with_error_code(ResponseError::RebalanceInProgress.code());
        complete_join(runtime, member, superseded);
        member.join = Some(join);
        member.rebalance_timeout = request.rebalance_timeout_ms.into();
        member.session_timeout = request.session_timeout_ms.into();
        let protocols = owned_protocols(&request.protocols);
        let earlier = std::mem::replace(&mut member.protocols, protocols.clone());
        self.discount_protocols(&earlier);
        self.count_protocols(&protocols);
    }

    /// From now on, the member has this long for its next sign of life.
    pub(super) fn restart_session(&self, runtime: &mut Runtime, id: &StrBytes) {
        if let Some(member) = self.members.get(id) {
            let deadline = runtime.now.saturating_add(member.session_timeout);
            runtime.timers.schedule(Timer::Session(self.id.clone(), id.clone()), deadline);
        }
    }

    pub(super) fn cancel_timers(&self, runtime: &mut Runtime) {
        for member in self.members.keys().chain(&self.pending_join) {
            runtime.timers.cancel(&Timer::Session(self.id.clone(), member.clone()));
        }
        runtime.timers.cancel(&Timer::Join(self.id.clone()));
        runtime.timers.cancel(&Timer::Sync(self.id.clone()));
    }

    fn count_protocols(&mut self, protocols: &[JoinGroupRequestProtocol]) {
        for name in names(protocols) {
            *self.supported.entry(name.clone()).or_default() += 1;
        }
    }

    fn discount_protocols(&mut self, protocols: &[JoinGroupRequestProtocol]) {
        for name in names(protocols) {
            if let Some(count) = self.supported.get_mut(name) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    self.supported.remove(name);
                }
            }
        }
    }
}

/// Each name once.
fn names(protocols: &[JoinGroupRequestProtocol]) -> HashSet<&StrBytes> {
    protocols.iter().map(|protocol| &protocol.name).collect()
}

/// Answers the member's JoinGroup, if one waits.
pub(super) fn complete_join(runtime: &mut Runtime, member: &mut Member, response: JoinGroupResponse) {
    if let Some(join) = member.join.take() {
        runtime.answer_join(join, response);
    }
}

/// Answers the member's SyncGroup, if one waits; says whether one did.
pub(super) fn complete_sync(runtime: &mut Runtime, member: &mut Member, response: SyncGroupResponse) -> bool {
    match member.sync.take() {
        Some(wait) => {
            runtime.answer_sync(wait, response);
            true
        }
        None => false,
    }
}
