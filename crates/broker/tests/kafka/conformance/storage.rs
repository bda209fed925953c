//! Produce, Fetch, offsets of a log, topics and their configuration.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy.toml allows them in test functions only, and not in what these share"
)]

mod batches;
mod clients;
mod configs;
mod connection;
mod delete_records;
mod fetch;
mod fetch_limits;
mod fetch_sessions;
mod fetch_waiting;
mod idempotence;
mod leader_epochs;
mod list_offsets;
mod metadata;
mod partitions;
mod produce;
mod produce_limits;
mod support;
mod timestamps;
mod topic_deletion;
mod topics;
