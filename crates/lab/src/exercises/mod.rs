//! The exercises: what each asks for, whether a student's program does it, and how far the student is.
//!
//! An exercise is a package of this workspace (`exercises/NN-name`). Its `[package.metadata.lab]` names the program of the
//! course whose part it plays, and the scenarios under which it must do what that program does.

pub mod check;
pub mod diff;
pub mod given;
pub mod hints;
pub mod list;
mod manifest;
pub mod place;
pub mod progress;
mod report;
pub mod saved;

use std::path::PathBuf;

pub use manifest::all;
pub use report::render as report;

use crate::catalogue::{Program, Promise};
use crate::error::Error;
use crate::matrix::Job;
use crate::text::Lang;

/// One exercise.
#[derive(Debug, Clone)]
pub struct Exercise {
    /// Its place in the order of the course: "06".
    pub number: String,
    /// Its name, by which progress is kept: "commit-before".
    pub name: String,
    /// Its cargo package: "ex06-commit-before".
    pub package: String,
    /// Where it is.
    pub folder: PathBuf,
    /// What it is called.
    pub title: Words,
    /// The program of the course whose part it plays.
    pub plays: &'static Program,
    /// What it must promise.
    pub promise: Promise,
    /// Under which scenarios it must pass, in the order in which they are told.
    pub jobs: Vec<Job>,
    /// By what it is rejected as given: a scenario (with its variant), and the anomaly that shows.
    pub fails: (Job, String),
    /// What a pass does not prove.
    pub unproven: Words,
}

/// What has an exercise's number and name.
pub trait Named {
    /// "06".
    fn number(&self) -> &str;
    /// "commit-before".
    fn name(&self) -> &str;
}

impl Named for Exercise {
    fn number(&self) -> &str {
        &self.number
    }

    fn name(&self) -> &str {
        &self.name
    }
}

/// A text of an exercise, in both languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// English.
    pub en: String,
    /// French.
    pub fr: String,
}

impl Words {
    /// The text in this language.
    pub fn of(&self, lang: Lang) -> &str {
        match lang {
            Lang::En => &self.en,
            Lang::Fr => &self.fr,
        }
    }
}

/// The exercise that a user means: by number (6, 06), name or package.
///
/// # Errors
/// [`Error::NoSuchExercise`], with the nearest name.
pub fn find<'a, T: Named>(exercises: &'a [T], text: &str) -> Result<&'a T, Error> {
    let asked = text.parse::<u32>().ok().map(|number| format!("{number:02}"));
    let means = |exercise: &&T| {
        let (number, name) = (exercise.number(), exercise.name());
        asked.as_deref() == Some(number)
            || text == name
            || text == format!("ex{number}-{name}")
            || text == format!("{number}-{name}")
    };
    exercises.iter().find(means).ok_or_else(|| {
        let names = exercises.iter().map(Named::name);
        Error::NoSuchExercise { asked: text.to_owned(), nearest: nearest(text, names) }
    })
}

/// The name that differs least, if one is near.
fn nearest<'a>(text: &str, names: impl Iterator<Item = &'a str>) -> Option<String> {
    names
        .map(|name| (distance(text, name), name))
        .min()
        .filter(|(distance, name)| distance * 2 <= name.chars().count())
        .map(|(_, name)| name.to_owned())
}

/// How many letters have to be added, removed or replaced.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut left = i + 1;
        let mut next = vec![left];
        for (b, above) in to.iter().zip(row.windows(2)) {
            let (Some(diagonal), Some(up)) = (above.first(), above.last()) else { continue };
            left = (diagonal + usize::from(a != *b)).min(up + 1).min(left + 1);
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_counted() {
        for (from, to, expected) in [("", "abc", 3), ("abc", "abc", 0), ("kitten", "sitting", 3), ("abc", "", 3)] {
            assert_eq!(distance(from, to), expected, "{from} {to}");
        }
    }

    #[test]
    fn only_a_near_name_is_offered() {
        let names = || ["pipeline", "rebalance"].into_iter();
        assert_eq!(nearest("pipelin", names()).as_deref(), Some("pipeline"));
        assert_eq!(nearest("xyz", names()), None);
    }
}
