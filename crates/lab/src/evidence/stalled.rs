//! Readers that stand still at the last stable offset.

use std::collections::HashMap;

use proxy::Part;

use super::{Exchange, Step, exchanges};

const UNSTABLE_OFFSET_COMMIT: i16 = 88;

/// The first refusal of committed offsets that are pending, or the second answer in a row that left a read_committed
/// reader at the last stable offset, with more behind it.
pub(super) fn stalled(steps: &[Step<'_>]) -> Option<u64> {
    let mut stand = HashMap::new();
    for exchange in exchanges(steps) {
        match exchange.api {
            "OffsetFetch" if exchange.errors().any(|code| code == UNSTABLE_OFFSET_COMMIT) => {
                return Some(exchange.number);
            }
            "Fetch" if exchange.asked.read_committed == Some(true) => {
                for told in &exchange.told.partitions {
                    let reader = (exchange.client, exchange.connection, told.topic.as_str(), told.partition);
                    match stands_at(exchange, told) {
                        Some(offset) if stand.insert(reader, offset) == Some(offset) => return Some(exchange.number),
                        Some(_) => {}
                        None => {
                            stand.remove(&reader);
                        }
                    }
                }
            }
            _ => {}
        }
    }
    None
}

/// The offset from which nothing was given, if that is because a transaction is open.
fn stands_at(exchange: &Exchange<'_>, told: &Part) -> Option<i64> {
    let mut asked = exchange.asked.partitions.iter();
    let asked = asked.find(|asked| asked.partition == told.partition && asked.topic == told.topic)?;
    let (offset, last_stable, end) = (asked.offset?, told.last_stable?, told.high_watermark?);
    let stands = told.error == Some(0) && told.batches.is_empty() && (last_stable..end).contains(&offset);
    stands.then_some(offset)
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use crate::scenario::Mark;

    fn from(offset: i64) -> Facts {
        let part = Part { topic: "in".into(), partition: 0, offset: Some(offset), ..Part::default() };
        Facts { read_committed: Some(true), partitions: vec![part], ..Facts::default() }
    }

    fn told(last_stable: i64, end: i64, batches: usize) -> Facts {
        let part = Part {
            topic: "in".into(),
            error: Some(0),
            last_stable: Some(last_stable),
            high_watermark: Some(end),
            batches: vec![Batch::default(); batches],
            ..Part::default()
        };
        Facts { error: Some(0), partitions: vec![part], ..Facts::default() }
    }

    #[test]
    fn a_reader_that_is_told_twice_that_there_is_more_stands_still() {
        let mut trace = Trace::default();
        trace.exchange("first", "Fetch", from(5), told(5, 8, 0));
        assert_eq!(trace.first(Mark::Stalled), None);
        let shown = trace.exchange("first", "Fetch", from(5), told(5, 9, 0));
        assert_eq!(trace.first(Mark::Stalled), Some(shown));
    }

    #[test]
    fn a_reader_that_goes_on_or_is_at_the_end_does_not() {
        let mut trace = Trace::default();
        trace.exchange("first", "Fetch", from(5), told(5, 8, 0));
        trace.exchange("first", "Fetch", from(5), told(8, 8, 1));
        trace.exchange("first", "Fetch", from(5), told(5, 8, 0));
        trace.exchange("second", "Fetch", from(5), told(5, 8, 0));
        trace.exchange("first", "Fetch", from(6), told(6, 8, 0));
        assert_eq!(trace.first(Mark::Stalled), None, "records in between, another client, another offset");
        for _ in 0..2 {
            trace.exchange("first", "Fetch", from(8), told(8, 8, 0));
            trace.exchange("third", "Fetch", from(4), told(5, 8, 0));
        }
        assert_eq!(trace.first(Mark::Stalled), None, "the end, and before the last stable offset");
        let uncommitted = |offset| Facts { read_committed: Some(false), ..from(offset) };
        for _ in 0..2 {
            trace.exchange("fourth", "Fetch", uncommitted(5), told(5, 8, 0));
        }
        assert_eq!(trace.first(Mark::Stalled), None, "read_uncommitted");
    }

    #[test]
    fn offsets_that_are_pending_are_refused_to_a_reader() {
        let mut trace = Trace::default();
        trace.exchange("first", "OffsetFetch", Facts::default(), refused(0, 0));
        trace.exchange("first", "Fetch", Facts::default(), refused(0, 88));
        assert_eq!(trace.first(Mark::Stalled), None);
        let shown = trace.exchange("first", "OffsetFetch", Facts::default(), refused(0, 88));
        assert_eq!(trace.first(Mark::Stalled), Some(shown));
    }
}
