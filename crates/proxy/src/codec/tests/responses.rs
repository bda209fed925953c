use std::collections::HashMap;

use bytes::Bytes;
use kafka_protocol::{
    messages::{
        AddOffsetsToTxnRequest, AddOffsetsToTxnResponse, AddPartitionsToTxnRequest, AddPartitionsToTxnResponse,
        ApiVersionsRequest, ApiVersionsResponse, DescribeClusterRequest, DescribeClusterResponse, EndTxnRequest,
        EndTxnResponse, FetchRequest, FetchResponse, FindCoordinatorRequest, FindCoordinatorResponse, GroupId,
        HeartbeatRequest, HeartbeatResponse, InitProducerIdRequest, InitProducerIdResponse, JoinGroupRequest,
        JoinGroupResponse, LeaveGroupRequest, LeaveGroupResponse, ListOffsetsRequest, ListOffsetsResponse,
        MetadataRequest, MetadataResponse, OffsetCommitRequest, OffsetCommitResponse, OffsetFetchRequest,
        OffsetFetchResponse, ProduceRequest, ProduceResponse, SyncGroupRequest, SyncGroupResponse,
        TxnOffsetCommitRequest, TxnOffsetCommitResponse,
        add_partitions_to_txn_response::{
            AddPartitionsToTxnPartitionResult, AddPartitionsToTxnResult, AddPartitionsToTxnTopicResult,
        },
        fetch_response::{AbortedTransaction, FetchableTopicResponse, PartitionData},
        find_coordinator_response::Coordinator,
        list_offsets_response::{ListOffsetsPartitionResponse, ListOffsetsTopicResponse},
        metadata_response::{MetadataResponsePartition, MetadataResponseTopic},
        offset_commit_response::{OffsetCommitResponsePartition, OffsetCommitResponseTopic},
        offset_fetch_response::{
            OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions,
            OffsetFetchResponseTopic, OffsetFetchResponseTopics,
        },
        produce_response::{PartitionProduceResponse, TopicProduceResponse},
        txn_offset_commit_response::{TxnOffsetCommitResponsePartition, TxnOffsetCommitResponseTopic},
    },
    protocol::{Encodable, HeaderVersion, Request},
};
use uuid::Uuid;

use super::support::{Draft, TOPIC_ID, TOPIC_ID_TEXT, of, response, topic, transactional_id, versions};
use crate::{
    Facts, Part,
    codec::{name_topics, response_facts, topic_names},
};

fn facts<R: Request>(version: i16, body: &(impl Encodable + HeaderVersion)) -> Facts {
    response_facts(&of::<R>(version), &response(version, body))
}

fn part(topic: &str, partition: i32, error: i16) -> Part {
    Part { topic: topic.into(), partition, error: Some(error), ..Part::default() }
}

fn error(code: i16) -> Facts {
    Facts { error: Some(code), ..Facts::default() }
}

#[test]
fn produce() {
    for version in versions::<ProduceRequest>() {
        let partition = |index, offset, error| {
            PartitionProduceResponse::default().with_index(index).with_base_offset(offset).with_error_code(error)
        };
        let stored =
            TopicProduceResponse::default().with_partition_responses(vec![partition(1, 70, 0), partition(2, -1, 45)]);
        let (stored, name) = if version < 13 {
            (stored.with_name(topic("t")), "t")
        } else {
            (stored.with_topic_id(Uuid::from_bytes(TOPIC_ID)), TOPIC_ID_TEXT)
        };
        let expected = vec![Part { offset: Some(70), ..part(name, 1, 0) }, part(name, 2, 45)];
        let body = ProduceResponse::default().with_responses(vec![stored]);
        assert_eq!(facts::<ProduceRequest>(version, &body), Facts { partitions: expected, ..Facts::default() });
    }
}

