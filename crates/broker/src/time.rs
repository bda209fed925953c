//! Time, as the engine is told of it.

/// Milliseconds since 1970-01-01 UTC. The engine has no clock of its own: each call brings the time, which never goes
/// back.
pub type Millis = i64;
