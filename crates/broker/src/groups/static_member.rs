//! A static member that begins anew (KIP-345): it takes the place that its instance id has in the group.

use kafka_protocol::{
    error::ResponseError,
    messages::{JoinGroupResponse, SyncGroupResponse},
    protocol::StrBytes,
};

use super::{
    group::{Group, State, complete_join, complete_sync},
    join::Join,
    runtime::Runtime,
    timers::Timer,
};

impl Group {
    /// Puts a new member id in the place of the earlier one; a rebalance follows only where the protocol would change,
    /// or where the leader may be assigning partitions to the earlier id at this moment
    /// (`updateStaticMemberThenRebalanceOrCompleteJoin`).
    pub(super) fn replace_and_rebalance(
        &mut self,
        runtime: &mut Runtime,
        join: &Join<'_>,
        earlier: &StrBytes,
        id: StrBytes,
    ) -> Option<JoinGroupResponse> {
        let earlier_leader = self.leader.clone();
        self.replace_static_member(runtime, earlier, &id);
        // With the session timeout of the earlier member, until its first heartbeat: so does Kafka.
        self.restart_session(runtime, &id);
        self.update(runtime, &id, &join.request, join.waiting());
        match self.state {
            State::Stable if self.select_protocol() == self.protocol => {
                let response = if join.version >= 9 {
                    // A leader of version 9 gets the members, and is told that their assignment stands (KIP-814).
                    self.join_answer(&id).with_skip_assignment(self.is_leader(&id))
                } else {
                    // An older one must not take itself for the leader, or it would assign to a stable group.
                    self.join_answer(&id).with_members(Vec::new()).with_leader(earlier_leader.unwrap_or_default())
                };
                if let Some(member) = self.members.get_mut(&id) {
                    complete_join(runtime, member, response);
                }
            }
            State::Stable => self.prepare_rebalance_or_complete_join(runtime),
            State::CompletingRebalance => self.prepare_rebalance(runtime),
            State::PreparingRebalance | State::Empty => self.maybe_complete_join(runtime),
        }
        None
    }

    /// `replaceStaticMember`. Whoever waits under the earlier id is fenced at once. That id stays among those awaited to
    /// sync: Kafka does not look there, and rebalances when their time is over.
    fn replace_static_member(&mut self, runtime: &mut Runtime, earlier: &StrBytes, id: &StrBytes) {
        runtime.timers.cancel(&Timer::Session(self.id.clone(), earlier.clone()));
        let Some(mut member) = self.members.remove(earlier) else { return };
        let fenced = ResponseError::FencedInstanceId.code();
        let response = JoinGroupResponse::default()
            .with_member_id(earlier.clone())
            .with_protocol_name(None)
            .with_error_code(fenced);
        complete_join(runtime, &mut member, response);
        complete_sync(runtime, &mut member, SyncGroupResponse::default().with_error_code(fenced));
        if let Some(instance_id) = &member.instance_id {
            self.static_members.insert(instance_id.clone(), id.clone());
        }
        if self.is_leader(earlier) {
            self.leader = Some(id.clone());
        }
        member.id = id.clone();
        member.is_new = false;
        self.members.insert(id.clone(), member);
    }
}
