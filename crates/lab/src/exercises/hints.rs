//! The hints of an exercise: the sections `## 1`, `## 2` … of its `hints.md` (`hints.fr.md`).

use std::fs;
use std::path::Path;

use super::given::unreadable;
use crate::error::Error;
use crate::text::Lang;

/// The hints of the exercise in this folder, in order; in English, where there are none in the language.
///
/// # Errors
/// When the file cannot be read.
pub fn all(folder: &Path, lang: Lang) -> Result<Vec<String>, Error> {
    let english = folder.join("hints.md");
    let text = match lang {
        Lang::En => fs::read_to_string(&english),
        Lang::Fr => fs::read_to_string(folder.join("hints.fr.md")).or_else(|_| fs::read_to_string(&english)),
    };
    text.map(|text| sections(&text)).map_err(|why| unreadable(&english, &why))
}

fn sections(text: &str) -> Vec<String> {
    let mut sections: Vec<String> = Vec::new();
    let mut code = false;
    for line in text.lines() {
        code ^= line.starts_with("```");
        if !code && line.starts_with("## ") {
            sections.push(String::new());
        } else if let Some(section) = sections.last_mut() {
            section.push_str(line);
            section.push('\n');
        }
    }
    for section in &mut sections {
        *section = section.trim_matches('\n').to_owned();
    }
    sections
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_section_is_a_hint() {
        let text = "# Hints\n\nnot one\n\n## 1\n\nfirst\n\n## 2\n\n```text\n## no heading\n```\n";
        assert_eq!(sections(text), ["first", "```text\n## no heading\n```"]);
        assert_eq!(sections("nothing"), [""; 0]);
    }

    #[test]
    fn every_exercise_has_as_many_hints_in_both_languages() {
        let exercises = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../exercises");
        for entry in fs::read_dir(exercises).unwrap() {
            let folder = entry.unwrap().path();
            if folder.is_dir() {
                let [english, french] = [Lang::En, Lang::Fr].map(|lang| all(&folder, lang).unwrap());
                assert!(english.len() >= 2 && english.len() == french.len(), "{}", folder.display());
                assert!(english.iter().zip(&french).all(|(en, fr)| !en.is_empty() && !fr.is_empty() && en != fr));
            }
        }
    }
}
