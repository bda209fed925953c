//! The progress bar, on a terminal's standard error.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// How far a run is: messages done, and which programs work on them now. Shows nothing where standard error is no
/// terminal.
pub struct Progress {
    bar: ProgressBar,
    running: Mutex<Vec<&'static str>>,
}

impl Progress {
    /// A bar for so many messages.
    pub fn new(messages: u64) -> Self {
        let bar = ProgressBar::new(messages);
        // A template that indicatif does not understand would show as its default bar.
        if let Ok(style) = ProgressStyle::with_template("{spinner} {bar:30} {pos}/{len}  {wide_msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        Self { bar, running: Mutex::default() }
    }

    /// A program begins; dropping the result ends it. `messages` are those that were counted for it in advance.
    pub fn begin(&self, program: &'static str, messages: u64) -> Running<'_> {
        self.show(|running| running.push(program));
        Running { progress: self, program, left: messages }
    }

    /// Removes the bar.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn show(&self, change: impl FnOnce(&mut Vec<&'static str>)) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut running);
        self.bar.set_message(running.join(", "));
    }
}

/// A program at work.
pub struct Running<'a> {
    progress: &'a Progress,
    program: &'static str,
    left: u64,
}

impl Running<'_> {
    /// It has done one more message.
    pub fn message(&mut self) {
        if self.left > 0 {
            self.left -= 1;
            self.progress.bar.inc(1);
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        // What it has not done, nobody will do.
        self.progress.bar.inc(self.left);
        self.progress.show(|running| {
            if let Some(at) = running.iter().position(|program| *program == self.program) {
                running.remove(at);
            }
        });
    }
}
