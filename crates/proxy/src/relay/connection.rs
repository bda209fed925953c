//! One connection of a client, with the one to the broker behind it: from its beginning to its end.

use std::{
    cell::{Cell, RefCell},
    pin::pin,
    rc::Rc,
    time::Duration,
};

use bytes::Bytes;
use tokio::{
    io::AsyncWriteExt,
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{Mutex, Notify},
    time::timeout,
};
use wire::frames::Frames;

use super::{
    clients::{Client, Clients},
    pending::{Entry, Pending},
};
use crate::{
    Happening, Side,
    codec::Header,
    engine::{Decision, Seen},
    frames,
    record::Place,
    shared::{Acting, Shared},
};

/// How long a broker may take to let itself be connected to.
const CONNECTING: Duration = Duration::from_secs(10);
/// How long the other side may take to close, once this one has.
const LEAVING: Duration = Duration::from_secs(5);
/// How long a request that a fault keeps for later outlives its client's connection.
const KEPT_FOR_LATER: Duration = Duration::from_secs(60);

/// A connection.
pub(super) struct Connection {
    pub(super) clients: Rc<Clients>,
    pub(super) client: Rc<Client>,
    number: u32,
    node: i32,
    pub(super) pending: Pending,
    /// Nothing passes any more ([`Action::Silence`](crate::Action::Silence)).
    pub(super) silent: Cell<bool>,
    /// The client has gone; answers come all the same.
    pub(super) orphaned: Cell<bool>,
    /// Where requests go. Gone when the broker cannot be written to, or half a frame was.
    upstream: Mutex<Option<OwnedWriteHalf>>,
    /// Requests that a fault keeps for later.
    later: Cell<usize>,
    /// Why another connection's fault has cut this one.
    cut: RefCell<Option<String>>,
    closed: Cell<bool>,
    /// `later`, `cut` or `closed` has changed.
    changed: Notify,
}

/// How a connection ends.
pub(super) enum End {
    /// The client closed it.
    Left,
    /// It was closed for what came from the other side: worth a warning.
    Refused(String),
    /// The broker closed it, or cannot be reached.
    Lost(String),
    /// A fault cut it.
    Cut(String, Vec<Acting>),
}

impl Connection {
    pub(super) fn new(clients: Rc<Clients>, client: Rc<Client>, number: u32, node: i32) -> Self {
        Self {
            clients,
            client,
            number,
            node,
            pending: Pending::default(),
            silent: Cell::new(false),
            orphaned: Cell::new(false),
            upstream: Mutex::new(None),
            later: Cell::new(0),
            cut: RefCell::new(None),
            closed: Cell::new(false),
            changed: Notify::new(),
        }
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.clients.shared
    }

    pub(super) fn place(&self) -> Place<'_> {
        Place { client: &self.client.name, connection: self.number, node: self.node }
    }

    pub(super) fn acted(&self, acting: Acting) {
        self.shared().acted(self.place(), acting);
    }

    /// What faults do about this frame.
    pub(super) fn decide(&self, side: Side, frame: &Bytes, entry: &Judged<'_>) -> Decision {
        let seen = Seen {
            side,
            client: &self.client.name,
            header: entry.header,
            request: entry.request,
            response: entry.response,
            frame,
            kept: entry.kept,
        };
        let signals = &self.shared().signals;
        self.shared().engine.decide(seen, &|name| signals.count(name) > 0, self.orphaned.get())
    }

    /// Ends it, from another connection or from none.
    pub(super) fn cut(&self, why: &str) {
        self.cut.borrow_mut().get_or_insert_with(|| why.to_owned());
        self.changed.notify_waiters();
    }

    /// Returns when both sides have been closed.
    pub(super) async fn closed(&self) {
        self.until(|| self.closed.get().then_some(())).await;
    }

    async fn was_cut(&self) -> String {
        self.until(|| self.cut.borrow().clone()).await
    }

    async fn until<T>(&self, is: impl Fn() -> Option<T>) -> T {
        loop {
            let changed = self.changed.notified();
            if let Some(it) = is() {
                return it;
            }
            changed.await;
        }
    }

    /// Has a request kept for later: the connection to the broker stays for it.
    pub(super) fn keep_for_later(&self) {
        self.later.set(self.later.get() + 1);
    }

    /// Such a request has been answered, or never will be.
    pub(super) fn done_with_later(&self) {
        self.later.set(self.later.get().saturating_sub(1));
        self.changed.notify_waiters();
    }

    /// Sends a request to the broker; with its entry if an answer will come.
    ///
    /// # Errors
    /// When the broker does not take it.
    pub(super) async fn send(&self, frame: &Bytes, entry: Option<Entry>) -> Result<(), ()> {
        let mut upstream = self.upstream.lock().await;
        // Taken out meanwhile: whoever gives up in the middle leaves half a frame, which nothing may follow.
        let Some(mut writer) = upstream.take() else { return Err(()) };
        if let Some(entry) = entry {
            self.pending.push(entry);
        }
        frames::write(&mut writer, frame).await.map_err(drop)?;
        *upstream = Some(writer);
        Ok(())
    }
}

