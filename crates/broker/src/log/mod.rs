//! The log of a partition.

pub(crate) mod records;
