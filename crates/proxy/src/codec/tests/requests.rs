use bytes::Bytes;
use kafka_protocol::{
    messages::{
        AddOffsetsToTxnRequest, AddPartitionsToTxnRequest, ApiVersionsRequest, CreateTopicsRequest, EndTxnRequest,
        FetchRequest, FindCoordinatorRequest, GroupId, HeartbeatRequest, InitProducerIdRequest, JoinGroupRequest,
        LeaveGroupRequest, ListOffsetsRequest, MetadataRequest, OffsetCommitRequest, OffsetFetchRequest,
        ProduceRequest, SyncGroupRequest, TxnOffsetCommitRequest,
        add_partitions_to_txn_request::{AddPartitionsToTxnTopic, AddPartitionsToTxnTransaction},
        fetch_request::{FetchPartition, FetchTopic},
        leave_group_request::MemberIdentity,
        list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic},
        metadata_request::MetadataRequestTopic,
        offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic},
        offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics},
        produce_request::{PartitionProduceData, TopicProduceData},
        txn_offset_commit_request::{TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic},
    },
    protocol::{Request, StrBytes},
};
use uuid::Uuid;

use super::support::{Draft, TOPIC_ID, TOPIC_ID_TEXT, request, topic, transactional_id, versions};
use crate::{
    Alteration, Facts, Part,
    codec::{Header, alter, header, request_facts},
};

fn facts<R: Request>(version: i16, body: &R) -> Facts {
    let (header, frame) = request(version, body);
    request_facts(&header, &frame).unwrap()
}

fn part(topic: &str, partition: i32, offset: Option<i64>) -> Part {
    Part { topic: topic.into(), partition, offset, ..Part::default() }
}

fn group() -> GroupId {
    GroupId("g".into())
}

fn instance(version: i16, since: i16) -> Option<StrBytes> {
    (version >= since).then(|| "i".into())
}

/// Of group "g", member "m", instance "i" where the version has it, generation 4.
fn of_member(version: i16, instance_since: i16) -> Facts {
    Facts {
        group: Some("g".into()),
        member: Some("m".into()),
        instance: instance(version, instance_since).map(|id| id.to_string()),
        generation: Some(4),
        ..Facts::default()
    }
}

/// Of transactional id "x", producer 8, epoch 9.
fn of_producer() -> Facts {
    Facts { transactional_id: Some("x".into()), producer_id: Some(8), producer_epoch: Some(9), ..Facts::default() }
}

#[test]
fn produce() {
    for version in versions::<ProduceRequest>() {
        let records = Draft { base_sequence: 3, ..Draft::of(["v"]) }.build();
        let data = PartitionProduceData::default().with_index(2).with_records(Some(records));
        let named = TopicProduceData::default().with_partition_data(vec![data, PartitionProduceData::default()]);
        let (named, name) = if version < 13 {
            (named.with_name(topic("t")), "t")
        } else {
            (named.with_topic_id(Uuid::from_bytes(TOPIC_ID)), TOPIC_ID_TEXT)
        };
        let body = ProduceRequest::default()
            .with_transactional_id(Some(transactional_id("x")))
            .with_acks(-1)
            .with_topic_data(vec![named]);
        let told = facts(version, &body);
        assert_eq!((told.transactional_id.as_deref(), told.acks), (Some("x"), Some(-1)));
        let [with, without] = &told.partitions[..] else { panic!("{told:?}") };
        assert_eq!((&*with.topic, with.partition, with.batches.len()), (name, 2, 1), "version {version}");
        assert_eq!((with.batches[0].base_sequence, with.batches[0].first.as_deref()), (3, Some("v")));
        assert_eq!(without, &part(name, 0, None));
    }
}

