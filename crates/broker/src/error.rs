//! Errors, as they go over the wire.

use kafka_protocol::ResponseError;

/// The code of an error; 0 where there is none.
pub(crate) fn code<T>(result: &Result<T, ResponseError>) -> i16 {
    result.as_ref().err().map_or(0, ResponseError::code)
}
