//! CreateTopics, DeleteTopics, CreatePartitions.
//!
//! Source: `ControllerApis`, `ReplicationControlManager`.

use std::{collections::HashMap, hash::Hash};

use kafka_protocol::{
    ResponseError,
    messages::{
        CreatePartitionsRequest, CreatePartitionsResponse, CreateTopicsRequest, CreateTopicsResponse,
        DeleteTopicsRequest, DeleteTopicsResponse, TopicName,
        create_partitions_request::CreatePartitionsTopic,
        create_partitions_response::CreatePartitionsTopicResult,
        create_topics_request::CreatableTopic,
        create_topics_response::{CreatableTopicConfigs, CreatableTopicResult},
        delete_topics_response::DeletableTopicResult,
    },
    protocol::StrBytes,
};
use uuid::Uuid;

use crate::{
    engine::{Engine, dispatch::Call},
    topics::{
        TopicPartition,
        config::{Key, TopicConfig},
        name,
    },
};

/// Why something was refused: a code, and a sentence.
type Refusal = (ResponseError, String);

fn refusal(error: ResponseError, why: impl Into<String>) -> Refusal {
    (error, why.into())
}

fn duplicate() -> Refusal {
    refusal(ResponseError::InvalidRequest, "Duplicate topic name.")
}

/// The first of those that have the same key, and whether there are more: they get one answer.
fn each_once<T, K: Eq + Hash>(all: Vec<T>, key: impl Fn(&T) -> K) -> Vec<(T, bool)> {
    let mut places = HashMap::new();
    let mut first: Vec<(T, bool)> = Vec::new();
    for one in all {
        let place = *places.entry(key(&one)).or_insert(first.len());
        match first.get_mut(place) {
            Some((_, repeated)) => *repeated = true,
            None => first.push((one, false)),
        }
    }
    first
}

impl Engine {
    pub(crate) fn create_topics(&mut self, call: Call<CreateTopicsRequest>) -> CreateTopicsResponse {
        let Call { request, .. } = call;
        let mut topics = Vec::new();
        for (topic, repeated) in each_once(request.topics, |topic| topic.name.clone()) {
            let result = if repeated { Err(duplicate()) } else { self.create_topic(&topic, request.validate_only) };
            let response = CreatableTopicResult::default().with_name(topic.name);
            topics.push(match result {
                Ok((id, partitions, config)) => response
                    .with_topic_id(id)
                    .with_num_partitions(i32::try_from(partitions).unwrap_or(i32::MAX))
                    .with_replication_factor(1)
                    .with_error_message(None)
                    .with_configs(Some(described(&config))),
                Err((error, why)) => response
                    .with_error_code(error.code())
                    .with_error_message(Some(StrBytes::from_string(why)))
                    .with_num_partitions(-1)
                    .with_replication_factor(-1)
                    .with_configs(Some(Vec::new())),
            });
        }
        CreateTopicsResponse::default().with_topics(topics)
    }

    fn create_topic(
        &mut self,
        topic: &CreatableTopic,
        validate_only: bool,
    ) -> Result<(Uuid, usize, TopicConfig), Refusal> {
        if let Some(complaint) = name::complaint(&topic.name) {
            return Err(refusal(ResponseError::InvalidTopicException, format!("Topic name is invalid: {complaint}")));
        }
        if self.topics.get(&topic.name).is_some() {
            let why = format!("Topic '{}' already exists.", topic.name.0);
            return Err(refusal(ResponseError::TopicAlreadyExists, why));
        }
        let config = configured(topic)?;
        let partitions = self.partition_count(topic)?;
        self.topics.check_new(&topic.name, partitions).map_err(|error| {
            let why = match error {
                ResponseError::PolicyViolation => "the broker holds as many partitions as it may",
                _ => "the name collides with that of another topic, in which '.' or '_' stands instead",
            };
            refusal(error, why)
        })?;
        if validate_only {
            return Ok((Uuid::nil(), partitions, config));
        }
        let id = self.ids.uuid();
        self.topics.create(topic.name.clone(), id, partitions, config.clone());
        Ok((id, partitions, config))
    }

