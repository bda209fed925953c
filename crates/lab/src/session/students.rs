//! The file that names the students: on each line a namespace and, behind it, the name to show.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::error::Error;
use crate::layout::safe;

/// More than a class; a file that is larger is another one.
const LARGEST: u64 = 1 << 20;

/// What comes behind a namespace in the names of a run has room in Kafka's 249 characters.
pub(crate) const LONGEST: usize = 100;

/// What names begin with that are in no namespace: those of the programs' own topics, groups and transactional ids, and
/// those of runs.
const NOBODYS: &[&str] = &["eos", "g", "lab", "tp", "txn"];

/// One student.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Student {
    /// What all of the student's names begin with, before a dash.
    pub(crate) namespace: String,
    /// Shown in its place.
    pub(crate) name: String,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadLine {
    /// A namespace that Kafka would not take, or no command line.
    Name(String),
    /// It is longer than this.
    TooLong(usize),
    /// Names that are nobody's begin with it.
    Nobodys(String),
    /// It is, for Kafka, the same as on this line.
    Twice(usize),
    /// The names of this namespace would all be in that one as well.
    Within {
        /// The longer of the two.
        inner: String,
        /// The one that it begins with.
        outer: String,
    },
}

/// Reads the file.
///
/// # Errors
/// [`Error::Unreadable`]; [`Error::Students`], with the first line that is wrong; [`Error::NoStudents`].
pub(crate) fn read(path: &Path) -> Result<Vec<Student>, Error> {
    let shown = || safe(&path.to_string_lossy());
    let unreadable = |why: String| Error::Unreadable { path: shown(), why };
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(LARGEST + 1).read_to_string(&mut text))
        .map_err(|error| unreadable(error.to_string()))?;
    if text.len() as u64 > LARGEST {
        return Err(unreadable(format!("more than {LARGEST} bytes")));
    }
    let students = parse(&text).map_err(|(line, why)| Error::Students { path: shown(), line, why })?;
    if students.is_empty() { Err(Error::NoStudents(shown())) } else { Ok(students) }
}

/// The students, or the number of the first wrong line, from 1, with what is wrong.
fn parse(text: &str) -> Result<Vec<Student>, (usize, BadLine)> {
    let mut students: Vec<(usize, Student)> = Vec::new();
    // What some editors put before the first line.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (number, line) in text.lines().enumerate().map(|(index, line)| (index + 1, line.trim())) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (namespace, name) = line.split_once(char::is_whitespace).unwrap_or((line, line));
        check(namespace, &students).map_err(|why| (number, why))?;
        students.push((number, Student { namespace: namespace.to_owned(), name: name.trim().to_owned() }));
    }
    Ok(students.into_iter().map(|(_, student)| student).collect())
}

fn check(namespace: &str, before: &[(usize, Student)]) -> Result<(), BadLine> {
    let begins_well = namespace.starts_with(|c: char| c.is_ascii_alphanumeric());
    if !begins_well || namespace.contains(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '.' | '_' | '-')) {
        return Err(BadLine::Name(namespace.to_owned()));
    }
    if namespace.len() > LONGEST {
        return Err(BadLine::TooLong(LONGEST));
    }
    if NOBODYS.contains(&namespace) {
        return Err(BadLine::Nobodys(namespace.to_owned()));
    }
    for (number, other) in before {
        // Kafka refuses a topic whose name differs from another's in these two only: its metrics would mix them.
        if other.namespace.replace('.', "_") == namespace.replace('.', "_") {
            return Err(BadLine::Twice(*number));
        }
        for (inner, outer) in [(namespace, other.namespace.as_str()), (&other.namespace, namespace)] {
            if inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('-')) {
                return Err(BadLine::Within { inner: inner.to_owned(), outer: outer.to_owned() });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix;
    use crate::names::Names;

    #[test]
    fn a_line_is_a_namespace_and_perhaps_a_name() {
        let text = "\u{feff}# the class\r\nann\tAnn Martin \r\n\r\nanna\nbob.2  Bob, « le 2 »";
        let students = parse(text).unwrap();
        let shown: Vec<_> =
            students.iter().map(|student| (student.namespace.as_str(), student.name.as_str())).collect();
        assert_eq!(shown, [("ann", "Ann Martin"), ("anna", "anna"), ("bob.2", "Bob, « le 2 »")]);
    }

    #[test]
    fn the_first_wrong_line_is_named() {
        let within = |inner: &str, outer: &str| BadLine::Within { inner: inner.into(), outer: outer.into() };
        for (text, expected) in [
            ("ann\n#\nann", (3, BadLine::Twice(1))),
            ("a.b\na_b", (2, BadLine::Twice(1))),
            ("ann\nann-b", (2, within("ann-b", "ann"))),
            ("ann-b\nann", (2, within("ann-b", "ann"))),
            ("été", (1, BadLine::Name("été".into()))),
            ("ok\n-x", (2, BadLine::Name("-x".into()))),
            ("__consumer_offsets", (1, BadLine::Name("__consumer_offsets".into()))),
            ("lab", (1, BadLine::Nobodys("lab".into()))),
            (&"x".repeat(101), (1, BadLine::TooLong(100))),
        ] {
            assert_eq!(parse(text), Err(expected), "{text}");
        }
    }

    #[test]
    fn the_names_of_every_run_have_room_behind_the_longest_namespace() {
        let names = Names::new(u32::MAX, Some(&"x".repeat(LONGEST)));
        let names = names.numbered(u32::MAX).numbered(u32::MAX);
        for job in matrix::jobs() {
            let name = names.within(job.scenario, job.case, job.program).of("output");
            assert!(name.len() <= 249, "{name}");
        }
    }
}
