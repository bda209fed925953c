//! The fields of a response that matter.

use bytes::Bytes;
use kafka_protocol::{
    messages::{
        AddOffsetsToTxnResponse, AddPartitionsToTxnResponse, DescribeClusterResponse, EndTxnResponse, FetchResponse,
        FindCoordinatorResponse, HeartbeatResponse, InitProducerIdResponse, JoinGroupResponse, LeaveGroupResponse,
        ListOffsetsResponse, MetadataResponse, OffsetCommitResponse, OffsetFetchResponse, ProduceResponse,
        SyncGroupResponse, TxnOffsetCommitResponse, add_partitions_to_txn_response::AddPartitionsToTxnTopicResult,
        fetch_response::PartitionData,
    },
    protocol::Decodable,
};

use super::{Header, Silent, api, batches, request::filled, response_body, topics::topic};
use crate::{ApiKey, Facts, Part};

/// The fields of a response that matter; `header` is that of its request. None where they are not known here, or cannot
/// be read.
///
/// As in a request, a topic without a partition (Metadata) is told with partition −1. Offsets below zero, which mean
/// that there is none, are left out.
pub(crate) fn response_facts(header: &Header, frame: &Bytes) -> Facts {
    let told = match api(header.api_key) {
        Some(ApiKey::Produce) => tell(header, frame, produce),
        Some(ApiKey::Fetch) => tell(header, frame, fetch),
        Some(ApiKey::ListOffsets) => tell(header, frame, list_offsets),
        Some(ApiKey::Metadata) => tell(header, frame, metadata),
        Some(ApiKey::OffsetCommit) => tell(header, frame, offset_commit),
        Some(ApiKey::OffsetFetch) => tell(header, frame, offset_fetch),
        Some(ApiKey::FindCoordinator) => tell(header, frame, find_coordinator),
        Some(ApiKey::JoinGroup) => tell(header, frame, join_group),
        Some(ApiKey::Heartbeat) => tell(header, frame, |it: HeartbeatResponse, _| error(it.error_code)),
        Some(ApiKey::LeaveGroup) => tell(header, frame, |it: LeaveGroupResponse, _| error(it.error_code)),
        Some(ApiKey::SyncGroup) => tell(header, frame, |it: SyncGroupResponse, _| error(it.error_code)),
        Some(ApiKey::ApiVersions) => Ok(api_versions(frame)),
        Some(ApiKey::InitProducerId) => tell(header, frame, init_producer_id),
        Some(ApiKey::AddPartitionsToTxn) => tell(header, frame, add_partitions_to_txn),
        Some(ApiKey::AddOffsetsToTxn) => tell(header, frame, |it: AddOffsetsToTxnResponse, _| error(it.error_code)),
        Some(ApiKey::EndTxn) => tell(header, frame, end_txn),
        Some(ApiKey::TxnOffsetCommit) => tell(header, frame, txn_offset_commit),
        Some(ApiKey::DescribeCluster) => tell(header, frame, |it: DescribeClusterResponse, _| error(it.error_code)),
        _ => Err(Silent::Unknown),
    };
    told.unwrap_or_default()
}

fn tell<M: Decodable>(header: &Header, frame: &Bytes, facts: fn(M, i16) -> Facts) -> Result<Facts, Silent> {
    response_body(header, frame).map(|body| facts(body.message, header.version))
}

fn error(code: i16) -> Facts {
    Facts { error: Some(code), ..Facts::default() }
}

fn part(topic: &str, partition: i32, error: i16) -> Part {
    Part { topic: topic.to_owned(), partition, error: Some(error), ..Part::default() }
}

/// `None` where there is none.
fn offset(offset: i64) -> Option<i64> {
    (offset >= 0).then_some(offset)
}

fn produce(response: ProduceResponse, _: i16) -> Facts {
    let mut partitions = Vec::new();
    for stored in &response.responses {
        let topic = topic(&stored.name, stored.topic_id.as_bytes());
        partitions.extend(stored.partition_responses.iter().map(|partition| Part {
            offset: offset(partition.base_offset),
            ..part(&topic, partition.index, partition.error_code)
        }));
    }
    Facts { partitions, ..Facts::default() }
}

fn fetch(response: FetchResponse, version: i16) -> Facts {
    let mut unpack = batches::UNPACK;
    let mut partitions = Vec::new();
    for fetched in &response.responses {
        let topic = topic(&fetched.topic, fetched.topic_id.as_bytes());
        partitions.extend(fetched.partitions.iter().map(|data| fetched_part(&topic, data, &mut unpack)));
    }
    Facts { error: (version >= 7).then_some(response.error_code), partitions, ..Facts::default() }
}

