//! Requests that a later event or instant answers.

/// A request that could not be answered yet; its answer comes with this number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Wait(pub u64);
