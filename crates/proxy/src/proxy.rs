//! The proxy as its owner sees it.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use crate::{Event, Fault};

/// What the proxy does to the program of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Ends it (SIGKILL). The callback returns when it is dead.
    Kill,
    /// Freezes it (SIGSTOP). The callback returns when it stands still.
    Freeze,
}

/// Starts a [`Proxy`].
pub struct Builder {
    upstream: String,
}

impl Builder {
    /// Where the trace is written to, as JSON lines, besides memory. When that fails, writing ends; the proxy goes on,
    /// and [`Proxy::trace_error`] says why.
    #[must_use]
    pub fn trace_to(self, _out: Box<dyn io::Write + Send>) -> Self {
        self
    }

    /// Starts it, on a thread of its own.
    ///
    /// # Errors
    /// When the operating system refuses the thread or its runtime.
    pub fn start(self) -> io::Result<Proxy> {
        Ok(Proxy {})
    }
}

/// A proxy that runs; dropping it closes every connection and listener.
pub struct Proxy {}

impl Proxy {
    /// A proxy in front of the Kafka that these addresses (`HOST:PORT`, separated by commas) lead to.
    pub fn builder(upstream: impl Into<String>) -> Builder {
        Builder { upstream: upstream.into() }
    }

    /// The address that a client is to be given as its bootstrap server, on 127.0.0.1. A name has one address, which is
    /// opened the first time.
    ///
    /// # Errors
    /// When no port can be opened.
    pub fn client(&self, name: &str) -> io::Result<SocketAddr> {
        todo!()
    }

    /// What kills and freezes the program of this client. Replaces the one before. It is called on a thread of its own.
    pub fn controls(&self, client: &str, control: impl Fn(Signal) + Send + Sync + 'static) {}

    /// Arms a fault: it acts on frames that come from now on.
    pub fn arm(&self, fault: Fault) {}

    /// Raises a signal. It stays raised: who waits for it later does not wait.
    pub fn signal(&self, name: &str) {}

    /// How often a signal was raised so far.
    pub fn count(&self, signal: &str) -> usize {
        0
    }

    /// Waits until a signal was raised so many times; whether it was.
    pub fn wait(&self, signal: &str, times: usize, limit: Duration) -> bool {
        false
    }

    /// The trace so far. Memory holds the last 200,000 events: what is older is dropped.
    pub fn trace(&self) -> Vec<Event> {
        Vec::new()
    }

    /// Microseconds since the start: the clock of the trace.
    pub fn micros(&self) -> u64 {
        0
    }

    /// Why the trace is no longer written.
    pub fn trace_error(&self) -> Option<String> {
        None
    }
}
