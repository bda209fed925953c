//! One run of one program.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::Error;

use crate::shared::{ratios::Speed, show::go_on};

/// What becomes of the lines that a program prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// Nobody reads them (/dev/null).
    Nowhere,
    /// A pipe, read by a thread that counts them, as in `… | wc -l`.
    Counted,
}

/// What a run took, and when its lines came.
pub(crate) struct Run {
    pub(crate) took: Duration,
    lines: Vec<Instant>,
}

impl Run {
    /// Lines per second, after the first tenth.
    pub(crate) fn rate(&self) -> Result<Speed, Error> {
        let tenth = self.lines.len() / 10;
        match (self.lines.get(tenth), self.lines.last()) {
            (Some(early), Some(late)) if late > early => {
                Ok((self.lines.len() - 1 - tenth) as f64 / (*late - *early).as_secs_f64())
            }
            _ => Err(Error::failed("the program printed too little to be measured")),
        }
    }
}

/// Runs it to its end, which must be a good one.
pub(crate) fn run(mut command: Command, output: Output) -> Result<Run, Error> {
    go_on()?;
    let what = format!("{:?}", command.get_program());
    command.stdin(Stdio::null()).stderr(Stdio::piped()).stdout(match output {
        Output::Nowhere => Stdio::null(),
        Output::Counted => Stdio::piped(),
    });
    let start = Instant::now();
    let mut child = command.spawn().map_err(|error| Error::failed(format!("{what}: {error}")))?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let lines = std::thread::spawn(|| stdout.map(times_of_lines).unwrap_or_default());
    let said = std::thread::spawn(|| {
        let mut said = Vec::new();
        // What cannot be read is not shown.
        let _ = stderr.map(|mut stderr| stderr.read_to_end(&mut said));
        String::from_utf8_lossy(&said).into_owned()
    });
    let status = child.wait().map_err(Error::failed)?;
    let took = start.elapsed();
    let lines = lines.join().unwrap_or_default();
    go_on()?;
    if status.success() {
        Ok(Run { took, lines })
    } else {
        let said = said.join().unwrap_or_default();
        Err(Error::failed(format!("{what}: {status}: {}", said.lines().last().unwrap_or("it said nothing"))))
    }
}

fn times_of_lines(stdout: impl Read) -> Vec<Instant> {
    let mut times = Vec::new();
    let mut reader = BufReader::with_capacity(1 << 16, stdout);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        times.push(Instant::now());
        line.clear();
    }
    times
}
