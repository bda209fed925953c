//! What is to happen when, unless something else happens first.

use std::collections::{BTreeMap, HashMap};

use kafka_protocol::protocol::StrBytes;

use crate::time::Millis;

/// What becomes due. Each is scheduled at most once: a second time replaces the first.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Timer {
    /// The session of this group's member, or of one that has only been given its id.
    Session(StrBytes, StrBytes),
    /// The end of this group's join phase, or of its initial delay.
    Join(StrBytes),
    /// The end of the time in which this group's members must send SyncGroup.
    Sync(StrBytes),
    /// The search for expired offsets.
    Cleanup,
}

/// Timers by deadline. Those of the same instant fire in the order in which they were scheduled.
#[derive(Default)]
pub(super) struct Timers {
    due: BTreeMap<(Millis, u64), Timer>,
    scheduled: HashMap<Timer, (Millis, u64)>,
    sequence: u64,
}

impl Timers {
    pub(super) fn schedule(&mut self, timer: Timer, deadline: Millis) {
        self.sequence += 1;
        let place = (deadline, self.sequence);
        if let Some(earlier) = self.scheduled.insert(timer.clone(), place) {
            self.due.remove(&earlier);
        }
        self.due.insert(place, timer);
    }

    pub(super) fn cancel(&mut self, timer: &Timer) {
        if let Some(place) = self.scheduled.remove(timer) {
            self.due.remove(&place);
        }
    }

    pub(super) fn is_scheduled(&self, timer: &Timer) -> bool {
        self.scheduled.contains_key(timer)
    }

    /// The next one that is due, which is then no longer scheduled.
    pub(super) fn pop(&mut self, now: Millis) -> Option<Timer> {
        let first = self.due.first_entry()?;
        if first.key().0 > now {
            return None;
        }
        let timer = first.remove();
        self.scheduled.remove(&timer);
        Some(timer)
    }

    pub(super) fn next_deadline(&self) -> Option<Millis> {
        self.due.first_key_value().map(|((deadline, _), _)| *deadline)
    }
}
