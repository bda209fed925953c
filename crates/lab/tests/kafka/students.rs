//! The commands for students, from outside. The exercises of this checkout are as given; progress is kept elsewhere.

use std::fs;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::Value as Json;
use tempfile::TempDir;

use crate::lab::{expect, lab, stderr, stdout};
use crate::support::same_environment;

/// Longer than a build and a check take on a busy machine.
const LONG: Duration = Duration::from_secs(180);

fn student(progress: &TempDir, args: &[&str]) -> Command {
    let mut command = lab(args);
    command.env("LAB_PROGRESS", file(progress)).stdin(Stdio::null());
    command
}

fn file(progress: &TempDir) -> PathBuf {
    progress.path().join("progress.json")
}

fn state(progress: &TempDir, exercise: &str) -> Json {
    let text = fs::read(file(progress)).unwrap();
    serde_json::from_slice::<Json>(&text).unwrap()["exercises"][exercise]["state"].clone()
}

#[test]
fn hints_come_one_by_one_and_then_all_at_once() {
    let progress = tempfile::tempdir().unwrap();
    for hint in ["hint 1 of 4", "hint 2 of 4", "hint 3 of 4", "hint 4 of 4", "hint 4 of 4"] {
        let output = student(&progress, &["hint", "6"]).output().unwrap();
        expect(&output, 0);
        assert!(stdout(&output).starts_with(hint), "{hint}: {}", stdout(&output));
        assert_eq!(stderr(&output).contains("lab diff 06 --give-up"), hint.starts_with("hint 4"), "{hint}");
    }
    let all = student(&progress, &["hint", "commit-before", "--all", "--lang", "fr"]).output().unwrap();
    assert_eq!(stdout(&all).matches("indice ").count(), 4);
}

#[test]
fn the_solution_opens_after_a_pass_or_when_the_student_gives_up() {
    let progress = tempfile::tempdir().unwrap();
    let closed = student(&progress, &["diff", "6"]).output().unwrap();
    expect(&closed, 2);
    assert!(stderr(&closed).contains("--give-up") && stdout(&closed).is_empty(), "{}", stderr(&closed));
    fs::write(file(&progress), r#"{"exercises": {"commit-before": {"state": "passed"}}}"#).unwrap();
    for args in [&["diff", "6"][..], &["diff", "7", "--give-up"]] {
        let open = student(&progress, args).output().unwrap();
        expect(&open, 0);
        let text = stdout(&open);
        assert!(text.starts_with("--- exercises/") && text.contains("\n+++ solutions/"), "{text}");
    }
}

#[test]
fn an_unknown_exercise_is_answered_with_the_nearest() {
    let progress = tempfile::tempdir().unwrap();
    for command in ["check", "watch", "hint", "diff", "reset"] {
        let output = student(&progress, &[command, "comit-before"]).output().unwrap();
        expect(&output, 2);
        let said = stderr(&output);
        assert!(said.contains("is it commit-before?") && !said.contains("building"), "{command}: {said}");
    }
}

#[test]
fn a_damaged_progress_is_set_aside_with_one_line() {
    let progress = tempfile::tempdir().unwrap();
    fs::write(file(&progress), "{").unwrap();
    let output = student(&progress, &["progress"]).output().unwrap();
    expect(&output, 0);
    assert_eq!(stderr(&output).lines().count(), 1, "{}", stderr(&output));
    assert!(stderr(&output).contains("progress.json.damaged-1"), "{}", stderr(&output));
    assert_eq!(fs::read_to_string(progress.path().join("progress.json.damaged-1")).unwrap(), "{");
}

#[test]
fn without_a_terminal_watch_checks_once() {
    let progress = tempfile::tempdir().unwrap();
    let output = student(&progress, &["watch", "6"]).output().unwrap();
    expect(&output, 1);
    let text = stdout(&output);
    assert!(text.starts_with("06 · ") && !text.contains('\x1b'), "{text}");
    assert_eq!(state(&progress, "commit-before"), "not-yet");
}

/// `script`, which is on every Debian, gives the lab a terminal.
#[test]
#[cfg(target_os = "linux")]
fn on_a_terminal_keys_are_answered_between_the_checks() {
    let progress = tempfile::tempdir().unwrap();
    let watch = format!("'{}' watch 6", env!("CARGO_BIN_EXE_lab"));
    let command = student(&progress, &[]);
    let mut script = Command::new("script");
    script.args(["-qefc", &watch, "/dev/null"]).env("TERM", "xterm");
    same_environment(&mut script, &command);
    script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut script = Ends(script.spawn().unwrap());
    let mut keys = script.0.stdin.take().unwrap();
    let mut screen = Screen::of(script.0.stdout.take().unwrap());
    screen.until("q quit");
    for (key, answer) in [("h", "hint 1 of 4"), ("l", "15  "), ("r", "any other key: no"), ("x", "q quit")] {
        keys.write_all(key.as_bytes()).unwrap();
        let between = screen.until(answer);
        assert!(!between.contains("as given:"), "a reset without a yes: {between}");
    }
    keys.write_all(b"q").unwrap();
    assert_eq!(script.0.wait().unwrap().code(), Some(0));
}

/// Also where the test fails: its terminal goes, and the lab with it.
struct Ends(std::process::Child);

impl Drop for Ends {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Screen {
    pieces: mpsc::Receiver<Vec<u8>>,
    seen: Vec<u8>,
}

impl Screen {
    fn of(mut output: impl Read + Send + 'static) -> Self {
        let (sender, pieces) = mpsc::channel();
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(read @ 1..) = output.read(&mut piece) {
                if sender.send(piece[..read].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self { pieces, seen: Vec::new() }
    }

    /// Waits for this text, behind all that was waited for before; what came up to its end.
    #[track_caller]
    fn until(&mut self, text: &str) -> String {
        let end = Instant::now() + LONG;
        loop {
            let found = self.seen.windows(text.len()).position(|window| window == text.as_bytes());
            if let Some(at) = found {
                let before: Vec<u8> = self.seen.drain(..at + text.len()).collect();
                return String::from_utf8_lossy(&before).into_owned();
            }
            match self.pieces.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(piece) => self.seen.extend(piece),
                Err(why) => panic!("no {text:?} ({why}) in {}", String::from_utf8_lossy(&self.seen)),
            }
        }
    }
}
