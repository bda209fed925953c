//! `lab grade`, from outside: a class in which hardly anybody means well.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, Signal, getuid, kill_process};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::exercises::patch;
use crate::lab::{expect, lab, stderr, stdout};
use crate::support::program::eventually;
use crate::support::workspace;

/// The exercise with which most of this is tried: it has the fewest scenarios.
const EXERCISE: &str = "01-fire-and-forget";

fn solution() -> String {
    fs::read_to_string(workspace().join("solutions").join(EXERCISE).join("src/main.rs")).unwrap()
}

fn wrong() -> String {
    let given = fs::read_to_string(workspace().join("exercises").join(EXERCISE).join(".given/src/main.rs")).unwrap();
    let patch = workspace().join("exercises-tests").join(EXERCISE).join("wrong-no-flush.patch");
    patch::apply(&given, &fs::read_to_string(patch).unwrap()).unwrap()
}

/// A checkout is used by one `lab grade` at a time; none should wait for it while its test counts the seconds.
static TURN: Mutex<()> = Mutex::new(());

fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A class, in a folder of its own.
struct Class {
    folder: TempDir,
    students: Vec<PathBuf>,
}

impl Class {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), students: Vec::new() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A student whose exercise has this source; returns the exercise's folder.
    fn student(&mut self, name: &str, source: &str) -> PathBuf {
        let student = self.path("class").join(name);
        let exercise = student.join("exercises").join(EXERCISE);
        write(&exercise.join("src/main.rs"), source);
        let manifest = workspace().join("exercises").join(EXERCISE).join(".given/Cargo.toml");
        fs::copy(manifest, exercise.join("Cargo.toml")).unwrap();
        self.students.push(student);
        exercise
    }

    fn command(&self, more: &[&str]) -> Command {
        let mut command = lab(&["grade", "--only", "1", "--seed", "7"]);
        command.args(more).args(&self.students).stdin(Stdio::null());
        command.arg("--state").arg(self.path("state.jsonl"));
        command.arg("--json").arg(self.path("grades.json")).arg("--csv").arg(self.path("grades.csv"));
        command
    }

    /// The grade of the only exercise of a student.
    fn grade(&self, student: &str) -> Json {
        let json: Json = serde_json::from_slice(&fs::read(self.path("grades.json")).unwrap()).unwrap();
        let students = json["students"].as_array().unwrap();
        let it = students.iter().find(|it| it["student"] == student).unwrap_or_else(|| panic!("{student}: {json:#}"));
        it["grades"][0].clone()
    }
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// The processes with this on their command line.
fn running_with(text: &str) -> usize {
    let commands = fs::read_dir("/proc").unwrap().filter_map(|entry| fs::read(entry.ok()?.path().join("cmdline")).ok());
    commands.filter(|command| String::from_utf8_lossy(command).contains(text)).count()
}

