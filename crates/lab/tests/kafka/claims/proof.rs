//! Runs the commands of a page, each once and several at a time, and looks for what the page says.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock};

use tempfile::TempDir;

use crate::lab::given;
use crate::support::broker::bootstrap;
use crate::support::kafka::unique;
use crate::support::program::{example, executable};
use crate::support::{report, workspace};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lang {
    En,
    Fr,
}

/// A command, and what its output holds.
pub(super) struct Proof {
    pub page: &'static str,
    pub lang: Lang,
    pub command: String,
    pub evidence: Vec<String>,
}

/// Nearly all of a command is waiting.
const AT_ONCE: usize = 12;

#[track_caller]
pub(super) fn check(proofs: Vec<Proof>) {
    let mut commands: BTreeMap<(String, Lang), Vec<Proof>> = BTreeMap::new();
    for proof in proofs {
        // Only the lab speaks both languages.
        let lang = if proof.command.contains("-p lab ") { proof.lang } else { Lang::En };
        commands.entry((proof.command.clone(), lang)).or_default().push(proof);
    }
    let cargo = cargo();
    let queue = Mutex::new(commands.into_iter());
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let Some(((command, lang), proofs)) = queue.lock().unwrap().next() else { return };
                    let Some(output) = run(&cargo.path().join("cargo"), &command, lang) else { continue };
                    failures.lock().unwrap().extend(proofs.iter().filter_map(|proof| failure(proof, &output)));
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// Standard output, then standard error, then the exit status, as `$? = N`.
fn run(cargo: &Path, command: &str, lang: Lang) -> Option<String> {
    let script = installed(command)?;
    let path = format!("{}:{}", cargo.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let namespace = unique("claims");
    let mut shell = Command::new("bash");
    shell.args(["-euc", &script]).current_dir(workspace());
    shell.env("PATH", path).env("CARGO", cargo).env("PYTHONIOENCODING", "utf-8");
    shell.env("LC_ALL", if lang == Lang::Fr { "fr_FR.UTF-8" } else { "C" });
    for variable in ["RUST_LOG", "NAMESPACE", "KAFKA_PROPERTIES", "BOOTSTRAP_SERVERS", "CONNECT_TIMEOUT"] {
        shell.env_remove(variable);
    }
    // `lab run` has a Kafka of its own where none is given, and names of its own in any case.
    let lab_run = command.contains("-p lab -- run ");
    if !lab_run || given().is_some() {
        shell.env("BOOTSTRAP_SERVERS", bootstrap());
    }
    if !lab_run {
        shell.env("NAMESPACE", &namespace);
    }
    let output = shell.output().expect("bash");
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).replace(&format!("{namespace}-"), "");
    Some(format!("{text}\n$? = {}", output.status.code().unwrap_or(-1)))
}

/// What is wrong with the proof, if anything is.
fn failure(proof: &Proof, output: &str) -> Option<String> {
    let status = proof.command.rsplit_once("# ").map_or("$? = 0", |(_, status)| status);
    let shows = |line: &&str| output.lines().any(|shown| holds(shown, line));
    let missing: Vec<_> =
        proof.evidence.iter().map(String::as_str).chain([status]).filter(|line| !shows(line)).collect();
    if missing.is_empty() {
        return None;
    }
    let Proof { page, command, .. } = proof;
    Some(format!("{page}: {command}\ndoes not show:\n  {}\nbut:\n{output}", missing.join("\n  ")))
}

/// Whether the line holds these words; `…` stands for any others between them.
fn holds(line: &str, words: &str) -> bool {
    let mut rest = Some(line);
    for part in words.split('…') {
        rest = rest.and_then(|rest| rest.find(part.trim()).map(|at| &rest[at + part.trim().len()..]));
    }
    rest.is_some()
}

/// A folder with a `cargo` for whom everything is built already: it knows `cargo run -p NAME -- ARGUMENTS`, and what the lab
/// asks of it before a run, `cargo build … -p NAME`.
fn cargo() -> TempDir {
    const SCRIPT: &str = r#"#!/bin/sh
for last; do :; done
case $1 in
build) printf '{"executable":"%s","target":{"name":"%s"}}\n' "BUILT/$last" "$last" ;;
run)
    program=$3
    shift 3
    [ $# = 0 ] || shift
    exec "BUILT/$program" "$@"
    ;;
esac
"#;
    let built = executable("eos-pipeline");
    let folder = TempDir::new().unwrap();
    let script = folder.path().join("cargo");
    fs::write(&script, SCRIPT.replace("BUILT", built.parent().unwrap().to_str().unwrap())).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// The command with the programs that are here in the place of those that the reader has; `None`, and a word about it, when
/// its language is not.
fn installed(command: &str) -> Option<String> {
    let here = match command.split_once("python3 ") {
        Some((before, script)) => python(script).map(|python| format!("{before}{} {script}", python.display())),
        None if command.contains("-- java ") => java().map(|classes| command.replace("target/java", classes)),
        None => Some(command.to_owned()),
    };
    if here.is_none() {
        report(format_args!("SKIPPED, since its language or library is not installed here (.ci/clients): {command}"));
    }
    let built = example("defended-pipeline").parent()?.parent()?.display().to_string();
    here.map(|here| here.replace("target/debug", &built))
}

/// The pipeline in Java, compiled once; `None` without a compiler (the JDK's, or that of `.ci/clients`), or without what
/// `compose/kafka.sh` downloads.
fn java() -> Option<&'static str> {
    const CLASSES: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/java");
    const HERE: &str = "[ -d compose/.lib/4.3.1 ] && { command -v javac || ls target/clients/java/*/libs/ecj-*.jar; }";
    const COMPILE: &str = "
        compiler=(javac)
        command -v javac || compiler=(java -jar target/clients/java/*/libs/ecj-*.jar -nowarn --release 11)
        \"${compiler[@]}\" -cp \"$(printf '%s:' compose/.lib/4.3.1/*.jar)\" -d \"$0\" docs/kafka-17754/EosPipeline.java";
    static COMPILED: OnceLock<bool> = OnceLock::new();
    let succeeds = |script| {
        let output =
            Command::new("bash").args(["-c", script, CLASSES]).current_dir(workspace()).output().expect("bash");
        output.status.success()
    };
    let compile = || {
        let here = succeeds(HERE);
        assert!(!here || succeeds(COMPILE), "docs/kafka-17754/EosPipeline.java does not compile");
        here
    };
    COMPILED.get_or_init(compile).then_some(CLASSES)
}

/// A Python that has the client which the script is about: the system's, or one that `.ci/clients` has installed.
fn python(script: &str) -> Option<PathBuf> {
    let (module, installed) = match script {
        "docs/claims/kafka_python.py" => ("kafka", "kafka-python"),
        _ => ("confluent_kafka", "course"),
    };
    let has = |python: &PathBuf| {
        let import = Command::new(python).args(["-c", &format!("import {module}")]).output();
        import.is_ok_and(|output| output.status.success())
    };
    [workspace().join("target/clients").join(installed).join("bin/python"), "python3".into()].into_iter().find(has)
}
