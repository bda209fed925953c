//! Requests that are changed on their way.

use bytes::Bytes;
use kafka_protocol::{messages::TxnOffsetCommitRequest, protocol::StrBytes};

use super::{Header, api, request_body};
use crate::{Alteration, ApiKey};

/// The request as it is after this; `None` where it cannot be changed so, or would stay the same.
pub(crate) fn alter(alteration: Alteration, header: &Header, request: &Bytes) -> Option<Bytes> {
    match alteration {
        Alteration::NoGroupMetadata => {
            // Older versions have no group metadata.
            if api(header.api_key)? != ApiKey::TxnOffsetCommit || header.version < 3 {
                return None;
            }
            let mut body = request_body::<TxnOffsetCommitRequest>(header, request).ok()?;
            body.message.generation_id = -1;
            body.message.member_id = StrBytes::new();
            body.message.group_instance_id = None;
            body.encode(header.version).filter(|altered| altered != request)
        }
    }
}
