//! A member of a group (`ClassicGroupMember`).

use bytes::Bytes;
use kafka_protocol::{
    messages::{
        JoinGroupRequest, describe_groups_response::DescribedGroupMember, join_group_request::JoinGroupRequestProtocol,
        join_group_response::JoinGroupResponseMember,
    },
    protocol::StrBytes,
};

use super::{
    Caller,
    runtime::{JoinWait, owned, owned_bytes},
};
use crate::{time::Millis, wait::Wait};

#[derive(Debug)]
pub(super) struct Member {
    pub(super) id: StrBytes,
    /// A static member has one (KIP-345).
    pub(super) instance_id: Option<StrBytes>,
    pub(super) client_id: StrBytes,
    pub(super) client_host: StrBytes,
    pub(super) rebalance_timeout: Millis,
    pub(super) session_timeout: Millis,
    /// The most wanted first.
    pub(super) protocols: Vec<JoinGroupRequestProtocol>,
    pub(super) assignment: Bytes,
    pub(super) join: Option<JoinWait>,
    pub(super) sync: Option<Wait>,
    /// It has not seen the end of a join phase yet.
    pub(super) is_new: bool,
}

impl Member {
    pub(super) fn new(id: StrBytes, caller: &Caller<'_>, request: &JoinGroupRequest) -> Self {
        Self {
            id,
            instance_id: request.group_instance_id.as_ref().map(owned),
            client_id: StrBytes::from_string(caller.client_id.to_owned()),
            client_host: StrBytes::from_string(caller.client_host.to_owned()),
            rebalance_timeout: request.rebalance_timeout_ms.into(),
            session_timeout: request.session_timeout_ms.into(),
            protocols: owned_protocols(&request.protocols),
            assignment: Bytes::new(),
            join: None,
            sync: None,
            is_new: true,
        }
    }

    /// Its metadata for this protocol; empty where it does not support it.
    pub(super) fn metadata(&self, protocol: &str) -> Bytes {
        self.protocols.iter().find(|own| *own.name == *protocol).map(|own| own.metadata.clone()).unwrap_or_default()
    }

    /// A member that waits for the others cannot send heartbeats, and needs none. A new one can be expired even so: its
    /// client may be gone, and would come again as yet another new member.
    pub(super) fn has_satisfied_heartbeat(&self) -> bool {
        !self.is_new && (self.join.is_some() || self.sync.is_some())
    }

    /// Whether these are the protocols that it has, in the same order, with the same metadata.
    pub(super) fn matches(&self, protocols: &[JoinGroupRequestProtocol]) -> bool {
        self.protocols.len() == protocols.len()
            && self
                .protocols
                .iter()
                .zip(protocols)
                .all(|(own, other)| own.name == other.name && own.metadata == other.metadata)
    }

    pub(super) fn as_join_member(&self, protocol: &str) -> JoinGroupResponseMember {
        JoinGroupResponseMember::default()
            .with_member_id(self.id.clone())
            .with_group_instance_id(self.instance_id.clone())
            .with_metadata(self.metadata(protocol))
    }

    pub(super) fn as_described(&self) -> DescribedGroupMember {
        DescribedGroupMember::default()
            .with_member_id(self.id.clone())
            .with_group_instance_id(self.instance_id.clone())
            .with_client_id(self.client_id.clone())
            .with_client_host(self.client_host.clone())
            .with_member_assignment(self.assignment.clone())
    }
}

pub(super) fn owned_protocols(protocols: &[JoinGroupRequestProtocol]) -> Vec<JoinGroupRequestProtocol> {
    protocols
        .iter()
        .map(|protocol| {
            JoinGroupRequestProtocol::default()
                .with_name(owned(&protocol.name))
                .with_metadata(owned_bytes(&protocol.metadata))
        })
        .collect()
}
