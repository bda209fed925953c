//! The answer to each request, if everything in it fails with the same error.

use kafka_protocol::{
    ResponseError,
    messages::{
        AddOffsetsToTxnRequest, AddOffsetsToTxnResponse, AddPartitionsToTxnRequest, AddPartitionsToTxnResponse,
        ApiVersionsRequest, ApiVersionsResponse, EndTxnRequest, EndTxnResponse, FetchRequest, FetchResponse,
        FindCoordinatorRequest, FindCoordinatorResponse, HeartbeatRequest, HeartbeatResponse, InitProducerIdRequest,
        InitProducerIdResponse, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest, LeaveGroupResponse,
        ListOffsetsRequest, ListOffsetsResponse, MetadataRequest, MetadataResponse, OffsetCommitRequest,
        OffsetCommitResponse, OffsetFetchRequest, OffsetFetchResponse, ProduceRequest, ProduceResponse,
        SyncGroupRequest, SyncGroupResponse, TxnOffsetCommitRequest, TxnOffsetCommitResponse,
        add_partitions_to_txn_request::AddPartitionsToTxnTopic,
        add_partitions_to_txn_response::{
            AddPartitionsToTxnPartitionResult, AddPartitionsToTxnResult, AddPartitionsToTxnTopicResult,
        },
        fetch_response::{FetchableTopicResponse, PartitionData},
        find_coordinator_response::Coordinator,
        list_offsets_response::{ListOffsetsPartitionResponse, ListOffsetsTopicResponse},
        metadata_response::MetadataResponseTopic,
        offset_commit_response::{OffsetCommitResponsePartition, OffsetCommitResponseTopic},
        offset_fetch_response::{
            OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions,
            OffsetFetchResponseTopic, OffsetFetchResponseTopics,
        },
        produce_response::{PartitionProduceResponse, TopicProduceResponse},
        txn_offset_commit_response::{TxnOffsetCommitResponsePartition, TxnOffsetCommitResponseTopic},
    },
    protocol::StrBytes,
};

use super::Said;

/// No offset, no timestamp, no producer id, no node.
const NONE: i64 = -1;

pub(super) fn produce(request: ProduceRequest, error: i16, version: i16) -> Said<ProduceResponse> {
    if request.acks == 0 {
        return None;
    }
    let topics = request.topic_data.into_iter().map(|topic| {
        let partitions = topic.partition_data.iter().map(|partition| {
            PartitionProduceResponse::default()
                .with_index(partition.index)
                .with_error_code(error)
                .with_base_offset(NONE)
                .with_log_append_time_ms(NONE)
                .with_log_start_offset(NONE)
        });
        TopicProduceResponse::default()
            .with_partition_responses(partitions.collect())
            .with_name(topic.name)
            .with_topic_id(topic.topic_id)
    });
    Some((version, ProduceResponse::default().with_responses(topics.collect())))
}

/// A session goes on. What it does not name this time gets no error, so that without any partition the error is that of
/// the whole.
pub(super) fn fetch(request: FetchRequest, error: i16, version: i16) -> Said<FetchResponse> {
    let whole = if request.topics.is_empty() { error } else { 0 };
    let session = if request.session_epoch > 0 { request.session_id } else { 0 };
    let topics = request.topics.into_iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|partition| {
            PartitionData::default()
                .with_partition_index(partition.partition)
                .with_error_code(error)
                .with_high_watermark(NONE)
                .with_last_stable_offset(NONE)
                .with_log_start_offset(NONE)
                .with_preferred_read_replica((-1).into())
                // The Java client takes null for records that are missing.
                .with_records(Some(bytes::Bytes::new()))
        });
        FetchableTopicResponse::default()
            .with_partitions(partitions.collect())
            .with_topic(topic.topic)
            .with_topic_id(topic.topic_id)
    });
    let response = FetchResponse::default().with_responses(topics.collect());
    Some((version, if version >= 7 { response.with_error_code(whole).with_session_id(session) } else { response }))
}

