//! Fetch: what it waits for, and what wakes it.

use std::time::{Duration, Instant};

use super::support::{
    LATEST, Topic, base_offsets, batch, batch_of_size, delete_and_wait, fetch_request, fetched, only_fetched,
    parse_values,
};

/// Longer than the client's patience: an answer that comes was not brought by the time.
const LONG: i32 = i32::MAX;

/// A broker's clock need not tick with the test's.
const ALMOST_300_MS: Duration = Duration::from_millis(290);

#[test]
fn an_error_in_one_partition_is_answered_without_waiting_for_the_others() {
    let mut topic = Topic::with(2, &[]);
    let partitions = [(0, 0), (1, 5)];
    let request = fetch_request(&topic.name, &partitions).with_max_wait_ms(LONG);
    let found = fetched(topic.client.call(&request, 12));
    assert_eq!((found[0].error_code, found[1].error_code), (0, 1));
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
        let end = topic.list_offset(LATEST).offset;
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
    let mut topic = Topic::new();
    topic.append(&batch_of_size(1000));
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
    let request = fetch_request(&topic.name, &[(0, 0)]).with_max_wait_ms(1000).with_min_bytes(100_000);
    let waiting = topic.client.send(&request, 12);
    other.delete_records(1);
    let found = only_fetched(topic.client.receive(waiting));
    assert_eq!(found.error_code, 1);
}
