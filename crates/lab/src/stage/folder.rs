//! A run's own folder, in the system's folder for temporary files: what a program of one run keeps (a database, a list of
//! what it has processed) is there for its next instance, and no other run meets it.

use std::fs::{self, DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::error::Error;
use crate::reaper;

/// The folder; dropping removes it, with all that is in it.
///
/// It lies in another one, which stays the lab's when the inner one is given to a student's program: who owns a folder in
/// the system's folder for temporary files may put something else in its place.
pub(super) struct Folder {
    _around: TempDir,
    path: PathBuf,
}

/// Others may pass, and neither look around nor change anything.
const PASS: u32 = 0o711;

/// Others' runs are none of their business.
const OWN: u32 = 0o700;

impl Folder {
    /// Makes it.
    ///
    /// # Errors
    /// When the system's folder for temporary files cannot be written.
    pub(super) fn new() -> Result<Self, Error> {
        let parent = std::env::temp_dir();
        let error = |why: std::io::Error| Error::Folder { path: parent.display().to_string(), why: why.to_string() };
        // Absolute: the program runs in it.
        let around = std::path::absolute(&parent)
            .and_then(|parent| tempfile::Builder::new().prefix("lab-run-").tempdir_in(parent))
            .map_err(error)?;
        reaper::remove_at_the_end(around.path());
        let path = around.path().join("files");
        fs::set_permissions(&around, Permissions::from_mode(PASS))
            .and_then(|()| DirBuilder::new().mode(OWN).create(&path))
            .map_err(error)?;
        Ok(Self { _around: around, path })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}
