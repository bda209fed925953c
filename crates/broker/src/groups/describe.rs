//! DescribeGroups.

use kafka_protocol::{
    error::ResponseError,
    messages::{DescribeGroupsRequest, DescribeGroupsResponse, GroupId, describe_groups_response::DescribedGroup},
    protocol::StrBytes,
};

use super::{
    Groups,
    group::{Group, State},
};
use crate::time::Millis;

impl Groups {
    /// A DescribeGroups. Members show their metadata in a stable group only.
    pub(crate) fn describe(
        &mut self,
        now: Millis,
        request: DescribeGroupsRequest,
        version: i16,
    ) -> DescribeGroupsResponse {
        /// What may be done to a group where nothing is forbidden: READ, DELETE, DESCRIBE, DESCRIBE_CONFIGS and
        /// ALTER_CONFIGS, as bits of their codes (`AclOperation`).
        const ALL_OPERATIONS: i32 = 1 << 3 | 1 << 6 | 1 << 8 | 1 << 10 | 1 << 11;

        self.tick(now);
        let with_operations = version >= 3 && request.include_authorized_operations;
        let groups = request.groups.into_iter().map(|id| {
            let described = match self.groups.get(&id.0) {
                Some(group) => group.as_described(),
                None => unknown(&id, version),
            };
            let described = described.with_group_id(id);
            if with_operations && described.error_code == 0 {
                described.with_authorized_operations(ALL_OPERATIONS)
            } else {
                described
            }
        });
        DescribeGroupsResponse::default().with_groups(groups.collect())
    }
}

impl Group {
    fn as_described(&self) -> DescribedGroup {
        let described = DescribedGroup::default()
            .with_group_state(StrBytes::from_static_str(self.state.name()))
            .with_protocol_type(self.protocol_type.clone().unwrap_or_default());
        match &self.protocol {
            Some(protocol) if self.state == State::Stable => {
                let members = self
                    .members
                    .values()
                    .map(|member| member.as_described().with_member_metadata(member.metadata(protocol)));
                described.with_protocol_data(protocol.clone()).with_members(members.collect())
            }
            _ => described.with_members(self.members.values().map(|member| member.as_described()).collect()),
        }
    }
}

/// A group that does not exist is Dead; from version 6 on, an error says so too (KIP-1043).
fn unknown(id: &GroupId, version: i16) -> DescribedGroup {
    let dead = DescribedGroup::default().with_group_state(StrBytes::from_static_str("Dead"));
    if version < 6 {
        return dead;
    }
    dead.with_error_code(ResponseError::GroupIdNotFound.code())
        .with_error_message(Some(StrBytes::from_string(format!("Group {} not found.", id.as_str()))))
}
