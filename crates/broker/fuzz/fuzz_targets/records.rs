//! No batch makes `wire::records` panic, or read for ever.
//!
//! `cargo +nightly fuzz run records` in crates/broker

#![no_main]

use libfuzzer_sys::fuzz_target;

// The header of a batch is put together from the first bytes, so that most inputs get as far as the records.
fuzz_target!(|input: &[u8]| {
    broker::fuzzing::records(input, 0);
    let [codec, count, timestamp, records @ ..] = input else { return };
    let mut batch = vec![0; 61];
    batch[22] = *codec & 0x0f;
    batch[26] = count.wrapping_sub(1);
    batch[60] = *count;
    batch.extend(records);
    broker::fuzzing::records(&batch, i64::from(*timestamp) - 128);
});
