use std::fmt::Debug;

use bytes::Bytes;
use kafka_protocol::{
    messages::{
        DescribeClusterRequest, DescribeClusterResponse, FetchRequest, FetchResponse, FindCoordinatorRequest,
        FindCoordinatorResponse, HeartbeatRequest, HeartbeatResponse, MetadataRequest, MetadataResponse,
        ProduceRequest, ProduceResponse, ShareAcknowledgeRequest, ShareAcknowledgeResponse, ShareFetchRequest,
        ShareFetchResponse,
        describe_cluster_response::DescribeClusterBroker,
        fetch_response::{self, FetchableTopicResponse, PartitionData},
        find_coordinator_response::Coordinator,
        metadata_response::{MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic},
        produce_response::{self, TopicProduceResponse},
        share_acknowledge_response, share_fetch_response,
    },
    protocol::{Decodable, Encodable, HeaderVersion, Request},
};

use super::support::{Draft, of, read, response, topic, versions};
use crate::codec::rewrite_addresses;

/// Node n is told to be at `proxy`, port 100 + n. Gives the frame, and what was asked.
fn rewritten<R: Request>(version: i16, frame: &Bytes) -> (Option<Bytes>, Vec<(i32, String, i32)>) {
    let mut asked = Vec::new();
    let frame = rewrite_addresses(&of::<R>(version), frame, &mut |node, host, port| {
        asked.push((node, host.to_owned(), port));
        ("proxy".into(), 100 + node)
    });
    (frame, asked)
}

