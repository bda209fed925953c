//! What a frame says, and how it is changed: pure functions on frames, which are here without their length in front.
//!
//! Nothing is decoded that has not been walked first (`wire::shape`), whichever side it comes from. What is not known
//! here, or not in this version, says nothing and stays as it is.

mod addresses;
mod alter;
mod batches;
mod errors;
mod request;
mod response;
#[cfg(test)]
mod tests;
mod topics;

use bytes::{Bytes, BytesMut};
use kafka_protocol::{
    messages::{FetchResponse, ProduceRequest},
    protocol::{Decodable, Encodable},
};
use wire::shape::{self, Fault};

use crate::{ApiKey, Facts, Side};

pub(crate) use addresses::rewrite_addresses;
pub(crate) use alter::alter;
pub(crate) use errors::error_answer;
pub(crate) use request::request_facts;
pub(crate) use response::response_facts;
pub(crate) use topics::{name_topics, topic_names};

/// The header of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    /// The number of the API, whether it is known here or not.
    pub(crate) api_key: i16,
    /// The version of the API.
    pub(crate) version: i16,
    /// The correlation id.
    pub(crate) correlation: i32,
    /// What the client calls itself.
    pub(crate) client_id: Option<String>,
}

/// The header of a request. It has the same first fields whatever the API and its version are.
///
/// # Errors
/// Why this is no request of Kafka's, in one sentence.
pub(crate) fn header(frame: &Bytes) -> Result<Header, String> {
    let length = shape::check_header(1, frame).map_err(|malformed| match frame.get(..2) {
        Some([0x16, 3]) => "a TLS handshake, where requests in plain text are expected".into(),
        _ => format!("no Kafka request ({malformed})"),
    })?;
    let (Some(fixed), Some(client_id)) = (frame.first_chunk::<8>(), frame.get(10..length)) else {
        return Err("no Kafka request (shorter than its header)".into());
    };
    let [a, b, c, d, correlation @ ..] = *fixed;
    let (api_key, version) = (i16::from_be_bytes([a, b]), i16::from_be_bytes([c, d]));
    if api_key < 0 || version < 0 {
        return Err(format!("no Kafka request (API key {api_key}, version {version})"));
    }
    let client_id = (frame.get(8) != Some(&0xff)).then(|| String::from_utf8_lossy(client_id).into_owned());
    Ok(Header { api_key, version, correlation: i32::from_be_bytes(correlation), client_id })
}

/// The API of this number; `None` for one that is not known here.
pub(crate) fn api(key: i16) -> Option<ApiKey> {
    ApiKey::try_from(key).ok()
}

/// The name of an API as the protocol guide has it; its number where it is not known here.
pub(crate) fn name(key: i16) -> String {
    api(key).map_or_else(|| key.to_string(), |api| format!("{api:?}"))
}

/// The correlation id of a response; `None` for what is too short to have one.
pub(crate) fn response_correlation(frame: &Bytes) -> Option<i32> {
    frame.first_chunk().map(|id| i32::from_be_bytes(*id))
}

/// Whether the broker answers: it does not where a producer wants no acknowledgement.
pub(crate) fn expects_answer(facts: &Facts, header: &Header) -> bool {
    api(header.api_key) != Some(ApiKey::Produce) || facts.acks != Some(0)
}

/// Whether a record of a Produce request or of a Fetch response has exactly this value.
pub(crate) fn holds_value(header: &Header, side: Side, frame: &Bytes, value: &[u8]) -> bool {
    let holds = |records: Option<&Bytes>| records.is_some_and(|records| batches::hold(records, value));
    match (api(header.api_key), side) {
        (Some(ApiKey::Produce), Side::Request) => request_body::<ProduceRequest>(header, frame).is_ok_and(|body| {
            let mut partitions = body.message.topic_data.iter().flat_map(|topic| &topic.partition_data);
            partitions.any(|partition| holds(partition.records.as_ref()))
        }),
        (Some(ApiKey::Fetch), Side::Response) => response_body::<FetchResponse>(header, frame).is_ok_and(|body| {
            let mut partitions = body.message.responses.iter().flat_map(|topic| &topic.partitions);
            partitions.any(|partition| holds(partition.records.as_ref()))
        }),
        _ => false,
    }
}

/// Why a frame says nothing.
enum Silent {
    /// It is not known here what it means.
    Unknown,
    /// It is not what it claims to be.
    Malformed(String),
}

impl From<shape::Malformed> for Silent {
    fn from(malformed: shape::Malformed) -> Self {
        match malformed.fault {
            Fault::Unknown => Self::Unknown,
            _ => Self::Malformed(malformed.to_string()),
        }
    }
}

/// A decoded frame.
struct Body<M> {
    /// The header, as it came.
    header: Bytes,
    message: M,
    /// What follows the message: nobody's business, and kept.
    rest: Bytes,
}

impl<M: Encodable> Body<M> {
    /// As a frame again. `None` if the message cannot be said in this version.
    fn encode(&self, version: i16) -> Option<Bytes> {
        let mut out = BytesMut::with_capacity(self.header.len() + self.rest.len() + 256);
        out.extend_from_slice(&self.header);
        self.message.encode(&mut out, version).ok()?;
        out.extend_from_slice(&self.rest);
        Some(out.freeze())
    }
}

/// The API. In a version that is not known here, not even the header's is.
fn known(header: &Header) -> Result<ApiKey, Silent> {
    let known = api(header.api_key).filter(|api| {
        let versions = api.valid_versions();
        (versions.min..=versions.max).contains(&header.version)
    });
    known.ok_or(Silent::Unknown)
}

fn request_body<M: Decodable>(header: &Header, frame: &Bytes) -> Result<Body<M>, Silent> {
    let api = known(header)?;
    let length = shape::check_header(api.request_header_version(header.version), frame)?;
    body(header, frame, length, shape::check)
}

/// `header` is that of the request.
fn response_body<M: Decodable>(header: &Header, frame: &Bytes) -> Result<Body<M>, Silent> {
    let api = known(header)?;
    let length = shape::check_response_header(api.response_header_version(header.version), frame)?;
    body(header, frame, length, shape::check_response)
}

fn body<M: Decodable>(
    header: &Header,
    frame: &Bytes,
    length: usize,
    check: fn(i16, i16, &[u8]) -> Result<(), shape::Malformed>,
) -> Result<Body<M>, Silent> {
    let mut rest = frame.clone();
    let start = rest.split_to(length.min(rest.len()));
    check(header.api_key, header.version, &rest)?;
    let message = M::decode(&mut rest, header.version).map_err(|error| Silent::Malformed(error.to_string()))?;
    Ok(Body { header: start, message, rest })
}
