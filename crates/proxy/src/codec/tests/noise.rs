//! Whatever the bytes are, each function comes to an end without a panic, and without memory that only a count in the
//! frame asked for (which would show as an abort).

use bytes::Bytes;
use kafka_protocol::{
    messages::{
        AddPartitionsToTxnRequest, DescribeClusterRequest, DescribeClusterResponse, FetchRequest, FetchResponse,
        FindCoordinatorRequest, FindCoordinatorResponse, GroupId, JoinGroupRequest, JoinGroupResponse,
        LeaveGroupRequest, MetadataRequest, MetadataResponse, OffsetFetchRequest, OffsetFetchResponse, ProduceRequest,
        ProduceResponse, TxnOffsetCommitRequest,
        add_partitions_to_txn_request::{AddPartitionsToTxnTopic, AddPartitionsToTxnTransaction},
        describe_cluster_response::DescribeClusterBroker,
        fetch_request::{FetchPartition, FetchTopic},
        fetch_response::{AbortedTransaction, FetchableTopicResponse, PartitionData},
        find_coordinator_response::Coordinator,
        join_group_response::JoinGroupResponseMember,
        leave_group_request::MemberIdentity,
        metadata_response::{MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic},
        offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics},
        offset_fetch_response::{OffsetFetchResponseGroup, OffsetFetchResponsePartitions, OffsetFetchResponseTopics},
        produce_request::{PartitionProduceData, TopicProduceData},
        produce_response::{NodeEndpoint, PartitionProduceResponse, TopicProduceResponse},
        txn_offset_commit_request::{TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic},
    },
    protocol::Request,
};
use proptest::prelude::*;
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};

use super::support::{CONTROL, Draft, SNAPPY, TRANSACTIONAL, of, request, response, topic, transactional_id};
use crate::{
    Alteration, Side,
    codec::{
        Header, alter, error_answer, expects_answer, header, holds_value, name, request_facts, response_correlation,
        response_facts, rewrite_addresses, topic_names,
    },
};

/// Everything that can be asked about a frame.
fn ask(head: &Header, frame: &Bytes) {
    let _ = header(frame);
    let _ = name(head.api_key);
    let _ = response_correlation(frame);
    if let Ok(facts) = request_facts(head, frame) {
        expects_answer(&facts, head);
    }
    response_facts(head, frame);
    for side in [Side::Request, Side::Response] {
        holds_value(head, side, frame, b"value");
    }
    let changed = rewrite_addresses(head, frame, &mut |node, host, port| (format!("{host}.proxy"), port ^ node));
    assert_ne!(changed.as_ref(), Some(frame));
    if let Some(answer) = error_answer(head, frame, 7) {
        assert_eq!(response_correlation(&answer), Some(head.correlation));
    }
    alter(Alteration::NoGroupMetadata, head, frame);
    topic_names(head, frame);
}

fn records() -> Bytes {
    let values = ["value", "another", ""];
    let control = vec![(Some(vec![0, 0, 0, 1]), Some(vec![0; 6]))];
    let batches = [
        Draft { attributes: TRANSACTIONAL, ..Draft::of(values) },
        Draft { attributes: SNAPPY, ..Draft::of(values) },
        Draft { attributes: TRANSACTIONAL | CONTROL, records: control, ..Draft::of(values) },
    ];
    Bytes::from(batches.map(|draft| draft.build()).concat())
}

fn answered<R: Request>(
    version: i16,
    body: &(impl kafka_protocol::protocol::Encodable + kafka_protocol::protocol::HeaderVersion),
) -> (Header, Bytes) {
    (of::<R>(version), response(version, body))
}