#[test]
fn fetch() {
    for version in versions::<FetchRequest>() {
        let partition = |index, offset| FetchPartition::default().with_partition(index).with_fetch_offset(offset);
        let wanted = FetchTopic::default().with_partitions(vec![partition(1, 11), partition(2, 0)]);
        let (wanted, name) = if version < 13 {
            (wanted.with_topic(topic("t")), "t")
        } else {
            (wanted.with_topic_id(Uuid::from_bytes(TOPIC_ID)), TOPIC_ID_TEXT)
        };
        let partitions = vec![part(name, 1, Some(11)), part(name, 2, Some(0))];
        for read_committed in [false, true] {
            let body = FetchRequest::default()
                .with_topics(vec![wanted.clone()])
                .with_isolation_level(i8::from(read_committed));
            let expected =
                Facts { read_committed: Some(read_committed), partitions: partitions.clone(), ..Facts::default() };
            assert_eq!(facts(version, &body), expected, "version {version}");
        }
    }
}

#[test]
fn list_offsets() {
    for version in versions::<ListOffsetsRequest>() {
        let partition = ListOffsetsPartition::default().with_partition_index(3).with_timestamp(-1);
        let wanted = ListOffsetsTopic::default().with_name(topic("t")).with_partitions(vec![partition]);
        let expected = Facts { partitions: vec![part("t", 3, None)], ..Facts::default() };
        assert_eq!(facts(version, &ListOffsetsRequest::default().with_topics(vec![wanted])), expected);
    }
}

#[test]
fn metadata() {
    for version in versions::<MetadataRequest>() {
        let wanted = MetadataRequestTopic::default().with_name(Some(topic("t")));
        let mut expected = Facts { partitions: vec![part("t", -1, None)], ..Facts::default() };
        let mut all = vec![wanted];
        if version >= 12 {
            all.push(MetadataRequestTopic::default().with_name(None).with_topic_id(Uuid::from_bytes(TOPIC_ID)));
            expected.partitions.push(part(TOPIC_ID_TEXT, -1, None));
        }
        assert_eq!(facts(version, &MetadataRequest::default().with_topics(Some(all))), expected, "version {version}");
    }
}

#[test]
fn offset_commit() {
    for version in versions::<OffsetCommitRequest>() {
        let partition = OffsetCommitRequestPartition::default().with_partition_index(1).with_committed_offset(12);
        let wanted = OffsetCommitRequestTopic::default().with_name(topic("t")).with_partitions(vec![partition]);
        let body = OffsetCommitRequest::default()
            .with_group_id(group())
            .with_generation_id_or_member_epoch(4)
            .with_member_id("m".into())
            .with_group_instance_id(instance(version, 7))
            .with_topics(vec![wanted]);
        let expected = Facts { partitions: vec![part("t", 1, Some(12))], ..of_member(version, 7) };
        assert_eq!(facts(version, &body), expected, "version {version}");
    }
}

#[test]
fn offset_fetch() {
    for version in versions::<OffsetFetchRequest>() {
        let expected = Facts {
            group: Some("g".into()),
            member: (version >= 9).then(|| "m".into()),
            generation: (version >= 9).then_some(4),
            partitions: vec![part("t", 1, None), part("t", 2, None)],
            ..Facts::default()
        };
        let body = if version < 8 {
            let wanted = OffsetFetchRequestTopic::default().with_name(topic("t")).with_partition_indexes(vec![1, 2]);
            OffsetFetchRequest::default().with_group_id(group()).with_topics(Some(vec![wanted]))
        } else {
            let wanted = OffsetFetchRequestTopics::default().with_name(topic("t")).with_partition_indexes(vec![1, 2]);
            let asked = OffsetFetchRequestGroup::default().with_group_id(group()).with_topics(Some(vec![wanted]));
            let asked = if version >= 9 { asked.with_member_id(Some("m".into())).with_member_epoch(4) } else { asked };
            let other = OffsetFetchRequestGroup::default().with_group_id(GroupId("other".into())).with_topics(None);
            OffsetFetchRequest::default().with_groups(vec![asked, other])
        };
        assert_eq!(facts(version, &body), expected, "version {version}");
    }
    // All partitions.
    assert_eq!(facts(7, &OffsetFetchRequest::default().with_group_id(group()).with_topics(None)).partitions, []);
}

