//! A broker to start and stop.

use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    io,
    net::{Ipv4Addr, SocketAddr},
    thread::{self, JoinHandle},
};

use tokio::sync::oneshot;

use crate::{server, settings::Settings};

/// A running broker, on a thread of its own. Dropping it stops it; everything that it held is gone then.
///
/// ```
/// let broker = broker::Broker::builder().start()?;
/// println!("bootstrap.servers={}", broker.address());
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Broker {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Broker {
    /// A broker with the default settings, on a free port of 127.0.0.1.
    pub fn builder() -> Builder {
        Builder { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), settings: Settings::default() }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl fmt::Debug for Broker {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Broker").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It can only have panicked, and has said so.
            let _ = thread.join();
        }
    }
}

/// What a broker is to be like.
#[derive(Debug, Clone)]
pub struct Builder {
    listen: SocketAddr,
    settings: Settings,
}

impl Builder {
    /// Listens here; port 0 is a free one. By default `127.0.0.1:0`.
    #[must_use]
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// Changes settings.
    #[must_use]
    pub fn settings(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.settings);
        self
    }

    /// Starts it. When this returns, clients can connect.
    ///
    /// # Errors
    /// When the address is in use or not this machine's, or the system gives no thread.
    pub fn start(mut self) -> io::Result<Broker> {
        // The standard library's only source of randomness.
        let random = || RandomState::new().hash_one(std::process::id());
        let seed = *self.settings.seed.get_or_insert_with(random);
        log::debug!("ids come from seed {seed}");
        let listener = server::listen(self.listen)?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let thread = thread::Builder::new().name("kafka-broker".into()).spawn(move || {
            if let Err(error) = server::run(listener, self.settings, stopped) {
                log::error!("the broker on {address} has stopped: {error}");
            }
        })?;
        Ok(Broker { address, stop: Some(stop), thread: Some(thread) })
    }
}
