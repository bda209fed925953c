//! The lab itself: what it says of the nine programs, and whom it convicts.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use common::cli::Broker;
use lab::cargo::Executables;
use lab::catalogue::{self, PROGRAMS, Program};
use lab::kafka::Kafka;
use lab::ledger::Kind;
use lab::names::{Names, random_seed};
use lab::reader::Reader;
use lab::report::Row;
use lab::scenarios::calm::{self, Calm};
use lab::topics::Topics;
use lab::value::Value;
use lab::verdict::{Surprise, Verdict};
use rand::RngExt;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::{BaseRecord, Producer, ThreadedProducer};
use rustix::process::{Pid, Signal, kill_process};

use crate::support::broker::bootstrap;
use crate::support::kafka::{config, topic, unique};
use crate::support::program::PATIENCE;
use crate::support::seeded;

/// The lab, in English, whatever the terminal's settings.
fn lab(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
    command.args(["--bootstrap-servers", bootstrap()]).args(args);
    command.env("LC_ALL", "C").env_remove("RUST_LOG").env_remove("NAMESPACE").env_remove("KAFKA_PROPERTIES");
    command
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[track_caller]
fn expect(output: &Output, status: i32) {
    assert_eq!(output.status.code(), Some(status), "{}\n{}", stdout(output), stderr(output));
}

/// The line of the table that is about this program, as words.
fn row<'a>(table: &'a str, package: &str) -> Vec<&'a str> {
    let line = table.lines().find(|line| line.split_whitespace().next() == Some(package));
    line.unwrap_or_else(|| panic!("no line for {package}:\n{table}")).split_whitespace().collect()
}

/// Topics and groups whose names begin like this.
fn left_behind(prefix: &str) -> Vec<String> {
    let consumer: BaseConsumer = config().create().unwrap();
    let metadata = consumer.fetch_metadata(None, PATIENCE).unwrap();
    let groups = consumer.fetch_group_list(None, PATIENCE).unwrap();
    let topics = metadata.topics().iter().map(|topic| topic.name().to_owned());
    let groups = groups.groups().iter().map(|group| group.name().to_owned());
    topics.chain(groups).filter(|name| name.starts_with(prefix)).collect()
}

fn delete(topics: &[String]) {
    let admin: AdminClient<DefaultClientContext> = config().create().unwrap();
    let names: Vec<_> = topics.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(admin.delete_topics(&names, &AdminOptions::new())).unwrap();
    runtime.block_on(admin.delete_groups(&names, &AdminOptions::new())).unwrap();
}

#[test]
fn without_a_fault_all_nine_programs_hold_and_nothing_stays_behind() {
    let seed = random_seed().to_string();
    let output = lab(&["--seed", &seed]).output().unwrap();
    expect(&output, 0);
    let table = stdout(&output);
    for program in PROGRAMS {
        let row = row(&table, program.package);
        assert_eq!(row.last(), Some(&"holds"), "{table}");
        // lost, duplicated, reordered
        assert_eq!(row[row.len() - 4..row.len() - 1], ["0", "0", "0"], "{table}");
        assert!(row.contains(&"200"), "{table}");
    }
    // Four inputs with one partition, one with three: twelve aborted records in each partition.
    assert!(table.contains("held 84 records of aborted transactions"), "{table}");
    for line in table.lines() {
        assert!(line.chars().count() <= 100 && !line.contains('\x1b'), "{line}");
    }
    assert_eq!(left_behind(&format!("lab-{seed}")), [""; 0]);
}

#[test]
fn the_lab_speaks_french_where_the_locale_does() {
    let output = lab(&["--only", "consumer-at-least-once", "--messages", "5"]).env("LC_ALL", "fr_FR.UTF-8").output();
    let output = output.unwrap();
    expect(&output, 0);
    let table = stdout(&output);
    assert!(table.starts_with("programme"), "{table}");
    let row = row(&table, "consumer-at-least-once");
    assert_eq!(row[1..], ["au", "moins", "1", "fois", "-", "-", "5", "5", "0", "0", "0", "tenue"], "{table}");
    assert!(table.contains("12 enregistrements avortés"), "{table}");
    assert!(!table.contains("producer-at-least-once"), "its feeder was not asked for: {table}");
}