#[test]
fn fetch() {
    for version in versions::<FetchRequest>() {
        let aborted = AbortedTransaction::default().with_producer_id(5.into()).with_first_offset(17);
        let full = PartitionData::default()
            .with_partition_index(1)
            .with_high_watermark(30)
            .with_last_stable_offset(20)
            .with_aborted_transactions(Some(vec![aborted]))
            .with_records(Some(Draft { base_offset: 18, ..Draft::of(["a", "b"]) }.build()));
        let failed = PartitionData::default()
            .with_error_code(1)
            .with_high_watermark(-1)
            .with_last_stable_offset(-1)
            .with_aborted_transactions(None)
            .with_records(None);
        let fetched = FetchableTopicResponse::default().with_partitions(vec![full, failed]);
        let (fetched, name) = if version < 13 {
            (fetched.with_topic(topic("t")), "t")
        } else {
            (fetched.with_topic_id(Uuid::from_bytes(TOPIC_ID)), TOPIC_ID_TEXT)
        };
        let body = FetchResponse::default().with_responses(vec![fetched]);
        let mut told = facts::<FetchRequest>(version, &body);
        let batches = std::mem::take(&mut told.partitions[0].batches);
        assert_eq!((batches.len(), batches[0].base_offset, batches[0].last_offset), (1, 18, 19), "version {version}");
        assert_eq!((batches[0].first.as_deref(), batches[0].last.as_deref()), (Some("a"), Some("b")));
        let full = Part { high_watermark: Some(30), last_stable: Some(20), aborted: vec![(5, 17)], ..part(name, 1, 0) };
        let error = (version >= 7).then_some(0);
        assert_eq!(told, Facts { error, partitions: vec![full, part(name, 0, 1)], ..Facts::default() });
        if version >= 7 {
            assert_eq!(facts::<FetchRequest>(version, &FetchResponse::default().with_error_code(70)).error, Some(70));
        }
    }
}

#[test]
fn list_offsets() {
    for version in versions::<ListOffsetsRequest>() {
        let partition = |index, offset, error| {
            ListOffsetsPartitionResponse::default()
                .with_partition_index(index)
                .with_offset(offset)
                .with_error_code(error)
        };
        let found = ListOffsetsTopicResponse::default()
            .with_name(topic("t"))
            .with_partitions(vec![partition(1, 9, 0), partition(2, -1, 6)]);
        let expected = vec![Part { offset: Some(9), ..part("t", 1, 0) }, part("t", 2, 6)];
        let body = ListOffsetsResponse::default().with_topics(vec![found]);
        assert_eq!(facts::<ListOffsetsRequest>(version, &body), Facts { partitions: expected, ..Facts::default() });
    }
}

fn metadata_response(version: i16) -> MetadataResponse {
    let found = MetadataResponseTopic::default()
        .with_name(Some(topic("t")))
        .with_partitions(vec![MetadataResponsePartition::default()])
        .with_error_code(5);
    let found = if version >= 10 { found.with_topic_id(Uuid::from_bytes(TOPIC_ID)) } else { found };
    let other = MetadataResponseTopic::default().with_name(Some(topic("other")));
    MetadataResponse::default().with_topics(vec![found, other])
}

#[test]
fn metadata() {
    for version in versions::<MetadataRequest>() {
        let expected = vec![part("t", -1, 5), part("other", -1, 0)];
        let expected = Facts { error: (version >= 13).then_some(0), partitions: expected, ..Facts::default() };
        assert_eq!(facts::<MetadataRequest>(version, &metadata_response(version)), expected, "version {version}");
    }
}

#[test]
fn topics_are_named_by_what_metadata_says() {
    for version in versions::<MetadataRequest>() {
        let frame = response(version, &metadata_response(version));
        let names = topic_names(&of::<MetadataRequest>(version), &frame);
        assert_eq!(names.len(), usize::from(version >= 10), "version {version}");
        let names: HashMap<_, _> = names.into_iter().collect();
        let mut facts = Facts { partitions: vec![part(TOPIC_ID_TEXT, 1, 0), part("t2", 1, 0)], ..Facts::default() };
        name_topics(&mut facts, &names);
        let first = if version >= 10 { "t" } else { TOPIC_ID_TEXT };
        assert_eq!(facts.partitions, [part(first, 1, 0), part("t2", 1, 0)]);
    }
    let frame = response(12, &metadata_response(12));
    assert_eq!(topic_names(&of::<FetchRequest>(12), &frame), []);
}

