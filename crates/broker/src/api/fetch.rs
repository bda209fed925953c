//! Fetch.
//!
//! Source: `KafkaApis.handleFetchRequest`, `ReplicaManager.fetchMessages` and `readFromLog`, `DelayedFetch`.

use bytes::Bytes;
use kafka_protocol::{
    ResponseError,
    messages::{
        FetchRequest, FetchResponse, ProducerId, TopicName,
        fetch_response::{AbortedTransaction, FetchableTopicResponse, PartitionData},
    },
};

use crate::{
    engine::{Engine, dispatch::Call},
    log::partition::{Bounds, LEADER_EPOCH, PartitionLog},
    time::Millis,
    topics::{TopicPartition, Topics},
};

/// What becomes of a Fetch.
pub(crate) enum Fetched {
    Answer(FetchResponse),
    Wait(PendingFetch),
}

/// A partition that is wanted.
#[derive(Debug, Clone)]
struct Wanted {
    partition: i32,
    offset: i64,
    max_bytes: usize,
    leader_epoch: i32,
}

/// A Fetch, as far as it is needed to answer it, now or later.
#[derive(Debug, Clone)]
pub(crate) struct PendingFetch {
    /// When it is answered with whatever there is, in milliseconds.
    pub(crate) deadline: Millis,
    topics: Vec<(TopicName, Vec<Wanted>)>,
    max_bytes: usize,
    min_bytes: usize,
    committed: bool,
}

/// What a Fetch finds.
pub(crate) struct Found {
    pub(crate) response: FetchResponse,
    bytes: usize,
    failed: bool,
}

impl PendingFetch {
    pub(crate) fn partitions(&self) -> impl Iterator<Item = TopicPartition> + '_ {
        self.topics.iter().flat_map(|(topic, partitions)| {
            partitions.iter().map(move |wanted| TopicPartition { topic: topic.clone(), partition: wanted.partition })
        })
    }

    /// Whether there is enough to answer with, or something has gone wrong that the client should know.
    pub(crate) fn is_satisfied(&self, topics: &Topics) -> bool {
        let mut readable = 0;
        for (topic, partitions) in &self.topics {
            for wanted in partitions {
                let Some(log) = topics.partition(topic, wanted.partition) else { return true };
                if check(log, wanted).is_err() {
                    return true;
                }
                readable += log.readable(wanted.offset, self.committed).min(wanted.max_bytes);
            }
        }
        readable >= self.min_bytes
    }
}

impl Engine {
    pub(crate) fn fetch(&mut self, call: Call<FetchRequest>) -> Fetched {
        let request = call.request;
        // Sessions are offered to nobody (an answer with session id 0 declines), so that none is known.
        let full = matches!(request.session_epoch, 0 | -1);
        if !full {
            return Fetched::Answer(
                FetchResponse::default().with_error_code(ResponseError::FetchSessionIdNotFound.code()),
            );
        }
        let bytes = |value: i32| usize::try_from(value).unwrap_or(0);
        let max_wait = Millis::from(request.max_wait_ms).min(self.settings.max_fetch_wait);
        let fetch = PendingFetch {
            deadline: self.now + max_wait.max(0),
            max_bytes: bytes(request.max_bytes).min(self.settings.max_fetch_bytes),
            min_bytes: bytes(request.min_bytes).min(self.settings.max_fetch_bytes),
            committed: request.isolation_level == 1,
            topics: request
                .topics
                .into_iter()
                .map(|topic| {
                    let partitions = topic
                        .partitions
                        .into_iter()
                        .map(|partition| Wanted {
                            partition: partition.partition,
                            offset: partition.fetch_offset,
                            max_bytes: bytes(partition.partition_max_bytes),
                            leader_epoch: partition.current_leader_epoch,
                        })
                        .collect();
                    (topic.topic, partitions)
                })
                .collect(),
        };
        let found = self.read(&fetch);
        let wanted = fetch.topics.iter().any(|(_, partitions)| !partitions.is_empty());
        if max_wait <= 0 || !wanted || found.failed || found.bytes >= fetch.min_bytes {
            Fetched::Answer(found.response)
        } else {
            Fetched::Wait(fetch)
        }
    }

    /// Answers a Fetch with what there is.
    pub(crate) fn read(&self, fetch: &PendingFetch) -> Found {
        let mut found = Found { response: FetchResponse::default(), bytes: 0, failed: false };
        for (topic, partitions) in &fetch.topics {
            let mut response = FetchableTopicResponse::default().with_topic(topic.clone());
            for wanted in partitions {
                let data = self.topics.partition(topic, wanted.partition);
                let data = data.ok_or(ResponseError::UnknownTopicOrPartition).and_then(|log| {
                    check(log, wanted)?;
                    let bounds = Bounds {
                        max_bytes: wanted.max_bytes.min(fetch.max_bytes.saturating_sub(found.bytes)),
                        at_least_one: found.bytes == 0,
                        committed: fetch.committed,
                    };
                    Ok(partition_data(log, wanted, bounds))
                });
                let data = data.unwrap_or_else(|error| {
                    found.failed = true;
                    // No list where the partition could not be read, an empty one where there is no partition.
                    let aborted = (error == ResponseError::UnknownTopicOrPartition).then(Vec::new);
                    PartitionData::default()
                        .with_aborted_transactions(aborted)
                        .with_error_code(error.code())
                        .with_high_watermark(-1)
                        .with_records(Some(Bytes::new()))
                });
                found.bytes += data.records.as_ref().map_or(0, Bytes::len);
                response.partitions.push(data.with_partition_index(wanted.partition));
            }
            found.response.responses.push(response);
        }
        found
    }
}

fn check(log: &PartitionLog, wanted: &Wanted) -> Result<(), ResponseError> {
    check_leader_epoch(wanted.leader_epoch)?;
    if (log.start_offset()..=log.end_offset()).contains(&wanted.offset) {
        Ok(())
    } else {
        Err(ResponseError::OffsetOutOfRange)
    }
}

/// Whether the client's idea of the partition's leader is right (KIP-320); -1: it has none.
///
/// # Errors
/// `FENCED_LEADER_EPOCH`, `UNKNOWN_LEADER_EPOCH`.
pub(crate) fn check_leader_epoch(epoch: i32) -> Result<(), ResponseError> {
    match epoch {
        -1 | LEADER_EPOCH => Ok(()),
        older if older < LEADER_EPOCH => Err(ResponseError::FencedLeaderEpoch),
        _ => Err(ResponseError::UnknownLeaderEpoch),
    }
}

fn partition_data(log: &PartitionLog, wanted: &Wanted, bounds: Bounds) -> PartitionData {
    let read = log.read(wanted.offset, bounds);
    let aborted = bounds.committed.then(|| {
        read.aborted
            .iter()
            .map(|aborted| {
                AbortedTransaction::default()
                    .with_producer_id(ProducerId(aborted.producer_id))
                    .with_first_offset(aborted.first_offset)
            })
            .collect()
    });
    PartitionData::default()
        .with_high_watermark(log.end_offset())
        .with_last_stable_offset(log.last_stable_offset())
        .with_log_start_offset(log.start_offset())
        .with_aborted_transactions(aborted)
        .with_records(Some(read.bytes.into()))
}
