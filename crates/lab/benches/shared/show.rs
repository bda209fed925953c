//! What is shown, and when to stop.

use std::time::Duration;

use common::{Error, stop};
use indicatif::{ProgressBar, ProgressStyle};

use super::ratios::Speed;

/// 1234567 → "1,235k"; small numbers as they are.
pub(crate) fn thousands(speed: Speed) -> String {
    match speed {
        ..1e3 => format!("{speed:.0}"),
        1e3..1e5 => format!("{:.1}k", speed / 1e3),
        _ => format!("{:.0}k", speed / 1e3),
    }
}

pub(crate) fn progress(runs: u64) -> ProgressBar {
    let bar = ProgressBar::new(runs);
    // A template that indicatif does not understand would show as its default bar.
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {elapsed}  {wide_msg}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// Ctrl-C between two runs, and during one (which then fails).
pub(crate) fn go_on() -> Result<(), Error> {
    if stop::requested() { Err(Error::failed("interrupted")) } else { Ok(()) }
}
