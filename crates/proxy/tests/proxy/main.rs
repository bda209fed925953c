//! The proxy between clients and a Kafka: an embedded broker, or the one that `KAFKA_BOOTSTRAP_SERVERS` names; or, where
//! bytes and their order matter, a broker that does what the test says.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that cannot go on says so by panicking"
)]

mod ending;
mod hostile;
mod later;
mod librdkafka;
mod matching;
mod passing;
mod programs;
mod requests;
mod responses;
mod rewriting;
mod support;
mod traces;