fn fetched_part(topic: &str, data: &PartitionData, unpack: &mut usize) -> Part {
    let aborted = data.aborted_transactions.iter().flatten();
    Part {
        high_watermark: offset(data.high_watermark),
        last_stable: offset(data.last_stable_offset),
        aborted: aborted.map(|aborted| (aborted.producer_id.0, aborted.first_offset)).collect(),
        batches: batches::describe(data.records.as_deref().unwrap_or_default(), unpack),
        ..part(topic, data.partition_index, data.error_code)
    }
}

fn list_offsets(response: ListOffsetsResponse, _: i16) -> Facts {
    let topics = response.topics.iter().flat_map(|topic| {
        topic.partitions.iter().map(|found| Part {
            offset: offset(found.offset),
            ..part(&topic.name, found.partition_index, found.error_code)
        })
    });
    Facts { partitions: topics.collect(), ..Facts::default() }
}

fn metadata(response: MetadataResponse, version: i16) -> Facts {
    let topics = response.topics.iter().map(|found| {
        let name = topic(&found.name.clone().unwrap_or_default(), found.topic_id.as_bytes());
        part(&name, -1, found.error_code)
    });
    Facts { error: (version >= 13).then_some(response.error_code), partitions: topics.collect(), ..Facts::default() }
}

fn offset_commit(response: OffsetCommitResponse, _: i16) -> Facts {
    let topics = response
        .topics
        .iter()
        .flat_map(|topic| topic.partitions.iter().map(|done| part(&topic.name, done.partition_index, done.error_code)));
    Facts { partitions: topics.collect(), ..Facts::default() }
}

fn offset_fetch(response: OffsetFetchResponse, version: i16) -> Facts {
    let mut facts = Facts { error: (2..=7).contains(&version).then_some(response.error_code), ..Facts::default() };
    for topic in &response.topics {
        facts.partitions.extend(topic.partitions.iter().map(|found| Part {
            offset: offset(found.committed_offset),
            ..part(&topic.name, found.partition_index, found.error_code)
        }));
    }
    for group in &response.groups {
        // Of several, the first is named, and the first error.
        facts.group = facts.group.or_else(|| filled(&group.group_id));
        facts.error = facts.error.filter(|&code| code != 0).or(Some(group.error_code));
        for topic in &group.topics {
            facts.partitions.extend(topic.partitions.iter().map(|found| Part {
                offset: offset(found.committed_offset),
                ..part(&topic.name, found.partition_index, found.error_code)
            }));
        }
    }
    facts
}

fn find_coordinator(response: FindCoordinatorResponse, version: i16) -> Facts {
    if version <= 3 {
        return error(response.error_code);
    }
    let codes = response.coordinators.iter().map(|coordinator| coordinator.error_code);
    Facts { error: codes.reduce(|first, next| if first == 0 { next } else { first }), ..Facts::default() }
}

fn join_group(response: JoinGroupResponse, _: i16) -> Facts {
    Facts {
        member: filled(&response.member_id),
        generation: Some(response.generation_id),
        ..error(response.error_code)
    }
}

/// The error stands first in every version. A broker that does not know the version answers in version 0 (KIP-511).
fn api_versions(frame: &Bytes) -> Facts {
    let code = frame.get(4..6).and_then(|code| code.try_into().ok()).map(i16::from_be_bytes);
    Facts { error: code, ..Facts::default() }
}

fn init_producer_id(response: InitProducerIdResponse, _: i16) -> Facts {
    Facts {
        producer_id: offset(response.producer_id.0),
        producer_epoch: (response.producer_epoch >= 0).then_some(response.producer_epoch),
        ..error(response.error_code)
    }
}

fn add_partitions_to_txn(response: AddPartitionsToTxnResponse, version: i16) -> Facts {
    fn parts(topics: &[AddPartitionsToTxnTopicResult]) -> impl Iterator<Item = Part> {
        topics.iter().flat_map(|topic| {
            let results = topic.results_by_partition.iter();
            results.map(|result| part(&topic.name, result.partition_index, result.partition_error_code))
        })
    }
    let transactions = &response.results_by_transaction;
    Facts {
        transactional_id: transactions.first().and_then(|first| filled(&first.transactional_id)),
        error: (version >= 4).then_some(response.error_code),
        partitions: transactions
            .iter()
            .flat_map(|transaction| parts(&transaction.topic_results))
            .chain(parts(&response.results_by_topic_v3_and_below))
            .collect(),
        ..Facts::default()
    }
}

fn end_txn(response: EndTxnResponse, _: i16) -> Facts {
    Facts {
        producer_id: offset(response.producer_id.0),
        producer_epoch: (response.producer_epoch >= 0).then_some(response.producer_epoch),
        ..error(response.error_code)
    }
}

fn txn_offset_commit(response: TxnOffsetCommitResponse, _: i16) -> Facts {
    let topics = response
        .topics
        .iter()
        .flat_map(|topic| topic.partitions.iter().map(|done| part(&topic.name, done.partition_index, done.error_code)));
    Facts { partitions: topics.collect(), ..Facts::default() }
}
