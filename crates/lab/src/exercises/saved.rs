//! Has the student saved? Looked at five times a second: that costs nothing, works on every file system (a shared folder
//! of a virtual machine, say), and with every editor.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// An editor that saves in two steps (away with the old file, here with the new one) has done both after this long.
const SETTLES: Duration = Duration::from_millis(50);

/// The files of an exercise, with the times at which they were written and their sizes in bytes.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Stamp(Vec<(PathBuf, Option<SystemTime>, u64)>);

impl Stamp {
    /// The files as they are now: the manifest, and what is in `src`.
    pub fn of(folder: &Path) -> Self {
        let mut files = vec![folder.join("Cargo.toml")];
        let mut folders = vec![folder.join("src")];
        while let Some(next) = folders.pop() {
            for entry in fs::read_dir(next).into_iter().flatten().filter_map(Result::ok) {
                // A link to a folder could lead in a circle.
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                    _ if entry.path().extension() == Some("rs".as_ref()) => files.push(entry.path()),
                    _ => {}
                }
            }
        }
        let stamp = |path: PathBuf| {
            let meta = fs::metadata(&path).ok()?;
            Some((path, meta.modified().ok(), meta.len()))
        };
        let mut stamps: Vec<_> = files.into_iter().filter_map(stamp).collect();
        stamps.sort();
        Self(stamps)
    }

    /// Whether the files have changed, and nobody is writing them any more.
    pub fn has_changed(&self, folder: &Path) -> bool {
        let now = Self::of(folder);
        if now == *self {
            return false;
        }
        std::thread::sleep(SETTLES);
        Self::of(folder) == now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_save_shows_and_a_backup_does_not() {
        let exercise = tempfile::tempdir().unwrap();
        let source = exercise.path().join("src");
        fs::create_dir(&source).unwrap();
        fs::write(source.join("main.rs"), "a").unwrap();
        let stamp = Stamp::of(exercise.path());
        fs::write(source.join("main.rs.bak-1"), "a").unwrap();
        fs::write(source.join(".main.rs.swp"), "a").unwrap();
        assert!(!stamp.has_changed(exercise.path()));
        fs::write(source.join("main.rs"), "ab").unwrap();
        assert!(stamp.has_changed(exercise.path()));
        fs::write(source.join("main.rs"), "a").unwrap();
        let stamp = Stamp::of(exercise.path());
        for file in ["Cargo.toml", "src/other.rs"] {
            fs::write(exercise.path().join(file), "").unwrap();
            assert!(stamp.has_changed(exercise.path()), "{file}");
            fs::remove_file(exercise.path().join(file)).unwrap();
        }
        fs::remove_dir_all(source).unwrap();
        assert!(stamp.has_changed(exercise.path()));
    }
}
