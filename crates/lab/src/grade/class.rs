//! Whose work is where.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::layout::safe;

/// A student.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Student {
    /// The name of the folder, and as much of what stands before it as tells it from the others.
    pub(super) name: String,
    /// Where the exercises are; `None` where there are none.
    pub(super) exercises: Option<PathBuf>,
}

/// The students of these folders, each folder once.
pub(super) fn students(folders: &[PathBuf], exercises: &[String]) -> Vec<Student> {
    let mut places: Vec<PathBuf> = Vec::new();
    for folder in folders {
        // One that is not there is a row that says so.
        let place = folder.canonicalize().unwrap_or_else(|_| folder.clone());
        if !places.contains(&place) {
            places.push(place);
        }
    }
    let names = names(&places);
    places.iter().zip(names).map(|(place, name)| Student { name, exercises: find(place, exercises) }).collect()
}

/// The folder is a checkout, or its `exercises`.
fn find(place: &Path, exercises: &[String]) -> Option<PathBuf> {
    let inside = place.join("exercises");
    if is_folder(&inside) {
        return Some(inside);
    }
    exercises.iter().any(|exercise| is_folder(&place.join(exercise))).then(|| place.to_owned())
}

/// A folder that is no link.
pub(super) fn is_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|meta| meta.is_dir())
}

/// The last part of each path, or as many parts as make it the only one.
fn names(places: &[PathBuf]) -> Vec<String> {
    let parts: Vec<Vec<String>> = places
        .iter()
        .map(|place| place.iter().rev().map(|part| safe(&part.to_string_lossy())).filter(|part| part != "/").collect())
        .collect();
    let name = |parts: &[String], length: usize| {
        let mut last: Vec<&str> = parts.iter().take(length).map(String::as_str).collect();
        last.reverse();
        last.join("/")
    };
    let mut lengths = vec![1; places.len()];
    loop {
        let names: Vec<String> = parts.iter().zip(&lengths).map(|(parts, length)| name(parts, *length)).collect();
        let mut count: HashMap<&str, usize> = HashMap::new();
        for name in &names {
            *count.entry(name).or_default() += 1;
        }
        let mut grown = false;
        for ((length, parts), name) in lengths.iter_mut().zip(&parts).zip(&names) {
            if count.get(name.as_str()).is_some_and(|count| *count > 1) && *length < parts.len() {
                *length += 1;
                grown = true;
            }
        }
        if !grown {
            // What shows alike is still not the same: bytes that are no text, for instance.
            let numbered = |(at, name): (usize, &String)| match count.get(name.as_str()) {
                Some(2..) => format!("{name} #{}", at + 1),
                _ => name.clone(),
            };
            return names.iter().enumerate().map(numbered).collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(paths: &[&str]) -> Vec<String> {
        names(&paths.iter().map(PathBuf::from).collect::<Vec<_>>())
    }

    #[test]
    fn two_of_one_name_are_told_apart() {
        assert_eq!(named(&["/a/anna", "/a/ben"]), ["anna", "ben"]);
        assert_eq!(named(&["/a/anna", "/b/anna", "/b/ben"]), ["a/anna", "b/anna", "ben"]);
        assert_eq!(named(&["/x/a/anna", "/y/a/anna"]), ["x/a/anna", "y/a/anna"]);
        assert_eq!(named(&["/anna/exercises", "/ben/exercises"]), ["anna/exercises", "ben/exercises"]);
        assert_eq!(named(&["/a", "/b/a"]), ["a", "b/a"]);
    }

    #[test]
    fn what_shows_alike_has_a_number() {
        use std::os::unix::ffi::OsStringExt;
        let odd = |byte| PathBuf::from(std::ffi::OsString::from_vec(vec![b'/', byte]));
        assert_eq!(names(&[odd(0xfe), odd(0xff)]), ["\u{fffd} #1", "\u{fffd} #2"]);
        assert_eq!(named(&["/a\x1b[2J"]), ["a\\x1b[2J"]);
    }
}
