//! Random schedules: the promise holds, what a guarantee allows is found, and wrong programs are convicted.

use std::process::Command;

use serde_json::Value as Json;

use crate::exercises::together;
use crate::lab::{expect, lab, stdout};
use crate::support::program::executable;

/// Where schedules come from; those of other seeds were run before (docs/torture.md).
const SEED: &str = "1";

/// With 1 to 6, 20 runs of the consumer that acknowledges first find 1, 5, 3, 5, 4 and 7 losses: where a test needs one, not
/// the seed with the fewest.
const SEED_OF_MANY: &str = "6";

fn runs(program: &str, more: &[&str], status: i32) -> Json {
    runs_of(SEED, program, more, status)
}

fn runs_of(seed: &str, program: &str, more: &[&str], status: i32) -> Json {
    let all = [program, "--runs", "20", "--seed", seed, "--format", "json"];
    let output = torture(&[&all, more].concat()).output().unwrap();
    expect(&output, status);
    serde_json::from_slice(&output.stdout).unwrap()
}

/// On embedded brokers, wherever the other tests run: hundreds of runs at once are too much for one Kafka beside them
/// (docs/torture.md has what was run there).
fn torture(args: &[&str]) -> Command {
    let mut command = lab(&["torture"]);
    command.args(args).env_remove("BOOTSTRAP_SERVERS");
    command
}

#[test]
fn the_pipeline_keeps_its_promise() {
    let report = runs("eos-pipeline", &[], 0);
    assert_eq!([&report["violations"], &report["undecided"]], [&Json::Array(Vec::new()), &Json::Array(Vec::new())]);
    assert!(report["met"].as_u64() > Some(20) && report["kills"].as_u64() > Some(5), "{report}");
}

#[test]
fn what_a_guarantee_allows_is_found_within_twenty_runs() {
    let programs = [
        ("producer-at-most-once", "lost"),
        ("producer-at-least-once", "duplicated"),
        ("producer-exactly-once", "started_over"),
        ("consumer-at-most-once", "lost"),
        ("consumer-at-least-once", "duplicated"),
        ("consumer-exactly-once", "duplicated"),
    ];
    std::thread::scope(|scope| {
        for (program, kind) in programs {
            scope.spawn(move || runs_of(SEED_OF_MANY, program, &["--expect", kind, "--jobs", "10"], 0));
        }
    });
}

#[test]
fn what_is_expected_and_not_found_fails() {
    let output = torture(&["eos-producer", "--runs", "1", "--seed", SEED, "--expect", "lost"]).output().unwrap();
    expect(&output, 1);
    assert!(stdout(&output).contains("expected and not found: lost"), "{}", stdout(&output));
}

/// Runs of a client in the program's place; what broke the promise, and the schedule that was left of it.
fn convicted(program: &str, client: &str) -> (Vec<String>, String) {
    let report = runs(program, &["--", client], 1);
    let broken = report["violations"].as_array().unwrap().iter().flat_map(|run| run["broken"].as_array().unwrap());
    let mut broken: Vec<_> = broken.map(|kind| kind.as_str().unwrap().to_owned()).collect();
    broken.sort();
    broken.dedup();
    (broken, report["shrunk"]["schedule"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn wrong_programs_are_convicted_within_twenty_runs() {
    for (program, wrong, by) in
        [("eos-pipeline", "12-offsets-outside", "duplicated"), ("consumer-at-least-once", "07-one-ahead", "lost")]
    {
        let client = together::executable(wrong);
        let (broken, _) = convicted(program, client.to_str().unwrap());
        assert!(broken.iter().any(|kind| kind == by), "{wrong}: {broken:?}");
    }
}

#[test]
fn a_weaker_program_in_the_place_of_a_stronger_one_is_convicted() {
    let weaker = executable("producer-at-least-once");
    let (broken, schedule) = convicted("producer-exactly-once", weaker.to_str().unwrap());
    assert!(broken.iter().any(|kind| kind == "duplicated"), "{broken:?}");
    assert!(schedule.split(',').count() <= 5, "one or two steps after three words: {schedule}");
}

#[test]
fn a_reader_of_uncommitted_records_needs_no_fault() {
    let report = runs("eos-pipeline", &["-X", "isolation.level=read_uncommitted"], 1);
    let shrunk = &report["shrunk"]["schedule"];
    assert_eq!(shrunk.as_str().unwrap().split(',').count(), 3, "no step is left: {shrunk}");
}

#[test]
fn a_run_can_be_replayed_from_its_number_and_from_its_schedule() {
    let told = |args: &[&str]| {
        let output = torture(&[&["producer-exactly-once", "--seed", SEED], args].concat()).output().unwrap();
        expect(&output, 0);
        stdout(&output)
    };
    let schedule = |text: &str| {
        let line = text.lines().find_map(|line| line.trim().strip_prefix("--schedule "));
        line.unwrap_or_else(|| panic!("no schedule: {text}")).to_owned()
    };
    let first = told(&["--replay", "4"]);
    let printed = schedule(&first);
    assert_eq!(schedule(&told(&["--schedule", &printed])), printed);
    assert!(first.contains("instance-1  starts"), "{first}");
}

#[test]
fn a_client_that_refuses_its_work_is_not_started_again_and_again() {
    let folder = tempfile::tempdir().unwrap();
    let client = folder.path().join("client");
    let count = folder.path().join("count");
    let script = format!("#!/bin/sh\necho x >> {}\necho 'error: what is a topic?' >&2\nexit 2\n", count.display());
    std::fs::write(&client, script).unwrap();
    std::fs::set_permissions(&client, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let client = client.to_str().unwrap();
    let output = torture(&["eos-producer", "--schedule", "static", "--", client]).output().unwrap();
    expect(&output, 2);
    assert!(stdout(&output).contains("what is a topic?"), "{}", stdout(&output));
    assert_eq!(std::fs::read_to_string(count).unwrap().lines().count(), 1);
}
