//! What the benchmarks have in common.

pub(crate) mod kafka;
pub(crate) mod programs;
pub(crate) mod ratios;
pub(crate) mod show;

/// Bytes of a message.
pub(crate) const SIZE: &str = "100";
