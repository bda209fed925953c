//! Where the exercises are, from their folders alone: hints, differences and resets must work when cargo cannot read the
//! workspace, since a student may have broken a manifest.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Named, find};
use crate::error::Error;

/// One exercise's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its place in the order of the course: "06".
    pub number: String,
    /// Its name, by which progress is kept: "commit-before".
    pub name: String,
    /// Where it is.
    pub folder: PathBuf,
    /// Where its solution is, if the checkout has the solutions.
    pub solution: PathBuf,
}

impl Named for Place {
    fn number(&self) -> &str {
        &self.number
    }

    fn name(&self) -> &str {
        &self.name
    }
}

/// The exercise that a user means, of the checkout at this place.
///
/// # Errors
/// [`Error::NoSuchExercise`], or [`Error::FolderGone`] when it has a solution and no folder.
pub fn place(workspace: &Path, text: &str) -> Result<Place, Error> {
    let places = all(workspace);
    find(&places, text).cloned().map_err(|error| gone(workspace, text).unwrap_or(error))
}

/// An exercise that is not found: was its folder deleted?
pub fn gone(workspace: &Path, text: &str) -> Option<Error> {
    find(&missing(workspace), text).ok().map(Place::gone)
}

/// The exercises that have a solution, and no folder any more.
pub fn missing(workspace: &Path) -> Vec<Place> {
    let there = all(workspace);
    let solutions = folders(&workspace.join("solutions")).into_iter().filter_map(|solution| {
        let (number, name) = of_folder(&solution)?;
        let folder = workspace.join("exercises").join(format!("{number}-{name}"));
        Some(Place { number, name, folder, solution })
    });
    let mut missing: Vec<_> = solutions.filter(|place| !there.iter().any(|other| other.name == place.name)).collect();
    missing.sort_by(|a, b| a.number.cmp(&b.number));
    missing
}

impl Place {
    /// Its folder is not there.
    pub fn gone(&self) -> Error {
        let folder = format!("exercises/{}-{}", self.number, self.name);
        Error::FolderGone { number: self.number.clone(), folder }
    }
}

fn all(workspace: &Path) -> Vec<Place> {
    let exercises = folders(&workspace.join("exercises")).into_iter();
    let mut places: Vec<_> = exercises
        .filter(|folder| is_member(folder))
        .filter_map(|folder| {
            // A folder that was renamed is still the same exercise.
            let (number, name) = as_given(&folder).or_else(|| of_folder(&folder))?;
            let solution = workspace.join("solutions").join(format!("{number}-{name}"));
            Some(Place { number, name, folder, solution })
        })
        .collect();
    places.sort_by(|a, b| a.number.cmp(&b.number));
    places
}

/// As in the workspace's Cargo.toml: `exercises/[0-9]*`. A folder of notes beside the exercises is no package.
fn is_member(folder: &Path) -> bool {
    folder.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(|c: char| c.is_ascii_digit()))
}

fn folders(of: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(of).into_iter().flatten().filter_map(Result::ok);
    entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}

/// From "06-commit-before".
fn of_folder(folder: &Path) -> Option<(String, String)> {
    let (number, name) = folder.file_name()?.to_str()?.split_once('-')?;
    let is_number = number.len() == 2 && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| (number.to_owned(), name.to_owned()))
}

/// From the manifest as it was given: `name = "ex06-commit-before"`.
fn as_given(folder: &Path) -> Option<(String, String)> {
    let manifest = fs::read_to_string(folder.join(super::given::FOLDER).join("Cargo.toml")).ok()?;
    let package = manifest.lines().find_map(|line| line.strip_prefix("name = \"ex")?.strip_suffix('"'))?;
    of_folder(Path::new(package))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace() -> tempfile::TempDir {
        let workspace = tempfile::tempdir().unwrap();
        for folder in
            ["exercises/06-commit-before", "exercises/02-acks", "solutions/06-commit-before", "solutions/03-x"]
        {
            fs::create_dir_all(workspace.path().join(folder)).unwrap();
        }
        fs::write(workspace.path().join("exercises/README.md"), "").unwrap();
        workspace
    }

    #[test]
    fn an_exercise_is_found_by_number_and_name_without_cargo() {
        let workspace = workspace();
        for text in ["6", "06", "commit-before", "06-commit-before", "ex06-commit-before"] {
            assert_eq!(place(workspace.path(), text).unwrap().name, "commit-before", "{text}");
        }
        let unknown = Error::NoSuchExercise { asked: "commit-befor".into(), nearest: Some("commit-before".into()) };
        assert_eq!(place(workspace.path(), "commit-befor"), Err(unknown));
    }

    #[test]
    fn a_renamed_folder_is_the_same_exercise() {
        let workspace = workspace();
        let (old, new) =
            (workspace.path().join("exercises/06-commit-before"), workspace.path().join("exercises/6-mine"));
        fs::create_dir(old.join(".given")).unwrap();
        fs::write(old.join(".given/Cargo.toml"), "[package]\nname = \"ex06-commit-before\"\n").unwrap();
        fs::rename(old, &new).unwrap();
        assert_eq!(place(workspace.path(), "6").unwrap().folder, new);
        let away = workspace.path().join("exercises/mine");
        fs::rename(new, away).unwrap();
        assert!(matches!(place(workspace.path(), "6"), Err(Error::FolderGone { .. })), "cargo does not see it");
    }

    #[test]
    fn a_deleted_folder_is_no_unknown_exercise() {
        let workspace = workspace();
        assert_eq!(place(workspace.path(), "3"), Err(missing(workspace.path())[0].gone()));
        assert!(matches!(place(workspace.path(), "4"), Err(Error::NoSuchExercise { .. })));
    }
}
