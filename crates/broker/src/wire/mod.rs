//! Bytes on the wire, before they mean anything.

pub(crate) mod shape;