#[test]
fn offset_commit() {
    for version in versions::<OffsetCommitRequest>() {
        let done = OffsetCommitResponsePartition::default().with_partition_index(1).with_error_code(22);
        let done = OffsetCommitResponseTopic::default().with_name(topic("t")).with_partitions(vec![done]);
        let body = OffsetCommitResponse::default().with_topics(vec![done]);
        let expected = Facts { partitions: vec![part("t", 1, 22)], ..Facts::default() };
        assert_eq!(facts::<OffsetCommitRequest>(version, &body), expected, "version {version}");
    }
}

#[test]
fn offset_fetch() {
    for version in versions::<OffsetFetchRequest>() {
        let partitions = vec![Part { offset: Some(9), ..part("t", 1, 0) }, part("t", 2, 88)];
        let expected = Facts {
            group: (version >= 8).then(|| "g".into()),
            error: (version >= 2).then_some(16),
            partitions,
            ..Facts::default()
        };
        let body = if version < 8 {
            let found = |index, offset, error| {
                OffsetFetchResponsePartition::default()
                    .with_partition_index(index)
                    .with_committed_offset(offset)
                    .with_error_code(error)
            };
            let found = OffsetFetchResponseTopic::default()
                .with_name(topic("t"))
                .with_partitions(vec![found(1, 9, 0), found(2, -1, 88)]);
            let body = OffsetFetchResponse::default().with_topics(vec![found]);
            if version >= 2 { body.with_error_code(16) } else { body }
        } else {
            let found = |index, offset, error| {
                OffsetFetchResponsePartitions::default()
                    .with_partition_index(index)
                    .with_committed_offset(offset)
                    .with_error_code(error)
            };
            let found = OffsetFetchResponseTopics::default()
                .with_name(topic("t"))
                .with_partitions(vec![found(1, 9, 0), found(2, -1, 88)]);
            let group = |id: &'static str| OffsetFetchResponseGroup::default().with_group_id(GroupId(id.into()));
            let groups = vec![group("g").with_topics(vec![found]), group("other").with_error_code(16)];
            OffsetFetchResponse::default().with_groups(groups)
        };
        assert_eq!(facts::<OffsetFetchRequest>(version, &body), expected, "version {version}");
    }
}

#[test]
fn find_coordinator() {
    for version in versions::<FindCoordinatorRequest>() {
        let coordinator = |code| Coordinator::default().with_error_code(code);
        let body = if version < 4 {
            FindCoordinatorResponse::default().with_error_code(15)
        } else {
            FindCoordinatorResponse::default().with_coordinators(vec![coordinator(0), coordinator(15)])
        };
        assert_eq!(facts::<FindCoordinatorRequest>(version, &body), error(15), "version {version}");
    }
}

#[test]
fn members_of_a_group() {
    for version in versions::<JoinGroupRequest>() {
        let body = JoinGroupResponse::default()
            .with_error_code(79)
            .with_generation_id(4)
            .with_protocol_name(Some("range".into()))
            .with_member_id("m".into());
        let expected = Facts { member: Some("m".into()), generation: Some(4), ..error(79) };
        assert_eq!(facts::<JoinGroupRequest>(version, &body), expected, "version {version}");
    }
    for version in versions::<SyncGroupRequest>() {
        let body = SyncGroupResponse::default().with_error_code(27);
        assert_eq!(facts::<SyncGroupRequest>(version, &body), error(27));
    }
    for version in versions::<HeartbeatRequest>() {
        let body = HeartbeatResponse::default().with_error_code(27);
        assert_eq!(facts::<HeartbeatRequest>(version, &body), error(27));
    }
    for version in versions::<LeaveGroupRequest>() {
        let body = LeaveGroupResponse::default().with_error_code(25);
        assert_eq!(facts::<LeaveGroupRequest>(version, &body), error(25));
    }
}

