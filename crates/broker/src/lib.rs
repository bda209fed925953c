//! A Kafka broker to embed: one node, in memory, with idempotent producers, transactions and consumer groups.
//!
//! It behaves as Apache Kafka does, as far as clients can see, and forgets everything when it stops.
//!
//! | part | what it is |
//! |---|---|
//! | [`Broker`] | starts and stops |
//! | [`Engine`] | requests and the time go in, answers come out: no socket, no clock, no task |
//! | `api` | what each request means, one file for each group of requests |
//! | `log` | the log of a partition: batches, producers, aborted transactions |
//! | `transactions` | the transaction coordinator |
//! | `groups` | the group coordinator |
//! | `topics` | names and configuration |
//! | `server` | the engine on sockets |
//!
//! What the bytes look like (frames, the shape of requests, record batches) is told by the crate [`wire`].

mod api;
mod broker;
mod engine;
mod error;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod groups;
mod ids;
mod log;
mod server;
mod settings;
mod time;
mod topics;
mod transactions;
mod wait;

pub use broker::{Broker, Builder};
pub use engine::{Caller, Engine, Handled};
pub use groups::Settings as GroupSettings;
pub use settings::Settings;
pub use time::Millis;
pub use transactions::Settings as TransactionSettings;
pub use wait::Wait;
