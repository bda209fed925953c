//! Bytes on the wire, before they mean anything.

pub(crate) mod shape;

use kafka_protocol::ResponseError;

/// The code of an error, as it goes over the wire; 0 where there is none.
pub(crate) fn code<T>(result: &Result<T, ResponseError>) -> i16 {
    result.as_ref().err().map_or(0, ResponseError::code)
}