#[test]
fn the_result_for_programs_is_one_json_object() {
    let output = lab(&["--only", "eos-pipeline", "--messages", "30", "--format", "json"]).output().unwrap();
    expect(&output, 0);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let [row] = report["programs"].as_array().unwrap().as_slice() else { panic!("{report}") };
    assert_eq!(row["program"], "eos-pipeline");
    assert_eq!((&row["stored"], &row["processed"], &row["aborted_in_input"]), (&30.into(), &30.into(), &36.into()));
    assert_eq!((&row["verdict"], &row["as_expected"]), (&"holds".into(), &true.into()));
}

#[test]
fn where_no_kafka_answers_one_line_says_how_to_start_one() {
    // Somebody listens and never answers: nobody else can take the port meanwhile.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = silent.local_addr().unwrap().to_string();
    let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
    command.args(["--bootstrap-servers", &nobody, "--connect-timeout", "1"]).env("LC_ALL", "C");
    let output = command.output().unwrap();
    expect(&output, 2);
    let said = stderr(&output);
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains(&format!("no Kafka answers on {nobody}")) && said.contains("compose/kafka.sh"), "{said}");
    assert_eq!(stdout(&output), "");
    let french = stderr(&command.args(["--lang", "fr"]).output().unwrap());
    assert!(french.contains("démarrez-en un (cargo run -p lab -- broker, ou compose/kafka.sh)"), "{french}");
}

#[test]
fn bad_usage_ends_before_anything_is_built() {
    let output = lab(&["--only", "eos-pipelin"]).output().unwrap();
    expect(&output, 2);
    assert!(stderr(&output).contains("'eos-pipeline'"), "{}", stderr(&output));
    for bad in [["--messages", "0"], ["-X", "no.such=1"], ["-X", "group.id=mine"]] {
        let output = lab(&bad).output().unwrap();
        expect(&output, 2);
        assert!(!stderr(&output).contains("building"), "{}", stderr(&output));
    }
}

#[test]
fn consumers_that_read_uncommitted_are_convicted_with_the_values_named() {
    let args = ["--only", "eos-pipeline", "--only", "consumer-exactly-once", "--only", "consumer-at-most-once"];
    let output = lab(&args).args(["--messages", "20", "-X", "isolation.level=read_uncommitted"]).output().unwrap();
    expect(&output, 1);
    let table = stdout(&output);
    assert_eq!(row(&table, "consumer-exactly-once").last(), Some(&"violated"), "{table}");
    assert_eq!(row(&table, "eos-pipeline").last(), Some(&"violated"), "{table}");
    // At most once promises nothing about transactions; but without a fault, this is not what was expected.
    assert_eq!(row(&table, "consumer-at-most-once").last(), Some(&"holds"), "{table}");
    for named in [
        "consumer-exactly-once: guarantee violated: processed, although its transaction was aborted",
        "consumer-at-most-once: not as expected: processed, although its transaction was aborted",
        "aborted-0 [0]@0",
        "ABORTED-0 [0]@",
    ] {
        assert!(table.contains(named), "{named}:\n{table}");
    }
}

#[test]
fn what_is_kept_is_there_for_inspection_and_its_seed_is_taken() {
    let seed = random_seed().to_string();
    let args = ["--only", "consumer-at-most-once", "--messages", "5", "--seed", &seed];
    let output = lab(&args).arg("--keep").output().unwrap();
    expect(&output, 0);
    let mut kept = left_behind(&format!("lab-{seed}"));
    kept.sort();
    // The topic, and the group of the same name.
    assert_eq!(kept, [format!("lab-{seed}-consumer-at-most-once"), format!("lab-{seed}-consumer-at-most-once")]);
    let again = lab(&args).output().unwrap();
    expect(&again, 2);
    assert!(stderr(&again).contains("exists already"), "{}", stderr(&again));
    assert_eq!(left_behind(&format!("lab-{seed}")).len(), 2, "it is not the second run's to delete");
    kept.dedup();
    delete(&kept);
}

