//! Topics that a frame names by their id.
//!
//! From Fetch 13 and Produce 13 on, a topic has an id instead of its name (KIP-516); Metadata tells which is whose.

use std::collections::HashMap;

use bytes::Bytes;
use kafka_protocol::messages::{MetadataResponse, TopicName};

use super::{Header, api, response_body};
use crate::{ApiKey, Facts};

/// The name of a topic, or its id where it has no name here.
pub(super) fn topic(name: &TopicName, id: &[u8; 16]) -> String {
    if name.is_empty() { id_text(id) } else { name.to_string() }
}

/// The ids and names of topics that a response tells: those of Metadata.
pub(crate) fn topic_names(header: &Header, response: &Bytes) -> Vec<(String, String)> {
    if api(header.api_key) != Some(ApiKey::Metadata) || header.version < 10 {
        return Vec::new();
    }
    let Ok(body) = response_body::<MetadataResponse>(header, response) else { return Vec::new() };
    let topics = body.message.topics.iter().filter(|topic| !topic.topic_id.is_nil());
    topics.filter_map(|topic| Some((id_text(topic.topic_id.as_bytes()), topic.name.as_ref()?.to_string()))).collect()
}

/// Puts names in the places of ids, as far as they are known.
pub(crate) fn name_topics(facts: &mut Facts, names: &HashMap<String, String>) {
    for part in &mut facts.partitions {
        if let Some(name) = names.get(&part.topic) {
            part.topic.clone_from(name);
        }
    }
}

/// An id as Kafka's tools write it: base 64 in the alphabet for URLs, without padding; empty for no id.
fn id_text(id: &[u8; 16]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    if id == &[0; 16] {
        return String::new();
    }
    let bits = u128::from_be_bytes(*id);
    // 22 digits of 6 bits: the last has 2 of the id, and 4 zeros.
    let digit = |place: u32| if place < 21 { bits >> (122 - 6 * place) } else { bits << 4 };
    (0..22).filter_map(|place| ALPHABET.get((digit(place) & 63) as usize)).map(|&digit| char::from(digit)).collect()
}
