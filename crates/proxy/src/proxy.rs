//! The proxy as its owner sees it.

use std::{
    collections::HashMap,
    fmt, io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

use tokio::sync::mpsc;

use crate::{
    Event, Fault,
    record::{self, Place},
    relay::{self, NewClient},
    shared::Shared,
};

/// How long each of the proxy's threads may take at the end.
const ENDING: Duration = Duration::from_millis(900);

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
    trace: Option<Box<dyn io::Write + Send>>,
}

impl Builder {
    /// Where the trace is written to, as JSON lines, besides memory. When that fails, writing ends; the proxy goes on,
    /// and [`Proxy::trace_error`] says why.
    #[must_use]
    pub fn trace_to(mut self, out: Box<dyn io::Write + Send>) -> Self {
        self.trace = Some(out);
        self
    }

    /// Starts it, on a thread of its own.
    ///
    /// # Errors
    /// When the operating system refuses the thread or its runtime.
    pub fn start(self) -> io::Result<Proxy> {
        let runtime = relay::runtime()?;
        let shared = Arc::new(Shared::new());
        let writing = self.trace.map(|out| shared.recorder.write_to(out)).transpose()?;
        let (new, comes) = mpsc::unbounded_channel();
        // From here on a proxy, which ends the trace's thread should this one be refused.
        let mut proxy = Proxy { shared, new: Some(new), addresses: Mutex::default(), relaying: None, writing };
        let shared = proxy.shared.clone();
        proxy.relaying = Some(
            thread::Builder::new()
                .name("kafka-proxy".into())
                .spawn(move || relay::run(runtime, &shared, &self.upstream, comes))?,
        );
        Ok(proxy)
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Builder").field("upstream", &self.upstream).finish_non_exhaustive()
    }
}

/// A proxy that runs; dropping it closes every connection and listener.
pub struct Proxy {
    shared: Arc<Shared>,
    /// Clients go to the proxy's thread, which ends with this.
    new: Option<mpsc::UnboundedSender<NewClient>>,
    addresses: Mutex<HashMap<String, SocketAddr>>,
    relaying: Option<JoinHandle<()>>,
    writing: Option<JoinHandle<()>>,
}

impl Proxy {
    /// A proxy in front of the Kafka that these addresses (`HOST:PORT`, separated by commas) lead to.
    pub fn builder(upstream: impl Into<String>) -> Builder {
        Builder { upstream: upstream.into(), trace: None }
    }

    /// The address that a client is to be given as its bootstrap server, on 127.0.0.1. A name has one address, which is
    /// opened the first time.
    ///
    /// # Errors
    /// When no port can be opened.
    pub fn client(&self, name: &str) -> io::Result<SocketAddr> {
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(address) = addresses.get(name) {
            return Ok(*address);
        }
        let (listener, address) = relay::listen()?;
        let new = NewClient { name: name.to_owned(), listener, address };
        let sent = self.new.as_ref().is_some_and(|sender| sender.send(new).is_ok());
        if !sent {
            return Err(io::Error::other("the proxy's thread has ended"));
        }
        addresses.insert(name.to_owned(), address);
        Ok(address)
    }

    /// What kills and freezes the program of this client. Replaces the one before. It is called on a thread of its own.
    pub fn controls(&self, client: &str, control: impl Fn(Signal) + Send + Sync + 'static) {
        self.shared.set_control(client, Arc::new(control));
    }

    /// Arms a fault: it acts on frames that come from now on. A fault that changes or answers requests is not armed for
    /// responses.
    pub fn arm(&self, fault: Fault) {
        if fault.what.acts_on(fault.when.side) {
            self.shared.engine.arm(fault);
        } else {
            log::warn!("fault \"{}\" ({}) acts on requests only: it is not armed", fault.name, fault.what.name());
        }
    }

    /// Disarms all faults. What they hold back waits for its signal all the same.
    pub fn disarm(&self) {
        self.shared.engine.disarm();
    }

    /// Raises a signal. It stays raised: who waits for it later does not wait.
    pub fn signal(&self, name: &str) {
        self.shared.signal(Place::NONE, name);
    }

    /// How often a signal was raised so far.
    pub fn count(&self, signal: &str) -> usize {
        self.shared.signals.count(signal)
    }

    /// Waits until a signal was raised so many times; whether it was.
    pub fn wait(&self, signal: &str, times: usize, limit: Duration) -> bool {
        self.shared.signals.wait(signal, times, limit)
    }

    /// The trace so far. Memory holds the last 200,000 events: what is older is dropped.
    pub fn trace(&self) -> Vec<Event> {
        self.shared.recorder.events()
    }

    /// Microseconds since the start: the clock of the trace.
    pub fn micros(&self) -> u64 {
        self.shared.recorder.micros()
    }

    /// Why the trace is no longer written.
    pub fn trace_error(&self) -> Option<String> {
        self.shared.recorder.error()
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Proxy").field("clients", &self.addresses).finish_non_exhaustive()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        drop(self.new.take());
        if self.relaying.take().is_some_and(|thread| !record::join(thread, ENDING)) {
            log::warn!("the proxy's thread does not end");
        }
        self.shared.recorder.end();
        if self.writing.take().is_some_and(|thread| !record::join(thread, ENDING)) {
            log::warn!("the trace is not read: its end is missing");
        }
    }
}
