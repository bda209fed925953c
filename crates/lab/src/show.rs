//! `lab show`: a topic as it stands in the log, which no consumer shows: markers, the records of aborted and of open
//! transactions, and what of it each isolation level sees.
//!
//! Two consumers read it, one at each level, so that what they are said to see is what they see. librdkafka keeps the
//! batches from them; they are taken from the trace of a proxy in front of the broker.

mod json;
mod log;
mod table;
mod words;

use std::collections::BTreeMap;

use common::cli::Broker;
use proxy::{Event, Happening, Proxy, Side};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::types::RDKafkaErrorCode;

use crate::error::Error;
use crate::kafka::{Isolation, Kafka, Observer, REQUEST};
use crate::reader::{self, failed};
use crate::text::Lang;

use log::{Bounds, Partition};

/// What the two consumers are called at the proxy.
const COMMITTED: &str = "read_committed";
const UNCOMMITTED: &str = "read_uncommitted";

/// What stands in a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    topic: String,
    /// In the order of their numbers.
    partitions: Vec<Partition>,
}

/// Reads the last so many offsets of each partition, to the end as it is now: what is open is shown, not waited for.
///
/// # Errors
/// When no broker answers, or the topic is not there or cannot be read.
pub(crate) fn show(kafka: &Broker, topic: &str, last: u64) -> Result<Shown, Error> {
    let topic = kafka.name(topic);
    Kafka::new(kafka.clone()).wait()?;
    let cannot = |error: std::io::Error| Error::Proxy(error.to_string());
    let proxy = Proxy::builder(kafka.bootstrap_servers.clone()).start().map_err(cannot)?;
    let behind = |name, isolation| {
        let address = proxy.client(name).map_err(cannot)?.to_string();
        Kafka::new(Broker { bootstrap_servers: address, ..kafka.clone() }).consumer(&kafka.name("lab-show"), isolation)
    };
    let uncommitted = behind(UNCOMMITTED, Isolation::ReadUncommitted)?;
    let committed = behind(COMMITTED, Isolation::ReadCommitted)?;

    let mut bounds = BTreeMap::new();
    for partition in partitions(&uncommitted, &topic, &kafka.bootstrap_servers)? {
        let (first, end) = reader::watermarks(&uncommitted, &topic, partition)?;
        // At read_committed, the "end" that the broker tells is the last stable offset. Asked for second: a transaction
        // that is still open now was so at the end.
        let (_, last_stable) = reader::watermarks(&committed, &topic, partition)?;
        let from = first.max(end.saturating_sub_unsigned(last));
        bounds.insert(partition, Bounds { first, from, last_stable: last_stable.min(end), end });
    }
    let ranges = |end: fn(&Bounds) -> i64| bounds.iter().map(|(&p, bounds)| (p, (bounds.from, end(bounds)))).collect();
    let visible = reader::read_range(&committed, &topic, &ranges(|bounds| bounds.last_stable))?;
    let all = reader::read_range(&uncommitted, &topic, &ranges(|bounds| bounds.end))?;
    let batches = batches(&proxy.trace());
    let partitions =
        bounds.into_iter().map(|(number, bounds)| Partition::new(number, bounds, &visible, &all, &batches)).collect();
    Ok(Shown { topic, partitions })
}

/// The topic, for readers or as JSON.
pub(crate) fn render(topic: &Shown, lang: Lang, json: bool, colours: bool) -> String {
    if json { format!("{:#}\n", json::render(topic)) } else { table::render(topic, lang, colours) }
}

/// The numbers of the topic's partitions. (A consumer that asks for a topic does not create it.)
fn partitions(consumer: &BaseConsumer<Observer>, topic: &str, servers: &str) -> Result<Vec<i32>, Error> {
    let metadata = consumer.fetch_metadata(Some(topic), REQUEST).map_err(|error| failed(topic, &error))?;
    let found = metadata.topics().first();
    match found.and_then(|found| found.error()).map(RDKafkaErrorCode::from) {
        None => {}
        Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => {
            return Err(Error::NoTopic { topic: topic.to_owned(), servers: servers.to_owned() });
        }
        Some(code) => return Err(Error::Read { topic: topic.to_owned(), why: code.to_string() }),
    }
    let mut numbers: Vec<_> = found.into_iter().flat_map(|found| found.partitions()).map(|p| p.id()).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// The batches that the read_uncommitted consumer was given, by partition and base offset. It reads one topic.
fn batches(trace: &[Event]) -> log::Batches {
    let mut batches = log::Batches::new();
    for event in trace.iter().filter(|event| event.client == UNCOMMITTED) {
        let Happening::Frame(frame) = &event.happening else { continue };
        if frame.side == Side::Response && frame.api == "Fetch" {
            for part in &frame.facts.partitions {
                let new = part.batches.iter().map(|batch| ((part.partition, batch.base_offset), batch.clone()));
                batches.extend(new);
            }
        }
    }
    batches
}
