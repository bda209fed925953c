//! A run's own folder, in the system's folder for temporary files: what a program of one run keeps (a database, a list of
//! what it has processed) is there for its next instance, and no other run meets it.

use std::path::Path;

use tempfile::TempDir;

use crate::error::Error;
use crate::reaper;

/// The folder; dropping removes it, with all that is in it.
pub(super) struct Folder(TempDir);

impl Folder {
    /// Makes it.
    ///
    /// # Errors
    /// When the system's folder for temporary files cannot be written.
    pub(super) fn new() -> Result<Self, Error> {
        let parent = std::env::temp_dir();
        let error = |why: std::io::Error| Error::Folder { path: parent.display().to_string(), why: why.to_string() };
        // Absolute: the program runs in it.
        let folder = std::path::absolute(&parent)
            .and_then(|parent| tempfile::Builder::new().prefix("lab-run-").tempdir_in(parent))
            .map_err(error)?;
        reaper::remove_at_the_end(folder.path());
        Ok(Self(folder))
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }
}
