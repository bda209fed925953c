//! Nothing is left running, and nothing stays behind.

use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use lab::names::random_seed;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::{expect, lab, stderr, stdout};
use crate::support::broker::bootstrap;
use crate::support::kafka::{config, unique};
use crate::support::program::{PATIENCE, eventually};

/// Topics and groups whose names begin like this.
fn left_behind(prefix: &str) -> Vec<String> {
    let consumer: BaseConsumer = config().create().unwrap();
    let metadata = consumer.fetch_metadata(None, PATIENCE).unwrap();
    let groups = consumer.fetch_group_list(None, PATIENCE).unwrap();
    let topics = metadata.topics().iter().map(|topic| topic.name().to_owned());
    let groups = groups.groups().iter().map(|group| group.name().to_owned());
    let mut names: Vec<_> = topics.chain(groups).filter(|name| name.starts_with(prefix)).collect();
    names.sort();
    names
}

fn delete(names: &[String]) {
    let admin: AdminClient<DefaultClientContext> = config().create().unwrap();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(admin.delete_topics(&names, &AdminOptions::new())).unwrap();
    runtime.block_on(admin.delete_groups(&names, &AdminOptions::new())).unwrap();
}

/// How many processes have this on their command line.
fn running_with(text: &str) -> usize {
    let commands = fs::read_dir("/proc").unwrap().filter_map(|entry| fs::read(entry.ok()?.path().join("cmdline")).ok());
    commands.filter(|command| String::from_utf8_lossy(command).contains(text)).count()
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap(), signal).unwrap();
}

/// A lab whose program has a million messages to send: it runs until somebody ends it. Returns when the program runs, with
/// the names of the run, and the lab's folder for temporary files.
fn endless(seed: &str) -> (Child, String, TempDir) {
    let args = ["--scenario", "calm", "--only", "eos-producer", "--messages", "1000000", "--seed", seed];
    let mut command = lab(&args);
    let folder = tempfile::tempdir().unwrap();
    command.env("TMPDIR", folder.path());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let names = format!("lab-{seed}-calm");
    eventually("a program runs", || running_with(&names) > 0);
    assert!(!is_empty(&folder), "the run has a folder");
    (child, names, folder)
}

fn is_empty(folder: &TempDir) -> bool {
    fs::read_dir(folder.path()).unwrap().next().is_none()
}

#[test]
fn after_ctrl_c_nothing_runs_on_and_nothing_stays_behind() {
    let seed = random_seed().to_string();
    let (child, names, folder) = endless(&seed);
    signal(&child, Signal::INT);
    let output = child.wait_with_output().unwrap();
    expect(&output, 130);
    assert_eq!(stdout(&output), "");
    assert!(stderr(&output).contains("stopping"), "{}", stderr(&output));
    assert_eq!(running_with(&names), 0);
    assert!(is_empty(&folder));
    assert_eq!(left_behind(&format!("lab-{seed}")), [""; 0]);
}

#[test]
fn a_second_ctrl_c_ends_at_once() {
    let seed = random_seed().to_string();
    let (child, names, folder) = endless(&seed);
    signal(&child, Signal::INT);
    signal(&child, Signal::TERM);
    let output = child.wait_with_output().unwrap();
    expect(&output, 130);
    eventually("no program runs", || running_with(&names) == 0);
    eventually("no folder is left", || is_empty(&folder));
}

#[test]
fn kill_9_of_the_lab_leaves_no_program_behind_and_the_next_run_works() {
    let seed = random_seed().to_string();
    let (mut child, names, folder) = endless(&seed);
    signal(&child, Signal::KILL);
    child.wait().unwrap();
    eventually("no program runs", || running_with(&names) == 0);
    eventually("no folder is left", || is_empty(&folder));
    let again = lab(&["--scenario", "calm", "--only", "eos-producer", "--messages", "5"]).output().unwrap();
    expect(&again, 0);
    let left: Vec<_> = left_behind(&format!("lab-{seed}"));
    if !left.is_empty() {
        delete(&left);
    }
}

