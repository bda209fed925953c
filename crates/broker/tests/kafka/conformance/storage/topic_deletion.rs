//! DeleteTopics.

use kafka_protocol::messages::{DeleteTopicsRequest, TopicName, delete_topics_request::DeleteTopicState};
use uuid::Uuid;

use super::support::{
    Topic, batch, batch_of_size, creatable, create, delete_and_wait, describe_topic, eventually, exists, fetch_request,
    only_fetched, only_partition, produce_request, unused_name, wait_until_led,
};
use crate::support::{broker::connect, wire::Client};

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
        assert_eq!(delete(&mut client, version, &unused_name()), 3, "version {version}");
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
    let absent = unused_name();
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
    assert_eq!(topic.append(&batch_of_size(2000)), 0, "nor has it the other's configuration");
}
