//! Plausible wrong solutions: each is rejected under the scenario, and for the reason, that `wrong.toml` names beside its
//! patch, in words that were agreed.

use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Instant;

use lab::exercises::check::Finding;
use lab::exercises::{Exercise, report};
use lab::matrix::Job;
use lab::text::Lang;
use serde_json::{Value as Json, json};
use toml_edit::{DocumentMut, TableLike};

use super::{Attempt, all, as_given, check, full_name, patch, together};
use crate::lab::given;
use crate::support::{is_otherwise, workspace};

/// One wrong solution.
pub(super) struct Wrong {
    exercise: &'static Exercise,
    /// "06-asynchronous"
    pub(super) name: String,
    /// Its source.
    pub(super) source: String,
    /// Under which scenario it must be rejected, and by what.
    job: Job,
    by: Json,
    /// What the student must read.
    golden: PathBuf,
}

pub(super) fn wrongs() -> &'static [Wrong] {
    static ALL: OnceLock<Vec<Wrong>> = OnceLock::new();
    ALL.get_or_init(|| all().iter().flat_map(wrongs_of).collect())
}

fn wrongs_of(exercise: &'static Exercise) -> Vec<Wrong> {
    let folder = workspace().join("exercises-tests").join(full_name(exercise));
    let given = as_given(exercise, "src/main.rs");
    let table: DocumentMut = fs::read_to_string(folder.join("wrong.toml")).unwrap().parse().unwrap();
    let wrong = |table: &dyn TableLike| {
        let file = text(table, "patch");
        let by = table.get("rejected-by").and_then(|by| by.as_table_like()).unwrap();
        let patched = patch::apply(&given, &fs::read_to_string(folder.join(&file)).unwrap());
        let short = file.strip_prefix("wrong-").and_then(|file| file.strip_suffix(".patch")).unwrap();
        Wrong {
            exercise,
            name: format!("{}-{short}", exercise.number),
            source: patched.unwrap_or_else(|why| panic!("{file} of {}: {why}", exercise.package)),
            job: job(exercise, &text(by, "scenario")),
            by: by
                .iter()
                .filter(|(key, _)| *key != "scenario")
                .map(|(key, _)| (key.to_owned(), Json::from(text(by, key))))
                .collect(),
            golden: folder.join(file.replace(".patch", ".txt")),
        }
    };
    table["wrong"].as_array_of_tables().unwrap().iter().map(|table| wrong(table)).collect()
}

fn text(table: &dyn TableLike, key: &str) -> String {
    table.get(key).and_then(|value| value.as_str()).unwrap_or_else(|| panic!("no {key}")).to_owned()
}

/// One of the scenarios that the exercise must pass.
fn job(exercise: &Exercise, words: &str) -> Job {
    *exercise
        .jobs
        .iter()
        .find(|job| job.is_called(words))
        .unwrap_or_else(|| panic!("{} has no {words}", exercise.package))
}

#[test]
fn each_exercise_has_three_wrong_solutions_and_each_says_what_is_wrong() {
    for exercise in all() {
        let ours = wrongs().iter().filter(|wrong| wrong.exercise.number == exercise.number).count();
        assert!(ours >= 3, "{}", exercise.package);
        let folder = workspace().join("exercises-tests").join(full_name(exercise));
        let patches = |entry: &fs::DirEntry| entry.path().extension().is_some_and(|kind| kind == "patch");
        let kept = fs::read_dir(folder).unwrap().map(Result::unwrap).filter(patches).count();
        assert_eq!(kept, ours, "{}: each patch stands in wrong.toml", exercise.package);
    }
}

#[test]
fn a_wrong_solution_is_rejected_in_words_that_name_the_mistake() {
    let paths: Vec<_> = wrongs().iter().map(|wrong| together::executable(&wrong.name)).collect();
    let attempts: Vec<_> = wrongs()
        .iter()
        .zip(&paths)
        .map(|(wrong, executable)| Attempt {
            name: wrong.name.clone(),
            exercise: wrong.exercise,
            executable,
            job: wrong.job,
        })
        .collect();
    let begun = Instant::now();
    let findings = check(&attempts);
    crate::support::report(format_args!("{} wrong solutions were checked in {:.1?}", attempts.len(), begun.elapsed()));
    let mut wrong = Vec::new();
    for ((it, attempt), finding) in wrongs().iter().zip(&attempts).zip(&findings) {
        let against = attempt.against(finding);
        if !against.contains(&it.by) {
            wrong.push(format!("{}: {} is not among {}", it.name, it.by, json!(against)));
        }
        // Apache Kafka's errors have texts of their own, and its markers come when they come.
        if given().is_none() {
            // Which values come first may depend on who was quicker, on a busy machine: but not twice.
            wrong.extend(otherwise_told(it, finding).and_then(|_| otherwise_told(it, &attempt.run())));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What the student reads, where it is not what was agreed.
fn otherwise_told(wrong: &Wrong, finding: &Finding) -> Option<String> {
    let partitions = wrong.job.case.partitions;
    let text = |lang| told(&report(wrong.exercise, std::slice::from_ref(finding), lang, false), partitions);
    let got = format!("{}\n\n{}\n", text(Lang::En), text(Lang::Fr));
    is_otherwise(&wrong.golden, &got)
}

/// The report without what differs from run to run: of the moments, only the fault, and that without its time; no ports,
/// and how many more there were; and where there are several partitions, of which any may come first, neither numbers
/// nor offsets of messages, on whose width it depends where lines break.
fn told(report: &str, partitions: i32) -> String {
    let mut out: Vec<String> = Vec::new();
    // The moments stand between their heading and the next empty line.
    let mut moments = false;
    for line in report.lines() {
        moments = if moments { !line.is_empty() } else { line.trim_start().starts_with("ms  ") };
        if !moments {
            out.push(line.to_owned());
        } else if let Some(fault) = line.strip_prefix(">>>") {
            out.push(format!(">>> {}", fault.trim_start_matches(|c: char| c.is_ascii_digit() || " .,".contains(c))));
        }
    }
    out.dedup_by(|b, a| a.is_empty() && b.is_empty());
    let mut text = out.join("\n");
    let mut before = vec!["127.0.0.1:", "(after ", " and ", " et "];
    if partitions > 1 {
        text = text.replace(&format!("\n{}", " ".repeat(12)), " ");
        before.extend(["msg-", "MSG-", "aborted-", "ABORTED-", "[", "@"]);
    }
    before.into_iter().fold(text, without_number)
}

/// No number follows this any more.
fn without_number(text: String, before: &str) -> String {
    let mut parts = text.split(before);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |out, part| {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit());
        out + before + if rest.len() < part.len() { "#" } else { "" } + rest
    })
}
