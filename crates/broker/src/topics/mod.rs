//! Topics: names, ids, partitions, configuration.

pub(crate) mod config;
pub(crate) mod name;

use std::collections::{BTreeMap, HashMap};

use kafka_protocol::{ResponseError, messages::TopicName, protocol::StrBytes};
use uuid::Uuid;

use crate::log::partition::PartitionLog;
use config::TopicConfig;

/// A partition of a topic.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct TopicPartition {
    pub(crate) topic: TopicName,
    pub(crate) partition: i32,
}

/// A topic.
#[derive(Debug)]
pub(crate) struct Topic {
    pub(crate) id: Uuid,
    pub(crate) config: TopicConfig,
    pub(crate) partitions: Vec<PartitionLog>,
}

impl Topic {
    pub(crate) fn partition(&self, index: i32) -> Option<&PartitionLog> {
        self.partitions.get(usize::try_from(index).ok()?)
    }

    pub(crate) fn partition_mut(&mut self, index: i32) -> Option<&mut PartitionLog> {
        self.partitions.get_mut(usize::try_from(index).ok()?)
    }
}

/// All topics.
#[derive(Debug)]
pub(crate) struct Topics {
    by_name: BTreeMap<TopicName, Topic>,
    names: HashMap<Uuid, TopicName>,
    /// Partitions of all topics together.
    partitions: usize,
    most_partitions: usize,
}

impl Topics {
    /// At most so many partitions in all.
    pub(crate) fn new(most_partitions: usize) -> Self {
        Self { by_name: BTreeMap::new(), names: HashMap::new(), partitions: 0, most_partitions }
    }

    pub(crate) fn get(&self, name: &TopicName) -> Option<&Topic> {
        self.by_name.get(name)
    }

    pub(crate) fn get_mut(&mut self, name: &TopicName) -> Option<&mut Topic> {
        self.by_name.get_mut(name)
    }

    pub(crate) fn partition(&self, name: &TopicName, index: i32) -> Option<&PartitionLog> {
        self.get(name)?.partition(index)
    }

    pub(crate) fn partition_mut(&mut self, name: &TopicName, index: i32) -> Option<&mut PartitionLog> {
        self.get_mut(name)?.partition_mut(index)
    }

    pub(crate) fn exists(&self, name: &str, partition: i32) -> bool {
        let name = TopicName(StrBytes::from_string(name.to_owned()));
        self.partition(&name, partition).is_some()
    }

    pub(crate) fn name_of(&self, id: Uuid) -> Option<&TopicName> {
        self.names.get(&id)
    }

    /// In the order of their names.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&TopicName, &Topic)> {
        self.by_name.iter()
    }

    /// Whether a topic of this name could be created.
    ///
    /// # Errors
    /// `INVALID_TOPIC_EXCEPTION` for a bad name or one that collides with another (`.` and `_` are one in metrics),
    /// `TOPIC_ALREADY_EXISTS`, `POLICY_VIOLATION` when the broker holds as many partitions as it may.
    pub(crate) fn check_new(&self, name: &TopicName, partitions: usize) -> Result<(), ResponseError> {
        name::check(name)?;
        if self.by_name.contains_key(name) {
            return Err(ResponseError::TopicAlreadyExists);
        }
        if name::may_collide(name) && self.by_name.keys().any(|other| name::collide(other, name)) {
            return Err(ResponseError::InvalidTopicException);
        }
        self.check_room(partitions)
    }

    /// Whether so many more partitions may be created.
    ///
    /// # Errors
    /// `POLICY_VIOLATION`.
    pub(crate) fn check_room(&self, partitions: usize) -> Result<(), ResponseError> {
        if self.partitions.saturating_add(partitions) > self.most_partitions {
            return Err(ResponseError::PolicyViolation);
        }
        Ok(())
    }

    /// Creates a topic that [`Topics::check_new`] let pass.
    pub(crate) fn create(&mut self, name: TopicName, id: Uuid, partitions: usize, config: TopicConfig) {
        self.partitions += partitions;
        // The name came in a frame, which would otherwise be kept as long as the topic.
        let name = TopicName(StrBytes::from_string(name.to_string()));
        self.names.insert(id, name.clone());
        let partitions = (0..partitions).map(|_| PartitionLog::default()).collect();
        self.by_name.insert(name, Topic { id, config, partitions });
    }

    /// Adds partitions until there are so many; fewer do nothing.
    pub(crate) fn grow(&mut self, name: &TopicName, count: usize) {
        if let Some(topic) = self.by_name.get_mut(name) {
            let before = topic.partitions.len();
            topic.partitions.resize_with(count.max(before), PartitionLog::default);
            self.partitions += topic.partitions.len() - before;
        }
    }

    pub(crate) fn delete(&mut self, name: &TopicName) -> Option<Topic> {
        let topic = self.by_name.remove(name)?;
        self.names.remove(&topic.id);
        self.partitions -= topic.partitions.len();
        Some(topic)
    }
}
