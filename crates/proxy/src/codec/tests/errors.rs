use kafka_protocol::{
    messages::{
        AddOffsetsToTxnRequest, AddOffsetsToTxnResponse, AddPartitionsToTxnRequest, AddPartitionsToTxnResponse,
        ApiVersionsRequest, ApiVersionsResponse, CreateTopicsRequest, EndTxnRequest, EndTxnResponse, FetchRequest,
        FetchResponse, FindCoordinatorRequest, FindCoordinatorResponse, GroupId, HeartbeatRequest, HeartbeatResponse,
        InitProducerIdRequest, InitProducerIdResponse, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest,
        LeaveGroupResponse, ListOffsetsRequest, ListOffsetsResponse, MetadataRequest, MetadataResponse,
        OffsetCommitRequest, OffsetCommitResponse, OffsetFetchRequest, OffsetFetchResponse, ProduceRequest,
        ProduceResponse, SyncGroupRequest, SyncGroupResponse, TxnOffsetCommitRequest, TxnOffsetCommitResponse,
        add_partitions_to_txn_request::{AddPartitionsToTxnTopic, AddPartitionsToTxnTransaction},
        fetch_request::{FetchPartition, FetchTopic},
        list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic},
        metadata_request::MetadataRequestTopic,
        offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic},
        offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics},
        produce_request::{PartitionProduceData, TopicProduceData},
        txn_offset_commit_request::{TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic},
    },
    protocol::{Decodable, HeaderVersion, Request},
};
use uuid::Uuid;

use super::support::{TOPIC_ID, TOPIC_ID_TEXT, read, request, topic, transactional_id, versions};
use crate::{
    Facts, Part,
    codec::{error_answer, response_facts},
};

const ERROR: i16 = 7;

/// The answer to a request, whole, and what it says.
fn answered<R: Request, M: Decodable + HeaderVersion>(version: i16, body: &R, error: i16) -> (M, Facts) {
    let (header, frame) = request(version, body);
    let answer = error_answer(&header, &frame, error).unwrap_or_else(|| panic!("version {version}"));
    (read(version, &answer), response_facts(&header, &answer))
}

fn part(topic: &str, partition: i32, error: i16) -> Part {
    Part { topic: topic.into(), partition, error: Some(error), ..Part::default() }
}

/// The partitions 1 and 2 of "t", with this error.
fn both(error: i16) -> Vec<Part> {
    vec![part("t", 1, error), part("t", 2, error)]
}

fn failed() -> Facts {
    Facts { error: Some(ERROR), ..Facts::default() }
}

#[test]
fn produce() {
    for version in versions::<ProduceRequest>() {
        let data = [1, 2].map(|index| PartitionProduceData::default().with_index(index));
        let wanted = TopicProduceData::default().with_partition_data(data.into());
        let (wanted, name) = if version < 13 {
            (wanted.with_name(topic("t")), "t")
        } else {
            (wanted.with_topic_id(Uuid::from_bytes(TOPIC_ID)), TOPIC_ID_TEXT)
        };
        let body = ProduceRequest::default().with_acks(1).with_topic_data(vec![wanted]);
        let (answer, facts) = answered::<_, ProduceResponse>(version, &body, ERROR);
        assert_eq!(facts.partitions, [part(name, 1, ERROR), part(name, 2, ERROR)], "version {version}");
        assert_eq!(answer.responses[0].partition_responses[0].base_offset, -1);
        let (header, frame) = request(version, &body.with_acks(0));
        assert_eq!(error_answer(&header, &frame, ERROR), None);
    }
}

#[test]
fn fetch() {
    for version in versions::<FetchRequest>() {
        let partitions = [1, 2].map(|index| FetchPartition::default().with_partition(index));
        let wanted = FetchTopic::default().with_partitions(partitions.into());
        let (wanted, name) = if version < 13 {
            (wanted.with_topic(topic("t")), "t")
        } else {
            (wanted.with_topic_id(Uuid::from_bytes(TOPIC_ID)), TOPIC_ID_TEXT)
        };
        let body = FetchRequest::default().with_topics(vec![wanted]);
        let (_, facts) = answered::<_, FetchResponse>(version, &body, ERROR);
        let error = (version >= 7).then_some(0);
        let partitions = vec![part(name, 1, ERROR), part(name, 2, ERROR)];
        assert_eq!(facts, Facts { error, partitions, ..Facts::default() }, "version {version}");
        if version >= 7 {
            // A session in which nothing has changed.
            let body = FetchRequest::default().with_session_id(8).with_session_epoch(3);
            let (answer, facts) = answered::<_, FetchResponse>(version, &body, ERROR);
            assert_eq!((facts, answer.session_id), (failed(), 8));
            let (answer, _) = answered::<_, FetchResponse>(version, &body.with_session_epoch(0), ERROR);
            assert_eq!(answer.session_id, 0);
        }
    }
}

