//! What the targets in `fuzz/` call.

use std::ops::ControlFlow;

use wire::{records, shape};

/// Whether the codec may be given this body; see [`shape::check`].
#[must_use]
pub fn is_well_formed(api_key: i16, version: i16, body: &[u8]) -> bool {
    shape::check(api_key, version, body).is_ok()
}

/// The length of a header that the codec may be given; see [`shape::check_header`].
#[must_use]
pub fn header(version: i16, frame: &[u8]) -> Option<usize> {
    shape::check_header(version, frame).ok()
}

/// Reads the records of a batch in every way that there is.
pub fn records(batch: &[u8], timestamp: i64) {
    let _ = records::validate(batch);
    let _ = records::contents(batch, 100, &mut records::MOST_UNPACKED.clone(), |_, _| ControlFlow::<()>::Continue(()));
    let _ = records::find_timestamp(batch, timestamp, 0, &mut records::MOST_UNPACKED.clone());
    let _ = records::max_timestamp_offset(batch, &mut records::MOST_UNPACKED.clone());
}
