//! Programs that do not do what they say: convicted, each by the value in question. Without a fault, so that nothing else
//! can be the reason.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use lab::catalogue;
use lab::ledger::Kind;
use lab::matrix;
use lab::outcome::Outcome;
use lab::stage::House;
use lab::verdict::{Surprise, Verdict};

use super::json;
use crate::support::program::executable;

/// What the lab says of one program in the scenario calm, when its executable is this script, in which REAL is the real
/// one.
pub(super) fn judge(package: &str, script: &str) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let real = executable(package);
    let fake = write_script(folder.path(), &script.replace("REAL", real.to_str().unwrap()));
    let house = House { executables: [(package.to_owned(), fake)].into(), messages: 5, ..super::house() };
    let program = catalogue::find(package).unwrap();
    let of_this = |job: &matrix::Job| job.scenario.name == "calm" && job.program.package == program.package;
    let [job] = matrix::jobs().into_iter().filter(of_this).collect::<Vec<_>>()[..] else { panic!("one calm case") };
    let outcome = house.run(job.scenario, job.case, job.program);
    assert_eq!(super::clear(house), []);
    outcome
}

pub(super) fn write_script(folder: &Path, script: &str) -> std::path::PathBuf {
    let path = folder.join("program");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// Shell: `$topic` is what --topic says.
const TOPIC: &str = "topic=; last=; for arg; do [ \"$last\" = --topic ] && topic=$arg; last=$arg; done";

/// What breaks the promise: kind and value.
fn broken(outcome: &Outcome) -> Vec<(Kind, String)> {
    match &outcome.verdict {
        Verdict::Violated(anomalies) => anomalies.iter().map(|a| (a.kind, a.value.to_string())).collect(),
        other => panic!("{other:?} {:?}", outcome.surprises),
    }
}

#[test]
fn a_producer_that_claims_a_delivery_which_never_happened_is_convicted_by_that_value() {
    let four = "REAL $(echo \"$@\" | sed 's/--count 5/--count 4/')";
    let outcome = judge("producer-at-least-once", &format!("{TOPIC}\n{four}\necho \"delivered $topic[0]@1000 msg-4\""));
    assert_eq!(broken(&outcome), [(Kind::Lost, "msg-4".into()), (Kind::Misplaced, "msg-4".into())]);
    assert_eq!(outcome.ledger.acknowledged, Some(5));
    assert!(!outcome.as_expected());
}

#[test]
fn a_producer_that_sends_everything_twice_is_not_as_expected_although_its_guarantee_holds() {
    let outcome = judge("producer-at-least-once", "REAL \"$@\"\nREAL \"$@\"");
    assert_eq!(outcome.verdict, Verdict::Holds, "at least once allows it");
    let twice = |surprise: &Surprise| matches!(surprise, Surprise::Anomaly(a) if a.kind == Kind::Duplicated);
    assert_eq!(outcome.surprises.iter().filter(|surprise| twice(surprise)).count(), 5);
    assert_eq!(outcome.ledger.count(Kind::Duplicated), 5);
    assert!(!outcome.as_expected());
}

#[test]
fn a_consumer_that_repeats_a_line_is_convicted_by_that_value() {
    // Ctrl-C is for the real one, which handles it.
    let outcome = judge("consumer-at-most-once", "trap '' INT\nREAL \"$@\" | sed -u '/msg-3$/p'");
    assert_eq!(broken(&outcome), [(Kind::Duplicated, "msg-3".into())]);
}

#[test]
fn a_consumer_that_hides_a_message_has_lost_it() {
    let outcome = judge("consumer-at-least-once", "trap '' INT\nREAL \"$@\" | sed -u '/msg-3$/d'");
    assert_eq!(broken(&outcome), [(Kind::Lost, "msg-3".into())]);
}

#[test]
fn a_program_that_fails_is_quoted() {
    let outcome = judge("producer-at-least-once", "REAL \"$@\"; echo 'error: on a whim' >&2; exit 1");
    assert_eq!(outcome.verdict, Verdict::Holds, "all its messages are there");
    let [Surprise::Failed(failure)] = outcome.surprises.as_slice() else { panic!("{:?}", outcome.surprises) };
    assert_eq!(failure.said.as_deref(), Some("error: on a whim"));
}

#[test]
fn readers_of_uncommitted_records_are_convicted_without_a_fault() {
    let only = ["--scenario", "calm", "--messages", "20", "-X", "isolation.level=read_uncommitted"];
    let programs = ["--only", "eos-pipeline", "--only", "consumer-exactly-once", "--only", "consumer-at-most-once"];
    let report = json(&[&only[..], &programs].concat(), 1);
    for outcome in report["outcomes"].as_array().unwrap() {
        assert_eq!(outcome["as_expected"], false, "{outcome}");
        // At most once promises nothing about transactions; but without a fault, this is not what was expected.
        let verdict = if outcome["program"] == "consumer-at-most-once" { "holds" } else { "violated" };
        assert_eq!(outcome["verdict"], verdict, "{outcome}");
        let processed = |anomaly: &&serde_json::Value| anomaly["kind"] == "aborted_processed";
        let anomalies = outcome["anomalies"].as_array().unwrap();
        assert!(anomalies.iter().find(processed).is_some(), "{outcome}");
    }
}
