//! Clients of the user's own that misbehave: one line each, the right status, nothing left running.

use super::convictions::write_script;
use super::{expect, lab, stderr, stdout};

/// What the lab says when this script is to be judged as producer-at-least-once.
fn judged(script: &str, status: i32) -> String {
    let folder = tempfile::tempdir().unwrap();
    let client = write_script(folder.path(), script);
    let client = client.to_str().unwrap();
    let output = lab(&["run", "producer-at-least-once", "calm", "--messages", "5", "--", client]).output().unwrap();
    expect(&output, status);
    let text = stdout(&output);
    for line in text.lines() {
        let printable = |c: char| !c.is_control();
        assert!(line.chars().count() <= 100 && line.chars().all(printable), "{line:?}");
    }
    text
}

#[test]
fn one_that_cannot_be_started() {
    let output = lab(&["run", "producer-at-least-once", "calm", "--", "/no/such/client"]).output().unwrap();
    expect(&output, 2);
    let said = stderr(&output);
    assert!(said.contains("error: /no/such/client cannot be started"), "{said}");
    assert_eq!(stdout(&output), "");
}

#[test]
fn one_that_exits_at_once() {
    let text = judged("exit 0", 1);
    assert!(text.contains("msg-0"), "the values that are missing are named: {text}");
}

#[test]
fn one_that_says_that_it_was_used_wrongly() {
    let text = judged("echo 'error: unknown option' >&2; exit 2", 2);
    assert!(text.contains("unknown option"), "{text}");
}

#[test]
fn one_that_prints_binary() {
    judged("head -c 100000 /dev/urandom; exit 0", 1);
}

#[test]
fn one_that_prints_without_end() {
    let text = judged("yes delivered x[0]@0 msg-0", 2);
    assert!(text.contains("lines"), "{text}");
}

#[test]
fn one_that_prints_megabytes_in_one_line() {
    judged("head -c 50000000 /dev/zero | tr '\\0' x; echo; exit 0", 1);
}

#[test]
fn one_that_ignores_ctrl_c_and_leaves_a_child_behind() {
    let text = judged("trap '' INT TERM; sleep 600 & echo \"$!\" > \"$0.pid\"; exit 0", 1);
    assert!(text.contains("msg-0"), "{text}");
}
