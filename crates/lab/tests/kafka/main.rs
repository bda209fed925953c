//! The programs of the course and the lab, on a real Kafka: one test binary, so that one Kafka serves the whole run.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    unreachable_pub,
    reason = "a test that cannot go on says so by panicking, and its measurements go to the test's output"
)]

mod bad_input;
mod claims;
mod compose;
mod consumers;
mod ctrl_c;
mod eos_consumers;
mod exercises;
mod grade;
mod lab;
mod pipeline;
mod producers;
mod scenarios;
mod serve;
mod session;
mod settings;
mod show;
mod students;
mod support;
mod torture;
mod values;
mod wrong_programs;
