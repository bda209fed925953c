//! DescribeConfigs and IncrementalAlterConfigs.

use kafka_protocol::messages::{
    DescribeConfigsRequest, IncrementalAlterConfigsRequest,
    describe_configs_request::DescribeConfigsResource,
    describe_configs_response::{DescribeConfigsResourceResult, DescribeConfigsResult},
    incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig},
};

use super::support::{LOG_APPEND_TIME, Topic, batch, batch_of_size, describe_topic, eventually};
use crate::support::{
    broker::{connect, unique},
    wire::{Client, text},
};

/// Kinds of resources.
const TOPIC: i8 = 2;
const BROKER: i8 = 4;

/// Where a value is from.
const OF_THE_TOPIC: i8 = 1;
const DEFAULT: i8 = 5;

/// What to do with a value.
const SET: i8 = 0;
const DELETE: i8 = 1;
const APPEND: i8 = 2;
const SUBTRACT: i8 = 3;

fn resource(kind: i8, name: &str, keys: Option<&[&str]>) -> DescribeConfigsResource {
    DescribeConfigsResource::default()
        .with_resource_type(kind)
        .with_resource_name(text(name))
        .with_configuration_keys(keys.map(|keys| keys.iter().map(|key| text(key)).collect()))
}

fn describe(client: &mut Client, version: i16, kind: i8, name: &str, keys: Option<&[&str]>) -> DescribeConfigsResult {
    let request = DescribeConfigsRequest::default().with_resources(vec![resource(kind, name, keys)]);
    let mut response = client.call(&request, version);
    assert_eq!(response.results.len(), 1);
    response.results.remove(0)
}

fn find<'a>(described: &'a DescribeConfigsResult, name: &str) -> &'a DescribeConfigsResourceResult {
    described.configs.iter().find(|config| config.name.as_str() == name).unwrap_or_else(|| panic!("no {name}"))
}

/// Value and source of a topic's configuration.
fn config(topic: &mut Topic, name: &str) -> (String, i8) {
    let described = describe(&mut topic.client, 4, TOPIC, &topic.name, Some(&[name]));
    assert_eq!(described.error_code, 0);
    let found = find(&described, name);
    (found.value.as_ref().expect("a value").to_string(), found.config_source)
}

fn alteration(name: &str, operation: i8, value: Option<&str>) -> AlterableConfig {
    AlterableConfig::default().with_name(text(name)).with_config_operation(operation).with_value(value.map(text))
}

fn alter_topic(
    client: &mut Client,
    version: i16,
    topic: &str,
    alterations: Vec<AlterableConfig>,
    validate_only: bool,
) -> i16 {
    let resource = AlterConfigsResource::default()
        .with_resource_type(TOPIC)
        .with_resource_name(text(topic))
        .with_configs(alterations);
    let request =
        IncrementalAlterConfigsRequest::default().with_resources(vec![resource]).with_validate_only(validate_only);
    let response = client.call(&request, version);
    assert_eq!(response.responses.len(), 1);
    assert_eq!((response.responses[0].resource_type, response.responses[0].resource_name.as_str()), (TOPIC, topic));
    response.responses[0].error_code
}

/// One alteration of this topic, in version 1.
fn alter(topic: &mut Topic, name: &str, operation: i8, value: Option<&str>) -> i16 {
    alter_topic(&mut topic.client, 1, &topic.name, vec![alteration(name, operation, value)], false)
}

fn wait_for(topic: &mut Topic, name: &str, value: &str, source: i8) {
    eventually("a configuration", || (config(topic, name) == (value.to_owned(), source)).then_some(()));
}

#[test]
fn a_topics_configuration_tells_values_and_where_they_are_from() {
    let mut topic = Topic::with(1, &[("max.message.bytes", "4711")]);
    for version in 1..=4 {
        let described = describe(&mut topic.client, version, TOPIC, &topic.name, None);
        assert_eq!((described.error_code, described.resource_type), (0, TOPIC));
        assert_eq!(described.resource_name.as_str(), topic.name.as_str());
        for (name, value, source) in [
            ("max.message.bytes", "4711", OF_THE_TOPIC),
            ("message.timestamp.type", "CreateTime", DEFAULT),
            ("cleanup.policy", "delete", DEFAULT),
            ("retention.ms", "604800000", DEFAULT),
            ("retention.bytes", "-1", DEFAULT),
        ] {
            let found = find(&described, name);
            assert_eq!(found.value.as_ref().map(|value| value.as_str()), Some(value), "{name}, version {version}");
            assert_eq!(found.config_source, source, "{name}, version {version}");
            assert!(!found.read_only && !found.is_sensitive, "{name}, version {version}");
            assert!(found.synonyms.is_empty(), "{name}, version {version}");
        }
    }
}

