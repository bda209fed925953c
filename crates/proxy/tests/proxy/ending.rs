//! What is left when the proxy is dropped: nothing.

use std::{
    net::TcpStream,
    time::{Duration, Instant},
};

use proxy::{Action, ApiKey, Fault, When};

use crate::support::{
    kafka::{self, client},
    requests::{metadata, versions},
    upstream::{Upstream, request},
    wait,
};

#[test]
fn a_proxy_is_for_many_threads() {
    fn is_for_many_threads<T: Send + Sync>() {}
    is_for_many_threads::<proxy::Proxy>();
}

#[test]
fn connections_and_listeners_are_closed() {
    let proxy = kafka::proxy();
    let mut connected = client(&proxy, "program");
    let node = &connected.call(&metadata(), 9).brokers[0];
    let node = format!("{}:{}", node.host, node.port);
    let bootstrap = proxy.client("program").unwrap();
    let started = Instant::now();
    drop(proxy);
    assert!(started.elapsed() < Duration::from_secs(2));
    assert!(connected.is_closed());
    TcpStream::connect(bootstrap).unwrap_err();
    TcpStream::connect(node).unwrap_err();
}

#[test]
fn whatever_waits_is_given_up() {
    let upstream = Upstream::new();
    let proxy = upstream.proxy();
    let never = || "never".to_owned();
    for (n, what) in [
        Action::Hold { until: never() },
        Action::Silence,
        Action::Delay(Duration::from_secs(1_000)),
        Action::Postpone { until: never() },
        Action::Repeat { upon: never() },
        Action::Freeze { until: never() },
    ]
    .into_iter()
    .enumerate()
    {
        let name = n.to_string();
        proxy.arm(Fault::new(&name, When::request(ApiKey::ApiVersions).of(&name), what));
        let mut client = client(&proxy, &name);
        client.send_frame(&request(18, 0, 1, b""));
        wait(&proxy, &name);
        // It stays open, or not: the proxy has to end either way.
        if n % 2 == 0 {
            std::mem::forget(client);
        }
    }
    let started = Instant::now();
    drop(proxy);
    assert!(started.elapsed() < Duration::from_secs(2));
    for _ in 0..6 {
        let mut broker = upstream.accept();
        while broker.receive().is_some() {}
    }
}

/// A control that does not return is left behind.
#[test]
fn a_program_that_does_not_die_is_no_reason_to_stay() {
    let proxy = kafka::proxy();
    proxy.arm(Fault::new("killed", When::request(ApiKey::ApiVersions), Action::Kill));
    let (asked, asks) = std::sync::mpsc::channel();
    proxy.controls("program", move |_| {
        asked.send(()).unwrap();
        std::thread::sleep(Duration::from_secs(20));
    });
    let mut client = client(&proxy, "program");
    let _lost = client.send(&versions(), 2);
    asks.recv().unwrap();
    let started = Instant::now();
    drop(proxy);
    assert!(started.elapsed() < Duration::from_secs(2));
}

#[cfg(target_os = "linux")]
#[test]
fn no_thread_and_no_descriptor_stays() {
    // Other tests run beside this one in the same process: a process of its own counts.
    const ALONE: &str = "PROXY_TEST_ALONE";
    if std::env::var_os(ALONE).is_none() {
        let this = std::env::current_exe().unwrap();
        let status = std::process::Command::new(this)
            .args(["ending::no_thread_and_no_descriptor_stays", "--exact", "--test-threads=1"])
            .env(ALONE, "1")
            .env("KAFKA_BOOTSTRAP_SERVERS", kafka::bootstrap())
            .status()
            .unwrap();
        assert!(status.success());
        return;
    }
    let count = || {
        let entries = |of: &str| std::fs::read_dir(format!("/proc/self/{of}")).unwrap().count();
        (entries("task"), entries("fd"))
    };
    let turn = || {
        let proxy = kafka::proxy();
        proxy.arm(Fault::new("killed", When::request(ApiKey::Metadata).nth(2), Action::Kill));
        proxy.controls("program", |_| {});
        let mut client = client(&proxy, "program");
        let mut second = kafka::client(&proxy, "second");
        client.call(&metadata(), 9);
        second.call(&versions(), 2);
        let _lost = second.send(&metadata(), 9);
        wait(&proxy, "killed");
    };
    turn();
    let before = count();
    for _ in 0..20 {
        turn();
    }
    assert_eq!(count(), before);
}
