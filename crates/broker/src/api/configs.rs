//! DescribeConfigs, AlterConfigs, IncrementalAlterConfigs.

use std::{collections::HashSet, hash::Hash};

use kafka_protocol::{
    ResponseError,
    messages::{
        AlterConfigsRequest, AlterConfigsResponse, DescribeConfigsRequest, DescribeConfigsResponse,
        IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse, TopicName,
        alter_configs_request::AlterableConfig as AlterableSetting,
        alter_configs_response::AlterConfigsResourceResponse as Altered,
        describe_configs_response::{
            DescribeConfigsResourceResult as Setting, DescribeConfigsResult, DescribeConfigsSynonym,
        },
        incremental_alter_configs_request::AlterableConfig,
        incremental_alter_configs_response::AlterConfigsResourceResponse,
    },
    protocol::StrBytes,
};

use crate::{
    engine::{Engine, dispatch::Call},
    topics::{
        config::{Key, Kind, TopicConfig},
        name,
    },
};

/// Kinds of resources.
const TOPIC: i8 = 2;
const BROKER: i8 = 4;

/// Where a value comes from.
const OF_TOPIC: i8 = 1;
const OF_BROKER: i8 = 4;
const DEFAULT: i8 = 5;

/// What IncrementalAlterConfigs does with a value.
const SET: i8 = 0;
const DELETE: i8 = 1;
const APPEND: i8 = 2;
const SUBTRACT: i8 = 3;

type Refusal = (ResponseError, String);

/// What is to become of a resource: its kind and name, the settings that are named, and what is done with them.
struct Alteration<C> {
    of: (i8, StrBytes),
    names: Vec<StrBytes>,
    changes: C,
}

impl Engine {
    pub(crate) fn describe_configs(&mut self, call: Call<DescribeConfigsRequest>) -> DescribeConfigsResponse {
        let request = call.request;
        let results = request
            .resources
            .into_iter()
            .map(|resource| {
                let keys = resource.configuration_keys.filter(|keys| !keys.is_empty());
                let settings = match resource.resource_type {
                    TOPIC => self.topic_settings(&resource.resource_name),
                    BROKER => self.broker_settings(&resource.resource_name),
                    _ => Err((ResponseError::InvalidRequest, "only topics and brokers have settings here".into())),
                };
                let response = DescribeConfigsResult::default()
                    .with_resource_type(resource.resource_type)
                    .with_resource_name(resource.resource_name);
                match settings {
                    Ok(settings) => {
                        let settings = settings
                            .into_iter()
                            .filter(|setting| keys.as_ref().is_none_or(|keys| keys.contains(&setting.name)))
                            .map(
                                |setting| {
                                    if request.include_synonyms { setting } else { setting.with_synonyms(Vec::new()) }
                                },
                            )
                            .collect();
                        response.with_error_message(Some(StrBytes::new())).with_configs(settings)
                    }
                    Err((error, why)) => {
                        response.with_error_code(error.code()).with_error_message(Some(StrBytes::from_string(why)))
                    }
                }
            })
            .collect();
        DescribeConfigsResponse::default().with_results(results)
    }

    fn topic_settings(&self, topic: &StrBytes) -> Result<Vec<Setting>, Refusal> {
        if let Some(complaint) = name::complaint(topic) {
            return Err((ResponseError::InvalidTopicException, format!("Topic name is invalid: {complaint}")));
        }
        let topic = self.topics.get(&TopicName(topic.clone())).ok_or_else(unknown_topic)?;
        Ok(Key::ALL
            .into_iter()
            .map(|key| {
                let default = TopicConfig::default().value(key);
                let mut synonyms = Vec::new();
                if topic.config.written(key).is_some() {
                    synonyms.push(synonym(key.name(), topic.config.value(key), OF_TOPIC));
                }
                synonyms.push(synonym(key.broker_name(), default, DEFAULT));
                let source = if synonyms.len() > 1 { OF_TOPIC } else { DEFAULT };
                setting(key.name(), topic.config.value(key), source, key.kind(), synonyms)
            })
            .collect())
    }

