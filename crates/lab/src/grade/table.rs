//! The grades for readers: a line for each student, a column for each exercise, and below, what somebody should look at.

use super::record::{Grade, Note, Verdict};
use super::{Class, Graded};
use crate::exercises::Exercise;
use crate::layout::{WIDTH, cut, flow, pad, width, wrap};
use crate::text::Lang;

/// The widest name.
const NAME: usize = 26;

/// A verdict and the space behind it.
const COLUMN: usize = 4;

/// The table.
pub(crate) fn render(class: &Class, exercises: &[Exercise], lang: Lang, colours: bool) -> String {
    let names = class.students.iter().map(|student| width(&cut(&student.name, NAME))).max().unwrap_or_default();
    let mut text = pad("", names + 2);
    for exercise in exercises {
        text.push_str(&pad(&exercise.number, COLUMN));
    }
    text = format!("{}\n", text.trim_end());
    for student in &class.students {
        text.push_str(&pad(&cut(&student.name, NAME), names + 2));
        for grade in &student.grades {
            text.push_str(&sign(grade.verdict, colours));
            text.push_str(&pad("", COLUMN - 1));
        }
        text.push_str(&format!("{:>2}/{}\n", student.passed(), exercises.len()));
    }
    text.push('\n');
    flow(&mut text, &counts(class, lang));
    let looks: Vec<String> = class.students.iter().flat_map(|student| to_look_at(student, exercises, lang)).collect();
    if !looks.is_empty() {
        text.push('\n');
    }
    for look in looks {
        wrap(&mut text, "", 4, &look);
    }
    text
}

/// Each verdict that there is, with its sign and how often.
fn counts(class: &Class, lang: Lang) -> Vec<String> {
    let grades = || class.students.iter().flat_map(|student| &student.grades);
    let count = |verdict| grades().filter(|grade| grade.verdict == verdict).count();
    Verdict::ALL
        .into_iter()
        .map(|verdict| (verdict, count(verdict)))
        .filter(|(_, count)| *count > 0)
        .map(|(verdict, count)| format!("{} {}{} {count}", sign(verdict, false), lang.grade(verdict), lang.colon()))
        .collect()
}

/// What is not plainly passed, failed or not done.
fn to_look_at(student: &Graded, exercises: &[Exercise], lang: Lang) -> Vec<String> {
    let name = cut(&student.name, WIDTH / 2);
    if student.grades.iter().all(|grade| grade.notes == [Note::NoExercises]) {
        return vec![format!("{name}{} {}", lang.colon(), lang.note(&Note::NoExercises))];
    }
    let mut lines = Vec::new();
    for (exercise, grade) in exercises.iter().zip(&student.grades) {
        let mut words: Vec<String> = grade.notes.iter().map(|note| lang.note(note)).collect();
        words.extend(decisive(grade, lang));
        let is_plain =
            matches!(grade.verdict, Verdict::Passed | Verdict::NotBegun | Verdict::Missing | Verdict::Failed);
        if !is_plain || !grade.notes.is_empty() {
            let what = words.join(lang.pick("; ", " ; "));
            let verdict = lang.grade(grade.verdict);
            lines.push(format!("{name} {} {verdict}{} {what}", exercise.number, lang.colon()));
        }
    }
    lines
}

fn decisive(grade: &Grade, lang: Lang) -> Option<String> {
    let tried = grade.decisive()?;
    let what = match tried.limit {
        Some(limit) => lang.breach(limit).to_owned(),
        None => tried.anomaly.clone().unwrap_or_default(),
    };
    Some(lang.times(&tried.name(), &what, tried.failed, tried.runs))
}

fn sign(verdict: Verdict, colours: bool) -> String {
    let (sign, code) = match verdict {
        Verdict::Passed => ("✓", "32"),
        Verdict::Failed => ("✗", "31"),
        Verdict::Limit => ("!", "31"),
        Verdict::Undecided => ("?", "33"),
        Verdict::DoesNotBuild => ("#", "31"),
        Verdict::NotBegun => ("·", ""),
        Verdict::Missing => ("–", ""),
        Verdict::NotGraded => ("/", "33"),
    };
    if colours && !code.is_empty() { format!("\x1b[{code}m{sign}\x1b[0m") } else { sign.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cargo;
    use crate::grade::Tried;
    use crate::grade::room::Breach;

    fn class() -> Class {
        let grade = |verdict, notes: &[Note]| Grade::without_a_run(verdict, notes.to_vec());
        let mut limit = grade(Verdict::Limit, &[]);
        limit.scenarios.push(Tried {
            scenario: "calm".into(),
            variant: String::new(),
            verdict: Verdict::Limit,
            failed: 2,
            runs: 2,
            anomaly: Some("stalled".into()),
            value: None,
            ended: None,
            limit: Some(Breach::Silence),
        });
        let refused = grade(Verdict::DoesNotBuild, &[Note::Compiler("src/main.rs:1: no\u{1b}".into())]);
        let nobody = grade(Verdict::NotGraded, &[Note::NoExercises]);
        let row = |name: &str, grades: Vec<Grade>| Graded { name: name.into(), grades };
        Class {
            students: vec![
                row("anna", vec![grade(Verdict::Passed, &[]), limit, grade(Verdict::NotBegun, &[])]),
                row(&"very long ".repeat(9), vec![grade(Verdict::Failed, &[]), refused, grade(Verdict::Missing, &[])]),
                row("\u{1b}[2J", vec![nobody.clone(), nobody.clone(), nobody]),
            ],
            known: 0,
        }
    }

    #[test]
    fn the_table_has_a_line_for_each_student_and_says_where_to_look() {
        let exercises = crate::exercises::all(cargo::workspace().unwrap()).unwrap();
        let english = render(&class(), &exercises[..3], Lang::En, false);
        let lines: Vec<_> = english.lines().collect();
        assert_eq!(lines[0].split_whitespace().collect::<Vec<_>>(), ["01", "02", "03"]);
        assert_eq!(lines[1].split_whitespace().collect::<Vec<_>>(), ["anna", "✓", "!", "·", "1/3"]);
        assert!(lines[2].contains("…") && lines[2].ends_with("✗   #   –    0/3"), "{english}");
        assert!(english.contains("anna 02 limit: calm, 2 of 2: no line and no end for a minute\n"), "{english}");
        assert!(english.contains("02 does not build: src/main.rs:1: no\\x1b\n"), "{english}");
        assert_eq!(english.matches(&Lang::En.note(&Note::NoExercises)).count(), 1, "{english}");
        let french = render(&class(), &exercises[..3], Lang::Fr, true);
        assert!(french.contains("✓ réussi : 1") && !french.contains("\x1b[2J"), "{french}");
        for line in english.lines() {
            assert!(width(line) <= WIDTH, "{line}");
        }
    }
}
