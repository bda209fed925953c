//! What is the same in every program of the course, and teaches nothing about delivery: the command line, the log,
//! Ctrl-C, the lines on standard output, and a few places where rust-rdkafka behaves unlike the Python client that the
//! course uses.
//!
//! | module | what it holds |
//! |---|---|
//! | [`cli`] | flags that all programs share, each with its environment variable; `-X key=value` |
//! | [`grammar`] | the lines on standard output: defined, printed *and parsed* here |
//! | [`out`] | writes those lines, at once |
//! | [`stop`] | Ctrl-C |
//! | [`app`] | from `main` to an exit status: 0 done, 1 a delivery or transaction failed, 2 bad usage |
//! | [`error`] | one line that says what happened and what to do |
//! | [`connect`] | is there a broker, and does the topic exist? |
//! | [`events`] | what librdkafka tells about its connections |
//! | [`login`] | is a login the reason that none answers? |
//! | [`delivery`] | delivery reports; `send` and `flush` as in Python |
//! | [`transaction`] | the three kinds of error of a transaction; commit and abort that serve delivery reports |
//! | [`group`] | rebalances, going back to the committed offsets, `--idle-exit` |
//!
//! No delivery setting and no order of steps is decided here: those stand in each program's `main.rs`.

pub mod app;
pub mod cli;
pub mod connect;
pub mod delivery;
pub mod error;
pub mod events;
pub mod grammar;
pub mod group;
pub mod login;
pub mod out;
pub mod stop;
pub mod transaction;

pub use error::Error;
