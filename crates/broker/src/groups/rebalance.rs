//! From one generation to the next: the join phase, its timers, and what follows when a member goes.

use bytes::Bytes;
use kafka_protocol::{
    error::ResponseError,
    messages::{JoinGroupResponse, SyncGroupResponse},
    protocol::StrBytes,
};

use super::{
    group::{Group, InitialDelay, State, complete_join, complete_sync},
    runtime::Runtime,
    timers::Timer,
};
use crate::time::Millis;

impl Group {
    /// Begins a rebalance, or ends one whose last awaited member this was (`maybePrepareRebalanceOrCompleteJoin`).
    pub(super) fn prepare_rebalance_or_complete_join(&mut self, runtime: &mut Runtime) {
        if self.state == State::PreparingRebalance {
            self.maybe_complete_join(runtime);
        } else {
            self.prepare_rebalance(runtime);
        }
    }

    /// Begins a rebalance: from now on, every member is expected to join.
    pub(super) fn prepare_rebalance(&mut self, runtime: &mut Runtime) {
        if self.state == State::CompletingRebalance {
            for member in self.members.values_mut() {
                member.assignment = Bytes::new();
            }
            let error = ResponseError::RebalanceInProgress.code();
            self.propagate(runtime, |_, _| SyncGroupResponse::default().with_error_code(error));
        }
        self.pending_sync.clear();
        runtime.timers.cancel(&Timer::Sync(self.id.clone()));

        let initial = self.state == State::Empty;
        self.transition_to(runtime, State::PreparingRebalance);
        if initial {
            let delay = runtime.settings.initial_rebalance_delay;
            let remaining = (self.rebalance_timeout() - delay).max(0);
            self.initial_delay = Some(InitialDelay { delay, remaining });
            self.schedule_join(runtime, delay);
        } else if self.has_all_members_joined() {
            self.complete_join_phase(runtime);
        } else {
            self.schedule_join(runtime, self.rebalance_timeout());
        }
    }

    /// Ends the join phase if nobody is awaited. A group's first one lasts as long as its delay.
    pub(super) fn maybe_complete_join(&mut self, runtime: &mut Runtime) {
        if self.state == State::PreparingRebalance
            && self.previous_state != Some(State::Empty)
            && self.has_all_members_joined()
        {
            self.complete_join_phase(runtime);
        }
    }

    /// The join timer is due.
    pub(super) fn expire_join(&mut self, runtime: &mut Runtime) {
        match self.initial_delay {
            Some(InitialDelay { delay, remaining }) if self.new_member_added && remaining != 0 => {
                self.new_member_added = false;
                let next = runtime.settings.initial_rebalance_delay.min(remaining);
                self.initial_delay = Some(InitialDelay { delay: next, remaining: (remaining - delay).max(0) });
                self.schedule_join(runtime, next);
            }
            _ => self.complete_join_phase(runtime),
        }
    }

    fn schedule_join(&self, runtime: &mut Runtime, delay: Millis) {
        let deadline = runtime.now.saturating_add(delay);
        runtime.timers.schedule(Timer::Join(self.id.clone()), deadline);
    }

    /// Begins the next generation, with those who have joined (`completeClassicGroupJoin`). Dynamic members who have not
    /// are out; static ones stay until their session ends.
    fn complete_join_phase(&mut self, runtime: &mut Runtime) {
        runtime.timers.cancel(&Timer::Join(self.id.clone()));
        self.initial_delay = None;
        let late: Vec<StrBytes> = self
            .members
            .values()
            .filter(|member| member.join.is_none() && member.instance_id.is_none())
            .map(|member| member.id.clone())
            .collect();
        for member in late {
            self.remove(runtime, &member);
        }

        if !self.elect_leader() && !self.members.is_empty() {
            // Only static members are left, and none has joined: their sessions decide. At least a millisecond, or a
            // rebalance timeout of 0 would let this repeat itself for ever within one instant.
            self.schedule_join(runtime, self.rebalance_timeout().max(1));
            return;
        }

        // Kafka's does not guard against this either: a client would need a generation per millisecond for 24 days.
        self.generation = self.generation.saturating_add(1);
        if self.members.is_empty() {
            self.protocol = None;
            self.subscribed = self.subscribed_topics();
            self.transition_to(runtime, State::Empty);
            self.pending_sync.clear();
            return;
        }
        self.protocol = self.select_protocol();
        self.subscribed = self.subscribed_topics();
        self.transition_to(runtime, State::CompletingRebalance);
        self.pending_sync = self.members.keys().cloned().collect();
        let ids: Vec<StrBytes> = self.members.keys().cloned().collect();
        for id in ids {
            let response = self.join_answer(&id);
            if let Some(member) = self.members.get_mut(&id) {
                member.is_new = false;
                complete_join(runtime, member, response);
            }
            self.restart_session(runtime, &id);
        }
        let deadline = runtime.now.saturating_add(self.rebalance_timeout());
        runtime.timers.schedule(Timer::Sync(self.id.clone()), deadline);
    }