    fn broker_settings(&self, node: &str) -> Result<Vec<Setting>, Refusal> {
        // The empty name: what is set for all brokers, which is nothing.
        if node.is_empty() {
            return Ok(Vec::new());
        }
        if node.parse() != Ok(self.settings.node_id) {
            let why = format!("Unexpected broker id, expected {}, but received {node}", self.settings.node_id);
            return Err((ResponseError::InvalidRequest, why));
        }
        let settings = &self.settings;
        let all = [
            ("auto.create.topics.enable", settings.auto_create_topics.to_string(), Kind::Boolean),
            ("group.max.session.timeout.ms", settings.groups.max_session_timeout.to_string(), Kind::Int),
            ("group.min.session.timeout.ms", settings.groups.min_session_timeout.to_string(), Kind::Int),
            ("log.retention.bytes", settings.retention_bytes.to_string(), Kind::Long),
            ("message.max.bytes", TopicConfig::default().max_message_bytes.to_string(), Kind::Int),
            ("node.id", settings.node_id.to_string(), Kind::Int),
            ("num.partitions", settings.default_partitions.to_string(), Kind::Int),
            ("transaction.max.timeout.ms", settings.transactions.max_timeout.to_string(), Kind::Int),
        ];
        Ok(all
            .into_iter()
            .map(|(name, value, kind)| {
                let synonyms = vec![synonym(name, value.clone(), OF_BROKER)];
                setting(name, value, OF_BROKER, kind, synonyms).with_read_only(true)
            })
            .collect())
    }

    pub(crate) fn incremental_alter_configs(
        &mut self,
        call: Call<IncrementalAlterConfigsRequest>,
    ) -> IncrementalAlterConfigsResponse {
        let IncrementalAlterConfigsRequest { resources, validate_only, .. } = call.request;
        let resources = resources.into_iter().map(|resource| Alteration {
            of: (resource.resource_type, resource.resource_name),
            names: resource.configs.iter().map(|change| change.name.clone()).collect(),
            changes: resource.configs,
        });
        let altered = self.alter_all(resources.collect(), validate_only, |config, changes: Vec<AlterableConfig>| {
            changes.iter().try_for_each(|change| apply(config, change))
        });
        let responses = altered.into_iter().map(|((kind, name), error_code, why)| {
            AlterConfigsResourceResponse::default()
                .with_resource_type(kind)
                .with_resource_name(name)
                .with_error_code(error_code)
                .with_error_message(why)
        });
        IncrementalAlterConfigsResponse::default().with_responses(responses.collect())
    }

    /// Replaces all settings of a topic: what is not named goes back to its default.
    pub(crate) fn alter_configs(&mut self, call: Call<AlterConfigsRequest>) -> AlterConfigsResponse {
        let AlterConfigsRequest { resources, validate_only, .. } = call.request;
        let resources = resources.into_iter().map(|resource| Alteration {
            of: (resource.resource_type, resource.resource_name),
            names: resource.configs.iter().map(|setting| setting.name.clone()).collect(),
            changes: resource.configs,
        });
        let altered = self.alter_all(resources.collect(), validate_only, |config, settings: Vec<AlterableSetting>| {
            *config = TopicConfig::default();
            settings.iter().try_for_each(|setting| set(config, &setting.name, setting.value.as_ref()))
        });
        let responses = altered.into_iter().map(|((kind, name), error_code, why)| {
            Altered::default()
                .with_resource_type(kind)
                .with_resource_name(name)
                .with_error_code(error_code)
                .with_error_message(why)
        });
        AlterConfigsResponse::default().with_responses(responses.collect())
    }

