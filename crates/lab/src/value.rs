//! What the lab counts: the value of a message. Values are unique, so that a value names a message wherever it shows
//! up: in a line of a program, in a topic, at another offset.

use std::fmt;
use std::sync::Arc;

use common::grammar::Line;

/// What a pipeline makes of a value.
pub type Transform = fn(&[u8]) -> Vec<u8>;

/// The value (or key) of a record: bytes, or null. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Value(Option<Arc<[u8]>>);

impl Value {
    /// The value with these bytes; `None` is Kafka's null.
    pub fn new(bytes: Option<&[u8]>) -> Self {
        Self(bytes.map(Arc::from))
    }

    /// The bytes; `None` where it is null.
    pub fn bytes(&self) -> Option<&[u8]> {
        self.0.as_deref()
    }

    /// The value that the pipeline makes of this one.
    pub fn transformed(&self, transform: Transform) -> Self {
        Self(self.bytes().map(|bytes| Arc::from(transform(bytes))))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::new(Some(text.as_bytes()))
    }
}

/// As the programs print it, so that what the lab names can be searched for in their output.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.bytes() {
            None => f.write_str("None"),
            Some(bytes) => {
                let line = Line::Sent(bytes.into()).to_string();
                f.write_str(line.strip_prefix("sent ").unwrap_or(&line))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_shown_as_the_programs_show_it() {
        assert_eq!(Value::from("msg-1").to_string(), "msg-1");
        assert_eq!(Value::from("été\n").to_string(), "été\\x0a");
        assert_eq!(Value::new(None).to_string(), "None");
    }
}