/// Frames with something in them: of the last version with names and of the first flexible one, or so.
fn seeds() -> Vec<(Header, Bytes)> {
    let mut seeds = Vec::new();
    for version in [3, 9, 12] {
        let data = PartitionProduceData::default().with_records(Some(records()));
        let data = TopicProduceData::default().with_name(topic("t")).with_partition_data(vec![data; 2]);
        let body = ProduceRequest::default().with_transactional_id(Some(transactional_id("x")));
        seeds.push(request(version, &body.with_topic_data(vec![data; 2])));
        let stored = TopicProduceResponse::default().with_name(topic("t"));
        let stored = stored.with_partition_responses(vec![PartitionProduceResponse::default(); 2]);
        let body = ProduceResponse::default().with_responses(vec![stored]);
        let node = NodeEndpoint::default().with_host("h".into()).with_port(1);
        let body = if version >= 10 { body.with_node_endpoints(vec![node]) } else { body };
        seeds.push(answered::<ProduceRequest>(version, &body));
    }
    for version in [4, 11, 12, 16, 18] {
        let wanted = FetchTopic::default().with_partitions(vec![FetchPartition::default(); 2]);
        let aborted = Some(vec![AbortedTransaction::default(); 2]);
        let data = PartitionData::default().with_records(Some(records())).with_aborted_transactions(aborted);
        let fetched = FetchableTopicResponse::default().with_partitions(vec![data; 2]);
        let (wanted, fetched) = if version < 13 {
            (wanted.with_topic(topic("t")), fetched.with_topic(topic("t")))
        } else {
            (wanted, fetched)
        };
        seeds.push(request(version, &FetchRequest::default().with_topics(vec![wanted])));
        seeds.push(answered::<FetchRequest>(version, &FetchResponse::default().with_responses(vec![fetched])));
    }
    for version in [1, 9, 13] {
        let broker = MetadataResponseBroker::default().with_host("host".into()).with_port(9092);
        let partition = MetadataResponsePartition::default().with_replica_nodes(vec![1.into(), 2.into()]);
        let found = MetadataResponseTopic::default().with_name(Some(topic("t"))).with_partitions(vec![partition; 2]);
        let body = MetadataResponse::default().with_brokers(vec![broker; 2]).with_topics(vec![found]);
        seeds.push(answered::<MetadataRequest>(version, &body));
    }
    let broker = DescribeClusterBroker::default().with_host("host".into()).with_port(9092);
    let body = DescribeClusterResponse::default().with_brokers(vec![broker; 2]);
    seeds.push(answered::<DescribeClusterRequest>(2, &body));
    let found = Coordinator::default().with_host("host".into()).with_port(9092);
    let body = FindCoordinatorResponse::default().with_coordinators(vec![found; 2]);
    seeds.push(answered::<FindCoordinatorRequest>(6, &body));
    let body = FindCoordinatorResponse::default().with_host("host".into()).with_port(9092);
    seeds.push(answered::<FindCoordinatorRequest>(3, &body));
    let body = FindCoordinatorRequest::default().with_coordinator_keys(vec!["k".into(), "l".into()]);
    seeds.push(request(6, &body));
    let wanted = OffsetFetchRequestTopics::default().with_name(topic("t")).with_partition_indexes(vec![1, 2]);
    let group = OffsetFetchRequestGroup::default().with_group_id(GroupId("g".into())).with_topics(Some(vec![wanted]));
    seeds.push(request(9, &OffsetFetchRequest::default().with_groups(vec![group; 2])));
    let found = OffsetFetchResponseTopics::default().with_name(topic("t"));
    let found = found.with_partitions(vec![OffsetFetchResponsePartitions::default(); 2]);
    let group = OffsetFetchResponseGroup::default().with_topics(vec![found]);
    seeds.push(answered::<OffsetFetchRequest>(9, &OffsetFetchResponse::default().with_groups(vec![group; 2])));
    for version in [2, 3, 5] {
        let wanted = TxnOffsetCommitRequestTopic::default().with_name(topic("t"));
        let wanted = wanted.with_partitions(vec![TxnOffsetCommitRequestPartition::default(); 2]);
        let body = TxnOffsetCommitRequest::default().with_topics(vec![wanted; 2]);
        seeds.push(request(version, &if version >= 3 { body.with_member_id("member".into()) } else { body }));
    }
    let topics = vec![AddPartitionsToTxnTopic::default().with_name(topic("t")).with_partitions(vec![1, 2])];
    let body = AddPartitionsToTxnRequest::default().with_v3_and_below_topics(topics.clone());
    seeds.push(request(0, &body));
    let transaction = AddPartitionsToTxnTransaction::default().with_topics(topics);
    seeds.push(request(4, &AddPartitionsToTxnRequest::default().with_transactions(vec![transaction; 2])));
    seeds.push(request(
        5,
        &LeaveGroupRequest::default()
            .with_group_id(GroupId("g".into()))
            .with_members(vec![MemberIdentity::default(); 2]),
    ));
    let members = vec![JoinGroupResponseMember::default().with_member_id("m".into()); 2];
    seeds.push(answered::<JoinGroupRequest>(
        5,
        &JoinGroupResponse::default().with_protocol_name(Some("range".into())).with_members(members),
    ));
    seeds
}

