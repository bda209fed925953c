//! Faults that concern more than one connection: the program is killed or frozen, or there is no broker.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
    mpsc,
};

use proxy::{Action, ApiKey, Event, Fault, Happening, Signal, When};

use crate::support::{
    A_WHILE, closings,
    kafka::{self, client, connect},
    requests::{PRODUCE, init, produce, stored, versions},
    until,
    upstream::{Upstream, request},
    wait,
};

/// A control that says what it is asked for, and returns when the test lets it.
fn control() -> (impl Fn(Signal) + Send + Sync + 'static, mpsc::Receiver<Signal>, mpsc::Sender<()>) {
    let (asked, asks) = mpsc::channel();
    let (returns, returned) = mpsc::channel();
    let returned = std::sync::Mutex::new(returned);
    let control = move |signal| {
        asked.send(signal).unwrap();
        returned.lock().unwrap().recv().unwrap();
    };
    (control, asks, returns)
}

#[test]
fn kill_comes_before_the_broker_has_the_request() {
    let proxy = kafka::proxy();
    let topic = kafka::topic();
    proxy.arm(Fault::new("killed", When::request(ApiKey::Produce).nth(2), Action::Kill));
    let (control, asks, returns) = control();
    proxy.controls("program", control);
    let mut other = client(&proxy, "program");
    assert_eq!(other.call(&versions(), 2).error_code, 0);
    let mut killed = client(&proxy, "program");
    assert_eq!(stored(&killed.call(&produce(&topic, ["a"]), PRODUCE)), (0, 0));
    let _lost = killed.send(&produce(&topic, ["b"]), PRODUCE);
    assert_eq!(asks.recv().unwrap(), Signal::Kill);

    // Until it is dead nothing of the program moves, on any connection, old or new.
    let _stuck = other.send(&produce(&topic, ["c"]), PRODUCE);
    let mut new = client(&proxy, "program");
    let _stuck = new.send(&produce(&topic, ["d"]), PRODUCE);
    // Another program's does.
    assert_eq!(client(&proxy, "bystander").call(&versions(), 2).error_code, 0);
    assert!(other.is_silent_for(A_WHILE));
    assert!(new.is_silent_for(A_WHILE));
    assert_eq!(proxy.count("killed"), 0);
    assert_eq!(kafka::values(&topic), ["a"]);

    returns.send(()).unwrap();
    wait(&proxy, "killed");
    for client in [&mut killed, &mut other, &mut new] {
        assert!(client.is_closed());
    }
    assert_eq!(kafka::values(&topic), ["a"]);
    // The next program of this name is served.
    assert_eq!(stored(&client(&proxy, "program").call(&produce(&topic, ["e"]), PRODUCE)), (0, 1));
}

#[test]
fn kill_comes_after_the_broker_has_answered() {
    let proxy = kafka::proxy();
    let topic = kafka::topic();
    proxy.arm(Fault::new("killed", When::response(ApiKey::Produce), Action::Kill));
    let kills = Arc::new(AtomicUsize::new(0));
    proxy.controls("program", {
        let kills = kills.clone();
        move |signal| {
            assert_eq!(signal, Signal::Kill);
            kills.fetch_add(1, Ordering::SeqCst);
        }
    });
    let mut killed = client(&proxy, "program");
    let _lost = killed.send(&produce(&topic, ["a"]), PRODUCE);
    assert!(killed.is_closed());
    wait(&proxy, "killed");
    assert_eq!(kills.load(Ordering::SeqCst), 1);
    assert_eq!(kafka::values(&topic), ["a"]);
    assert_eq!(closings(&proxy), ["the program was killed"]);
}

#[test]
fn a_program_that_nobody_controls_loses_its_connections() {
    let proxy = kafka::proxy();
    proxy.arm(Fault::new("killed", When::request(ApiKey::ApiVersions), Action::Kill));
    let mut client = client(&proxy, "program");
    let _lost = client.send(&versions(), 2);
    assert!(client.is_closed());
    wait(&proxy, "killed");
}

#[test]
fn a_frozen_program_s_request_waits_and_comes_when_it_is_dead() {
    let proxy = kafka::proxy();
    let topic = kafka::topic();
    let what = Action::Freeze { until: "thaw".into() };
    proxy.arm(Fault::new("frozen", When::request(ApiKey::Produce).holding("b"), what));
    let (control, asks, returns) = control();
    proxy.controls("program", control);
    let mut program = client(&proxy, "program");
    assert_eq!(stored(&program.call(&produce(&topic, ["a"]), PRODUCE)), (0, 0));
    let _held = program.send(&produce(&topic, ["b"]), PRODUCE);
    assert_eq!(asks.recv().unwrap(), Signal::Freeze);
    assert_eq!(proxy.count("frozen"), 0);
    returns.send(()).unwrap();
    wait(&proxy, "frozen");
    assert_eq!(stored(&client(&proxy, "successor").call(&produce(&topic, ["c"]), PRODUCE)), (0, 1));
    // Killed while it was frozen: what it had sent is on its way all the same.
    drop(program);
    assert_eq!(kafka::values(&topic), ["a", "c"]);
    proxy.signal("thaw");
    until("the held request", || kafka::values(&topic) == ["a", "c", "b"]);
}

