//! Signals: names that are raised, and waited for.

use std::{
    collections::HashMap,
    sync::{Condvar, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::Notify;

/// How often each was raised. Threads and tasks wait here.
#[derive(Default)]
pub(crate) struct Signals {
    counts: Mutex<HashMap<String, usize>>,
    for_threads: Condvar,
    for_tasks: Notify,
}

impl Signals {
    pub(crate) fn raise(&self, name: &str) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        match counts.get_mut(name) {
            Some(count) => *count = count.saturating_add(1),
            None => {
                counts.insert(name.to_owned(), 1);
            }
        }
        drop(counts);
        self.for_threads.notify_all();
        self.for_tasks.notify_waiters();
    }

    pub(crate) fn count(&self, name: &str) -> usize {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).get(name).copied().unwrap_or(0)
    }

    /// Blocks until it was raised so many times, or the time is up; whether it was.
    pub(crate) fn wait(&self, name: &str, times: usize, limit: Duration) -> bool {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let missing = |counts: &mut HashMap<String, usize>| counts.get(name).copied().unwrap_or(0) < times;
        let waited = self.for_threads.wait_timeout_while(counts, limit, missing);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// Returns when it has been raised; at once if it was before.
    pub(crate) async fn raised(&self, name: &str) {
        loop {
            // Made before the count is read, so that nothing is missed in between.
            let changed = self.for_tasks.notified();
            if self.count(name) > 0 {
                return;
            }
            changed.await;
        }
    }
}
