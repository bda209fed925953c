//! What passes `wire::shape` goes through the codec without a panic, and costs no more memory than a multiple of the
//! frame.
//!
//! `cargo +nightly fuzz run shape` in crates/broker

#![no_main]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

use bytes::Bytes;
use kafka_protocol::{
    messages::{ApiKey, RequestHeader, RequestKind},
    protocol::Decodable,
};
use libfuzzer_sys::fuzz_target;

/// Counts what is allocated on this thread, freed or not.
struct Counting;

thread_local! {
    static ALLOCATED: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: all is left to the system's allocator; the counter is a plain number without destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED.set(ALLOCATED.get() + layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The largest element of an array, and the share that a map's node has in a tagged field, by the byte of the wire.
const MULTIPLE: usize = 128;

// The key and version are a byte each, so that most inputs name a request.
fuzz_target!(|input: &[u8]| {
    let [key, version, rest @ ..] = input else { return };
    let (key, version) = (i16::from(*key), i16::from(*version % 16));
    for header_version in [1, 2] {
        if let Some(length) = broker::fuzzing::header(header_version, rest) {
            let mut frame = Bytes::copy_from_slice(rest);
            RequestHeader::decode(&mut frame, header_version).expect("the header is well-formed");
            assert_eq!(rest.len() - frame.len(), length);
        }
    }
    let mut body = Bytes::copy_from_slice(rest);
    let before = ALLOCATED.get();
    if broker::fuzzing::is_well_formed(key, version, rest) {
        assert_eq!(ALLOCATED.get(), before, "the check allocates");
        let api = ApiKey::try_from(key).expect("a request that is known");
        let request = RequestKind::decode(api, &mut body, version);
        assert!(request.is_ok(), "{api:?} {version}: {request:?}");
        let allocated = ALLOCATED.get() - before;
        assert!(allocated <= MULTIPLE * (rest.len() + 64), "{api:?} {version}: {allocated} bytes for {}", rest.len());
    }
});
