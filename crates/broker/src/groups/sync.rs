//! SyncGroup.

use std::collections::HashMap;

use bytes::Bytes;
use kafka_protocol::{
    error::ResponseError,
    messages::{SyncGroupRequest, SyncGroupResponse},
    protocol::StrBytes,
};

use super::{
    Completed, Groups,
    group::{Group, State, complete_sync},
    join::MAX_METADATA,
    member::Member,
    runtime::{Runtime, owned_bytes},
    timers::Timer,
};
use crate::{time::Millis, wait::Wait};

impl Groups {
    /// A SyncGroup. `None`: it is answered later.
    pub(crate) fn sync(
        &mut self,
        now: Millis,
        request: SyncGroupRequest,
        version: i16,
        wait: Wait,
    ) -> Option<SyncGroupResponse> {
        self.tick(now);
        if version >= 5 && (request.protocol_type.is_none() || request.protocol_name.is_none()) {
            return Some(refused(ResponseError::InconsistentGroupProtocol));
        }
        if request.group_id.is_empty() {
            return Some(refused(ResponseError::InvalidGroupId));
        }
        let Some(group) = self.groups.get_mut(&request.group_id.0).filter(|group| group.state != State::Empty) else {
            return Some(refused(ResponseError::UnknownMemberId));
        };
        match group.sync(&mut self.runtime, &request, wait) {
            Ok(Some(response)) => Some(response),
            Ok(None) => match self.runtime.take(wait)? {
                Completed::Sync(response) => Some(response),
                Completed::Join(_) => None,
            },
            Err(error) => Some(refused(error)),
        }
    }
}

impl Group {
    fn sync(
        &mut self,
        runtime: &mut Runtime,
        request: &SyncGroupRequest,
        wait: Wait,
    ) -> Result<Option<SyncGroupResponse>, ResponseError> {
        let id = &request.member_id;
        self.validate_member(id, request.group_instance_id.as_ref())?;
        if request.generation_id != self.generation {
            return Err(ResponseError::IllegalGeneration);
        }
        if differs(request.protocol_type.as_ref(), self.protocol_type.as_ref())
            || differs(request.protocol_name.as_ref(), self.protocol.as_ref())
        {
            return Err(ResponseError::InconsistentGroupProtocol);
        }
        match self.state {
            State::Empty => Err(ResponseError::UnknownMemberId),
            State::PreparingRebalance => Err(ResponseError::RebalanceInProgress),
            State::CompletingRebalance => {
                if let Some(member) = self.members.get_mut(id) {
                    // Its client gave the earlier one up. Kafka forgets that, and never answers it.
                    complete_sync(runtime, member, refused(ResponseError::RebalanceInProgress));
                    member.sync = Some(wait);
                }
                self.has_synced(runtime, id);
                if self.is_leader(id) {
                    self.assign(runtime, request);
                }
                Ok(None)
            }
            State::Stable => {
                self.has_synced(runtime, id);
                Ok(self.members.get(id).map(|member| self.sync_answer(member)))
            }
        }
    }

    fn has_synced(&mut self, runtime: &mut Runtime, id: &StrBytes) {
        self.pending_sync.remove(id);
        if self.pending_sync.is_empty() {
            runtime.timers.cancel(&Timer::Sync(self.id.clone()));
        }
    }

    /// The leader has spoken: each member has its assignment, be it an empty one.
    fn assign(&mut self, runtime: &mut Runtime, request: &SyncGroupRequest) {
        let mut assignments: HashMap<&StrBytes, &Bytes> =
            request.assignments.iter().map(|given| (&given.member_id, &given.assignment)).collect();
        let protocol = self.protocol.clone().unwrap_or_default();
        let mut size = 0;
        for member in self.members.values_mut() {
            member.assignment = assignments.remove(&member.id).map(owned_bytes).unwrap_or_default();
            size += member.id.len() + member.assignment.len() + member.metadata(&protocol).len();
        }
        if size > MAX_METADATA {
            // The group does not fit into a record (`appendGroupMetadataErrorToResponseError`).
            for member in self.members.values_mut() {
                member.assignment = Bytes::new();
            }
            self.propagate(runtime, |_, _| refused(ResponseError::UnknownServerError));
            self.prepare_rebalance_or_complete_join(runtime);
            return;
        }
        self.propagate(runtime, Self::sync_answer);
        self.transition_to(runtime, State::Stable);
    }

    fn sync_answer(&self, member: &Member) -> SyncGroupResponse {
        SyncGroupResponse::default()
            .with_protocol_type(self.protocol_type.clone())
            .with_protocol_name(self.protocol.clone())
            .with_assignment(member.assignment.clone())
    }
}

/// Whether both are known, and not the same.
fn differs(asked: Option<&StrBytes>, own: Option<&StrBytes>) -> bool {
    matches!((asked, own), (Some(asked), Some(own)) if asked != own)
}

fn refused(error: ResponseError) -> SyncGroupResponse {
    SyncGroupResponse::default().with_error_code(error.code())
}
