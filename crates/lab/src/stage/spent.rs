//! A program that has nothing left to do meets no fault any more: whoever waits for that need not wait for long.

use std::collections::{BTreeMap, HashSet};

use proxy::{Event, Happening, Side};

use super::{Cast, Stage};
use crate::catalogue::Role;
use crate::said;
use crate::value::Value;

/// So many answers to Fetch in a row, and nothing but heartbeats between them. Counted in answers and not in seconds: on a
/// busy machine they take longer, as all else does. (A broker without records holds each back for half a second.)
const IN_VAIN: usize = 6;

/// Some twelve seconds: librdkafka commits by itself every five.
const LONG_IN_VAIN: usize = 24;

impl Stage<'_> {
    /// Whether nothing has happened to the program, and nothing will: no fault has acted, it has processed its whole input
    /// and committed it, and each of its instances has asked for more in vain.
    pub(super) fn is_spent(&self) -> bool {
        if matches!(self.program.role, Role::Producer(_)) {
            return false;
        }
        let trace = self.proxy.trace();
        self.idles(&trace, IN_VAIN) && self.all_is_processed() && self.all_is_committed(&trace)
    }

    /// Whether nobody will commit any more what is processed: as above, for longer than a client puts off its commits.
    pub(super) fn has_forgotten_to_commit(&self) -> bool {
        self.idles(&self.proxy.trace(), LONG_IN_VAIN) && self.all_is_processed()
    }

    /// Whether this instance goes on reading, and there is nothing to read: it does not mean to end.
    pub(super) fn reads_on(&self, name: &str) -> bool {
        asks_in_vain(&self.proxy.trace(), name, LONG_IN_VAIN)
    }

    fn idles(&self, trace: &[Event], times: usize) -> bool {
        !trace.iter().any(|event| matches!(event.happening, Happening::Fault { .. }))
            && self.cast.iter().filter(|cast| !cast.has_ended()).all(|cast| asks_in_vain(trace, &cast.name, times))
    }

    fn all_is_processed(&self) -> bool {
        let wanted: HashSet<&Value> = self.values.iter().collect();
        let lines: Vec<String> = self.cast.iter().flat_map(Cast::lines).collect();
        let seen: HashSet<Value> = said::processing(&lines, &wanted).into_iter().map(|process| process.value).collect();
        wanted.into_iter().all(|value| seen.contains(value))
    }

    /// Up to where it reads now, or to one less: a transaction's marker stands behind its last message.
    fn all_is_committed(&self, trace: &[Event]) -> bool {
        let topic = self.topic();
        let committed: BTreeMap<i32, i64> = match self.offsets().and_then(|o| o.committed(&topic, self.case.partitions))
        {
            Ok(committed) => committed.into_iter().collect(),
            Err(_) => return false,
        };
        let positions = positions(trace, &topic);
        !positions.is_empty()
            && positions.iter().all(|(partition, position)| {
                *position == 0 || committed.get(partition).is_some_and(|committed| committed + 1 >= *position)
            })
    }
}

fn asks_in_vain(trace: &[Event], client: &str, times: usize) -> bool {
    let mut answers = 0;
    for event in trace.iter().rev().filter(|event| event.client == client) {
        match &event.happening {
            Happening::Frame(frame) if frame.api == "Fetch" => answers += usize::from(frame.side == Side::Response),
            Happening::Frame(frame) if frame.api.ends_with("Heartbeat") => {}
            _ => return false,
        }
        if answers >= times {
            return true;
        }
    }
    false
}

/// From where each partition was fetched last.
fn positions(trace: &[Event], topic: &str) -> BTreeMap<i32, i64> {
    let mut positions = BTreeMap::new();
    for event in trace {
        let Happening::Frame(frame) = &event.happening else { continue };
        if frame.api != "Fetch" || frame.side != Side::Request {
            continue;
        }
        for part in frame.facts.partitions.iter().filter(|part| part.topic == topic) {
            positions.extend(part.offset.map(|offset| (part.partition, offset)));
        }
    }
    positions
}

#[cfg(test)]
mod tests {
    use proxy::{Facts, Frame, Part};

    use super::*;

    fn frame(client: &str, api: &str, side: Side, offset: Option<i64>) -> Event {
        let part = Part { topic: "t".into(), partition: 1, offset, ..Part::default() };
        let facts = Facts { partitions: vec![part], ..Facts::default() };
        let (api, client) = (api.to_owned(), client.to_owned());
        let (client_id, request) = (None, None);
        let frame = Frame { side, api, version: 1, correlation: 1, client_id, bytes: 1, ours: false, request, facts };
        Event { number: 0, micros: 0, client, connection: 1, node: 1, happening: Happening::Frame(Box::new(frame)) }
    }

    #[test]
    fn whoever_only_fetches_asks_in_vain_until_something_else_comes() {
        let mut trace = vec![frame("a", "OffsetCommit", Side::Response, None)];
        for _ in 0..3 {
            trace.push(frame("a", "Fetch", Side::Request, Some(7)));
            trace.push(frame("a", "Fetch", Side::Response, None));
            trace.push(frame("a", "Heartbeat", Side::Request, None));
            trace.push(frame("b", "JoinGroup", Side::Request, None));
        }
        assert!(asks_in_vain(&trace, "a", 3));
        assert!(!asks_in_vain(&trace, "a", 4), "before, it committed");
        assert!(!asks_in_vain(&trace, "b", 3));
        assert!(!asks_in_vain(&trace, "c", 3), "it has not begun");
        trace.push(frame("a", "EndTxn", Side::Request, None));
        assert!(!asks_in_vain(&trace, "a", 3));
    }

    #[test]
    fn a_position_is_where_the_last_fetch_asks() {
        let fetches = [("Fetch", Side::Request, 3), ("Fetch", Side::Request, 5), ("Fetch", Side::Response, 8)];
        let trace: Vec<_> = fetches.map(|(api, side, offset)| frame("a", api, side, Some(offset))).into();
        assert_eq!(positions(&trace, "t"), BTreeMap::from([(1, 5)]));
        assert_eq!(positions(&trace, "other"), BTreeMap::new());
    }
}
