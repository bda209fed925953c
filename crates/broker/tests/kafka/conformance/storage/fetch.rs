//! Fetch: what an answer tells of a partition.

use kafka_protocol::messages::fetch_request::FetchTopic;

use super::support::{
    Topic, base_offsets, batch, describe_topic, fetch_partition, fetch_request, fetched, name, only_fetched,
    parse_values,
};
use crate::support::broker::{connect, unique};

#[test]
fn what_was_written_is_read_in_every_version() {
    let mut topic = Topic::new();
    topic.append(&batch(["a", "b"]));
    topic.append(&batch(["c"]));
    for version in 4..=12 {
        let response = topic.client.call(&fetch_request(&topic.name, &[(0, 0)]), version);
        assert_eq!((response.error_code, response.session_id), (0, 0), "version {version}");
        assert_eq!(response.responses[0].topic, topic.name);
        let found = only_fetched(response);
        assert_eq!((found.partition_index, found.error_code), (0, 0), "version {version}");
        assert_eq!((found.high_watermark, found.last_stable_offset), (3, 3), "version {version}");
        assert_eq!(found.log_start_offset, if version < 5 { -1 } else { 0 }, "version {version}");
        assert_eq!(found.preferred_read_replica.0, -1, "version {version}");
        assert_eq!(parse_values(found.records.as_deref()), ["a", "b", "c"], "version {version}");
    }
}

#[test]
fn without_transactions_there_are_no_aborted_ones() {
    let mut topic = Topic::new();
    topic.append(&batch(["a"]));
    for (isolation_level, aborted) in [(0, None), (1, Some(0))] {
        for version in [4, 11, 12] {
            let request = fetch_request(&topic.name, &[(0, 0)]).with_isolation_level(isolation_level);
            let found = only_fetched(topic.client.call(&request, version));
            assert_eq!(found.aborted_transactions.map(|list| list.len()), aborted, "version {version}");
            assert_eq!(parse_values(found.records.as_deref()), ["a"]);
        }
    }
}

#[test]
fn a_fetch_from_within_a_batch_gets_the_whole_batch() {
    let mut topic = Topic::new();
    topic.append(&batch(["a", "b", "c"]));
    topic.append(&batch(["d", "e"]));
    for (offset, expected) in [(0, vec![0, 3]), (1, vec![0, 3]), (2, vec![0, 3]), (3, vec![3]), (4, vec![3])] {
        let found = topic.fetch(offset);
        assert_eq!(base_offsets(found.records.as_deref()), expected, "from {offset}");
    }
}

#[test]
fn at_the_end_there_is_nothing_and_no_error() {
    let mut topic = Topic::new();
    let nothing = topic.fetch(0);
    assert_eq!((nothing.error_code, nothing.high_watermark), (0, 0));
    assert!(nothing.records.is_none_or(|records| records.is_empty()));
    topic.append(&batch(["a"]));
    let nothing = topic.fetch(1);
    assert_eq!((nothing.error_code, nothing.high_watermark, nothing.last_stable_offset), (0, 1, 1));
    assert!(nothing.records.is_none_or(|records| records.is_empty()));
}

#[test]
fn an_offset_outside_of_the_log_is_out_of_range() {
    let mut topic = Topic::new();
    for value in ["a", "b", "c"] {
        topic.append(&batch([value]));
    }
    topic.delete_records(1);
    for version in [4, 8, 11, 12] {
        for offset in [0, 4, 1000, -1, -2, i64::MAX, i64::MIN] {
            let request = fetch_request(&topic.name, &[(0, offset)]);
            let found = only_fetched(topic.client.call(&request, version));
            assert_eq!(found.error_code, 1, "offset {offset}, version {version}");
            assert!(found.records.is_none_or(|records| records.is_empty()));
        }
    }
}

#[test]
fn the_answer_to_an_offset_out_of_range_tells_no_offsets() {
    let mut topic = Topic::new();
    topic.append(&batch(["a", "b"]));
    for offset in [-1, 3] {
        let found = topic.fetch(offset);
        assert_eq!(found.error_code, 1);
        assert_eq!((found.high_watermark, found.last_stable_offset, found.log_start_offset), (-1, -1, -1));
    }
}

#[test]
fn unknown_topics_and_partitions_are_told_from_known_ones() {
    let mut topic = Topic::new();
    topic.append(&batch(["a"]));
    for version in [4, 11, 12] {
        let mut request = fetch_request(&topic.name, &[(0, 0), (1, 0), (-1, 0)]);
        let absent =
            FetchTopic::default().with_topic(name(&unique("absent"))).with_partitions(vec![fetch_partition(0, 0)]);
        request.topics.push(absent.clone());
        let response = topic.client.call(&request, version);
        assert_eq!(response.error_code, 0);
        let mut codes: Vec<_> = response
            .responses
            .iter()
            .flat_map(|found| {
                let known = found.topic == topic.name;
                found.partitions.iter().map(move |partition| (known, partition.partition_index, partition.error_code))
            })
            .collect();
        codes.sort_unstable();
        assert_eq!(codes, [(false, 0, 3), (true, -1, 3), (true, 0, 0), (true, 1, 3)], "version {version}");
    }
}

#[test]
fn a_fetch_does_not_create_a_topic() {
    let mut client = connect();
    let absent = name(&unique("absent"));
    assert_eq!(only_fetched(client.call(&fetch_request(&absent, &[(0, 0)]), 12)).error_code, 3);
    assert_eq!(describe_topic(&mut client, &absent).error_code, 3);
}

#[test]
fn a_fetch_of_nothing_is_answered() {
    let mut client = connect();
    let request = fetch_request(&name("any"), &[]).with_topics(vec![]);
    for version in [4, 11, 12] {
        let response = client.call(&request, version);
        assert_eq!((response.error_code, response.responses.len()), (0, 0), "version {version}");
    }
}

#[test]
fn partitions_are_answered_in_the_order_of_the_request() {
    let mut topic = Topic::with(3, &[]);
    for partition in 0..3 {
        topic.produce_to(partition, batch([format!("of {partition}")]).build());
    }
    let found = fetched(topic.client.call(&fetch_request(&topic.name, &[(2, 0), (0, 0), (1, 0)]), 12));
    let indexes: Vec<_> = found.iter().map(|partition| partition.partition_index).collect();
    assert_eq!(indexes, [2, 0, 1]);
    for partition in found {
        assert_eq!(parse_values(partition.records.as_deref()), [format!("of {}", partition.partition_index)]);
    }
}

#[test]
fn a_consumer_with_another_leader_epoch_is_told_so() {
    let mut topic = Topic::new();
    topic.append(&batch(["a"]));
    for version in [9, 11, 12] {
        for (epoch, code) in [(-1, 0), (0, 0), (1, 75), (1000, 75)] {
            let mut request = fetch_request(&topic.name, &[(0, 0)]);
            request.topics[0].partitions[0].current_leader_epoch = epoch;
            let found = only_fetched(topic.client.call(&request, version));
            assert_eq!(found.error_code, code, "epoch {epoch}, version {version}");
        }
    }
}

#[test]
fn a_log_start_that_moved_is_told_to_readers() {
    let mut topic = Topic::new();
    topic.append(&batch(["a"]));
    topic.append(&batch(["b"]));
    topic.delete_records(1);
    for version in [5, 11, 12] {
        let found = only_fetched(topic.client.call(&fetch_request(&topic.name, &[(0, 1)]), version));
        assert_eq!((found.log_start_offset, found.high_watermark), (1, 2), "version {version}");
    }
}