#[test]
fn list_offsets() {
    for version in versions::<ListOffsetsRequest>() {
        let partitions = [1, 2].map(|index| ListOffsetsPartition::default().with_partition_index(index));
        let wanted = ListOffsetsTopic::default().with_name(topic("t")).with_partitions(partitions.into());
        let body = ListOffsetsRequest::default().with_topics(vec![wanted]);
        let (answer, facts) = answered::<_, ListOffsetsResponse>(version, &body, ERROR);
        assert_eq!(facts, Facts { partitions: both(ERROR), ..Facts::default() }, "version {version}");
        assert_eq!((answer.topics[0].partitions[0].offset, answer.topics[0].partitions[0].timestamp), (-1, -1));
    }
}

#[test]
fn metadata() {
    for version in versions::<MetadataRequest>() {
        let wanted = MetadataRequestTopic::default().with_name(Some(topic("t")));
        let body = MetadataRequest::default().with_topics(Some(vec![wanted]));
        let (answer, facts) = answered::<_, MetadataResponse>(version, &body, ERROR);
        let error = (version >= 13).then_some(ERROR);
        assert_eq!(facts, Facts { error, partitions: vec![part("t", -1, ERROR)], ..Facts::default() });
        assert_eq!(answer.brokers, []);
        if version >= 1 {
            answered::<_, MetadataResponse>(version, &MetadataRequest::default().with_topics(None), ERROR);
        }
        if version >= 10 {
            let by_id = MetadataRequestTopic::default().with_name(None).with_topic_id(Uuid::from_bytes(TOPIC_ID));
            let body = MetadataRequest::default().with_topics(Some(vec![by_id]));
            let (_, facts) = answered::<_, MetadataResponse>(version, &body, ERROR);
            assert_eq!(facts.partitions, [part(TOPIC_ID_TEXT, -1, ERROR)]);
        }
    }
}

#[test]
fn offset_commit() {
    for version in versions::<OffsetCommitRequest>() {
        let partitions = [1, 2].map(|index| OffsetCommitRequestPartition::default().with_partition_index(index));
        let wanted = OffsetCommitRequestTopic::default().with_name(topic("t")).with_partitions(partitions.into());
        let body = OffsetCommitRequest::default().with_topics(vec![wanted]);
        let (_, facts) = answered::<_, OffsetCommitResponse>(version, &body, ERROR);
        assert_eq!(facts, Facts { partitions: both(ERROR), ..Facts::default() }, "version {version}");
    }
}

fn offsets(version: i16, all: bool) -> OffsetFetchRequest {
    let group = GroupId("g".into());
    if version < 8 {
        let wanted = OffsetFetchRequestTopic::default().with_name(topic("t")).with_partition_indexes(vec![1, 2]);
        return OffsetFetchRequest::default().with_group_id(group).with_topics((!all).then(|| vec![wanted]));
    }
    let wanted = OffsetFetchRequestTopics::default().with_name(topic("t")).with_partition_indexes(vec![1, 2]);
    let group = OffsetFetchRequestGroup::default().with_group_id(group).with_topics((!all).then(|| vec![wanted]));
    OffsetFetchRequest::default().with_groups(vec![group])
}

#[test]
fn offset_fetch() {
    const NOT_COORDINATOR: i16 = 16;
    const UNSTABLE: i16 = 88;
    for version in versions::<OffsetFetchRequest>() {
        let facts = |error, all| answered::<_, OffsetFetchResponse>(version, &offsets(version, all), error).1;
        let group = (version >= 8).then(|| "g".to_owned());
        let code = |code| (version >= 2).then_some(code);
        let of_group = Facts {
            group: group.clone(),
            error: code(NOT_COORDINATOR),
            partitions: if version < 2 { both(NOT_COORDINATOR) } else { Vec::new() },
            ..Facts::default()
        };
        assert_eq!(facts(NOT_COORDINATOR, false), of_group, "version {version}");
        let of_partitions =
            Facts { group: group.clone(), error: code(0), partitions: both(UNSTABLE), ..Facts::default() };
        assert_eq!(facts(UNSTABLE, false), of_partitions, "version {version}");
        if version >= 2 {
            let of_all = Facts { group, error: code(UNSTABLE), ..Facts::default() };
            assert_eq!(facts(UNSTABLE, true), of_all, "version {version}");
        }
    }
}

#[test]
fn find_coordinator() {
    for version in versions::<FindCoordinatorRequest>() {
        let body = if version < 4 {
            FindCoordinatorRequest::default().with_key("k".into())
        } else {
            FindCoordinatorRequest::default().with_coordinator_keys(vec!["k".into(), "l".into()])
        };
        let (answer, facts) = answered::<_, FindCoordinatorResponse>(version, &body, ERROR);
        assert_eq!(facts, failed(), "version {version}");
        if version < 4 {
            assert_eq!((answer.node_id.0, answer.port), (-1, -1));
        } else {
            let codes: Vec<_> = answer.coordinators.iter().map(|it| (it.key.as_str(), it.error_code)).collect();
            assert_eq!(codes, [("k", ERROR), ("l", ERROR)]);
            assert_eq!((answer.coordinators[0].node_id.0, answer.coordinators[0].port), (-1, -1));
        }
    }
}

