//! The trace: every frame, with the fields that matter, and everything else that happens at the proxy.

use serde::Serialize;

use crate::Side;

/// One entry of the trace. As JSON, one object; fields that say nothing are left out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    /// From 0, in the order in which things happened.
    pub number: u64,
    /// Microseconds since the proxy started.
    pub micros: u64,
    /// The client's name at the proxy; empty for what concerns none.
    pub client: String,
    /// Which of its connections, from 1; 0 where it concerns none.
    pub connection: u32,
    /// The node at the other end of the connection; −1 for a bootstrap address.
    pub node: i32,
    /// What happened.
    #[serde(flatten)]
    pub happening: Happening,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "happening", rename_all = "snake_case")]
pub enum Happening {
    /// A frame came to the proxy.
    Frame(Box<Frame>),
    /// The client connected.
    Connected,
    /// The connection has ended.
    Closed {
        /// Who ended it, or why.
        why: String,
    },
    /// The client connected, and was closed at once ([`Action::Away`](crate::Action::Away)).
    Refused,
    /// A fault acted, on the frame with this number.
    Fault {
        /// Its name.
        name: String,
        /// What it did: the name of the action in lower case ("cut", "hold", "answer" …).
        action: &'static str,
        /// The number of the frame's event.
        frame: u64,
        /// The error code that it answered with.
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<i16>,
    },
    /// A signal was raised (a fault raises its own name; that is told by `Fault` alone).
    Signal {
        /// Its name.
        name: String,
    },
}

/// A frame, and the fields that matter.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Frame {
    /// Request or response.
    #[serde(serialize_with = "crate::trace::side")]
    pub side: Side,
    /// The name of the API, as the protocol guide has it; a number where it is not known here.
    pub api: String,
    /// The version of the API.
    pub version: i16,
    /// The correlation id.
    pub correlation: i32,
    /// What the client calls itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// Bytes, without the length in front.
    pub bytes: usize,
    /// A response to a request that the client never sent: the second answer of a repeated request.
    #[serde(skip_serializing_if = "is_false")]
    pub ours: bool,
    /// The number of the request's event (responses).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<u64>,
    /// The fields that matter.
    #[serde(flatten)]
    pub facts: Facts,
}

/// The fields of a frame that matter; those that it does not have are `None` or empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// The transactional id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transactional_id: Option<String>,
    /// The producer id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub producer_id: Option<i64>,
    /// The producer epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub producer_epoch: Option<i16>,
    /// The group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The member of the group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
    /// `group.instance.id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// The generation of the group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<i32>,
    /// EndTxn: commit or abort.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commits: Option<bool>,
    /// Fetch request: whether it asks for no more than a read_committed reader may see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_committed: Option<bool>,
    /// Produce: how many replicas must have it (−1: all that are in sync).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acks: Option<i16>,
    /// The error code of the whole response; 0 where it has such a field and there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<i16>,
    /// What it says of partitions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub partitions: Vec<Part>,
}

/// What a frame says of a partition.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Part {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// Its error code (responses).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<i16>,
    /// Produce response: where the batch was stored. Fetch request: from where. OffsetCommit, TxnOffsetCommit, and the
    /// response to OffsetFetch: the committed offset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<i64>,
    /// Fetch response: the high watermark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high_watermark: Option<i64>,
    /// Fetch response: the last stable offset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_stable: Option<i64>,
    /// Fetch response at read_committed: the aborted transactions, as (producer id, first offset).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub aborted: Vec<(i64, i64)>,
    /// The record batches that it carries (Produce request, Fetch response).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub batches: Vec<Batch>,
}

/// A record batch, by its header.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Batch {
    /// The offset of its first record (0 in a request).
    pub base_offset: i64,
    /// The offset of its last record.
    pub last_offset: i64,
    /// How many records it holds.
    pub records: i32,
    /// The producer id; −1 for none.
    pub producer_id: i64,
    /// The producer epoch; −1 for none.
    pub producer_epoch: i16,
    /// The sequence number of its first record; −1 for none.
    pub base_sequence: i32,
    /// Whether it belongs to a transaction.
    pub transactional: bool,
    /// What a control batch ends a transaction with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<Marker>,
    /// The value of its first record, as text, cut to 80 characters; `None` for a null and in a control batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<String>,
    /// The same of its last record, in batches of up to 100 records.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
}

/// The control record of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Marker {
    /// Committed.
    Commit,
    /// Aborted.
    Abort,
}

fn is_false(value: &bool) -> bool {
    !value
}

pub(crate) fn side<S: serde::Serializer>(side: &Side, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(match side {
        Side::Request => "request",
        Side::Response => "response",
    })
}