#[test]
fn the_type_of_a_configuration_comes_with_version_3() {
    let mut topic = Topic::new();
    for version in 1..=4 {
        let described = describe(&mut topic.client, version, TOPIC, &topic.name, None);
        for (name, kind) in
            [("max.message.bytes", 3), ("message.timestamp.type", 2), ("cleanup.policy", 7), ("retention.ms", 5)]
        {
            assert_eq!(find(&described, name).config_type, if version < 3 { 0 } else { kind }, "{name}");
        }
    }
}

#[test]
fn only_the_configurations_that_were_asked_for_are_told() {
    let mut topic = Topic::new();
    for version in [1, 2, 4] {
        let asked = ["retention.ms", "no.such.config", "max.message.bytes"];
        let described = describe(&mut topic.client, version, TOPIC, &topic.name, Some(&asked));
        assert_eq!(described.error_code, 0);
        let mut names: Vec<_> = described.configs.iter().map(|config| config.name.to_string()).collect();
        names.sort();
        assert_eq!(names, ["max.message.bytes", "retention.ms"], "version {version}");
    }
}

#[test]
fn an_empty_list_of_configurations_means_all_like_none() {
    let mut topic = Topic::new();
    for version in [1, 2, 4] {
        let all = describe(&mut topic.client, version, TOPIC, &topic.name, None).configs.len();
        assert!(all > 1);
        let found = describe(&mut topic.client, version, TOPIC, &topic.name, Some(&[])).configs.len();
        assert_eq!(found, all, "version {version}");
    }
}

#[test]
fn a_value_of_the_topic_comes_first_among_its_synonyms() {
    let mut topic = Topic::with(1, &[("max.message.bytes", "4711")]);
    for version in [1, 2, 4] {
        let asked = resource(TOPIC, &topic.name, Some(&["max.message.bytes", "retention.bytes"]));
        let request = DescribeConfigsRequest::default().with_resources(vec![asked]).with_include_synonyms(true);
        let described = topic.client.call(&request, version).results.remove(0);
        let synonyms = |name: &str| -> Vec<_> {
            find(&described, name)
                .synonyms
                .iter()
                .map(|synonym| {
                    (synonym.name.to_string(), synonym.value.as_ref().map(|value| value.to_string()), synonym.source)
                })
                .collect()
        };
        let synonym = |name: &str, value: &str, source| (name.to_owned(), Some(value.to_owned()), source);
        assert_eq!(
            synonyms("max.message.bytes"),
            [synonym("max.message.bytes", "4711", OF_THE_TOPIC), synonym("message.max.bytes", "1048588", DEFAULT)],
            "version {version}"
        );
        assert_eq!(synonyms("retention.bytes"), [synonym("log.retention.bytes", "-1", DEFAULT)]);
    }
}

#[test]
fn an_unknown_topic_has_no_configuration() {
    let mut client = connect();
    for version in 1..=4 {
        let described = describe(&mut client, version, TOPIC, &unique("absent"), None);
        assert_eq!((described.error_code, described.configs.len()), (3, 0), "version {version}");
        assert!(described.error_message.is_some());
    }
}

#[test]
fn a_name_that_no_topic_may_have_has_no_configuration() {
    let mut client = connect();
    for bad in ["", "..", "a b"] {
        assert_eq!(describe(&mut client, 4, TOPIC, bad, None).error_code, 17, "{bad:?}");
    }
}

#[test]
fn a_broker_has_a_configuration_and_another_is_refused() {
    let mut topic = Topic::new();
    let id = describe_topic(&mut topic.client, &topic.name).partitions[0].leader_id.0;
    for version in [1, 2, 4] {
        let described = describe(&mut topic.client, version, BROKER, &id.to_string(), None);
        assert_eq!((described.error_code, described.resource_type), (0, BROKER), "version {version}");
        assert_eq!(find(&described, "message.max.bytes").value.as_ref().map(|value| value.as_str()), Some("1048588"));
        for wrong in [(id + 1).to_string(), "x".to_owned()] {
            assert_eq!(describe(&mut topic.client, version, BROKER, &wrong, None).error_code, 42, "{wrong}");
        }
    }
}

