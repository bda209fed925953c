//! The transactional producers: atomic, fenced, and what they do not promise.

use common::grammar::Line;

use crate::support::kafka::Isolation::{ReadCommitted, ReadUncommitted};
use crate::support::kafka::{end_offset, read, topic, unique, values, wait_for_markers};
use crate::support::program::Program;

fn batch(count: usize) -> Vec<String> {
    (0..count).map(|i| format!("eos-msg-{i}")).collect()
}

/// A producer-exactly-once that is in the middle of its transaction, with these values stored.
fn in_the_middle(topic: &str, id: &str, stored: usize) -> Program {
    // Ten minutes: while this test runs, nothing but a successor can end the transaction.
    let endless = ["--count", "1000000", "--interval-ms", "20", "-X", "transaction.timeout.ms=600000"];
    let names = ["--topic", topic, "--transactional-id", id];
    let mut program = Program::start("producer-exactly-once", &[&endless[..], &names].concat());
    for line in program.take_lines(stored) {
        assert!(matches!(Line::parse(&line), Some(Line::Delivered(..))), "{line}");
    }
    program
}

#[test]
fn a_batch_killed_before_its_commit_is_invisible_and_its_successor_is_visible_once() {
    let (topic, id) = (topic("killed", 1), unique("id"));
    in_the_middle(&topic, &id, 5).kill();
    assert_eq!(values(&topic, ReadCommitted), Vec::<String>::new());
    let stored = values(&topic, ReadUncommitted);
    assert!(stored.len() >= 5, "{stored:?}");
    assert_eq!(stored, batch(stored.len()));

    // The successor aborts at once what the killed one left open: no waiting for transaction.timeout.ms.
    Program::run("producer-exactly-once", &["--count", "5", "--topic", &topic, "--transactional-id", &id]).expect(0);
    wait_for_markers(&topic);
    assert_eq!(values(&topic, ReadCommitted), batch(5));
    assert_eq!(values(&topic, ReadUncommitted), [stored, batch(5)].concat());
}

#[test]
fn a_second_instance_with_the_same_id_fences_the_first() {
    let (topic, id) = (topic("fenced", 1), unique("id"));
    let first = in_the_middle(&topic, &id, 2);
    let second = Program::run("producer-exactly-once", &["--count", "3", "--topic", &topic, "--transactional-id", &id])
        .expect(0);
    assert_eq!(second.lines.last().unwrap(), "committed 3");

    let first = first.wait().expect(1);
    assert!(
        first.stderr.contains("error: fenced: a newer instance with the same transactional.id"),
        "{}",
        first.stderr
    );
    assert!(!first.lines.iter().any(|line| line.starts_with("committed")));
    wait_for_markers(&topic);
    assert_eq!(values(&topic, ReadCommitted), batch(3));
}

#[test]
fn a_program_that_starts_over_after_its_commit_sends_the_batch_again() {
    let (topic, id) = (topic("again", 1), unique("id"));
    for _ in 0..2 {
        Program::run("producer-exactly-once", &["--count", "4", "--topic", &topic, "--transactional-id", &id])
            .expect(0);
    }
    wait_for_markers(&topic);
    assert_eq!(values(&topic, ReadCommitted), [batch(4), batch(4)].concat());
}

#[test]
fn one_transaction_per_message_spaces_the_offsets_by_two() {
    const COUNT: usize = 50;
    let (topic, id) = (topic("spaced", 1), unique("id"));
    let ended =
        Program::run("eos-producer", &["--count", &COUNT.to_string(), "--topic", &topic, "--transactional-id", &id])
            .expect(0);
    wait_for_markers(&topic);

    let expected: Vec<_> = batch(COUNT).into_iter().zip((0..).step_by(2)).collect();
    let printed: Vec<_> = ended.lines.iter().map(|line| committed(line)).collect();
    assert_eq!(printed, expected);
    let stored: Vec<_> = read(&topic, ReadCommitted).iter().map(|record| (record.text(), record.offset)).collect();
    assert_eq!(stored, expected);
    assert_eq!(read(&topic, ReadUncommitted), read(&topic, ReadCommitted));
    // Each record is followed by its commit marker, and there is nothing else.
    assert_eq!(end_offset(&topic, 0), 2 * COUNT as i64);
}

fn committed(line: &str) -> (String, i64) {
    match Line::parse(line) {
        Some(Line::CommittedMessage(at, value)) => (String::from_utf8_lossy(&value).into_owned(), at.offset),
        _ => panic!("{line}"),
    }
}

#[test]
fn eos_producer_is_fenced_by_its_successor() {
    let (topic, id) = (topic("eos-fenced", 1), unique("id"));
    let endless = ["--count", "1000000", "--interval-ms", "20", "--topic", &topic, "--transactional-id", &id];
    let mut first = Program::start("eos-producer", &endless);
    let mut printed: Vec<_> = first.take_lines(3).iter().map(|line| committed(line).0).collect();
    Program::run("eos-producer", &["--count", "2", "--topic", &topic, "--transactional-id", &id]).expect(0);
    let first = first.wait().expect(1);
    assert!(first.stderr.contains("error: fenced: a newer instance"), "{}", first.stderr);

    // What each has announced as committed is there, in the order in which it happened, and nothing else.
    printed.extend(first.lines.iter().filter(|line| line.starts_with("committed")).map(|line| committed(line).0));
    printed.extend(batch(2));
    wait_for_markers(&topic);
    assert_eq!(values(&topic, ReadCommitted), printed);
}
