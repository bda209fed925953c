//! Clients in other languages, held to a guarantee: the examples of docs/your-own-client.md get the verdict that the page
//! says, and whoever breaks the contract is told how.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value as Json;

use super::lab::{expect, lab, stderr, stdout};
use crate::support::program::example;
use crate::support::{report, workspace};

/// A row of the page: the file below examples/, guarantee, role, how many runs.
fn rows(page: &str) -> Vec<[String; 4]> {
    let text = std::fs::read_to_string(workspace().join("docs").join(page)).unwrap();
    let rows = text.lines().filter(|line| line.contains("](../examples/"));
    rows.map(|row| {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let file = cells[1].strip_prefix('[').unwrap().split(']').next().unwrap();
        assert!(["holds", "tenue"].contains(&cells[5]), "{row}");
        [file, cells[2], cells[3], cells[4]].map(str::to_owned)
    })
    .collect()
}

/// The command that runs an example; `None`, and a word of it, where its language is not installed.
fn command(file: &str) -> Option<Vec<String>> {
    let source = workspace().join("examples").join(file).to_str().unwrap().to_owned();
    let clients = workspace().join("target/clients");
    let skipped = |why: &str| {
        report(format_args!("skipped: {file}: {why} (.ci/clients installs it)"));
        None
    };
    let is_there = |path: &PathBuf| path.exists();
    match file.split('/').next().unwrap() {
        "python" => match Some(clients.join("confluent-kafka/bin/python")).filter(is_there) {
            Some(python) => Some(vec![python.to_str().unwrap().to_owned(), source]),
            None => skipped("no confluent-kafka in target/clients"),
        },
        "java" => match Some(clients.join("java/4.3.1/libs")).filter(is_there) {
            Some(libs) if runs("java") => Some(java(&source, libs.to_str().unwrap())),
            _ => skipped("no java, or no kafka-clients in target/clients"),
        },
        "rust" => {
            let name = format!("own-{}", Path::new(file).file_stem().unwrap().to_str().unwrap());
            Some(vec![example(&name).to_str().unwrap().to_owned()])
        }
        other => panic!("nobody knows how to run {other}"),
    }
}

/// What goes before the program, so that a Java machine is up soon.
const QUICK: [&str; 4] = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp"];

/// Compiled once, with the compiler among the jars: from its source, each instance would compile it anew.
fn java(source: &str, libs: &str) -> Vec<String> {
    let class = Path::new(source).file_stem().unwrap().to_str().unwrap();
    let classes = Path::new(env!("CARGO_TARGET_TMPDIR")).join("own-clients").join(class);
    let jars = std::fs::read_dir(libs).unwrap().map(|jar| jar.unwrap().path().to_str().unwrap().to_owned());
    let jars: Vec<_> = jars.collect();
    let compiler = jars.iter().find(|jar| jar.contains("/ecj-")).expect("a compiler among the jars");
    let mut compile = Command::new("java");
    compile.args(["-jar", compiler, "-nowarn", "--release", "17", "-cp", &jars.join(":"), "-d"]);
    assert!(compile.arg(&classes).arg(source).status().unwrap().success());
    let words = [format!("{}:{libs}/*", classes.display()), class.to_owned()];
    QUICK.into_iter().map(str::to_owned).chain(words).collect()
}

fn runs(program: &str) -> bool {
    Command::new(program).arg("-version").output().is_ok_and(|output| output.status.success())
}

fn examples_in(language: &str) {
    let rows = rows("your-own-client.md").into_iter().filter(|[file, ..]| file.starts_with(language));
    let mut seen = 0;
    for [file, guarantee, role, wanted] in rows {
        seen += 1;
        let Some(command) = command(&file) else { continue };
        let args = ["run", "--guarantee", &guarantee, "--role", &role, "--format", "json", "--"];
        let output = lab(&args).args(command).output().unwrap();
        let report: Json = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let outcomes = report["outcomes"].as_array().unwrap_or_else(|| panic!("{file}: {}", stderr(&output)));
        let others: Vec<_> = outcomes.iter().filter(|outcome| outcome["verdict"] != "holds").collect();
        assert!(others.is_empty(), "{file}: {}", serde_json::to_string_pretty(&others).unwrap());
        assert_eq!(output.status.code(), Some(0), "{file}");
        assert_eq!(outcomes.len().to_string(), wanted, "{file}");
        // What is compared is the promise: something that is announced for the course's program need not show.
        assert!(outcomes.iter().all(|outcome| outcome["missing"] == Json::Array(Vec::new())), "{file}");
    }
    assert_eq!(seen, 2, "a producer, and a consumer or a pipeline");
}

