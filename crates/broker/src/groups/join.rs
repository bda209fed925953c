//! JoinGroup.

use kafka_protocol::{
    error::ResponseError,
    messages::{JoinGroupRequest, JoinGroupResponse},
    protocol::StrBytes,
};

use super::{
    Caller, Completed, Groups,
    group::{Group, State},
    member::Member,
    runtime::{JoinWait, Runtime, for_version, owned},
    timers::Timer,
};
use crate::{time::Millis, wait::Wait};

/// Bytes of a member that are kept for as long as it is one. A group must fit into a record of `__consumer_offsets`,
/// whose batches have at most `max.message.bytes`, 1 MiB by default: no larger member could ever become part of one.
pub(super) const MAX_METADATA: usize = 1_048_576;

/// A JoinGroup, and who sent it.
pub(super) struct Join<'a> {
    pub(super) caller: &'a Caller<'a>,
    pub(super) request: JoinGroupRequest,
    pub(super) version: i16,
    pub(super) wait: Wait,
}

impl Join<'_> {
    pub(super) fn waiting(&self) -> JoinWait {
        JoinWait { wait: self.wait, version: self.version }
    }

    fn kept_bytes(&self) -> usize {
        let Self { caller, request, .. } = self;
        let protocols: usize = request.protocols.iter().map(|own| own.name.len() + own.metadata.len()).sum();
        protocols
            + request.group_id.len()
            + request.protocol_type.len()
            + request.group_instance_id.as_ref().map_or(0, |id| id.len())
            + caller.client_id.len()
    }
}

impl Groups {
    /// A JoinGroup. `None`: it is answered later.
    pub(crate) fn join(
        &mut self,
        now: Millis,
        caller: &Caller<'_>,
        mut request: JoinGroupRequest,
        version: i16,
        wait: Wait,
    ) -> Option<JoinGroupResponse> {
        self.tick(now);
        if version == 0 {
            // It has no rebalance timeout yet.
            request.rebalance_timeout_ms = request.session_timeout_ms;
        }
        match self.join_group(&Join { caller, request, version, wait }) {
            Some(response) => Some(for_version(response, version)),
            None => match self.runtime.take(wait)? {
                Completed::Join(response) => Some(response),
                Completed::Sync(_) => None,
            },
        }
    }

    fn join_group(&mut self, join: &Join<'_>) -> Option<JoinGroupResponse> {
        let request = &join.request;
        let settings = &self.runtime.settings;
        if request.group_id.is_empty() {
            return refused(&request.member_id, ResponseError::InvalidGroupId);
        }
        if !(settings.min_session_timeout..=settings.max_session_timeout).contains(&request.session_timeout_ms.into()) {
            return refused(&request.member_id, ResponseError::InvalidSessionTimeout);
        }
        if join.kept_bytes() > MAX_METADATA {
            return refused(&request.member_id, ResponseError::UnknownServerError);
        }
        let known = !request.member_id.is_empty();
        if known && !self.groups.contains_key(&request.group_id.0) {
            return refused(&request.member_id, ResponseError::UnknownMemberId);
        }
        if self.group_or_new(&request.group_id).is_none() {
            return refused(&request.member_id, ResponseError::CoordinatorNotAvailable);
        }
        let group = self.groups.get_mut(&request.group_id.0)?;
        let runtime = &mut self.runtime;
        if !group.accepts(runtime, &request.member_id) {
            group.remove(runtime, &request.member_id);
            return refused(&StrBytes::new(), ResponseError::GroupMaxSizeReached);
        }
        if known { group.join_existing_member(runtime, join) } else { group.join_new_member(runtime, join) }
    }
}

impl Group {
    /// Whether there is room (`acceptJoiningMember`). While members join, the first ones to come have it.
    fn accepts(&self, runtime: &Runtime, member: &StrBytes) -> bool {
        let max_size = runtime.settings.max_size;
        match self.state {
            State::Empty => true,
            State::PreparingRebalance => {
                self.members.get(member).is_some_and(|member| member.join.is_some()) || self.awaiting_join() < max_size
            }
            State::CompletingRebalance | State::Stable => {
                self.members.contains_key(member) || self.members.len() < max_size
            }
        }
    }

