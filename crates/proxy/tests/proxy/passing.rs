//! What passes when no fault acts.

use crate::support::{
    A_WHILE, closings, frames,
    kafka::{self, client},
    order,
    requests::{PRODUCE, produce, stored, versions},
    until,
    upstream::{Upstream, request, response},
    wire::Client,
};
use proxy::{Happening, Proxy, Side};

#[test]
fn unknown_apis_pass_byte_for_byte() {
    let upstream = Upstream::new();
    let proxy = upstream.proxy();
    let mut client = client(&proxy, "program");
    let sent = request(999, 77, 5, b"\x00\xffwhatever");
    client.send_frame(&sent);
    let mut broker = upstream.accept();
    assert_eq!(broker.receive().unwrap(), sent);
    broker.send(&response(5, b"\x01\x02anything at all"));
    assert_eq!(client.receive_frame().unwrap(), response(5, b"\x01\x02anything at all")[4..]);
    let expected = [("999".to_owned(), Side::Request, 5), ("999".to_owned(), Side::Response, 5)];
    assert_eq!(order(&proxy), expected);
}

#[test]
fn unknown_versions_of_known_apis_pass_byte_for_byte() {
    let upstream = Upstream::new();
    let proxy = upstream.proxy();
    let mut client = client(&proxy, "program");
    // Produce, Metadata, and an answer that carries addresses where it is known.
    for (correlation, api) in [(1, 0), (2, 3), (3, 10), (4, 60)] {
        client.send_frame(&request(api, 999, correlation, b"\xff\xff\xff\xff\xff\xff\xff"));
    }
    let mut broker = upstream.accept();
    for (correlation, api) in [(1, 0), (2, 3), (3, 10), (4, 60)] {
        let sent = request(api, 999, correlation, b"\xff\xff\xff\xff\xff\xff\xff");
        assert_eq!(broker.receive().unwrap(), sent);
        broker.answer(&sent, b"\xff\xff\xff\xff");
        assert_eq!(client.receive_frame().unwrap(), response(correlation, b"\xff\xff\xff\xff")[4..]);
    }
}

#[test]
fn answers_come_in_the_order_of_the_requests() {
    let proxy = kafka::proxy();
    let topic = kafka::topic();
    let mut client = client(&proxy, "program");
    let sent: Vec<_> = (0..100)
        .map(|n| (client.send(&versions(), 2), client.send(&produce(&topic, [n.to_string()]), PRODUCE)))
        .collect();
    for (n, (versions, produced)) in sent.into_iter().enumerate() {
        assert_eq!(client.receive(versions).error_code, 0);
        assert_eq!(stored(&client.receive(produced)), (0, n as i64));
    }
    assert_eq!(kafka::values(&topic).len(), 100);
}

#[test]
fn produce_without_acks_has_no_answer() {
    let proxy = kafka::proxy();
    let topic = kafka::topic();
    let mut client = client(&proxy, "program");
    for value in ["a", "b"] {
        client.send_frame(&crate::support::wire::encode(&produce(&topic, [value]).with_acks(0), PRODUCE, 7, "test"));
    }
    assert_eq!(client.call(&versions(), 2).error_code, 0);
    assert_eq!(kafka::values(&topic), ["a", "b"]);
    let trace = proxy.trace();
    let answers: Vec<_> = frames(&trace).into_iter().filter(|(_, frame)| frame.side == Side::Response).collect();
    assert_eq!(answers.len(), 1, "{answers:#?}");
    assert_eq!(answers[0].1.api, "ApiVersions");
}

/// A version of Produce that is not known here may have no answer all the same.
#[test]
fn an_answer_may_be_missing_where_only_the_broker_knows() {
    let upstream = Upstream::new();
    let proxy = upstream.proxy();
    let mut client = client(&proxy, "program");
    client.send_frame(&request(0, 999, 1, b""));
    client.send_frame(&request(999, 0, 2, b""));
    let mut broker = upstream.accept();
    broker.receive().unwrap();
    let second = broker.receive().unwrap();
    broker.answer(&second, b"second");
    assert_eq!(client.receive_frame().unwrap(), response(2, b"second")[4..]);
}

