//! CreateTopics and DeleteTopics.

use kafka_protocol::messages::{
    CreateTopicsRequest, DeleteTopicsRequest, TopicName, create_topics_request::CreatableReplicaAssignment,
    create_topics_response::CreatableTopicResult, delete_topics_request::DeleteTopicState,
};
use uuid::Uuid;

use super::support::{
    Topic, batch, creatable, creatable_configs, create, create_in_version, delete_and_wait, describe_topic, eventually,
    fetch_request, name, only_fetched, only_partition, produce_request, wait_until_led,
};
use crate::support::{
    broker::{connect, unique},
    wire::{Client, text},
};

fn fresh() -> TopicName {
    name(&unique("storage"))
}

/// The code of a creation of one topic, version by version.
fn codes(client: &mut Client, topic: &kafka_protocol::messages::create_topics_request::CreatableTopic) -> Vec<i16> {
    [2, 4, 7].map(|version| create_in_version(client, version, topic.clone(), false).error_code).to_vec()
}

fn exists(client: &mut Client, topic: &TopicName) -> bool {
    describe_topic(client, topic).error_code == 0
}

/// DeleteTopics of one topic: by name, in any version.
fn delete(client: &mut Client, version: i16, topic: &TopicName) -> i16 {
    let request = DeleteTopicsRequest::default().with_timeout_ms(30_000);
    let request = if version < 6 {
        request.with_topic_names(vec![topic.clone()])
    } else {
        request.with_topics(vec![DeleteTopicState::default().with_name(Some(topic.clone()))])
    };
    let response = client.call(&request, version);
    assert_eq!(response.responses.len(), 1);
    assert_eq!(response.responses[0].name.as_ref(), Some(topic));
    response.responses[0].error_code
}

fn delete_by_id(client: &mut Client, id: Uuid) -> (i16, Option<TopicName>) {
    let request = DeleteTopicsRequest::default()
        .with_timeout_ms(30_000)
        .with_topics(vec![DeleteTopicState::default().with_name(None).with_topic_id(id)]);
    let mut response = client.call(&request, 6);
    let answer = response.responses.remove(0);
    assert_eq!(answer.topic_id, id);
    (answer.error_code, answer.name)
}

#[test]
fn a_topic_is_created_in_every_version_with_as_many_partitions_as_wanted() {
    let mut client = connect();
    for version in 2..=7 {
        let topic = fresh();
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
        let topic = fresh();
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
        let topic = creatable(&fresh(), 1).with_configs(creatable_configs(&[("max.message.bytes", "4711")]));
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
        let topic = fresh();
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
        let topic = fresh();
        assert_eq!(codes(&mut client, &creatable(&topic, count)), [37, 37, 37], "{count}");
        assert!(!exists(&mut client, &topic));
    }
}

#[test]
fn more_replicas_than_brokers_and_fewer_than_1_are_refused() {
    let mut client = connect();
    for factor in [100, 0, -2] {
        let topic = fresh();
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
        let topic = fresh();
        let wanted = creatable(&topic, 1).with_configs(creatable_configs(&[config]));
        assert_eq!(codes(&mut client, &wanted), [40, 40, 40], "{config:?}");
        assert!(!exists(&mut client, &topic));
    }
}

#[test]
fn a_configuration_without_a_value_is_refused() {
    let mut client = connect();
    let config = kafka_protocol::messages::create_topics_request::CreatableTopicConfig::default()
        .with_name(text("max.message.bytes"))
        .with_value(None);
    let wanted = creatable(&fresh(), 1).with_configs(vec![config]);
    assert_eq!(create(&mut client, wanted).error_code, 40);
}

#[test]
fn one_bad_topic_does_not_stop_the_others_of_the_request() {
    let mut client = connect();
    let (fine, bad) = (fresh(), fresh());
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
        let (twice, once) = (fresh(), fresh());
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
        let would_be = fresh();
        let answer = create_in_version(&mut topic.client, version, creatable(&would_be, 3), true);
        assert_eq!(answer.error_code, 0, "version {version}");
        if version >= 5 {
            assert_eq!((answer.num_partitions, answer.replication_factor), (3, 1));
        }
        assert!(!exists(&mut topic.client, &would_be));
        assert_eq!(create_in_version(&mut topic.client, version, creatable(&fresh(), 0), true).error_code, 37);
        let existing = creatable(&topic.name, 1);
        assert_eq!(create_in_version(&mut topic.client, version, existing, true).error_code, 36);
    }
}

#[test]
fn replicas_may_be_assigned_by_hand() {
    let mut client = connect();
    let broker = client.call(&super::support::metadata_request(&fresh()), 12).brokers[0].node_id;
    let to = |partition: i32, broker_ids: Vec<kafka_protocol::messages::BrokerId>| {
        CreatableReplicaAssignment::default().with_partition_index(partition).with_broker_ids(broker_ids)
    };
    let assigned =
        |topic: &TopicName, assignments| creatable(topic, -1).with_replication_factor(-1).with_assignments(assignments);
    for version in [2, 4, 7] {
        let topic = fresh();
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
            let refused = create_in_version(&mut client, version, assigned(&fresh(), assignments.clone()), false);
            assert_eq!(refused.error_code, 39, "{assignments:?}");
        }
        let counted = creatable(&fresh(), 1).with_assignments(vec![to(0, vec![broker])]);
        assert_eq!(create_in_version(&mut client, version, counted, false).error_code, 42);
    }
}

