//! The group coordinator: the classic protocol of groups, and their offsets.
//!
//! Kafka's places: `GroupMetadataManager`, `OffsetMetadataManager`, `ClassicGroup`; order of checks and error codes are
//! theirs. Nothing here waits, and nothing here knows the time but by being told: a request that must wait is named by
//! its [`Wait`] and answered through [`Groups::completed`]; timers fire when [`Groups::tick`] (or any other call) brings
//! a time at which they are due.

mod commit;
mod delete;
mod describe;
mod expiration;
mod fetch;
mod group;
mod heartbeat;
mod ids;
mod join;
mod leave;
mod list;
mod member;
mod offsets;
mod protocols;
mod rebalance;
mod runtime;
mod settings;
mod static_member;
mod sync;
#[cfg(test)]
mod tests;
mod timers;
mod transactional_offsets;

use std::collections::HashMap;

use kafka_protocol::{
    messages::{JoinGroupResponse, SyncGroupResponse},
    protocol::StrBytes,
};

use self::{group::Group, offsets::Offsets, runtime::Runtime, timers::Timer};
use crate::{time::Millis, wait::Wait};

pub use self::settings::Settings;

/// Who sent a request.
pub(crate) struct Caller<'a> {
    /// The client id of the request's header.
    pub client_id: &'a str,
    /// As Kafka shows it: `/127.0.0.1`.
    pub client_host: &'a str,
}

/// The answer to a request that had to wait.
#[derive(Debug)]
pub(crate) enum Completed {
    /// To a JoinGroup.
    Join(JoinGroupResponse),
    /// To a SyncGroup.
    Sync(SyncGroupResponse),
}

/// All groups, and all offsets.
pub(crate) struct Groups {
    groups: HashMap<StrBytes, Group>,
    offsets: Offsets,
    runtime: Runtime,
}

impl Groups {
    /// No group yet. Member ids are made from `seed`.
    pub(crate) fn new(settings: Settings, seed: u64) -> Self {
        Self { groups: HashMap::new(), offsets: Offsets::default(), runtime: Runtime::new(settings, seed) }
    }

    /// Lets time pass: whatever was due happens.
    pub(crate) fn tick(&mut self, now: Millis) {
        self.runtime.now = self.runtime.now.max(now);
        while let Some(timer) = self.runtime.timers.pop(self.runtime.now) {
            match timer {
                Timer::Session(group, member) => {
                    if let Some(group) = self.groups.get_mut(&group) {
                        group.expire_session(&mut self.runtime, &member);
                    }
                }
                Timer::Join(group) => {
                    if let Some(group) = self.groups.get_mut(&group) {
                        group.expire_join(&mut self.runtime);
                    }
                }
                Timer::Sync(group) => {
                    if let Some(group) = self.groups.get_mut(&group) {
                        group.expire_sync(&mut self.runtime);
                    }
                }
                Timer::Cleanup => self.expire_offsets(),
            }
        }
    }

    /// When [`Groups::tick`] has something to do next.
    pub(crate) fn next_deadline(&self) -> Option<Millis> {
        self.runtime.timers.next_deadline()
    }

    /// The next answer to an earlier wait, in the order in which they were given.
    pub(crate) fn completed(&mut self) -> Option<(Wait, Completed)> {
        self.runtime.completed.pop_front()
    }

    /// The group of this name, made if there is none. `None`: there are too many groups.
    fn group_or_new(&mut self, id: &StrBytes) -> Option<&mut Group> {
        if !self.groups.contains_key(id) {
            if self.groups.len() >= self.runtime.settings.max_groups {
                log::warn!("{} groups exist: group {id:?} is refused", self.groups.len());
                return None;
            }
            let id = runtime::owned(id);
            self.groups.insert(id.clone(), Group::new(id, self.runtime.now));
            self.schedule_cleanup();
        }
        self.groups.get_mut(id)
    }

    /// The group ceases to exist, with its offsets, those of open transactions among them.
    fn remove_group(&mut self, id: &StrBytes) {
        if let Some(group) = self.groups.remove(id) {
            group.cancel_timers(&mut self.runtime);
        }
        self.offsets.remove_group(id);
    }
}
