//! The exercises: each is rejected as given, for the reason that it announces; its solution passes; and plausible wrong
//! solutions are rejected in words that name the mistake.

mod bad;
mod broken;
mod given;
pub(crate) mod patch;
mod texts;
pub(crate) mod together;
mod wrong;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use lab::exercises::Exercise;
use lab::exercises::check::{self, Finding};
use lab::matrix::Job;
use lab::stage::House;
use serde_json::Value as Json;

use crate::lab::{clear, house};
use crate::support::{PROGRAMS, side_by_side, workspace};

/// So many runs at once: each mostly waits, and the other tests run beside them.
const AT_ONCE: usize = 12;

fn all() -> &'static [Exercise] {
    static ALL: OnceLock<Vec<Exercise>> = OnceLock::new();
    ALL.get_or_init(|| lab::exercises::all(&workspace()).unwrap())
}

/// A file of the exercise as it was given: a student who runs these tests has edited the other.
fn as_given(exercise: &Exercise, file: &str) -> String {
    let path = exercise.folder.join(".given").join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// "06-commit-before"
fn full_name(exercise: &Exercise) -> String {
    format!("{}-{}", exercise.number, exercise.name)
}

/// An executable that is to do what an exercise asks for, in one case.
struct Attempt<'a> {
    /// Whose it is, for whoever reads of a failure.
    name: String,
    exercise: &'a Exercise,
    executable: &'a Path,
    job: Job,
}

/// Checks them all, several at a time; the findings are in their order.
fn check(attempts: &[Attempt<'_>]) -> Vec<Finding> {
    side_by_side(attempts, AT_ONCE, Attempt::run)
}

impl Attempt<'_> {
    fn run(&self) -> Finding {
        let executables = [(self.exercise.plays.package.to_owned(), self.executable.to_owned())].into();
        let house = House { executables, ..house() };
        let mut exercise = self.exercise.clone();
        exercise.jobs = vec![self.job];
        let mut findings = check::check(&house, &exercise, 1).unwrap();
        assert_eq!(clear(house), []);
        findings.pop().unwrap()
    }

    /// What stands against a pass, by name.
    fn against(&self, finding: &Finding) -> Vec<Json> {
        let report = check::json(self.exercise, std::slice::from_ref(finding));
        report["findings"][0]["against"].as_array().unwrap().clone()
    }
}

/// The solutions, in the profile of this test.
fn solutions() -> &'static HashMap<String, PathBuf> {
    static BUILT: OnceLock<HashMap<String, PathBuf>> = OnceLock::new();
    BUILT.get_or_init(|| {
        let mut packages: Vec<String> = PROGRAMS.map(str::to_owned).to_vec();
        packages.extend(all().iter().map(|exercise| format!("sol{}", full_name(exercise))));
        build(&workspace(), &packages)
    })
}

/// One `cargo build`, into the target directory of this test: the executables by name.
fn build(workspace: &Path, packages: &[String]) -> HashMap<String, PathBuf> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(workspace).args(["build", "--message-format=json", "--bins", "--target-dir"]).arg(target());
    for package in packages {
        cargo.args(["-p", package]);
    }
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    let output = cargo.stderr(Stdio::inherit()).output().expect("cargo starts");
    let (mut executables, mut said) = (HashMap::new(), String::new());
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let message: Json = serde_json::from_str(line).expect("cargo's own JSON");
        if let Some(executable) = message["executable"].as_str() {
            executables.insert(message["target"]["name"].as_str().unwrap().to_owned(), executable.into());
        }
        said.push_str(message["message"]["rendered"].as_str().unwrap_or_default());
    }
    assert!(output.status.success(), "{said}");
    executables
}

/// The target directory of this test: its own folder in it is `tmp`.
fn target() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap()
}
