//! Single keys from a terminal.

use std::collections::VecDeque;
use std::io::{self, IsTerminal};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use common::stop;
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetwinsize, tcsetattr};

use crate::layout;

/// How the terminal was, while it is otherwise: whatever ends the lab gives it back so.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

/// How long one look for a key takes, at most: the terminal counts in tenths of a second.
const SLICE: u8 = 2;

/// A terminal that gives each key as it is pressed, and does not show it. Ctrl-C stays a signal.
pub(crate) struct Keys {
    /// Pressed, and not looked at yet.
    ahead: VecDeque<char>,
}

impl Keys {
    /// `None`, where nobody sits in front of it: standard input or output is no terminal.
    pub(crate) fn open() -> Option<Self> {
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return None;
        }
        let before = tcgetattr(io::stdin()).ok()?;
        *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = Some(before);
        let keys = Self { ahead: VecDeque::new() };
        keys.take().then_some(keys)
    }

    /// Takes the terminal again: a shell that stopped the lab and went on with it may have changed it.
    pub(crate) fn take(&self) -> bool {
        let Ok(mut now) = tcgetattr(io::stdin()) else { return false };
        now.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
        now.special_codes[SpecialCodeIndex::VMIN] = 0;
        now.special_codes[SpecialCodeIndex::VTIME] = SLICE;
        tcsetattr(io::stdin(), OptionalActions::Now, &now).is_ok()
    }

    /// The next key as a small letter, if one comes within a fifth of a second.
    pub(crate) fn next(&mut self) -> Option<char> {
        if self.ahead.is_empty() {
            let begun = Instant::now();
            let mut bytes = [0; 64];
            let read = rustix::io::read(io::stdin(), &mut bytes).unwrap_or_default();
            if read == 0 {
                // A terminal that has gone answers at once, with nothing.
                stop::sleep(Duration::from_millis(100).saturating_sub(begun.elapsed()));
            }
            self.ahead.extend(letters(bytes.get(..read).unwrap_or_default()));
        }
        self.ahead.pop_front()
    }
}

/// What was pressed, as small letters. An arrow, say, is an escape and more, and no key of ours.
fn letters(bytes: &[u8]) -> impl Iterator<Item = char> {
    let plain = bytes.iter().take_while(|byte| **byte != 0x1b);
    plain.map(|byte| char::from(*byte).to_ascii_lowercase())
}

impl Drop for Keys {
    fn drop(&mut self) {
        restore();
    }
}

/// Text fits into the terminal that standard output is, if it is one.
pub(crate) fn fit() {
    if let Some(size) = io::stdout().is_terminal().then(|| tcgetwinsize(io::stdout()).ok()).flatten()
        && size.ws_col > 0
    {
        layout::fit(size.ws_col.into());
    }
}

/// Gives the terminal back as it was, if it is otherwise.
pub(crate) fn restore() {
    if let Some(before) = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take() {
        // Nothing can be done when the terminal has gone.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arrow_is_no_key_of_ours() {
        assert_eq!(letters(b"Hn").collect::<String>(), "hn");
        assert_eq!(letters(b"l\x1b[A").collect::<String>(), "l");
    }
}
