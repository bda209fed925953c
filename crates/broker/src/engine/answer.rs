//! From a response to a frame.

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::{
    messages::ResponseHeader,
    protocol::{Encodable, HeaderVersion},
};

/// What an answer repeats from its request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header {
    pub(super) correlation_id: i32,
    pub(super) version: i16,
}

impl Header {
    /// The answer as a frame, its length included.
    ///
    /// # Errors
    /// When the response holds what its version cannot say, which is a mistake of this broker.
    pub(super) fn answer<R: Encodable + HeaderVersion>(self, response: &R) -> Result<Bytes, String> {
        self.encode(response).map_err(|error| format!("no answer could be written: {error}"))
    }

    fn encode<R: Encodable + HeaderVersion>(self, response: &R) -> Result<Bytes, Box<dyn std::error::Error>> {
        let header = ResponseHeader::default().with_correlation_id(self.correlation_id);
        let header_version = R::header_version(self.version);
        let size = header.compute_size(header_version)? + response.compute_size(self.version)?;
        let mut frame = BytesMut::with_capacity(4 + size);
        frame.put_i32(i32::try_from(size)?);
        header.encode(&mut frame, header_version)?;
        response.encode(&mut frame, self.version)?;
        Ok(frame.freeze())
    }
}