#[test]
fn after_ctrl_c_nothing_runs_on_and_nothing_stays_behind() {
    let seed = random_seed().to_string();
    let mut command = lab(&["--only", "eos-producer", "--messages", "1000000", "--seed", &seed]);
    let child = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let programs = || running_with(&format!("lab-{seed}"));
    let deadline = Instant::now() + PATIENCE;
    while programs() == 0 {
        assert!(Instant::now() < deadline, "no program was started");
        std::thread::sleep(Duration::from_millis(20));
    }
    kill_process(Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap(), Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    expect(&output, 130);
    assert_eq!(stdout(&output), "");
    assert!(stderr(&output).contains("stopping"), "{}", stderr(&output));
    assert_eq!(programs(), 0);
    assert_eq!(left_behind(&format!("lab-{seed}")), [""; 0]);
}

/// How many programs have this on their command line, the lab itself apart.
fn running_with(text: &str) -> usize {
    let commands = fs::read_dir("/proc").unwrap().filter_map(|entry| fs::read(entry.ok()?.path().join("cmdline")).ok());
    commands.filter(|command| String::from_utf8_lossy(command).contains(text)).count()
}

/// A Kafka for the library, without a command line.
fn kafka() -> Kafka {
    Kafka::new(Broker {
        bootstrap_servers: bootstrap().to_owned(),
        namespace: None,
        property: Vec::new(),
        properties: Vec::new(),
        connect_timeout: Duration::from_secs(10),
    })
}

/// What the lab says of one program when its executable is this script, in which REAL is the real one.
fn judge(package: &str, script: &str) -> Row {
    let program: &'static Program = catalogue::find(package).unwrap();
    let chains = calm::chains(&[program]);
    let programs: Vec<_> = chains[0].programs().collect();
    let mut executables: Executables = lab::cargo::build(&programs).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let fake = write_script(folder.path(), &script.replace("REAL", executables[package].to_str().unwrap()));
    executables.insert(package.to_owned(), fake);

    let (kafka, names) = (kafka(), Names::new(random_seed(), None));
    let groups = chains.iter().filter_map(|chain| chain.group(&names)).collect();
    let created = Topics::create(&kafka, &names, &chains[0].topics(&names), groups).unwrap();
    let calm = Calm { kafka: &kafka, names: &names, executables: &executables, messages: 5 };
    let mut rows = calm.run(&chains);
    assert_eq!(created.delete(), []);
    assert_eq!(rows.len(), 1);
    rows.remove(0)
}

fn write_script(folder: &Path, script: &str) -> std::path::PathBuf {
    let path = folder.join("program");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// Shell: `$topic` is what --topic says.
const TOPIC: &str = "topic=; last=; for arg; do [ \"$last\" = --topic ] && topic=$arg; last=$arg; done";

/// What breaks the promise: kind and value.
fn broken(row: &Row) -> Vec<(Kind, String)> {
    match &row.verdict {
        Verdict::Violated(anomalies) => anomalies.iter().map(|a| (a.kind, a.value.to_string())).collect(),
        other => panic!("{other:?} {:?}", row.surprises),
    }
}

#[test]
fn a_producer_that_claims_a_delivery_which_never_happened_is_convicted_by_that_value() {
    let four = "REAL $(echo \"$@\" | sed 's/--count 5/--count 4/')";
    let row = judge("producer-at-least-once", &format!("{TOPIC}\n{four}\necho \"delivered $topic[0]@1000 msg-4\""));
    assert_eq!(broken(&row), [(Kind::Lost, "msg-4".into()), (Kind::Misplaced, "msg-4".into())]);
    assert_eq!(row.ledger.unwrap().acknowledged, Some(5));
}

#[test]
fn a_producer_that_sends_everything_twice_is_not_as_expected_although_its_guarantee_holds() {
    let row = judge("producer-at-least-once", "REAL \"$@\"\nREAL \"$@\"");
    assert_eq!(row.verdict, Verdict::Holds, "at least once allows it");
    let twice = |surprise: &Surprise| matches!(surprise, Surprise::Anomaly(a) if a.kind == Kind::Duplicated);
    assert_eq!(row.surprises.iter().filter(|surprise| twice(surprise)).count(), 5);
    assert_eq!(row.ledger.unwrap().count(Kind::Duplicated), 5);
}

#[test]
fn a_consumer_that_repeats_a_line_is_convicted_by_that_value() {
    // Ctrl-C is for the real one, which handles it.
    let row = judge("consumer-at-most-once", "trap '' INT\nREAL \"$@\" | sed -u '/msg-3$/p'");
    assert_eq!(broken(&row), [(Kind::Duplicated, "msg-3".into())]);
}

#[test]
fn a_consumer_that_hides_a_message_has_lost_it() {
    let impatient = "REAL $(echo \"$@\" | sed 's/--idle-exit [0-9]*/--idle-exit 1/')";
    let row = judge("consumer-at-least-once", &format!("{impatient} | sed -u '/msg-3$/d'"));
    assert_eq!(broken(&row), [(Kind::Lost, "msg-3".into())]);
}

#[test]
fn a_program_that_fails_is_quoted() {
    let row = judge("producer-at-least-once", "REAL \"$@\"; echo 'error: on a whim' >&2; exit 1");
    assert_eq!(row.verdict, Verdict::Holds, "all its messages are there");
    let [Surprise::Failed(failure)] = row.surprises.as_slice() else { panic!("{:?}", row.surprises) };
    assert_eq!(failure.said.as_deref(), Some("error: on a whim"));
}

/// A producer whose transactions the test ends as it likes.
fn transactional(id: &str) -> ThreadedProducer<rdkafka::producer::DefaultProducerContext> {
    let producer: ThreadedProducer<_> =
        config().set("transactional.id", id).set("retry.backoff.ms", "5").create().unwrap();
    producer.init_transactions(PATIENCE).unwrap();
    producer
}

fn write(
    producer: &ThreadedProducer<rdkafka::producer::DefaultProducerContext>,
    topic: &str,
    partition: i32,
    value: &str,
) {
    producer
        .send(BaseRecord::<(), str>::to(topic).partition(partition).payload(value))
        .map_err(|(error, _)| error)
        .unwrap();
}

#[test]
fn the_reader_sees_each_record_once_and_tells_committed_from_aborted() {
    let mut random = seeded("the_reader_sees_each_record_once_and_tells_committed_from_aborted");
    let topic = topic("reader", 2);
    let producer = transactional(&unique("writer"));
    let (mut committed, mut all) = (vec![Vec::new(), Vec::new()], vec![Vec::new(), Vec::new()]);
    for transaction in 0..30 {
        let commits: bool = random.random();
        producer.begin_transaction().unwrap();
        for i in 0..random.random_range(1..5) {
            let partition = random.random_range(0..2);
            let value = format!("{transaction}.{i}");
            write(&producer, &topic, i32::try_from(partition).unwrap(), &value);
            all[partition].push(Value::from(value.as_str()));
            if commits {
                committed[partition].push(Value::from(value.as_str()));
            }
        }
        producer.flush(PATIENCE).unwrap();
        if commits {
            producer.commit_transaction(PATIENCE).unwrap();
        } else {
            producer.abort_transaction(PATIENCE).unwrap();
        }
    }
    // At once, while the last markers may still be on their way.
    let contents = Reader::new(&kafka(), &unique("group")).unwrap().read(&topic, 2).unwrap();
    let values =
        |records: &[lab::reader::Record]| -> Vec<_> { records.iter().map(|record| record.value.clone()).collect() };
    assert_eq!(values(&contents.visible), committed.concat());
    assert_eq!(values(&contents.all), all.concat());
    assert_eq!(contents.aborted().count(), all.concat().len() - committed.concat().len());
}

#[test]
fn the_reader_waits_for_a_transaction_that_is_about_to_end() {
    let topic = topic("open", 1);
    let producer = transactional(&unique("slow"));
    producer.begin_transaction().unwrap();
    write(&producer, &topic, 0, "late");
    producer.flush(PATIENCE).unwrap();
    let contents = std::thread::scope(|scope| {
        let reading = scope.spawn(|| Reader::new(&kafka(), &unique("group")).unwrap().read(&topic, 1).unwrap());
        std::thread::sleep(Duration::from_secs(1));
        assert!(!reading.is_finished(), "the transaction is open: the end is not known");
        producer.commit_transaction(PATIENCE).unwrap();
        reading.join().unwrap()
    });
    assert_eq!(contents.visible.len(), 1);
}

#[test]
fn a_run_in_a_namespace_has_all_its_names_there() {
    let (seed, namespace) = (random_seed().to_string(), unique("class"));
    let args = ["--only", "producer-at-most-once", "--messages", "3", "--keep", "--seed", &seed];
    let output = lab(&args).env("NAMESPACE", &namespace).output().unwrap();
    expect(&output, 0);
    let kept = left_behind(&namespace);
    assert_eq!(kept, [format!("{namespace}-lab-{seed}-producer-at-most-once")]);
    delete(&kept);
}

#[test]
fn the_catalogue_and_the_tests_know_the_same_programs() {
    let mut known: Vec<_> = PROGRAMS.iter().map(|program| program.package).collect();
    let mut tested = crate::support::PROGRAMS.to_vec();
    known.sort_unstable();
    tested.sort_unstable();
    assert_eq!(known, tested);
}
