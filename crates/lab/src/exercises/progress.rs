//! How far the student is: which exercises have passed, how many hints were read.
//!
//! Kept by the names of the exercises in `.lab/progress.json`, out of git's way: it survives a `git pull`, also one that
//! changes the numbers.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::given::{free_name, write_whole};
use crate::error::Error;

/// How far one exercise is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Nothing was done.
    #[default]
    NotBegun,
    /// It was worked on.
    NotYet,
    /// A check has passed.
    Passed,
}

/// What is kept of one exercise.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Entry {
    /// How far it is.
    pub state: State,
    /// How many hints were read.
    pub hints: usize,
    /// What another version of the lab has added.
    #[serde(flatten)]
    other: Map<String, Json>,
}

/// What is kept of all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    exercises: BTreeMap<String, Entry>,
    #[serde(flatten)]
    other: Map<String, Json>,
}

impl Progress {
    /// What is kept of this exercise.
    pub fn of(&self, exercise: &str) -> Entry {
        self.exercises.get(exercise).cloned().unwrap_or_default()
    }

    /// The same, to be changed.
    pub fn at(&mut self, exercise: &str) -> &mut Entry {
        self.exercises.entry(exercise.to_owned()).or_default()
    }

    /// Whether a check of this exercise has passed.
    pub fn has_passed(&self, exercise: &str) -> bool {
        self.of(exercise).state == State::Passed
    }

    /// The exercise begins anew.
    pub fn forget(&mut self, exercise: &str) {
        self.exercises.remove(exercise);
    }

    /// A check has ended: what has passed once stays so.
    pub fn checked(&mut self, exercise: &str, passed: bool) {
        let entry = self.at(exercise);
        entry.state = if passed || entry.state == State::Passed { State::Passed } else { State::NotYet };
    }
}

/// The file.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
}

/// What came of reading or changing the file.
#[derive(Debug)]
pub struct Kept<T> {
    /// The result.
    pub value: T,
    /// The file was damaged, and has this name now.
    pub aside: Option<PathBuf>,
}

impl Store {
    /// This file, or else that of the checkout.
    pub fn new(workspace: &Path, file: Option<&Path>) -> Self {
        Self { path: file.map_or_else(|| workspace.join(".lab/progress.json"), Path::to_owned) }
    }

    /// What it holds; nothing, where there is no file yet. One that makes no sense is given another name.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(&self) -> Result<Kept<Progress>, Error> {
        self.load().map_err(|why| self.error(&why))
    }

    /// Changes what it holds. Two changes at once follow each other.
    ///
    /// # Errors
    /// When the file cannot be read or written; then it holds what it held.
    pub fn change<T>(&self, change: impl FnOnce(&mut Progress) -> T) -> Result<Kept<T>, Error> {
        self.locked(change).map_err(|why| self.error(&why))
    }

    fn locked<T>(&self, change: impl FnOnce(&mut Progress) -> T) -> io::Result<Kept<T>> {
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        // The lock is on a file of its own: the other is replaced.
        let lock = File::create(self.path.with_extension("lock"))?;
        rustix::fs::flock(&lock, FlockOperation::LockExclusive)?;
        let Kept { value: mut progress, aside } = self.load()?;
        let value = change(&mut progress);
        let mut text = serde_json::to_vec_pretty(&progress)?;
        text.push(b'\n');
        write_whole(&self.path, &text)?;
        Ok(Kept { value, aside })
    }

    fn load(&self) -> io::Result<Kept<Progress>> {
        let text = match fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Kept { value: Progress::default(), aside: None });
            }
            Err(error) => return Err(error),
        };
        if let Ok(value) = serde_json::from_slice(&text) {
            return Ok(Kept { value, aside: None });
        }
        let (aside, _) = free_name(&self.path, "damaged")?;
        fs::rename(&self.path, &aside)?;
        Ok(Kept { value: Progress::default(), aside: Some(aside) })
    }

    fn error(&self, why: &io::Error) -> Error {
        Error::Progress { path: self.path.display().to_string(), why: why.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(folder: &tempfile::TempDir) -> Store {
        Store::new(folder.path(), None)
    }

    fn passed(store: &Store, exercise: &str) -> Option<PathBuf> {
        store.change(|progress| progress.checked(exercise, true)).unwrap().aside
    }

    fn state(store: &Store, exercise: &str) -> State {
        store.read().unwrap().value.of(exercise).state
    }

    #[test]
    fn what_passes_stays_passed() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder);
        assert_eq!(state(&store, "a"), State::NotBegun);
        for (passed, expected) in [(false, State::NotYet), (true, State::Passed), (false, State::Passed)] {
            store.change(|progress| progress.checked("a", passed)).unwrap();
            assert_eq!(state(&store, "a"), expected);
        }
    }

    #[test]
    fn a_damaged_file_is_set_aside_whole_each_time() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder);
        passed(&store, "a");
        for (number, damage) in
            [&b"{\"exercises\": {\"a\""[..], b"", b"\xff\xfe", b"[]", b"{\"exercises\": 3}"].iter().enumerate()
        {
            fs::write(&store.path, damage).unwrap();
            let name = folder.path().join(format!(".lab/progress.json.damaged-{}", number + 1));
            assert_eq!(passed(&store, "b"), Some(name.clone()), "{damage:?}");
            assert_eq!(fs::read(name).unwrap(), *damage);
            assert_eq!((state(&store, "a"), state(&store, "b")), (State::NotBegun, State::Passed));
        }
    }

    #[test]
    fn what_another_version_has_added_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder);
        let text = r#"{"since": 2, "exercises": {"gone": {"state": "passed", "best": 3}, "a": {}}}"#;
        fs::create_dir(folder.path().join(".lab")).unwrap();
        fs::write(&store.path, text).unwrap();
        passed(&store, "a");
        let kept: Json = serde_json::from_slice(&fs::read(&store.path).unwrap()).unwrap();
        assert_eq!(kept["since"], 2);
        assert_eq!(kept["exercises"]["gone"]["best"], 3);
        assert_eq!(kept["exercises"]["a"]["state"], "passed");
    }

    #[test]
    fn changes_at_once_are_all_kept() {
        let folder = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let folder = &folder;
                scope.spawn(move || {
                    for exercise in 0..5 {
                        passed(&store(folder), &format!("{thread}-{exercise}"));
                    }
                });
            }
        });
        assert_eq!(store(&folder).read().unwrap().value.exercises.len(), 40);
    }

    #[test]
    fn a_file_that_cannot_be_read_is_an_error_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join(".lab/progress.json")).unwrap();
        assert!(matches!(store(&folder).read(), Err(Error::Progress { .. })));
        assert!(matches!(store(&folder).change(|_| ()), Err(Error::Progress { .. })));
        assert!(folder.path().join(".lab/progress.json").is_dir());
    }
}
