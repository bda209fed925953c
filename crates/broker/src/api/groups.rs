//! Requests for the group coordinator.

use kafka_protocol::messages::{
    DeleteGroupsRequest, DeleteGroupsResponse, DescribeGroupsRequest, DescribeGroupsResponse, HeartbeatRequest,
    HeartbeatResponse, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest, LeaveGroupResponse, ListGroupsRequest,
    ListGroupsResponse, OffsetCommitRequest, OffsetCommitResponse, OffsetDeleteRequest, OffsetDeleteResponse,
    OffsetFetchRequest, OffsetFetchResponse, SyncGroupRequest, SyncGroupResponse,
};

use crate::{
    engine::{Engine, dispatch::Call},
    groups::Caller,
    wait::Wait,
};

impl Engine {
    pub(crate) fn join_group(&mut self, call: Call<JoinGroupRequest>, wait: Wait) -> Option<JoinGroupResponse> {
        let host = format!("/{}", call.caller.peer);
        let caller = Caller { client_id: &call.client_id, client_host: &host };
        self.groups.join(self.now, &caller, call.request, call.version, wait)
    }

    pub(crate) fn sync_group(&mut self, call: Call<SyncGroupRequest>, wait: Wait) -> Option<SyncGroupResponse> {
        self.groups.sync(self.now, call.request, call.version, wait)
    }

    pub(crate) fn heartbeat(&mut self, call: Call<HeartbeatRequest>) -> HeartbeatResponse {
        self.groups.heartbeat(self.now, call.request)
    }

    pub(crate) fn leave_group(&mut self, call: Call<LeaveGroupRequest>) -> LeaveGroupResponse {
        self.groups.leave(self.now, call.request, call.version)
    }

    pub(crate) fn offset_commit(&mut self, call: Call<OffsetCommitRequest>) -> OffsetCommitResponse {
        let topics = &self.topics;
        self.groups.commit(self.now, call.request, call.version, &|topic, partition| topics.exists(topic, partition))
    }

    pub(crate) fn offset_fetch(&mut self, call: Call<OffsetFetchRequest>) -> OffsetFetchResponse {
        self.groups.fetch_offsets(self.now, call.request, call.version)
    }

    pub(crate) fn offset_delete(&mut self, call: Call<OffsetDeleteRequest>) -> OffsetDeleteResponse {
        let topics = &self.topics;
        self.groups.delete_offsets(self.now, call.request, &|topic, partition| topics.exists(topic, partition))
    }

    pub(crate) fn describe_groups(&mut self, call: Call<DescribeGroupsRequest>) -> DescribeGroupsResponse {
        self.groups.describe(self.now, call.request, call.version)
    }

    pub(crate) fn list_groups(&mut self, call: Call<ListGroupsRequest>) -> ListGroupsResponse {
        self.groups.list(self.now, call.request, call.version)
    }

    pub(crate) fn delete_groups(&mut self, call: Call<DeleteGroupsRequest>) -> DeleteGroupsResponse {
        self.groups.delete(self.now, call.request)
    }
}
