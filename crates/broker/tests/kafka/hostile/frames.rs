//! Frames that are none.

use std::{io::Read, time::Duration};

use bytes::Bytes;
use kafka_protocol::messages::{
    ApiVersionsRequest, FindCoordinatorRequest, JoinGroupRequest, ListOffsetsRequest, MetadataRequest,
    OffsetFetchRequest,
    join_group_request::JoinGroupRequestProtocol,
    list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic},
    metadata_request::MetadataRequestTopic,
};
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};

use super::{
    connect, expect_close, finish, send,
    witness::{Witness, fetch, new_topic, produce_request},
};
use crate::support::{
    batch::Batch,
    broker,
    wire::{encode, text},
};

/// The same corpus at each run.
const SEED: u64 = 4_311_983;

/// A frame around anything.
fn framed(content: &[u8]) -> Vec<u8> {
    [&(content.len() as u32).to_be_bytes(), content].concat()
}

/// The header of a request in a version that is not flexible, with a client id.
fn header(api_key: i16, version: i16) -> Vec<u8> {
    [&api_key.to_be_bytes()[..], &version.to_be_bytes(), &7i32.to_be_bytes(), b"\0\x01c"].concat()
}

/// What is wrong with it, and the bytes that the broker must answer by closing the connection.
fn unacceptable() -> Vec<(&'static str, Vec<u8>)> {
    let request = |api_key, version, body: &[u8]| framed(&[&header(api_key, version), body].concat());
    vec![
        ("HTTP", b"GET / HTTP/1.1\r\nHost: kafka\r\nAccept: */*\r\n\r\n".to_vec()),
        ("a TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".repeat(50)),
        ("SSH", b"SSH-2.0-OpenSSH_9.9\r\n".to_vec()),
        ("a frame of 2 GiB", vec![0x7f, 0xff, 0xff, 0xff, 0, 3, 0, 1]),
        ("a frame of 101 MiB", (101u32 << 20).to_be_bytes().to_vec()),
        ("a negative length", vec![0xff, 0xff, 0xff, 0xff, 0, 3, 0, 1]),
        ("the least length", vec![0x80, 0, 0, 0, 0, 3, 0, 1]),
        ("an empty frame", framed(&[])),
        ("half a header", framed(&[0, 3, 0])),
        ("a client id beyond the frame", framed(b"\0\x03\0\x01\0\0\0\x07\0\x09c")),
        ("an API that does not exist", request(12_345, 0, &[])),
        ("a negative API", request(-1, 0, &[])),
        ("a version that does not exist", request(3, 99, &[])),
        ("a negative version", request(3, -1, &[])),
        // 2^31 - 1 topics.
        ("Metadata with too many topics", request(3, 1, b"\x7f\xff\xff\xff\0\x01a")),
        ("Metadata without topics where null is none", request(3, 0, b"\xff\xff\xff\xff")),
        ("Metadata cut within a name", request(3, 1, b"\0\0\0\x01\0\x09a")),
        // Null, acks, timeout, then the count of topics.
        ("Produce with too many topics", request(0, 3, b"\xff\xff\0\x01\0\0\0\x01\x7f\xff\xff\xff")),
        ("ApiVersions with too many tags", framed(b"\0\x12\0\x03\0\0\0\x07\0\x01c\0\x02a\x02b\xff\xff\xff\xff\x07")),
        ("a header with too many tags", framed(b"\0\x12\0\x03\0\0\0\x07\0\x01c\xff\xff\xff\xff\x07")),
        ("a header with a tag beyond the frame", framed(b"\0\x12\0\x03\0\0\0\x07\0\x01c\x01\0\xff\x7f")),
        // ListTransactions 0: 2^32 - 2 state filters.
        ("ListTransactions with too many filters", framed(b"\0\x42\0\0\0\0\0\x07\0\x01c\0\xff\xff\xff\xff\x0f\0\0")),
    ]
}

