//! What each request means: one file for each group of requests.

pub(crate) mod cluster;
pub(crate) mod configs;
pub(crate) mod delete_records;
pub(crate) mod describe_producers;
pub(crate) mod fetch;
pub(crate) mod groups;
pub(crate) mod leader_epoch;
pub(crate) mod list_offsets;
pub(crate) mod metadata;
pub(crate) mod produce;
pub(crate) mod producer_ids;
pub(crate) mod topics;
pub(crate) mod transactions;
pub(crate) mod versions;
