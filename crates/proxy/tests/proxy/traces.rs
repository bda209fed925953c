//! The trace, in memory and as lines.

use std::{
    io::{self, Write},
    sync::{Arc, Condvar, Mutex},
};

use proxy::{Action, ApiKey, Fault, Proxy, Side, When};

use crate::support::{
    PATIENCE, frames,
    kafka::{self, client},
    requests::{PRODUCE, produce, versions},
    until, wait,
};

/// A file in memory.
#[derive(Clone, Default)]
struct File(Arc<Mutex<Vec<u8>>>);

impl Write for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl File {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

#[test]
fn numbers_and_times_go_up_and_responses_name_their_requests() {
    let proxy = kafka::proxy();
    let topic = kafka::topic();
    let mut client = client(&proxy, "program");
    client.call(&versions(), 2);
    client.call(&produce(&topic, ["a"]), PRODUCE);
    let trace = proxy.trace();
    assert!(trace.iter().enumerate().all(|(index, event)| event.number == index as u64));
    assert!(trace.is_sorted_by_key(|event| event.micros));
    assert!(proxy.micros() >= trace.last().unwrap().micros);
    let frames = frames(&trace);
    assert_eq!(frames.len(), 4);
    for pair in frames.chunks(2) {
        let [(request, sent), (_, answered)] = pair else { panic!() };
        assert_eq!((sent.side, answered.side), (Side::Request, Side::Response));
        assert_eq!(answered.request, Some(request.number));
        assert_eq!((&sent.api, sent.correlation), (&answered.api, answered.correlation));
        assert!(sent.bytes > 8 && answered.bytes > 4);
    }
    assert_eq!(frames[2].1.facts.partitions[0].topic, topic);
    assert_eq!(frames[3].1.facts.partitions[0].offset, Some(0));
}

#[test]
fn every_event_is_a_line_of_json() {
    let file = File::default();
    let proxy = Proxy::builder(kafka::bootstrap()).trace_to(Box::new(file.clone())).start().unwrap();
    proxy.arm(Fault::new("cut", When::response(ApiKey::ApiVersions).nth(2), Action::Cut));
    let topic = kafka::topic();
    let mut client = client(&proxy, "program");
    client.call(&produce(&topic, ["a", "\"\u{7f}\n"]), PRODUCE);
    client.call(&versions(), 2);
    let _lost = client.send(&versions(), 2);
    wait(&proxy, "cut");
    proxy.signal("a \"signal\"");
    // When nothing more comes, what came is to be seen, without the proxy's end.
    until("the last line", || file.text().lines().count() == proxy.trace().len());
    let events = proxy.trace();
    drop(proxy);
    let text = file.text();
    assert!(text.ends_with('\n'));
    for (line, event) in text.lines().zip(&events) {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(value, serde_json::to_value(event).unwrap());
        assert_eq!(value["number"], event.number);
        assert!(["frame", "connected", "closed", "fault", "signal"].contains(&value["happening"].as_str().unwrap()));
    }
    assert_eq!(text.lines().count(), events.len());
}

#[test]
fn all_is_written_when_the_proxy_is_dropped() {
    let file = File::default();
    let proxy = Proxy::builder("127.0.0.1:1").trace_to(Box::new(file.clone())).start().unwrap();
    for n in 0..20_000 {
        proxy.signal(&n.to_string());
    }
    drop(proxy);
    assert_eq!(file.text().lines().count(), 20_000);
}

#[test]
fn memory_holds_the_last_events() {
    let proxy = Proxy::builder("127.0.0.1:1").start().unwrap();
    for _ in 0..200_010 {
        proxy.signal("it");
    }
    let trace = proxy.trace();
    assert_eq!(trace.len(), 200_000);
    assert_eq!(trace[0].number, 10);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_ends_the_writing_and_nothing_else() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let proxy = Proxy::builder(kafka::bootstrap()).trace_to(Box::new(full)).start().unwrap();
    let mut client = client(&proxy, "program");
    assert_eq!(client.call(&versions(), 2).error_code, 0);
    until("an error", || proxy.trace_error().is_some());
    assert!(proxy.trace_error().unwrap().contains("No space left"), "{:?}", proxy.trace_error());
    assert_eq!(client.call(&versions(), 2).error_code, 0);
    assert_eq!(frames(&proxy.trace()).len(), 4);
}

/// A file that takes nothing until it is let.
#[derive(Clone, Default)]
struct Stuck(Arc<(Mutex<bool>, Condvar)>);

impl Write for Stuck {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let open = self.0.0.lock().unwrap();
        drop(self.0.1.wait_timeout_while(open, PATIENCE, |open| !*open).unwrap());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_reader_that_does_not_read_holds_up_nothing() {
    let stuck = Stuck::default();
    let proxy = Proxy::builder(kafka::bootstrap()).trace_to(Box::new(stuck.clone())).start().unwrap();
    let mut client = client(&proxy, "program");
    for _ in 0..1_000 {
        assert_eq!(client.call(&versions(), 2).error_code, 0);
    }
    let started = std::time::Instant::now();
    drop(proxy);
    assert!(started.elapsed().as_secs() < 2);
    *stuck.0.0.lock().unwrap() = true;
    stuck.0.1.notify_all();
}
