//! The proxy's own thread: what connects, and what passes.

mod clients;
mod connection;
mod pending;
mod requests;
mod responses;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{sync::mpsc, task::LocalSet};

pub(crate) use clients::listen;

use crate::shared::Shared;

/// What a program's control and the system's name service may take at the end.
const LAST_CALLS: Duration = Duration::from_millis(300);

/// A client that came, with the listener for its bootstrap address.
pub(crate) struct NewClient {
    pub(crate) name: String,
    pub(crate) listener: std::net::TcpListener,
    pub(crate) address: SocketAddr,
}

/// A runtime for one thread.
///
/// # Errors
/// When the system refuses it.
pub(crate) fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()
}

/// Relays until nobody can send another client.
pub(crate) fn run(
    runtime: tokio::runtime::Runtime,
    shared: &Arc<Shared>,
    upstream: &str,
    mut new: mpsc::UnboundedReceiver<NewClient>,
) {
    let clients = clients::Clients::new(shared.clone(), upstream);
    let local = LocalSet::new();
    local.block_on(&runtime, async {
        while let Some(NewClient { name, listener, address }) = new.recv().await {
            clients.add(&name, listener, address);
        }
    });
    // Ends every connection, whatever it waits for.
    drop(local);
    runtime.shutdown_timeout(LAST_CALLS);
}
