//! The grades for programs, always in English: names of fields do not change, new ones may come.
//!
//! ```text
//! { "seed": 7,
//!   "students": [ { "student": "anna", "passed": 1, "grades": [ {
//!     "exercise": "06", "name": "commit-before",
//!     "verdict": "failed",      or passed, limit, undecided, does-not-build, not-begun, missing, not-graded
//!     "scenarios": [ {
//!       "scenario": "killed-between", "variant": "before", "verdict": "failed",
//!       "failed": 2, "runs": 2,  it failed in two of two runs
//!       "anomaly": "duplicated", "value": "msg-3", "ended": null, "limit": null } ],
//!     "notes": [ { "not-used": "Cargo.toml" } ], "took_ms": 2345 } ] } ] }
//! ```

use serde_json::{Value as Json, json};

use super::record::Grade;
use super::{Class, Graded};
use crate::exercises::Exercise;
use crate::layout::safe;
use crate::text::Lang;

/// One object.
pub(crate) fn json(class: &Class, exercises: &[Exercise], seed: u32) -> Json {
    let student = |student: &Graded| {
        let grades: Vec<_> =
            exercises.iter().zip(&student.grades).map(|(exercise, grade)| one(exercise, grade)).collect();
        json!({ "student": student.name, "passed": student.passed(), "grades": grades })
    };
    json!({ "seed": seed, "students": class.students.iter().map(student).collect::<Vec<_>>() })
}

fn one(exercise: &Exercise, grade: &Grade) -> Json {
    json!({
        "exercise": exercise.number,
        "name": exercise.name,
        "verdict": grade.verdict.name(),
        "scenarios": grade.scenarios,
        "notes": grade.notes,
        "took_ms": grade.took_ms,
    })
}

const COLUMNS: [&str; 13] = [
    "student",
    "exercise",
    "name",
    "verdict",
    "scenario",
    "anomaly",
    "value",
    "ended",
    "failed",
    "runs",
    "seconds",
    "scenarios",
    "notes",
];

/// A line for each exercise of each student, as RFC 4180 has it. `scenario` and what follows it is about the one that
/// decides the verdict; `scenarios` has all.
pub(crate) fn csv(class: &Class, exercises: &[Exercise]) -> String {
    let mut text = COLUMNS.join(",") + "\r\n";
    for student in &class.students {
        for (exercise, grade) in exercises.iter().zip(&student.grades) {
            let decisive = grade.decisive();
            let tried = |tried: &super::Tried| format!("{}={}", tried.name(), tried.verdict.name());
            let notes: Vec<_> = grade.notes.iter().map(|note| Lang::En.note(note)).collect();
            let line = [
                student.name.clone(),
                exercise.number.clone(),
                exercise.name.clone(),
                grade.verdict.name().to_owned(),
                decisive.map(super::Tried::name).unwrap_or_default(),
                decisive.and_then(|tried| tried.anomaly.clone()).unwrap_or_default(),
                decisive.and_then(|tried| tried.value.clone()).unwrap_or_default(),
                decisive.and_then(|tried| tried.ended.clone()).unwrap_or_default(),
                decisive.map(|tried| tried.failed.to_string()).unwrap_or_default(),
                decisive.map(|tried| tried.runs.to_string()).unwrap_or_default(),
                format!("{}.{:03}", grade.took_ms / 1000, grade.took_ms % 1000),
                grade.scenarios.iter().map(tried).collect::<Vec<_>>().join(" "),
                notes.join("; "),
            ];
            text.push_str(&line.map(|field| quoted(&field)).join(","));
            text.push_str("\r\n");
        }
    }
    text
}

/// A field: in quotes, made safe, and no formula for a spreadsheet.
fn quoted(field: &str) -> String {
    let field = safe(field).replace('"', "\"\"");
    let is_formula =
        field.trim_start().starts_with(['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}']);
    format!("\"{}{field}\"", if is_formula { "'" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_no_formula_and_no_other_field() {
        assert_eq!(quoted("a,\"b\"\r\nc"), "\"a,\"\"b\"\"\\x0d\\x0ac\"");
        for formula in ["=cmd()", "+1", "-1", "@x", " =1"] {
            assert_eq!(quoted(formula), format!("\"'{formula}\""));
        }
        assert_eq!(quoted("msg-3"), "\"msg-3\"");
    }
}