    /// Each resource with an error code, and a sentence where it is not 0.
    fn alter_all<C>(
        &mut self,
        resources: Vec<Alteration<C>>,
        validate_only: bool,
        change: impl Fn(&mut TopicConfig, C) -> Result<(), Refusal>,
    ) -> Vec<((i8, StrBytes), i16, Option<StrBytes>)> {
        let twice = repeated(resources.iter().map(|resource| resource.of.clone()));
        let altered = resources.into_iter().map(|Alteration { of, names, changes }| {
            let unclear = twice.contains(&of) || !repeated(names.into_iter()).is_empty();
            match self.alter(&of, unclear, validate_only, |config| change(config, changes)) {
                Ok(()) => (of, 0, None),
                Err((error, why)) => (of, error.code(), Some(StrBytes::from_string(why))),
            }
        });
        altered.collect()
    }

    /// All changes of a resource, or none.
    fn alter(
        &mut self,
        (kind, topic): &(i8, StrBytes),
        unclear: bool,
        validate_only: bool,
        change: impl FnOnce(&mut TopicConfig) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        if unclear {
            return Err((ResponseError::InvalidRequest, "something is named twice".into()));
        }
        if *kind != TOPIC {
            let why = "only the settings of topics can be changed on this broker";
            return Err((ResponseError::InvalidRequest, why.into()));
        }
        if let Some(complaint) = name::complaint(topic) {
            return Err((ResponseError::InvalidTopicException, format!("Topic name is invalid: {complaint}")));
        }
        let topic = self.topics.get_mut(&TopicName(topic.clone())).ok_or_else(unknown_topic)?;
        let mut config = topic.config.clone();
        change(&mut config)?;
        if !validate_only {
            topic.config = config;
        }
        Ok(())
    }
}

fn apply(config: &mut TopicConfig, change: &AlterableConfig) -> Result<(), Refusal> {
    match change.config_operation {
        SET => set(config, &change.name, change.value.as_ref()),
        DELETE => config.unset(&change.name).map_err(invalid),
        APPEND => with_value(change, |value| config.append(&change.name, value)),
        SUBTRACT => with_value(change, |value| config.subtract(&change.name, value)),
        other => Err((ResponseError::InvalidRequest, format!("no operation on a setting has the number {other}"))),
    }
}

fn with_value(change: &AlterableConfig, apply: impl FnOnce(&str) -> Result<(), String>) -> Result<(), Refusal> {
    match &change.value {
        Some(value) => apply(value).map_err(invalid),
        None => Err((ResponseError::InvalidRequest, format!("Null value not supported for: {}", &*change.name))),
    }
}

fn set(config: &mut TopicConfig, name: &str, value: Option<&StrBytes>) -> Result<(), Refusal> {
    let Some(value) = value else {
        return Err((ResponseError::InvalidRequest, format!("Null value not supported for: {name}")));
    };
    config.set(name, value).map_err(invalid)
}

fn invalid(why: String) -> Refusal {
    (ResponseError::InvalidConfig, why)
}

fn unknown_topic() -> Refusal {
    (ResponseError::UnknownTopicOrPartition, "This server does not host this topic-partition.".into())
}

fn setting(
    name: &'static str,
    value: String,
    source: i8,
    kind: Kind,
    synonyms: Vec<DescribeConfigsSynonym>,
) -> Setting {
    Setting::default()
        .with_name(StrBytes::from_static_str(name))
        .with_value(Some(StrBytes::from_string(value)))
        .with_config_source(source)
        .with_config_type(kind as i8)
        .with_synonyms(synonyms)
}

fn synonym(name: &'static str, value: String, source: i8) -> DescribeConfigsSynonym {
    DescribeConfigsSynonym::default()
        .with_name(StrBytes::from_static_str(name))
        .with_value(Some(StrBytes::from_string(value)))
        .with_source(source)
}

/// What stands more than once in a list.
fn repeated<T: Eq + Hash + Clone>(all: impl Iterator<Item = T>) -> HashSet<T> {
    let mut seen = HashSet::new();
    all.filter(|one| !seen.insert(one.clone())).collect()
}
