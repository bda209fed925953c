//! Ctrl-C: the programs are stopped, what was created is deleted. A second one ends the lab at once.

use std::io::{self, Write};

use common::stop;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::{reaper, terminal};

/// What a shell reports for a process that SIGINT ended.
pub const STATUS: u8 = 130;

/// Listens for SIGINT, SIGTERM and SIGHUP (the terminal was closed), on a thread of its own; `says` answers the first.
///
/// # Errors
/// When the operating system refuses the thread or the handlers.
pub fn listen(says: Option<&'static str>) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut signals = {
        let _context = runtime.enter();
        [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal)
    };
    if let Some(error) = signals.iter_mut().find_map(|signal| signal.as_mut().err()) {
        return Err(io::Error::new(error.kind(), error.to_string()));
    }
    std::thread::Builder::new().name("signals".into()).spawn(move || {
        runtime.block_on(async {
            let [Ok(interrupt), Ok(terminate), Ok(hangup)] = &mut signals else {
                return;
            };
            any(interrupt, terminate, hangup).await;
            if let Some(says) = says {
                // Nothing can be done when standard error is closed.
                let _ = writeln!(io::stderr(), "{says}");
            }
            stop::request();
            any(interrupt, terminate, hangup).await;
            reaper::kill_all();
            terminal::restore();
            std::process::exit(STATUS.into());
        });
    })?;
    Ok(())
}

async fn any(interrupt: &mut Signal, terminate: &mut Signal, hangup: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
}