    fn partition_count(&self, topic: &CreatableTopic) -> Result<usize, Refusal> {
        if !topic.assignments.is_empty() {
            return self.assigned(topic);
        }
        match topic.replication_factor {
            -1 | 1 => {}
            factor if factor < 1 => {
                let why = "Replication factor must be larger than 0, or -1 to use the default value.";
                return Err(refusal(ResponseError::InvalidReplicationFactor, why));
            }
            factor => {
                let why = format!(
                    "Unable to replicate the partition {factor} time(s): The target replication factor of {factor} \
                     cannot be reached because only 1 broker(s) are registered."
                );
                return Err(refusal(ResponseError::InvalidReplicationFactor, why));
            }
        }
        match topic.num_partitions {
            -1 => Ok(usize::try_from(self.settings.default_partitions).unwrap_or(1)),
            count => usize::try_from(count).ok().filter(|count| *count > 0).ok_or_else(|| {
                let why = "Number of partitions was set to an invalid non-positive value.";
                refusal(ResponseError::InvalidPartitions, why)
            }),
        }
    }

    /// The number of partitions that are placed by hand: on this node, numbered from 0.
    fn assigned(&self, topic: &CreatableTopic) -> Result<usize, Refusal> {
        if topic.replication_factor != -1 {
            let why = "A manual partition assignment was specified, but replication factor was not set to -1.";
            return Err(refusal(ResponseError::InvalidRequest, why));
        }
        if topic.num_partitions != -1 {
            let why = "A manual partition assignment was specified, but numPartitions was not set to -1.";
            return Err(refusal(ResponseError::InvalidRequest, why));
        }
        let mut indexes: Vec<_> = topic.assignments.iter().map(|assignment| assignment.partition_index).collect();
        indexes.sort_unstable();
        let consecutive = indexes.iter().zip(0i32..).all(|(index, expected)| *index == expected);
        let mut replicas = topic.assignments.iter().map(|assignment| &assignment.broker_ids);
        if !consecutive || !replicas.all(|ids| matches!(ids[..], [id] if id.0 == self.settings.node_id)) {
            let why = "partitions must be numbered from 0, each with the only node as its only replica";
            return Err(refusal(ResponseError::InvalidReplicaAssignment, why));
        }
        Ok(indexes.len())
    }

    pub(crate) fn delete_topics(&mut self, call: Call<DeleteTopicsRequest>) -> DeleteTopicsResponse {
        let Call { request, version, .. } = call;
        let wanted: Vec<(Option<TopicName>, Uuid)> = if version >= 6 {
            request.topics.into_iter().map(|topic| (topic.name, topic.topic_id)).collect()
        } else {
            request.topic_names.into_iter().map(|name| (Some(name), Uuid::nil())).collect()
        };
        let responses = each_once(wanted, Clone::clone)
            .into_iter()
            .map(|(topic, repeated)| {
                let result = match &topic {
                    _ if repeated => Err(ResponseError::InvalidRequest),
                    (Some(name), id) if id.is_nil() => self.delete_topic(name),
                    (None, id) if !id.is_nil() => match self.topics.name_of(*id).cloned() {
                        Some(name) => self.delete_topic(&name),
                        None => Err(ResponseError::UnknownTopicId),
                    },
                    _ => Err(ResponseError::InvalidRequest),
                };
                let (name, id) = topic;
                match result {
                    Ok((name, id)) => DeletableTopicResult::default().with_name(Some(name)).with_topic_id(id),
                    Err(error) => DeletableTopicResult::default()
                        .with_name(name)
                        .with_topic_id(id)
                        .with_error_code(error.code())
                        .with_error_message(Some(StrBytes::from_string(error.to_string()))),
                }
            })
            .collect();
        DeleteTopicsResponse::default().with_responses(responses)
    }

