//! The topics of a run, and what is deleted when all runs are over.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use common::stop;
use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::types::RDKafkaErrorCode as Code;
use tokio::runtime::Runtime;

use crate::error::Error;
use crate::kafka::{Kafka, Observer};
use crate::names::Names;

/// Three nodes on a busy machine may take their time for a topic: each creates its replica.
const CHANGE: Duration = Duration::from_secs(30);

/// A group whose last member was killed stays until its session times out; that is waited for up to this long.
const GROUP_LIMIT: Duration = Duration::from_secs(30);

/// Creates and deletes topics.
pub struct Topics {
    pub(crate) admin: AdminClient<Observer>,
    pub(crate) runtime: Runtime,
}

/// What all runs together have created on a Kafka that stays. On an embedded broker, it goes with the broker.
#[derive(Debug, Default)]
pub struct Leftovers {
    topics: Mutex<Vec<String>>,
    groups: Mutex<Vec<String>>,
}

impl Topics {
    /// Creates topics (name, number of partitions), with the broker's default replication factor: 1 on one node, 3 on
    /// the three nodes of compose/cluster.yaml. They are noted in `leftovers`, with the run's group.
    ///
    /// # Errors
    /// When the broker refuses a topic, or has it already.
    pub fn create(
        kafka: &Kafka,
        names: &Names,
        topics: &[(String, i32)],
        leftovers: Option<&Leftovers>,
    ) -> Result<(), Error> {
        let created = Self::new(kafka)?;
        let new: Vec<_> = topics
            .iter()
            .map(|(name, partitions)| NewTopic::new(name, *partitions, TopicReplication::Fixed(-1)))
            .collect();
        let answers = created
            .runtime
            .block_on(created.admin.create_topics(&new, &options()))
            .map_err(|error| Error::Create { topic: names.prefix().to_owned(), why: error.to_string() })?;
        let mut refused = Ok(());
        for answer in answers {
            match answer {
                Ok(topic) => {
                    if let Some(leftovers) = leftovers {
                        add(&leftovers.topics, topic);
                        add(&leftovers.groups, names.of("group"));
                    }
                }
                Err((topic, Code::TopicAlreadyExists)) => {
                    refused = Err(Error::SeedTaken { seed: names.seed(), topic });
                }
                Err((topic, code)) => refused = Err(Error::Create { topic, why: code.to_string() }),
            }
        }
        refused
    }

    /// Changes a setting of a topic; its others go back to their defaults.
    ///
    /// # Errors
    /// When the broker refuses it.
    pub fn set(kafka: &Kafka, topic: &str, setting: &str, value: &str) -> Result<(), Error> {
        let refused = |why: String| Error::Create { topic: topic.to_owned(), why };
        let topics = Self::new(kafka)?;
        let change = AlterConfig::new(ResourceSpecifier::Topic(topic)).set(setting, value);
        let answers = topics.runtime.block_on(topics.admin.alter_configs([&change], &options()));
        let answers = answers.map_err(|error| refused(error.to_string()))?;
        answers.into_iter().try_for_each(|answer| match answer {
            Ok(_) => Ok(()),
            Err((_, code)) => Err(refused(code.to_string())),
        })
    }

    pub(crate) fn new(kafka: &Kafka) -> Result<Self, Error> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Error::Client(error.to_string()))?;
        Ok(Self { admin: kafka.admin()?, runtime })
    }
}

impl Leftovers {
    /// These topics and groups.
    pub(crate) fn of(topics: Vec<String>, groups: Vec<String>) -> Self {
        Self { topics: topics.into(), groups: groups.into() }
    }

    /// The groups.
    pub(crate) fn groups(&self) -> Vec<String> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The topics that were created, in the order of their names.
    pub fn topics(&self) -> Vec<String> {
        let mut topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner).clone();
        topics.sort();
        topics
    }

    /// Deletes the topics, then the groups; returns what could not be deleted, and why.
    pub fn delete(self, kafka: &Kafka) -> Vec<(String, String)> {
        let topics = self.topics();
        let mut groups = self.groups.into_inner().unwrap_or_else(PoisonError::into_inner);
        if topics.is_empty() && groups.is_empty() {
            return Vec::new();
        }
        groups.sort();
        groups.dedup();
        let all = |why: &str| topics.iter().map(|name| (name.clone(), why.to_owned())).collect();
        let deleter = match Topics::new(kafka) {
            Ok(deleter) => deleter,
            Err(error) => return all(&format!("{error:?}")),
        };
        let names: Vec<_> = topics.iter().map(String::as_str).collect();
        let mut left = Vec::new();
        if !names.is_empty() {
            left = match deleter.runtime.block_on(deleter.admin.delete_topics(&names, &options())) {
                Ok(answers) => refusals(answers),
                Err(error) => all(&error.to_string()),
            };
        }
        left.extend(deleter.delete_groups(groups));
        left
    }
}

impl Topics {
    fn delete_groups(&self, mut groups: Vec<String>) -> Vec<(String, String)> {
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
                .filter(|(_, code)| *code != Code::GroupIdNotFound)
                .collect();
            // A member that was killed has not left.
            let all_busy = refused.iter().all(|(_, code)| *code == Code::NonEmptyGroup);
            if !all_busy || stop::requested() || Instant::now() > end {
                return refused.into_iter().map(|(group, code)| (group, code.to_string())).collect();
            }
            groups = refused.into_iter().map(|(group, _)| group).collect();
            stop::sleep(Duration::from_millis(100));
        }
    }
}

fn refusals(answers: Vec<Result<String, (String, Code)>>) -> Vec<(String, String)> {
    answers.into_iter().filter_map(Result::err).map(|(topic, code)| (topic, code.to_string())).collect()
}

fn add(list: &Mutex<Vec<String>>, name: String) {
    list.lock().unwrap_or_else(PoisonError::into_inner).push(name);
}

pub(crate) fn options() -> AdminOptions {
    AdminOptions::new().request_timeout(Some(CHANGE)).operation_timeout(Some(CHANGE))
}