#[test]
fn find_coordinator() {
    for version in versions::<FindCoordinatorRequest>() {
        for key_type in 0..=2 {
            if key_type > 0 && version == 0 {
                continue;
            }
            let body = FindCoordinatorRequest::default().with_key_type(key_type);
            let body = if version < 4 {
                body.with_key("k".into())
            } else {
                body.with_coordinator_keys(vec!["k".into(), "other".into()])
            };
            let expected = Facts {
                group: (key_type == 0).then(|| "k".into()),
                transactional_id: (key_type == 1).then(|| "k".into()),
                ..Facts::default()
            };
            assert_eq!(facts(version, &body), expected, "version {version}");
        }
    }
}

#[test]
fn members_of_a_group() {
    for version in versions::<JoinGroupRequest>() {
        let body = JoinGroupRequest::default()
            .with_group_id(group())
            .with_member_id("m".into())
            .with_group_instance_id(instance(version, 5))
            .with_protocol_type("consumer".into());
        assert_eq!(facts(version, &body), Facts { generation: None, ..of_member(version, 5) }, "join {version}");
        // It has no id yet.
        let body = body.with_member_id("".into());
        assert_eq!(facts(version, &body).member, None);
    }
    for version in versions::<SyncGroupRequest>() {
        let body = SyncGroupRequest::default()
            .with_group_id(group())
            .with_generation_id(4)
            .with_member_id("m".into())
            .with_group_instance_id(instance(version, 3));
        assert_eq!(facts(version, &body), of_member(version, 3), "sync {version}");
    }
    for version in versions::<HeartbeatRequest>() {
        let body = HeartbeatRequest::default()
            .with_group_id(group())
            .with_generation_id(4)
            .with_member_id("m".into())
            .with_group_instance_id(instance(version, 3));
        assert_eq!(facts(version, &body), of_member(version, 3), "heartbeat {version}");
    }
    for version in versions::<LeaveGroupRequest>() {
        let body = LeaveGroupRequest::default().with_group_id(group());
        let body = if version < 3 {
            body.with_member_id("m".into())
        } else {
            let member = MemberIdentity::default().with_member_id("m".into());
            body.with_members(vec![member.with_group_instance_id(instance(version, 3)), MemberIdentity::default()])
        };
        assert_eq!(facts(version, &body), Facts { generation: None, ..of_member(version, 3) }, "leave {version}");
    }
}

#[test]
fn init_producer_id() {
    for version in versions::<InitProducerIdRequest>() {
        let body = InitProducerIdRequest::default()
            .with_transactional_id(Some(transactional_id("x")))
            .with_producer_id((-1).into())
            .with_producer_epoch(-1);
        let new = Facts { transactional_id: Some("x".into()), ..Facts::default() };
        assert_eq!(facts(version, &body), new, "version {version}");
        if version >= 3 {
            assert_eq!(facts(version, &body.with_producer_id(8.into()).with_producer_epoch(9)), of_producer());
        }
    }
}

#[test]
fn add_partitions_to_txn() {
    for version in versions::<AddPartitionsToTxnRequest>() {
        let topics = vec![AddPartitionsToTxnTopic::default().with_name(topic("t")).with_partitions(vec![1, 2])];
        let body = if version < 4 {
            AddPartitionsToTxnRequest::default()
                .with_v3_and_below_transactional_id(transactional_id("x"))
                .with_v3_and_below_producer_id(8.into())
                .with_v3_and_below_producer_epoch(9)
                .with_v3_and_below_topics(topics)
        } else {
            let transaction = AddPartitionsToTxnTransaction::default()
                .with_transactional_id(transactional_id("x"))
                .with_producer_id(8.into())
                .with_producer_epoch(9)
                .with_topics(topics);
            AddPartitionsToTxnRequest::default().with_transactions(vec![transaction])
        };
        let expected = Facts { partitions: vec![part("t", 1, None), part("t", 2, None)], ..of_producer() };
        assert_eq!(facts(version, &body), expected, "version {version}");
    }
}

