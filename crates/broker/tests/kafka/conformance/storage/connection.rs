//! ApiVersions, and what holds for every request: versions, headers, order.

use std::{thread, time::Duration};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::{
    messages::{
        ApiVersionsRequest, ApiVersionsResponse, FetchRequest, ListOffsetsRequest, MetadataRequest, RequestHeader,
        ResponseHeader,
    },
    protocol::{Decodable, Encodable, Request},
};

use super::support::{Topic, batch, fetch_request, metadata_request, only_fetched};
use crate::support::{
    broker::connect,
    wire::{Client, encode, text},
};

fn api_versions_request() -> ApiVersionsRequest {
    ApiVersionsRequest::default()
        .with_client_software_name(text("conformance"))
        .with_client_software_version(text("1.0"))
}

fn api_versions(client: &mut Client, version: i16) -> ApiVersionsResponse {
    client.call(&api_versions_request(), version)
}

/// Key, lowest and highest version of each API.
fn offered(client: &mut Client, version: i16) -> Vec<(i16, i16, i16)> {
    let response = api_versions(client, version);
    assert_eq!(response.error_code, 0);
    let mut apis: Vec<_> =
        response.api_keys.iter().map(|api| (api.api_key, api.min_version, api.max_version)).collect();
    apis.sort_unstable();
    apis
}

/// A request with a version that the codec does not know: a header, and nothing of the request's own.
fn frame_without_body(key: i16, version: i16, correlation_id: i32) -> Bytes {
    let mut body = BytesMut::new();
    RequestHeader::default()
        .with_request_api_key(key)
        .with_request_api_version(version)
        .with_correlation_id(correlation_id)
        .with_client_id(Some(text("conformance")))
        .encode(&mut body, 2)
        .unwrap();
    let mut frame = BytesMut::new();
    frame.put_i32(body.len() as i32);
    frame.put_slice(&body);
    frame.freeze()
}

#[test]
fn api_versions_offers_the_same_in_each_of_its_versions() {
    let mut client = connect();
    let first = offered(&mut client, 0);
    assert!(!first.is_empty());
    for version in 1..=4 {
        assert_eq!(offered(&mut client, version), first, "version {version}");
    }
}

#[test]
fn each_api_is_offered_once_and_with_a_range_of_versions() {
    let apis = offered(&mut connect(), 3);
    assert!(apis.windows(2).all(|pair| pair[0].0 < pair[1].0), "{apis:?}");
    assert!(apis.iter().all(|(_, lowest, highest)| 0 <= *lowest && lowest <= highest), "{apis:?}");
}

/// librdkafka before 2.11 takes a broker that does not offer Produce 0 to 2 for one that cannot do what version 0.10
/// could, and refuses every codec (KAFKA-18659).
#[test]
fn produce_is_offered_from_version_0_though_the_lowest_that_is_served_is_3() {
    let produce = offered(&mut connect(), 3).into_iter().find(|(key, ..)| *key == 0).unwrap();
    assert_eq!(produce.1, 0);
}

#[test]
fn what_clients_from_kafkajs_to_java_ask_for_is_offered() {
    // The lowest version that one of kcat, kafkajs, librdkafka, kafka-python, franz-go and Java takes as its highest.
    let asked = [
        (0, 7),
        (1, 11),
        (2, 2),
        (3, 4),
        (8, 7),
        (9, 4),
        (10, 2),
        (11, 5),
        (12, 3),
        (13, 1),
        (14, 3),
        (15, 2),
        (16, 2),
        (18, 2),
        (19, 3),
        (20, 1),
        (21, 2),
        (22, 1),
        (23, 4),
        (24, 0),
        (25, 0),
        (26, 1),
        (28, 1),
        (32, 1),
        (37, 2),
        (42, 2),
        (44, 1),
        (47, 0),
        (60, 0),
        (61, 0),
        (65, 0),
        (66, 0),
    ];
    let apis = offered(&mut connect(), 3);
    for (key, version) in asked {
        let api = apis.iter().find(|api| api.0 == key).unwrap_or_else(|| panic!("API {key} is missing"));
        assert!(api.1 <= version && version <= api.2, "API {key} in version {version}: {api:?}");
    }
}

/// KIP-511: whoever asks cannot know the versions yet, so the answer is one that every client reads.
#[test]
fn an_unknown_version_of_api_versions_is_answered_in_version_0_with_the_range_of_api_versions() {
    let mut client = connect();
    client.send_frame(&frame_without_body(18, 99, 7));
    let mut frame = client.receive_frame().expect("an answer");
    assert_eq!(ResponseHeader::decode(&mut frame, 0).unwrap().correlation_id, 7);
    assert_eq!(frame.get_i16(), 35);
    assert_eq!(frame.get_i32(), 1);
    assert_eq!((frame.get_i16(), frame.get_i16()), (18, 0));
    assert!(frame.get_i16() >= 3);
    assert!(frame.is_empty());

    assert_eq!(api_versions(&mut client, 3).error_code, 0, "the connection goes on");
}

#[test]
fn api_versions_with_a_client_software_name_that_is_empty_or_strange_is_an_invalid_request() {
    let mut client = connect();
    for strange in ["", "two words", "-starts-with-a-dash", "ends-with-a-dot.", "é", "a/b"] {
        for version in [3, 4] {
            let by_name = api_versions_request().with_client_software_name(text(strange));
            assert_eq!(client.call(&by_name, version).error_code, 42, "name {strange:?}, version {version}");
            let by_version = api_versions_request().with_client_software_version(text(strange));
            assert_eq!(client.call(&by_version, version).error_code, 42, "version {strange:?}, version {version}");
        }
    }
}

