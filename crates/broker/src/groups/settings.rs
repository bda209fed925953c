//! What can be set.

use crate::time::Millis;

/// Limits and delays of the group coordinator. Times are in milliseconds.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `group.min.session.timeout.ms`: a JoinGroup that asks for less gets INVALID_SESSION_TIMEOUT. Kafka: 6 s.
    pub min_session_timeout: Millis,
    /// `group.max.session.timeout.ms`: a JoinGroup that asks for more gets INVALID_SESSION_TIMEOUT. Kafka: 30 min.
    pub max_session_timeout: Millis,
    /// `group.initial.rebalance.delay.ms`: an empty group waits so long for more members before its first generation,
    /// and again after each new one, up to the rebalance timeout. Kafka: 3 s; here 0.
    pub initial_rebalance_delay: Millis,
    /// `group.max.size`: members of one group; the next gets GROUP_MAX_SIZE_REACHED. Kafka has no limit by default.
    pub max_size: usize,
    /// `offset.metadata.max.bytes`: length of the text beside a committed offset (in UTF-16 units, as Kafka counts).
    /// Kafka: 4096.
    pub max_offset_metadata: usize,
    /// Groups at one time, to bound memory; a request that needs one more gets COORDINATOR_NOT_AVAILABLE. Kafka has no
    /// such limit.
    pub max_groups: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            min_session_timeout: 6_000,
            max_session_timeout: 1_800_000,
            initial_rebalance_delay: 0,
            max_size: 1_000,
            max_offset_metadata: 4_096,
            max_groups: 10_000,
        }
    }
}
