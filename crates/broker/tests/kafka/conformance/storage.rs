//! Produce, Fetch, offsets of a log, topics and their configuration.

mod configs;
mod connection;
mod delete_records;
mod fetch;
mod fetch_sessions;
mod idempotence;
mod leader_epochs;
mod list_offsets;
mod metadata;
mod partitions;
mod produce;
mod produce_limits;
mod support;
mod timestamps;
mod topics;
