//! A fault proxy for Kafka: it stands between any client and any Kafka (one node or several), reads the frames, and acts
//! at a named moment of the protocol.
//!
//! - A [`Fault`] is data: [`When`] (which API, request or response, of which client, with which fields, the nth) and
//!   [`Action`] (cut, hold, answer with an error, kill the program …).
//! - Faults meet through *signals*: a name that is raised when a fault acts, or by whoever owns the [`Proxy`]; a held
//!   frame waits for one, and so does the owner ([`Proxy::wait`]).
//! - Every frame goes to the [trace](Event), with the fields that matter.
//!
//! Each client has a name and an address of its own ([`Proxy::client`]); answers that carry addresses of brokers are
//! rewritten, so that it stays behind the proxy. Everything else passes byte for byte.

mod codec;
mod engine;
mod fault;
mod frames;
mod proxy;
mod record;
mod relay;
mod shared;
mod signals;
mod trace;

pub use fault::{Action, Alteration, Fault, Field, Side, When};
pub use kafka_protocol::messages::ApiKey;
pub use proxy::{Builder, Proxy, Signal};
pub use trace::{Batch, Event, Facts, Frame, Happening, Marker, Part};
