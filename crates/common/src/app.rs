//! From `main` to an exit status.

use std::io::Write;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue};
use clap::{Command, Parser};

use crate::{Error, stop};

/// Parses the command line, starts the log and the Ctrl-C handler, runs the program, and tells its error in one line
/// on standard error. Exit status: 0 done, 1 a delivery or transaction failed, 2 bad usage.
pub fn main<Args: Parser>(run: impl FnOnce(Args) -> Result<(), Error>) -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        // --help and --version: to standard output, status 0.
        Err(error) if !error.use_stderr() => error.exit(),
        Err(error) => return fail(&Error::Usage(one_line(&error, &Args::command()))),
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

fn fail(error: &Error) -> ExitCode {
    error.tell();
    error.exit_code()
}

/// clap explains over several lines; the first paragraph says what is wrong.
fn one_line(error: &clap::Error, command: &Command) -> String {
    let explanation = error.to_string();
    let first = explanation.split("\n\n").next().unwrap_or(&explanation);
    let words: Vec<_> = first.trim_start_matches("error:").split_whitespace().collect();
    let origin = match environment_variable(error, command) {
        Some(variable) => format!(" (from the environment variable {variable})"),
        None => String::new(),
    };
    format!("{}{origin}; --help shows what is possible", words.join(" "))
}

/// Where a wrong value came from that is not on the command line: clap names the flag only, which nobody wrote.
fn environment_variable(error: &clap::Error, command: &Command) -> Option<String> {
    let Some(ContextValue::String(shown)) = error.get(ContextKind::InvalidArg) else { return None };
    let flag = shown.split(' ').next()?; // of `--count <N>`
    let arg = command.get_arguments().find(|arg| arg.get_long() == flag.strip_prefix("--"))?;
    let variable = arg.get_env()?;
    let written = std::env::args_os().any(|word| word.to_string_lossy().split('=').next() == Some(flag));
    (!written && std::env::var_os(variable).is_some()).then(|| variable.to_string_lossy().into_owned())
}
