//! Heartbeat.

use kafka_protocol::{
    error::ResponseError,
    messages::{HeartbeatRequest, HeartbeatResponse},
};

use super::{Groups, group::State};
use crate::time::Millis;

impl Groups {
    /// A Heartbeat: a sign of life, answered with the news that a rebalance has begun.
    pub(crate) fn heartbeat(&mut self, now: Millis, request: HeartbeatRequest) -> HeartbeatResponse {
        self.tick(now);
        let error_code = self.heartbeat_group(&request).err().map_or(0, |error| error.code());
        HeartbeatResponse::default().with_error_code(error_code)
    }

    fn heartbeat_group(&mut self, request: &HeartbeatRequest) -> Result<(), ResponseError> {
        if request.group_id.is_empty() {
            return Err(ResponseError::InvalidGroupId);
        }
        let group = self.groups.get(&request.group_id.0).ok_or(ResponseError::UnknownMemberId)?;
        group.validate_member(&request.member_id, request.group_instance_id.as_ref())?;
        if request.generation_id != group.generation {
            return Err(ResponseError::IllegalGeneration);
        }
        group.restart_session(&mut self.runtime, &request.member_id);
        match group.state {
            State::PreparingRebalance => Err(ResponseError::RebalanceInProgress),
            State::Empty | State::CompletingRebalance | State::Stable => Ok(()),
        }
    }
}
