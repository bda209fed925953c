//! CreateTopics.

use kafka_protocol::messages::{
    BrokerId, CreateTopicsRequest, TopicName,
    create_topics_request::{CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig},
    create_topics_response::CreatableTopicResult,
};

use super::support::{
    Topic, creatable, creatable_configs, create, create_in_version, describe_topic, exists, metadata_request, name,
    unused_name, wait_until_led,
};
use crate::support::{
    broker::{connect, unique},
    wire::{Client, text},
};

/// The code of a creation of one topic, version by version.
fn codes(client: &mut Client, topic: &CreatableTopic) -> Vec<i16> {
    [2, 4, 7].map(|version| create_in_version(client, version, topic.clone(), false).error_code).to_vec()
}

#[test]
fn a_topic_is_created_in_every_version_with_as_many_partitions_as_wanted() {
    let mut client = connect();
    for version in 2..=7 {
        let topic = unused_name();
        let created = create_in_version(&mut client, version, creatable(&topic, 3), false);
        assert_eq!((created.error_code, &created.name), (0, &topic), "version {version}");
        assert!(created.error_message.is_none());
        wait_until_led(&mut client, &topic, 3);
    }
}

#[test]
fn the_answer_tells_partitions_and_replicas_from_version_5_and_the_id_from_version_7() {
    let mut client = connect();
    for version in [4, 5, 6, 7] {
        let topic = unused_name();
        let created = create_in_version(&mut client, version, creatable(&topic, 2), false);
        assert_eq!(created.topic_config_error_code, 0);
        let expected = if version < 5 { (-1, -1) } else { (2, 1) };
        assert_eq!((created.num_partitions, created.replication_factor), expected, "version {version}");
        assert_eq!(created.topic_id.is_nil(), version < 7, "version {version}");
        wait_until_led(&mut client, &topic, 2);
        if version == 7 {
            assert_eq!(describe_topic(&mut client, &topic).topic_id, created.topic_id);
        }
    }
}

/// Java's AdminClient reads them, and fails where they are null.
#[test]
fn the_answer_tells_the_configuration_from_version_5() {
    let mut client = connect();
    for version in [5, 7] {
        let topic = creatable(&unused_name(), 1).with_configs(creatable_configs(&[("max.message.bytes", "4711")]));
        let created = create_in_version(&mut client, version, topic, false);
        let configs = created.configs.expect("configs");
        let found = |name: &str| {
            let config = configs.iter().find(|config| config.name.as_str() == name).expect(name);
            (config.value.as_ref().map(|value| value.to_string()), config.config_source, config.is_sensitive)
        };
        assert_eq!(found("max.message.bytes"), (Some("4711".to_owned()), 1, false), "version {version}");
        assert_eq!(found("message.timestamp.type"), (Some("CreateTime".to_owned()), 5, false), "version {version}");
    }
}

#[test]
fn each_topic_has_an_id_of_its_own() {
    let (mut one, two) = (Topic::new(), Topic::new());
    let id = |client: &mut Client, topic: &TopicName| describe_topic(client, topic).topic_id;
    let (first, second) = (id(&mut one.client, &one.name), id(&mut one.client, &two.name));
    assert!(!first.is_nil() && !second.is_nil());
    assert_ne!(first, second);
}

#[test]
fn minus_1_leaves_the_number_of_partitions_and_replicas_to_the_broker() {
    let mut client = connect();
    for version in [4, 5, 7] {
        let topic = unused_name();
        let wanted = creatable(&topic, -1).with_replication_factor(-1);
        let created = create_in_version(&mut client, version, wanted, false);
        assert_eq!(created.error_code, 0, "version {version}");
        if version >= 5 {
            assert_eq!((created.num_partitions, created.replication_factor), (1, 1), "version {version}");
        }
        wait_until_led(&mut client, &topic, 1);
    }
}

