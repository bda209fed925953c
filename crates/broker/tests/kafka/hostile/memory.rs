//! What a client can make the broker hold for it.

use std::{env, fs, io::Write, time::Duration};

use super::{
    connect, send,
    witness::{Witness, fetch, new_topic, produce},
};
use crate::support::{batch::Batch, broker, wire::encode};

/// Bytes of memory that this process holds; `None` when the broker is not in it.
fn resident() -> Option<usize> {
    if env::var_os("KAFKA_BOOTSTRAP_SERVERS").is_some() {
        return None;
    }
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().trim_end_matches(" kB").parse::<usize>().ok().map(|kibibytes| kibibytes << 10)
}

/// Fails if this process has grown by so much since `before`. Other tests run beside: the limits are wide.
fn assert_grown_by_less_than(limit: usize, before: Option<usize>) {
    if let (Some(before), Some(after)) = (before, resident()) {
        assert!(after < before + limit, "grown from {before} to {after} bytes");
    }
}

#[test]
fn answers_that_nobody_reads_do_not_pile_up() {
    let witness = Witness::start();
    let topic = new_topic("unread");
    let mut client = broker::connect();
    for _ in 0..16 {
        produce(&mut client, &topic, &Batch::of([vec![b'x'; 512 << 10]]));
    }
    let before = resident();
    // 2000 answers of 8 MiB.
    let fetches = encode(&fetch(&topic, 0, 8 << 20), 12, 1, "unread").repeat(2000);
    let mut deaf = connect();
    deaf.set_write_timeout(Some(Duration::from_secs(1))).unwrap();
    // A broker may stop reading from one who does not read.
    let _ = deaf.write_all(&fetches);
    for _ in 0..100 {
        witness.more_rounds();
    }
    assert_grown_by_less_than(512 << 20, before);
    drop(deaf);
    witness.finish();
}

/// Apache Kafka is spared: it makes room for the whole frame at once (`NetworkReceive.readFrom`), and four connections
/// exhaust a heap of 300 MB, whereupon its network threads fail for ever.
#[test]
fn a_length_alone_takes_no_memory() {
    let before = resident();
    if before.is_none() {
        return;
    }
    let witness = Witness::start();
    // Each announces 100 MiB, which a broker accepts, and sends a byte of them.
    let mut streams: Vec<_> = (0..100).map(|_| connect()).collect();
    for stream in &mut streams {
        send(stream, &(100u32 << 20).to_be_bytes());
        send(stream, &[0]);
    }
    for _ in 0..10 {
        witness.more_rounds();
    }
    assert_grown_by_less_than(512 << 20, before);
    drop(streams);
    witness.finish();
}
