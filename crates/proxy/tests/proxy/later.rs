//! Requests that the broker gets later, or twice.

use proxy::{Action, ApiKey, Fault, Side, When};

use crate::support::{
    closings, frames,
    kafka::{self, client},
    requests::{PRODUCE, produce, stored, versions},
    until,
    upstream::{Upstream, request},
    wait,
};

#[test]
fn a_repeated_request_is_stored_twice_and_answered_once() {
    let proxy = kafka::proxy();
    let topic = kafka::topic();
    let what = Action::Repeat { upon: "again".into() };
    proxy.arm(Fault::new("repeated", When::request(ApiKey::Produce).holding("a"), what));
    let mut client = client(&proxy, "program");
    assert_eq!(stored(&client.call(&produce(&topic, ["a"]), PRODUCE)), (0, 0));
    wait(&proxy, "repeated");
    assert_eq!(stored(&client.call(&produce(&topic, ["b"]), PRODUCE)), (0, 1));
    assert_eq!(proxy.count("repeated answered"), 0);
    proxy.signal("again");
    wait(&proxy, "repeated answered");
    assert_eq!(stored(&client.call(&produce(&topic, ["c"]), PRODUCE)), (0, 3));
    assert_eq!(kafka::values(&topic), ["a", "b", "a", "c"]);
    let trace = proxy.trace();
    let ours: Vec<_> = frames(&trace).into_iter().filter(|(_, frame)| frame.ours).collect();
    assert_eq!(ours.len(), 1);
    assert_eq!(ours[0].1.side, Side::Response);
    assert_eq!(ours[0].1.facts.partitions[0].offset, Some(2));
}

#[test]
fn a_repeated_request_comes_when_the_client_has_gone() {
    let proxy = kafka::proxy();
    let topic = kafka::topic();
    let what = Action::Repeat { upon: "again".into() };
    proxy.arm(Fault::new("repeated", When::request(ApiKey::Produce), what));
    let mut client = client(&proxy, "program");
    assert_eq!(stored(&client.call(&produce(&topic, ["a"]), PRODUCE)), (0, 0));
    drop(client);
    until("the client's end", || closings(&proxy) == ["the client closed it"]);
    proxy.signal("again");
    wait(&proxy, "repeated answered");
    assert_eq!(kafka::values(&topic), ["a", "a"]);
}

#[test]
fn a_repeated_request_without_acks_is_stored_twice() {
    let proxy = kafka::proxy();
    let topic = kafka::topic();
    proxy.signal("again");
    let what = Action::Repeat { upon: "again".into() };
    proxy.arm(Fault::new("repeated", When::request(ApiKey::Produce), what));
    let mut client = client(&proxy, "program");
    client.send_frame(&crate::support::wire::encode(&produce(&topic, ["a"]).with_acks(0), PRODUCE, 1, "test"));
    wait(&proxy, "repeated");
    until("the second", || kafka::values(&topic) == ["a", "a"]);
    assert_eq!(client.call(&versions(), 2).error_code, 0);
}

#[test]
fn a_postponed_request_comes_after_its_client_was_cut() {
    let proxy = kafka::proxy();
    let topic = kafka::topic();
    let what = Action::Postpone { until: "now".into() };
    proxy.arm(Fault::new("postponed", When::request(ApiKey::Produce).nth(2), what));
    let mut first = client(&proxy, "program");
    let answered = first.send(&produce(&topic, ["a"]), PRODUCE);
    let _postponed = first.send(&produce(&topic, ["b"]), PRODUCE);
    assert_eq!(stored(&first.receive(answered)), (0, 0));
    assert!(first.is_closed());
    wait(&proxy, "postponed");
    let mut second = client(&proxy, "program");
    assert_eq!(stored(&second.call(&produce(&topic, ["c"]), PRODUCE)), (0, 1));
    proxy.signal("now");
    wait(&proxy, "postponed answered");
    assert_eq!(kafka::values(&topic), ["a", "c", "b"]);
}

/// It comes on the connection on which it would have come, which is closed when it has been answered.
#[test]
fn a_postponed_request_keeps_its_connection_and_no_longer() {
    let upstream = Upstream::new();
    let proxy = upstream.proxy();
    let what = Action::Postpone { until: "now".into() };
    proxy.arm(Fault::new("postponed", When::request(ApiKey::ApiVersions), what));
    let mut client = client(&proxy, "program");
    let sent = request(18, 0, 9, b"as it was");
    client.send_frame(&sent);
    let mut broker = upstream.accept();
    wait(&proxy, "postponed");
    assert!(client.is_closed());
    proxy.signal("now");
    assert_eq!(broker.receive().unwrap(), sent);
    assert_eq!(proxy.count("postponed answered"), 0);
    broker.answer(&sent, b"");
    wait(&proxy, "postponed answered");
    assert!(broker.receive().is_none());
}

/// What is already on its way is not lost when another connection's fault kills the program.
#[test]
fn a_postponed_request_outlives_the_program() {
    let proxy = kafka::proxy();
    let topic = kafka::topic();
    let what = Action::Postpone { until: "now".into() };
    proxy.arm(Fault::new("postponed", When::request(ApiKey::Produce), what));
    proxy.arm(Fault::new("killed", When::request(ApiKey::InitProducerId), Action::Kill));
    proxy.controls("program", |_| {});
    let mut first = client(&proxy, "program");
    let _postponed = first.send(&produce(&topic, ["a"]), PRODUCE);
    wait(&proxy, "postponed");
    let mut second = client(&proxy, "program");
    let _lost = second.send(&crate::support::requests::init(None), 1);
    wait(&proxy, "killed");
    proxy.signal("now");
    wait(&proxy, "postponed answered");
    assert_eq!(kafka::values(&topic), ["a"]);
}
