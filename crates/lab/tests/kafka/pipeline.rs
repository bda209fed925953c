//! eos-pipeline: killed again and again, alone and with a second instance, its output is its input.

use std::time::Duration;

use rand::RngExt;
use rand::rngs::StdRng;
use rustix::process::Signal;

use crate::support::kafka::Isolation::{ReadCommitted, ReadUncommitted};
use crate::support::kafka::{fill, read, topic, unique, wait_for_markers};
use crate::support::program::Program;
use crate::support::{report, seeded};

const MESSAGES: usize = 20_000;
const PARTITIONS: i32 = 3;

/// What every instance of one test shares.
struct Setup {
    input: String,
    output: String,
    group: String,
    id: String,
}

impl Setup {
    fn new(name: &str) -> Self {
        let (input, output) = (topic(&format!("{name}-in"), PARTITIONS), topic(&format!("{name}-out"), PARTITIONS));
        fill(&input, PARTITIONS, (0..MESSAGES).map(|i| format!("msg-{i}")));
        Self { input, output, group: unique("group"), id: unique("id") }
    }

    /// One instance: a transactional.id and a place in the group of its own, the same after a restart.
    fn start(&self, instance: u32, more: &[&str]) -> Program {
        self.start_as(&format!("{}-{instance}", self.id), instance, more)
    }

    fn start_as(&self, id: &str, member: u32, more: &[&str]) -> Program {
        let member = format!("group.instance.id={member}");
        let names = ["--topic", &self.input, "--output-topic", &self.output, "--group", &self.group];
        let settings = ["--transactional-id", id, "--batch-size", "100", "-X", &member];
        let session = ["-X", "session.timeout.ms=6000", "-X", "heartbeat.interval.ms=200"];
        Program::start("eos-pipeline", &[&names[..], &settings, &session, more].concat())
    }

    /// For a read_committed reader the output is the input: nothing lost, nothing twice, in order.
    fn check(&self) {
        wait_for_markers(&self.output);
        let (input, output) = (read(&self.input, ReadCommitted), read(&self.output, ReadCommitted));
        for partition in 0..PARTITIONS {
            let of = |records: &[crate::support::kafka::Record]| -> Vec<String> {
                records.iter().filter(|record| record.partition == partition).map(|record| record.text()).collect()
            };
            let expected: Vec<_> = of(&input).iter().map(|value| value.to_uppercase()).collect();
            assert!(expected.len() > MESSAGES / 4);
            let found = of(&output);
            let first = expected.iter().zip(&found).position(|(expected, found)| expected != found);
            assert!(
                expected == found,
                "partition {partition}: {} in, {} out, first difference at {first:?}",
                expected.len(),
                found.len()
            );
        }
        let written = read(&self.output, ReadUncommitted).len();
        report(format_args!(
            "pipeline: {MESSAGES} in, {} out, {} aborted on the way",
            output.len(),
            written - output.len()
        ));
    }
}

/// Lets it print up to so many lines (from none: killed while it starts), then kills it.
fn kill_at_random(mut program: Program, random: &mut StdRng) -> usize {
    let lines = random.random_range(0..400);
    let mut printed = 0;
    while printed < lines && program.line_within(Duration::from_secs(20)).is_some() {
        printed += 1;
    }
    std::thread::sleep(Duration::from_micros(random.random_range(0..10_000)));
    printed + program.kill().lines.len()
}

#[test]
fn killed_at_random_moments_alone_and_in_pairs_the_pipeline_writes_each_message_once() {
    let setup = Setup::new("torture");
    let mut random = seeded("pipeline torture");
    let mut kills = 0;
    // At full speed most of the time goes into the commit, and so does a kill; at one message per millisecond it falls
    // inside a batch.
    for pace in ["0", "0", "0", "1"].into_iter().cycle().take(16) {
        kill_at_random(setup.start(1, &["--interval-ms", pace]), &mut random);
        kills += 1;
    }
    // Two at once: partitions move between them, while one or the other dies.
    let slow = ["--interval-ms", "1"];
    let mut second = setup.start(2, &slow);
    for round in 0..4 {
        let first = setup.start(1, &slow);
        kill_at_random(first, &mut random);
        kills += 1;
        if round % 2 == 1 {
            kill_at_random(std::mem::replace(&mut second, setup.start(2, &slow)), &mut random);
            kills += 1;
        }
    }
    assert!(kills >= 10);
    second.kill();
    // Both places in the group are taken again, so nothing waits for a dead member.
    let last = [setup.start(1, &["--idle-exit", "4"]), setup.start(2, &["--idle-exit", "4"])];
    for program in last {
        program.wait().expect(0);
    }
    report(format_args!("pipeline: killed {} times", kills + 1));
    setup.check();
}

#[test]
fn an_instance_that_was_frozen_until_it_lost_its_partitions_aborts_what_it_was_doing_and_goes_on() {
    let setup = Setup::new("evicted");
    let mut frozen = setup.start(1, &["--interval-ms", "2", "--idle-exit", "4"]);
    // The first batch is committed; this is the middle of the second.
    frozen.take_lines(150);
    frozen.signal(Signal::STOP);
    let mut other = setup.start(2, &["--idle-exit", "4"]);
    // It has something to do as soon as the group has given up the frozen member.
    other.line();
    frozen.signal(Signal::CONT);
    frozen.wait_for_log("the transaction is aborted");
    frozen.wait().expect(0);
    other.wait().expect(0);
    setup.check();
}

#[test]
fn a_second_instance_with_the_same_transactional_id_fences_the_first() {
    let setup = Setup::new("same-id");
    let mut first = setup.start(1, &["--interval-ms", "5"]);
    first.take_lines(20);
    // Another member of the group, so that it is the transactional.id alone that stops the first.
    let second = setup.start_as(&format!("{}-1", setup.id), 2, &["--idle-exit", "8"]);
    let first = first.wait().expect(1);
    assert!(
        first.stderr.contains("error: fenced: a newer instance with the same transactional.id"),
        "{}",
        first.stderr
    );
    second.wait().expect(0);
    setup.check();
}