/// What a frame is judged by, besides itself.
pub(super) struct Judged<'a> {
    pub(super) header: &'a Header,
    pub(super) request: &'a crate::Facts,
    pub(super) response: Option<&'a crate::Facts>,
    pub(super) kept: Option<&'a Bytes>,
}

/// Serves a client's connection until it has ended on both sides.
pub(super) async fn serve(connection: Rc<Connection>, stream: TcpStream, upstream: Rc<[String]>) {
    connection.shared().recorder.record(connection.place(), Happening::Connected);
    let _ = stream.set_nodelay(true);
    let reached = tokio::select! {
        biased;
        why = connection.was_cut() => Err(End::Cut(why, Vec::new())),
        reached = reach(&upstream) => reached.map_err(End::Lost),
    };
    match reached {
        Ok(reached) => relay(&connection, stream, reached).await,
        Err(end) => {
            drop(stream);
            close(&connection, end);
        }
    }
}

async fn relay(connection: &Rc<Connection>, stream: TcpStream, broker: TcpStream) {
    let (reader, mut to_client) = stream.into_split();
    let mut from_client = frames::read(reader);
    let (reader, writer) = broker.into_split();
    let mut from_broker = frames::read(reader);
    *connection.upstream.lock().await = Some(writer);

    let end = tokio::select! {
        biased;
        why = connection.was_cut() => End::Cut(why, Vec::new()),
        end = connection.requests(&mut from_client) => end,
        end = connection.responses(&mut from_broker, Some(&mut to_client)) => end,
    };

    connection.orphaned.set(true);
    if matches!(end, End::Left) {
        drop((from_client, to_client));
    } else {
        tokio::task::spawn_local(leave(from_client, to_client));
    }
    if connection.later.get() > 0 {
        close(connection, end);
        // Whatever else comes, this comes too.
        let done = connection.until(|| (connection.later.get() == 0).then_some(()));
        let mut done = pin!(done);
        let _ = timeout(KEPT_FOR_LATER, async {
            tokio::select! {
                () = &mut done => {}
                _ = connection.responses(&mut from_broker, None) => {}
            }
        })
        .await;
        stop_sending(connection).await;
    } else {
        stop_sending(connection).await;
        close(connection, end);
    }
    // The broker sees the end after all that was sent, and its last answers are seen here.
    let _ = timeout(LEAVING, connection.responses(&mut from_broker, None)).await;
}

/// The client's side has been closed, and the broker's unless a request is kept for later.
fn close(connection: &Connection, end: End) {
    let (why, acting) = match end {
        End::Left => ("the client closed it".to_owned(), Vec::new()),
        End::Lost(why) => (why, Vec::new()),
        End::Cut(why, acting) => (why, acting),
        End::Refused(why) => {
            log::warn!("connection {} of \"{}\" closed: {why}", connection.number, connection.client.name);
            (why, Vec::new())
        }
    };
    connection.shared().recorder.record(connection.place(), Happening::Closed { why });
    for acting in acting {
        connection.acted(acting);
    }
    connection.closed.set(true);
    connection.changed.notify_waiters();
}

async fn stop_sending(connection: &Connection) {
    if let Some(mut writer) = connection.upstream.lock().await.take() {
        let _ = writer.shutdown().await;
    }
}

/// Closes the client's side so that it still gets what was written: with unread requests, the system would take that
/// back.
async fn leave(mut from_client: Frames<OwnedReadHalf>, mut to_client: OwnedWriteHalf) {
    let _ = to_client.shutdown().await;
    let _ = timeout(LEAVING, frames::drain(&mut from_client)).await;
}

/// Connects to the first of these that lets itself be connected to.
async fn reach(upstream: &[String]) -> Result<TcpStream, String> {
    let mut why = String::from("no address of a broker is known");
    for address in upstream {
        why = match timeout(CONNECTING, TcpStream::connect(address.as_str())).await {
            Ok(Ok(stream)) => {
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(error)) => format!("no broker at {address}: {error}"),
            Err(_) => format!("no broker at {address}: no answer in {} s", CONNECTING.as_secs()),
        };
    }
    Err(why)
}
