//! What all groups share: the time, timers, answers that became ready.

use std::collections::VecDeque;

use bytes::Bytes;
use kafka_protocol::{
    messages::{JoinGroupResponse, SyncGroupResponse},
    protocol::StrBytes,
};

use super::{Completed, Settings, ids::MemberIds, timers::Timers};
use crate::{time::Millis, wait::Wait};

/// A JoinGroup that waits. Its version decides how some absent fields are written.
#[derive(Debug, Clone, Copy)]
pub(super) struct JoinWait {
    pub(super) wait: Wait,
    pub(super) version: i16,
}

pub(super) struct Runtime {
    pub(super) settings: Settings,
    pub(super) now: Millis,
    pub(super) timers: Timers,
    pub(super) ids: MemberIds,
    pub(super) completed: VecDeque<(Wait, Completed)>,
}

impl Runtime {
    pub(super) fn new(settings: Settings, seed: u64) -> Self {
        Self {
            settings,
            now: Millis::MIN,
            timers: Timers::default(),
            ids: MemberIds::new(seed),
            completed: VecDeque::new(),
        }
    }

    pub(super) fn answer_join(&mut self, join: JoinWait, response: JoinGroupResponse) {
        self.completed.push_back((join.wait, Completed::Join(for_version(response, join.version))));
    }

    pub(super) fn answer_sync(&mut self, wait: Wait, response: SyncGroupResponse) {
        self.completed.push_back((wait, Completed::Sync(response)));
    }

    /// The answer to this wait, if the very request that brought it has led to one.
    pub(super) fn take(&mut self, wait: Wait) -> Option<Completed> {
        let place = self.completed.iter().rposition(|(other, _)| *other == wait)?;
        self.completed.remove(place).map(|(_, completed)| completed)
    }
}

/// Before version 7 the protocol's name cannot be null, from then on it is null and not empty (`JoinGroupResponse`).
pub(super) fn for_version(mut response: JoinGroupResponse, version: i16) -> JoinGroupResponse {
    response.protocol_name = match response.protocol_name {
        None if version < 7 => Some(StrBytes::new()),
        Some(name) if version >= 7 && name.is_empty() => None,
        name => name,
    };
    response
}

/// A copy of its own: what comes from a request is a slice of its frame, and would keep all of that in memory.
pub(super) fn owned(text: &StrBytes) -> StrBytes {
    StrBytes::from_string(text.to_string())
}

/// See [`owned`].
pub(super) fn owned_bytes(bytes: &Bytes) -> Bytes {
    Bytes::copy_from_slice(bytes)
}
