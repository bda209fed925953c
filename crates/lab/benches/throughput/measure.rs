//! One run of one program, and what a series of pairs amounts to.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::Error;

use crate::go_on;

/// Messages per second.
pub(crate) type Speed = f64;

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

/// Both sides of one pair.
pub(crate) struct Pair {
    pub(crate) ours: Speed,
    pub(crate) theirs: Speed,
    /// Duration of the other process divided by that of ours, where both do the same amount of work.
    pub(crate) whole: Option<f64>,
}

/// What the pairs amount to.
pub(crate) struct Ratios {
    pub(crate) ours: Speed,
    pub(crate) theirs: Speed,
    pub(crate) least: f64,
    pub(crate) median: f64,
    pub(crate) most: f64,
    pub(crate) whole: Option<f64>,
}

impl Ratios {
    /// Medians; the ratio is the median of the ratios, not the ratio of the medians.
    pub(crate) fn of(pairs: &[Pair]) -> Self {
        let sorted = |value: &dyn Fn(&Pair) -> Option<f64>| {
            let mut values: Vec<_> = pairs.iter().filter_map(value).collect();
            values.sort_by(f64::total_cmp);
            values
        };
        let ratios = sorted(&|pair| Some(pair.ours / pair.theirs));
        Self {
            ours: median(&sorted(&|pair| Some(pair.ours))).unwrap_or_default(),
            theirs: median(&sorted(&|pair| Some(pair.theirs))).unwrap_or_default(),
            least: ratios.first().copied().unwrap_or_default(),
            median: median(&ratios).unwrap_or_default(),
            most: ratios.last().copied().unwrap_or_default(),
            whole: median(&sorted(&|pair| pair.whole)),
        }
    }
}

/// Of sorted values.
fn median(values: &[f64]) -> Option<f64> {
    let upper = values.get(values.len() / 2)?;
    let lower = values.get(values.len().saturating_sub(1) / 2)?;
    Some((upper + lower) / 2.0)
}