    fn join_new_member(&mut self, runtime: &mut Runtime, join: &Join<'_>) -> Option<JoinGroupResponse> {
        let request = &join.request;
        if !self.supports(&request.protocol_type, &request.protocols) {
            return refused(&StrBytes::new(), ResponseError::InconsistentGroupProtocol);
        }
        if let Some(instance_id) = &request.group_instance_id {
            let id = runtime.ids.next(instance_id);
            return match self.static_members.get(instance_id).cloned() {
                Some(earlier) => self.replace_and_rebalance(runtime, join, &earlier, id),
                None => self.add_and_rebalance(runtime, join, id),
            };
        }
        let id = runtime.ids.next(join.caller.client_id);
        if join.version < 4 {
            return self.add_and_rebalance(runtime, join, id);
        }
        // KIP-394: the member is to come back with its id, so that one that retries is not counted twice. Kafka lets any
        // number of ids be pending; here they are bounded as the members are.
        if self.pending_join.len() >= runtime.settings.max_size {
            return refused(&StrBytes::new(), ResponseError::GroupMaxSizeReached);
        }
        self.pending_join.insert(id.clone());
        let deadline = runtime.now.saturating_add(request.session_timeout_ms.into());
        runtime.timers.schedule(Timer::Session(self.id.clone(), id.clone()), deadline);
        refused(&id, ResponseError::MemberIdRequired)
    }

    fn join_existing_member(&mut self, runtime: &mut Runtime, join: &Join<'_>) -> Option<JoinGroupResponse> {
        let request = &join.request;
        let id = &request.member_id;
        if !self.supports(&request.protocol_type, &request.protocols) {
            return refused(id, ResponseError::InconsistentGroupProtocol);
        }
        if self.pending_join.contains(id) {
            if request.group_instance_id.is_some() {
                // No static member has ever to ask for its id first: an IllegalStateException in Kafka.
                return refused(&StrBytes::new(), ResponseError::UnknownServerError);
            }
            return self.add_and_rebalance(runtime, join, owned(id));
        }
        if let Err(error) = self.validate_member(id, request.group_instance_id.as_ref()) {
            return refused(id, error);
        }
        let changed = !self.members.get(id).is_some_and(|member| member.matches(&request.protocols));
        let rebalance = match self.state {
            State::PreparingRebalance => true,
            // The same metadata: the answer to its first JoinGroup may have been lost.
            State::CompletingRebalance => changed,
            // The leader may have seen a change that is not in its metadata, such as new partitions.
            State::Stable => changed || self.is_leader(id),
            State::Empty => return refused(id, ResponseError::UnknownMemberId),
        };
        if !rebalance {
            return Some(self.join_answer(id));
        }
        self.update(runtime, id, request, join.waiting());
        self.prepare_rebalance_or_complete_join(runtime);
        None
    }

    fn add_and_rebalance(&mut self, runtime: &mut Runtime, join: &Join<'_>, id: StrBytes) -> Option<JoinGroupResponse> {
        /// `classicGroupNewMemberJoinTimeoutMs`.
        const NEW_MEMBER_JOIN_TIMEOUT: Millis = 5 * 60 * 1_000;

        let member = Member::new(id.clone(), join.caller, &join.request);
        if self.state == State::PreparingRebalance && self.previous_state == Some(State::Empty) {
            self.new_member_added = true;
        }
        self.add(member, &join.request.protocol_type, join.waiting());
        // It cannot send heartbeats before it has joined; but it does not stay for ever if its client went away.
        let deadline = runtime.now.saturating_add(NEW_MEMBER_JOIN_TIMEOUT);
        runtime.timers.schedule(Timer::Session(self.id.clone(), id), deadline);
        self.prepare_rebalance_or_complete_join(runtime);
        None
    }
}

pub(super) fn refused(member: &StrBytes, error: ResponseError) -> Option<JoinGroupResponse> {
    Some(JoinGroupResponse::default().with_member_id(member.clone()).with_error_code(error.code()))
}