/// Requests as clients send them, that change nothing but what is their own.
fn acceptable() -> Vec<Bytes> {
    let topic = new_topic("hostile");
    let group = text(&broker::unique("hostile-group"));
    let named = MetadataRequestTopic::default().with_name(Some(topic.clone()));
    let metadata = MetadataRequest::default().with_topics(Some(vec![named])).with_allow_auto_topic_creation(false);
    let partition = ListOffsetsPartition::default().with_partition_index(0).with_timestamp(-1);
    let offsets_of = ListOffsetsTopic::default().with_name(topic.clone()).with_partitions(vec![partition]);
    let offsets = ListOffsetsRequest::default().with_topics(vec![offsets_of]);
    let protocol = JoinGroupRequestProtocol::default().with_name(text("range")).with_metadata(Bytes::from_static(b"m"));
    let join = JoinGroupRequest::default()
        .with_group_id(group.clone().into())
        .with_session_timeout_ms(6000)
        .with_rebalance_timeout_ms(6000)
        .with_protocol_type(text("consumer"))
        .with_protocols(vec![protocol]);
    let coordinator = FindCoordinatorRequest::default().with_key(group.clone());
    let produce = produce_request(&topic, Batch::of(["one", "two"]).build());
    let committed = OffsetFetchRequest::default().with_group_id(group.into()).with_topics(None);
    let apis =
        ApiVersionsRequest::default().with_client_software_name(text("test")).with_client_software_version(text("1"));
    let mut frames = Vec::new();
    let mut add = |frame| frames.push(frame);
    for version in [4, 9, 12] {
        add(encode(&metadata, version, 1, "hostile"));
    }
    for version in [3, 9] {
        add(encode(&produce, version, 2, "hostile"));
    }
    for version in [4, 12] {
        add(encode(&fetch(&topic, 0, 1000), version, 3, "hostile"));
    }
    add(encode(&offsets, 7, 4, "hostile"));
    add(encode(&join, 5, 5, "hostile"));
    add(encode(&coordinator, 2, 6, "hostile"));
    add(encode(&committed, 7, 7, "hostile"));
    add(encode(&apis, 3, 8, "hostile"));
    frames
}

/// Damages the bytes in a few places; the length at their front too, now and then.
fn damage(frame: &mut Vec<u8>, random: &mut StdRng) {
    for _ in 0..random.random_range(1..4) {
        let place =
            if random.random_bool(0.9) { random.random_range(4..frame.len()) } else { random.random_range(0..4) };
        match random.random_range(0..5) {
            0 => frame[place] ^= 1 << random.random_range(0..8),
            1 => frame[place] = random.next_u32() as u8,
            2 => frame.truncate(place.max(5)),
            3 => drop(frame.splice(place..place, [0x7f, 0xff, 0xff, 0xff])),
            _ => drop(frame.splice(place..place, [0xff, 0xff, 0xff, 0xff, 0x0f])),
        }
    }
}

#[test]
fn what_is_no_request_closes_its_connection() {
    let witness = Witness::start();
    for (what, bytes) in unacceptable() {
        let mut stream = connect();
        send(&mut stream, &bytes);
        // The broker closes on its own: we are still there.
        expect_close(&mut stream, what);
    }
    witness.finish();
}

#[test]
fn a_frame_that_never_ends_is_waited_for_and_forgotten() {
    let witness = Witness::start();
    for frame in acceptable() {
        for length in 0..frame.len() {
            let mut stream = connect();
            send(&mut stream, &frame[..length]);
            finish(&stream);
            expect_close(&mut stream, &format!("{length} bytes of a frame"));
        }
    }
    witness.finish();
}

#[test]
fn random_bytes_disturb_nobody() {
    let witness = Witness::start();
    let mut random = StdRng::seed_from_u64(SEED);
    for _ in 0..500 {
        let mut content = vec![0; random.random_range(0..200)];
        random.fill_bytes(&mut content);
        // Half of them look like a frame, half of those like a request.
        let bytes = match random.random_range(0..4) {
            0 => framed(&[header(random.random_range(0..80), random.random_range(0..14)), content].concat()),
            1 => framed(&content),
            _ => content,
        };
        let mut stream = connect();
        send(&mut stream, &bytes);
        finish(&stream);
        // An answer is as good as none: what matters is the witness.
        stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        let _ = stream.read(&mut [0; 4096]);
    }
    witness.finish();
}

#[test]
fn damaged_requests_disturb_nobody() {
    let witness = Witness::start();
    let frames = acceptable();
    let mut random = StdRng::seed_from_u64(SEED);
    for _ in 0..1000 {
        let mut frame = frames[random.random_range(0..frames.len())].to_vec();
        damage(&mut frame, &mut random);
        let mut stream = connect();
        send(&mut stream, &frame);
        finish(&stream);
        stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        let _ = stream.read(&mut [0; 4096]);
    }
    witness.finish();
}
