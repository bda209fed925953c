//! What the trace shows apart from values: that a client was fenced, that offsets were refused, that a reader stood still.

use proxy::Event;

use crate::scenario::Mark;

/// The marks of a trace, each with the number of the event that shows it first.
pub fn marks(_trace: &[Event]) -> Vec<(Mark, u64)> {
    Vec::new()
}
