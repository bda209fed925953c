//! Which protocol (assignment strategy) a generation uses, and what consumers subscribe to.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, HashMap},
};

use bytes::{Buf, Bytes};
use kafka_protocol::{messages::join_group_request::JoinGroupRequestProtocol, protocol::StrBytes};

use super::{
    group::{Group, State},
    runtime::owned,
};

impl Group {
    /// Whether a member with these protocols can be in this group: it has the group's type, and there is a protocol that
    /// all support.
    pub(super) fn supports(&self, protocol_type: &StrBytes, protocols: &[JoinGroupRequestProtocol]) -> bool {
        if self.state == State::Empty {
            return !protocol_type.is_empty() && !protocols.is_empty();
        }
        self.protocol_type.as_ref() == Some(protocol_type)
            && protocols.iter().any(|protocol| self.support(&protocol.name) == self.members.len())
    }

    fn support(&self, protocol: &StrBytes) -> usize {
        self.supported.get(protocol).copied().unwrap_or(0)
    }

    /// Each member votes for the first of its protocols that all support; the one with the most votes wins. A tie goes as
    /// Kafka's does, by the iteration order of a Java HashMap.
    pub(super) fn select_protocol(&self) -> Option<StrBytes> {
        let mut votes: HashMap<&StrBytes, usize> = HashMap::new();
        for member in self.members.values() {
            let choice = member.protocols.iter().find(|own| self.support(&own.name) == self.members.len())?;
            *votes.entry(&choice.name).or_default() += 1;
        }
        let table = (votes.len() * 4 / 3 + 1).next_power_of_two().max(16);
        votes
            .into_iter()
            .max_by_key(|(name, count)| (*count, Reverse(java_bucket(name, table)), Reverse(*name)))
            .map(|(name, _)| name.clone())
    }

    /// OffsetDelete spares what the group still reads. An unknown subscription of consumers may be to anything.
    pub(super) fn is_subscribed_to(&self, topic: &StrBytes) -> bool {
        match &self.subscribed {
            Some(topics) => topics.contains(topic),
            None => self.uses_consumer_protocol(),
        }
    }

    pub(super) fn subscribed_topics(&self) -> Option<BTreeSet<StrBytes>> {
        if !self.uses_consumer_protocol() {
            return None;
        }
        if self.members.is_empty() {
            return Some(BTreeSet::new());
        }
        let protocol = self.protocol.as_ref()?;
        let mut topics = BTreeSet::new();
        for member in self.members.values() {
            read_subscription(member.metadata(protocol), &mut topics)?;
        }
        Some(topics)
    }
}

/// Reads the topics of a ConsumerProtocolSubscription: of version 0, with which each later one begins. `None`: it is not
/// one.
fn read_subscription(mut metadata: Bytes, topics: &mut BTreeSet<StrBytes>) -> Option<()> {
    if metadata.try_get_i16().ok()? < 0 {
        return None;
    }
    let count = metadata.try_get_i32().ok().filter(|count| *count >= 0)?;
    for _ in 0..count {
        let length = usize::try_from(metadata.try_get_i16().ok()?).ok()?;
        if metadata.remaining() < length {
            return None;
        }
        topics.insert(owned(&StrBytes::try_from(metadata.split_to(length)).ok()?));
    }
    let user_data = metadata.try_get_i32().ok()?;
    if usize::try_from(user_data).is_ok_and(|length| metadata.remaining() < length) {
        return None;
    }
    Some(())
}

/// The place of a string in a `java.util.HashMap` with a table of this size, a power of two.
fn java_bucket(text: &str, table: usize) -> u32 {
    let hash = text.encode_utf16().fold(0_u32, |hash, unit| hash.wrapping_mul(31).wrapping_add(unit.into()));
    let mask = u32::try_from(table.saturating_sub(1)).unwrap_or(u32::MAX);
    (hash ^ (hash >> 16)) & mask
}