#[test]
#[cfg(target_os = "linux")]
fn each_costs_their_own_grade_only() {
    let _turn = turn();
    let mut class = Class::new();
    let solution = solution();
    class.student("right", &solution);
    class.student(
        "as-given",
        &fs::read_to_string(workspace().join("exercises").join(EXERCISE).join(".given/src/main.rs")).unwrap(),
    );
    class.student("wrong", &wrong());
    class.student("no-rust", &format!("{solution}\nfn f() -> u8 {{ \"a\" }}\n"));
    class.student("idle", "fn main() {}\n");
    let mine = class.path("mine");
    write(&mine, "of the instructor's");
    fs::set_permissions(&mine, Permissions::from_mode(0o600)).unwrap();
    class.student(
        "spy",
        &format!(
            "fn main() {{
                let home = std::env::var(\"HOME\").unwrap();
                let secret = std::env::var(\"SECRET\");
                let read = std::fs::read({mine:?}).is_ok();
                let moved = std::fs::rename(&home, format!(\"{{home}}-moved\")).is_ok();
                panic!(\"{{secret:?}} {{}} {{read}} {{moved}}\", home.contains(\"/lab-run-\"))
            }}"
        ),
    );
    class.student("flood", "fn main() { loop { println!(\"sent x\") } }\n");
    // It leaves its session, forgets its environment and its parent.
    let survivor = "sleep 98765.4321";
    class.student(
        "survivor",
        &format!("fn main() {{ std::process::Command::new(\"sh\").args([\"-c\", \"env -i setsid {survivor} &\"]).status().unwrap(); std::thread::sleep(std::time::Duration::from_millis(300)) }}\n"),
    );
    class.student(
        "bomb",
        "fn main() { loop { let _ = std::process::Command::new(\"sleep\").arg(\"98765.1234\").spawn(); } }\n",
    );
    // Each starts itself: quicker than anybody can look.
    class.student(
        "tree",
        "fn main() { loop { let _ = std::process::Command::new(std::env::current_exe().unwrap()).spawn(); } }\n",
    );
    class.student(
        "threads",
        "fn main() { loop { let _ = std::thread::Builder::new().stack_size(16384).spawn(|| loop { std::thread::park() }); } }\n",
    );
    class.student("filler", "fn main() { for n in 0.. { std::fs::write(format!(\"{n}\"), \"x\").unwrap(); } }\n");
    class.student("blob", "fn main() { std::fs::write(\"blob\", vec![0; 64 << 20]).unwrap(); }\n");
    // Where everybody may write, whoever they are.
    let everybody = tempfile::tempdir().unwrap();
    fs::set_permissions(&everybody, Permissions::from_mode(0o777)).unwrap();
    let flaky = everybody.path().join("once");
    let once = format!("if std::fs::File::create_new({flaky:?}).is_ok() {{ std::process::exit(1) }}\n");
    class.student(
        "flaky",
        &solution.replacen("fn main() -> ExitCode {\n", &format!("fn main() -> ExitCode {{\n{once}"), 1),
    );
    // Its build script would leave a file.
    let built = class.path("build-script-was-here");
    let own = class.student("builder", &solution);
    write(&own.join("build.rs"), &format!("fn main() {{ std::fs::write({built:?}, \"\").unwrap(); }}\n"));
    write(
        &own.join("Cargo.toml"),
        &format!("{}\n[build-dependencies]\n", fs::read_to_string(own.join("Cargo.toml")).unwrap()),
    );
    let secret = class.path("secret.rs");
    write(&secret, "fn f() {}");
    let links = class.student("links", &format!("mod secret;\n{solution}"));
    symlink(&secret, links.join("src/secret.rs")).unwrap();
    // Nothing to run.
    let absent = class.path("class/absent");
    fs::create_dir_all(absent.join("exercises")).unwrap();
    class.students.push(absent);
    let nobody = class.path("class/nobody");
    fs::create_dir_all(&nobody).unwrap();
    class.students.push(nobody);
    let long = "long ".repeat(40);
    for name in ["=cmd()", "a\u{1b}[2J\nb", &long, "left/twin", "right/twin"] {
        fs::remove_dir_all(class.student(name, "").join("src")).unwrap();
    }

    let output = class.command(&[]).env("SECRET", "s3cret").output().unwrap();
    expect(&output, 2);
    assert_eq!(running_with(survivor) + running_with("98765.1234"), 0);
    assert!(!built.exists());
    let table = stdout(&output);
    for line in table.lines() {
        assert!(line.chars().count() <= 100 && !line.contains('\x1b'), "{line}");
    }
    let mut otherwise = Vec::new();
    for (student, verdict, anomaly, limit) in [
        ("right", "passed", Json::Null, Json::Null),
        ("builder", "passed", Json::Null, Json::Null),
        ("as-given", "not-begun", Json::Null, Json::Null),
        ("wrong", "failed", json!("failed"), Json::Null),
        ("no-rust", "does-not-build", Json::Null, Json::Null),
        ("links", "does-not-build", Json::Null, Json::Null),
        ("idle", "failed", json!("missing"), Json::Null),
        ("spy", "failed", Json::Null, Json::Null),
        ("survivor", "failed", Json::Null, Json::Null),
        ("flood", "limit", Json::Null, json!("output")),
        ("bomb", "limit", Json::Null, json!("processes")),
        ("tree", "limit", Json::Null, json!("processes")),
        ("threads", "limit", Json::Null, json!("processes")),
        ("filler", "limit", Json::Null, json!("disk")),
        ("blob", "limit", Json::Null, json!("file-size")),
        ("flaky", "undecided", Json::Null, Json::Null),
        ("absent", "missing", Json::Null, Json::Null),
        ("nobody", "not-graded", Json::Null, Json::Null),
        ("left/twin", "does-not-build", Json::Null, Json::Null),
        ("right/twin", "does-not-build", Json::Null, Json::Null),
        ("a\\x1b[2J\\x0ab", "does-not-build", Json::Null, Json::Null),
    ] {
        let grade = class.grade(student);
        let mut as_it_must_be = grade["verdict"] == verdict;
        let decisive = grade["scenarios"].as_array().unwrap().iter().find(|it| it["verdict"] == verdict);
        if let Some(decisive) = decisive.filter(|_| !["passed", "undecided"].contains(&verdict)) {
            as_it_must_be &= decisive["failed"] == 2 && decisive["runs"] == 2;
            as_it_must_be &= (anomaly.is_null() || decisive["anomaly"] == anomaly) && decisive["limit"] == limit;
        }
        if !as_it_must_be {
            otherwise.push(format!("{student}: {grade}"));
        }
    }
    assert!(otherwise.is_empty(), "{}", otherwise.join("\n"));
    assert_eq!(
        class.grade("wrong")["scenarios"][0]["value"].as_str().map(|value| value.starts_with("msg-")),
        Some(true)
    );
    assert_eq!(class.grade("builder")["notes"], json!([{ "not-used": "Cargo.toml" }, { "not-used": "build.rs" }]));
    let notes = class.grade("no-rust")["notes"].to_string();
    assert!(notes.contains("src/main.rs:") && notes.contains("mismatched types"), "{notes}");
    assert!(class.grade("links")["notes"].to_string().contains(r#"{"left-out":"secret.rs"}"#));
    let spy = class.grade("spy")["scenarios"][0]["ended"].to_string();
    assert!(
        spy.contains("status 101") && spy.contains(&format!("Err(NotPresent) true {0} {0}", !getuid().is_root())),
        "{spy}"
    );
    let csv = fs::read_to_string(class.path("grades.csv")).unwrap();
    assert!(csv.contains("\r\n\"'=cmd()\",\"01\"") && !csv.contains('\u{1b}'), "{csv}");
    assert_eq!(csv.matches("\r\n").count(), csv.lines().count());

    // A second time: nothing is built or run, and nobody has another's grade. A half line, as a crash leaves it, is none.
    let before = fs::read(class.path("grades.json")).unwrap();
    let state = fs::read_to_string(class.path("state.jsonl")).unwrap();
    fs::write(class.path("state.jsonl"), format!("{state}{{\"student\": \"ri")).unwrap();
    let again = class.command(&[]).output().unwrap();
    expect(&again, 2);
    let known = format!("already graded, and not run again: {}", state.lines().count());
    assert!(stderr(&again).contains(&known) && !stderr(&again).contains("building"), "{}", stderr(&again));
    assert_eq!(stdout(&again), table);
    assert_eq!(fs::read(class.path("grades.json")).unwrap(), before);
}

/// Waits until the program of a student runs, which sleeps for ever.
fn begin(class: &Class) -> Child {
    let command = class.command(&[]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    eventually("a program runs", || running_with("98765.5678") > 0);
    command
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap(), signal).unwrap();
}

#[test]
#[cfg(target_os = "linux")]
fn an_interrupted_grading_goes_on_where_it_was() {
    let _turn = turn();
    let mut class = Class::new();
    class.student("done", "fn main() {}\n");
    let rest = class.student(
        "rest",
        "fn main() { std::process::Command::new(\"setsid\").args([\"sleep\", \"98765.5678\"]).status().unwrap(); }\n",
    );
    let state = class.path("state.jsonl");
    let lines = || fs::read_to_string(&state).unwrap_or_default().lines().count();
    // In the middle of the second student's work, without a warning; then with one.
    let mut killed = begin(&class);
    eventually("the first student is graded", || lines() == 1);
    signal(&killed, Signal::KILL);
    assert_eq!(killed.wait().unwrap().signal(), Some(9));
    eventually("no program runs", || running_with("98765.5678") == 0);
    let stopped = begin(&class);
    signal(&stopped, Signal::INT);
    let output = stopped.wait_with_output().unwrap();
    expect(&output, 130);
    assert_eq!((running_with("98765.5678"), lines(), stdout(&output)), (0, 1, String::new()));
    // The rest, which has changed meanwhile.
    write(&rest.join("src/main.rs"), &solution());
    let output = class.command(&[]).output().unwrap();
    expect(&output, 0);
    assert!(stderr(&output).contains("not run again: 1"), "{}", stderr(&output));
    assert_eq!(
        (&class.grade("done")["verdict"], &class.grade("rest")["verdict"]),
        (&json!("failed"), &json!("passed"))
    );
}

#[test]
#[cfg(target_os = "linux")]
fn a_loop_without_a_word_ends_with_its_time() {
    let _turn = turn();
    let mut class = Class::new();
    class.student("loop", "fn main() { loop { std::hint::spin_loop() } }\n");
    let begun = std::time::Instant::now();
    expect(&class.command(&["--limit", "2"]).output().unwrap(), 0);
    let grade = class.grade("loop");
    assert_eq!(grade["verdict"], "limit", "{grade:#}");
    assert_eq!(grade["scenarios"][0]["limit"], "time", "{grade:#}");
    // Far from the minute for which a silent program is waited for otherwise.
    assert!(grade["took_ms"].as_u64().unwrap() < 30_000, "{grade:#}");
    crate::support::report(format_args!("a loop was graded in {:.1?}", begun.elapsed()));
}

#[test]
fn bad_usage_is_told_before_anything_is_built() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_str().unwrap();
    for (args, says) in [
        (&[][..], "DIR"),
        (&[place, "--only", "pipelin"], "is it pipeline?"),
        (&[place, "--csv", "/nowhere/x.csv"], "/nowhere/x.csv cannot be written"),
        (&[place, "--limit", "0"], "0"),
    ] {
        let output = lab(&["grade"]).args(args).arg("--state").arg(folder.path().join("state")).output().unwrap();
        expect(&output, 2);
        assert!(
            stderr(&output).contains(says) && !stderr(&output).contains("building"),
            "{args:?}: {}",
            stderr(&output)
        );
    }
}

/// What a confined program may use: seconds, bytes of memory, bytes of a file, open files.
#[test]
#[cfg(target_os = "linux")]
fn each_limit_binds() {
    let most = u64::MAX.to_string();
    let confined = |limits: [&str; 4], script: &str| {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
        command.arg("__confined").args(limits).args([&most, &most]).args(["sh", "-c", script]).current_dir(&folder);
        command.stderr(Stdio::null()).stdout(Stdio::null()).status().unwrap()
    };
    let plenty = ["60", "4000000000", "1000000", "100"];
    assert_eq!(confined(plenty, "head -c 900000 /dev/zero > file; exit 7").code(), Some(7));
    assert_eq!(confined(["1", plenty[1], plenty[2], plenty[3]], "while :; do :; done").signal(), Some(24));
    let with_file = confined([plenty[0], plenty[1], "1000", plenty[3]], "exec head -c 2000 /dev/zero > file");
    assert_eq!(with_file.signal(), Some(25));
    let open = "exec 3</dev/null 4</dev/null 5</dev/null 6</dev/null 7</dev/null";
    assert_eq!(confined(plenty, open).code(), Some(0));
    assert_ne!(confined([plenty[0], plenty[1], plenty[2], "6"], open).code(), Some(0));
    let memory = "exec head -c 600000000 /dev/zero | tail -n 1";
    assert_eq!(confined(plenty, memory).code(), Some(0));
    assert_ne!(confined([plenty[0], "300000000", plenty[2], plenty[3]], memory).code(), Some(0));
}
