//! What a connection still owes its client: answers, in the order of the requests.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
    sync::{Arc, LazyLock},
};

use bytes::Bytes;
use tokio::sync::Notify;

use crate::{Event, Facts, Happening, codec::Header};

/// Requests without an answer, at most: a client that sends more waits.
const ENTRIES: usize = 4096;
/// Bytes of requests that are kept until they are answered, at most; one request may be larger.
const KEPT: usize = 64 << 20;

/// A request without an answer.
pub(super) struct Entry {
    pub(super) header: Header,
    /// The request's event.
    pub(super) event: Arc<Event>,
    /// The request, where its response will be judged by it.
    pub(super) kept: Option<Bytes>,
    pub(super) answer: Answer,
}

/// From where the answer comes, and who gets it.
pub(super) enum Answer {
    /// The broker answers the client.
    Relayed,
    /// The broker answers, and nobody gets it: the fault of this name sent the request.
    Ours(String),
    /// The proxy answers the client: this, after the signal.
    Made(Bytes, Option<String>),
}

impl Entry {
    pub(super) fn facts(&self) -> &Facts {
        facts(&self.event)
    }

    /// Whether the broker's answer with this correlation id may be to this.
    pub(super) fn is_answered_by(&self, correlation: i32) -> bool {
        self.header.correlation == correlation && !matches!(self.answer, Answer::Made(..))
    }

    fn kept_bytes(&self) -> usize {
        self.kept.as_ref().map_or(0, Bytes::len)
    }

    /// Whether the client waits for it.
    fn is_owed(&self) -> bool {
        !matches!(self.answer, Answer::Ours(_))
    }
}

/// The facts of a frame, by its event.
pub(super) fn facts(event: &Event) -> &Facts {
    static NONE: LazyLock<Facts> = LazyLock::new(Facts::default);
    match &event.happening {
        Happening::Frame(frame) => &frame.facts,
        _ => &NONE,
    }
}

/// The requests without an answer, in their order.
#[derive(Default)]
pub(super) struct Pending {
    entries: RefCell<VecDeque<Rc<Entry>>>,
    /// Bytes of the requests that are kept.
    kept: Cell<usize>,
    /// The answer to one that has been taken is on its way.
    answering: Cell<bool>,
    changed: Notify,
}

impl Pending {
    pub(super) fn push(&self, entry: Entry) {
        self.kept.set(self.kept.get() + entry.kept_bytes());
        self.entries.borrow_mut().push_back(Rc::new(entry));
        self.changed.notify_waiters();
    }

    pub(super) fn first(&self) -> Option<Rc<Entry>> {
        self.entries.borrow().front().cloned()
    }

    /// Takes the first, to answer it.
    pub(super) fn take_first(&self) {
        if let Some(entry) = self.entries.borrow_mut().pop_front() {
            self.kept.set(self.kept.get() - entry.kept_bytes());
            self.answering.set(true);
        }
        self.changed.notify_waiters();
    }

    /// What was taken has been answered, or never will be.
    pub(super) fn answered(&self) {
        self.answering.set(false);
        self.changed.notify_waiters();
    }

    /// Whether an answer with this correlation id is still to come from the broker.
    pub(super) fn expects(&self, correlation: i32) -> bool {
        self.entries.borrow().iter().any(|entry| entry.is_answered_by(correlation))
    }

    /// Returns when another request may be taken.
    pub(super) async fn has_room(&self) {
        self.until(|entries| entries.len() < ENTRIES && self.kept.get() <= KEPT).await;
    }

    /// Returns when the client has got all answers.
    pub(super) async fn settled(&self) {
        self.until(|entries| !self.answering.get() && !entries.iter().any(|entry| entry.is_owed())).await;
    }

    /// Returns when there is one.
    pub(super) async fn some(&self) {
        self.until(|entries| !entries.is_empty()).await;
    }

    async fn until(&self, is: impl Fn(&VecDeque<Rc<Entry>>) -> bool) {
        loop {
            let changed = self.changed.notified();
            if is(&self.entries.borrow()) {
                return;
            }
            changed.await;
        }
    }
}
