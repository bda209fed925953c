//! The progress bar, on a terminal's standard error.

use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressState, ProgressStyle};

use crate::stage::STALLED;

/// When no run has ended for so long, the bar says so: a program may hang, and it is not killed before [`STALLED`].
const QUIET: Duration = Duration::from_secs(8);

/// How many runs are done, which are under way, and how long the rest will take. Shows nothing where standard error is
/// no terminal.
pub(crate) struct Progress {
    bar: ProgressBar,
    running: Mutex<Vec<String>>,
    /// When the last run ended.
    last: Arc<Mutex<Instant>>,
}

impl Progress {
    /// A bar for so many runs, where it may be shown.
    pub(crate) fn new(runs: usize, shown: bool) -> Self {
        let bar = if shown { ProgressBar::new(runs as u64) } else { ProgressBar::hidden() };
        let last = Arc::new(Mutex::new(Instant::now()));
        let since = Arc::clone(&last);
        let quiet = move |_: &ProgressState, out: &mut dyn Write| {
            let quiet = since.lock().unwrap_or_else(PoisonError::into_inner).elapsed();
            if quiet >= QUIET {
                // Nothing can be done about a bar that cannot be written.
                let _ = write!(out, "… {} s (≤ {} s) ", quiet.as_secs(), STALLED.as_secs());
            }
        };
        // A template that indicatif does not understand would show as its default bar.
        if let Ok(style) = ProgressStyle::with_template("{spinner} {bar:25} {pos}/{len} ~{eta}  {quiet}{wide_msg}") {
            bar.set_style(style.with_key("quiet", quiet));
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        Self { bar, running: Mutex::default(), last }
    }

    /// A run begins; dropping the result ends it.
    pub(crate) fn begin(&self, name: String) -> Running<'_> {
        self.show(|running| running.push(name.clone()));
        Running { progress: self, name }
    }

    /// One is done without a run.
    pub(crate) fn skip(&self) {
        self.bar.inc(1);
    }

    /// Removes the bar.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn show(&self, change: impl FnOnce(&mut Vec<String>)) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut running);
        self.bar.set_message(running.join(", "));
    }
}

/// A run that is under way.
pub(crate) struct Running<'a> {
    progress: &'a Progress,
    name: String,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.progress.bar.inc(1);
        *self.progress.last.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.progress.show(|running| running.retain(|name| *name != self.name));
    }
}
