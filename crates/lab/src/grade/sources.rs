//! What is taken of a student's exercise: the regular files in `src`, and nothing else.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, open};

use super::class::is_folder;
use super::record::Note;

/// All files together, in bytes.
const MOST_BYTES: usize = 1 << 20;

/// How many there may be, folders included.
const MOST_FILES: usize = 200;

/// What stands in `src`, by its place there.
pub(super) type Sources = BTreeMap<PathBuf, Vec<u8>>;

/// What a student has handed in for one exercise.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct HandedIn {
    pub(super) sources: Sources,
    pub(super) notes: Vec<Note>,
}

impl HandedIn {
    /// What is in this folder of an exercise; `None` where there is no such folder.
    ///
    /// # Errors
    /// When something cannot be read.
    pub(super) fn read(folder: &Path, manifest: &[u8]) -> io::Result<Option<Self>> {
        if !is_folder(folder) {
            return Ok(None);
        }
        let mut handed_in = Self::default();
        match read(&folder.join("Cargo.toml"), MOST_BYTES) {
            Ok(Some(text)) if text == manifest => {}
            Err(why) if why.kind() == io::ErrorKind::NotFound => {}
            _ => handed_in.notes.push(Note::NotUsed("Cargo.toml".into())),
        }
        if fs::symlink_metadata(folder.join("build.rs")).is_ok() {
            handed_in.notes.push(Note::NotUsed("build.rs".into()));
        }
        let root = folder.join("src");
        if is_folder(&root) {
            handed_in.walk(&root)?;
        }
        Ok(Some(handed_in))
    }

    fn walk(&mut self, root: &Path) -> io::Result<()> {
        let (mut bytes, mut files) = (0, 0);
        let mut folders = vec![root.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder)? {
                let path = entry?.path();
                let place = path.strip_prefix(root).unwrap_or(&path);
                files += 1;
                if files > MOST_FILES || bytes > MOST_BYTES {
                    self.sources.clear();
                    self.notes.push(Note::TooMuch);
                    return Ok(());
                }
                let is_plain = place.to_str().is_some_and(|name| !name.chars().any(char::is_control));
                if is_plain && is_folder(&path) {
                    folders.push(path);
                    continue;
                }
                match read(&path, MOST_BYTES + 1 - bytes.min(MOST_BYTES)) {
                    Ok(Some(text)) if is_plain => {
                        bytes += text.len();
                        self.sources.insert(place.to_owned(), text);
                    }
                    Ok(_) => self.notes.push(Note::LeftOut(place.to_string_lossy().into_owned())),
                    Err(why) => return Err(why),
                }
            }
        }
        if bytes > MOST_BYTES {
            self.sources.clear();
            self.notes.push(Note::TooMuch);
        }
        Ok(())
    }

    /// Whether there was too much to be built.
    pub(super) fn is_too_much(&self) -> bool {
        self.notes.contains(&Note::TooMuch)
    }

    /// Whether its Rust sources are those that were given.
    pub(super) fn is_as_given(&self, given: &Sources) -> bool {
        let rust = |sources: &Sources| -> Sources {
            sources.iter().filter(|(path, _)| path.extension() == Some("rs".as_ref())).map(clone).collect()
        };
        rust(&self.sources) == rust(given)
    }

    /// A word for what was handed in, under this version of the exercise and of the lab. Another version of Rust may give
    /// another: then it is graded anew.
    pub(super) fn key(&self, version: &[u8]) -> String {
        let half = |salt: u8| {
            let mut hasher = DefaultHasher::new();
            (salt, version, &self.sources).hash(&mut hasher);
            hasher.finish()
        };
        format!("{:016x}{:016x}", half(0), half(1))
    }
}

fn clone((path, text): (&PathBuf, &Vec<u8>)) -> (PathBuf, Vec<u8>) {
    (path.clone(), text.clone())
}

/// What was given of an exercise's `src`.
///
/// # Errors
/// When it cannot be read.
pub(super) fn given(folder: &Path) -> io::Result<Sources> {
    let mut given = HandedIn::default();
    given.walk(&folder.join("src"))?;
    Ok(given.sources)
}

