//! The text of an exercise as it was given, and how to have it back.
//!
//! Each exercise keeps a copy in its folder, `.given`: git's last commit may be the student's own, and a checkout that came
//! as an archive has no git.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::Error;

/// Where an exercise keeps its text as given.
pub(crate) const FOLDER: &str = ".given";

/// More backups of one file than anybody makes.
const MOST: u32 = 100_000;

/// A file that is as given again.
#[derive(Debug, PartialEq, Eq)]
pub struct Restored {
    /// The file, within the exercise's folder.
    pub file: PathBuf,
    /// Where the student's text of it is now, within the folder; `None` where there was no such file.
    pub backup: Option<PathBuf>,
}

/// Whether the text of the exercise in this folder differs from what was given.
pub fn is_changed(folder: &Path) -> bool {
    let files = files(folder).unwrap_or_default();
    files.iter().any(|file| fs::read(folder.join(FOLDER).join(file)).ok() != fs::read(folder.join(file)).ok())
}

/// The manifest of the exercise in this folder, as it was given.
///
/// # Errors
/// When it cannot be read.
pub fn manifest(folder: &Path) -> Result<String, Error> {
    let path = folder.join(FOLDER).join("Cargo.toml");
    fs::read_to_string(&path).map_err(|why| unreadable(&path, &why))
}

/// Brings a folder back that is not there, as git has it; `folder` is its place in the checkout.
///
/// # Errors
/// [`Error::NoCopy`] when git has none, or is not there.
pub fn bring_back(workspace: &Path, folder: &str) -> Result<(), Error> {
    let mut git = Command::new("git");
    git.current_dir(workspace).args(["checkout", "--quiet", "HEAD", "--", folder]);
    let done = git.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if done.is_ok_and(|status| status.success()) { Ok(()) } else { Err(Error::NoCopy(folder.to_owned())) }
}

/// Restores what differs, each file after a backup beside it.
///
/// # Errors
/// When a file cannot be read or written; then what it held is still there.
pub fn reset(folder: &Path) -> Result<Vec<Restored>, Error> {
    let mut restored = Vec::new();
    for file in files(folder)? {
        let (kept, path) = (folder.join(FOLDER).join(&file), folder.join(&file));
        let given = fs::read(&kept).map_err(|why| unreadable(&kept, &why))?;
        let current = match fs::read(&path) {
            Ok(current) => Some(current),
            Err(why) if why.kind() == io::ErrorKind::NotFound => None,
            Err(why) => return Err(unreadable(&path, &why)),
        };
        if current.as_ref() == Some(&given) {
            continue;
        }
        let backup = match current {
            Some(current) => {
                let backup = back_up(&path, &current).map_err(|why| unwritable(&path, &why))?;
                Some(backup.strip_prefix(folder).unwrap_or(&backup).to_owned())
            }
            None => None,
        };
        write_whole(&path, &given).map_err(|why| unwritable(&path, &why))?;
        restored.push(Restored { file, backup });
    }
    Ok(restored)
}

/// Writes a file in one step: it holds the old text or the new, whatever happens meanwhile.
pub(crate) fn write_whole(path: &Path, text: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".new-{}", std::process::id()));
    let new = path.with_file_name(name);
    let written = File::create(&new).and_then(|mut file| {
        file.write_all(text)?;
        file.sync_all()
    });
    written.and_then(|()| fs::rename(&new, path)).inspect_err(|_| {
        // What is half written helps nobody.
        let _ = fs::remove_file(&new);
    })
}

/// A name beside this file that nothing has yet.
pub(super) fn free_name(path: &Path, word: &str) -> io::Result<(PathBuf, File)> {
    for number in 1..MOST {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{word}-{number}"));
        let free = path.with_file_name(name);
        match File::create_new(&free) {
            Ok(file) => return Ok((free, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("too many backups"))
}

fn back_up(path: &Path, text: &[u8]) -> io::Result<PathBuf> {
    let (backup, mut file) = free_name(path, "bak")?;
    file.write_all(text)?;
    file.sync_all()?;
    Ok(backup)
}

/// The files that were given: what `.given` holds.
fn files(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let given = folder.join(FOLDER);
    let mut files = Vec::new();
    let mut folders = vec![given.clone()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).map_err(|why| unreadable(&next, &why))? {
            let path = entry.map_err(|why| unreadable(&next, &why))?.path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(file) = path.strip_prefix(&given) {
                files.push(file.to_owned());
            }
        }
    }
    files.sort();
    Ok(files)
}

pub(super) fn unreadable(path: &Path, why: &io::Error) -> Error {
    Error::Unreadable { path: path.display().to_string(), why: why.to_string() }
}

fn unwritable(path: &Path, why: &io::Error) -> Error {
    Error::Unwritable { path: path.display().to_string(), why: why.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exercise() -> tempfile::TempDir {
        let exercise = tempfile::tempdir().unwrap();
        for folder in [".given/src", "src"] {
            fs::create_dir_all(exercise.path().join(folder)).unwrap();
            fs::write(exercise.path().join(folder).join("main.rs"), "given").unwrap();
        }
        exercise
    }

    fn text(exercise: &tempfile::TempDir, file: &str) -> String {
        fs::read_to_string(exercise.path().join(file)).unwrap()
    }

    #[test]
    fn what_was_given_needs_no_reset() {
        let exercise = exercise();
        assert!(!is_changed(exercise.path()));
        assert_eq!(reset(exercise.path()), Ok(vec![]));
    }

    #[test]
    fn every_reset_keeps_the_text_that_it_replaces() {
        let exercise = exercise();
        for (mine, backup) in [("one", "src/main.rs.bak-1"), ("two", "src/main.rs.bak-2")] {
            fs::write(exercise.path().join("src/main.rs"), mine).unwrap();
            assert!(is_changed(exercise.path()));
            let restored = Restored { file: "src/main.rs".into(), backup: Some(backup.into()) };
            assert_eq!(reset(exercise.path()), Ok(vec![restored]));
            assert_eq!(text(&exercise, "src/main.rs"), "given");
            assert_eq!(text(&exercise, backup), mine);
        }
        assert_eq!(text(&exercise, "src/main.rs.bak-1"), "one");
    }

    #[test]
    fn a_deleted_file_comes_back() {
        let exercise = exercise();
        fs::remove_dir_all(exercise.path().join("src")).unwrap();
        assert_eq!(reset(exercise.path()), Ok(vec![Restored { file: "src/main.rs".into(), backup: None }]));
        assert_eq!(text(&exercise, "src/main.rs"), "given");
    }

    #[test]
    fn without_a_kept_copy_nothing_is_touched() {
        let exercise = exercise();
        fs::remove_dir_all(exercise.path().join(".given")).unwrap();
        assert!(matches!(reset(exercise.path()), Err(Error::Unreadable { .. })));
        assert_eq!(text(&exercise, "src/main.rs"), "given");
    }

    /// What an exercise keeps is what the repository gives: after a change to an exercise, copy it there.
    #[test]
    fn each_exercise_keeps_its_text_as_given() {
        let exercises = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../exercises");
        let mut seen = 0;
        for entry in fs::read_dir(exercises).unwrap() {
            let folder = entry.unwrap().path();
            if folder.is_dir() {
                assert_eq!(files(&folder).unwrap(), ["Cargo.toml", "src/main.rs"].map(PathBuf::from), "{folder:?}");
                assert!(!is_changed(&folder), "{} differs from {FOLDER} in it", folder.display());
                seen += 1;
            }
        }
        assert!(seen >= 14, "{seen}");
    }
}
