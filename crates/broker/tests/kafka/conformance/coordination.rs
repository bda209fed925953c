//! Producer ids, transactions, groups and their offsets.

mod find_coordinator;
mod group_admin;
mod group_join;
mod group_offsets;
mod group_rebalance;
mod group_static;
mod isolation;
mod librdkafka;
mod producer_ids;
mod support;
mod txn_admin;
mod txn_end;
mod txn_offsets;
mod txn_partitions;
mod txn_produce;
mod txn_second_protocol;
mod txn_timeout;
