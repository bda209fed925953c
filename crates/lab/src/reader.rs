//! Reads a topic directly, as no program of the course does: all partitions, by assignment, from the first record to the
//! *end offset*, at both isolation levels. Never to a count: transactions leave control records, so offsets have gaps.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use common::stop;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::{Message, Offset, TopicPartitionList};

use crate::error::Error;
use crate::kafka::{Isolation, Kafka, Observer, REQUEST};
use crate::value::Value;

/// EndTxn is answered before the markers are in the partitions: so long may the last stable offset lag behind the end.
const MARKERS: Duration = Duration::from_secs(20);

/// No record and no end of partition for so long: the broker does not serve this topic.
const SILENCE: Duration = Duration::from_secs(20);

/// A record, where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Partition number, from 0.
    pub partition: i32,
    /// Offset in the partition.
    pub offset: i64,
    /// Key, or null.
    pub key: Value,
    /// Value, or null.
    pub value: Value,
}

/// A topic, read to its end at both isolation levels; by partition, then offset.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contents {
    /// The topic.
    pub topic: String,
    /// What a read_committed reader sees.
    pub visible: Vec<Record>,
    /// What a read_uncommitted reader sees: that, and the records of aborted transactions.
    pub all: Vec<Record>,
}

impl Contents {
    /// The records that only a read_uncommitted reader sees. No transaction was open when they were read, so they are
    /// those of aborted transactions.
    pub fn aborted(&self) -> impl Iterator<Item = &Record> {
        let visible: BTreeSet<_> = self.visible.iter().map(|record| (record.partition, record.offset)).collect();
        self.all.iter().filter(move |record| !visible.contains(&(record.partition, record.offset)))
    }
}

/// Reads topics, one after the other.
pub struct Reader {
    committed: BaseConsumer<Observer>,
    uncommitted: BaseConsumer<Observer>,
}

impl Reader {
    /// A reader; the group is one that nobody joins.
    ///
    /// # Errors
    /// When librdkafka refuses the properties.
    pub fn new(kafka: &Kafka, group: &str) -> Result<Self, Error> {
        Ok(Self {
            committed: kafka.consumer(group, Isolation::ReadCommitted)?,
            uncommitted: kafka.consumer(group, Isolation::ReadUncommitted)?,
        })
    }

    /// Reads a topic to its end, when no transaction is open in it any more.
    ///
    /// # Errors
    /// [`Error::OpenTransaction`] when one stays open, [`Error::Read`] when the broker does not give the records.
    pub fn read(&self, topic: &str, partitions: i32) -> Result<Contents, Error> {
        let ends = self.wait_for_markers(topic, partitions)?;
        Ok(Contents {
            topic: topic.to_owned(),
            visible: read_range(&self.committed, topic, &ends)?,
            all: read_range(&self.uncommitted, topic, &ends)?,
        })
    }

    /// How many replicas a topic has.
    ///
    /// # Errors
    /// When no broker tells it.
    pub(crate) fn replicas(&self, topic: &str) -> Result<usize, Error> {
        let metadata = self.uncommitted.fetch_metadata(Some(topic), REQUEST).map_err(|error| failed(topic, &error))?;
        let partitions = metadata.topics().iter().flat_map(|topic| topic.partitions());
        Ok(partitions.map(|partition| partition.replicas().len()).max().unwrap_or_default())
    }

    /// Waits until the last stable offset is the end offset, in each partition; returns their bounds: the first offset
    /// and the end.
    fn wait_for_markers(&self, topic: &str, partitions: i32) -> Result<BTreeMap<i32, (i64, i64)>, Error> {
        let deadline = Instant::now() + MARKERS;
        let mut bounds = BTreeMap::new();
        for partition in 0..partitions {
            loop {
                // At read_committed, the "end" that the broker tells is the last stable offset.
                let (_, last_stable) = watermarks(&self.committed, topic, partition)?;
                let (first, end) = watermarks(&self.uncommitted, topic, partition)?;
                if last_stable == end {
                    bounds.insert(partition, (first, end));
                    break;
                }
                if Instant::now() >= deadline {
                    return Err(Error::OpenTransaction { topic: topic.to_owned(), partition, last_stable, end });
                }
                if stop::requested() {
                    return Err(Error::Interrupted);
                }
                stop::sleep(Duration::from_millis(10));
            }
        }
        Ok(bounds)
    }
}

/// The first offset and the end of a partition; at read_committed, the last stable offset in place of the end.
pub(crate) fn watermarks(consumer: &BaseConsumer<Observer>, topic: &str, partition: i32) -> Result<(i64, i64), Error> {
    consumer.fetch_watermarks(topic, partition, REQUEST).map_err(|error| failed(topic, &error))
}

/// The records of a topic between two offsets of each partition, the second of which stands after the last to be read and
/// not after the end (at read_committed: the last stable offset). By partition, then offset.
pub(crate) fn read_range(
    consumer: &BaseConsumer<Observer>,
    topic: &str,
    bounds: &BTreeMap<i32, (i64, i64)>,
) -> Result<Vec<Record>, Error> {
    let mut open = BTreeSet::new();
    let mut assignment = TopicPartitionList::new();
    for (&partition, &(first, end)) in bounds {
        if first < end {
            open.insert(partition);
            assignment
                .add_partition_offset(topic, partition, Offset::Offset(first))
                .map_err(|error| failed(topic, &error))?;
        }
    }
    consumer.assign(&assignment).map_err(|error| failed(topic, &error))?;
    let mut records = Vec::new();
    let mut last_error = None;
    let mut deadline = Instant::now() + SILENCE;
    while !open.is_empty() {
        match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(message)) => {
                let end = bounds.get(&message.partition()).map_or(i64::MIN, |&(_, end)| end);
                if message.offset() < end {
                    records.push(Record {
                        partition: message.partition(),
                        offset: message.offset(),
                        key: Value::new(message.key()),
                        value: Value::new(message.payload()),
                    });
                } else {
                    // Somebody goes on writing: the end of the partition may never come.
                    open.remove(&message.partition());
                }
            }
            // The reader has passed the end as it is now, and that end is not before the one found above.
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                open.remove(&partition);
            }
            // librdkafka goes on by itself after most errors: only silence is final.
            other => {
                if let Some(Err(error)) = other {
                    last_error = Some(error);
                }
                if stop::requested() {
                    return Err(Error::Interrupted);
                }
                if Instant::now() >= deadline {
                    return Err(failed(topic, &last_error.unwrap_or(KafkaError::NoMessageReceived)));
                }
                continue;
            }
        }
        deadline = Instant::now() + SILENCE;
    }
    consumer.assign(&TopicPartitionList::new()).map_err(|error| failed(topic, &error))?;
    records.sort_by_key(|record| (record.partition, record.offset));
    Ok(records)
}

/// What a reader could not do, and why.
pub(crate) fn failed(topic: &str, error: &KafkaError) -> Error {
    Error::Read { topic: topic.to_owned(), why: error.to_string() }
}
