//! The lab on a cluster: nothing is otherwise there, and its nodes may die.
//!
//! Three nodes take their time to start, so one cluster serves these tests, one after the other.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use lab::matrix;
use serde_json::Value as Json;

use super::{expect, lab, stderr};
use crate::support::broker::{Kafka, Script};

/// The cluster, for this test alone. It ends with its standard input, hence with the tests.
fn cluster() -> MutexGuard<'static, Kafka> {
    static CLUSTER: OnceLock<Mutex<Kafka>> = OnceLock::new();
    CLUSTER.get_or_init(|| Mutex::new(Kafka::start(3))).lock().unwrap_or_else(PoisonError::into_inner)
}

/// What kills its nodes, as it says itself.
fn control(kafka: &Kafka) -> String {
    format!("'{}' --port {}", Script::path().display(), kafka.port())
}

#[track_caller]
fn report(kafka: &Kafka, args: &[&str], status: i32) -> Vec<Json> {
    let output = lab(args)
        .args(["--format", "json", "--bootstrap-servers", kafka.bootstrap(), "--node-control", &control(kafka)])
        .output()
        .unwrap();
    expect(&output, status);
    let report: Json = serde_json::from_slice(&output.stdout).unwrap();
    report["outcomes"].as_array().unwrap().clone()
}

#[test]
#[ignore = "needs Java 17 and Maven: it starts Apache Kafka"]
fn three_nodes_make_no_difference() {
    let kafka = cluster();
    let programs = ["--only", "eos-pipeline", "--only", "producer-at-least-once", "--only", "producer-at-most-once"];
    // As many at once as three nodes on two processors bear.
    let outcomes = report(&kafka, &[&programs[..], &["--jobs", "8"]].concat(), 0);
    assert!(outcomes.iter().all(|outcome| outcome["as_expected"] == true), "{outcomes:?}");
    assert!(outcomes.iter().any(|outcome| outcome["verdict"] == "violated"), "{outcomes:?}");
}

#[test]
#[ignore = "needs Java 17 and Maven: it starts Apache Kafka"]
fn the_pipeline_loses_and_repeats_nothing_while_nodes_die() {
    let kafka = cluster();
    let outcomes = report(&kafka, &["run", "eos-pipeline", "nodes-killed", "--messages", "2000"], 0);
    let [outcome] = &outcomes[..] else { panic!("{outcomes:?}") };
    assert_eq!((&outcome["verdict"], &outcome["ledger"]["stored"]), (&"holds".into(), &2000.into()), "{outcome}");
    let deeds = outcome["nodes"].as_array().unwrap().iter().flat_map(|node| node["deeds"].as_array().unwrap());
    assert_eq!(deeds.filter(|deed| deed["deed"] == "kill").count(), 4, "{outcome}");
}

#[test]
#[ignore = "needs Java 17 and Maven: it starts Apache Kafka"]
fn what_the_leader_alone_acknowledged_dies_with_it() {
    let kafka = cluster();
    let run = ["run", "producer-at-least-once", "leader-killed", "--variant"];
    let outcomes = report(&kafka, &[&run[..], &["acks=1"]].concat(), 0);
    assert_eq!(outcomes[0]["verdict"], "violated", "{outcomes:?}");
    // The same program is convicted by it where acks=all was announced.
    let outcomes = report(&kafka, &[&run[..], &["acks=all", "-X", "acks=0"]].concat(), 1);
    assert_eq!(outcomes[0]["as_expected"], false, "{outcomes:?}");
}

#[test]
#[ignore = "needs Java 17 and Maven: it starts Apache Kafka"]
fn too_few_replicas_are_refused_and_a_dead_coordinator_is_replaced() {
    let kafka = cluster();
    let refused = ["run", "producer-at-least-once", "replica-missing", "--variant", "to the end"];
    report(&kafka, &refused, 0);
    report(&kafka, &["run", "eos-pipeline", "coordinator-killed", "--variant", "answer"], 0);
}

/// Without a command, the lab says what to type, and goes on when it has happened.
#[test]
#[ignore = "needs Java 17 and Maven: it starts Apache Kafka"]
fn a_user_is_told_what_to_type() {
    let kafka = cluster();
    let args = ["run", "consumer-at-least-once", "coordinator-killed", "--variant", "request"];
    let mut child = lab(&args)
        .args(["--bootstrap-servers", kafka.bootstrap()])
        .env_remove("NODE_CONTROL")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut typed = Vec::new();
    for line in BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok) {
        // What Docker calls the service is the number of the node here.
        let Some((_, command)) = line.split_once("docker compose -f compose/cluster.yaml ") else { continue };
        let node = command.rsplit('-').next().unwrap();
        let word = if command.starts_with("kill -s KILL ") { "kill" } else { "start" };
        let done = Command::new("sh").args(["-c", &format!("{} {word} {node}", control(&kafka))]).output().unwrap();
        assert!(done.status.success(), "{done:?}");
        typed.push(word);
    }
    assert!(child.wait().unwrap().success(), "{typed:?}");
    assert_eq!(typed, ["kill", "start"]);
}

#[test]
fn what_kills_nodes_has_to_be_asked_for_and_needs_three() {
    let listed = String::from_utf8(lab(&["list"]).output().unwrap().stdout).unwrap();
    let (before, after) = listed.split_once("These need three nodes").expect("a heading");
    for job in matrix::jobs_on_three_nodes() {
        assert!(!before.contains(job.scenario.name) && after.contains(job.scenario.name), "{listed}");
        assert!(matrix::jobs().iter().all(|other| other.scenario.name != job.scenario.name));
    }
    for args in [&["run", "eos-pipeline", "nodes-killed"][..], &["--scenario", "leader-killed"]] {
        let output = lab(args).output().unwrap();
        expect(&output, 2);
        let said = stderr(&output);
        let error = said.lines().last().unwrap();
        assert!(error.contains("needs three nodes") && error.contains("compose/kafka.sh --nodes 3"), "{said}");
    }
}

#[test]
#[ignore = "needs Java 17 and Maven: it starts Apache Kafka"]
fn a_command_that_does_not_work_is_one_line() {
    let kafka = cluster();
    let output = lab(&["run", "producer-at-least-once", "leader-killed", "--variant", "acks=1"])
        .args(["--bootstrap-servers", kafka.bootstrap(), "--node-control", "compose/no-such-thing"])
        .output()
        .unwrap();
    expect(&output, 2);
    let said = stderr(&output);
    let error = said.lines().last().unwrap();
    assert!(error.contains("compose/no-such-thing freeze") && error.contains("--node-control"), "{said}");
}
