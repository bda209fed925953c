//! Metadata and DescribeCluster.

use kafka_protocol::messages::{
    DescribeClusterRequest, MetadataRequest, MetadataResponse, TopicName, metadata_request::MetadataRequestTopic,
};
use uuid::Uuid;

use super::support::{Topic, batch, describe_topic, metadata_request, name, only_partition, produce_request};
use crate::support::{
    broker::{connect, unique},
    wire::Client,
};

/// Not asked for, or not told.
const NO_OPERATIONS: i32 = i32::MIN;

fn by_name(names: &[&TopicName]) -> MetadataRequest {
    let topics = names.iter().map(|name| MetadataRequestTopic::default().with_name(Some((*name).clone()))).collect();
    MetadataRequest::default().with_topics(Some(topics)).with_allow_auto_topic_creation(false)
}

fn by_id(id: Uuid) -> MetadataRequest {
    by_name(&[]).with_topics(Some(vec![MetadataRequestTopic::default().with_topic_id(id).with_name(None)]))
}

fn names(response: &MetadataResponse) -> Vec<&str> {
    response.topics.iter().filter_map(|topic| topic.name.as_deref()).map(|name| name.as_str()).collect()
}

#[test]
fn a_topic_is_described_in_every_version() {
    let mut topic = Topic::with(3, &[]);
    // Versions 1 to 3 have no way to say whether it may be created.
    for version in 0..=13 {
        let request = if version < 4 {
            by_name(&[&topic.name]).with_allow_auto_topic_creation(true)
        } else {
            by_name(&[&topic.name])
        };
        let response = topic.client.call(&request, version);
        assert_eq!(names(&response), [topic.name.as_str()], "version {version}");
        let broker = response.brokers[0].node_id;
        let found = &response.topics[0];
        assert_eq!((found.error_code, found.is_internal, found.partitions.len()), (0, false, 3), "version {version}");
        let mut partitions = found.partitions.clone();
        partitions.sort_by_key(|partition| partition.partition_index);
        for (index, partition) in partitions.iter().enumerate() {
            assert_eq!((partition.error_code, partition.partition_index), (0, index as i32), "version {version}");
            assert_eq!(partition.leader_id, broker, "version {version}");
            assert_eq!((&partition.replica_nodes, &partition.isr_nodes), (&vec![broker], &vec![broker]));
            assert!(partition.offline_replicas.is_empty());
            assert_eq!(partition.leader_epoch, if version < 7 { -1 } else { 0 }, "version {version}");
        }
        assert_eq!(found.topic_id.is_nil(), version < 10, "version {version}");
        assert_eq!(found.topic_authorized_operations, NO_OPERATIONS, "version {version}");
    }
}

#[test]
fn the_broker_is_told_with_the_address_to_connect_to() {
    let mut client = connect();
    let nothing = MetadataRequest::default().with_topics(Some(vec![]));
    for version in [1, 4, 6, 12, 13] {
        let response = client.call(&nothing, version);
        assert_eq!((response.error_code, response.brokers.len()), (0, 1), "version {version}");
        let broker = &response.brokers[0];
        assert!(broker.node_id.0 >= 0 && broker.rack.is_none());
        assert_eq!(response.controller_id, broker.node_id, "version {version}");
        let mut there = Client::connect(&format!("{}:{}", broker.host.as_str(), broker.port));
        assert_eq!(&there.call(&nothing, version).brokers[0], broker, "version {version}");
    }
}

#[test]
fn the_cluster_has_an_id_that_stays_the_same() {
    let id = |version| connect().call(&MetadataRequest::default().with_topics(Some(vec![])), version).cluster_id;
    assert_eq!(id(1), None);
    let first = id(2).expect("a cluster id");
    assert!(!first.is_empty());
    for version in [4, 6, 12, 13] {
        assert_eq!(id(version).as_ref(), Some(&first), "version {version}");
    }
}

#[test]
fn no_list_of_topics_means_all_of_them() {
    let mut one = Topic::new();
    let two = Topic::new();
    for version in [0, 1, 4, 6, 9, 12, 13] {
        // Version 0 has no null: its empty list means all.
        let asked = if version == 0 { Some(vec![]) } else { None };
        let response = one.client.call(&MetadataRequest::default().with_topics(asked), version);
        let found = names(&response);
        assert!(found.contains(&one.name.as_str()) && found.contains(&two.name.as_str()), "version {version}");
    }
}

#[test]
fn an_empty_list_of_topics_means_none_from_version_1() {
    let topic = Topic::new();
    let mut client = topic.client;
    for version in [1, 4, 6, 9, 12, 13] {
        let response = client.call(&MetadataRequest::default().with_topics(Some(vec![])), version);
        assert!(response.topics.is_empty(), "version {version}");
    }
}

#[test]
fn only_the_topics_that_were_asked_for_are_described() {
    let (mut one, two, _three) = (Topic::new(), Topic::new(), Topic::new());
    let response = one.client.call(&by_name(&[&two.name, &one.name]), 12);
    let mut found = names(&response);
    let mut expected = [one.name.as_str(), two.name.as_str()];
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
}

#[test]
fn a_topic_asked_for_twice_is_described_once() {
    let mut topic = Topic::new();
    let response = topic.client.call(&by_name(&[&topic.name, &topic.name]), 12);
    assert_eq!(names(&response), [topic.name.as_str()]);
}

#[test]
fn an_unknown_topic_is_unknown_and_not_created_unless_that_is_allowed() {
    let mut client = connect();
    let absent = name(&unique("absent"));
    for version in [4, 6, 9, 12, 13] {
        let response = client.call(&by_name(&[&absent]), version);
        let found = &response.topics[0];
        assert_eq!((found.error_code, found.partitions.len()), (3, 0), "version {version}");
        assert_eq!((found.name.as_ref(), found.topic_id.is_nil()), (Some(&absent), true));
    }
}