#[test]
fn members_of_a_group() {
    for version in versions::<JoinGroupRequest>() {
        let body = JoinGroupRequest::default().with_member_id("m".into());
        let (_, facts) = answered::<_, JoinGroupResponse>(version, &body, ERROR);
        let expected = Facts { member: Some("m".into()), generation: Some(-1), ..failed() };
        assert_eq!(facts, expected, "version {version}");
    }
    for version in versions::<SyncGroupRequest>() {
        assert_eq!(answered::<_, SyncGroupResponse>(version, &SyncGroupRequest::default(), ERROR).1, failed());
    }
    for version in versions::<HeartbeatRequest>() {
        assert_eq!(answered::<_, HeartbeatResponse>(version, &HeartbeatRequest::default(), ERROR).1, failed());
    }
    for version in versions::<LeaveGroupRequest>() {
        assert_eq!(answered::<_, LeaveGroupResponse>(version, &LeaveGroupRequest::default(), ERROR).1, failed());
    }
}

#[test]
fn producers() {
    for version in versions::<InitProducerIdRequest>() {
        let body = InitProducerIdRequest::default();
        let (answer, facts) = answered::<_, InitProducerIdResponse>(version, &body, ERROR);
        assert_eq!(facts, failed());
        assert_eq!((answer.producer_id.0, answer.producer_epoch), (-1, -1));
    }
    for version in versions::<EndTxnRequest>() {
        let (answer, facts) = answered::<_, EndTxnResponse>(version, &EndTxnRequest::default(), ERROR);
        assert_eq!(facts, failed());
        assert!(version < 5 || (answer.producer_id.0, answer.producer_epoch) == (-1, -1));
    }
    for version in versions::<AddOffsetsToTxnRequest>() {
        let body = AddOffsetsToTxnRequest::default();
        assert_eq!(answered::<_, AddOffsetsToTxnResponse>(version, &body, ERROR).1, failed());
    }
}

#[test]
fn add_partitions_to_txn() {
    for version in versions::<AddPartitionsToTxnRequest>() {
        let topics = vec![AddPartitionsToTxnTopic::default().with_name(topic("t")).with_partitions(vec![1, 2])];
        let body = AddPartitionsToTxnRequest::default();
        let body = if version < 4 {
            body.with_v3_and_below_topics(topics)
        } else {
            let transaction = AddPartitionsToTxnTransaction::default().with_transactional_id(transactional_id("x"));
            body.with_transactions(vec![transaction.with_topics(topics)])
        };
        let (_, facts) = answered::<_, AddPartitionsToTxnResponse>(version, &body, ERROR);
        let expected = Facts {
            transactional_id: (version >= 4).then(|| "x".into()),
            error: (version >= 4).then_some(0),
            partitions: both(ERROR),
            ..Facts::default()
        };
        assert_eq!(facts, expected, "version {version}");
    }
}

#[test]
fn txn_offset_commit() {
    for version in versions::<TxnOffsetCommitRequest>() {
        let partitions = [1, 2].map(|index| TxnOffsetCommitRequestPartition::default().with_partition_index(index));
        let wanted = TxnOffsetCommitRequestTopic::default().with_name(topic("t")).with_partitions(partitions.into());
        let body = TxnOffsetCommitRequest::default().with_topics(vec![wanted]);
        let (_, facts) = answered::<_, TxnOffsetCommitResponse>(version, &body, ERROR);
        assert_eq!(facts, Facts { partitions: both(ERROR), ..Facts::default() }, "version {version}");
    }
}

#[test]
fn api_versions() {
    const UNSUPPORTED: i16 = 35;
    for version in 0..=4 {
        let (answer, _) = answered::<_, ApiVersionsResponse>(version, &ApiVersionsRequest::default(), ERROR);
        assert_eq!(answer.error_code, ERROR);
        let (header, frame) = request(version, &ApiVersionsRequest::default());
        let answer = error_answer(&header, &frame, UNSUPPORTED).unwrap();
        assert_eq!(read::<ApiVersionsResponse>(0, &answer).error_code, UNSUPPORTED);
    }
}

#[test]
fn others_are_not_answered() {
    let (header, frame) = request(7, &CreateTopicsRequest::default());
    assert_eq!(error_answer(&header, &frame, ERROR), None);
    let (mut header, frame) = request(4, &HeartbeatRequest::default());
    assert_eq!(error_answer(&header, &frame.slice(..frame.len() - 1), ERROR), None);
    header.version = 99;
    assert_eq!(error_answer(&header, &frame, ERROR), None);
}