#[test]
fn an_answer_to_nothing_ends_the_connection() {
    let upstream = Upstream::new();
    let proxy = upstream.proxy();
    let mut client = client(&proxy, "program");
    let mut broker = upstream.accept();
    broker.send(&response(4, b"unasked"));
    assert!(client.is_closed());
    until("its end", || closings(&proxy).len() == 1);
    assert!(closings(&proxy)[0].contains("what nobody asked"), "{:?}", closings(&proxy));
}

#[test]
fn a_large_frame_passes() {
    let upstream = Upstream::new();
    let proxy = upstream.proxy();
    let mut client = client(&proxy, "program");
    let body: Vec<u8> = (0..20_000_000_u32).map(|n| (n % 251) as u8).collect();
    let sent = request(999, 0, 1, &body);
    std::thread::scope(|scope| {
        scope.spawn(|| client.send_frame(&sent));
        let mut broker = upstream.accept();
        assert_eq!(broker.receive().unwrap(), sent);
        broker.answer(&sent, &body);
    });
    assert_eq!(client.receive_frame().unwrap(), response(1, &body)[4..]);
}

#[test]
fn the_second_bootstrap_address_is_tried_where_the_first_is_dead() {
    let dead = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let proxy = Proxy::builder(format!("{dead}, {}", kafka::bootstrap())).start().unwrap();
    assert_eq!(client(&proxy, "program").call(&versions(), 2).error_code, 0);
}

#[test]
fn no_broker_closes_the_connection_and_says_why() {
    let dead = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let proxy = Proxy::builder(dead.to_string()).start().unwrap();
    assert!(client(&proxy, "program").is_closed());
    until("its end", || closings(&proxy).len() == 1);
    assert!(closings(&proxy)[0].starts_with(&format!("no broker at {dead}")), "{:?}", closings(&proxy));
}

#[test]
fn when_the_broker_goes_the_client_is_told() {
    let upstream = Upstream::new();
    let proxy = upstream.proxy();
    let mut client = client(&proxy, "program");
    let broker = upstream.accept();
    drop(broker);
    assert!(client.is_closed());
    until("its end", || closings(&proxy) == ["the broker closed it"]);
}

#[test]
fn when_the_client_goes_the_broker_is_told_after_its_last_request() {
    let upstream = Upstream::new();
    let proxy = upstream.proxy();
    let mut client = client(&proxy, "program");
    let sent = request(999, 0, 1, b"last words");
    client.send_frame(&sent);
    drop(client);
    let mut broker = upstream.accept();
    assert_eq!(broker.receive().unwrap(), sent);
    assert!(broker.receive().is_none());
    until("its end", || closings(&proxy) == ["the client closed it"]);
}

#[test]
fn clients_are_told_apart_by_their_names() {
    let proxy = kafka::proxy();
    let (a, b) = (proxy.client("a").unwrap(), proxy.client("b").unwrap());
    assert_ne!(a, b);
    assert_eq!(proxy.client("a").unwrap(), a, "a name has one address");
    for (address, times) in [(a, 1), (b, 2)] {
        for _ in 0..times {
            let mut client = Client::named(&address.to_string(), "both");
            assert_eq!(client.call(&versions(), 2).error_code, 0);
        }
    }
    let trace = proxy.trace();
    let connected: Vec<_> = trace
        .iter()
        .filter(|event| event.happening == Happening::Connected)
        .map(|event| (event.client.as_str(), event.connection))
        .collect();
    assert_eq!(connected, [("a", 1), ("b", 1), ("b", 2)]);
    assert!(frames(&trace).iter().all(|(_, frame)| frame.client_id.as_deref() == Some("both")));
}

/// Neither side's memory is the proxy's: what the client does not read, the broker cannot send.
#[test]
fn a_client_that_does_not_read_holds_up_the_broker() {
    let upstream = Upstream::new();
    let proxy = upstream.proxy();
    let mut client = client(&proxy, "program");
    let mut broker = upstream.accept();
    let body = vec![7; 1 << 20];
    std::thread::scope(|scope| {
        for correlation in 0..100 {
            client.send_frame(&request(999, 0, correlation, b""));
            broker.receive().unwrap();
        }
        let sender = scope.spawn(move || {
            for correlation in 0..100 {
                broker.send(&response(correlation, &body));
            }
        });
        std::thread::sleep(4 * A_WHILE);
        assert!(!sender.is_finished(), "100 MB went somewhere");
        for _ in 0..100 {
            assert_eq!(client.receive_frame().unwrap().len(), 4 + (1 << 20));
        }
    });
}
