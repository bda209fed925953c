//! A change as a student makes it: one that the compiler cannot skip.

use std::fs;
use std::path::{Path, PathBuf};

use common::Error;

const MAIN: &str = "fn main() -> ExitCode {\n";

/// A text that was changed; dropping writes it back as it was.
pub(crate) struct Changed {
    path: PathBuf,
    text: String,
}

impl Changed {
    /// Changes what the function main does, otherwise in each round.
    pub(crate) fn new(path: &Path, round: u64) -> Result<Self, Error> {
        let failed = |error: std::io::Error| Error::failed(format!("{}: {error}", path.display()));
        let text = fs::read_to_string(path).map_err(failed)?;
        let (before, after) = text
            .split_once(MAIN)
            .ok_or_else(|| Error::failed(format!("{}: it has no `{}`", path.display(), MAIN.trim())))?;
        let changed = Self { path: path.to_owned(), text: text.clone() };
        let done = fs::write(path, format!("{before}{MAIN}    std::hint::black_box({round}_u64);\n{after}"));
        done.map_err(failed)?;
        Ok(changed)
    }
}

impl Drop for Changed {
    fn drop(&mut self) {
        if let Err(error) = fs::write(&self.path, &self.text) {
            log::error!("{} could not be written back: {error}; `lab reset` restores an exercise", self.path.display());
        }
    }
}
