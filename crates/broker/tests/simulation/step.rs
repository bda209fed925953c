//! What a history consists of. Steps are plain data: a shrunk history is printed with `{:?}`, and pasted back.

use proptest::{collection::vec, prelude::*};

/// A topic and a partition of it.
pub(crate) type At = (usize, i32);

pub(crate) const TOPICS: usize = 2;
pub(crate) const PARTITIONS: i32 = 2;
/// See `producer::KINDS`.
pub(crate) const PRODUCERS: usize = 5;
pub(crate) const CONSUMERS: usize = 2;
pub(crate) const MEMBERS: usize = 3;

/// What the network does to the n-th request of a step (n from 0); the others arrive, and so do their answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Net {
    Fine,
    RequestLost(u8),
    AnswerLost(u8),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// InitProducerId, as after a start; another process with the same transactional id is fenced.
    Init {
        producer: usize,
        net: Net,
    },
    /// InitProducerId with the present id and epoch (KIP-360).
    Bump {
        producer: usize,
        net: Net,
    },
    /// Whatever must come before is sent too: what is unanswered, InitProducerId, AddPartitionsToTxn. `pipelined`:
    /// earlier Produces without answer are not waited for.
    Produce {
        producer: usize,
        at: At,
        records: u8,
        pipelined: bool,
        large: bool,
        net: Net,
    },
    /// Five batches without waiting for answers; then the connection breaks: the first ones have arrived, perhaps but for
    /// one, and no answer does.
    Burst {
        producer: usize,
        at: At,
        arrived: u8,
        missing: Option<u8>,
    },
    /// AddOffsetsToTxn and TxnOffsetCommit. `bare`: without the first. `member`: as this member of the group.
    SendOffsets {
        bare: bool,
        producer: usize,
        at: At,
        offset: u8,
        member: Option<usize>,
        net: Net,
    },
    /// EndTxn. A producer that was refused something aborts, unless it is `stubborn`.
    End {
        producer: usize,
        commit: bool,
        stubborn: bool,
        net: Net,
    },
    /// The process dies. What is on its way may still arrive.
    Kill {
        producer: usize,
    },
    /// A request that was lost arrives after all.
    Late {
        which: usize,
    },
    /// From where this consumer stands; with a `wait` (milliseconds) it waits for so many bytes.
    Fetch {
        consumer: usize,
        wait: u16,
        min_bytes: u16,
        max_bytes: u16,
    },
    /// To this percentage of the log.
    Seek {
        consumer: usize,
        percent: u8,
    },
    Join {
        member: usize,
    },
    Sync {
        member: usize,
    },
    /// `stale`: of the generation before.
    Heartbeat {
        member: usize,
        stale: bool,
    },
    Leave {
        member: usize,
    },
    /// Its connection is gone; it comes back as someone else.
    Crash {
        member: usize,
    },
    /// OffsetCommit, as a member or as nobody.
    Commit {
        member: Option<usize>,
        stale: bool,
        at: At,
        offset: u8,
    },
    /// Of this percentage of the log.
    DeleteRecords {
        at: At,
        percent: u8,
    },
    DeleteTopic {
        topic: usize,
    },
    CreateTopic {
        topic: usize,
    },
    /// Milliseconds pass. `busy`: the engine's deadlines are met; otherwise it is told of the time once, at the end.
    Pass {
        millis: u32,
        busy: bool,
    },
    /// Until the engine's next deadline.
    Deadline,
}

/// How likely each kind of step is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weights {
    pub(crate) producers: u32,
    pub(crate) consumers: u32,
    pub(crate) members: u32,
    pub(crate) topics: u32,
    pub(crate) time: u32,
    /// Requests that arrive long after they were sent.
    pub(crate) late: u32,
    /// In percent of the Produces: hundreds of kilobytes.
    pub(crate) large: f64,
    /// Faults of the network, in percent.
    pub(crate) faults: u32,
}

pub(crate) const ALL: Weights =
    Weights { producers: 12, consumers: 3, members: 2, topics: 1, time: 3, late: 0, large: 0.0, faults: 20 };

pub(crate) fn history(weights: Weights, longest: usize) -> impl Strategy<Value = Vec<Step>> {
    vec(step(weights), 1..longest)
}

/// Some partitions are busier than others, so that more happens among few.
fn at() -> impl Strategy<Value = At> {
    prop_oneof![3 => Just((0, 0)), 2 => (0..TOPICS, 0..PARTITIONS)]
}

