//! From `main` to an exit status.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use crate::{Error, stop};

/// Parses the command line, starts the log and the Ctrl-C handler, runs the program, and tells its error in one line
/// on standard error. Exit status: 0 done, 1 a delivery or transaction failed, 2 bad usage.
pub fn main<Args: Parser>(run: impl FnOnce(Args) -> Result<(), Error>) -> ExitCode {
    let args = Args::parse();
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("info"))
        .format_target(false)
        .init();
    if let Err(error) = stop::on_signals() {
        log::warn!("Ctrl-C will end this program at once: {error}");
    }
    match run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Not through the log: RUST_LOG must not be able to hide why a program failed. Nothing can be done when
            // standard error itself is closed.
            let _ = writeln!(std::io::stderr(), "error: {error}");
            error.exit_code()
        }
    }
}
