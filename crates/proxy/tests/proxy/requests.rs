//! Faults on requests.

use std::time::{Duration, Instant};

use proxy::{Action, Alteration, ApiKey, Fault, Happening, When};

use crate::support::{
    A_WHILE, closings,
    kafka::{self, client},
    requests::{PRODUCE, metadata, produce, stored, versions},
    upstream::{Upstream, request, response},
    wait,
    wire::encode,
};

#[test]
fn note_is_raised_when_the_broker_has_the_request() {
    let upstream = Upstream::new();
    let proxy = upstream.proxy();
    proxy.arm(Fault::new("noted", When::request(ApiKey::ApiVersions).nth(2), Action::Note));
    let mut client = client(&proxy, "program");
    let mut broker = upstream.accept();
    client.send_frame(&request(18, 0, 1, b""));
    broker.receive().unwrap();
    assert_eq!(proxy.count("noted"), 0);
    client.send_frame(&request(18, 0, 2, b""));
    wait(&proxy, "noted");
    broker.receive().unwrap();
    client.send_frame(&request(18, 0, 3, b""));
    broker.receive().unwrap();
    assert_eq!(proxy.count("noted"), 1);
}

#[test]
fn a_swallowed_request_leaves_the_others() {
    let proxy = kafka::proxy();
    let topic = kafka::topic();
    proxy.arm(Fault::new("lost", When::request(ApiKey::Produce).nth(2), Action::Swallow));
    let mut client = client(&proxy, "program");
    let first = client.send(&produce(&topic, ["a"]), PRODUCE);
    let _lost = client.send(&produce(&topic, ["b"]), PRODUCE);
    let third = client.send(&produce(&topic, ["c"]), PRODUCE);
    assert_eq!(stored(&client.receive(first)), (0, 0));
    assert_eq!(stored(&client.receive(third)), (0, 1));
    wait(&proxy, "lost");
    assert_eq!(kafka::values(&topic), ["a", "c"]);
}

#[test]
fn cut_loses_the_request_and_keeps_earlier_answers() {
    for _ in 0..10 {
        let proxy = kafka::proxy();
        let topic = kafka::topic();
        proxy.arm(Fault::new("cut", When::request(ApiKey::Produce).nth(3), Action::Cut));
        let mut client = client(&proxy, "program");
        let first = client.send(&produce(&topic, ["a"]), PRODUCE);
        let second = client.send(&produce(&topic, ["b"]), PRODUCE);
        let _lost = client.send(&produce(&topic, ["c"]), PRODUCE);
        let _later = client.send(&produce(&topic, ["d"]), PRODUCE);
        assert_eq!(stored(&client.receive(first)), (0, 0));
        assert_eq!(stored(&client.receive(second)), (0, 1));
        assert!(client.is_closed());
        wait(&proxy, "cut");
        assert_eq!(closings(&proxy).len(), 1);
        assert_eq!(kafka::values(&topic), ["a", "b"]);
    }
}

/// The signal comes when both sides are closed.
#[test]
fn cut_closes_the_broker_side_too() {
    let upstream = Upstream::new();
    let proxy = upstream.proxy();
    proxy.arm(Fault::new("cut", When::request(ApiKey::ApiVersions), Action::Cut));
    let mut client = client(&proxy, "program");
    let mut broker = upstream.accept();
    client.send_frame(&request(999, 0, 1, b""));
    client.send_frame(&request(18, 0, 2, b""));
    let first = broker.receive().unwrap();
    assert!(broker.is_silent_for(A_WHILE));
    assert_eq!(proxy.count("cut"), 0, "an earlier answer is still to come");
    broker.answer(&first, b"");
    assert!(broker.receive().is_none());
    wait(&proxy, "cut");
    assert!(client.receive_frame().is_some());
    assert!(client.is_closed());
}

#[test]
fn cut_waits_for_an_answer_that_is_held() {
    let upstream = Upstream::new();
    let proxy = upstream.proxy();
    proxy.arm(Fault::new("held", When::response(ApiKey::Metadata), Action::Hold { until: "go".into() }));
    proxy.arm(Fault::new("cut", When::request(ApiKey::ApiVersions), Action::Cut));
    let mut client = client(&proxy, "program");
    let mut broker = upstream.accept();
    client.send_frame(&request(3, 0, 1, &[0; 4]));
    let first = broker.receive().unwrap();
    broker.answer(&first, b"");
    wait(&proxy, "held");
    client.send_frame(&request(18, 0, 2, b""));
    assert!(client.is_silent_for(A_WHILE));
    assert_eq!(proxy.count("cut"), 0);
    proxy.signal("go");
    assert!(client.receive_frame().is_some());
    assert!(client.is_closed());
}

