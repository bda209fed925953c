//! The consumers that commit offsets in a transaction: the committed offset is that of the last committed transaction,
//! and what the transactional.id has to do with how soon a successor goes on.

use std::time::{Duration, Instant};

use common::grammar::Line;
use rand::RngExt;
use rdkafka::producer::{BaseProducer, Producer};

use crate::support::kafka::{committed, config, fill, topic, unique};
use crate::support::program::{PATIENCE, Program};
use crate::support::{report, seeded};

fn filled(name: &str, count: i64) -> (String, String, String) {
    let topic = topic(name, 1);
    fill(&topic, 1, (0..count).map(|i| format!("msg-{i}")));
    (topic, unique("group"), unique("id"))
}

fn offset_of(line: &str) -> i64 {
    match Line::parse(line) {
        Some(Line::Process(at, _)) => at.offset,
        Some(Line::Traitement { offset, .. }) => offset,
        _ => panic!("{line}"),
    }
}

/// Finishes what a killed instance left open, as any successor with its id does: from here on, the committed offset is
/// that of its last committed transaction.
fn finish_transactions_of(id: &str) {
    let successor: BaseProducer = config().set("transactional.id", id).create().unwrap();
    successor.init_transactions(PATIENCE).unwrap();
}

/// Kills the program at random moments; each successor must go on exactly at the committed offset.
fn goes_on_at_the_committed_offset(package: &str, batch: i64) {
    // More than an embedded broker lets through before the kill.
    const COUNT: i64 = 3000;
    let (topic, group, id) = filled(package, COUNT);
    let args = ["--topic", &topic, "--group", &group, "--transactional-id", &id, "-X", "group.instance.id=one"];
    let mut random = seeded(package);
    let mut expected_start = 0;
    for kill in 0..5 {
        let mut program = Program::start(package, &args);
        let mut printed = program.take_lines(random.random_range(1..=2 * batch as usize));
        std::thread::sleep(Duration::from_micros(random.random_range(0..5_000)));
        printed.extend(program.kill().lines);
        let printed: Vec<_> = printed.iter().map(|line| offset_of(line)).collect();
        assert_eq!(printed[0], expected_start, "kill {kill}: does not go on at the committed offset");

        finish_transactions_of(&id);
        let last = printed.last().unwrap();
        let offset = committed(&group, &topic, 0, PATIENCE).unwrap().unwrap_or(0);
        // At most one transaction's worth of printed messages is not committed.
        assert!((last + 1 - batch..=last + 1).contains(&offset), "kill {kill}: printed to {last}, committed {offset}");
        expected_start = offset;
    }
    let ended = Program::run(package, &[&args[..], &["--idle-exit", "2"]].concat()).expect(0);
    let printed: Vec<_> = ended.lines.iter().map(|line| offset_of(line)).collect();
    assert_eq!(printed, (expected_start..COUNT).collect::<Vec<_>>());
    assert_eq!(committed(&group, &topic, 0, PATIENCE).unwrap(), Some(COUNT));
}

#[test]
fn consumer_exactly_once_goes_on_at_the_offset_of_its_last_committed_transaction() {
    goes_on_at_the_committed_offset("consumer-exactly-once", 1);
}

#[test]
fn eos_consumer_goes_on_at_the_offset_of_its_last_committed_transaction() {
    goes_on_at_the_committed_offset("eos-consumer", 10);
}

/// How long a broker is asked for offsets that a transaction holds back.
const UNSTABLE: Duration = Duration::from_millis(500);

/// Kills an eos-consumer between its TxnOffsetCommit and its EndTxn, a window of a few milliseconds after the tenth line
/// of a batch: tried until the broker says that the offsets are held by an open transaction.
fn kill_with_an_open_transaction(topic: &str, group: &str, extra: &[&str]) {
    let mut random = seeded("killed with an open transaction");
    let args = [&["--topic", topic, "--group", group, "-X", "group.instance.id=one"][..], extra].concat();
    for attempt in 1..=40 {
        let mut program = Program::start("eos-consumer", &args);
        program.take_lines(10);
        // Where in the window: the only thing that is left to chance.
        std::thread::sleep(Duration::from_micros(random.random_range(0..4_000)));
        program.kill();
        if committed(group, topic, 0, UNSTABLE).is_err() {
            report(format_args!("left a transaction open at attempt {attempt}"));
            return;
        }
    }
    panic!("40 kills, and none has hit the window between TxnOffsetCommit and EndTxn");
}

#[test]
fn with_a_stable_transactional_id_the_successor_of_a_killed_instance_goes_on_at_once() {
    let (topic, group, id) = filled("stable", 1000);
    // Ten minutes: only the successor can end that transaction while this test runs.
    let stable = ["--transactional-id", &id, "-X", "transaction.timeout.ms=600000"];
    kill_with_an_open_transaction(&topic, &group, &stable);
    let killed = Instant::now();
    let args = [&["--topic", &topic, "--group", &group, "-X", "group.instance.id=one"][..], &stable].concat();
    Program::start("eos-consumer", &args).line();
    report(format_args!("stable transactional.id: the successor's first line after {:.1?}", killed.elapsed()));
}

#[test]
fn with_the_courses_random_transactional_id_the_successor_waits_for_the_transaction_timeout() {
    let (topic, group, _) = filled("random", 1000);
    let random = ["-X", "transaction.timeout.ms=10000"];
    kill_with_an_open_transaction(&topic, &group, &random);
    let killed = Instant::now();
    let args = [&["--topic", &topic, "--group", &group, "-X", "group.instance.id=one"][..], &random].concat();
    let mut successor = Program::start("eos-consumer", &args);
    successor.wait_for_log("assigned");
    // The transaction is still open, and the successor, which has its partition, stands still.
    committed(&group, &topic, 0, UNSTABLE).expect_err("the transaction is still open");
    assert_eq!(successor.line_within(Duration::ZERO), None, "processed before it could know where to start");
    successor.line();
    report(format_args!("random transactional.id: the successor's first line after {:.1?}", killed.elapsed()));
    report("(transaction.timeout.ms=10000 here; 60000 by default)");
}