/// Those that share a transactional id are the most interesting ones.
fn producer(first: usize) -> impl Strategy<Value = usize> {
    prop_oneof![1 => first..PRODUCERS, 1 => 2..PRODUCERS - 1]
}

fn net(faults: u32) -> impl Strategy<Value = Net> {
    prop_oneof![
        100 - faults => Just(Net::Fine),
        faults / 2 => (0..3u8).prop_map(Net::RequestLost),
        faults / 2 => (0..3u8).prop_map(Net::AnswerLost),
    ]
}

fn producer_step(weights: Weights) -> impl Strategy<Value = Step> {
    let faults = weights.faults;
    let produce = (producer(0), at(), 1..4u8, any::<bool>(), prop::bool::weighted(weights.large), net(faults));
    let offsets =
        (producer(2), prop::bool::weighted(0.1), at(), 0..20u8, prop::option::weighted(0.3, 0..MEMBERS), net(faults));
    prop_oneof![
        2 => (producer(1), net(faults)).prop_map(|(producer, net)| Step::Init { producer, net }),
        1 => (producer(2), net(faults)).prop_map(|(producer, net)| Step::Bump { producer, net }),
        10 => produce.prop_map(|(producer, at, records, pipelined, large, net)| {
            Step::Produce { producer, at, records, pipelined, large, net }
        }),
        3 => offsets.prop_map(|(producer, bare, at, offset, member, net)| {
            Step::SendOffsets { bare, producer, at, offset, member, net }
        }),
        6 => (producer(2), any::<bool>(), prop::bool::weighted(0.2), net(faults)).prop_map(
            |(producer, commit, stubborn, net)| Step::End { producer, commit, stubborn, net }
        ),
        1 => (producer(1), at(), 0..6u8, prop::option::of(0..4u8))
            .prop_map(|(producer, at, arrived, missing)| Step::Burst { producer, at, arrived, missing }),
        1 => (0..PRODUCERS).prop_map(|producer| Step::Kill { producer }),
    ]
}

fn consumer_step() -> impl Strategy<Value = Step> {
    let fetch = (0..CONSUMERS, prop_oneof![Just(0), 1..3_000u16], 1..400u16, prop_oneof![Just(u16::MAX), 1..600u16]);
    prop_oneof![
        4 => fetch.prop_map(|(consumer, wait, min_bytes, max_bytes)| {
            Step::Fetch { consumer, wait, min_bytes, max_bytes }
        }),
        1 => (0..CONSUMERS, 0..=100u8).prop_map(|(consumer, percent)| Step::Seek { consumer, percent }),
    ]
}

fn member_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..MEMBERS).prop_map(|member| Step::Join { member }),
        5 => (0..MEMBERS).prop_map(|member| Step::Sync { member }),
        2 => (0..MEMBERS, any::<bool>()).prop_map(|(member, stale)| Step::Heartbeat { member, stale }),
        1 => (0..MEMBERS).prop_map(|member| Step::Leave { member }),
        1 => (0..MEMBERS).prop_map(|member| Step::Crash { member }),
        2 => (prop::option::of(0..MEMBERS), prop::bool::weighted(0.3), at(), 0..20u8)
            .prop_map(|(member, stale, at, offset)| Step::Commit { member, stale, at, offset }),
    ]
}

fn topic_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (at(), 0..=100u8).prop_map(|(at, percent)| Step::DeleteRecords { at, percent }),
        1 => (0..TOPICS).prop_map(|topic| Step::DeleteTopic { topic }),
        2 => (0..TOPICS).prop_map(|topic| Step::CreateTopic { topic }),
    ]
}

fn time_step() -> impl Strategy<Value = Step> {
    let millis = prop_oneof![4 => 0..500u32, 3 => 500..5_000u32, 1 => 5_000..60_000u32];
    prop_oneof![
        2 => (millis, any::<bool>()).prop_map(|(millis, busy)| Step::Pass { millis, busy }),
        1 => Just(Step::Deadline),
    ]
}

/// Each kind in a box: together they are kilobytes, which would be moved about for every step.
fn step(weights: Weights) -> impl Strategy<Value = Step> {
    prop_oneof![
        weights.producers => producer_step(weights).boxed(),
        weights.consumers => consumer_step().boxed(),
        weights.members => member_step().boxed(),
        weights.topics => topic_step().boxed(),
        weights.time => time_step().boxed(),
        weights.late => (0..8usize).prop_map(|which| Step::Late { which }),
    ]
}
