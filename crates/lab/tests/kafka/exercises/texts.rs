//! What stands beside the programs: complete, in both languages, and without the solution.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use super::{all, as_given, full_name};
use crate::support::workspace;

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn exercise_and_solution_differ_in_their_program_and_their_names_only() {
    for exercise in all() {
        let name = full_name(exercise);
        let solution = workspace().join("solutions").join(&name);
        let mut files: Vec<_> =
            fs::read_dir(&solution).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        files.sort();
        assert_eq!(files, ["Cargo.toml", "src"], "{name}");
        assert_eq!(fs::read_dir(solution.join("src")).unwrap().count(), 1, "{name}");
        // The solution may need less than the exercise has, and has no table for the lab.
        let given = as_given(exercise, "Cargo.toml");
        for line in read(&solution.join("Cargo.toml")).lines() {
            let named =
                line.replace(&format!("sol{name}"), &exercise.package).replace("Solution of exercise", "Exercise");
            assert!(given.lines().any(|other| other == named), "{name}: {line}");
        }
    }
}

#[test]
fn an_exercise_marks_where_to_work_and_its_solution_does_not() {
    for exercise in all() {
        let name = full_name(exercise);
        assert!(as_given(exercise, "src/main.rs").contains("// TODO"), "{name}");
        assert!(!read(&workspace().join("solutions").join(&name).join("src/main.rs")).contains("TODO"), "{name}");
    }
}

#[test]
fn no_solution_stands_beside_the_exercise() {
    let mut leaks = Vec::new();
    for exercise in all() {
        let name = full_name(exercise);
        let given = as_given(exercise, "src/main.rs");
        let given: HashSet<&str> = given.lines().map(str::trim).collect();
        let solution = read(&workspace().join("solutions").join(&name).join("src/main.rs"));
        let solution: Vec<&str> =
            solution.lines().map(str::trim).filter(|line| says_something(line) && !given.contains(line)).collect();
        assert!(!solution.is_empty(), "{name}");
        for file in ["README.md", "README.fr.md", "hints.md", "hints.fr.md"] {
            let text = read(&exercise.folder.join(file));
            // The last hint may: whoever opens it has asked for it.
            let told = if file.starts_with("hints") { text.rsplit_once("\n## ").expect(file).0 } else { &text };
            leaks.extend(
                solution.iter().filter(|line| told.contains(**line)).map(|line| format!("{name}/{file}: {line}")),
            );
        }
    }
    assert_eq!(leaks, [""; 0]);
}

/// Not a brace, `continue;`, or what any program has; comments are not the solution.
fn says_something(line: &str) -> bool {
    line.len() >= 12 && !line.starts_with("//") && !line.starts_with("use ") && line.contains(['(', '.'])
}

#[test]
fn hints_come_in_steps_and_texts_in_both_languages() {
    for exercise in all() {
        let steps = |file| {
            let text = read(&exercise.folder.join(file));
            text.lines().filter_map(|line| line.strip_prefix("## ").map(str::to_owned)).collect::<Vec<_>>()
        };
        let hints = steps("hints.md");
        assert!(hints.len() >= 3, "{}", exercise.package);
        assert_eq!(hints, (1..=hints.len()).map(|step| step.to_string()).collect::<Vec<_>>(), "{}", exercise.package);
        assert_eq!(hints, steps("hints.fr.md"), "{}", exercise.package);
        // The commands are the same in both.
        let commands = |file| {
            let text = read(&exercise.folder.join(file));
            let blocks = text.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
            blocks.map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(commands("README.md"), commands("README.fr.md"), "{}", exercise.package);
    }
}
