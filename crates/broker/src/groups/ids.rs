//! Member ids.

use kafka_protocol::protocol::StrBytes;

use crate::ids::Ids;

/// Makes member ids. The same seed makes the same ones, so that a simulation can be repeated.
pub(super) struct MemberIds(Ids);

impl MemberIds {
    pub(super) fn new(seed: u64) -> Self {
        Self(Ids::new(seed))
    }

    /// The client id, or a static member's instance id, and a UUID (`ClassicGroup.generateMemberId`).
    pub(super) fn next(&mut self, name: &str) -> StrBytes {
        StrBytes::from_string(format!("{name}-{}", self.0.uuid()))
    }
}