#[test]
fn api_versions_with_an_invalid_software_name_offers_nothing_and_the_connection_stays() {
    let mut client = connect();
    let refused = client.call(&api_versions_request().with_client_software_name(text("")), 3);
    assert_eq!((refused.error_code, refused.api_keys.len()), (42, 0));
    assert_eq!(api_versions(&mut client, 3).error_code, 0);
}

#[test]
fn api_versions_takes_names_of_letters_digits_dashes_and_dots() {
    let mut client = connect();
    for fine in ["a", "7", "apache-kafka-java", "librdkafka", "rdkafka-rs.0.39", "a--b..c"] {
        let request =
            api_versions_request().with_client_software_name(text(fine)).with_client_software_version(text(fine));
        assert_eq!(client.call(&request, 3).error_code, 0, "{fine:?}");
    }
}

#[test]
fn api_versions_may_be_asked_at_any_time_and_again() {
    let mut client = connect();
    client.call(&MetadataRequest::default().with_topics(Some(vec![])), 12);
    assert_eq!(api_versions(&mut client, 0).error_code, 0);
    assert_eq!(api_versions(&mut client, 3).error_code, 0);
}

#[test]
fn an_unknown_version_of_another_api_closes_the_connection() {
    for (key, version) in [(MetadataRequest::KEY, 99), (ListOffsetsRequest::KEY, 0), (FetchRequest::KEY, 3)] {
        let mut client = connect();
        client.send_frame(&frame_without_body(key, version, 1));
        assert!(client.receive_frame().is_none(), "API {key}, version {version}");
    }
}

#[test]
fn an_unknown_api_closes_the_connection() {
    for key in [999, -1] {
        let mut client = connect();
        client.send_frame(&frame_without_body(key, 0, 1));
        assert!(client.receive_frame().is_none(), "API {key}");
    }
}

#[test]
fn requests_sent_ahead_are_answered_in_their_order() {
    let mut topic = Topic::new();
    topic.append(&batch(["a"]));
    let Topic { mut client, name } = topic;
    let mut sent = Vec::new();
    for _ in 0..20 {
        let metadata = client.send(&metadata_request(&name), 12);
        let fetch = client.send(&fetch_request(&name, &[(0, 0)]), 12);
        sent.push((metadata, fetch));
    }
    for (metadata, fetch) in sent {
        assert_eq!(client.receive(metadata).topics.len(), 1);
        assert!(only_fetched(client.receive(fetch)).records.is_some_and(|records| !records.is_empty()));
    }
}

#[test]
fn a_fetch_that_waits_holds_back_what_was_asked_later_on_its_connection_only() {
    let mut topic = Topic::new();
    let mut other = topic.again();
    let waiting = topic.client.send(&fetch_request(&topic.name, &[(0, 0)]).with_max_wait_ms(i32::MAX), 12);
    let later = topic.client.send(&metadata_request(&topic.name), 12);
    assert!(topic.client.is_silent_for(Duration::from_millis(300)));

    assert_eq!(other.append(&batch(["wakes it"])), 0);
    assert!(only_fetched(topic.client.receive(waiting)).records.is_some());
    assert_eq!(topic.client.receive(later).topics[0].error_code, 0);
}

#[test]
fn a_request_may_arrive_in_pieces_and_two_in_one() {
    let mut client = connect();
    let one = encode(&api_versions_request(), 3, 1, "conformance");
    for byte in &one {
        client.send_frame(&[*byte]);
        thread::sleep(Duration::from_micros(200));
    }
    let mut frame = client.receive_frame().expect("an answer");
    assert_eq!(ResponseHeader::decode(&mut frame, 0).unwrap().correlation_id, 1);

    let two = encode(&api_versions_request(), 0, 2, "conformance");
    let three = encode(&api_versions_request(), 0, 3, "conformance");
    client.send_frame(&[two, three].concat());
    for expected in [2, 3] {
        let mut frame = client.receive_frame().expect("an answer");
        assert_eq!(ResponseHeader::decode(&mut frame, 0).unwrap().correlation_id, expected);
    }
}

#[test]
fn a_client_id_may_be_null_and_tagged_fields_that_nobody_knows_are_skipped() {
    let mut body = BytesMut::new();
    let mut header = RequestHeader::default()
        .with_request_api_key(MetadataRequest::KEY)
        .with_request_api_version(12)
        .with_correlation_id(i32::MIN)
        .with_client_id(None);
    header.unknown_tagged_fields.insert(4711, Bytes::from_static(b"of the header"));
    header.encode(&mut body, 2).unwrap();
    let mut request = MetadataRequest::default().with_topics(Some(vec![]));
    request.unknown_tagged_fields.insert(0, Bytes::from_static(b"of the request"));
    request.encode(&mut body, 12).unwrap();
    let mut frame = BytesMut::new();
    frame.put_i32(body.len() as i32);
    frame.put_slice(&body);

    let mut client = connect();
    client.send_frame(&frame);
    let mut answer = client.receive_frame().expect("an answer");
    assert_eq!(ResponseHeader::decode(&mut answer, 1).unwrap().correlation_id, i32::MIN);
}