#[test]
fn several_resources_are_described_in_one_request() {
    let mut topic = Topic::new();
    let absent = unique("absent");
    let request = DescribeConfigsRequest::default()
        .with_resources(vec![resource(TOPIC, &topic.name, None), resource(TOPIC, &absent, None)]);
    let response = topic.client.call(&request, 4);
    let code =
        |name: &str| response.results.iter().find(|result| result.resource_name.as_str() == name).unwrap().error_code;
    assert_eq!((code(&topic.name), code(&absent)), (0, 3));
}

#[test]
fn a_resource_of_an_unknown_kind_is_an_invalid_request() {
    let mut client = connect();
    for kind in [0, 3, 99] {
        assert_eq!(describe(&mut client, 4, kind, "x", None).error_code, 42, "{kind}");
    }
}

#[test]
fn a_configuration_is_set_and_taken_back() {
    let mut topic = Topic::new();
    for version in [0, 1] {
        let set = vec![alteration("retention.ms", SET, Some("7200000"))];
        assert_eq!(alter_topic(&mut topic.client, version, &topic.name, set, false), 0, "version {version}");
        wait_for(&mut topic, "retention.ms", "7200000", OF_THE_TOPIC);
        let delete = vec![alteration("retention.ms", DELETE, None)];
        assert_eq!(alter_topic(&mut topic.client, version, &topic.name, delete, false), 0, "version {version}");
        wait_for(&mut topic, "retention.ms", "604800000", DEFAULT);
    }
}

#[test]
fn what_was_not_named_stays_as_it_is() {
    let mut topic = Topic::with(1, &[("max.message.bytes", "4711"), ("retention.bytes", "1000000")]);
    assert_eq!(alter(&mut topic, "retention.ms", SET, Some("7200000")), 0);
    wait_for(&mut topic, "retention.ms", "7200000", OF_THE_TOPIC);
    assert_eq!(config(&mut topic, "max.message.bytes"), ("4711".to_owned(), OF_THE_TOPIC));
    assert_eq!(config(&mut topic, "retention.bytes"), ("1000000".to_owned(), OF_THE_TOPIC));
}

#[test]
fn a_new_max_message_bytes_has_its_effect() {
    let mut topic = Topic::new();
    assert_eq!(topic.produce(batch_of_size(2000).build()).error_code, 0);
    assert_eq!(alter(&mut topic, "max.message.bytes", SET, Some("1000")), 0);
    eventually("the lower limit", || (topic.produce(batch_of_size(2000).build()).error_code == 10).then_some(()));
    assert_eq!(topic.produce(batch_of_size(1000).build()).error_code, 0);
    assert_eq!(alter(&mut topic, "max.message.bytes", DELETE, None), 0);
    eventually("the default", || (topic.produce(batch_of_size(2000).build()).error_code == 0).then_some(()));
}

#[test]
fn a_new_timestamp_type_has_its_effect_on_what_is_written_from_then_on() {
    let mut topic = Topic::new();
    topic.append(&batch(["a"]));
    assert_eq!(alter(&mut topic, "message.timestamp.type", SET, Some("LogAppendTime")), 0);
    let written = eventually("log append time", || {
        Some(topic.produce(batch(["b"]).build())).filter(|written| written.log_append_time_ms != -1)
    });
    assert_eq!(topic.batches_from(written.base_offset)[0].attributes & LOG_APPEND_TIME, LOG_APPEND_TIME);
    assert_eq!(topic.batches_from(0)[0].attributes & LOG_APPEND_TIME, 0);
}

#[test]
fn validate_only_alters_nothing() {
    let mut topic = Topic::new();
    for version in [0, 1] {
        let set = |value| vec![alteration("max.message.bytes", SET, Some(value))];
        assert_eq!(alter_topic(&mut topic.client, version, &topic.name, set("1000"), true), 0);
        assert_eq!(alter_topic(&mut topic.client, version, &topic.name, set("many"), true), 40);
    }
    // A change of another key that was made later is visible: so would the first be.
    assert_eq!(alter(&mut topic, "retention.ms", SET, Some("7200000")), 0);
    wait_for(&mut topic, "retention.ms", "7200000", OF_THE_TOPIC);
    assert_eq!(config(&mut topic, "max.message.bytes"), ("1048588".to_owned(), DEFAULT));
}

#[test]
fn unknown_configurations_and_wrong_values_are_refused() {
    let mut topic = Topic::new();
    for (name, value) in [
        ("no.such.config", "1"),
        ("max.message.bytes", "many"),
        ("max.message.bytes", "-1"),
        ("message.timestamp.type", "Yesterday"),
        ("cleanup.policy", "burn"),
    ] {
        for version in [0, 1] {
            let set = vec![alteration(name, SET, Some(value))];
            assert_eq!(alter_topic(&mut topic.client, version, &topic.name, set, false), 40, "{name}={value}");
        }
    }
}

