//! The whole matrix, and single runs.

use std::process::Command;

use lab::catalogue::PROGRAMS;
use lab::{matrix, scenarios};

use super::{expect, json, lab, stderr, stdout};
use crate::support::same_environment;

#[test]
fn every_program_does_under_every_fault_what_was_announced() {
    let report = json(&[], 0);
    let outcomes = report["outcomes"].as_array().unwrap();
    assert_eq!(outcomes.len(), matrix::jobs().len());
    for outcome in outcomes {
        assert_eq!(outcome["as_expected"], true, "{outcome}");
    }
    // The course announces that guarantees break: a table without a violation has shown nothing.
    assert!(outcomes.iter().any(|outcome| outcome["verdict"] == "violated"));
}

/// A terminal grants few: 256 on macOS, and 1024 on most Linux, where all these runs would need more.
#[test]
fn as_many_files_may_be_open_as_the_system_grants() {
    let run = lab(&["run", "eos-pipeline", "calm"]);
    let mut few = Command::new("sh");
    few.args(["-c", "ulimit -Sn 20 && exec \"$@\"", "sh"]).arg(run.get_program()).args(run.get_args());
    same_environment(&mut few, &run);
    expect(&few.output().unwrap(), 0);
}

#[test]
fn every_scenario_concerns_a_program_and_every_program_meets_a_fault() {
    for scenario in scenarios::ALL.iter().chain(scenarios::ON_THREE_NODES) {
        for case in scenario.cases {
            assert!(!case.programs.is_empty(), "{}", scenario.name);
            for package in case.programs {
                assert!(lab::catalogue::find(package).is_some(), "{}: {package}", scenario.name);
            }
            for text in [case.promise, case.why] {
                assert!(!text.en.is_empty() && !text.fr.is_empty(), "{} {}", scenario.name, case.variant);
            }
        }
    }
    for program in PROGRAMS {
        let scenarios = matrix::jobs().iter().filter(|job| job.program.package == program.package).count();
        assert!(scenarios > 2, "{}", program.package);
    }
}

#[test]
fn no_two_runs_share_a_name() {
    let jobs = matrix::jobs().into_iter().chain(matrix::jobs_on_three_nodes());
    let mut names: Vec<_> = jobs.map(|job| lab::names::label(job.scenario, job.case, job.program)).collect();
    let all = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), all);
    for name in names {
        assert!(common::cli::topic_name(&name).is_ok(), "{name}");
    }
}

#[test]
fn a_run_tells_its_story_in_both_languages() {
    let args = ["run", "producer-at-least-once", "ack-lost"];
    let english = lab(&args).output().unwrap();
    expect(&english, 0);
    let french = lab(&args).env("LC_ALL", "fr_FR.UTF-8").output().unwrap();
    expect(&french, 0);
    for (text, word) in [(stdout(&english), "duplicate"), (stdout(&french), "doublon")] {
        assert!(text.contains(word) && text.contains("msg-19"), "{text}");
        for line in text.lines() {
            assert!(line.chars().count() <= 100 && !line.contains('\x1b'), "{line}");
        }
    }
}

#[test]
fn a_client_in_any_language_is_judged_in_place_of_a_program() {
    // At most once is asked for, and at least once is what runs: what it does twice convicts it.
    let client = crate::support::program::executable("consumer-at-least-once");
    let client = client.to_str().unwrap();
    let args =
        ["run", "consumer-at-most-once", "killed-between", "--variant", "before", "--format", "json", "--", client];
    let output = lab(&args).output().unwrap();
    expect(&output, 1);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let outcome = &report["outcomes"][0];
    assert_eq!((&outcome["verdict"], &outcome["as_expected"]), (&"violated".into(), &false.into()), "{outcome}");
    assert_eq!(outcome["anomalies"][0]["kind"], "duplicated", "{outcome}");
}

#[test]
fn a_client_finds_all_it_needs_in_its_environment_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let client = super::convictions::write_script(folder.path(), "env >&2; exit 1");
    let environment = |program| {
        let args = ["run", program, "calm", "-X", "linger.ms=7", "--", client.to_str().unwrap()];
        stderr(&lab(&args).env("RUST_LOG", "debug").output().unwrap())
    };
    let producer = environment("producer-exactly-once");
    for name in ["BOOTSTRAP_SERVERS=127.0.0.1:", "TOPIC=lab-", "TRANSACTIONAL_ID=lab-"] {
        assert!(producer.contains(name), "{name}: {producer}");
    }
    for set in ["] COUNT=200", "VALUE_PREFIX=eos-msg-", "KAFKA_PROPERTIES=linger.ms=7"] {
        assert!(producer.contains(set), "{set}: {producer}");
    }
    let pipeline = environment("eos-pipeline");
    for name in
        ["BOOTSTRAP_SERVERS=127.0.0.1:", "TOPIC=lab-", "OUTPUT_TOPIC=lab-", "GROUP_ID=lab-", "TRANSACTIONAL_ID=lab-"]
    {
        assert!(pipeline.contains(name), "{name}: {pipeline}");
    }
    // It is to stop when the lab has seen everything, not before.
    assert!(!pipeline.contains("] COUNT="), "{pipeline}");
}

#[test]
fn the_trace_of_each_run_is_written_as_json_lines() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("traces");
    let args = ["--scenario", "ack-lost", "--only", "producer-at-least-once", "--trace", path.to_str().unwrap()];
    expect(&lab(&args).output().unwrap(), 0);
    let trace = std::fs::read_to_string(path.join("ack-lost-producer-at-least-once.jsonl")).unwrap();
    let events: Vec<serde_json::Value> = trace.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(events.iter().any(|event| event["happening"] == "fault" && event["action"] == "cut"), "{trace}");
    assert!(events.iter().any(|event| event["api"] == "Produce" && event["side"] == "response"), "{trace}");
}

#[test]
fn the_catalogue_and_the_tests_know_the_same_programs() {
    let mut known: Vec<_> = PROGRAMS.iter().map(|program| program.package).collect();
    let mut tested = crate::support::PROGRAMS.to_vec();
    known.sort_unstable();
    tested.sort_unstable();
    assert_eq!(known, tested);
}
