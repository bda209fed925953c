//! A class on one Kafka: students apart by their namespaces, and `lab session` for the instructor.

mod login;

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::lab::{expect, lab, stderr, stdout};
use crate::support::broker::{Mortal, bootstrap};
use crate::support::kafka::unique;
use crate::support::program::eventually;

/// Longer than a check takes on a busy machine, with its build.
const LONG: Duration = Duration::from_secs(180);

/// A class: each with a namespace that no other test has, and the file that names them.
struct Class {
    folder: TempDir,
    servers: String,
}

impl Class {
    fn on(servers: &str, students: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("class.txt"), students.join("\n")).unwrap();
        Self { folder, servers: servers.to_owned() }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("class.txt")
    }

    /// A command of the lab on this class's Kafka; progress is kept with the class.
    fn lab(&self, args: &[&str]) -> Command {
        let mut command = lab(args);
        command.env("BOOTSTRAP_SERVERS", &self.servers);
        command.env("LAB_PROGRESS", self.folder.path().join("progress.json")).stdin(Stdio::null());
        command
    }

    fn session(&self, args: &[&str]) -> Command {
        let mut command = self.lab(&["session", "--students"]);
        command.arg(self.file()).args(args);
        command
    }

    fn check(&self, exercise: &str, namespace: &str) -> Command {
        self.lab(&["check", exercise, "--namespace", namespace])
    }

    /// The table, as JSON.
    fn table(&self) -> Json {
        let output = self.session(&["--once", "--format", "json"]).output().unwrap();
        expect(&output, 0);
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn client(&self) -> BaseConsumer {
        ClientConfig::new().set("bootstrap.servers", &self.servers).create().unwrap()
    }

    /// The names of all topics, and of all groups.
    fn names(&self) -> (Vec<String>, Vec<String>) {
        let client = self.client();
        let topics = client.fetch_metadata(None, LONG).unwrap();
        // A coordinator that has only begun to be one refuses for a moment.
        let mut groups = None;
        eventually("the groups can be listed", || {
            groups = client.fetch_group_list(None, LONG).ok();
            groups.is_some()
        });
        let groups = groups.unwrap();
        (
            topics.topics().iter().map(|topic| topic.name().to_owned()).collect(),
            groups.groups().iter().map(|group| group.name().to_owned()).collect(),
        )
    }

    /// Writes a record into a student's verdict topic, as the student may.
    fn forge(&self, namespace: &str, value: &[u8]) {
        let producer: BaseProducer = ClientConfig::new().set("bootstrap.servers", &self.servers).create().unwrap();
        let topic = format!("{namespace}-lab-verdicts");
        producer.send(BaseRecord::<(), [u8]>::to(&topic).payload(value)).map_err(|(error, _)| error).unwrap();
        producer.flush(LONG).unwrap();
    }
}

/// Exercise 1, passed.
fn passed() -> Vec<u8> {
    let scenario =
        |scenario: &str, variant: &str| json!({ "scenario": scenario, "variant": variant, "verdict": "passes" });
    let scenarios = [scenario("calm", ""), scenario("request-lost", ""), scenario("broker-away", "to the end")];
    json!({ "exercise": "fire-and-forget", "passed": true, "scenarios": scenarios, "when": 1 }).to_string().into()
}

fn students<const N: usize>(names: [&str; N]) -> [String; N] {
    let class = unique("class");
    names.map(|name| format!("{class}-{name}"))
}

