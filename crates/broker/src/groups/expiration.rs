//! Offsets that nobody has used for long, and empty groups without offsets.

use kafka_protocol::protocol::StrBytes;

use super::{
    Groups,
    group::{Group, State},
    offsets::Offset,
    timers::Timer,
};
use crate::time::Millis;

/// `offsets.retention.minutes`: 7 days.
const RETENTION: Millis = 7 * 24 * 60 * 60 * 1_000;
/// `offsets.retention.check.interval.ms`.
const CHECK_INTERVAL: Millis = 10 * 60 * 1_000;

impl Groups {
    pub(super) fn schedule_cleanup(&mut self) {
        if !self.runtime.timers.is_scheduled(&Timer::Cleanup) {
            self.runtime.timers.schedule(Timer::Cleanup, self.runtime.now.saturating_add(CHECK_INTERVAL));
        }
    }

    /// Removes expired offsets, then each group that has neither members nor offsets nor an open transaction.
    pub(super) fn expire_offsets(&mut self) {
        let mut gone = Vec::new();
        for group in self.groups.values() {
            let expired: Vec<(StrBytes, i32)> = self
                .offsets
                .of_group(&group.id)
                .filter(|(topic, _)| !group.is_subscribed_to(topic))
                .flat_map(|(topic, partitions)| {
                    let expired = partitions.into_iter().filter(|(_, offset)| group.expires(offset, self.runtime.now));
                    expired.map(|(partition, _)| (topic.clone(), partition)).collect::<Vec<_>>()
                })
                .filter(|(topic, partition)| !self.offsets.is_pending(&group.id, topic, *partition))
                .collect();
            for (topic, partition) in expired {
                self.offsets.remove(&group.id, &topic, partition);
            }
            if group.state == State::Empty
                && !self.offsets.has_committed(&group.id)
                && !self.offsets.has_open_transaction(&group.id)
            {
                gone.push(group.id.clone());
            }
        }
        for group in gone {
            self.remove_group(&group);
        }
        if !self.groups.is_empty() {
            self.schedule_cleanup();
        }
    }
}

impl Group {
    /// `ClassicGroup.offsetExpirationCondition`.
    fn expires(&self, offset: &Offset, now: Millis) -> bool {
        let since = match (&self.protocol_type, self.state) {
            (Some(_), State::Empty) => self.state_since,
            (Some(_), State::Stable) if self.uses_consumer_protocol() && self.subscribed.is_some() => {
                offset.committed_at
            }
            (Some(_), _) => return false,
            (None, _) => offset.committed_at,
        };
        match offset.expires_at {
            Some(expires_at) => now >= expires_at,
            None => now.saturating_sub(since) >= RETENTION,
        }
    }
}
