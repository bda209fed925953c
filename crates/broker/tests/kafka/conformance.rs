//! One test a behaviour of the broker, by area.

mod coordination;
mod storage;
