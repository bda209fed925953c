//! At most once and at least once: which of commit and processing comes first is shown by killing the program between
//! the two.

use std::time::{Duration, Instant};

use common::group::{self, Group, GroupConsumer};
use rdkafka::consumer::{CommitMode, Consumer};
use rdkafka::{Message, Offset, TopicPartitionList};

use crate::support::full_pipe::full_pipe;
use crate::support::kafka::{committed, config, fill, topic, unique};
use crate::support::program::{PATIENCE, Program, executable};

const COUNT: usize = 10;

fn filled(name: &str) -> (String, String) {
    let topic = topic(name, 1);
    fill(&topic, 1, messages(0..COUNT));
    (topic, unique("group"))
}

fn messages(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|i| format!("msg-{i}")).collect()
}

/// A dead member's partitions are given to the one that comes back under the same name, at once instead of after the
/// session timeout (KIP-345).
const SAME_MEMBER: [&str; 2] = ["-X", "group.instance.id=one"];

fn offset(group: &str, topic: &str) -> Option<i64> {
    committed(group, topic, 0, PATIENCE).unwrap()
}

#[test]
fn at_most_once_commits_before_it_processes_so_a_kill_between_the_two_loses_the_message() {
    let (topic, group) = filled("amo");
    let args = ["--topic", &topic, "--group", &group, SAME_MEMBER[0], SAME_MEMBER[1]];

    // Its standard output is a pipe without room for one more byte: it stops where it wants to print.
    let (reader, writer) = full_pipe();
    let mut command = std::process::Command::new(executable("consumer-at-most-once"));
    command.args(["--bootstrap-servers", crate::support::broker::bootstrap()]).args(args);
    let killed = Program::spawn_with_stdout(&mut command, writer);
    let end = Instant::now() + PATIENCE;
    while offset(&group, &topic) != Some(1) {
        assert!(Instant::now() < end, "no commit before the processing; stderr:\n{}", killed.stderr());
        std::thread::sleep(Duration::from_millis(20));
    }
    killed.kill();
    drop(reader);

    let ended = Program::run("consumer-at-most-once", &[&args[..], &["--idle-exit", "2"]].concat()).expect(0);
    // One lost (msg-0), none twice.
    assert_eq!(ended.processed(), messages(1..COUNT));
    assert_eq!(offset(&group, &topic), Some(COUNT as i64));
}

#[test]
fn at_least_once_processes_before_it_commits_so_a_kill_between_the_two_repeats_the_message() {
    let (topic, group) = filled("alo");
    let args = ["--topic", &topic, "--group", &group, SAME_MEMBER[0], SAME_MEMBER[1]];

    // The pause lies between the two steps: when the line is there, the commit is an hour away.
    let mut killed = Program::start("consumer-at-least-once", &[&args[..], &["--interval-ms", "3600000"]].concat());
    assert!(killed.line().ends_with("] msg-0"));
    assert_eq!(offset(&group, &topic), None);
    let rest = killed.kill();
    assert_eq!(rest.processed(), messages(0..0));

    let ended = Program::run("consumer-at-least-once", &[&args[..], &["--idle-exit", "2"]].concat()).expect(0);
    // msg-0 once more, none lost.
    assert_eq!(ended.processed(), messages(0..COUNT));
    assert_eq!(offset(&group, &topic), Some(COUNT as i64));
}

#[test]
fn at_least_once_commits_nothing_that_it_could_not_print() {
    let (topic, group) = filled("alo-full");
    let args = ["--topic", &topic, "--group", &group, SAME_MEMBER[0], SAME_MEMBER[1]];
    let (reader, writer) = full_pipe();
    let mut command = std::process::Command::new(executable("consumer-at-least-once"));
    command.args(["--bootstrap-servers", crate::support::broker::bootstrap()]).args(args);
    let program = Program::spawn_with_stdout(&mut command, writer);
    program.wait_for_log("assigned");
    // Nobody will ever read: the print fails, and with it the processing.
    drop(reader);
    program.wait().expect(1);
    assert_eq!(offset(&group, &topic), None);
}

/// What the next batches hold, until this many messages have come.
fn consumed(consumer: &GroupConsumer, most: usize) -> Vec<i64> {
    let mut offsets = Vec::new();
    let end = Instant::now() + PATIENCE;
    while offsets.len() < most && Instant::now() < end {
        let batch = group::consume(consumer, 4, Duration::from_millis(200)).unwrap();
        offsets.extend(batch.iter().map(|message| message.offset()));
    }
    offsets
}

fn from_the_beginning(consumer: &GroupConsumer, topic: &str) {
    consumer.seek(topic, 0, Offset::Beginning, PATIENCE).unwrap();
}

#[test]
fn a_batch_holds_nothing_that_is_done_wherever_librdkafka_goes_on_reading() {
    let (topic, group) = filled("back");
    let mut config = config();
    config.set("group.id", &group).set("enable.auto.commit", "false").set("auto.offset.reset", "earliest");
    let consumer = Group::consumer(&config).unwrap();
    consumer.subscribe(&[&topic]).unwrap();
    let commit = |offset| {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&topic, 0, Offset::Offset(offset)).unwrap();
        consumer.commit(&list, CommitMode::Sync).unwrap();
    };
    // Assigned, and no batch read yet.
    let end = Instant::now() + PATIENCE;
    while group::poll(&consumer, Duration::from_millis(100)).unwrap().is_none() {
        assert!(Instant::now() < end, "nothing to read");
    }
    commit(6);
    from_the_beginning(&consumer, &topic);
    assert_eq!(consumed(&consumer, COUNT - 6), [6, 7, 8, 9]);
    // The same assignment, further on.
    from_the_beginning(&consumer, &topic);
    fill(&topic, 1, ["new"]);
    assert_eq!(consumed(&consumer, 1), [10]);
    // What was read and not committed is read again, if that is asked for.
    group::rewind(&consumer, PATIENCE).unwrap();
    assert_eq!(consumed(&consumer, COUNT + 1 - 6), [6, 7, 8, 9, 10]);
}
