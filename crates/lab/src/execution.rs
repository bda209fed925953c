//! One run of a program, from its first line to its end.

use std::process::Command;
use std::time::{Duration, Instant};

use common::stop;

use crate::child::{Child, Ended, Next};
use crate::error::Error;

/// A program that prints nothing for so long will print nothing any more: more than any time limit of its own.
const STALLED: Duration = Duration::from_secs(90);

/// How long the lab listens on after the last line that it expects: time for a line that must not come.
const AFTERMATH: Duration = Duration::from_millis(500);

/// How long a program may take to end after Ctrl-C: it commits or aborts what is under way, and leaves its group.
const ENDING: Duration = Duration::from_secs(20);

/// Ctrl-C at the lab: the user waits.
const INTERRUPTED: Duration = Duration::from_secs(3);

/// Ctrl-C at the lab is noticed within this time.
const SLICE: Duration = Duration::from_millis(50);

/// What a program printed, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Execution {
    /// Lines of standard output, in order.
    pub lines: Vec<String>,
    /// How it ended, as far as it is not as it should be.
    pub failure: Option<Failure>,
}

/// A program that ended otherwise than with exit status 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The exit status or the signal.
    pub ended: Ended,
    /// What its log said last.
    pub said: Option<String>,
}

/// What the lab expects of a run.
pub struct Watch<'a> {
    /// The program's name, for messages.
    pub program: &'a str,
    /// More lines than this are no result but a flood.
    pub most_lines: usize,
    /// Called with each line; `true` when all that the lab waits for has been seen. A producer ends by itself, so the
    /// answer is always `false`; a consumer is then stopped with Ctrl-C.
    pub done: &'a mut dyn FnMut(&str) -> bool,
}

/// Runs a program to its end.
///
/// # Errors
/// When it cannot be started, prints nothing or too much, does not end, says that it was used wrongly, or the lab is
/// interrupted. It is killed then.
pub fn execute(command: &mut Command, watch: Watch<'_>) -> Result<Execution, Error> {
    let mut child = Child::spawn(command)
        .map_err(|error| Error::Spawn { program: watch.program.to_owned(), why: error.to_string() })?;
    let mut lines = Vec::new();
    let mut last = Instant::now();
    let mut done = false;
    let mut asked_to_stop = None;
    loop {
        match child.next(SLICE) {
            Next::Line(line) => {
                if lines.len() == watch.most_lines {
                    return Err(Error::Flooded(watch.most_lines));
                }
                last = Instant::now();
                done |= (watch.done)(&line);
                lines.push(line);
            }
            Next::Closed => break,
            // What it has started may hold its standard output open.
            Next::Quiet if child.has_ended() => break,
            Next::Quiet => {}
        }
        if stop::requested() {
            child.interrupt();
            child.wait(INTERRUPTED);
            return Err(Error::Interrupted);
        }
        match asked_to_stop {
            None if done && last.elapsed() > AFTERMATH => {
                child.interrupt();
                asked_to_stop = Some(Instant::now());
            }
            None if last.elapsed() > STALLED => return Err(Error::Stalled(STALLED)),
            Some(since) if since.elapsed() > ENDING => return Err(Error::Stalled(ENDING)),
            _ => {}
        }
    }
    let ended = child.wait(ENDING).ok_or(Error::Stalled(ENDING))?;
    let failure = match ended {
        Ended::Status(0) => None,
        ended => Some(Failure { ended, said: last_words(child.log()) }),
    };
    match failure {
        Some(Failure { ended: Ended::Status(2), said }) => Err(Error::Refused(said.unwrap_or_default())),
        failure => Ok(Execution { lines, failure }),
    }
}

/// The line of a log that says why: the last that begins with "error", or else the last.
fn last_words(log: Vec<String>) -> Option<String> {
    let mut lines = log.into_iter().rev().filter(|line| !line.trim().is_empty()).peekable();
    let last = lines.peek().cloned();
    lines.find(|line| line.starts_with("error")).or(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(script: &str, done: &mut dyn FnMut(&str) -> bool) -> Result<Execution, Error> {
        execute(Command::new("sh").args(["-c", script]), Watch { program: "script", most_lines: 100, done })
    }

    #[test]
    fn a_program_that_has_done_its_work_is_stopped_and_what_it_prints_then_counts() {
        let script = "trap 'echo last; exit 0' INT; echo first; echo second; while :; do sleep 0.05; done";
        let execution = run(script, &mut |line| line == "second").unwrap();
        assert_eq!(execution.lines, ["first", "second", "last"]);
        assert_eq!(execution.failure, None);
    }

    #[test]
    fn a_line_that_comes_after_the_expected_ones_is_not_missed() {
        let script = "trap 'exit 0' INT; echo all; sleep 0.2; echo extra; while :; do sleep 0.05; done";
        let execution = run(script, &mut |line| line == "all").unwrap();
        assert_eq!(execution.lines, ["all", "extra"]);
    }

    #[test]
    fn a_failure_is_told_with_the_reason_that_the_program_gave() {
        let execution = run("echo 'error: no luck' >&2; echo goodbye >&2; exit 1", &mut |_| false).unwrap();
        let failure = execution.failure.unwrap();
        assert_eq!(failure.ended, Ended::Status(1));
        assert_eq!(failure.said.as_deref(), Some("error: no luck"));
    }

    #[test]
    fn bad_usage_is_no_observation() {
        let refused = run("echo 'error: unknown flag' >&2; exit 2", &mut |_| false);
        assert_eq!(refused, Err(Error::Refused("error: unknown flag".into())));
    }

    #[test]
    fn a_program_has_ended_even_where_what_it_started_runs_on() {
        let execution = run("sleep 600 & echo done", &mut |_| false).unwrap();
        assert_eq!(execution.lines, ["done"]);
    }

    #[test]
    fn a_flood_of_lines_is_cut_off() {
        assert_eq!(run("yes", &mut |_| false), Err(Error::Flooded(100)));
    }

    #[test]
    fn a_program_that_does_not_exist_is_named() {
        let missing = execute(
            &mut Command::new("/no/such/program"),
            Watch { program: "ghost", most_lines: 1, done: &mut |_| false },
        );
        assert!(matches!(missing, Err(Error::Spawn { program, .. }) if program == "ghost"));
    }
}
