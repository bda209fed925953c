//! The `lab` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    lab::cli::main()
}
