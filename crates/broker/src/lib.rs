//! A Kafka broker to embed: one node, in memory.

mod api;
mod engine;
mod groups;
mod ids;
mod log;
mod settings;
mod time;
mod topics;
mod transactions;
mod wait;
mod wire;
