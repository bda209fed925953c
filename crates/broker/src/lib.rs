//! A Kafka broker to embed: one node, in memory.

#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
pub(crate) mod groups;
pub(crate) mod log;
pub(crate) mod time;
pub(crate) mod wait;
pub(crate) mod wire;
