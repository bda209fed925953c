//! Answers that tell a client where brokers are.
//!
//! Not rewritten: what controllers tell each other and the tools about their quorum (Vote, BeginQuorumEpoch,
//! DescribeQuorum and the like). Those are addresses of other listeners than the one that a client uses, under the same
//! node ids.

use bytes::Bytes;
use kafka_protocol::{
    messages::{
        BrokerId, DescribeClusterResponse, FetchResponse, FindCoordinatorResponse, MetadataResponse, ProduceResponse,
        ShareAcknowledgeResponse, ShareFetchResponse,
    },
    protocol::{Decodable, Encodable, StrBytes},
};

use super::{Header, api, response_body};
use crate::ApiKey;

/// What a client is to be told instead of an address: of this node, host and port.
type Instead<'a> = dyn FnMut(i32, &str, i32) -> (String, i32) + 'a;

/// The response with other addresses of brokers in it, else byte for byte the same; `header` is that of its request.
/// `None` when nothing in it has to be changed. Where an error stands instead of an address, it stays.
pub(crate) fn rewrite_addresses(header: &Header, response: &Bytes, address: &mut Instead<'_>) -> Option<Bytes> {
    let mut tell = Rewriter { address, changed: false };
    match api(header.api_key)? {
        ApiKey::Metadata => tell.rewrite(header, response, |it: &mut MetadataResponse, tell| {
            it.brokers.iter_mut().for_each(|broker| tell.one(broker.node_id, &mut broker.host, &mut broker.port));
        }),
        ApiKey::FindCoordinator => tell.rewrite(header, response, |it: &mut FindCoordinatorResponse, tell| {
            tell.one(it.node_id, &mut it.host, &mut it.port);
            it.coordinators.iter_mut().for_each(|broker| tell.one(broker.node_id, &mut broker.host, &mut broker.port));
        }),
        ApiKey::DescribeCluster => tell.rewrite(header, response, |it: &mut DescribeClusterResponse, tell| {
            it.brokers.iter_mut().for_each(|broker| tell.one(broker.broker_id, &mut broker.host, &mut broker.port));
        }),
        // These come often, and have addresses in these versions only.
        ApiKey::Produce if header.version >= 10 => tell.rewrite(header, response, |it: &mut ProduceResponse, tell| {
            it.node_endpoints.iter_mut().for_each(|node| tell.one(node.node_id, &mut node.host, &mut node.port));
        }),
        ApiKey::Fetch if header.version >= 16 => tell.rewrite(header, response, |it: &mut FetchResponse, tell| {
            it.node_endpoints.iter_mut().for_each(|node| tell.one(node.node_id, &mut node.host, &mut node.port));
        }),
        ApiKey::ShareFetch => tell.rewrite(header, response, |it: &mut ShareFetchResponse, tell| {
            it.node_endpoints.iter_mut().for_each(|node| tell.one(node.node_id, &mut node.host, &mut node.port));
        }),
        ApiKey::ShareAcknowledge => tell.rewrite(header, response, |it: &mut ShareAcknowledgeResponse, tell| {
            it.node_endpoints.iter_mut().for_each(|node| tell.one(node.node_id, &mut node.host, &mut node.port));
        }),
        _ => None,
    }
}

struct Rewriter<'a, 'b> {
    address: &'a mut Instead<'b>,
    changed: bool,
}

impl Rewriter<'_, '_> {
    fn rewrite<M: Decodable + Encodable>(
        &mut self,
        header: &Header,
        response: &Bytes,
        each: fn(&mut M, &mut Self),
    ) -> Option<Bytes> {
        let mut body = response_body::<M>(header, response).ok()?;
        each(&mut body.message, self);
        if self.changed { body.encode(header.version) } else { None }
    }

    fn one(&mut self, node: BrokerId, host: &mut StrBytes, port: &mut i32) {
        if node.0 < 0 || host.is_empty() {
            return;
        }
        let (new_host, new_port) = (self.address)(node.0, host, *port);
        if new_host != **host || new_port != *port {
            (*host, *port) = (StrBytes::from_string(new_host), new_port);
            self.changed = true;
        }
    }
}