#[test]
fn producers() {
    for version in versions::<InitProducerIdRequest>() {
        let body = InitProducerIdResponse::default().with_producer_id(8.into()).with_producer_epoch(9);
        let expected = Facts { producer_id: Some(8), producer_epoch: Some(9), ..error(0) };
        assert_eq!(facts::<InitProducerIdRequest>(version, &body), expected);
        let body = body.with_producer_id((-1).into()).with_producer_epoch(-1).with_error_code(51);
        assert_eq!(facts::<InitProducerIdRequest>(version, &body), error(51));
    }
    for version in versions::<EndTxnRequest>() {
        let body = EndTxnResponse::default().with_error_code(0);
        let (body, expected) = if version < 5 {
            (body, error(0))
        } else {
            let expected = Facts { producer_id: Some(8), producer_epoch: Some(9), ..error(0) };
            (body.with_producer_id(8.into()).with_producer_epoch(9), expected)
        };
        assert_eq!(facts::<EndTxnRequest>(version, &body), expected, "version {version}");
    }
    for version in versions::<AddOffsetsToTxnRequest>() {
        let body = AddOffsetsToTxnResponse::default().with_error_code(51);
        assert_eq!(facts::<AddOffsetsToTxnRequest>(version, &body), error(51));
    }
}

#[test]
fn add_partitions_to_txn() {
    for version in versions::<AddPartitionsToTxnRequest>() {
        let result = AddPartitionsToTxnPartitionResult::default().with_partition_index(1).with_partition_error_code(47);
        let topics = vec![
            AddPartitionsToTxnTopicResult::default().with_name(topic("t")).with_results_by_partition(vec![result]),
        ];
        let expected = Facts {
            transactional_id: (version >= 4).then(|| "x".into()),
            error: (version >= 4).then_some(3),
            partitions: vec![part("t", 1, 47)],
            ..Facts::default()
        };
        let body = AddPartitionsToTxnResponse::default();
        let body = if version < 4 {
            body.with_results_by_topic_v3_and_below(topics)
        } else {
            let result = AddPartitionsToTxnResult::default().with_transactional_id(transactional_id("x"));
            body.with_error_code(3).with_results_by_transaction(vec![result.with_topic_results(topics)])
        };
        assert_eq!(facts::<AddPartitionsToTxnRequest>(version, &body), expected, "version {version}");
    }
}

#[test]
fn txn_offset_commit() {
    for version in versions::<TxnOffsetCommitRequest>() {
        let done = TxnOffsetCommitResponsePartition::default().with_partition_index(1).with_error_code(22);
        let done = TxnOffsetCommitResponseTopic::default().with_name(topic("t")).with_partitions(vec![done]);
        let body = TxnOffsetCommitResponse::default().with_topics(vec![done]);
        let expected = Facts { partitions: vec![part("t", 1, 22)], ..Facts::default() };
        assert_eq!(facts::<TxnOffsetCommitRequest>(version, &body), expected, "version {version}");
    }
}

#[test]
fn about_the_broker() {
    for version in versions::<ApiVersionsRequest>().filter(|version| *version <= 4) {
        let body = ApiVersionsResponse::default().with_error_code(35);
        assert_eq!(facts::<ApiVersionsRequest>(version, &body), error(35), "version {version}");
        // In version 0, whatever was asked for.
        let frame = response(0, &body);
        assert_eq!(response_facts(&of::<ApiVersionsRequest>(version), &frame), error(35));
    }
    for version in versions::<DescribeClusterRequest>() {
        let body = DescribeClusterResponse::default().with_error_code(31);
        assert_eq!(facts::<DescribeClusterRequest>(version, &body), error(31));
    }
}

#[test]
fn what_cannot_be_read_says_nothing() {
    let frame = response(1, &EndTxnResponse::default().with_error_code(47));
    let header = of::<EndTxnRequest>(1);
    assert_eq!(response_facts(&header, &frame), error(47));
    assert_eq!(response_facts(&header, &frame.slice(..frame.len() - 1)), Facts::default());
    assert_eq!(response_facts(&header, &Bytes::new()), Facts::default());
    assert_eq!(response_facts(&of::<EndTxnRequest>(99), &frame), Facts::default());
}