#[test]
fn one_wrong_configuration_of_a_topic_stops_the_others_of_that_topic_only() {
    let (mut one, mut two) = (Topic::new(), Topic::new());
    let of = |topic: &Topic, alterations| {
        AlterConfigsResource::default()
            .with_resource_type(TOPIC)
            .with_resource_name(topic.name.0.clone())
            .with_configs(alterations)
    };
    let fine = alteration("retention.ms", SET, Some("7200000"));
    let wrong = alteration("no.such.config", SET, Some("1"));
    let request = IncrementalAlterConfigsRequest::default()
        .with_resources(vec![of(&one, vec![fine.clone(), wrong]), of(&two, vec![fine])]);
    let response = one.client.call(&request, 1);
    let code = |topic: &Topic| {
        response.responses.iter().find(|answer| answer.resource_name == topic.name.0).unwrap().error_code
    };
    assert_eq!((code(&one), code(&two)), (40, 0));
    wait_for(&mut two, "retention.ms", "7200000", OF_THE_TOPIC);
    assert_eq!(config(&mut one, "retention.ms").1, DEFAULT);
}

#[test]
fn lists_are_appended_to_and_subtracted_from() {
    let mut topic = Topic::new();
    assert_eq!(alter(&mut topic, "cleanup.policy", APPEND, Some("compact")), 0);
    wait_for(&mut topic, "cleanup.policy", "delete,compact", OF_THE_TOPIC);
    assert_eq!(alter(&mut topic, "cleanup.policy", SUBTRACT, Some("delete")), 0);
    wait_for(&mut topic, "cleanup.policy", "compact", OF_THE_TOPIC);
}

#[test]
fn what_is_no_list_is_not_appended_to() {
    let mut topic = Topic::new();
    for operation in [APPEND, SUBTRACT] {
        assert_eq!(alter(&mut topic, "max.message.bytes", operation, Some("1")), 40);
    }
    assert_eq!(config(&mut topic, "max.message.bytes").1, DEFAULT);
}

#[test]
fn to_set_needs_a_value_and_an_operation_that_is_known() {
    let mut topic = Topic::new();
    assert_eq!(alter(&mut topic, "max.message.bytes", SET, None), 42);
    assert_ne!(alter(&mut topic, "max.message.bytes", 9, Some("1000")), 0);
    assert_eq!(config(&mut topic, "max.message.bytes").1, DEFAULT);
}

#[test]
fn a_configuration_twice_in_one_alteration_is_refused() {
    let mut topic = Topic::new();
    let twice = vec![alteration("max.message.bytes", SET, Some("1000")), alteration("max.message.bytes", DELETE, None)];
    assert_eq!(alter_topic(&mut topic.client, 1, &topic.name, twice, false), 42);
    assert_eq!(config(&mut topic, "max.message.bytes").1, DEFAULT);
}

#[test]
fn the_configuration_of_an_unknown_topic_is_not_altered() {
    let mut client = connect();
    for version in [0, 1] {
        let set = vec![alteration("max.message.bytes", SET, Some("1000"))];
        assert_eq!(alter_topic(&mut client, version, &unique("absent"), set, false), 3, "version {version}");
    }
}

#[test]
fn a_resource_twice_in_one_request_is_refused_each_time() {
    let mut topic = Topic::new();
    let resource = |value| {
        AlterConfigsResource::default()
            .with_resource_type(TOPIC)
            .with_resource_name(topic.name.0.clone())
            .with_configs(vec![alteration("max.message.bytes", SET, Some(value))])
    };
    let request = IncrementalAlterConfigsRequest::default().with_resources(vec![resource("1000"), resource("2000")]);
    let response = topic.client.call(&request, 1);
    assert!(response.responses.iter().all(|answer| answer.error_code == 42));
    assert_eq!(config(&mut topic, "max.message.bytes").1, DEFAULT);
}

#[test]
fn the_configuration_of_a_name_that_no_topic_may_have_is_not_altered() {
    let mut client = connect();
    let set = || vec![alteration("max.message.bytes", SET, Some("1000"))];
    for bad in ["..", "a b"] {
        assert_eq!(alter_topic(&mut client, 1, bad, set(), false), 17, "{bad:?}");
    }
}