/// The client sees an end, not a reset, which on some systems takes back what had come before.
#[test]
fn cut_is_an_orderly_end() {
    let upstream = Upstream::new();
    let proxy = upstream.proxy();
    proxy.arm(Fault::new("cut", When::request(ApiKey::ApiVersions), Action::Cut));
    let mut client = client(&proxy, "program");
    client.send_frame(&request(18, 0, 1, b""));
    // More than the proxy reads at once.
    client.send_frame(&request(999, 0, 2, &vec![0; 2 << 20]));
    wait(&proxy, "cut");
    assert!(client.ends_in_order());
}

#[test]
fn silence_is_no_end() {
    let upstream = Upstream::new();
    let proxy = upstream.proxy();
    proxy.arm(Fault::new("silent", When::request(ApiKey::ApiVersions), Action::Silence));
    let mut client = client(&proxy, "program");
    let mut broker = upstream.accept();
    client.send_frame(&request(999, 0, 1, b""));
    client.send_frame(&request(18, 0, 2, b""));
    client.send_frame(&request(999, 0, 3, b""));
    wait(&proxy, "silent");
    let first = broker.receive().unwrap();
    broker.answer(&first, b"");
    assert!(broker.is_silent_for(A_WHILE));
    assert!(client.is_silent_for(A_WHILE));
}

#[test]
fn a_held_request_and_all_behind_it_wait_for_the_signal() {
    let upstream = Upstream::new();
    let proxy = upstream.proxy();
    proxy.arm(Fault::new("held", When::request(ApiKey::ApiVersions), Action::Hold { until: "go".into() }));
    let mut client = client(&proxy, "program");
    let mut broker = upstream.accept();
    let (before, held, behind) = (request(999, 0, 1, b""), request(18, 0, 2, b""), request(999, 0, 3, b""));
    for frame in [&before, &held, &behind] {
        client.send_frame(frame);
    }
    wait(&proxy, "held");
    assert_eq!(broker.receive().unwrap(), before);
    assert!(broker.is_silent_for(A_WHILE));
    // The other direction is open.
    broker.answer(&before, b"");
    assert!(client.receive_frame().is_some());
    proxy.signal("go");
    assert_eq!(broker.receive().unwrap(), held);
    assert_eq!(broker.receive().unwrap(), behind);
}

#[test]
fn a_signal_that_has_been_raised_holds_nothing() {
    let proxy = kafka::proxy();
    proxy.signal("go");
    proxy.arm(Fault::new("held", When::request(ApiKey::ApiVersions).always(), Action::Hold { until: "go".into() }));
    let mut client = client(&proxy, "program");
    for _ in 0..3 {
        assert_eq!(client.call(&versions(), 2).error_code, 0);
    }
    assert_eq!(proxy.count("held"), 3);
}

#[test]
fn a_delayed_request_comes_later() {
    let proxy = kafka::proxy();
    let delay = Duration::from_millis(120);
    proxy.arm(Fault::new("delayed", When::request(ApiKey::ApiVersions), Action::Delay(delay)));
    let mut client = client(&proxy, "program");
    let started = Instant::now();
    client.call(&versions(), 2);
    assert!(started.elapsed() >= delay);
}

#[test]
fn an_answer_of_the_proxy_comes_in_its_turn_and_the_broker_never_sees_the_request() {
    let proxy = kafka::proxy();
    let topic = kafka::topic();
    let what = Action::Answer { error: 6, until: None };
    proxy.arm(Fault::new("refused", When::request(ApiKey::Produce).nth(2), what));
    let mut client = client(&proxy, "program");
    let first = client.send(&produce(&topic, ["a"]), PRODUCE);
    let second = client.send(&produce(&topic, ["b"]), PRODUCE);
    let third = client.send(&produce(&topic, ["c"]), PRODUCE);
    assert_eq!(stored(&client.receive(first)), (0, 0));
    assert_eq!(stored(&client.receive(second)).0, 6);
    assert_eq!(stored(&client.receive(third)), (0, 1));
    assert_eq!(kafka::values(&topic), ["a", "c"]);
    let fault = proxy.trace().into_iter().find_map(|event| match event.happening {
        Happening::Fault { name, action, error, .. } => Some((name, action, error)),
        _ => None,
    });
    assert_eq!(fault, Some(("refused".into(), "answer", Some(6))));
}

