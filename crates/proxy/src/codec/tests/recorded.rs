//! What real clients and a real broker said.

mod frames;

use bytes::Bytes;

use crate::{
    Facts, Side,
    codec::{Header, api, error_answer, header, request_facts, response_facts, rewrite_addresses},
};
use frames::{RECORDED, Recorded};

impl Recorded {
    fn frame(&self) -> Bytes {
        let digits: Vec<_> = self.frame.chars().filter_map(|digit| digit.to_digit(16)).collect();
        digits.chunks(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect::<Vec<_>>().into()
    }

    fn header(&self) -> Header {
        Header { api_key: self.api, version: self.version, correlation: 0, client_id: None }
    }

    fn facts(&self) -> Facts {
        match self.side {
            Side::Request => request_facts(&self.header(), &self.frame()).unwrap(),
            Side::Response => response_facts(&self.header(), &self.frame()),
        }
    }

    fn name(&self) -> String {
        format!("{} {:?} {:?} {}", self.client, api(self.api), self.side, self.version)
    }
}

#[test]
fn frames_of_real_clients_say_what_they_say() {
    for recorded in RECORDED {
        assert_eq!(serde_json::to_string(&recorded.facts()).unwrap(), recorded.facts, "{}", recorded.name());
    }
}

#[test]
fn requests_of_real_clients_are_known_and_can_be_refused() {
    for recorded in RECORDED.iter().filter(|recorded| recorded.side == Side::Request) {
        let frame = recorded.frame();
        let head = header(&frame).unwrap();
        assert_eq!((head.api_key, head.version), (recorded.api, recorded.version));
        assert!(head.client_id.is_some_and(|id| !id.is_empty()), "{}", recorded.name());
        assert!(error_answer(&recorded.header(), &frame, 7).is_some(), "{}", recorded.name());
    }
}

#[test]
fn addresses_of_a_real_broker_are_rewritten_to_and_fro() {
    let mut rewritten = Vec::new();
    for recorded in RECORDED.iter().filter(|recorded| recorded.side == Side::Response) {
        let (header, frame) = (recorded.header(), recorded.frame());
        let there = rewrite_addresses(&header, &frame, &mut |node, host, port| {
            assert_eq!((node, host, port), (1, "127.0.0.1", 21210), "{}", recorded.name());
            ("elsewhere".into(), 9)
        });
        let Some(there) = there else { continue };
        let back = rewrite_addresses(&header, &there, &mut |_, host, port| {
            assert_eq!((host, port), ("elsewhere", 9));
            ("127.0.0.1".into(), 21210)
        });
        assert_eq!(back, Some(frame), "{}", recorded.name());
        rewritten.push((recorded.client, recorded.api));
    }
    assert_eq!(rewritten, [("librdkafka", 3), ("librdkafka", 10), ("java", 3), ("java", 10)]);
}
