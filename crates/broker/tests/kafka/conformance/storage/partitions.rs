//! CreatePartitions: more partitions for a topic.

use kafka_protocol::messages::{
    CreatePartitionsRequest, TopicName,
    create_partitions_request::{CreatePartitionsAssignment, CreatePartitionsTopic},
};

use super::support::{Topic, batch, describe_topic, name, wait_until_led};
use crate::support::{
    broker::{connect, unique},
    wire::Client,
};

fn to(topic: &TopicName, count: i32) -> CreatePartitionsTopic {
    CreatePartitionsTopic::default().with_name(topic.clone()).with_count(count).with_assignments(None)
}

/// Codes, in the order of the answer.
fn grow(client: &mut Client, version: i16, topics: Vec<CreatePartitionsTopic>, validate_only: bool) -> Vec<i16> {
    let request = CreatePartitionsRequest::default()
        .with_topics(topics)
        .with_timeout_ms(30_000)
        .with_validate_only(validate_only);
    client.call(&request, version).results.iter().map(|result| result.error_code).collect()
}

fn count(topic: &mut Topic) -> usize {
    describe_topic(&mut topic.client, &topic.name).partitions.len()
}

#[test]
fn a_topic_gets_more_partitions_in_every_version() {
    let mut topic = Topic::new();
    topic.append(&batch(["a"]));
    for version in 0..=3 {
        let wanted = i32::from(version) + 2;
        let topics = vec![to(&topic.name, wanted)];
        assert_eq!(grow(&mut topic.client, version, topics, false), [0], "version {version}");
        wait_until_led(&mut topic.client, &topic.name, wanted);
    }
    assert_eq!(topic.produce_to(4, batch(["in the last"]).build()).base_offset, 0);
    assert_eq!(topic.values_from(0), ["a"]);
}

#[test]
fn a_topic_keeps_at_least_the_partitions_that_it_has() {
    let mut topic = Topic::with(3, &[]);
    for version in [0, 2, 3] {
        for wanted in [3, 2, 0, -1] {
            let topics = vec![to(&topic.name, wanted)];
            assert_eq!(grow(&mut topic.client, version, topics, false), [37], "{wanted}, version {version}");
        }
    }
    assert_eq!(count(&mut topic), 3);
}

#[test]
fn an_unknown_topic_gets_no_partitions() {
    let mut client = connect();
    for version in [0, 2, 3] {
        let topics = vec![to(&name(&unique("absent")), 5)];
        assert_eq!(grow(&mut client, version, topics, false), [3], "version {version}");
    }
}

#[test]
fn validate_only_adds_no_partitions() {
    let mut topic = Topic::with(2, &[]);
    for version in [0, 2, 3] {
        let topics = vec![to(&topic.name, 4)];
        assert_eq!(grow(&mut topic.client, version, topics, true), [0], "version {version}");
        let topics = vec![to(&topic.name, 2)];
        assert_eq!(grow(&mut topic.client, version, topics, true), [37], "version {version}");
    }
    assert_eq!(count(&mut topic), 2);
}

#[test]
fn a_topic_twice_in_one_request_is_refused() {
    let mut topic = Topic::new();
    for version in [0, 2, 3] {
        let topics = vec![to(&topic.name, 2), to(&topic.name, 3)];
        assert_eq!(grow(&mut topic.client, version, topics, false), [42], "version {version}");
    }
    assert_eq!(count(&mut topic), 1);
}

#[test]
fn assignments_must_be_for_the_new_partitions_and_known_brokers() {
    let mut topic = Topic::new();
    let broker = describe_topic(&mut topic.client, &topic.name).partitions[0].leader_id;
    let on = |broker_ids| CreatePartitionsAssignment::default().with_broker_ids(broker_ids);
    for assignments in [vec![on(vec![broker])], vec![on(vec![broker]), on(vec![9999.into()])]] {
        let topics = vec![to(&topic.name, 3).with_assignments(Some(assignments))];
        assert_eq!(grow(&mut topic.client, 3, topics, false), [39]);
    }
    let topics = vec![to(&topic.name, 3).with_assignments(Some(vec![on(vec![broker]), on(vec![broker])]))];
    assert_eq!(grow(&mut topic.client, 3, topics, false), [0]);
    wait_until_led(&mut topic.client, &topic.name, 3);
}