/// Damages a few places of a frame, mostly by counts that are too large.
fn damage(frame: &mut Vec<u8>, random: &mut StdRng) {
    for _ in 0..random.random_range(1..4) {
        if frame.is_empty() {
            return;
        }
        let place = random.random_range(0..frame.len());
        match random.random_range(0..7) {
            0 => frame[place] ^= 1 << random.random_range(0..8),
            1 => frame[place] = random.next_u32() as u8,
            2 => frame.truncate(place),
            3 => drop(frame.splice(place..(place + 4).min(frame.len()), [0x7f, 0xff, 0xff, 0xff])),
            4 => drop(frame.splice(place..place, [0xff, 0xff, 0xff, 0xff, 0x0f])),
            5 => drop(frame.splice(place..(place + 1), [0xff, 0xff, 0xff, 0x7f])),
            _ => drop(frame.splice(place..(place + 4).min(frame.len()), random.next_u32().to_be_bytes())),
        }
    }
}

#[test]
fn the_seeds_say_something() {
    for (head, frame) in seeds() {
        let facts = request_facts(&head, &frame).unwrap_or_default();
        let said = [facts, response_facts(&head, &frame)].iter().any(|facts| facts != &Default::default())
            || rewrite_addresses(&head, &frame, &mut |_, _, port| ("other".into(), port)).is_some();
        assert!(said, "{head:?}");
        ask(&head, &frame);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    #[test]
    fn damaged_frames(seed: u64) {
        let mut random = StdRng::seed_from_u64(seed);
        let seeds = SEEDS.with(|seeds| seeds.clone());
        let (head, frame) = &seeds[random.random_range(0..seeds.len())];
        let mut frame = frame.to_vec();
        damage(&mut frame, &mut random);
        ask(head, &Bytes::from(frame));
    }

    #[test]
    fn noise(key in -1i16..95, version in -1i16..20, frame: Vec<u8>) {
        ask(&Header { api_key: key, version, correlation: 1, client_id: None }, &Bytes::from(frame));
    }

    /// Small numbers are likely counts, and get further.
    #[test]
    fn small_numbers(key in 0i16..30, version in 0i16..19, body in prop::collection::vec(0u8..5, 0..200)) {
        let start = [&key.to_be_bytes()[..], &version.to_be_bytes(), &[0, 0, 0, 1, 0, 0]].concat();
        let head = Header { api_key: key, version, correlation: 1, client_id: None };
        ask(&head, &Bytes::from([start, body.clone()].concat()));
        ask(&head, &Bytes::from([vec![0, 0, 0, 1], body].concat()));
    }
}

thread_local! {
    static SEEDS: std::rc::Rc<Vec<(Header, Bytes)>> = std::rc::Rc::new(seeds());
}