#[test]
fn two_students_check_at_once_and_the_session_shows_both() {
    let [ann, bob] = students(["ann", "bob"]);
    let class = Class::on(bootstrap(), &[&format!("{ann} Ann Martin"), &bob]);
    assert_eq!(class.table()["students"][0]["exercises"][5]["state"], "unknown");
    let both = [&ann, &bob]
        .map(|student| class.check("6", student).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    for check in both {
        let output = check.wait_with_output().unwrap();
        expect(&output, 1);
        assert!(!stderr(&output).contains("verdict"), "{}", stderr(&output));
    }
    class.forge(&bob, &passed());
    class.forge(&bob, b"\x1b[2J");
    let table = class.table();
    let (first, second) = (&table["students"][0], &table["students"][1]);
    for student in [first, second] {
        let six = &student["exercises"][5];
        assert_eq!((&six["state"], &six["attempts"]), (&json!("not-yet"), &json!(1)), "{table:#}");
        assert_eq!(six["first"], json!({ "scenario": "killed-between", "variant": "before", "verdict": "fails" }));
        assert!(six["since"].as_i64().is_some_and(|since| since > 1_600_000_000_000), "{six}");
    }
    assert_eq!(
        (&first["name"], &first["passed"], &first["strange_records"]),
        (&json!("Ann Martin"), &json!(0), &json!(0))
    );
    assert_eq!((&second["passed"], &second["strange_records"]), (&json!(1), &json!(1)));
    let text = class.session(&["--once", "--lang", "fr"]).output().unwrap();
    expect(&text, 0);
    assert!(stdout(&text).contains("Ann Martin · 06 commit-before : killed-between (before) · 1 vérification"));
    assert!(!stdout(&text).contains('\x1b'), "{}", stdout(&text));
    // What the runs made is gone again; what the session made is not, and has the partitions that are expected.
    let (topics, _) = class.names();
    let mut left: Vec<_> = topics.iter().filter_map(|topic| topic.strip_prefix(&ann)).collect();
    left.sort_unstable();
    assert_eq!(left.len(), 17, "{left:?}");
    let input = class.client().fetch_metadata(Some(&format!("{ann}-input")), LONG).unwrap();
    assert_eq!(input.topics()[0].partitions().len(), 2);
}

#[test]
fn without_a_session_a_check_writes_nothing_and_says_nothing() {
    let [ann] = students(["ann"]);
    let class = Class::on(bootstrap(), &[&ann]);
    let output = class.check("6", &ann).output().unwrap();
    expect(&output, 1);
    assert!(!stderr(&output).contains("verdict"), "{}", stderr(&output));
    let (topics, _) = class.names();
    assert_eq!(topics.iter().filter(|topic| topic.starts_with(&ann)).collect::<Vec<_>>(), [""; 0]);
}

/// Topics and groups are listed while the runs are under way; transactional ids, only Apache Kafka's own tools list (see
/// `login`: there, an id outside the namespace is refused).
#[test]
fn every_name_of_a_run_is_in_the_namespace() {
    let kafka = Mortal::start();
    let class = Class::on(&kafka.bootstrap(), &[]);
    let arguments =
        ["--namespace", "ann", "--only", "eos-pipeline", "--scenario", "calm", "--scenario", "aborted-input"];
    let mut run = Ends(class.lab(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    let mut seen = (0, 0);
    let status = loop {
        let (topics, groups) = class.names();
        for name in topics.iter().chain(&groups) {
            assert!(name.starts_with("ann-lab-") || name.starts_with("__"), "{name}");
        }
        seen = (seen.0.max(topics.len()), seen.1.max(groups.len()));
        if let Some(status) = run.0.try_wait().unwrap() {
            break status;
        }
    };
    assert_eq!(status.code(), Some(0));
    assert!(seen.0 > 0 && seen.1 > 0, "{seen:?}: nothing was looked at");
}

#[test]
fn clean_deletes_the_topics_and_groups_of_these_students_only() {
    let [ann, anna] = students(["ann", "anna"]);
    let class = Class::on(bootstrap(), &[&ann, &anna]);
    class.table();
    for namespace in [&ann, &anna] {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", &class.servers)
            .set("group.id", format!("{namespace}-group"))
            .create()
            .unwrap();
        let mut offsets = rdkafka::TopicPartitionList::new();
        offsets.add_partition_offset(&format!("{namespace}-input"), 0, rdkafka::Offset::Offset(0)).unwrap();
        consumer.commit(&offsets, rdkafka::consumer::CommitMode::Sync).unwrap();
    }
    let own = |names: &[String], namespace: &str| {
        let prefix = format!("{namespace}-");
        names.iter().filter(|name| name.starts_with(&prefix)).count()
    };
    fs::write(class.file(), &ann).unwrap();
    let unasked = class.session(&["--clean"]).output().unwrap();
    expect(&unasked, 2);
    assert!(stderr(&unasked).contains("--yes") && stderr(&unasked).lines().count() == 1, "{}", stderr(&unasked));
    let (topics, groups) = class.names();
    assert_eq!([own(&topics, &ann), own(&groups, &ann)], [17, 1]);
    let cleaned = class.session(&["--clean", "--yes"]).output().unwrap();
    expect(&cleaned, 0);
    assert_eq!(stderr(&cleaned), "17 topics and 1 group deleted\n");
    let (topics, groups) = class.names();
    assert_eq!([own(&topics, &ann), own(&groups, &ann)], [0, 0]);
    assert_eq!([own(&topics, &anna), own(&groups, &anna)], [17, 1]);
}

#[test]
fn a_wrong_file_is_one_line_with_the_number_of_its_line() {
    for (text, expected) in [
        ("ann\n# bob\nann\n", "class.txt, line 3: this namespace is on line 1 already"),
        ("ann\nann-b\n", "class.txt, line 2: ann-b lies within ann"),
        ("\nété Élodie\n", "class.txt, line 2: \"été\" is no namespace"),
        ("\u{1b}[2J\n", "class.txt, line 1: \"\\u{1b}[2J\" is no namespace"),
        ("lab\n", "class.txt, line 1: lab: names outside every namespace begin with lab-"),
        ("# nobody\n", "class.txt names no student"),
    ] {
        let class = Class::on("127.0.0.1:1", &[text]);
        let output = class.session(&["--once"]).output().unwrap();
        expect(&output, 2);
        let said = stderr(&output);
        assert!(said.contains(expected) && said.lines().count() == 1 && !said.contains('\x1b'), "{expected}: {said}");
    }
    let class = Class::on("127.0.0.1:1", &[]);
    fs::remove_file(class.file()).unwrap();
    let output = class.session(&["--clean", "--yes"]).output().unwrap();
    expect(&output, 2);
    assert!(stderr(&output).contains("class.txt cannot be read"), "{}", stderr(&output));
}

#[test]
fn the_table_follows_what_happens_and_outlives_the_broker() {
    let kafka = Mortal::start();
    let class = Class::on(&kafka.bootstrap(), &["ann"]);
    let mut session = class.session(&["--format", "json"]);
    let mut session = Ends(session.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let lines = crate::support::lines(session.0.stdout.take().unwrap());
    let next = || -> Json { serde_json::from_str(&lines.recv_timeout(LONG).expect("a line")).unwrap() };
    assert_eq!(next()["students"][0]["passed"], 0);
    class.forge("ann", &passed());
    assert_eq!(next()["students"][0]["passed"], 1);
    kafka.kill();
    let away = next();
    assert_eq!((&away["away"], &away["students"][0]["passed"]), (&json!(true), &json!(1)));
    kill_process(Pid::from_child(&session.0), Signal::TERM).unwrap();
    let end = Instant::now() + LONG;
    while session.0.try_wait().unwrap().is_none() {
        assert!(Instant::now() < end, "it does not end");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(session.0.wait().unwrap().code(), Some(0));
}

/// Also where the test fails.
struct Ends(Child);

impl Drop for Ends {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
