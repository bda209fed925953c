//! Faults as data: when, and what.

use std::time::Duration;

use crate::ApiKey;

/// What happens, and at which moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Its name, which is also the signal that is raised when it acts.
    pub name: String,
    /// At which frame it acts.
    pub when: When,
    /// What it does.
    pub what: Action,
}

impl Fault {
    /// A fault of this name.
    pub fn new(name: impl Into<String>, when: When, what: Action) -> Self {
        Self { name: name.into(), when, what }
    }
}

/// On which way a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// From the client: the broker does not have it yet.
    Request,
    /// From the broker: it has done what the request asked for.
    Response,
}

/// A moment of the protocol: a frame, by what it is and how many like it went before.
///
/// ```
/// use proxy::{ApiKey, When};
/// let second_commit = When::request(ApiKey::EndTxn).of("program").nth(2);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct When {
    /// Which request, or the response to which.
    pub api: ApiKey,
    /// Request or response.
    pub side: Side,
    /// Only frames of the client that has this name at the proxy.
    pub client: Option<String>,
    /// Only frames of clients that call themselves so (`client.id`).
    pub client_id: Option<String>,
    /// Only frames of which all this is true; for a response, of itself or of its request.
    pub fields: Vec<Field>,
    /// Only frames that come after this signal was raised.
    pub after: Option<String>,
    /// Which of those frames, from 1.
    pub nth: u32,
    /// How many in a row, from the nth on.
    pub times: u32,
}

impl When {
    /// The first request of this kind.
    pub fn request(api: ApiKey) -> Self {
        Self::new(api, Side::Request)
    }

    /// The first response of this kind.
    pub fn response(api: ApiKey) -> Self {
        Self::new(api, Side::Response)
    }

    fn new(api: ApiKey, side: Side) -> Self {
        Self { api, side, client: None, client_id: None, fields: Vec::new(), after: None, nth: 1, times: 1 }
    }

    /// Only of the client that has this name at the proxy.
    #[must_use]
    pub fn of(mut self, client: impl Into<String>) -> Self {
        self.client = Some(client.into());
        self
    }

    /// Only of clients with this `client.id`.
    #[must_use]
    pub fn client_id(mut self, id: impl Into<String>) -> Self {
        self.client_id = Some(id.into());
        self
    }

    /// Only where this is true.
    #[must_use]
    pub fn with(mut self, field: Field) -> Self {
        self.fields.push(field);
        self
    }

    /// Only where a batch holds this value.
    #[must_use]
    pub fn holding(self, value: impl Into<Vec<u8>>) -> Self {
        self.with(Field::Value(value.into()))
    }

    /// Only after this signal.
    #[must_use]
    pub fn after(mut self, signal: impl Into<String>) -> Self {
        self.after = Some(signal.into());
        self
    }

    /// The nth such frame, from 1.
    #[must_use]
    pub fn nth(mut self, nth: u32) -> Self {
        self.nth = nth;
        self
    }

    /// So many such frames in a row.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    /// Every such frame, from the nth on.
    #[must_use]
    pub fn always(self) -> Self {
        self.times(u32::MAX)
    }
}

/// Something that is true of a frame. Where it names what is in a list (partitions), one element is enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// Of this transactional id.
    TransactionalId(String),
    /// Of this group.
    Group(String),
    /// Names this topic.
    Topic(String),
    /// Names this partition of any topic.
    Partition(i32),
    /// Carries a record whose value is this, whole.
    Value(Vec<u8>),
    /// EndTxn: commit (true) or abort (false).
    Commits(bool),
    /// Carries at least one record (Produce, Fetch).
    HasRecords,
    /// This error code, at the top or of a partition; 0 is none at all.
    Error(i16),
    /// Commits this offset, or a later one, for some partition (OffsetCommit, TxnOffsetCommit).
    OffsetAtLeast(i64),
}

/// What is done with the frame, or because of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Nothing but the signal: the frame passes. The signal is raised when it has been passed on.
    Note,
    /// The frame is lost, the connection stays. (TCP does not do this: later frames arrive.)
    Swallow,
    /// The connection is cut, on both sides; the frame is lost. Of a request: before the broker has it; of a response:
    /// after. Answers to earlier requests reach the client first.
    Cut,
    /// From this frame on nothing passes on this connection, in either direction, and it is not closed.
    Silence,
    /// The frame, and everything after it on its connection and in its direction, waits for the signal.
    Hold {
        /// The signal.
        until: String,
    },
    /// The frame, and everything after it on its connection and in its direction, passes so much later.
    Delay(Duration),
    /// The request does not reach the broker; the client is answered with this error code (for each partition where the
    /// answer has partitions), in its turn. With a signal: not before it was raised. The connection's other requests
    /// pass meanwhile; their answers wait behind this one.
    Answer {
        /// Kafka's error code.
        error: i16,
        /// The signal.
        until: Option<String>,
    },
    /// The request passes, and the broker gets it once more, on the same connection, after the signal; the client does
    /// not see the second answer. The connection to the broker is kept for it when the client closes its own. Raises
    /// the fault's name when the request first passes, and `NAME answered` when the second answer has come.
    Repeat {
        /// The signal.
        upon: String,
    },
    /// The request is taken from the client, whose connection is cut; the broker gets it after the signal, on the
    /// connection on which it would have come. Raises `NAME answered` when its answer has come, which nobody sees.
    Postpone {
        /// The signal.
        until: String,
    },
    /// The bytes of the request are changed.
    Alter(Alteration),
    /// The client's program is killed (SIGKILL), and the frame is lost with its connection, as [`Action::Cut`] does it.
    /// The signal is raised when the program is dead.
    Kill,
    /// The client's program is frozen (SIGSTOP); then the frame, and everything after it on its connection and in its
    /// direction, waits for the signal. The signal of this fault is raised when the program stands still.
    Freeze {
        /// The signal.
        until: String,
    },
    /// No broker: every connection of every client is cut (the frame is lost), and new ones are closed at once, until
    /// the signal. Each of those raises the signal `refused`.
    Away {
        /// The signal.
        until: String,
    },
}

/// How a request is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alteration {
    /// TxnOffsetCommit: generation −1 and no member, as from a client that sends no group metadata (before KIP-447).
    NoGroupMetadata,
}
