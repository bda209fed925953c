//! The topic as JSON.

use serde_json::{Value as Json, json};

use super::Shown;
use super::log::{Entry, State, What};
use super::words::text;
use proxy::Marker;

/// One object. Keys and values are text as in the table; null is null.
pub(super) fn render(topic: &Shown) -> Json {
    let partitions: Vec<_> = topic
        .partitions
        .iter()
        .map(|partition| {
            json!({
                "partition": partition.number,
                "first": partition.bounds.first,
                "last_stable": partition.bounds.last_stable,
                "end": partition.bounds.end,
                "records": partition.entries.iter().map(record).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({ "topic": topic.topic, "partitions": partitions })
}

fn record(entry: &Entry) -> Json {
    let (key, value, marker) = match &entry.what {
        What::Record { key, value } => (text(key), text(value), None),
        What::Marker(Marker::Commit) => (None, None, Some("commit")),
        What::Marker(Marker::Abort) => (None, None, Some("abort")),
    };
    let transaction = match entry.transaction {
        State::None => "none",
        State::Committed => "committed",
        State::Aborted => "aborted",
        State::Open => "open",
    };
    json!({
        "offset": entry.offset,
        "key": key,
        "value": value,
        "marker": marker,
        "producer_id": entry.producer.map(|(id, _)| id),
        "producer_epoch": entry.producer.map(|(_, epoch)| epoch),
        "transaction": transaction,
        "read_committed": entry.committed,
        "read_uncommitted": entry.uncommitted,
    })
}
