//! Member ids.

use kafka_protocol::protocol::StrBytes;
use uuid::Builder;

/// Makes member ids. The same seed makes the same ones, so that a simulation can be repeated.
pub(super) struct MemberIds {
    state: u64,
}

impl MemberIds {
    pub(super) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The client id, or a static member's instance id, and a UUID (`ClassicGroup.generateMemberId`).
    pub(super) fn next(&mut self, name: &str) -> StrBytes {
        let bytes = (u128::from(self.random()) << 64 | u128::from(self.random())).to_be_bytes();
        StrBytes::from_string(format!("{name}-{}", Builder::from_random_bytes(bytes).as_uuid()))
    }

    /// SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}
