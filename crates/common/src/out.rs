//! Writes the lines of [`grammar`](crate::grammar) to standard output, each as soon as it is true.

use std::io::{ErrorKind, Write};

use crate::{Error, grammar::Line, stop};

/// Prints one line and flushes it: when this returns, the line has left the process, and a `kill -9` cannot undo it.
///
/// # Errors
/// When standard output is closed or full. The effect that the line stands for has then not happened: a consumer must
/// not commit that message.
pub fn print(line: &Line<'_>) -> Result<(), Error> {
    let mut text = line.to_string();
    text.push('\n');
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| {
        // Nobody reads any more (`| head -1`): there is no point in going on.
        stop::request();
        match error.kind() {
            ErrorKind::BrokenPipe => {
                Error::failed("standard output was closed by its reader: stopped before the next message")
            }
            _ => Error::failed(format!("standard output cannot be written: {error}; free some space or redirect it")),
        }
    })
}
