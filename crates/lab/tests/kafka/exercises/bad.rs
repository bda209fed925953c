//! Programs that never do what an exercise is about: the student reads how they ended.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use lab::exercises::report;
use lab::text::Lang;

use super::{Attempt, all};

/// What the student reads when this script is the program of exercise 06, in a scenario that kills it at its commit.
fn told(script: &str) -> [String; 2] {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("program");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    let exercise = all().iter().find(|exercise| exercise.name == "commit-before").unwrap();
    let killed = |job: &&lab::matrix::Job| job.scenario.name == "killed-between";
    let job = *exercise.jobs.iter().find(killed).unwrap();
    let finding = Attempt { name: "script".into(), exercise, executable: &path, job }.run();
    assert!(!finding.passes());
    [Lang::En, Lang::Fr].map(|lang| {
        // Lines break anywhere.
        let text = report(exercise, std::slice::from_ref(&finding), lang, false);
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    })
}

#[test]
fn one_that_exits_at_once() {
    let [english, french] = told("exit 0");
    let says = "observed the program ended with exit status 0 so the fault could not act as planned";
    assert!(english.contains(says), "{english}");
    assert!(
        french.contains("observé le programme s'est terminé avec le code de sortie 0 la panne n'a donc"),
        "{french}"
    );
}

#[test]
fn one_that_panics() {
    let panics = "echo \"thread 'main' panicked at src/main.rs:7:5:\" >&2; echo 'index out of bounds' >&2; exit 101";
    let [english, french] = told(panics);
    let says = "observed the program panicked (exit status 101); its last words: thread 'main' panicked at \
                src/main.rs:7:5: index out of bounds so the fault";
    assert!(english.contains(says), "{english}");
    assert!(
        french.contains(
            "observé le programme a paniqué (code de sortie 101) ; ses derniers mots : thread 'main' panicked"
        ),
        "{french}"
    );
}

#[test]
fn one_that_refuses_its_flags() {
    let [english, french] = told("echo 'error: unknown option' >&2; exit 2");
    let says = "observed the program ended with exit status 2; its last words: unknown option so the fault";
    assert!(english.contains(says), "{english}");
    assert!(french.contains("avec le code de sortie 2 ; ses derniers mots : unknown option"), "{french}");
}

#[test]
fn one_that_hangs() {
    let [english, french] = told("exec sleep 600");
    assert!(english.contains("observed the program never did what the lab waits for (“killed”)"), "{english}");
    assert!(french.contains("observé le programme n'a jamais fait ce que le lab attend"), "{french}");
}
