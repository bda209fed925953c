//! The log of a partition: batches as producers sent them, and what is known about their producers.

pub(crate) mod aborted;
pub(crate) mod marker;
pub(crate) mod partition;
pub(crate) mod producers;
pub(crate) mod segment;
#[cfg(test)]
mod tests;
