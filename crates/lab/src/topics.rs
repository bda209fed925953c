//! Topics and groups of one run: created before it, deleted after it, also after an error.

use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::types::RDKafkaErrorCode as Code;
use tokio::runtime::Runtime;

use crate::error::Error;
use crate::kafka::{Kafka, Observer, REQUEST};
use crate::names::Names;

/// A group whose member was killed stays until its session times out; that is not waited for.
const GROUP_LIMIT: Duration = Duration::from_secs(2);

/// What a run has created. Dropping it deletes it all, unless [`keep`](Self::keep) was called.
pub struct Topics {
    admin: AdminClient<Observer>,
    runtime: Runtime,
    topics: Vec<String>,
    groups: Vec<String>,
}

impl Topics {
    /// Creates topics (name, number of partitions), with the broker's default replication factor: 1 on one node, 3 on
    /// the three nodes of compose/cluster.yaml. The groups are those that the run will use; a group begins to exist with
    /// its first member.
    ///
    /// # Errors
    /// When the broker refuses a topic, or has it already. What was created before that is deleted.
    pub fn create(kafka: &Kafka, names: &Names, topics: &[(String, i32)], groups: Vec<String>) -> Result<Self, Error> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Error::Client(error.to_string()))?;
        let mut created = Self { admin: kafka.admin()?, runtime, topics: Vec::new(), groups };
        let new: Vec<_> = topics
            .iter()
            .map(|(name, partitions)| NewTopic::new(name, *partitions, TopicReplication::Fixed(-1)))
            .collect();
        let answers = created
            .runtime
            .block_on(created.admin.create_topics(&new, &options()))
            .map_err(|error| Error::Create { topic: names.prefix().to_owned(), why: error.to_string() })?;
        let mut refused = None;
        for answer in answers {
            match answer {
                Ok(topic) => created.topics.push(topic),
                Err((topic, Code::TopicAlreadyExists)) => {
                    let seed = names.seed();
                    refused = Some(Error::SeedTaken { seed, topic });
                }
                Err((topic, code)) => {
                    let why = code.to_string();
                    refused = Some(Error::Create { topic, why });
                }
            }
        }
        match refused {
            // The groups are not ours then, but those of the run that owns the topic.
            Some(Error::SeedTaken { seed, topic }) => {
                created.groups.clear();
                Err(Error::SeedTaken { seed, topic })
            }
            Some(error) => Err(error),
            None => Ok(created),
        }
    }

    /// Leaves everything where it is, for inspection.
    pub fn keep(mut self) {
        self.topics.clear();
        self.groups.clear();
    }

    /// Deletes the groups, then the topics; returns what could not be deleted, and why.
    pub fn delete(mut self) -> Vec<(String, String)> {
        self.delete_all()
    }

    fn delete_all(&mut self) -> Vec<(String, String)> {
        let mut left = self.delete_groups();
        let topics = std::mem::take(&mut self.topics);
        if topics.is_empty() {
            return left;
        }
        let names: Vec<_> = topics.iter().map(String::as_str).collect();
        match self.runtime.block_on(self.admin.delete_topics(&names, &options())) {
            Ok(answers) => {
                left.extend(answers.into_iter().filter_map(Result::err).map(|(topic, code)| (topic, code.to_string())))
            }
            Err(error) => left.extend(topics.into_iter().map(|topic| (topic, error.to_string()))),
        }
        left
    }

    fn delete_groups(&mut self) -> Vec<(String, String)> {
        let mut groups = std::mem::take(&mut self.groups);
        let end = Instant::now() + GROUP_LIMIT;
        loop {
            if groups.is_empty() {
                return Vec::new();
            }
            let names: Vec<_> = groups.iter().map(String::as_str).collect();
            let answers = match self.runtime.block_on(self.admin.delete_groups(&names, &options())) {
                Ok(answers) => answers,
                Err(error) => return groups.into_iter().map(|group| (group, error.to_string())).collect(),
            };
            let refused: Vec<_> = answers
                .into_iter()
                .filter_map(Result::err)
                // A program that never started has no group.
                .filter(|(_, code)| *code != RDKafkaErrorCode::GroupIdNotFound)
                .collect();
            // A member that has just ended may not have left yet.
            let all_busy = refused.iter().all(|(_, code)| *code == RDKafkaErrorCode::NonEmptyGroup);
            if !all_busy || Instant::now() > end {
                return refused.into_iter().map(|(group, code)| (group, code.to_string())).collect();
            }
            groups = refused.into_iter().map(|(group, _)| group).collect();
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Topics {
    fn drop(&mut self) {
        for (name, why) in self.delete_all() {
            log::warn!("{name} could not be deleted: {why}");
        }
    }
}

fn options() -> AdminOptions {
    AdminOptions::new().request_timeout(Some(REQUEST)).operation_timeout(Some(REQUEST))
}
