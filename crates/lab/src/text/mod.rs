//! Everything that a user reads, in English and in French (what scenarios say of themselves stands with them).
//!
//! | file | what it says |
//! |---|---|
//! | `console` | while the lab works |
//! | `errors` | why it cannot go on |
//! | `kinds`, `marks` | what was found, and what was announced |
//! | `verdicts` | the guarantee, the verdict, what was not as expected |
//! | `tables`, `lists`, `stories` | headings and sentences of the table, the list, the story |
//! | `students` | what a check says of an exercise |
//! | `session` | what the instructor reads during a session |
//! | `torture` | random schedules |
//! | `nodes` | what is said to whoever kills nodes |
//! | `grade` | what an instructor reads of a class |
//! | `own`, `clues` | what is said of a client of the user's own, and where its mistake shows |
//! | `moments` | what happens between the programs and the broker |

mod clues;
mod console;
mod errors;
mod grade;
mod kinds;
mod lists;
mod marks;
mod moments;
mod nodes;
mod own;
mod session;
mod stories;
mod students;
mod tables;
mod torture;
mod verdicts;

use Lang::{En, Fr};
pub(crate) use stories::{Heading, Number};
pub(crate) use students::ForStudents;

use crate::scenario::Text;

/// The user's language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Lang {
    /// English
    En,
    /// français
    Fr,
}

impl Lang {
    /// The language of a locale, from the variables that POSIX names for messages: the first that is set decides.
    pub fn from_locale(variable: impl Fn(&str) -> Option<String>) -> Self {
        let locale =
            ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(|name| variable(name).filter(|value| !value.is_empty()));
        match locale {
            Some(locale) if locale.to_ascii_lowercase().starts_with("fr") => Fr,
            _ => En,
        }
    }

    /// One of two texts.
    pub(crate) fn of(self, text: Text) -> &'static str {
        self.pick(text.en, text.fr)
    }

    /// One of two.
    pub(crate) fn pick<T>(self, english: T, french: T) -> T {
        match self {
            En => english,
            Fr => french,
        }
    }

    /// What stands between a word and what it introduces.
    pub(crate) fn colon(self) -> &'static str {
        self.pick(":", " :")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_variable_that_is_set_decides_the_language() {
        let lang = |set: &[(&str, &str)]| {
            Lang::from_locale(|name| {
                let found = set.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| (*value).to_owned())
            })
        };
        assert_eq!(lang(&[]), En);
        assert_eq!(lang(&[("LANG", "fr_FR.UTF-8")]), Fr);
        assert_eq!(lang(&[("LANG", "fr_FR.UTF-8"), ("LC_ALL", "C")]), En);
        assert_eq!(lang(&[("LANG", "en_GB"), ("LC_MESSAGES", "fr_BE"), ("LC_ALL", "")]), Fr);
    }
}
