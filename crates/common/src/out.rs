//! Writes the lines of [`grammar`](crate::grammar) to standard output, each as soon as it is true.

use std::fmt::Write as _;
use std::io::{ErrorKind, Write};

use crate::{Error, grammar::Line, stop};

/// Prints one line and flushes it: when this returns, the line has left the process, and a `kill -9` cannot undo it.
///
/// # Errors
/// When standard output is closed or full. The effect that the line stands for has then not happened: a consumer must
/// not commit that message.
pub fn print(line: &Line<'_>) -> Result<(), Error> {
    let mut lines = Lines::default();
    lines.push(line)?;
    lines.write()
}

/// Lines that leave the process together: those of the delivery reports that one call serves.
#[derive(Default)]
pub(crate) struct Lines(String);

impl Lines {
    /// So much a pipe takes whole or not at all (Linux's PIPE_BUF): a `kill -9` cuts no line in two.
    const MOST: usize = 4096;

    /// Adds a line; writes those before it, when all together would be too much for one write.
    pub(crate) fn push(&mut self, line: &Line<'_>) -> Result<(), Error> {
        let before = self.0.len();
        // Only memory is written to: that does not fail.
        let _ = writeln!(self.0, "{line}");
        if self.0.len() <= Self::MOST {
            return Ok(());
        }
        let last = self.0.split_off(before);
        let written = self.write();
        self.0.push_str(&last);
        written
    }

    /// Writes them all: when this returns, they have left the process.
    pub(crate) fn write(&mut self) -> Result<(), Error> {
        if self.0.is_empty() {
            return Ok(());
        }
        let mut out = std::io::stdout().lock();
        let written = out.write_all(self.0.as_bytes()).and_then(|()| out.flush());
        self.0.clear();
        written.map_err(|error| {
            // Nobody reads any more (`| head -1`): there is no point in going on.
            stop::request();
            match error.kind() {
                ErrorKind::BrokenPipe => {
                    Error::failed("standard output was closed by its reader: stopped before the next message")
                }
                _ => {
                    Error::failed(format!("standard output cannot be written: {error}; free some space or redirect it"))
                }
            }
        })
    }
}