pub(super) fn list_offsets(request: ListOffsetsRequest, error: i16, version: i16) -> Said<ListOffsetsResponse> {
    let topics = request.topics.into_iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|partition| {
            ListOffsetsPartitionResponse::default()
                .with_partition_index(partition.partition_index)
                .with_error_code(error)
                .with_timestamp(NONE)
                .with_offset(NONE)
                .with_leader_epoch(-1)
        });
        ListOffsetsTopicResponse::default().with_partitions(partitions.collect()).with_name(topic.name)
    });
    Some((version, ListOffsetsResponse::default().with_topics(topics.collect())))
}

pub(super) fn metadata(request: MetadataRequest, error: i16, version: i16) -> Said<MetadataResponse> {
    let topics = request.topics.into_iter().flatten().map(|topic| {
        let named = MetadataResponseTopic::default().with_error_code(error).with_topic_id(topic.topic_id);
        // Before version 12 the name must not be null.
        let name = if version < 12 { Some(topic.name.unwrap_or_default()) } else { topic.name };
        named.with_name(name)
    });
    let response = MetadataResponse::default().with_topics(topics.collect()).with_controller_id((-1).into());
    Some((version, if version >= 13 { response.with_error_code(error) } else { response }))
}

pub(super) fn offset_commit(request: OffsetCommitRequest, error: i16, version: i16) -> Said<OffsetCommitResponse> {
    let topics = request.topics.into_iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|partition| {
            OffsetCommitResponsePartition::default()
                .with_partition_index(partition.partition_index)
                .with_error_code(error)
        });
        OffsetCommitResponseTopic::default().with_partitions(partitions.collect()).with_name(topic.name)
    });
    Some((version, OffsetCommitResponse::default().with_topics(topics.collect())))
}

/// Whether a broker says this of a partition, and of the group nothing; clients do not look for it elsewhere.
fn is_of_partitions(error: i16) -> bool {
    use ResponseError::{TopicAuthorizationFailed, UnknownTopicId, UnknownTopicOrPartition, UnstableOffsetCommit};
    [TopicAuthorizationFailed, UnknownTopicId, UnknownTopicOrPartition, UnstableOffsetCommit]
        .iter()
        .any(|known| known.code() == error)
}

pub(super) fn offset_fetch(request: OffsetFetchRequest, error: i16, version: i16) -> Said<OffsetFetchResponse> {
    if version >= 8 {
        let groups = request.groups.into_iter().map(|group| {
            let answer = OffsetFetchResponseGroup::default().with_group_id(group.group_id);
            match group.topics {
                Some(topics) if is_of_partitions(error) => {
                    let topics = topics.into_iter().map(|topic| {
                        let partitions = topic.partition_indexes.iter().map(|&index| {
                            OffsetFetchResponsePartitions::default()
                                .with_partition_index(index)
                                .with_committed_offset(NONE)
                                .with_committed_leader_epoch(-1)
                                .with_metadata(Some(StrBytes::new()))
                                .with_error_code(error)
                        });
                        OffsetFetchResponseTopics::default().with_partitions(partitions.collect()).with_name(topic.name)
                    });
                    answer.with_topics(topics.collect())
                }
                _ => answer.with_error_code(error),
            }
        });
        return Some((version, OffsetFetchResponse::default().with_groups(groups.collect())));
    }
    let response = OffsetFetchResponse::default();
    let topics = match request.topics {
        // Version 1 has no other place for it.
        Some(topics) if version < 2 || is_of_partitions(error) => topics,
        _ => return Some((version, response.with_error_code(error))),
    };
    let topics = topics.into_iter().map(|topic| {
        let partitions = topic.partition_indexes.iter().map(|&index| {
            OffsetFetchResponsePartition::default()
                .with_partition_index(index)
                .with_committed_offset(NONE)
                .with_committed_leader_epoch(-1)
                .with_metadata(Some(StrBytes::new()))
                .with_error_code(error)
        });
        OffsetFetchResponseTopic::default().with_partitions(partitions.collect()).with_name(topic.name)
    });
    Some((version, response.with_topics(topics.collect())))
}

pub(super) fn find_coordinator(
    request: FindCoordinatorRequest,
    error: i16,
    version: i16,
) -> Said<FindCoordinatorResponse> {
    let response = FindCoordinatorResponse::default();
    if version < 4 {
        let response = response.with_error_code(error).with_node_id((-1).into()).with_port(-1);
        return Some((version, response));
    }
    let coordinators = request
        .coordinator_keys
        .into_iter()
        .map(|key| Coordinator::default().with_key(key).with_node_id((-1).into()).with_port(-1).with_error_code(error));
    Some((version, response.with_coordinators(coordinators.collect())))
}

