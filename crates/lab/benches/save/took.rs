//! One check, and where its time goes.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::Error;

use super::workspace;

/// How long a check took.
pub(crate) struct Took {
    /// Up to the end of the build.
    pub(crate) cargo: Duration,
    /// From there to the verdict.
    pub(crate) lab: Duration,
}

impl Took {
    pub(crate) fn whole(&self) -> Duration {
        self.cargo + self.lab
    }
}

/// Checks an exercise as its student does.
pub(crate) fn check(exercise: u32, flag: Option<&str>) -> Result<Took, Error> {
    let progress = tempfile::tempdir().map_err(|error| Error::failed(format!("a temporary folder: {error}")))?;
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(workspace()).args(["run", "-p", "lab", "--target-dir"]);
    // Where cargo has built this benchmark, whatever flag or variable has told it where.
    command.args(Path::new(env!("CARGO_TARGET_TMPDIR")).parent());
    command.args(["--", "check", &exercise.to_string()]).args(flag).args(["--lang", "en"]);
    command.env("LAB_PROGRESS", progress.path().join("progress.json")).env_remove("BOOTSTRAP_SERVERS");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let failed = |error: std::io::Error| Error::failed(format!("cargo run: {error}"));
    let begun = Instant::now();
    let mut process = command.spawn().map_err(failed)?;
    let (mut built, mut said) = (None, Vec::new());
    for line in process.stderr.take().map(BufReader::new).into_iter().flat_map(BufRead::lines).map_while(Result::ok) {
        // The first is the build of the lab, the last that of the exercise.
        if line.trim_start().starts_with("Finished ") {
            built = Some(begun.elapsed());
        }
        said.push(line);
    }
    let status = process.wait().map_err(failed)?;
    match (status.code(), built) {
        (Some(0 | 1), Some(cargo)) => Ok(Took { cargo, lab: begun.elapsed().saturating_sub(cargo) }),
        _ => Err(Error::failed(format!("lab check {exercise}: {status}; it said:\n{}", said.join("\n")))),
    }
}
