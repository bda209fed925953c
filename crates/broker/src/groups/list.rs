//! ListGroups.

use kafka_protocol::{
    messages::{GroupId, ListGroupsRequest, ListGroupsResponse, list_groups_response::ListedGroup},
    protocol::StrBytes,
};

use super::Groups;
use crate::time::Millis;

/// The type of a group whose members assign partitions among themselves (KIP-848 calls the other one `consumer`).
const TYPE: &str = "classic";

impl Groups {
    /// A ListGroups: all groups, or those that pass both filters, whatever their case. Simple groups are among them.
    pub(crate) fn list(&mut self, now: Millis, request: ListGroupsRequest, version: i16) -> ListGroupsResponse {
        self.tick(now);
        let passes = |filter: &[StrBytes], value: &str| {
            filter.is_empty() || filter.iter().any(|wanted| wanted.trim().eq_ignore_ascii_case(value))
        };
        let groups = self
            .groups
            .values()
            .filter(|group| version < 4 || passes(&request.states_filter, group.state.name()))
            .filter(|_| version < 5 || passes(&request.types_filter, TYPE))
            .map(|group| {
                ListedGroup::default()
                    .with_group_id(GroupId(group.id.clone()))
                    .with_protocol_type(group.protocol_type.clone().unwrap_or_default())
                    .with_group_state(StrBytes::from_static_str(group.state.name()))
                    .with_group_type(StrBytes::from_static_str(TYPE))
            });
        ListGroupsResponse::default().with_groups(groups.collect())
    }
}