#[test]
fn the_python_examples_get_the_verdict_that_the_page_says() {
    examples_in("python");
}

#[test]
fn the_java_examples_get_the_verdict_that_the_page_says() {
    examples_in("java");
}

#[test]
fn a_java_file_runs_from_its_source_as_the_page_says() {
    let libs = workspace().join("target/clients/java/4.3.1/libs");
    if !runs("javac") || !libs.exists() {
        return report("skipped: no JDK, or no kafka-clients in target/clients (.ci/clients installs them)");
    }
    let run = ["run", "--guarantee", "exactly-once", "--role", "pipeline", "--scenario", "calm", "--"];
    let source = workspace().join("examples/java/Pipeline.java");
    let output = lab(&run).args(QUICK).arg(libs.join("*")).arg(source).output().unwrap();
    expect(&output, 0);
}

#[test]
fn the_rust_examples_get_the_verdict_that_the_page_says() {
    examples_in("rust");
}

#[test]
fn both_pages_have_the_same_examples() {
    assert_eq!(rows("your-own-client.md"), rows("your-own-client.fr.md"));
}

#[test]
fn an_example_that_is_held_to_more_than_it_promises_is_convicted() {
    let consumer = example("at-least-once-pipeline");
    let run = ["run", "--guarantee", "exactly-once", "--role", "pipeline", "--scenario", "killed-between"];
    let output = lab(&run).args(["--variant", "before", "--format", "json", "--"]).arg(consumer).output().unwrap();
    expect(&output, 1);
    let report: Json = serde_json::from_slice(&output.stdout).unwrap();
    let outcome = &report["outcomes"][0];
    assert_eq!((&outcome["verdict"], &outcome["guarantee"]), (&"violated".into(), &"exactly_once".into()), "{outcome}");
    assert_eq!(outcome["anomalies"][0]["kind"], "repeated", "{outcome}");
    assert!(outcome["held"]["command"].as_str().unwrap().ends_with("at-least-once-pipeline"), "{outcome}");
}

/// What the lab says of this shell script as a producer, held to at least once.
fn judged(script: &str, scenario: &str, lang: &str, status: i32) -> String {
    let args = ["run", "--guarantee", "at-least-once", "--scenario", scenario, "--lang", lang, "--messages", "5"];
    let output = lab(&args).args(["--", "sh", "-c", script]).output().unwrap();
    expect(&output, status);
    let text = stdout(&output);
    for line in text.lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_command_that_cannot_be_started_is_one_line() {
    for (lang, wanted) in [("en", "error: nosuch cannot be started"), ("fr", "erreur : nosuch ne démarre pas")] {
        let output = lab(&["run", "--guarantee", "at-least-once", "--lang", lang, "--", "nosuch"]).output().unwrap();
        expect(&output, 2);
        let said = stderr(&output);
        assert_eq!(said.lines().filter(|line| line.starts_with(wanted)).count(), 1, "{said}");
        assert_eq!(stdout(&output), "");
    }
}

#[test]
fn who_prints_nothing_or_nothing_known_is_told_what_is_read() {
    let text = judged("exit 0", "calm", "en", 2);
    assert!(text.contains("NOT DECIDED: it printed nothing"), "{text}");
    let text = judged("exit 0", "calm", "fr", 2);
    assert!(text.contains("PAS DE VERDICT : il n'a rien affiché"), "{text}");
    let text = judged("echo sending; echo done", "calm", "en", 2);
    assert!(text.contains("none of the lines that it printed (2, the first: sending)"), "{text}");
    assert!(text.contains("docs/your-own-client.md"), "{text}");
}

#[test]
fn who_ends_before_the_fault_is_told_how_it_ended() {
    let text = judged("echo 'ImportError: no module' >&2; exit 1", "ack-lost", "en", 2);
    assert!(text.contains("exit status 1; its last words: ImportError: no module"), "{text}");
}

#[test]
fn exit_status_0_says_that_all_is_done() {
    let text = judged("echo sent msg-0; exit 0", "calm", "en", 1);
    assert!(text.contains("VIOLATED") && text.contains("lost: msg-0, msg-1"), "{text}");
    let text = judged("echo failed msg-0: no; exit 1", "calm", "en", 2);
    assert!(text.contains("it says nothing of 4 messages (msg-1"), "{text}");
}

#[test]
fn a_scenario_that_concerns_no_such_client_is_one_line() {
    let args = ["run", "--guarantee", "at-least-once", "--scenario", "zombie", "--", "true"];
    let output = lab(&args).output().unwrap();
    expect(&output, 2);
    assert!(stderr(&output).contains("zombie does not concern a producer (at least once)"), "{}", stderr(&output));
}