#[test]
fn add_offsets_to_txn() {
    for version in versions::<AddOffsetsToTxnRequest>() {
        let body = AddOffsetsToTxnRequest::default()
            .with_transactional_id(transactional_id("x"))
            .with_producer_id(8.into())
            .with_producer_epoch(9)
            .with_group_id(group());
        assert_eq!(facts(version, &body), Facts { group: Some("g".into()), ..of_producer() }, "version {version}");
    }
}

#[test]
fn end_txn() {
    for version in versions::<EndTxnRequest>() {
        for commits in [false, true] {
            let body = EndTxnRequest::default()
                .with_transactional_id(transactional_id("x"))
                .with_producer_id(8.into())
                .with_producer_epoch(9)
                .with_committed(commits);
            assert_eq!(facts(version, &body), Facts { commits: Some(commits), ..of_producer() }, "{version}");
        }
    }
}

fn commit_in_transaction(version: i16) -> TxnOffsetCommitRequest {
    let partition = TxnOffsetCommitRequestPartition::default().with_partition_index(1).with_committed_offset(12);
    let wanted = TxnOffsetCommitRequestTopic::default().with_name(topic("t")).with_partitions(vec![partition]);
    let body = TxnOffsetCommitRequest::default()
        .with_transactional_id(transactional_id("x"))
        .with_group_id(group())
        .with_producer_id(8.into())
        .with_producer_epoch(9)
        .with_topics(vec![wanted]);
    if version < 3 {
        return body;
    }
    body.with_generation_id(4).with_member_id("m".into()).with_group_instance_id(Some("i".into()))
}

#[test]
fn txn_offset_commit() {
    for version in versions::<TxnOffsetCommitRequest>() {
        let with_metadata = version >= 3;
        let expected = Facts {
            group: Some("g".into()),
            member: with_metadata.then(|| "m".into()),
            instance: with_metadata.then(|| "i".into()),
            generation: Some(if with_metadata { 4 } else { -1 }),
            partitions: vec![part("t", 1, Some(12))],
            ..of_producer()
        };
        assert_eq!(facts(version, &commit_in_transaction(version)), expected, "version {version}");
    }
}

#[test]
fn group_metadata_is_taken_away_and_nothing_else() {
    for version in versions::<TxnOffsetCommitRequest>() {
        let (head, frame) = request(version, &commit_in_transaction(version));
        // What follows the request is kept as well.
        let frame = Bytes::from([&frame, &b"more"[..]].concat());
        let altered = alter(Alteration::NoGroupMetadata, &head, &frame);
        assert_eq!(altered.is_some(), version >= 3, "version {version}");
        let Some(altered) = altered else { continue };
        assert_eq!(header(&altered), Ok(head.clone()));
        let bare = commit_in_transaction(version)
            .with_generation_id(-1)
            .with_member_id("".into())
            .with_group_instance_id(None);
        let (_, expected) = request(version, &bare);
        assert_eq!(altered, [&expected, &b"more"[..]].concat());
        assert_eq!(alter(Alteration::NoGroupMetadata, &head, &altered), None);
    }
    let (head, frame) = request(1, &EndTxnRequest::default());
    assert_eq!(alter(Alteration::NoGroupMetadata, &head, &frame), None);
}

#[test]
fn what_is_not_known_says_nothing_and_what_is_malformed_is_told() {
    assert_eq!(facts(3, &ApiVersionsRequest::default()), Facts::default());
    assert_eq!(facts(7, &CreateTopicsRequest::default()), Facts::default());
    let (head, frame) = request(1, &EndTxnRequest::default());
    for unknown in [Header { api_key: 999, ..head.clone() }, Header { version: 99, ..head.clone() }] {
        assert_eq!(request_facts(&unknown, &frame), Ok(Facts::default()));
    }
    let short = frame.slice(..frame.len() - 1);
    let why = request_facts(&head, &short).unwrap_err();
    assert_eq!(why, "malformed EndTxn request, version 1: EndTxn, committed: longer than the bytes that are left");
}
