//! Ctrl-C (and SIGTERM) in the middle of the work: what was processed is committed, an open transaction is aborted, the
//! group is left, and the exit status is 0.

use std::time::{Duration, Instant};

use common::grammar::Line;
use rustix::process::Signal;

use crate::support::full_pipe::full_pipe;
use crate::support::kafka::Isolation::{ReadCommitted, ReadUncommitted};
use crate::support::kafka::{committed, fill, members, topic, unique, values, wait_for_markers};
use crate::support::program::{Ended, Program, command, eventually, processed};

/// Far below what would end a dead program's affairs: session.timeout.ms is 45 s, transaction.timeout.ms 60 s.
const SOON: Duration = Duration::from_secs(10);

/// Signals a program, and waits for its end; the lines are those that came after the signal.
fn stop(program: Program, signal: Signal) -> Ended {
    let start = Instant::now();
    program.signal(signal);
    let ended = program.wait();
    assert!(start.elapsed() < SOON, "{:?}: {}", start.elapsed(), ended.stderr);
    ended
}

/// Starts a producer that would go on for hours, and stops it soon: all its lines.
fn stop_producer(package: &str, topic: &str, extra: &[&str]) -> Vec<String> {
    let args = [&["--topic", topic, "--count", "1000000"], extra].concat();
    let mut program = Program::start(package, &args);
    let mut lines = program.take_lines(3);
    lines.extend(stop(program, Signal::INT).expect(0).lines);
    lines
}

/// At any moment, many messages wait to be sent.
const PENDING: [&str; 4] = ["--interval-ms", "1", "-X", "linger.ms=300"];

#[test]
fn producer_at_most_once_has_sent_what_it_says() {
    let topic = topic("stop-amo", 1);
    let lines = stop_producer("producer-at-most-once", &topic, &PENDING);
    let sent: Vec<_> = (0..lines.len()).map(|i| format!("msg-{i}")).collect();
    assert_eq!(lines, sent.iter().map(|value| format!("sent {value}")).collect::<Vec<_>>());
    // The broker may be some milliseconds behind: nobody has waited for its answer.
    eventually("all stored", || values(&topic, ReadUncommitted) == sent);
}

#[test]
fn producer_at_least_once_waits_for_the_acknowledgements() {
    let topic = topic("stop-alo", 1);
    let lines = stop_producer("producer-at-least-once", &topic, &PENDING);
    let stored = values(&topic, ReadUncommitted);
    let delivered: Vec<_> =
        stored.iter().enumerate().map(|(i, value)| format!("delivered {topic}[0]@{i} {value}")).collect();
    assert_eq!(lines, delivered);
}

#[test]
fn producer_exactly_once_aborts_its_batch() {
    let (topic, id) = (topic("stop-exactly", 1), unique("id"));
    let mut lines =
        stop_producer("producer-exactly-once", &topic, &[&PENDING[..], &["--transactional-id", &id]].concat());
    let last = lines.pop().unwrap();
    assert_eq!(last, format!("aborted {}: interrupted", lines.len()));
    assert!(lines.iter().all(|line| matches!(Line::parse(line), Some(Line::Delivered(..) | Line::Failed(..)))));
    // Aborted by the program and not by the coordinator a minute later.
    let start = Instant::now();
    wait_for_markers(&topic);
    assert!(start.elapsed() < SOON);
    assert_eq!(values(&topic, ReadCommitted), Vec::<String>::new());
    assert!(values(&topic, ReadUncommitted).len() >= 3);
}

#[test]
fn eos_producer_has_committed_what_it_says_and_nothing_else() {
    let (topic, id) = (topic("stop-eos", 1), unique("id"));
    let lines = stop_producer("eos-producer", &topic, &["--transactional-id", &id]);
    wait_for_markers(&topic);
    let stored = values(&topic, ReadCommitted);
    let committed: Vec<_> =
        stored.iter().enumerate().map(|(i, value)| format!("committed {topic}[0]@{} {value}", 2 * i)).collect();
    assert_eq!(lines, committed);
}

/// More than one batch of eos-consumer.
const COUNT: usize = 30;

fn messages() -> Vec<String> {
    (0..COUNT).map(|i| format!("msg-{i}")).collect()
}

/// A consumer's topics, group and id.
struct Work {
    package: &'static str,
    input: String,
    output: String,
    group: String,
    id: String,
}

impl Work {
    fn new(package: &'static str) -> Self {
        let (input, output) = (topic("stop-input", 1), topic("stop-output", 1));
        Self { package, input, output, group: unique("group"), id: unique("id") }
    }

