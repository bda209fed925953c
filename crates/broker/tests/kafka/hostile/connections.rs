//! Connections that are too many, or too slow.

use std::{thread, time::Duration};

use kafka_protocol::messages::ApiVersionsRequest;

use super::{connect, send, witness::Witness};
use crate::support::{broker, wire::encode};

/// So many at a time: no more than wait at the door of Apache Kafka (it accepts them from a queue of 50), or each would be
/// asked to come again in a second.
const AT_ONCE: usize = 40;

#[test]
fn ten_thousand_connections_come_and_go() {
    let witness = Witness::start();
    for group in 0..10_000 / AT_ONCE {
        let mut streams: Vec<_> = (0..AT_ONCE).map(|_| connect()).collect();
        for (number, stream) in streams.iter_mut().enumerate() {
            match number % 3 {
                0 => {}
                1 => send(stream, &[0, 0, 1]),
                _ => send(stream, &encode(&ApiVersionsRequest::default(), 0, 1, "guest")),
            }
        }
        drop(streams);
        if group % 50 == 0 {
            witness.more_rounds();
        }
    }
    assert_eq!(broker::connect().call(&ApiVersionsRequest::default(), 0).error_code, 0);
    witness.finish();
}

#[test]
fn a_slow_client_waits_for_itself_only() {
    let witness = Witness::start();
    let frame = encode(&ApiVersionsRequest::default(), 0, 1, "slow");
    let mut stream = connect();
    for byte in &frame {
        send(&mut stream, &[*byte]);
        thread::sleep(Duration::from_millis(100));
        witness.more_rounds();
    }
    let mut length = [0; 4];
    std::io::Read::read_exact(&mut stream, &mut length).unwrap();
    assert!(u32::from_be_bytes(length) > 10);
    witness.finish();
}