/// That of a response with these addresses ("kafka", port 9090 + n, of the nodes 1 and 2) nothing else changes.
fn check<R: Request, M>(version: i16, with: impl Fn(fn(i32) -> (&'static str, i32)) -> M)
where
    M: Encodable + Decodable + HeaderVersion + PartialEq + Debug,
{
    let kafka = |node| ("kafka", 9090 + node);
    // What follows the message stays as well.
    let frame = Bytes::from([&response(version, &with(kafka)), &b"more"[..]].concat());
    let (new, asked) = rewritten::<R>(version, &frame);
    assert_eq!(asked, [(1, "kafka".into(), 9091), (2, "kafka".into(), 9092)], "version {version}");
    let new = new.unwrap();
    let expected = with(|node| ("proxy", 100 + node));
    let body = new.strip_suffix(b"more").unwrap();
    assert_eq!(read::<M>(version, &Bytes::copy_from_slice(body)), expected, "version {version}");
    assert_eq!(body, response(version, &expected), "version {version}");
    // The same addresses: the same bytes.
    let same = rewrite_addresses(&of::<R>(version), &frame, &mut |_, host, port| (host.into(), port));
    assert_eq!(same, None);
    // Cut short, it is left alone.
    assert_eq!(rewritten::<R>(version, &frame.slice(..body.len().min(frame.len() - 4) / 2)).0, None);
}

#[test]
fn metadata() {
    for version in versions::<MetadataRequest>() {
        check::<MetadataRequest, _>(version, |address| {
            let broker = |node: i32| {
                let (host, port) = address(node);
                let broker = MetadataResponseBroker::default().with_node_id(node.into());
                let broker = broker.with_host(host.into()).with_port(port);
                if version >= 1 { broker.with_rack(Some("rack".into())) } else { broker }
            };
            let partition = MetadataResponsePartition::default()
                .with_leader_id(1.into())
                .with_replica_nodes(vec![1.into(), 2.into()])
                .with_isr_nodes(vec![2.into()]);
            let found = MetadataResponseTopic::default().with_name(Some(topic("t"))).with_partitions(vec![partition]);
            let body = MetadataResponse::default()
                .with_brokers(vec![broker(1), broker(2)])
                .with_topics(vec![found])
                .with_unknown_tagged_fields(if version >= 9 {
                    [(1000, Bytes::from_static(b"tag"))].into()
                } else {
                    Default::default()
                });
            if version >= 2 { body.with_cluster_id(Some("cluster".into())) } else { body }
        });
    }
}

#[test]
fn find_coordinator() {
    for version in 0..=3 {
        let body = FindCoordinatorResponse::default().with_node_id(1.into()).with_host("kafka".into()).with_port(9091);
        let (new, asked) = rewritten::<FindCoordinatorRequest>(version, &response(version, &body));
        assert_eq!(asked, [(1, "kafka".into(), 9091)]);
        let expected = body.with_host("proxy".into()).with_port(101);
        assert_eq!(new, Some(response(version, &expected)), "version {version}");
    }
    for version in 4..=6 {
        check::<FindCoordinatorRequest, _>(version, |address| {
            let coordinator = |node: i32| {
                let (host, port) = address(node);
                let found = Coordinator::default().with_key("k".into()).with_node_id(node.into());
                found.with_host(host.into()).with_port(port).with_error_message(Some("fine".into()))
            };
            // An error has no address.
            let none = Coordinator::default().with_node_id((-1).into()).with_port(-1).with_error_code(15);
            FindCoordinatorResponse::default().with_coordinators(vec![coordinator(1), none, coordinator(2)])
        });
    }
}

#[test]
fn an_error_has_no_address() {
    for version in versions::<FindCoordinatorRequest>() {
        let none = Coordinator::default().with_node_id((-1).into()).with_port(-1).with_error_code(15);
        let body = if version < 4 {
            FindCoordinatorResponse::default().with_node_id((-1).into()).with_port(-1).with_error_code(15)
        } else {
            FindCoordinatorResponse::default().with_coordinators(vec![none])
        };
        let (new, asked) = rewritten::<FindCoordinatorRequest>(version, &response(version, &body));
        assert_eq!((new, asked.len()), (None, 0), "version {version}");
    }
}

#[test]
fn describe_cluster() {
    for version in versions::<DescribeClusterRequest>() {
        check::<DescribeClusterRequest, _>(version, |address| {
            let broker = |node: i32| {
                let (host, port) = address(node);
                DescribeClusterBroker::default().with_broker_id(node.into()).with_host(host.into()).with_port(port)
            };
            let body = DescribeClusterResponse::default().with_brokers(vec![broker(1), broker(2)]);
            body.with_cluster_id("cluster".into()).with_controller_id(2.into())
        });
    }
}

#[test]
fn produce() {
    for version in versions::<ProduceRequest>() {
        let with = |address: fn(i32) -> (&'static str, i32)| {
            let node = |node: i32| {
                let (host, port) = address(node);
                let endpoint = produce_response::NodeEndpoint::default().with_node_id(node.into());
                endpoint.with_host(host.into()).with_port(port)
            };
            let stored = TopicProduceResponse::default();
            let stored = if version < 13 { stored.with_name(topic("t")) } else { stored };
            let body = ProduceResponse::default().with_responses(vec![stored]);
            if version >= 10 { body.with_node_endpoints(vec![node(1), node(2)]) } else { body }
        };
        if version >= 10 {
            check::<ProduceRequest, _>(version, with);
        } else {
            let frame = response(version, &with(|_| ("", 0)));
            assert_eq!(rewritten::<ProduceRequest>(version, &frame), (None, Vec::new()));
        }
    }
}

#[test]
fn fetch() {
    for version in versions::<FetchRequest>() {
        let with = |address: fn(i32) -> (&'static str, i32)| {
            let node = |node: i32| {
                let (host, port) = address(node);
                let endpoint = fetch_response::NodeEndpoint::default().with_node_id(node.into());
                endpoint.with_host(host.into()).with_port(port)
            };
            let data = PartitionData::default().with_records(Some(Draft::of(["v"]).build()));
            let fetched = FetchableTopicResponse::default().with_partitions(vec![data]);
            let fetched = if version < 13 { fetched.with_topic(topic("t")) } else { fetched };
            let body = FetchResponse::default().with_responses(vec![fetched]);
            if version >= 16 { body.with_node_endpoints(vec![node(1), node(2)]) } else { body }
        };
        if version >= 16 {
            check::<FetchRequest, _>(version, with);
        } else {
            let frame = response(version, &with(|_| ("", 0)));
            assert_eq!(rewritten::<FetchRequest>(version, &frame), (None, Vec::new()));
        }
    }
}

#[test]
fn share_groups() {
    for version in versions::<ShareFetchRequest>() {
        check::<ShareFetchRequest, _>(version, |address| {
            let node = |node: i32| {
                let (host, port) = address(node);
                let endpoint = share_fetch_response::NodeEndpoint::default().with_node_id(node.into());
                endpoint.with_host(host.into()).with_port(port)
            };
            ShareFetchResponse::default().with_node_endpoints(vec![node(1), node(2)])
        });
    }
    for version in versions::<ShareAcknowledgeRequest>() {
        check::<ShareAcknowledgeRequest, _>(version, |address| {
            let node = |node: i32| {
                let (host, port) = address(node);
                let endpoint = share_acknowledge_response::NodeEndpoint::default().with_node_id(node.into());
                endpoint.with_host(host.into()).with_port(port)
            };
            ShareAcknowledgeResponse::default().with_node_endpoints(vec![node(1), node(2)])
        });
    }
}

#[test]
fn what_has_no_address_is_left_alone() {
    let frame = response(3, &HeartbeatResponse::default());
    assert_eq!(rewritten::<HeartbeatRequest>(3, &frame), (None, Vec::new()));
    let frame = response(12, &MetadataResponse::default());
    assert_eq!(rewritten::<MetadataRequest>(12, &frame), (None, Vec::new()));
    // A version that is not known here.
    assert_eq!(rewritten::<MetadataRequest>(99, &frame), (None, Vec::new()));
}