/// A batch gets a retriable error after the next one has been stored.
#[test]
fn an_answer_can_wait_until_later_requests_have_passed() {
    let proxy = kafka::proxy();
    let topic = kafka::topic();
    let what = Action::Answer { error: 6, until: Some("next".into()) };
    proxy.arm(Fault::new("refused", When::request(ApiKey::Produce).holding("b"), what));
    proxy.arm(Fault::new("next", When::request(ApiKey::Produce).after("refused"), Action::Note));
    let mut client = client(&proxy, "program");
    let first = client.send(&produce(&topic, ["a"]), PRODUCE);
    let second = client.send(&produce(&topic, ["b"]), PRODUCE);
    assert_eq!(stored(&client.receive(first)), (0, 0));
    assert!(client.is_silent_for(A_WHILE));
    let third = client.send(&produce(&topic, ["c"]), PRODUCE);
    assert_eq!(stored(&client.receive(second)).0, 6);
    assert_eq!(stored(&client.receive(third)), (0, 1));
    assert_eq!(kafka::values(&topic), ["a", "c"]);
}

/// The client does not wait for an answer: there is none to make.
#[test]
fn a_request_without_acks_is_taken_off_without_an_answer() {
    let proxy = kafka::proxy();
    let topic = kafka::topic();
    let what = Action::Answer { error: 6, until: None };
    proxy.arm(Fault::new("refused", When::request(ApiKey::Produce), what));
    let mut client = client(&proxy, "program");
    client.send_frame(&encode(&produce(&topic, ["a"]).with_acks(0), PRODUCE, 1, "test"));
    assert_eq!(client.call(&versions(), 2).error_code, 0);
    wait(&proxy, "refused");
    assert!(kafka::values(&topic).is_empty());
}

/// What cannot be answered here passes.
#[test]
fn an_unknown_version_is_not_answered_by_the_proxy() {
    let upstream = Upstream::new();
    let proxy = upstream.proxy();
    let what = Action::Answer { error: 6, until: None };
    proxy.arm(Fault::new("refused", When::request(ApiKey::Produce), what));
    let mut client = client(&proxy, "program");
    client.send_frame(&request(0, 999, 1, b""));
    let mut broker = upstream.accept();
    let sent = broker.receive().unwrap();
    broker.answer(&sent, b"the broker's");
    assert_eq!(client.receive_frame().unwrap(), response(1, b"the broker's")[4..]);
    assert_eq!(proxy.count("refused"), 0);
}

#[test]
fn a_commit_can_be_made_to_look_as_from_before_kip_447() {
    use kafka_protocol::{messages::TxnOffsetCommitRequest, protocol::Decodable};

    use crate::support::wire::text;

    let upstream = Upstream::new();
    let proxy = upstream.proxy();
    let what = Action::Alter(Alteration::NoGroupMetadata);
    proxy.arm(Fault::new("altered", When::request(ApiKey::TxnOffsetCommit), what));
    let mut client = client(&proxy, "program");
    let sent = TxnOffsetCommitRequest::default()
        .with_transactional_id(text("id").into())
        .with_group_id(text("group").into())
        .with_generation_id(5)
        .with_member_id(text("member"));
    let _sent = client.send(&sent, 3);
    let mut frame = upstream.accept().receive().unwrap().slice(4..);
    wait(&proxy, "altered");
    kafka_protocol::messages::RequestHeader::decode(&mut frame, 2).unwrap();
    let received = TxnOffsetCommitRequest::decode(&mut frame, 3).unwrap();
    assert_eq!(received, sent.with_generation_id(-1).with_member_id(text("")));
}

#[test]
fn all_notes_fire_and_the_first_of_the_others_acts() {
    let proxy = kafka::proxy();
    let when = || When::request(ApiKey::Metadata);
    proxy.arm(Fault::new("one", when(), Action::Note));
    proxy.arm(Fault::new("delay", when(), Action::Delay(Duration::from_millis(1))));
    proxy.arm(Fault::new("cut", when(), Action::Cut));
    proxy.arm(Fault::new("two", when(), Action::Note));
    let mut client = client(&proxy, "program");
    assert!(!client.call(&metadata(), 1).brokers.is_empty());
    wait(&proxy, "two");
    let counts = ["one", "delay", "cut", "two"].map(|signal| proxy.count(signal));
    assert_eq!(counts, [1, 1, 0, 1]);
}
