//! Names of topics.
//!
//! Source: `org.apache.kafka.common.internals.Topic`.

use kafka_protocol::ResponseError;

const LONGEST: usize = 249;

/// Topics that Apache Kafka keeps for itself. Here no log stands behind them.
pub(crate) const OFFSETS: &str = "__consumer_offsets";
pub(crate) const TRANSACTIONS: &str = "__transaction_state";

/// Whether the name may be a topic's.
///
/// # Errors
/// `INVALID_TOPIC_EXCEPTION`.
pub(crate) fn check(name: &str) -> Result<(), ResponseError> {
    match complaint(name) {
        Some(_) => Err(ResponseError::InvalidTopicException),
        None => Ok(()),
    }
}

/// Why the name may not be a topic's.
pub(crate) fn complaint(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        Some("the empty string is not allowed")
    } else if name == "." || name == ".." {
        Some("'.' and '..' are not allowed")
    } else if name.len() > LONGEST {
        Some("it is longer than 249 characters")
    } else if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')) {
        Some("only ASCII letters and digits, '.', '_' and '-' are allowed")
    } else {
        None
    }
}

/// Whether the name is one of those that the broker keeps for itself.
pub(crate) fn is_internal(name: &str) -> bool {
    name == OFFSETS || name == TRANSACTIONS
}

/// Whether it holds a character that could make it collide with another.
pub(crate) fn may_collide(name: &str) -> bool {
    name.contains(['.', '_'])
}

/// Whether two names are one where `.` and `_` are the same.
pub(crate) fn collide(one: &str, other: &str) -> bool {
    one.len() == other.len() && one.bytes().map(unify).eq(other.bytes().map(unify))
}

fn unify(byte: u8) -> u8 {
    if byte == b'.' { b'_' } else { byte }
}