#[test]
fn a_topic_is_deleted_in_every_version() {
    for version in 1..=6 {
        let mut topic = Topic::new();
        assert_eq!(delete(&mut topic.client, version, &topic.name), 0, "version {version}");
        eventually("the end of the topic", || (!exists(&mut topic.client, &topic.name)).then_some(()));
        assert_eq!(delete(&mut topic.client, version, &topic.name), 3, "version {version}");
    }
}

#[test]
fn a_topic_that_is_not_there_cannot_be_deleted() {
    let mut client = connect();
    for version in 1..=6 {
        assert_eq!(delete(&mut client, version, &fresh()), 3, "version {version}");
    }
}

#[test]
fn a_topic_may_be_deleted_by_its_id() {
    let mut topic = Topic::new();
    let id = describe_topic(&mut topic.client, &topic.name).topic_id;
    assert_eq!(delete_by_id(&mut topic.client, id), (0, Some(topic.name.clone())));
    eventually("the end of the topic", || (!exists(&mut topic.client, &topic.name)).then_some(()));
    assert_eq!(delete_by_id(&mut topic.client, id), (100, None));
}

#[test]
fn an_unknown_id_cannot_be_deleted() {
    assert_eq!(delete_by_id(&mut connect(), Uuid::new_v4()), (100, None));
}

#[test]
fn several_topics_are_deleted_in_one_request_and_unknown_ones_are_refused() {
    let (mut one, two) = (Topic::new(), Topic::new());
    let absent = fresh();
    let names = vec![one.name.clone(), absent.clone(), two.name.clone()];
    let response = one.client.call(&DeleteTopicsRequest::default().with_timeout_ms(30_000).with_topic_names(names), 5);
    let code = |topic: &TopicName| {
        response.responses.iter().find(|answer| answer.name.as_ref() == Some(topic)).unwrap().error_code
    };
    assert_eq!((code(&one.name), code(&absent), code(&two.name)), (0, 3, 0));
    for topic in [&one.name, &two.name] {
        eventually("the end of the topic", || (!exists(&mut one.client, topic)).then_some(()));
    }
}

#[test]
fn a_deletion_names_each_topic_once_and_either_by_name_or_by_id() {
    let mut topic = Topic::new();
    let id = describe_topic(&mut topic.client, &topic.name).topic_id;
    let named = DeleteTopicState::default().with_name(Some(topic.name.clone()));
    for topics in [
        vec![named.clone(), named.clone()],
        vec![named.clone().with_topic_id(id)],
        vec![DeleteTopicState::default().with_name(None)],
    ] {
        let request = DeleteTopicsRequest::default().with_timeout_ms(30_000).with_topics(topics);
        let response = topic.client.call(&request, 6);
        let codes: Vec<_> = response.responses.iter().map(|answer| answer.error_code).collect();
        assert_eq!(codes, [42]);
    }
    assert!(exists(&mut topic.client, &topic.name));
}

#[test]
fn a_deletion_of_nothing_is_answered_with_nothing() {
    let mut client = connect();
    for version in [1, 4, 6] {
        assert!(client.call(&DeleteTopicsRequest::default(), version).responses.is_empty());
    }
}

#[test]
fn a_deleted_topic_is_neither_written_nor_read() {
    let mut topic = Topic::new();
    topic.append(&batch(["a"]));
    delete_and_wait(&mut topic.client, &topic.name);
    let request = produce_request(&topic.name, 0, Some(batch(["b"]).build()));
    assert_eq!(only_partition(topic.client.call(&request, 9)).error_code, 3);
    assert_eq!(only_fetched(topic.client.call(&fetch_request(&topic.name, &[(0, 0)]), 12)).error_code, 3);
}

#[test]
fn a_topic_that_is_created_again_is_empty_and_another_one() {
    let mut topic = Topic::with(2, &[("max.message.bytes", "1000")]);
    topic.append(&batch(["a"]));
    let first = describe_topic(&mut topic.client, &topic.name).topic_id;
    delete_and_wait(&mut topic.client, &topic.name);
    eventually("the topic again", || {
        (create(&mut topic.client, creatable(&topic.name, 1)).error_code == 0).then_some(())
    });
    wait_until_led(&mut topic.client, &topic.name, 1);
    let again = describe_topic(&mut topic.client, &topic.name);
    assert_ne!(again.topic_id, first);
    assert_eq!(again.partitions.len(), 1);
    assert_eq!(topic.range(), (0, 0));
    assert_eq!(topic.append(&super::support::batch_of_size(2000)), 0, "nor has it the other's configuration");
}
