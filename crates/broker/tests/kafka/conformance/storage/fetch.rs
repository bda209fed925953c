//! Fetch: offsets, limits, and waiting.

use std::time::{Duration, Instant};

use kafka_protocol::messages::{FetchRequest, fetch_request::FetchTopic};

use super::support::{
    Topic, batch, batch_of_size, delete_and_wait, fetch_partition, fetch_request, fetched, name, only_fetched,
    parse_values,
};
use crate::support::{
    batch::parse,
    broker::{connect, unique},
};

/// Longer than the client's patience: an answer that comes was not brought by the time.
const LONG: i32 = i32::MAX;

/// A broker's clock need not tick with the test's.
const ALMOST_300_MS: Duration = Duration::from_millis(290);

/// Base offsets of the batches in an answer.
fn base_offsets(records: Option<&[u8]>) -> Vec<i64> {
    parse(records.unwrap_or_default()).iter().map(|batch| batch.base_offset).collect()
}

/// A topic with batches of 1,000 bytes each, one record in each.
fn topic_of_kilobytes(count: usize) -> Topic {
    let mut topic = Topic::new();
    for _ in 0..count {
        topic.append(&batch_of_size(1000));
    }
    topic
}

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
fn an_error_in_one_partition_is_answered_without_waiting_for_the_others() {
    let mut topic = Topic::with(2, &[]);
    let partitions = [(0, 0), (1, 5)];
    let request = fetch_request(&topic.name, &partitions).with_max_wait_ms(LONG);
    let found = fetched(topic.client.call(&request, 12));
    assert_eq!((found[0].error_code, found[1].error_code), (0, 1));
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
    assert_eq!(super::support::describe_topic(&mut client, &absent).error_code, 3);
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
fn a_fetch_at_the_end_waits_as_long_as_it_may_and_no_less() {
    let mut topic = Topic::new();
    for version in [4, 11, 12] {
        let start = Instant::now();
        let request = fetch_request(&topic.name, &[(0, 0)]).with_max_wait_ms(300);
        let found = only_fetched(topic.client.call(&request, version));
        assert_eq!(found.error_code, 0);
        assert!(start.elapsed() >= ALMOST_300_MS, "version {version}: {:?}", start.elapsed());
    }
}

#[test]
fn a_fetch_that_waits_is_woken_by_a_record() {
    let mut topic = Topic::new();
    let mut other = topic.again();
    for version in [4, 11, 12] {
        let end = topic.list_offset(super::support::LATEST).offset;
        let request = fetch_request(&topic.name, &[(0, end)]).with_max_wait_ms(LONG);
        let waiting = topic.client.send(&request, version);
        assert!(topic.client.is_silent_for(Duration::from_millis(200)));
        other.append(&batch(["wakes it"]));
        let found = only_fetched(topic.client.receive(waiting));
        assert_eq!(parse_values(found.records.as_deref()), ["wakes it"], "version {version}");
        assert_eq!((found.high_watermark, found.last_stable_offset), (end + 1, end + 1));
    }
}

#[test]
fn a_fetch_that_waits_is_not_woken_by_another_partition() {
    let mut topic = Topic::with(2, &[]);
    let mut other = topic.again();
    let waiting = topic.client.send(&fetch_request(&topic.name, &[(0, 0)]).with_max_wait_ms(LONG), 12);
    other.produce_to(1, batch(["elsewhere"]).build());
    assert!(topic.client.is_silent_for(Duration::from_millis(300)));
    other.produce_to(0, batch(["here"]).build());
    assert_eq!(parse_values(only_fetched(topic.client.receive(waiting)).records.as_deref()), ["here"]);
}

#[test]
fn any_of_its_partitions_wakes_a_fetch() {
    let mut topic = Topic::with(3, &[]);
    let mut other = topic.again();
    let request = fetch_request(&topic.name, &[(0, 0), (1, 0), (2, 0)]).with_max_wait_ms(LONG);
    let waiting = topic.client.send(&request, 12);
    assert!(topic.client.is_silent_for(Duration::from_millis(100)));
    other.produce_to(1, batch(["a"]).build());
    let found = fetched(topic.client.receive(waiting));
    let values: Vec<_> = found.iter().map(|partition| parse_values(partition.records.as_deref()).len()).collect();
    assert_eq!(values, [0, 1, 0]);
}

#[test]
fn a_fetch_waits_until_there_are_as_many_bytes_as_it_wants() {
    let mut topic = Topic::new();
    let mut other = topic.again();
    let request = fetch_request(&topic.name, &[(0, 0)]).with_max_wait_ms(LONG).with_min_bytes(2500);
    let waiting = topic.client.send(&request, 12);
    other.append(&batch_of_size(1000));
    other.append(&batch_of_size(1000));
    assert!(topic.client.is_silent_for(Duration::from_millis(300)));
    other.append(&batch_of_size(1000));
    let found = only_fetched(topic.client.receive(waiting));
    assert_eq!(base_offsets(found.records.as_deref()), [0, 1, 2]);
}

#[test]
fn the_bytes_of_all_partitions_count_together() {
    let mut topic = Topic::with(2, &[]);
    let mut other = topic.again();
    let request = fetch_request(&topic.name, &[(0, 0), (1, 0)]).with_max_wait_ms(LONG).with_min_bytes(2000);
    let waiting = topic.client.send(&request, 12);
    other.produce_to(0, batch_of_size(1000).build());
    assert!(topic.client.is_silent_for(Duration::from_millis(200)));
    other.produce_to(1, batch_of_size(1000).build());
    let found = fetched(topic.client.receive(waiting));
    assert!(found.iter().all(|partition| base_offsets(partition.records.as_deref()) == [0]));
}

#[test]
fn when_the_time_is_over_a_fetch_gets_what_there_is() {
    let mut topic = topic_of_kilobytes(1);
    let request = fetch_request(&topic.name, &[(0, 0)]).with_max_wait_ms(300).with_min_bytes(5000);
    let start = Instant::now();
    let found = only_fetched(topic.client.call(&request, 12));
    assert!(start.elapsed() >= ALMOST_300_MS);
    assert_eq!(base_offsets(found.records.as_deref()), [0]);
}

#[test]
fn min_bytes_0_does_not_wait() {
    let mut topic = Topic::new();
    let request = fetch_request(&topic.name, &[(0, 0)]).with_max_wait_ms(LONG).with_min_bytes(0);
    assert_eq!(only_fetched(topic.client.call(&request, 12)).error_code, 0);
}

#[test]
fn several_fetches_may_wait_for_the_same_record() {
    let topic = Topic::new();
    let mut readers: Vec<_> = (0..5)
        .map(|_| {
            let mut reader = topic.again();
            let sent = reader.client.send(&fetch_request(&topic.name, &[(0, 0)]).with_max_wait_ms(LONG), 12);
            (reader, sent)
        })
        .collect();
    assert!(readers[4].0.client.is_silent_for(Duration::from_millis(100)));
    topic.again().append(&batch(["a"]));
    for (mut reader, sent) in readers {
        assert_eq!(parse_values(only_fetched(reader.client.receive(sent)).records.as_deref()), ["a"]);
    }
}

#[test]
fn a_client_that_leaves_while_its_fetch_waits_harms_nobody() {
    let mut topic = Topic::new();
    let mut leaves = topic.again();
    let _unanswered = leaves.client.send(&fetch_request(&topic.name, &[(0, 0)]).with_max_wait_ms(LONG), 12);
    drop(leaves);
    assert_eq!(topic.append(&batch(["a"])), 0);
    assert_eq!(topic.values_from(0), ["a"]);
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
fn a_negative_time_or_number_of_bytes_to_wait_for_does_not_wait() {
    let mut topic = Topic::new();
    for version in [4, 11, 12] {
        let request = fetch_request(&topic.name, &[(0, 0)]);
        let impatient = [request.clone().with_max_wait_ms(-1), request.with_max_wait_ms(LONG).with_min_bytes(-1)];
        for request in impatient {
            let found = only_fetched(topic.client.call(&request, version));
            assert_eq!((found.error_code, found.high_watermark), (0, 0), "version {version}");
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
        read.extend(batches.iter().flat_map(crate::support::batch::Fetched::values));
    }
    assert_eq!(read, expected);
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
fn a_fetch_that_waits_hears_that_its_topic_is_deleted() {
    let mut topic = Topic::new();
    let mut other = topic.again();
    let waiting = topic.client.send(&fetch_request(&topic.name, &[(0, 0)]).with_max_wait_ms(LONG), 12);
    assert!(topic.client.is_silent_for(Duration::from_millis(100)));
    delete_and_wait(&mut other.client, &other.name);
    let found = only_fetched(topic.client.receive(waiting));
    assert!([3, 6].contains(&found.error_code), "{}", found.error_code);
}

#[test]
fn a_fetch_that_waits_hears_of_records_that_are_deleted_below_it() {
    let mut topic = Topic::new();
    let mut other = topic.again();
    topic.append(&batch(["a", "b"]));
    let request: FetchRequest = fetch_request(&topic.name, &[(0, 0)]).with_max_wait_ms(1000).with_min_bytes(100_000);
    let waiting = topic.client.send(&request, 12);
    other.delete_records(1);
    let found = only_fetched(topic.client.receive(waiting));
    assert_eq!(found.error_code, 1);
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
