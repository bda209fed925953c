//! Answers that a broker did not give: errors.
//!
//! They have the form that Kafka's own have (`getErrorResponse` of each request, in
//! `org.apache.kafka.common.requests`), with the error for each partition where the answer has partitions.

mod answers;

use bytes::{Bytes, BytesMut};
use kafka_protocol::protocol::{Decodable, Encodable};

use super::{Header, api, request_body};
use crate::ApiKey;

/// A whole response that says this error, to everything that the request asks for. `None` where none is known here, and
/// where the client expects no answer.
///
/// Of Metadata, the answer names no brokers: librdkafka and the Java client ask again. ApiVersions is answered in the
/// version asked for, but for `UNSUPPORTED_VERSION` (35), which is said in version 0 (KIP-511).
pub(crate) fn error_answer(header: &Header, request: &Bytes, error: i16) -> Option<Bytes> {
    let answer = Answer { header, request, error };
    match api(header.api_key)? {
        ApiKey::Produce => answer.with(answers::produce),
        ApiKey::Fetch => answer.with(answers::fetch),
        ApiKey::ListOffsets => answer.with(answers::list_offsets),
        ApiKey::Metadata => answer.with(answers::metadata),
        ApiKey::OffsetCommit => answer.with(answers::offset_commit),
        ApiKey::OffsetFetch => answer.with(answers::offset_fetch),
        ApiKey::FindCoordinator => answer.with(answers::find_coordinator),
        ApiKey::JoinGroup => answer.with(answers::join_group),
        ApiKey::Heartbeat => answer.with(answers::heartbeat),
        ApiKey::LeaveGroup => answer.with(answers::leave_group),
        ApiKey::SyncGroup => answer.with(answers::sync_group),
        ApiKey::ApiVersions => answer.with(answers::api_versions),
        ApiKey::InitProducerId => answer.with(answers::init_producer_id),
        ApiKey::AddPartitionsToTxn => answer.with(answers::add_partitions_to_txn),
        ApiKey::AddOffsetsToTxn => answer.with(answers::add_offsets_to_txn),
        ApiKey::EndTxn => answer.with(answers::end_txn),
        ApiKey::TxnOffsetCommit => answer.with(answers::txn_offset_commit),
        _ => None,
    }
}

struct Answer<'a> {
    header: &'a Header,
    request: &'a Bytes,
    error: i16,
}

/// What an error is said in: the version, and the response, unless there is none.
type Said<M> = Option<(i16, M)>;

impl Answer<'_> {
    fn with<R: Decodable, M: Encodable>(&self, say: fn(R, i16, i16) -> Said<M>) -> Option<Bytes> {
        let request = request_body::<R>(self.header, self.request).ok()?.message;
        let (version, response) = say(request, self.error, self.header.version)?;
        let mut out = BytesMut::new();
        out.extend_from_slice(&self.header.correlation.to_be_bytes());
        if api(self.header.api_key)?.response_header_version(version) >= 1 {
            // No tagged fields.
            out.extend_from_slice(&[0]);
        }
        response.encode(&mut out, version).ok()?;
        Some(out.freeze())
    }
}
