//! The clients, and the listeners that each of them has: one for the bootstrap address, one for each node.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    io,
    net::{Ipv4Addr, SocketAddr},
    rc::{Rc, Weak},
    sync::Arc,
    time::Duration,
};

use tokio::{net::TcpListener, sync::Notify};

use super::connection::{self, Connection};
use crate::{
    Facts, Happening, Signal, codec,
    record::Place,
    shared::{Acting, Shared},
};

/// The node of a bootstrap address.
pub(crate) const BOOTSTRAP: i32 = -1;
/// The system may have no descriptor left for a connection: others will end.
const OUT_OF_DESCRIPTORS: Duration = Duration::from_millis(20);
/// Closing a connection is a matter of this thread alone: more than that, and it is stuck.
const CLOSING: Duration = Duration::from_secs(1);

/// All clients. One thread owns them.
pub(crate) struct Clients {
    pub(super) shared: Arc<Shared>,
    /// The addresses that the proxy was given, `HOST:PORT`.
    bootstrap: Rc<[String]>,
    by_name: RefCell<HashMap<String, Rc<Client>>>,
    /// By their ids.
    topics: RefCell<HashMap<String, String>>,
}

/// A client, by the name that it has at the proxy.
pub(crate) struct Client {
    pub(super) name: String,
    pub(super) gate: Gate,
    nodes: RefCell<HashMap<i32, Node>>,
    connections: RefCell<Vec<Weak<Connection>>>,
    last_connection: Cell<u32>,
}

/// The listener for a node.
struct Node {
    address: SocketAddr,
    /// A second handle, which tells at once whether somebody has connected.
    listener: std::net::TcpListener,
    upstream: Rc<RefCell<Rc<[String]>>>,
}

/// While it is closed, nothing of the client moves.
#[derive(Default)]
pub(super) struct Gate {
    closed: Cell<usize>,
    opened: Notify,
}

impl Gate {
    pub(super) async fn pass(&self) {
        while self.closed.get() > 0 {
            self.opened.notified().await;
        }
    }

    fn close(&self) {
        self.closed.set(self.closed.get() + 1);
    }

    fn open(&self) {
        self.closed.set(self.closed.get().saturating_sub(1));
        self.opened.notify_waiters();
    }
}