#[test]
fn each_run_has_a_folder_of_its_own_which_goes_with_it() {
    let report = tempfile::NamedTempFile::new().unwrap();
    let script = format!("(pwd -P; cd \"$TMPDIR\"; pwd -P; ls -A | wc -l) >>'{}'; touch it", report.path().display());
    for _ in 0..2 {
        super::convictions::judge("producer-at-least-once", &script);
    }
    let report = fs::read_to_string(report.path()).unwrap();
    let [first, also_first, nothing, second, _, also_nothing] = report.lines().collect::<Vec<_>>()[..] else {
        panic!("{report}")
    };
    assert_eq!(first, also_first, "the working folder, and that for temporary files");
    assert_ne!(first, second);
    assert_eq!((nothing.trim(), also_nothing.trim()), ("0", "0"), "files were there to begin with");
    assert!(!Path::new(first).exists() && !Path::new(second).exists(), "{report}");
}

#[test]
fn what_was_created_on_a_kafka_that_stays_is_deleted() {
    let seed = random_seed().to_string();
    let args = ["--scenario", "calm", "--messages", "10", "--seed", &seed, "--bootstrap-servers", bootstrap()];
    expect(&lab(&args).output().unwrap(), 0);
    assert_eq!(left_behind(&format!("lab-{seed}")), [""; 0]);
}

#[test]
fn what_is_kept_is_there_for_inspection_and_its_seed_is_taken() {
    let seed = random_seed().to_string();
    let args = ["run", "consumer-at-most-once", "calm", "--messages", "5", "--seed", &seed];
    let args = [&args[..], &["--bootstrap-servers", bootstrap()]].concat();
    let output = lab(&args).arg("--keep").output().unwrap();
    expect(&output, 0);
    let names = format!("lab-{seed}-calm-consumer-at-most-once");
    let kept = left_behind(&names);
    assert_eq!(kept, [format!("{names}-group"), format!("{names}-topic")]);
    assert!(stderr(&output).contains(&format!("{names}-topic")), "{}", stderr(&output));
    let again = lab(&args).output().unwrap();
    expect(&again, 2);
    assert!(stderr(&again).contains("exists already"), "{}", stderr(&again));
    assert_eq!(left_behind(&names).len(), 2, "it is not the second run's to delete");
    delete(&kept);
}

#[test]
fn a_run_in_a_namespace_has_all_its_names_there() {
    let (seed, namespace) = (random_seed().to_string(), unique("class"));
    let args = ["run", "producer-at-most-once", "calm", "--messages", "3", "--keep", "--seed", &seed];
    let args = [&args[..], &["--bootstrap-servers", bootstrap()]].concat();
    expect(&lab(&args).env("NAMESPACE", &namespace).output().unwrap(), 0);
    let kept = left_behind(&namespace);
    assert_eq!(kept, [format!("{namespace}-lab-{seed}-calm-producer-at-most-once-topic")]);
    delete(&kept);
}

#[test]
fn the_lab_ends_soon_after_its_last_run() {
    let begun = Instant::now();
    expect(&lab(&["--scenario", "calm", "--only", "producer-at-most-once", "--messages", "3"]).output().unwrap(), 0);
    // No time is promised; but a wait for something that never comes would be seen here.
    assert!(begun.elapsed() < PATIENCE + Duration::from_secs(1));
}

#[test]
fn a_full_disk_for_the_trace_costs_the_trace_only() {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/dev/full", folder.path().join("calm-producer-at-least-once.jsonl")).unwrap();
    let args = ["--scenario", "calm", "--only", "producer-at-least-once", "--messages", "5"];
    let output = lab(&args).arg("--trace").arg(folder.path()).output().unwrap();
    expect(&output, 0);
    let said = stderr(&output);
    assert_eq!(said.matches("the trace is not complete").count(), 1, "{said}");
}

#[test]
fn a_full_disk_for_the_result_is_one_line() {
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let args = ["--scenario", "calm", "--only", "producer-at-least-once", "--messages", "5"];
    let output = lab(&args).stdout(full).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
    expect(&output, 2);
    assert!(stderr(&output).contains("error: the result cannot be written"), "{}", stderr(&output));
}