pub(super) fn join_group(request: JoinGroupRequest, error: i16, version: i16) -> Said<JoinGroupResponse> {
    let response = JoinGroupResponse::default()
        .with_error_code(error)
        .with_generation_id(-1)
        .with_protocol_type(None)
        // Before version 7 it must not be null.
        .with_protocol_name((version < 7).then(StrBytes::new))
        .with_member_id(request.member_id);
    Some((version, response))
}

pub(super) fn heartbeat(_: HeartbeatRequest, error: i16, version: i16) -> Said<HeartbeatResponse> {
    Some((version, HeartbeatResponse::default().with_error_code(error)))
}

pub(super) fn leave_group(_: LeaveGroupRequest, error: i16, version: i16) -> Said<LeaveGroupResponse> {
    Some((version, LeaveGroupResponse::default().with_error_code(error)))
}

pub(super) fn sync_group(_: SyncGroupRequest, error: i16, version: i16) -> Said<SyncGroupResponse> {
    Some((version, SyncGroupResponse::default().with_error_code(error)))
}

pub(super) fn api_versions(_: ApiVersionsRequest, error: i16, version: i16) -> Said<ApiVersionsResponse> {
    let version = if error == ResponseError::UnsupportedVersion.code() { 0 } else { version };
    Some((version, ApiVersionsResponse::default().with_error_code(error)))
}

pub(super) fn init_producer_id(_: InitProducerIdRequest, error: i16, version: i16) -> Said<InitProducerIdResponse> {
    let response = InitProducerIdResponse::default().with_error_code(error);
    Some((version, response.with_producer_id(NONE.into()).with_producer_epoch(-1)))
}

pub(super) fn add_partitions_to_txn(
    request: AddPartitionsToTxnRequest,
    error: i16,
    version: i16,
) -> Said<AddPartitionsToTxnResponse> {
    let results = |topics: Vec<AddPartitionsToTxnTopic>| -> Vec<AddPartitionsToTxnTopicResult> {
        let topics = topics.into_iter().map(|topic| {
            let partitions = topic.partitions.iter().map(|&index| {
                AddPartitionsToTxnPartitionResult::default()
                    .with_partition_index(index)
                    .with_partition_error_code(error)
            });
            AddPartitionsToTxnTopicResult::default()
                .with_results_by_partition(partitions.collect())
                .with_name(topic.name)
        });
        topics.collect()
    };
    let response = AddPartitionsToTxnResponse::default();
    if version < 4 {
        return Some((version, response.with_results_by_topic_v3_and_below(results(request.v3_and_below_topics))));
    }
    let transactions = request.transactions.into_iter().map(|transaction| {
        AddPartitionsToTxnResult::default()
            .with_transactional_id(transaction.transactional_id)
            .with_topic_results(results(transaction.topics))
    });
    Some((version, response.with_results_by_transaction(transactions.collect())))
}

pub(super) fn add_offsets_to_txn(_: AddOffsetsToTxnRequest, error: i16, version: i16) -> Said<AddOffsetsToTxnResponse> {
    Some((version, AddOffsetsToTxnResponse::default().with_error_code(error)))
}

pub(super) fn end_txn(_: EndTxnRequest, error: i16, version: i16) -> Said<EndTxnResponse> {
    let response = EndTxnResponse::default().with_error_code(error);
    if version < 5 {
        return Some((version, response));
    }
    Some((version, response.with_producer_id(NONE.into()).with_producer_epoch(-1)))
}

pub(super) fn txn_offset_commit(
    request: TxnOffsetCommitRequest,
    error: i16,
    version: i16,
) -> Said<TxnOffsetCommitResponse> {
    let topics = request.topics.into_iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|partition| {
            TxnOffsetCommitResponsePartition::default()
                .with_partition_index(partition.partition_index)
                .with_error_code(error)
        });
        TxnOffsetCommitResponseTopic::default().with_partitions(partitions.collect()).with_name(topic.name)
    });
    Some((version, TxnOffsetCommitResponse::default().with_topics(topics.collect())))
}
