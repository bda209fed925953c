//! Fetch: how many bytes an answer may have (KIP-74).

use super::support::{Topic, base_offsets, batch, batch_of_size, fetch_request, fetched, only_fetched};
use crate::support::batch::{Fetched, parse};

/// A topic with batches of 1,000 bytes each, one record in each.
fn topic_of_kilobytes(count: usize) -> Topic {
    let mut topic = Topic::new();
    for _ in 0..count {
        topic.append(&batch_of_size(1000));
    }
    topic
}

#[test]
fn a_partitions_limit_cuts_the_records_but_leaves_whole_batches_that_fit() {
    let mut topic = topic_of_kilobytes(5);
    for version in [4, 11, 12] {
        for (limit, expected) in [(2000, vec![0, 1]), (2999, vec![0, 1]), (3000, vec![0, 1, 2])] {
            let mut request = fetch_request(&topic.name, &[(0, 0)]);
            request.topics[0].partitions[0].partition_max_bytes = limit;
            let found = only_fetched(topic.client.call(&request, version)).records.unwrap();
            assert_eq!(base_offsets(Some(&found)), expected, "limit {limit}, version {version}");
            assert!(found.len() <= limit as usize, "limit {limit}, version {version}");
        }
    }
}

/// A consumer leaves out the part of a batch at the end, and asks for it again.
#[test]
fn the_last_batch_is_cut_where_the_limit_is() {
    let mut topic = topic_of_kilobytes(4);
    for version in [4, 11, 12] {
        for (limit, whole) in [(1500, 1), (2000, 2), (2061, 2), (3999, 3), (4000, 4), (4001, 4)] {
            let mut request = fetch_request(&topic.name, &[(0, 0)]);
            request.topics[0].partitions[0].partition_max_bytes = limit;
            let found = only_fetched(topic.client.call(&request, version)).records.unwrap();
            assert_eq!(base_offsets(Some(&found)).len(), whole, "limit {limit}, version {version}");
            assert_eq!(found.len(), 4000.min(limit as usize), "limit {limit}, version {version}");
        }
    }
}

#[test]
fn the_limit_of_the_whole_answer_cuts_the_records_too() {
    let mut topic = topic_of_kilobytes(5);
    for version in [4, 11, 12] {
        let request = fetch_request(&topic.name, &[(0, 0)]).with_max_bytes(2500);
        let found = only_fetched(topic.client.call(&request, version)).records.unwrap();
        assert_eq!(base_offsets(Some(&found)), [0, 1], "version {version}");
        assert!(found.len() <= 2500, "version {version}");
    }
}

/// KIP-74: so that a consumer gets on whatever its limits.
#[test]
fn the_first_batch_comes_whole_though_it_is_larger_than_any_limit() {
    let mut topic = topic_of_kilobytes(2);
    for version in [4, 11, 12] {
        for limit in [1, 0, 999] {
            let mut request = fetch_request(&topic.name, &[(0, 1)]).with_max_bytes(limit);
            request.topics[0].partitions[0].partition_max_bytes = limit;
            let found = only_fetched(topic.client.call(&request, version)).records.unwrap();
            assert_eq!((base_offsets(Some(&found)), found.len()), (vec![1], 1000), "limit {limit}, version {version}");
        }
    }
}

#[test]
fn a_batch_larger_than_the_limit_comes_alone() {
    let mut topic = Topic::new();
    topic.append(&batch_of_size(1000));
    topic.append(&batch_of_size(100));
    let mut request = fetch_request(&topic.name, &[(0, 0)]);
    request.topics[0].partitions[0].partition_max_bytes = 500;
    let found = only_fetched(topic.client.call(&request, 12)).records.unwrap();
    assert_eq!(found.len(), 1000);
}

#[test]
fn only_the_first_partition_with_records_may_go_beyond_the_limits() {
    let mut topic = Topic::with(3, &[]);
    for partition in [1, 2] {
        topic.produce_to(partition, batch_of_size(1000).build());
    }
    for version in [4, 11, 12] {
        let request = fetch_request(&topic.name, &[(0, 0), (2, 0), (1, 0)]).with_max_bytes(1);
        let found = fetched(topic.client.call(&request, version));
        let whole: Vec<_> = found
            .iter()
            .map(|partition| (partition.partition_index, partition.records.as_ref().map_or(0, |records| records.len())))
            .collect();
        assert_eq!(whole, [(0, 0), (2, 1000), (1, 0)], "version {version}");
    }
}

#[test]
fn a_limit_of_the_whole_answer_goes_to_the_first_partitions() {
    let mut topic = Topic::with(3, &[]);
    for partition in 0..3 {
        topic.produce_to(partition, batch_of_size(1000).build());
        topic.produce_to(partition, batch_of_size(1000).build());
    }
    let request = fetch_request(&topic.name, &[(0, 0), (1, 0), (2, 0)]).with_max_bytes(3000);
    let found = fetched(topic.client.call(&request, 12));
    let lengths: Vec<_> =
        found.iter().map(|partition| partition.records.as_ref().map_or(0, |records| records.len())).collect();
    assert_eq!(lengths, [2000, 1000, 0]);
}

#[test]
fn reading_on_from_the_last_offset_finds_each_record_once() {
    let mut topic = Topic::new();
    let mut expected = Vec::new();
    for index in 0..40 {
        let values: Vec<_> = (0..=index % 4).map(|part| format!("{index}/{part}")).collect();
        topic.append(&batch(&values));
        expected.extend(values);
    }
    let mut read = Vec::new();
    let mut offset = 0;
    while offset < expected.len() as i64 {
        let mut request = fetch_request(&topic.name, &[(0, offset)]);
        request.topics[0].partitions[0].partition_max_bytes = 300;
        let batches = parse(&only_fetched(topic.client.call(&request, 12)).records.unwrap());
        assert!(!batches.is_empty());
        offset = batches.last().unwrap().last_offset + 1;
        read.extend(batches.iter().flat_map(Fetched::values));
    }
    assert_eq!(read, expected);
}