    fn start(&self, extra: &[&str]) -> Program {
        let mut args = [&["--topic", &self.input, "--group", &self.group], extra].concat();
        if !matches!(self.package, "consumer-at-most-once" | "consumer-at-least-once") {
            args.extend(["--transactional-id", &self.id]);
        }
        if self.package == "eos-pipeline" {
            args.extend(["--output-topic", &self.output]);
        }
        Program::start(self.package, &args)
    }

    fn committed(&self) -> Option<i64> {
        committed(&self.group, &self.input, 0, SOON).unwrap()
    }
}

fn values_of(lines: &[String]) -> Vec<String> {
    lines.iter().filter_map(|line| processed(line)).collect()
}

/// In the middle of the messages, and then while it waits for more: each stop loses nothing and repeats nothing.
fn stop_consumer(package: &'static str, signal: Signal) {
    let work = Work::new(package);
    fill(&work.input, 1, messages());
    let mut program = work.start(&["--interval-ms", "50"]);
    let mut lines = program.take_lines(3);
    lines.extend(stop(program, signal).expect(0).lines);
    // At once, and long before session.timeout.ms.
    assert_eq!(members(&work.group), 0);
    let first = values_of(&lines);
    assert!(first.len() < COUNT, "it was not stopped in the middle: {lines:?}");
    assert_eq!(work.committed(), Some(first.len() as i64));
    wait_for_markers(&work.output);
    assert_eq!(values(&work.output, ReadCommitted), results(&work, &first));

    // The next run does the rest, nothing twice, and is stopped while there is nothing to do.
    let mut program = work.start(&[]);
    let mut rest = Vec::new();
    while values_of(&rest).len() < COUNT - first.len() {
        rest.push(program.line());
    }
    eventually("the last commit", || work.committed() == Some(COUNT as i64));
    rest.extend(stop(program, signal).expect(0).lines);
    assert_eq!(members(&work.group), 0);
    assert_eq!([first, values_of(&rest)].concat(), messages());
    wait_for_markers(&work.output);
    assert_eq!(values(&work.output, ReadCommitted), results(&work, &messages()));
}

/// What the pipeline has written of these messages.
fn results(work: &Work, messages: &[String]) -> Vec<String> {
    if work.package == "eos-pipeline" {
        messages.iter().map(|message| message.to_ascii_uppercase()).collect()
    } else {
        Vec::new()
    }
}

#[test]
fn consumer_at_most_once_commits_what_it_processed_and_leaves_its_group() {
    stop_consumer("consumer-at-most-once", Signal::INT);
}

#[test]
fn consumer_at_least_once_commits_what_it_processed_and_leaves_its_group() {
    stop_consumer("consumer-at-least-once", Signal::INT);
}

#[test]
fn consumer_exactly_once_commits_what_it_processed_and_leaves_its_group() {
    stop_consumer("consumer-exactly-once", Signal::INT);
}

#[test]
fn eos_consumer_finishes_its_batch_and_leaves_its_group() {
    stop_consumer("eos-consumer", Signal::INT);
}

#[test]
fn eos_pipeline_commits_the_part_of_its_batch_that_is_done_and_leaves_its_group() {
    stop_consumer("eos-pipeline", Signal::INT);
}

#[test]
fn sigterm_is_as_good_as_ctrl_c() {
    stop_consumer("eos-pipeline", Signal::TERM);
}

#[test]
fn a_consumer_that_waits_for_its_topic_can_be_stopped() {
    let program = Program::start("consumer-at-least-once", &["--namespace", &unique("waiting")]);
    program.wait_for_log("does not exist yet: waiting");
    let ended = stop(program, Signal::INT).expect(1);
    assert!(
        ended.stderr.ends_with("error: stopped before the topic was there: nothing was done\n"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_second_ctrl_c_ends_at_once_what_the_first_could_not() {
    let topic = topic("hangs", 1);
    let (reader, writer) = full_pipe();
    let args = ["--topic", &topic, "--count", "3"];
    let program = Program::spawn_with_stdout(&mut command("producer-at-least-once", &args), writer);
    // Its delivery reports cannot be printed, and Ctrl-C waits for them.
    eventually("all stored", || values(&topic, ReadUncommitted).len() == 3);
    program.signal(Signal::INT);
    program.wait_for_log("Ctrl-C again ends at once");
    let ended = stop(program, Signal::INT).expect(130);
    assert!(ended.stderr.contains("ended at once, as asked"), "{}", ended.stderr);
    drop(reader);
}
