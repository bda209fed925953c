//! The group coordinator: classic protocol.