    fn delete_topic(&mut self, name: &TopicName) -> Result<(TopicName, Uuid), ResponseError> {
        let topic = self.topics.delete(name).ok_or(ResponseError::UnknownTopicOrPartition)?;
        for (index, _) in (0i32..).zip(&topic.partitions) {
            self.fetches.changed(&TopicPartition { topic: name.clone(), partition: index });
        }
        // The partitions stay in the transactions that hold them, and a topic of the same name takes their place.
        self.groups.forget_topic(name);
        Ok((name.clone(), topic.id))
    }

    pub(crate) fn create_partitions(&mut self, call: Call<CreatePartitionsRequest>) -> CreatePartitionsResponse {
        let request = call.request;
        let results = each_once(request.topics, |topic| topic.name.clone())
            .into_iter()
            .map(|(topic, repeated)| {
                let result = if repeated { Err(duplicate()) } else { self.grow(&topic, request.validate_only) };
                let response = CreatePartitionsTopicResult::default().with_name(topic.name);
                match result {
                    Ok(()) => response.with_error_message(None),
                    Err((error, why)) => {
                        response.with_error_code(error.code()).with_error_message(Some(StrBytes::from_string(why)))
                    }
                }
            })
            .collect();
        CreatePartitionsResponse::default().with_results(results)
    }

    fn grow(&mut self, wanted: &CreatePartitionsTopic, validate_only: bool) -> Result<(), Refusal> {
        let name = &wanted.name;
        let Some(topic) = self.topics.get(name) else {
            return Err(refusal(ResponseError::UnknownTopicOrPartition, "This server does not host this topic."));
        };
        let before = topic.partitions.len();
        let count = usize::try_from(wanted.count).unwrap_or(0);
        if count == before {
            return Err(refusal(ResponseError::InvalidPartitions, format!("Topic already has {before} partition(s).")));
        }
        if count < before {
            let why = format!(
                "The topic {} currently has {before} partition(s); {} would not be an increase.",
                name.0, wanted.count
            );
            return Err(refusal(ResponseError::InvalidPartitions, why));
        }
        if let Some(assignments) = &wanted.assignments {
            let node = self.settings.node_id;
            let here = assignments.iter().all(|ids| matches!(ids.broker_ids[..], [id] if id.0 == node));
            if !here || assignments.len() != count - before {
                let why = "each new partition needs the only node as its only replica";
                return Err(refusal(ResponseError::InvalidReplicaAssignment, why));
            }
        }
        self.topics
            .check_room(count - before)
            .map_err(|error| refusal(error, "the broker holds as many partitions as it may"))?;
        if !validate_only {
            self.topics.grow(name, count);
        }
        Ok(())
    }
}

fn configured(topic: &CreatableTopic) -> Result<TopicConfig, Refusal> {
    let mut config = TopicConfig::default();
    for setting in &topic.configs {
        let Some(value) = &setting.value else {
            let why = format!("Null value not supported for topic configs: {}", &*setting.name);
            return Err(refusal(ResponseError::InvalidConfig, why));
        };
        config.set(&setting.name, value).map_err(|why| refusal(ResponseError::InvalidConfig, why))?;
    }
    Ok(config)
}

/// The configuration of a topic that was just created.
fn described(config: &TopicConfig) -> Vec<CreatableTopicConfigs> {
    Key::ALL
        .into_iter()
        .map(|key| {
            // 1: set for this topic; 5: the default.
            let source = if config.written(key).is_some() { 1 } else { 5 };
            CreatableTopicConfigs::default()
                .with_name(StrBytes::from_static_str(key.name()))
                .with_value(Some(StrBytes::from_string(config.value(key))))
                .with_read_only(false)
                .with_config_source(source)
                .with_is_sensitive(false)
        })
        .collect()
}
