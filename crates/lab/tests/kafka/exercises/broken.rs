//! What students do to folders and manifests: the other exercises go on, and there is a way back.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use lab::error::Error;
use lab::exercises::{self, given, place};
use tempfile::TempDir;

use crate::support::workspace;

/// A checkout: this one's crates, and copies of its exercises as given and of its solutions.
fn checkout() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (workspace(), folder.path());
    symlink(from.join("crates"), to.join("crates")).unwrap();
    for part in ["Cargo.toml", "Cargo.lock", "exercises", "solutions"] {
        let done = Command::new("cp").arg("-r").arg(from.join(part)).arg(to).status().unwrap();
        assert!(done.success());
    }
    for exercise in exercises::all(to).unwrap() {
        given::reset(&exercise.folder).unwrap();
    }
    folder
}

fn six(checkout: &TempDir) -> PathBuf {
    checkout.path().join("exercises/06-commit-before")
}

/// Number and name of each exercise that cargo sees.
fn seen(checkout: &Path) -> Vec<String> {
    let all = exercises::all(checkout).unwrap();
    all.into_iter().map(|exercise| format!("{}-{}", exercise.number, exercise.name)).collect()
}

fn git(folder: &Path, args: &[&str]) {
    let user = ["-c", "user.name=student", "-c", "user.email=student@example.org"];
    let done = Command::new("git").args(user).args(args).current_dir(folder).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

#[test]
fn an_exercise_that_was_deleted_costs_no_other_and_comes_back_from_git() {
    let checkout = checkout();
    let all = seen(checkout.path());
    git(checkout.path(), &["init", "-q"]);
    git(checkout.path(), &["add", "exercises"]);
    git(checkout.path(), &["commit", "-q", "-m", "mine"]);
    fs::remove_dir_all(six(&checkout)).unwrap();
    let others: Vec<_> = all.iter().filter(|name| !name.starts_with("06")).cloned().collect();
    assert_eq!(seen(checkout.path()), others);
    let Some(Error::FolderGone { number, folder }) = place::gone(checkout.path(), "commit-before") else {
        panic!("nobody misses it")
    };
    assert_eq!((number.as_str(), folder.as_str()), ("06", "exercises/06-commit-before"));
    given::bring_back(checkout.path(), &folder).unwrap();
    assert_eq!(seen(checkout.path()), all);
    assert_eq!(place::missing(checkout.path()), []);
}

#[test]
fn without_git_there_is_no_copy_of_a_deleted_exercise() {
    let checkout = checkout();
    fs::remove_dir_all(six(&checkout)).unwrap();
    let folder = "exercises/06-commit-before";
    assert_eq!(given::bring_back(checkout.path(), folder), Err(Error::NoCopy(folder.into())));
}

#[test]
fn a_manifest_that_is_broken_or_gone_is_restored_without_cargo() {
    let checkout = checkout();
    let all = seen(checkout.path());
    for broken in [Some("[package\n"), Some(""), None] {
        let manifest = six(&checkout).join("Cargo.toml");
        match broken {
            Some(text) => fs::write(&manifest, text).unwrap(),
            None => fs::remove_file(&manifest).unwrap(),
        }
        assert_eq!(exercises::all(checkout.path()).unwrap_err(), Error::Workspace, "{broken:?}");
        let place = place::place(checkout.path(), "6").unwrap();
        let restored = given::reset(&place.folder).unwrap();
        assert_eq!(restored.len(), 1, "{restored:?}");
        assert_eq!(restored[0].backup.is_some(), broken.is_some(), "{restored:?}");
        assert_eq!(seen(checkout.path()), all, "{broken:?}");
    }
}

#[test]
fn a_renamed_folder_is_the_same_exercise_and_a_folder_of_notes_is_none() {
    let checkout = checkout();
    let all = seen(checkout.path());
    fs::create_dir(checkout.path().join("exercises/notes")).unwrap();
    let renamed = checkout.path().join("exercises/06-mine");
    fs::rename(six(&checkout), &renamed).unwrap();
    assert_eq!(seen(checkout.path()), all);
    assert_eq!(place::place(checkout.path(), "commit-before").unwrap().folder, renamed);
}
