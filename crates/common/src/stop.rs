//! Ctrl-C (and SIGTERM): the program finishes what it is doing, then ends cleanly. A second Ctrl-C ends it at once, and so
//! does the end of a time limit.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::Error;

static STOP: Mutex<bool> = Mutex::new(false);
static WAKE: Condvar = Condvar::new();

/// How long the program may go on after Ctrl-C. Without a broker it could be minutes: librdkafka's synchronous commit
/// takes no timeout. Longer than the ten seconds that a transaction's commit or abort is given.
const LIMIT: Duration = Duration::from_secs(15);

/// What a shell reports for a process that SIGINT ended.
const INTERRUPTED: i32 = 130;

/// Asks the program to stop; wakes whoever is in [`sleep`].
pub fn request() {
    *STOP.lock().unwrap_or_else(PoisonError::into_inner) = true;
    WAKE.notify_all();
}

/// Whether the program was asked to stop. Checked between two messages, never in the middle of one.
pub fn requested() -> bool {
    *STOP.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sleeps that long, or until the program is asked to stop.
pub fn sleep(pause: Duration) {
    if pause.is_zero() {
        return;
    }
    let end = Instant::now() + pause;
    let mut stopped = STOP.lock().unwrap_or_else(PoisonError::into_inner);
    while !*stopped {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        stopped = WAKE.wait_timeout(stopped, left).unwrap_or_else(PoisonError::into_inner).0;
    }
}

/// Installs the handlers, on a thread of their own: the programs themselves are plain blocking code, as in the course.
///
/// # Errors
/// When the operating system refuses the thread or the handler.
pub(crate) fn on_signals() -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name("signals".into()).spawn(move || runtime.block_on(listen()))?;
    Ok(())
}

async fn listen() {
    let Ok(mut signals) = Signals::new() else {
        log::warn!("Ctrl-C will end this program at once: no signal handler could be installed");
        return;
    };
    signals.next().await;
    log::info!("stopping: finishing what is under way (Ctrl-C again ends at once)");
    request();
    tokio::select! {
        () = signals.next() => {
            log::warn!("ended at once, as asked: what was under way is left undecided");
            std::process::exit(INTERRUPTED);
        }
        () = tokio::time::sleep(LIMIT) => {
            Error::failed(format_args!(
                "not finished {} s after Ctrl-C, is the broker there? What was under way is left undecided",
                LIMIT.as_secs()
            ))
            .tell();
            std::process::exit(1);
        }
    }
}

/// Ctrl-C everywhere; SIGTERM too where there is one.
struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    #[cfg(unix)]
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    #[cfg(not(unix))]
    fn new() -> std::io::Result<Self> {
        Ok(Self {})
    }

    #[cfg(unix)]
    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    #[cfg(not(unix))]
    async fn next(&mut self) {
        // An error here means that Ctrl-C cannot be heard: then it has its usual effect.
        let _ = tokio::signal::ctrl_c().await;
    }
}
