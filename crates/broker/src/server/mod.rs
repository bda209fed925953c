//! The engine on sockets: one thread, one task for each connection.

mod connection;

use std::{
    cell::RefCell,
    collections::HashMap,
    io,
    net::SocketAddr,
    rc::Rc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use tokio::{
    net::TcpListener,
    sync::{Notify, oneshot},
    task::LocalSet,
};

use crate::{
    engine::{Caller, Engine, Handled},
    settings::Settings,
    time::Millis,
    wait::Wait,
};

/// The system may have no descriptor left for a connection: others will end.
const OUT_OF_DESCRIPTORS: Duration = Duration::from_millis(20);

/// The time, which never goes back even if the system's clock is set.
struct Clock {
    started: Instant,
    at_start: Duration,
}

impl Clock {
    fn new() -> Self {
        Self { started: Instant::now(), at_start: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() }
    }

    fn now(&self) -> Millis {
        let now = self.at_start.saturating_add(self.started.elapsed());
        Millis::try_from(now.as_millis()).unwrap_or(Millis::MAX)
    }
}

/// What all connections share. One thread owns it.
struct Shared {
    engine: RefCell<Engine>,
    clock: Clock,
    waiting: RefCell<HashMap<Wait, oneshot::Sender<Bytes>>>,
    /// The next deadline has moved.
    deadline: Notify,
    scheduled: RefCell<Option<Millis>>,
    largest_request: usize,
}

/// What a connection does next.
enum Next {
    Answer(Bytes),
    Silence,
    Wait(Wait, oneshot::Receiver<Bytes>),
    Close(String),
}

impl Shared {
    fn handle(&self, caller: Caller, frame: Bytes) -> Next {
        let mut engine = self.engine.borrow_mut();
        let next = match engine.handle(self.clock.now(), caller, frame) {
            Handled::Answer(answer) => Next::Answer(answer),
            Handled::Silence => Next::Silence,
            Handled::Close(why) => Next::Close(why),
            Handled::Wait(wait) => {
                let (sender, receiver) = oneshot::channel();
                self.waiting.borrow_mut().insert(wait, sender);
                Next::Wait(wait, receiver)
            }
        };
        self.deliver(&mut engine);
        next
    }

    /// Hands out what has been completed, and sees to it that the next deadline is kept.
    fn deliver(&self, engine: &mut Engine) {
        while let Some((wait, answer)) = engine.completed() {
            if let Some(sender) = self.waiting.borrow_mut().remove(&wait) {
                // The connection may have gone meanwhile.
                let _ = sender.send(answer);
            }
        }
        let next = engine.next_deadline();
        if next.is_some_and(|next| self.scheduled.borrow().is_none_or(|scheduled| next < scheduled)) {
            self.deadline.notify_one();
        }
    }

    fn abandon(&self, wait: Wait) {
        self.waiting.borrow_mut().remove(&wait);
        self.engine.borrow_mut().abandon(wait);
    }

    /// Wakes the engine at each of its deadlines.
    async fn keep_time(self: Rc<Self>) {
        loop {
            let next = self.engine.borrow().next_deadline();
            *self.scheduled.borrow_mut() = next;
            let Some(next) = next else {
                self.deadline.notified().await;
                continue;
            };
            let left = u64::try_from(next.saturating_sub(self.clock.now())).unwrap_or(0);
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(left)) => {
                    let mut engine = self.engine.borrow_mut();
                    engine.tick(self.clock.now());
                    self.deliver(&mut engine);
                }
                () = self.deadline.notified() => {}
            }
        }
    }

    async fn accept(self: Rc<Self>, listener: TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => {
                    let shared = self.clone();
                    tokio::task::spawn_local(async move {
                        if let Err(why) = connection::serve(shared, stream, peer).await {
                            log::warn!("connection of {peer} closed: {why}");
                        }
                    });
                }
                Err(error) => {
                    log::warn!("a connection could not be accepted: {error}");
                    tokio::time::sleep(OUT_OF_DESCRIPTORS).await;
                }
            }
        }
    }
}

/// Runs a broker on this thread until `stop` is sent or dropped.
///
/// # Errors
/// When the runtime cannot be made, or the listener not be handed to it.
pub(crate) fn run(listener: std::net::TcpListener, settings: Settings, stop: oneshot::Receiver<()>) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    let local = LocalSet::new();
    let shared = Rc::new(Shared {
        largest_request: settings.max_request_bytes,
        engine: RefCell::new(Engine::new(settings)),
        clock: Clock::new(),
        waiting: RefCell::default(),
        deadline: Notify::new(),
        scheduled: RefCell::default(),
    });
    local.block_on(&runtime, async {
        let listener = TcpListener::from_std(listener)?;
        tokio::select! {
            () = shared.clone().accept(listener) => {}
            () = shared.keep_time() => {}
            _ = stop => {}
        }
        Ok(())
    })
}

/// A listening socket; its port may be 0, for a free one.
///
/// # Errors
/// When the address is in use or not this machine's.
pub(crate) fn listen(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}
