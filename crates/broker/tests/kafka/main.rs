//! What a Kafka broker does, as seen by a client: the same tests on the embedded broker and, with
//! `KAFKA_BOOTSTRAP_SERVERS`, on Apache Kafka.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    unreachable_pub,
    reason = "a test that cannot go on says so by panicking, and its measurements go to the test's output"
)]

mod conformance;
mod histories;
mod hostile;
mod support;
