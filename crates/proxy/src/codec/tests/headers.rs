use bytes::Bytes;
use kafka_protocol::messages::{ApiVersionsRequest, EndTxnRequest, HeartbeatRequest, ProduceRequest};

use super::support::{CORRELATION, of, request, versions};
use crate::{
    ApiKey, Facts,
    codec::{Header, api, expects_answer, header, name, response_correlation},
};

#[test]
fn the_header_of_every_version_is_read() {
    for version in versions::<EndTxnRequest>() {
        let (expected, frame) = request(version, &EndTxnRequest::default());
        assert_eq!(header(&frame), Ok(expected));
    }
    // Of the future, and of an API that is not known here.
    for start in [[0, 0, 0, 99], [3, 0xe7, 0, 2]] {
        let frame = Bytes::from([&start[..], &[0, 0, 0, 9, 0, 2, b'm', b'e', 0xff, 0xff]].concat());
        let read = header(&frame).unwrap();
        assert_eq!((read.correlation, read.client_id.as_deref()), (9, Some("me")));
    }
    // Null, and empty.
    let null = Bytes::from_static(&[0, 18, 0, 0, 0, 0, 0, 7, 0xff, 0xff]);
    assert_eq!(header(&null), Ok(Header { api_key: 18, version: 0, correlation: 7, client_id: None }));
    let empty = Bytes::from_static(&[0, 18, 0, 0, 0, 0, 0, 7, 0, 0]);
    assert_eq!(header(&empty).unwrap().client_id, Some(String::new()));
}

#[test]
fn what_is_no_request_is_told_why() {
    let why = |frame: &'static [u8]| header(&Bytes::from_static(frame)).unwrap_err();
    assert_eq!(
        why(&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, 0, 0]),
        "a TLS handshake, where requests in plain text are expected"
    );
    assert!(why(b"GET / HTTP/1.1\r\n\r\n").starts_with("no Kafka request (header, client_id"));
    assert!(why(&[0x80, 0, 0, 0, 0, 0, 0, 7, 0xff, 0xff]).starts_with("no Kafka request (API key -32768"));
    for length in 0..10 {
        assert!(header(&Bytes::from(vec![0; length])).is_err(), "{length}");
    }
}

#[test]
fn names_are_those_of_the_protocol_guide() {
    assert_eq!([0, 25, 28, 999].map(name), ["Produce", "AddOffsetsToTxn", "TxnOffsetCommit", "999"]);
    assert_eq!((api(26), api(999), api(-1)), (Some(ApiKey::EndTxn), None, None));
}

#[test]
fn a_produce_request_without_acknowledgement_is_not_answered() {
    for acks in [-1, 0, 1] {
        let facts = Facts { acks: Some(acks), ..Facts::default() };
        assert_eq!(expects_answer(&facts, &of::<ProduceRequest>(9)), acks != 0);
        assert!(expects_answer(&facts, &of::<HeartbeatRequest>(4)));
    }
    assert!(expects_answer(&Facts::default(), &of::<ProduceRequest>(99)));
    assert!(expects_answer(&Facts::default(), &of::<ApiVersionsRequest>(0)));
}

#[test]
fn a_response_begins_with_its_correlation_id() {
    let mut frame = CORRELATION.to_be_bytes().to_vec();
    assert_eq!(response_correlation(&Bytes::from(frame.clone())), Some(CORRELATION));
    frame.pop();
    assert_eq!(response_correlation(&Bytes::from(frame)), None);
}
