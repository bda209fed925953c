//! LeaveGroup.

use kafka_protocol::{
    error::ResponseError,
    messages::{
        LeaveGroupRequest, LeaveGroupResponse, leave_group_request::MemberIdentity,
        leave_group_response::MemberResponse,
    },
};

use super::{
    Groups,
    group::{Group, State},
    runtime::Runtime,
};
use crate::time::Millis;

impl Groups {
    /// A LeaveGroup: of one member, or from version 3 of several, which may be static ones that an administrator names
    /// by their instance ids alone.
    pub(crate) fn leave(&mut self, now: Millis, request: LeaveGroupRequest, version: i16) -> LeaveGroupResponse {
        self.tick(now);
        if request.group_id.is_empty() {
            return LeaveGroupResponse::default().with_error_code(ResponseError::InvalidGroupId.code());
        }
        let leaving = if version >= 3 {
            request.members
        } else {
            vec![MemberIdentity::default().with_member_id(request.member_id)]
        };
        let mut group = self.groups.get_mut(&request.group_id.0);
        let mut any_left = false;
        let mut members = Vec::with_capacity(leaving.len());
        for member in leaving {
            let left = match &mut group {
                Some(group) => group.leave(&mut self.runtime, &member),
                None => Err(ResponseError::UnknownMemberId),
            };
            any_left |= left.is_ok();
            members.push(
                MemberResponse::default()
                    .with_member_id(member.member_id)
                    .with_group_instance_id(member.group_instance_id)
                    .with_error_code(left.err().map_or(0, |error| error.code())),
            );
        }
        if let Some(group) = group
            && any_left
        {
            group.rebalance_after_leave(&mut self.runtime);
        }
        if version >= 3 {
            LeaveGroupResponse::default().with_members(members)
        } else {
            let error_code = members.first().map_or(0, |member| member.error_code);
            LeaveGroupResponse::default().with_error_code(error_code)
        }
    }
}

impl Group {
    fn leave(&mut self, runtime: &mut Runtime, member: &MemberIdentity) -> Result<(), ResponseError> {
        let instance_id = member.group_instance_id.as_ref();
        let id = if member.member_id.is_empty() {
            let owner = instance_id.and_then(|instance_id| self.static_members.get(instance_id));
            owner.cloned().ok_or(ResponseError::UnknownMemberId)?
        } else {
            if !self.pending_join.contains(&member.member_id) {
                self.validate_member(&member.member_id, instance_id)?;
            }
            member.member_id.clone()
        };
        self.remove(runtime, &id);
        Ok(())
    }

    fn rebalance_after_leave(&mut self, runtime: &mut Runtime) {
        match self.state {
            State::Stable | State::CompletingRebalance => self.prepare_rebalance(runtime),
            State::PreparingRebalance => self.maybe_complete_join(runtime),
            State::Empty => {}
        }
    }
}