    /// Lets a leader that has not joined be succeeded by a member that has. Whether there is one who has joined.
    fn elect_leader(&mut self) -> bool {
        let joined = |id: &StrBytes| self.members.get(id).is_some_and(|member| member.join.is_some());
        if self.leader.as_ref().is_some_and(joined) {
            return true;
        }
        let successor = self.members.values().find(|member| member.join.is_some()).map(|member| member.id.clone());
        match successor {
            Some(successor) => {
                self.leader = Some(successor);
                true
            }
            None => false,
        }
    }

    /// What this member has to know of the current generation; the leader, also who is in it.
    pub(super) fn join_answer(&self, id: &StrBytes) -> JoinGroupResponse {
        let response = JoinGroupResponse::default()
            .with_member_id(id.clone())
            .with_generation_id(self.generation)
            .with_protocol_type(self.protocol_type.clone())
            .with_protocol_name(self.protocol.clone())
            .with_leader(self.leader.clone().unwrap_or_default());
        if self.is_leader(id) {
            let protocol = self.protocol.clone().unwrap_or_default();
            response.with_members(self.members.values().map(|member| member.as_join_member(&protocol)).collect())
        } else {
            response
        }
    }

    /// Answers every SyncGroup that waits. Its member has been unable to send heartbeats: its session starts anew.
    pub(super) fn propagate(
        &mut self,
        runtime: &mut Runtime,
        answer: impl Fn(&Self, &super::member::Member) -> SyncGroupResponse,
    ) {
        let answers: Vec<_> = self
            .members
            .values()
            .filter(|member| member.sync.is_some())
            .map(|member| (member.id.clone(), answer(self, member)))
            .collect();
        for (id, response) in answers {
            if let Some(member) = self.members.get_mut(&id) {
                complete_sync(runtime, member, response);
            }
            self.restart_session(runtime, &id);
        }
    }

    /// A session timer is due.
    pub(super) fn expire_session(&mut self, runtime: &mut Runtime, id: &StrBytes) {
        if self.pending_join.contains(id) {
            self.remove(runtime, id);
            self.complete_join_without_delay(runtime);
        } else if self.members.get(id).is_some_and(|member| !member.has_satisfied_heartbeat()) {
            self.remove(runtime, id);
            match self.state {
                State::Stable | State::CompletingRebalance => self.prepare_rebalance_or_complete_join(runtime),
                State::PreparingRebalance => self.complete_join_without_delay(runtime),
                State::Empty => {}
            }
        }
    }

    /// Kafka's expirations end a first join phase before its delay is over, where a LeaveGroup does not.
    fn complete_join_without_delay(&mut self, runtime: &mut Runtime) {
        if self.state == State::PreparingRebalance && self.has_all_members_joined() {
            self.complete_join_phase(runtime);
        }
    }

    /// The time for SyncGroup is over: members who have not sent it are out.
    pub(super) fn expire_sync(&mut self, runtime: &mut Runtime) {
        if matches!(self.state, State::CompletingRebalance | State::Stable) && !self.pending_sync.is_empty() {
            for member in std::mem::take(&mut self.pending_sync) {
                self.remove(runtime, &member);
            }
            self.prepare_rebalance(runtime);
        }
    }
}
