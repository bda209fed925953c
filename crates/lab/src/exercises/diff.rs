//! A student's text against the solution's, as a unified diff.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use similar::TextDiff;

use super::given::unreadable;
use super::place::Place;
use crate::error::Error;
use crate::layout::safe;

/// Texts of which nothing is alike: after this long the difference may be larger than need be.
const PATIENCE: Duration = Duration::from_secs(2);

/// The difference of all that is in `src`: what `-` marks is the student's, what `+` marks the solution's. Empty, where
/// there is none.
///
/// # Errors
/// When a text cannot be read.
pub fn diff(place: &Place, colours: bool) -> Result<String, Error> {
    let mut files = BTreeSet::from([PathBuf::from("src/main.rs")]);
    for folder in [&place.folder, &place.solution] {
        let entries = fs::read_dir(folder.join("src")).into_iter().flatten().filter_map(Result::ok);
        let names =
            entries.map(|entry| entry.file_name()).filter(|name| Path::new(name).extension() == Some("rs".as_ref()));
        files.extend(names.map(|name| Path::new("src").join(name)));
    }
    let mut out = String::new();
    for file in files {
        let [mine, right] = [&place.folder, &place.solution].map(|folder| text(&folder.join(&file)));
        let [mine, right] = [mine?, right?];
        if mine.is_none() && right.is_none() {
            let path = place.solution.join(&file);
            return Err(unreadable(&path, &std::io::ErrorKind::NotFound.into()));
        }
        let names = [&place.folder, &place.solution].map(|folder| name(&folder.join(&file)));
        out.push_str(&unified(&mine.unwrap_or_default(), &right.unwrap_or_default(), &names, colours));
    }
    Ok(out)
}

/// `None`, where there is no such file.
fn text(path: &Path) -> Result<Option<String>, Error> {
    match fs::read(path) {
        Ok(text) => Ok(Some(String::from_utf8_lossy(&text).into_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(path, &error)),
    }
}

/// "exercises/06-commit-before/src/main.rs".
fn name(path: &Path) -> String {
    let parts: Vec<_> = path.components().rev().take(4).collect();
    parts.into_iter().rev().collect::<PathBuf>().display().to_string()
}

fn unified(mine: &str, right: &str, [from, to]: &[String; 2], colours: bool) -> String {
    let diff = TextDiff::configure().timeout(PATIENCE).diff_lines(mine, right);
    let text = diff.unified_diff().header(from, to).to_string();
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let code = match line.as_bytes().first() {
            _ if line.starts_with("--- ") || line.starts_with("+++ ") => "1",
            Some(b'-') => "31",
            Some(b'+') => "32",
            Some(b'@') => "36",
            _ => "",
        };
        // A tab is all right in a program's text.
        let line = line.split('\t').map(safe).collect::<Vec<_>>().join("\t");
        if colours && !code.is_empty() {
            out.push_str(&format!("\x1b[{code}m{line}\x1b[0m\n"));
        } else {
            out.push_str(&line);
            out.push('\n');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(mine: &[(&str, &str)], right: &[(&str, &str)]) -> (tempfile::TempDir, Place) {
        let root = tempfile::tempdir().unwrap();
        let place = Place {
            number: "06".into(),
            name: "x".into(),
            folder: root.path().join("exercises/06-x"),
            solution: root.path().join("solutions/06-x"),
        };
        for (folder, files) in [(&place.folder, mine), (&place.solution, right)] {
            fs::create_dir_all(folder.join("src")).unwrap();
            for (file, text) in files {
                fs::write(folder.join("src").join(file), text).unwrap();
            }
        }
        (root, place)
    }

    #[test]
    fn mine_goes_and_the_solution_comes() {
        let (_root, place) = place(&[("main.rs", "a\nb\nc\n")], &[("main.rs", "a\nB\nc\n")]);
        let expected =
            "--- exercises/06-x/src/main.rs\n+++ solutions/06-x/src/main.rs\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n";
        assert_eq!(diff(&place, false).unwrap(), expected);
        let coloured = diff(&place, true).unwrap();
        assert!(coloured.contains("\x1b[31m-b\x1b[0m\n\x1b[32m+B\x1b[0m\n c\n"), "{coloured:?}");
    }

    #[test]
    fn equal_texts_differ_in_nothing() {
        let (_root, place) = place(&[("main.rs", "a\n")], &[("main.rs", "a\n")]);
        assert_eq!(diff(&place, true).unwrap(), "");
    }

    #[test]
    fn a_module_of_the_students_own_shows() {
        let (_root, place) =
            place(&[("main.rs", "a\n"), ("mine.rs", "b\x1b[2J\n"), ("main.rs.bak-1", "c")], &[("main.rs", "a\n")]);
        let text = diff(&place, false).unwrap();
        assert!(text.contains("-b\\x1b[2J\n") && !text.contains("bak"), "{text}");
    }

    #[test]
    fn without_a_solution_there_is_nothing_to_compare_with() {
        let (_root, place) = place(&[], &[]);
        assert!(matches!(diff(&place, false), Err(Error::Unreadable { .. })));
    }
}
