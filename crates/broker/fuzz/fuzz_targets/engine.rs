//! Whatever frames come, at whatever times: the engine answers, waits or closes, and does not panic.
//!
//! `cargo +nightly fuzz run engine` in crates/broker

#![no_main]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use broker::{Caller, Engine, Handled, Settings};
use bytes::Bytes;
use libfuzzer_sys::fuzz_target;

/// The first `N` bytes, and what follows them.
fn take<const N: usize>(input: &[u8]) -> Option<([u8; N], &[u8])> {
    input.split_first_chunk().map(|(first, rest)| (*first, rest))
}

// A command is a byte: time passes, or a frame follows. Headers are put together, so that most frames get as far as the
// handler of their request.
fuzz_target!(|input: &[u8]| {
    let mut settings = Settings::default();
    settings.retention_bytes = 1 << 20;
    settings.max_partitions = 100;
    settings.transactions.max_ids = 100;
    settings.groups.max_groups = 100;
    let mut engine = Engine::new(settings);
    let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let caller = Caller { peer, reached_at: SocketAddr::new(peer, 9092) };
    let mut now = 1_700_000_000_000;
    let mut waits = Vec::new();
    let mut rest = input;
    while let Some(([command], after)) = take(rest) {
        rest = after;
        match command {
            // Up to 2^31 milliseconds, which is the longest that anyone may ask to wait.
            0..32 => {
                now += 1 << command;
                engine.tick(now);
                assert!(engine.next_deadline().is_none_or(|next| next > now), "busy for ever");
            }
            32 => {
                if let Some(deadline) = engine.next_deadline() {
                    now = now.max(deadline);
                    engine.tick(now);
                }
            }
            33 => {
                if let Some(wait) = waits.pop() {
                    engine.abandon(wait);
                }
            }
            _ => {
                let Some(([key, version, high, low], after)) = take(rest) else { break };
                let length = usize::from(u16::from_be_bytes([high, low])).min(after.len());
                let (body, after) = after.split_at(length);
                rest = after;
                let mut frame = Vec::new();
                if command < 250 {
                    frame.extend([0, key, 0, version % 16, 0, 0, 0, 7, 0, 1, b'c']);
                    if command % 2 == 0 {
                        // The header of a flexible version: no tagged fields.
                        frame.push(0);
                    }
                }
                frame.extend(body);
                if let Handled::Wait(wait) = engine.handle(now, caller, Bytes::from(frame)) {
                    waits.push(wait);
                }
            }
        }
        while engine.completed().is_some() {}
        assert!(engine.waiting() <= waits.len());
    }
});
