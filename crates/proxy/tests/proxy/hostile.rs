//! Whatever comes: it costs its own connection and nothing else.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use proxy::Proxy;

use crate::support::{
    closings,
    kafka::{self, client},
    requests::versions,
    until,
    upstream::{Upstream, request, response},
};

/// Sends this to a proxy, which closes the connection; why it says that it did.
fn refused(bytes: &[u8]) -> String {
    let proxy = kafka::proxy();
    let mut witness = client(&proxy, "witness");
    assert_eq!(witness.call(&versions(), 2).error_code, 0);
    let mut client = client(&proxy, "hostile");
    client.send_frame(bytes);
    assert!(client.is_closed());
    assert_eq!(witness.call(&versions(), 2).error_code, 0);
    until("why", || !closings(&proxy).is_empty());
    closings(&proxy).remove(0)
}

#[test]
fn tls_is_named() {
    assert!(refused(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03").contains("TLS"));
}

#[test]
fn http_is_no_kafka() {
    assert!(refused(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").contains("no request of Kafka"));
}

#[test]
fn lengths_that_no_frame_has() {
    for length in [-1, i32::MIN, i32::MAX, 102 << 20] {
        let why = refused(&length.to_be_bytes());
        let claim = if length < 0 { "a negative number of".to_owned() } else { length.to_string() };
        assert!(why.contains(&format!("a frame of {claim} bytes")), "{why}");
    }
}

#[test]
fn frames_too_short_for_a_header() {
    for length in 0..8_u8 {
        let mut frame = vec![0, 0, 0, length];
        frame.resize(4 + usize::from(length), 0);
        assert!(refused(&frame).contains("no request of Kafka"));
    }
}

#[test]
fn a_client_id_longer_than_the_frame() {
    assert!(refused(b"\0\0\0\x0c\0\x12\0\x00\0\0\0\x01\x7f\xffab").contains("no request of Kafka"));
}

/// A length is only a claim: memory is for what has arrived. The clients stay, and nobody else suffers.
#[test]
fn many_clients_that_promise_much() {
    let proxy = kafka::proxy();
    let address = proxy.client("hostile").unwrap();
    let before = resident();
    let clients: Vec<_> = (0..100)
        .map(|_| {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(&(100_i32 << 20).to_be_bytes()).unwrap();
            stream
        })
        .collect();
    let mut witness = client(&proxy, "witness");
    for _ in 0..10 {
        assert_eq!(witness.call(&versions(), 2).error_code, 0);
    }
    until("all of them", || {
        proxy.trace().iter().filter(|event| event.happening == proxy::Happening::Connected).count() == 101
    });
    assert_eq!(witness.call(&versions(), 2).error_code, 0);
    assert!(resident().saturating_sub(before) < 1 << 30, "{} MB", resident() >> 20);
    drop(clients);
}

/// Bytes of memory that this process has.
fn resident() -> u64 {
    let Ok(status) = std::fs::read_to_string("/proc/self/statm") else { return 0 };
    status.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

#[test]
fn noise_from_the_broker_ends_its_connection() {
    let upstream = Upstream::new();
    let proxy = upstream.proxy();
    for noise in [&b"\xff\xff\xff\xff"[..], b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0\0\0\0", b"\0\0\0\x02ab"] {
        let mut client = client(&proxy, "program");
        client.send_frame(&request(18, 0, 1, b""));
        let mut broker = upstream.accept();
        broker.receive().unwrap();
        broker.send(noise);
        assert!(client.is_closed());
    }
    until("all ends", || closings(&proxy).len() == 4);
}

/// Answers that are not what their API says: they pass, and say nothing.
#[test]
fn malformed_answers_pass() {
    let upstream = Upstream::new();
    let proxy = upstream.proxy();
    let mut client = client(&proxy, "program");
    let mut broker = upstream.accept();
    // Fetch, Metadata, FindCoordinator, ApiVersions, DescribeCluster, Produce: none is answered so.
    for (correlation, (api, version, body)) in [
        (1, 11, &b"\0\0\0\0\0\0\0\0\0\0\x00\0\0\x01"[..]),
        (3, 9, b""),
        (10, 2, b""),
        (18, 3, b""),
        (60, 0, b""),
        (20, 1, b"\xff\xff\xff\xff"),
    ]
    .into_iter()
    .enumerate()
    {
        // Only requests that are well formed get there: these have no body that could be wrong.
        let body = match api {
            1 => [&(-1_i32).to_be_bytes()[..], &[0; 12], &[0], &[0; 8], &[0; 8], &[0, 0]].concat(),
            3 => vec![0, 0, 0, 0, 0, 0],
            10 => vec![0, 1, b'g', 0],
            18 => vec![0, 2, b'x', 2, b'1', 0],
            60 => vec![0, 0, 0],
            _ => body.to_vec(),
        };
        let sent = request(api, version, correlation as i32, &body);
        client.send_frame(&sent);
        if broker.receive().as_ref() != Some(&sent) {
            continue;
        }
        let noise = b"\x7f\xff\xff\xff\xff\xff\xff\xff";
        broker.answer(&sent, noise);
        assert_eq!(client.receive_frame().unwrap(), response(correlation as i32, noise)[4..]);
    }
}

/// Random bytes behind a length, and random bodies behind a header, for every API.
#[test]
fn random_requests_leave_the_proxy_standing() {
    use rand::{RngExt, SeedableRng, rngs::StdRng};

    let upstream = Upstream::new();
    let address = upstream.address();
    // Reads whatever comes.
    std::thread::spawn(move || {
        loop {
            let mut accepted = upstream.accept();
            std::thread::spawn(move || while accepted.receive().is_some() {});
        }
    });
    let proxy = Proxy::builder(address.to_string()).start().unwrap();
    let through = proxy.client("hostile").unwrap();
    let seed: u64 = rand::random();
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    for n in 0..2_000_i32 {
        let mut body = vec![0; random.random_range(0..200)];
        random.fill(&mut body[..]);
        let api = if n % 4 == 0 { random.random() } else { random.random_range(0..70) };
        let frame = request(api, random.random_range(0..18), n, &body);
        let mut stream = TcpStream::connect(through).unwrap();
        stream.write_all(&frame).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let _ = stream.read(&mut [0]);
    }
    let mut last = TcpStream::connect(through).unwrap();
    last.write_all(&request(999, 0, 1, b"")).unwrap();
    until("the last", || {
        let trace = proxy.trace();
        crate::support::frames(&trace)
            .iter()
            .any(|(_, frame)| frame.api == "999" && frame.client_id.as_deref() == Some("test"))
    });
}
