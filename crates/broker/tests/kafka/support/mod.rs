//! What every test here needs.

pub(crate) mod batch;
pub(crate) mod broker;
pub(crate) mod wire;