/// The first so many bytes of a file; `None` where it is no regular file. A link is not followed, a pipe not waited for.
fn read(path: &Path, most: usize) -> io::Result<Option<Vec<u8>>> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    if !fs::symlink_metadata(path)?.is_file() {
        return Ok(None);
    }
    let file = File::from(open(path, flags, Mode::empty())?);
    let mut text = Vec::new();
    file.take(most as u64).read_to_end(&mut text)?;
    Ok(Some(text))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn exercise() -> tempfile::TempDir {
        let exercise = tempfile::tempdir().unwrap();
        fs::create_dir_all(exercise.path().join("src/more")).unwrap();
        for (file, text) in [("Cargo.toml", "m"), ("src/main.rs", "a"), ("src/more/x.rs", "b")] {
            fs::write(exercise.path().join(file), text).unwrap();
        }
        exercise
    }

    fn handed_in(exercise: &tempfile::TempDir) -> HandedIn {
        HandedIn::read(exercise.path(), b"m").unwrap().unwrap()
    }

    #[test]
    fn only_sources_are_taken_and_the_rest_is_told() {
        let exercise = exercise();
        let plain = handed_in(&exercise);
        assert_eq!(plain.sources.keys().collect::<Vec<_>>(), [Path::new("main.rs"), Path::new("more/x.rs")]);
        assert_eq!(plain.notes, []);
        symlink("/etc/passwd", exercise.path().join("src/secret.rs")).unwrap();
        symlink("/etc", exercise.path().join("src/etc")).unwrap();
        fs::write(exercise.path().join("src/a\nb.rs"), "").unwrap();
        fs::write(exercise.path().join("Cargo.toml"), "other").unwrap();
        fs::write(exercise.path().join("build.rs"), "").unwrap();
        let mut odd = handed_in(&exercise);
        assert_eq!(odd.sources, plain.sources);
        odd.notes.sort_by_key(|note| format!("{note:?}"));
        let left_out = ["a\nb.rs", "etc", "secret.rs"].map(|name| Note::LeftOut(name.into()));
        let not_used = ["Cargo.toml", "build.rs"].map(|name| Note::NotUsed(name.into()));
        assert_eq!(odd.notes, [&left_out[..], &not_used].concat());
    }

    #[test]
    fn what_nobody_writes_by_hand_is_not_built() {
        let exercise = exercise();
        fs::write(exercise.path().join("src/large.rs"), vec![b' '; MOST_BYTES]).unwrap();
        assert!(handed_in(&exercise).is_too_much() && handed_in(&exercise).sources.is_empty());
        fs::remove_file(exercise.path().join("src/large.rs")).unwrap();
        assert!(!handed_in(&exercise).is_too_much());
        for number in 0..MOST_FILES {
            fs::write(exercise.path().join(format!("src/{number}.rs")), "").unwrap();
        }
        assert!(handed_in(&exercise).is_too_much());
    }

    #[test]
    fn a_folder_that_is_a_link_or_no_folder_is_missing() {
        let exercise = exercise();
        let link = exercise.path().join("link");
        symlink(exercise.path(), &link).unwrap();
        for path in [&link, &exercise.path().join("Cargo.toml"), &exercise.path().join("nothing")] {
            assert_eq!(HandedIn::read(path, b"m").unwrap(), None, "{path:?}");
        }
    }

    #[test]
    fn every_change_has_another_key_and_only_rust_is_a_beginning() {
        let exercise = exercise();
        let given = given(exercise.path()).unwrap();
        let key = handed_in(&exercise).key(b"1");
        assert_eq!(handed_in(&exercise).key(b"1"), key);
        assert_ne!(handed_in(&exercise).key(b"2"), key);
        fs::write(exercise.path().join("src/main.rs.bak-1"), "").unwrap();
        assert!(handed_in(&exercise).is_as_given(&given));
        assert_ne!(handed_in(&exercise).key(b"1"), key);
        fs::write(exercise.path().join("src/main.rs"), "ab").unwrap();
        assert!(!handed_in(&exercise).is_as_given(&given));
    }
}