/// A listening socket on a free port.
pub(crate) fn listen() -> io::Result<(std::net::TcpListener, SocketAddr)> {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

impl Clients {
    pub(crate) fn new(shared: Arc<Shared>, upstream: &str) -> Rc<Self> {
        let bootstrap = upstream.split(',').map(str::trim).filter(|one| !one.is_empty()).map(str::to_owned).collect();
        Rc::new(Self { shared, bootstrap, by_name: RefCell::default(), topics: RefCell::default() })
    }

    /// What some frames say of topics by their ids, any client's answer may have named.
    pub(super) fn learn_topics(&self, names: Vec<(String, String)>) {
        self.topics.borrow_mut().extend(names);
    }

    pub(super) fn name_topics(&self, facts: &mut Facts) {
        codec::name_topics(facts, &self.topics.borrow());
    }

    /// Serves a client on its bootstrap listener.
    pub(crate) fn add(self: &Rc<Self>, name: &str, listener: std::net::TcpListener, address: SocketAddr) {
        let client = Rc::new(Client {
            name: name.to_owned(),
            gate: Gate::default(),
            nodes: RefCell::default(),
            connections: RefCell::default(),
            last_connection: Cell::new(0),
        });
        self.by_name.borrow_mut().insert(name.to_owned(), client.clone());
        if let Err(error) = self.serve(&client, BOOTSTRAP, listener, address, self.bootstrap.clone()) {
            log::error!("the proxy's client \"{name}\" cannot be served: {error}");
        }
    }

    /// Where this client reaches a node, whose address is this.
    ///
    /// # Errors
    /// When no port can be opened.
    pub(super) fn address_of(
        self: &Rc<Self>,
        client: &Rc<Client>,
        node: i32,
        host: &str,
        port: i32,
    ) -> io::Result<SocketAddr> {
        // An IPv6 address is bracketed where a port follows.
        let upstream = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
        if let Some(known) = client.nodes.borrow().get(&node) {
            let mut known_upstream = known.upstream.borrow_mut();
            if known_upstream.first() != Some(&upstream) {
                log::debug!("node {node} is at {upstream} now");
                *known_upstream = Rc::new([upstream]);
            }
            return Ok(known.address);
        }
        let (listener, address) = listen()?;
        self.serve(client, node, listener, address, Rc::new([upstream]))?;
        Ok(address)
    }

    fn serve(
        self: &Rc<Self>,
        client: &Rc<Client>,
        node: i32,
        listener: std::net::TcpListener,
        address: SocketAddr,
        upstream: Rc<[String]>,
    ) -> io::Result<()> {
        let upstream = Rc::new(RefCell::new(upstream));
        let second = listener.try_clone()?;
        let listener = TcpListener::from_std(listener)?;
        client.nodes.borrow_mut().insert(node, Node { address, listener: second, upstream: upstream.clone() });
        tokio::task::spawn_local(self.clone().accept(client.clone(), node, listener, upstream));
        Ok(())
    }

    async fn accept(
        self: Rc<Self>,
        client: Rc<Client>,
        node: i32,
        listener: TcpListener,
        upstream: Rc<RefCell<Rc<[String]>>>,
    ) {
        loop {
            match listener.accept().await {
                Ok((stream, _)) if self.shared.is_away() => {
                    drop(stream);
                    let place = Place { client: &client.name, connection: 0, node };
                    self.shared.recorder.record(place, Happening::Refused);
                    self.shared.signal(place, "refused");
                }
                Ok((stream, _)) => {
                    let upstream = upstream.borrow().clone();
                    let number = client.last_connection.get() + 1;
                    client.last_connection.set(number);
                    let connection = Rc::new(Connection::new(self.clone(), client.clone(), number, node));
                    let mut connections = client.connections.borrow_mut();
                    connections.retain(|connection| connection.strong_count() > 0);
                    connections.push(Rc::downgrade(&connection));
                    tokio::task::spawn_local(connection::serve(connection, stream, upstream));
                }
                Err(error) => {
                    log::warn!("a connection could not be accepted: {error}");
                    tokio::time::sleep(OUT_OF_DESCRIPTORS).await;
                }
            }
        }
    }

    /// Kills the program of this client, and cuts its connections.
    pub(super) async fn kill(self: Rc<Self>, client: Rc<Client>, node: i32, connection: u32, acting: Acting) {
        client.gate.close();
        self.control(&client, Signal::Kill).await;
        // Who is dead does not connect: what stands in the queue came before.
        for node in client.nodes.borrow().values() {
            while node.listener.accept().is_ok() {}
        }
        let cut = client.cut("the program was killed");
        client.gate.open();
        closed(&cut).await;
        self.shared.acted(Place { client: &client.name, connection, node }, acting);
    }

    /// Freezes the program of this client. What it sent meanwhile waits, and so does what is sent to it.
    pub(super) async fn freeze(self: Rc<Self>, client: Rc<Client>, node: i32, connection: u32, acting: Acting) {
        client.gate.close();
        self.control(&client, Signal::Freeze).await;
        client.gate.open();
        self.shared.acted(Place { client: &client.name, connection, node }, acting);
    }

    async fn control(&self, client: &Client, signal: Signal) {
        let Some(control) = self.shared.control(&client.name) else {
            log::warn!("{signal:?}: nothing is known of the program of client \"{}\"", client.name);
            return;
        };
        if let Err(error) = tokio::task::spawn_blocking(move || control(signal)).await {
            log::warn!("{signal:?} of client \"{}\" failed: {error}", client.name);
        }
    }

    /// Cuts all connections of all clients.
    pub(super) async fn away(self: Rc<Self>, client: Rc<Client>, node: i32, connection: u32, acting: Acting) {
        let all: Vec<_> = self.by_name.borrow().values().cloned().collect();
        let cut: Vec<_> = all.iter().flat_map(|client| client.cut("there is no broker")).collect();
        closed(&cut).await;
        self.shared.acted(Place { client: &client.name, connection, node }, acting);
    }
}

impl Client {
    fn cut(&self, why: &str) -> Vec<Rc<Connection>> {
        let connections: Vec<_> = self.connections.borrow().iter().filter_map(Weak::upgrade).collect();
        for connection in &connections {
            connection.cut(why);
        }
        connections
    }
}

async fn closed(connections: &[Rc<Connection>]) {
    let all = async {
        for connection in connections {
            connection.closed().await;
        }
    };
    if tokio::time::timeout(CLOSING, all).await.is_err() {
        log::warn!("a connection does not close");
    }
}
