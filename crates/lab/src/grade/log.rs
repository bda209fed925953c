//! The results as they come, one line of JSON each, at the end of a file: what is there is not done again.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use super::record::Grade;
use crate::error::Error;

/// The file.
#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    file: Mutex<File>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Line {
    student: String,
    exercise: String,
    /// Of what was handed in, and of what it was held against.
    key: String,
    grade: Grade,
}

/// What the file holds: grades, by student, exercise and key.
pub(super) type Known = HashMap<(String, String, String), Grade>;

impl Log {
    /// Opens the file, and reads what is there. A line that was cut short counts for nothing.
    ///
    /// # Errors
    /// When it cannot be read or written, or another `lab grade` writes it.
    pub(super) fn open(path: &Path) -> Result<(Self, Known), Error> {
        let error = |why: io::Error| Error::Unwritable { path: path.display().to_string(), why: why.to_string() };
        let file = open(path).map_err(error)?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            return Err(Error::GradedElsewhere(path.display().to_string()));
        }
        let known = read(&file).map_err(error)?;
        Ok((Self { path: path.to_owned(), file: Mutex::new(file) }, known))
    }

    /// Adds a grade.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn add(&self, student: &str, exercise: &str, key: &str, grade: &Grade) -> Result<(), Error> {
        let (student, exercise, key) = (student.to_owned(), exercise.to_owned(), key.to_owned());
        let written = serde_json::to_vec(&Line { student, exercise, key, grade: grade.clone() })
            .map_err(io::Error::from)
            .and_then(|mut line| {
                line.push(b'\n');
                let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
                file.write_all(&line)?;
                file.sync_data()
            });
        written.map_err(|why| Error::Unwritable { path: self.path.display().to_string(), why: why.to_string() })
    }
}

fn open(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    File::options().read(true).append(true).create(true).open(path)
}

fn read(mut file: &File) -> io::Result<Known> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.read_to_end(&mut bytes)?;
    if bytes.last().is_some_and(|last| *last != b'\n') {
        // The next line begins on a line of its own.
        file.write_all(b"\n")?;
    }
    let lines = bytes.split(|byte| *byte == b'\n');
    let lines = lines.filter_map(|line| serde_json::from_slice::<Line>(line).ok());
    Ok(lines.map(|line| ((line.student, line.exercise, line.key), line.grade)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grade::record::Verdict;

    fn key(student: &str, key: &str) -> (String, String, String) {
        (student.to_owned(), "06".to_owned(), key.to_owned())
    }

    #[test]
    fn half_a_line_costs_that_line_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/grade.jsonl");
        let grade = |verdict| Grade::without_a_run(verdict, vec![]);
        let (log, known) = Log::open(&path).unwrap();
        assert!(known.is_empty());
        assert_eq!(Log::open(&path).map(|_| ()), Err(Error::GradedElsewhere(path.display().to_string())));
        log.add("anna", "06", "k", &grade(Verdict::Passed)).unwrap();
        log.add("ben", "06", "k", &grade(Verdict::Failed)).unwrap();
        drop(log);
        let text = fs::read(&path).unwrap();
        fs::write(&path, &text[..text.len() - 9]).unwrap();
        let (log, known) = Log::open(&path).unwrap();
        assert_eq!(known.keys().collect::<Vec<_>>(), [&key("anna", "k")]);
        log.add("ben", "06", "other", &grade(Verdict::Failed)).unwrap();
        drop(log);
        let (_, known) = Log::open(&path).unwrap();
        assert_eq!(known.len(), 2);
        assert_eq!(known[&key("ben", "other")].verdict, Verdict::Failed);
    }
}
