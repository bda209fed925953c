//! What the trace tells of record batches, and the search for a value in them.

use std::ops::ControlFlow;

use bytes::Bytes;
use wire::{
    batch,
    records::{self, MOST_UNPACKED},
};

use crate::{Batch, Marker};

/// Of larger batches only the first value is told, and none at all where they are compressed: every frame of a bulk
/// producer comes by here.
const FEW: i32 = 100;

/// Characters of a value that are told.
const CHARACTERS: usize = 80;
/// Bytes that surely hold so many characters.
const BYTES: usize = 4 * CHARACTERS;

/// What is unpacked of a frame to tell about it, in bytes.
pub(super) const UNPACK: usize = 1 << 20;

/// The batches of a partition. What follows a batch of an older format, or what is none, is not told. `unpack` is how
/// many bytes may still be decompressed.
pub(super) fn describe(records: &[u8], unpack: &mut usize) -> Vec<Batch> {
    all(records).map(|batch| describe_one(batch, unpack)).collect()
}

/// Whether a record has exactly this value.
pub(super) fn hold(records: &Bytes, value: &[u8]) -> bool {
    let mut unpack = MOST_UNPACKED;
    all(records).filter(|batch| !batch.is_control()).any(|batch| {
        // One byte more than the value has, to tell it from a longer one.
        let found = records::contents(batch.bytes(), value.len().saturating_add(1), &mut unpack, |_, found| {
            if found == Some(value) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        found.is_ok_and(|found| found.is_some())
    })
}

fn all(mut rest: &[u8]) -> impl Iterator<Item = batch::Batch<'_>> {
    std::iter::from_fn(move || {
        let (batch, after) = batch::Batch::split_first(rest).ok()??;
        rest = after;
        batch.is_current_format().then_some(batch)
    })
}

fn describe_one(batch: batch::Batch<'_>, unpack: &mut usize) -> Batch {
    let mut described = Batch {
        base_offset: batch.base_offset(),
        last_offset: batch.base_offset().wrapping_add(i64::from(batch.last_offset_delta())),
        records: batch.count(),
        producer_id: batch.producer_id(),
        producer_epoch: batch.producer_epoch(),
        base_sequence: batch.base_sequence(),
        transactional: batch.is_transactional(),
        ..Batch::default()
    };
    if batch.is_control() {
        described.marker = marker(batch, unpack);
        return described;
    }
    let few = batch.count() <= FEW;
    if !few && batch.codec() != 0 {
        return described;
    }
    let mut number = 0;
    // What cannot be read is not told; the broker will say what it thinks of it.
    let _ = records::contents(batch.bytes(), BYTES, unpack, |_, value| {
        number += 1;
        if number == 1 {
            described.first = value.map(text);
        }
        if number == batch.count() {
            described.last = value.map(text);
        }
        if few { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    described
}

/// Source: KIP-98, "Control Records".
fn marker(batch: batch::Batch<'_>, unpack: &mut usize) -> Option<Marker> {
    let key = records::contents(batch.bytes(), 4, unpack, |key, _| {
        ControlFlow::Break(key.and_then(|key| <[u8; 4]>::try_from(key).ok()))
    });
    match key.ok()??? {
        [_, _, 0, 0] => Some(Marker::Abort),
        [_, _, 0, 1] => Some(Marker::Commit),
        _ => None,
    }
}

fn text(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    let end = text.char_indices().nth(CHARACTERS).map_or(text.len(), |(end, _)| end);
    text.get(..end).unwrap_or_default().to_owned()
}
