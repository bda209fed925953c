//! The engine under simulated time: thousands of histories, each with clients that lose requests and answers, die, and
//! go on as zombies, while timeouts that are hours long pass at once.
//!
//! | part | what it is |
//! |---|---|
//! | `step` | what a history consists of |
//! | `world` | the engine, its time, and every request that is sent to it |
//! | `log`, `coordinator`, `offsets` | what must be so, as far as the answers of the engine commit it |
//! | `fetch` | what an answer to Fetch may be |
//! | `producer`, `consumer`, `member`, `copier` | clients, which behave as real ones do |
//! | `properties` | the tests |
//! | `kafka_17754` | a delayed EndTxn |
//! | `regressions` | shrunk histories of what has been wrong once |
//! | `hostile` | random and damaged frames |
//! | `run` | how many histories, and how to repeat one |

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy takes only what stands in a test function for a test"
)]

#[path = "../kafka/support/batch.rs"]
#[allow(dead_code, clippy::type_complexity, reason = "shared with the other test binary")]
mod batch;
mod consumer;
mod coordinator;
mod copier;
mod fetch;
mod hostile;
mod kafka_17754;
mod log;
mod member;
mod offsets;
mod producer;
mod properties;
mod regressions;
mod run;
mod simulation;
mod step;
mod world;