#[test]
fn a_thawed_program_gets_its_answers() {
    let proxy = kafka::proxy();
    let topic = kafka::topic();
    let what = Action::Freeze { until: "thaw".into() };
    proxy.arm(Fault::new("frozen", When::request(ApiKey::Produce), what));
    proxy.controls("program", |signal| assert_eq!(signal, Signal::Freeze));
    let mut program = client(&proxy, "program");
    let held = program.send(&produce(&topic, ["a"]), PRODUCE);
    let behind = program.send(&versions(), 2);
    wait(&proxy, "frozen");
    assert!(program.is_silent_for(A_WHILE));
    proxy.signal("thaw");
    assert_eq!(stored(&program.receive(held)), (0, 0));
    assert_eq!(program.receive(behind).error_code, 0);
}

#[test]
fn a_freeze_is_told_though_the_connection_ends_meanwhile() {
    let proxy = kafka::proxy();
    let what = Action::Freeze { until: "thaw".into() };
    proxy.arm(Fault::new("frozen", When::response(ApiKey::InitProducerId), what));
    let (control, asks, returns) = control();
    proxy.controls("program", control);
    let mut program = client(&proxy, "program");
    let _held = program.send(&init(None), 1);
    assert_eq!(asks.recv().unwrap(), Signal::Freeze);
    drop(program);
    until("the end of the connection", || closed(&proxy.trace()));
    returns.send(()).unwrap();
    wait(&proxy, "frozen");
}

fn closed(trace: &[Event]) -> bool {
    trace.iter().any(|event| matches!(event.happening, Happening::Closed { .. }))
}

#[test]
fn a_response_can_freeze_the_program_too() {
    let proxy = kafka::proxy();
    let what = Action::Freeze { until: "thaw".into() };
    proxy.arm(Fault::new("frozen", When::response(ApiKey::InitProducerId), what));
    let mut program = client(&proxy, "program");
    let held = program.send(&init(None), 1);
    wait(&proxy, "frozen");
    assert!(program.is_silent_for(A_WHILE));
    proxy.signal("thaw");
    assert_eq!(program.receive(held).error_code, 0);
}

#[test]
fn without_a_broker_everybody_is_cut_and_refused() {
    let proxy = kafka::proxy();
    let topic = kafka::topic();
    let what = Action::Away { until: "back".into() };
    proxy.arm(Fault::new("away", When::request(ApiKey::Produce), what));
    let mut bystander = client(&proxy, "bystander");
    assert_eq!(bystander.call(&versions(), 2).error_code, 0);
    let mut program = client(&proxy, "program");
    let _lost = program.send(&produce(&topic, ["a"]), PRODUCE);
    assert!(program.is_closed());
    assert!(bystander.is_closed());
    wait(&proxy, "away");
    assert_eq!(closings(&proxy).len(), 2);
    for name in ["program", "bystander", "newcomer"] {
        assert!(client(&proxy, name).is_closed());
    }
    assert!(proxy.wait("refused", 3, crate::support::PATIENCE));
    let refused = proxy.trace().into_iter().filter(|event| event.happening == Happening::Refused);
    assert_eq!(refused.map(|event| event.client).collect::<Vec<_>>(), ["program", "bystander", "newcomer"]);
    assert!(kafka::values(&topic).is_empty());
    proxy.signal("back");
    for name in ["program", "bystander", "newcomer"] {
        assert_eq!(client(&proxy, name).call(&versions(), 2).error_code, 0);
    }
}

/// A program that has connected, and was killed before the proxy saw it, does not speak after its death.
#[test]
fn what_a_dead_program_had_sent_on_new_connections_is_lost() {
    let upstream = Upstream::new();
    let proxy = Arc::new(upstream.proxy());
    let address = proxy.client("program").unwrap();
    proxy.arm(Fault::new("killed", When::request(ApiKey::ApiVersions), Action::Kill));
    proxy.controls("program", move |_| {
        let mut last = connect(address);
        last.send_frame(&request(999, 0, 66, b""));
        // It stays open: the proxy may not wait for its end.
        std::mem::forget(last);
    });
    let mut program = client(&proxy, "program");
    program.send_frame(&request(18, 0, 1, b""));
    wait(&proxy, "killed");
    assert!(upstream.accept().receive().is_none());
    client(&proxy, "program").send_frame(&request(999, 0, 67, b""));
    // Whatever comes next is the new program's.
    loop {
        if let Some(frame) = upstream.accept().receive() {
            assert_eq!(crate::support::upstream::correlation(&frame), 67);
            break;
        }
    }
}