#[test]
fn a_topic_that_exists_is_not_created_again() {
    let mut topic = Topic::with(2, &[]);
    for version in [2, 4, 7] {
        let again = create_in_version(&mut topic.client, version, creatable(&topic.name, 5), false);
        assert_eq!(again.error_code, 36, "version {version}");
        assert!(again.error_message.is_some());
    }
    assert_eq!(describe_topic(&mut topic.client, &topic.name).partitions.len(), 2);
}

#[test]
fn a_number_of_partitions_below_1_is_refused() {
    let mut client = connect();
    for count in [0, -2, i32::MIN] {
        let topic = unused_name();
        assert_eq!(codes(&mut client, &creatable(&topic, count)), [37, 37, 37], "{count}");
        assert!(!exists(&mut client, &topic));
    }
}

#[test]
fn more_replicas_than_brokers_and_fewer_than_1_are_refused() {
    let mut client = connect();
    for factor in [100, 0, -2] {
        let topic = unused_name();
        let wanted = creatable(&topic, 1).with_replication_factor(factor);
        assert_eq!(codes(&mut client, &wanted), [38, 38, 38], "{factor}");
        assert!(!exists(&mut client, &topic));
    }
}

#[test]
fn names_that_no_topic_may_have_are_refused() {
    let mut client = connect();
    let too_long = "x".repeat(250);
    for bad in ["", ".", "..", &too_long, "a b", "a/b", "ä", "a:b", "a\n"] {
        assert_eq!(codes(&mut client, &creatable(&name(bad), 1)), [17, 17, 17], "{bad:?}");
    }
}

#[test]
fn names_may_be_249_characters_long_and_have_letters_digits_dots_dashes_and_underscores() {
    let mut client = connect();
    let long = format!("{}-{}", unique("long"), "x".repeat(249));
    for fine in [&long[..249], &unique("...a.B_c-9"), &unique("_"), &unique("-")] {
        let topic = name(fine);
        assert_eq!(create(&mut client, creatable(&topic, 1)).error_code, 0, "{fine:?}");
        wait_until_led(&mut client, &topic, 1);
    }
}

/// Metrics write both as an underscore.
#[test]
fn names_that_differ_in_dots_and_underscores_only_collide() {
    let mut client = connect();
    let plain = unique("collision");
    assert_eq!(create(&mut client, creatable(&name(&format!("{plain}.a_b")), 1)).error_code, 0);
    for collides in [format!("{plain}_a_b"), format!("{plain}.a.b"), format!("{plain}_a.b")] {
        assert_eq!(create(&mut client, creatable(&name(&collides), 1)).error_code, 17, "{collides}");
    }
    assert_eq!(create(&mut client, creatable(&name(&format!("{plain}-a-b")), 1)).error_code, 0);
}

#[test]
fn an_unknown_configuration_or_a_wrong_value_is_refused() {
    let mut client = connect();
    for config in [
        ("no.such.config", "1"),
        ("max.message.bytes", "many"),
        ("max.message.bytes", "-1"),
        ("message.timestamp.type", "Yesterday"),
        ("cleanup.policy", "burn"),
        ("retention.ms", "-2"),
    ] {
        let topic = unused_name();
        let wanted = creatable(&topic, 1).with_configs(creatable_configs(&[config]));
        assert_eq!(codes(&mut client, &wanted), [40, 40, 40], "{config:?}");
        assert!(!exists(&mut client, &topic));
    }
}

#[test]
fn a_configuration_without_a_value_is_refused() {
    let mut client = connect();
    let config = CreatableTopicConfig::default().with_name(text("max.message.bytes")).with_value(None);
    let wanted = creatable(&unused_name(), 1).with_configs(vec![config]);
    assert_eq!(create(&mut client, wanted).error_code, 40);
}

