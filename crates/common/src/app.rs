//! From `main` to an exit status.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use crate::{Error, stop};

/// Parses the command line, starts the log and the Ctrl-C handler, runs the program, and tells its error in one line
/// on standard error. Exit status: 0 done, 1 a delivery or transaction failed, 2 bad usage.
pub fn main<Args: Parser>(run: impl FnOnce(Args) -> Result<(), Error>) -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        // --help and --version: to standard output, status 0.
        Err(error) if !error.use_stderr() => error.exit(),
        Err(error) => return fail(&Error::Usage(one_line(&error.to_string()))),
    };
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("info"))
        .format(|line, record| {
            let (level, style) = (record.level(), line.default_level_style(record.level()));
            writeln!(line, "{} {style}{level:<5}{style:#} {}", line.timestamp_millis(), record.args())
        })
        .init();
    if let Err(error) = stop::on_signals() {
        log::warn!("Ctrl-C will end this program at once: {error}");
    }
    match run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

/// Not through the log: RUST_LOG must not be able to hide why a program failed.
fn fail(error: &Error) -> ExitCode {
    // Nothing can be done when standard error itself is closed.
    let _ = writeln!(std::io::stderr(), "error: {error}");
    error.exit_code()
}

/// clap explains over several lines; the first paragraph says what is wrong.
fn one_line(explanation: &str) -> String {
    let first = explanation.split("\n\n").next().unwrap_or(explanation);
    let words: Vec<_> = first.trim_start_matches("error:").split_whitespace().collect();
    format!("{}; --help shows what is possible", words.join(" "))
}
