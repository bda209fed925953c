//! The trace's clock, for everything that does not happen at the proxy.

use std::time::{Duration, Instant};

use proxy::Proxy;

/// When the trace began.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock(Instant);

impl Clock {
    pub(super) fn of(proxy: &Proxy) -> Self {
        let now = Instant::now();
        Self(now.checked_sub(Duration::from_micros(proxy.micros())).unwrap_or(now))
    }

    /// Microseconds from the beginning of the trace to this moment.
    pub(super) fn micros(self, moment: Instant) -> u64 {
        u64::try_from(moment.saturating_duration_since(self.0).as_micros()).unwrap_or(u64::MAX)
    }

    pub(super) fn now(self) -> u64 {
        self.micros(Instant::now())
    }
}
