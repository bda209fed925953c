//! What a history consists of. Steps are plain data: a shrunk history is printed with `{:?}`, and pasted back.
//!
//! Everything is named by number: topics 0 and 1, groups 0 and 1, members 0 to 2 of each group (the last is static), and
//! the producers of [`KINDS`].

/// A topic and a partition of it.
pub(crate) type At = (usize, i32);

pub(crate) const TOPICS: usize = 2;
pub(crate) const GROUPS: usize = 2;
pub(crate) const MEMBERS: usize = 3;

/// The member with a group.instance.id.
pub(crate) const STATIC_MEMBER: usize = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Plain,
    Idempotent,
    // With this transactional id, and the request versions of librdkafka (no flexible one: EndTxn 1), or those of
    // newer clients with transaction protocol 1 (EndTxn 3).
    Transactional { id: usize, old: bool },
}

/// Three transactional producers on two ids: two of them fence each other.
pub(crate) const KINDS: [Kind; 5] = [
    Kind::Plain,
    Kind::Idempotent,
    Kind::Transactional { id: 0, old: true },
    Kind::Transactional { id: 0, old: false },
    Kind::Transactional { id: 1, old: true },
];

pub(crate) const TRANSACTIONAL_IDS: usize = 2;

/// Which of its producer ids and epochs a producer shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Incarnation {
    Current,
    /// What it had before the last InitProducerId: a request that was late.
    Former,
}

/// How a batch differs from what a client in good health sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// Not at all (in a partition that is not in the transaction, it does so by that).
    Next,
    /// The n-th last batch again, byte for byte, wherever it went.
    Repeat(usize),
    /// Two sequence numbers are left out.
    Skip,
    StaleEpoch,
    FutureEpoch,
    /// A transactional producer's batch without the transactional bit, or another producer's with it.
    WrongBit,
    /// Two batches where Kafka allows one.
    TwoBatches,
    /// Records of 1,500 bytes: too large for some settings of max.message.bytes.
    Large,
    /// The sequence numbers pass 2^31 - 1 within this batch.
    Wrap,
}

/// For whom offsets are committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Credentials {
    /// Generation -1 and no member.
    Nobody,
    Member(usize),
    /// The member with the generation before its own.
    Stale(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    // InitProducerId: a start, or a restart.
    Init { producer: usize },
    // InitProducerId with the current id and epoch (KIP-360).
    Bump { producer: usize },
    // The connection drops; what the producer knows stays.
    Kill { producer: usize },
    AddPartitions { producer: usize, to: At, and: Option<At>, by: Incarnation },
    Produce { producer: usize, to: At, records: usize, how: How },
    AddOffsets { producer: usize, group: usize },
    TxnOffsetCommit { producer: usize, group: usize, at: At, offset: i64, of: Credentials },
    // Once more after the transaction has ended, or within the next one, it is the delayed EndTxn of KAFKA-17754.
    EndTxn { producer: usize, commit: bool, by: Incarnation },
    // InitProducerId with a short transaction timeout, one record, and the broker's abort.
    TimeOut { producer: usize, to: At },

    // JoinGroup; the two requests of a new dynamic member (KIP-394) are one step.
    Join { group: usize, member: usize },
    Sync { group: usize, member: usize, stale: bool },
    Heartbeat { group: usize, member: usize, stale: bool },
    // LeaveGroup, on a connection of its own: it also removes a member that waits for its JoinGroup.
    Leave { group: usize, member: usize },
    // The static member loses its connection and its member id.
    Forget { group: usize },
    OffsetCommit { group: usize, at: At, offset: i64, of: Credentials },
    OffsetFetch { group: usize, stable: bool },
    OffsetDelete { group: usize, at: At },
    DeleteGroup { group: usize },
    DescribeGroup { group: usize },

    CreateTopic { topic: usize, partitions: i32 },
    DeleteTopic { topic: usize },
    CreatePartitions { topic: usize, count: i32 },
    // Offset -1 stands for the high watermark.
    DeleteRecords { at: At, before: i64 },
    SetMaxMessageBytes { topic: usize, bytes: i32 },

    Fetch { at: At, offset: i64, committed: bool },
    // The first offset (-2), the end (-1), or by the timestamp of the n-th step.
    ListOffsets { at: At, timestamp: i64, committed: bool },
    DescribeProducers { at: At },
    DescribeTransaction { id: usize },
}