#[test]
fn one_bad_topic_does_not_stop_the_others_of_the_request() {
    let mut client = connect();
    let (fine, bad) = (unused_name(), unused_name());
    let request = CreateTopicsRequest::default()
        .with_timeout_ms(30_000)
        .with_topics(vec![creatable(&bad, 0), creatable(&fine, 1)]);
    let response = client.call(&request, 7);
    let code = |topic: &TopicName| response.topics.iter().find(|answer| answer.name == *topic).unwrap().error_code;
    assert_eq!((code(&fine), code(&bad)), (0, 37));
    wait_until_led(&mut client, &fine, 1);
    assert!(!exists(&mut client, &bad));
}

#[test]
fn a_name_twice_in_one_request_is_refused_and_not_created() {
    let mut client = connect();
    for version in [2, 4, 7] {
        let (twice, once) = (unused_name(), unused_name());
        let request = CreateTopicsRequest::default().with_timeout_ms(30_000).with_topics(vec![
            creatable(&twice, 1),
            creatable(&once, 1),
            creatable(&twice, 1),
        ]);
        let response = client.call(&request, version);
        let of = |topic: &TopicName| -> Vec<&CreatableTopicResult> {
            response.topics.iter().filter(|answer| answer.name == *topic).collect()
        };
        assert!(of(&twice).iter().all(|answer| answer.error_code == 42), "version {version}");
        assert_eq!((of(&twice).len(), of(&once).len()), (1, 1), "version {version}");
        assert_eq!(of(&once)[0].error_code, 0);
        wait_until_led(&mut client, &once, 1);
        assert!(!exists(&mut client, &twice));
    }
}

#[test]
fn a_creation_of_nothing_is_answered_with_nothing() {
    let mut client = connect();
    for version in [2, 4, 7] {
        assert!(client.call(&CreateTopicsRequest::default(), version).topics.is_empty());
    }
}

#[test]
fn validate_only_creates_nothing() {
    let mut topic = Topic::new();
    for version in [2, 4, 5, 7] {
        let would_be = unused_name();
        let answer = create_in_version(&mut topic.client, version, creatable(&would_be, 3), true);
        assert_eq!(answer.error_code, 0, "version {version}");
        if version >= 5 {
            assert_eq!((answer.num_partitions, answer.replication_factor), (3, 1));
        }
        assert!(!exists(&mut topic.client, &would_be));
        assert_eq!(create_in_version(&mut topic.client, version, creatable(&unused_name(), 0), true).error_code, 37);
        let existing = creatable(&topic.name, 1);
        assert_eq!(create_in_version(&mut topic.client, version, existing, true).error_code, 36);
    }
}

#[test]
fn replicas_may_be_assigned_by_hand() {
    let mut client = connect();
    let broker = client.call(&metadata_request(&unused_name()), 12).brokers[0].node_id;
    let to = |partition: i32, broker_ids: Vec<BrokerId>| {
        CreatableReplicaAssignment::default().with_partition_index(partition).with_broker_ids(broker_ids)
    };
    let assigned =
        |topic: &TopicName, assignments| creatable(topic, -1).with_replication_factor(-1).with_assignments(assignments);
    for version in [2, 4, 7] {
        let topic = unused_name();
        let both = vec![to(1, vec![broker]), to(0, vec![broker])];
        assert_eq!(create_in_version(&mut client, version, assigned(&topic, both), false).error_code, 0);
        wait_until_led(&mut client, &topic, 2);

        let wrong = [
            vec![to(0, vec![9999.into()])],
            vec![to(1, vec![broker])],
            vec![to(0, vec![broker]), to(2, vec![broker])],
            vec![to(0, vec![])],
            vec![to(0, vec![broker, broker])],
        ];
        for assignments in wrong {
            let refused = create_in_version(&mut client, version, assigned(&unused_name(), assignments.clone()), false);
            assert_eq!(refused.error_code, 39, "{assignments:?}");
        }
        let counted = creatable(&unused_name(), 1).with_assignments(vec![to(0, vec![broker])]);
        assert_eq!(create_in_version(&mut client, version, counted, false).error_code, 42);
    }
}
