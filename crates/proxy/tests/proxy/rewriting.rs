//! Addresses in answers: the client stays behind the proxy, whatever the cluster looks like.

use std::collections::HashSet;

use bytes::{BufMut, BytesMut};
use kafka_protocol::{
    messages::{
        ApiVersionsRequest, DescribeClusterRequest, DescribeClusterResponse, FindCoordinatorRequest,
        FindCoordinatorResponse, MetadataRequest, MetadataResponse, ResponseHeader,
        describe_cluster_response::DescribeClusterBroker, find_coordinator_response::Coordinator,
        metadata_response::MetadataResponseBroker,
    },
    protocol::{Encodable, HeaderVersion, Request},
};
use proxy::Proxy;

use crate::support::{
    kafka::{self, client, connect},
    requests::{metadata, versions},
    upstream::{Accepted, Upstream, correlation},
    wire::{Client, text},
};

/// Sends a request through the proxy, and answers it as this broker.
fn exchange<R: Request>(
    client: &mut Client,
    broker: &mut Accepted,
    request: &R,
    version: i16,
    answer: &R::Response,
) -> R::Response {
    let sent = client.send(request, version);
    let frame = broker.receive().unwrap();
    let mut body = BytesMut::new();
    ResponseHeader::default()
        .with_correlation_id(correlation(&frame))
        .encode(&mut body, R::Response::header_version(version))
        .unwrap();
    answer.encode(&mut body, version).unwrap();
    let mut whole = BytesMut::new();
    whole.put_u32(body.len() as u32);
    whole.extend_from_slice(&body);
    broker.send(&whole);
    client.receive(sent)
}

fn three_nodes(upstreams: &[Upstream]) -> MetadataResponse {
    let brokers = upstreams.iter().enumerate().map(|(node, upstream)| {
        MetadataResponseBroker::default()
            .with_node_id((node as i32).into())
            .with_host(text("127.0.0.1"))
            .with_port(upstream.address().port().into())
    });
    MetadataResponse::default().with_brokers(brokers.collect()).with_controller_id(1.into())
}

fn ports(answer: &MetadataResponse) -> Vec<u16> {
    assert!(answer.brokers.iter().all(|broker| broker.host.as_str() == "127.0.0.1"));
    answer.brokers.iter().map(|broker| broker.port as u16).collect()
}

#[test]
fn every_node_has_a_listener_for_every_client() {
    let nodes = [Upstream::new(), Upstream::new(), Upstream::new()];
    let proxy = nodes[0].proxy();
    let mut all = HashSet::new();
    for name in ["a", "b"] {
        let mut client = client(&proxy, name);
        let mut bootstrap = nodes[0].accept();
        let before = three_nodes(&nodes);
        for version in [1, 9, 12] {
            let answer = exchange(&mut client, &mut bootstrap, &metadata(), version, &before);
            let ports = ports(&answer);
            assert_eq!(answer.brokers.iter().map(|broker| broker.node_id.0).collect::<Vec<_>>(), [0, 1, 2]);
            all.extend(ports.iter().copied());
            for (node, port) in ports.into_iter().enumerate() {
                assert!(!nodes.iter().any(|node| node.address().port() == port));
                let mut there = connect(([127, 0, 0, 1], port).into());
                let mut broker = nodes[node].accept();
                let sent = there.send(&ApiVersionsRequest::default(), 0);
                let frame = broker.receive().unwrap();
                broker.answer(&frame, &[0, 0, 0, 0, 0, 0]);
                assert_eq!(there.receive(sent).error_code, 0);
                assert!(proxy.trace().iter().any(|event| event.client == name && event.node == node as i32));
            }
        }
    }
    assert_eq!(all.len(), 6, "one for each client and node, and the same in each version");
}

#[test]
fn coordinators_and_clusters_are_behind_the_proxy_too() {
    let nodes = [Upstream::new(), Upstream::new()];
    let proxy = nodes[0].proxy();
    let mut client = client(&proxy, "program");
    let mut bootstrap = nodes[0].accept();
    let answer = exchange(&mut client, &mut bootstrap, &metadata(), 9, &three_nodes(&nodes));
    let port = answer.brokers[1].port;
    let upstream_port = i32::from(nodes[1].address().port());

    let old =
        FindCoordinatorResponse::default().with_node_id(1.into()).with_host(text("127.0.0.1")).with_port(upstream_port);
    let request = FindCoordinatorRequest::default().with_key(text("group"));
    for version in [0, 2, 3] {
        let answer = exchange(&mut client, &mut bootstrap, &request, version, &old);
        assert_eq!((answer.node_id.0, answer.port), (1, port), "version {version}");
    }
    let coordinator = Coordinator::default()
        .with_key(text("group"))
        .with_node_id(1.into())
        .with_host(text("127.0.0.1"))
        .with_port(upstream_port);
    let new = FindCoordinatorResponse::default().with_coordinators(vec![coordinator]);
    let request = FindCoordinatorRequest::default().with_coordinator_keys(vec![text("group")]);
    let answer = exchange(&mut client, &mut bootstrap, &request, 4, &new);
    assert_eq!(answer.coordinators[0].port, port);

    let broker =
        DescribeClusterBroker::default().with_broker_id(1.into()).with_host(text("127.0.0.1")).with_port(upstream_port);
    let cluster = DescribeClusterResponse::default().with_brokers(vec![broker]);
    let answer = exchange(&mut client, &mut bootstrap, &DescribeClusterRequest::default(), 0, &cluster);
    assert_eq!(answer.brokers[0].port, port);
}

/// An error names no coordinator: there is nothing to listen for.
#[test]
fn no_coordinator_is_no_listener() {
    let node = Upstream::new();
    let proxy = node.proxy();
    let mut client = client(&proxy, "program");
    let mut bootstrap = node.accept();
    let none = FindCoordinatorResponse::default().with_error_code(15).with_node_id((-1).into()).with_port(-1);
    let request = FindCoordinatorRequest::default().with_key(text("group"));
    let answer = exchange(&mut client, &mut bootstrap, &request, 2, &none);
    assert_eq!(answer, none);
}

#[test]
fn a_node_that_moves_is_followed() {
    let (first, second) = (Upstream::new(), Upstream::new());
    let proxy = first.proxy();
    let mut client = client(&proxy, "program");
    let mut bootstrap = first.accept();
    let at = |upstream: Upstream| {
        let answer = three_nodes(std::slice::from_ref(&upstream));
        (upstream, answer)
    };
    let (_first, here) = at(first);
    let (second, there) = at(second);
    let before = ports(&exchange(&mut client, &mut bootstrap, &metadata(), 9, &here));
    let after = ports(&exchange(&mut client, &mut bootstrap, &metadata(), 9, &there));
    assert_eq!(before, after, "its address here stays");
    let _connected = connect(([127, 0, 0, 1], before[0]).into());
    second.accept();
}

/// As a client does it: bootstrap, then each broker by the address that it was given.
#[test]
fn kafka_s_own_answers_lead_back_to_the_proxy() {
    let proxy: Proxy = kafka::proxy();
    let mut client = client(&proxy, "program");
    let answer = client.call(&MetadataRequest::default().with_topics(Some(Vec::new())), 9);
    assert!(!answer.brokers.is_empty());
    for broker in &answer.brokers {
        let address = format!("{}:{}", broker.host, broker.port);
        assert!(!kafka::bootstrap().contains(&address));
        assert_eq!(Client::connect(&address).call(&versions(), 2).error_code, 0);
        assert!(proxy.trace().iter().any(|event| event.node == broker.node_id.0));
    }
}
