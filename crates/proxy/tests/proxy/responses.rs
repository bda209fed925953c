//! Faults on responses.

use std::time::{Duration, Instant};

use proxy::{Action, ApiKey, Fault, When};

use crate::support::{
    A_WHILE, closings,
    kafka::{self, client},
    order,
    requests::{PRODUCE, produce, stored, versions},
    until,
    upstream::{Upstream, request},
    wait,
};

#[test]
fn note_is_raised_when_the_client_can_read_the_response() {
    let upstream = Upstream::new();
    let proxy = upstream.proxy();
    proxy.arm(Fault::new("noted", When::response(ApiKey::ApiVersions), Action::Note));
    let mut client = client(&proxy, "program");
    client.send_frame(&request(18, 0, 1, b""));
    let mut broker = upstream.accept();
    let sent = broker.receive().unwrap();
    assert_eq!(proxy.count("noted"), 0);
    broker.answer(&sent, b"");
    wait(&proxy, "noted");
    assert!(client.receive_frame().is_some());
}

#[test]
fn a_swallowed_response_leaves_the_others() {
    let proxy = kafka::proxy();
    let topic = kafka::topic();
    proxy.arm(Fault::new("lost", When::response(ApiKey::Produce), Action::Swallow));
    let mut client = client(&proxy, "program");
    let _lost = client.send(&produce(&topic, ["a"]), PRODUCE);
    let second = client.send(&produce(&topic, ["b"]), PRODUCE);
    assert_eq!(stored(&client.receive(second)), (0, 1));
    assert_eq!(proxy.count("lost"), 1);
    assert_eq!(kafka::values(&topic), ["a", "b"]);
}

#[test]
fn cut_loses_the_response_to_what_the_broker_has_done() {
    for _ in 0..10 {
        let proxy = kafka::proxy();
        let topic = kafka::topic();
        proxy.arm(Fault::new("cut", When::response(ApiKey::Produce).nth(2), Action::Cut));
        let mut client = client(&proxy, "program");
        let first = client.send(&produce(&topic, ["a"]), PRODUCE);
        let _lost = client.send(&produce(&topic, ["b"]), PRODUCE);
        assert_eq!(stored(&client.receive(first)), (0, 0));
        assert!(client.is_closed());
        wait(&proxy, "cut");
        assert_eq!(kafka::values(&topic), ["a", "b"]);
        assert_eq!(closings(&proxy).len(), 1);
    }
}

#[test]
fn silence_begins_with_the_response() {
    let upstream = Upstream::new();
    let proxy = upstream.proxy();
    proxy.arm(Fault::new("silent", When::response(ApiKey::ApiVersions), Action::Silence));
    let mut client = client(&proxy, "program");
    let mut broker = upstream.accept();
    client.send_frame(&request(18, 0, 1, b""));
    let sent = broker.receive().unwrap();
    broker.answer(&sent, b"");
    wait(&proxy, "silent");
    proxy.arm(Fault::new("noted", When::request(ApiKey::ApiVersions), Action::Note));
    client.send_frame(&request(18, 0, 2, b""));
    assert!(client.is_silent_for(A_WHILE));
    assert!(broker.is_silent_for(A_WHILE));
    // The trace has it, and no fault sees it.
    until("the lost request", || order(&proxy).iter().any(|(_, _, correlation)| *correlation == 2));
    assert_eq!(proxy.count("noted"), 0);
}

#[test]
fn silence_keeps_what_is_held() {
    let upstream = Upstream::new();
    let proxy = upstream.proxy();
    proxy.arm(Fault::new("silent", When::response(ApiKey::ApiVersions), Action::Silence));
    proxy.arm(Fault::new("held", When::request(ApiKey::Metadata), Action::Hold { until: "go".into() }));
    let mut client = client(&proxy, "program");
    let mut broker = upstream.accept();
    client.send_frame(&request(18, 0, 1, b""));
    client.send_frame(&request(3, 0, 2, &[0; 4]));
    wait(&proxy, "held");
    let sent = broker.receive().unwrap();
    broker.answer(&sent, b"");
    wait(&proxy, "silent");
    proxy.signal("go");
    assert!(broker.is_silent_for(A_WHILE));
}

/// Late answers are for nobody: what a fault would do to them, it would do to the next program of this name.
#[test]
fn the_answer_to_a_client_that_has_gone_is_only_noted() {
    let upstream = Upstream::new();
    let proxy = upstream.proxy();
    proxy.arm(Fault::new("killed", When::response(ApiKey::ApiVersions), Action::Kill));
    proxy.arm(Fault::new("noted", When::response(ApiKey::ApiVersions), Action::Note));
    let mut gone = client(&proxy, "program");
    let mut broker = upstream.accept();
    gone.send_frame(&request(18, 0, 1, b""));
    let sent = broker.receive().unwrap();
    drop(gone);
    until("its end", || closings(&proxy).len() == 1);
    let mut next = client(&proxy, "program");
    let mut other = upstream.accept();
    broker.answer(&sent, b"");
    wait(&proxy, "noted");
    next.send_frame(&request(999, 0, 1, b""));
    let sent = other.receive().unwrap();
    other.answer(&sent, b"");
    assert!(next.receive_frame().is_some());
    assert_eq!(proxy.count("killed"), 0);
}

#[test]
fn a_held_response_holds_those_behind_it() {
    let upstream = Upstream::new();
    let proxy = upstream.proxy();
    proxy.arm(Fault::new("held", When::response(ApiKey::ApiVersions), Action::Hold { until: "go".into() }));
    let mut client = client(&proxy, "program");
    let mut broker = upstream.accept();
    client.send_frame(&request(18, 0, 1, b""));
    client.send_frame(&request(999, 0, 2, b""));
    for _ in 0..2 {
        let sent = broker.receive().unwrap();
        broker.answer(&sent, b"");
    }
    wait(&proxy, "held");
    assert!(client.is_silent_for(A_WHILE));
    // The other direction is open.
    client.send_frame(&request(999, 0, 3, b""));
    assert!(broker.receive().is_some());
    proxy.signal("go");
    for correlation in [1_i32, 2] {
        assert_eq!(client.receive_frame().unwrap()[..4], correlation.to_be_bytes());
    }
}

#[test]
fn a_delayed_response_comes_later() {
    let proxy = kafka::proxy();
    let delay = Duration::from_millis(120);
    proxy.arm(Fault::new("delayed", When::response(ApiKey::ApiVersions), Action::Delay(delay)));
    let mut client = client(&proxy, "program");
    let started = Instant::now();
    client.call(&versions(), 2);
    assert!(started.elapsed() >= delay);
}

#[test]
fn what_changes_requests_is_not_armed_for_responses() {
    let proxy = kafka::proxy();
    for what in [
        Action::Answer { error: 6, until: None },
        Action::Repeat { upon: "never".into() },
        Action::Postpone { until: "never".into() },
        Action::Alter(proxy::Alteration::NoGroupMetadata),
    ] {
        proxy.arm(Fault::new("nonsense", When::response(ApiKey::ApiVersions).always(), what));
    }
    assert_eq!(client(&proxy, "program").call(&versions(), 2).error_code, 0);
    assert_eq!(proxy.count("nonsense"), 0);
}