#[test]
fn a_topic_is_created_when_it_is_asked_for_and_that_is_allowed() {
    let mut client = connect();
    for version in [0, 1, 4, 9, 12, 13] {
        let topic = name(&unique("created"));
        let request = by_name(&[&topic]).with_allow_auto_topic_creation(true);
        let first = client.call(&request, version).topics.remove(0);
        assert!([0, 3, 5].contains(&first.error_code), "version {version}: {}", first.error_code);
        super::support::wait_until_led(&mut client, &topic, 1);
        let write = produce_request(&topic, 0, Some(batch(["a"]).build()));
        assert_eq!(only_partition(client.call(&write, 9)).base_offset, 0, "version {version}");
    }
}

#[test]
fn names_that_no_topic_may_have_are_refused_whether_they_may_be_created_or_not() {
    let mut client = connect();
    for bad in ["..", "a b", &"x".repeat(250)] {
        for allowed in [true, false] {
            let request = by_name(&[&name(bad)]).with_allow_auto_topic_creation(allowed);
            for version in [4, 9, 12] {
                let found = client.call(&request, version).topics.remove(0);
                assert_eq!((found.error_code, found.partitions.len()), (17, 0), "{bad:?}, version {version}");
            }
        }
    }
}

#[test]
fn a_topic_is_found_by_its_id() {
    let mut topic = Topic::with(2, &[]);
    let id = describe_topic(&mut topic.client, &topic.name).topic_id;
    for version in [12, 13] {
        let response = topic.client.call(&by_id(id), version);
        let found = &response.topics[0];
        assert_eq!((found.error_code, found.topic_id, found.partitions.len()), (0, id, 2), "version {version}");
        assert_eq!(found.name.as_ref(), Some(&topic.name), "version {version}");
    }
}

#[test]
fn an_unknown_id_is_told_so() {
    let id = Uuid::new_v4();
    for version in [12, 13] {
        let response = connect().call(&by_id(id), version);
        let found = &response.topics[0];
        assert_eq!((found.error_code, found.topic_id, found.name.as_ref()), (100, id, None), "version {version}");
    }
}

#[test]
fn what_a_client_may_do_is_told_only_when_it_asks() {
    let mut topic = Topic::new();
    let request = metadata_request(&topic.name).with_include_topic_authorized_operations(true);
    for version in [8, 9, 12, 13] {
        let response = topic.client.call(&request, version);
        let operations = response.topics[0].topic_authorized_operations;
        // Bit n is operation n: read, write, create, delete, alter, describe, and both of configurations.
        assert_eq!(operations, 0b1101_1111_1000, "version {version}");
        assert_eq!(response.cluster_authorized_operations, NO_OPERATIONS, "version {version}");
    }
}

#[test]
fn what_a_client_may_do_with_the_cluster_is_told_by_describe_cluster_and_some_versions_of_metadata() {
    let mut client = connect();
    let request = MetadataRequest::default().with_topics(Some(vec![])).with_include_cluster_authorized_operations(true);
    // Bit n is operation n: create, alter, describe, cluster action, both of configurations, idempotent write.
    let all = 0b1_1111_1010_0000;
    for version in [8, 10] {
        assert_eq!(client.call(&request, version).cluster_authorized_operations, all, "version {version}");
    }
    let request = DescribeClusterRequest::default().with_include_cluster_authorized_operations(true);
    for version in 0..=2 {
        assert_eq!(client.call(&request, version).cluster_authorized_operations, all, "version {version}");
    }
}

#[test]
fn a_broker_does_not_describe_the_controllers() {
    let mut client = connect();
    for version in [1, 2] {
        let refused = client.call(&DescribeClusterRequest::default().with_endpoint_type(2), version);
        assert_eq!((refused.error_code, refused.brokers.len()), (114, 0), "version {version}");
    }
}

#[test]
fn a_new_topic_is_soon_known_to_all_connections() {
    let topic = Topic::new();
    let mut others: Vec<_> = (0..3).map(|_| connect()).collect();
    for other in &mut others {
        assert_eq!(describe_topic(other, &topic.name).error_code, 0);
    }
}

#[test]
fn a_deleted_topic_is_not_among_all() {
    let mut topic = Topic::new();
    super::support::delete_and_wait(&mut topic.client, &topic.name);
    let response = topic.client.call(&MetadataRequest::default().with_topics(None), 12);
    assert!(!names(&response).contains(&topic.name.as_str()));
}

#[test]
fn describe_cluster_tells_what_metadata_tells() {
    let mut client = connect();
    let metadata = client.call(&MetadataRequest::default().with_topics(Some(vec![])), 12);
    for version in 0..=2 {
        let cluster = client.call(&DescribeClusterRequest::default(), version);
        assert_eq!((cluster.error_code, cluster.controller_id), (0, metadata.controller_id), "version {version}");
        assert_eq!(Some(&cluster.cluster_id), metadata.cluster_id.as_ref(), "version {version}");
        assert_eq!(cluster.cluster_authorized_operations, NO_OPERATIONS, "version {version}");
        assert_eq!(cluster.brokers.len(), metadata.brokers.len());
        for (found, expected) in cluster.brokers.iter().zip(&metadata.brokers) {
            assert_eq!(found.broker_id, expected.node_id);
            assert_eq!((&found.host, found.port, &found.rack), (&expected.host, expected.port, &expected.rack));
        }
    }
}
