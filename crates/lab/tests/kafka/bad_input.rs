//! Bad input and bad surroundings: one line on standard error that says what is wrong and what to do, the exit status
//! that goes with it, and never a panic or a hang.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use common::grammar::Line;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::Signal;

use crate::support::PROGRAMS;
use crate::support::broker::Mortal;
use crate::support::kafka::Isolation::{ReadCommitted, ReadUncommitted};
use crate::support::kafka::{committed, create, fill, topic, unique, values, wait_for_markers};
use crate::support::program::{Ended, PATIENCE, Program, command};

const ALO: &str = "producer-at-least-once";
const EXACTLY: &str = "producer-exactly-once";
const READER: &str = "consumer-at-least-once";

/// The one line that says why the program failed. Everything else on standard error is the log.
fn why(ended: &Ended) -> &str {
    let (errors, log): (Vec<_>, Vec<_>) = ended.stderr.lines().partition(|line| line.starts_with("error: "));
    assert_eq!(errors.len(), 1, "{}", ended.stderr);
    assert_eq!(ended.stderr.lines().last(), Some(errors[0]), "{}", ended.stderr);
    for line in log {
        // No part of a panic, a back trace, or an explanation that goes on.
        let (date, _) = line.split_once('T').unwrap_or_default();
        assert!(date.len() == 10 && date.split('-').count() == 3, "{}", ended.stderr);
    }
    errors[0]
}

/// Bad usage: status 2, nothing on standard output, and a line with all of this in it.
#[derive(Default)]
struct Refused<'a> {
    package: &'a str,
    args: &'a [&'a str],
    env: &'a [(&'a str, &'a str)],
    says: &'a [&'a str],
}

impl Refused<'_> {
    fn start(&self) -> Program {
        let mut command = command(self.package, self.args);
        command.env("NAMESPACE", unique("bad")).envs(self.env.iter().copied());
        Program::spawn(&mut command)
    }

    fn check(&self, program: Program) {
        let ended = program.wait();
        let context = format!("{} {:?} {:?}: {}", self.package, self.args, self.env, ended.stderr);
        assert_eq!(ended.code(), Some(2), "{context}");
        assert_eq!(ended.lines, Vec::<String>::new(), "{context}");
        let why = why(&ended);
        for part in self.says {
            assert!(why.contains(part), "{part:?} is not in: {context}");
        }
    }
}

/// Side by side, a few at a time: most of them wait for a broker that is not there.
fn check_all(cases: &[Refused<'_>]) {
    for few in cases.chunks(8) {
        let started: Vec<_> = few.iter().map(Refused::start).collect();
        for (case, program) in few.iter().zip(started) {
            case.check(program);
        }
    }
}

#[test]
fn a_flag_or_variable_that_makes_no_sense_is_refused_in_one_line() {
    let (long, too_long) = ("x".repeat(245), "x".repeat(250));
    let case = |package, args, says| Refused { package, args, says, env: &[] };
    let env = |package, env, says| Refused { package, args: &[], says, env };
    check_all(&[
        case(ALO, &["--bootstrap-servers", "localhost"], &["'localhost' has no port", "HOST:PORT"]),
        case(ALO, &["--bootstrap-servers", ""], &["--bootstrap-servers", "HOST:PORT"]),
        case(ALO, &["--bootstrap-servers", "a:1,b"], &["'b' has no port"]),
        case(ALO, &["--bootstrap-servers", "localhost:99999"], &["'99999' is not a port", "65535"]),
        case(ALO, &["-X", "no.such=1"], &["-X", "No such configuration property", "no.such", "CONFIGURATION.md"]),
        case(ALO, &["-X", "linger.ms=-5"], &["-5", "0..900000"]),
        case(ALO, &["-X", "acks=many"], &["acks=many", "CONFIGURATION.md"]),
        case(READER, &["-X", "enable.auto.commit=maybe"], &["true or false"]),
        case(ALO, &["-X", "acks"], &["KEY=VALUE, for example linger.ms=50"]),
        case(ALO, &["-X", ""], &["KEY=VALUE"]),
        case(ALO, &["-X", "bootstrap.servers=a:1"], &["--bootstrap-servers HOST:PORT"]),
        case(READER, &["-X", "group.id="], &["group.id", "must not be empty"]),
        case(EXACTLY, &["-X", "transactional.id="], &["transactional.id", "must not be empty"]),
        case(ALO, &["--count", "0"], &["'0' for '--count <N>'", "1 or more"]),
        case(ALO, &["--count", "-3"], &["'-3' for '--count <N>'", "1 or more"]),
        case(READER, &["--count", "ten"], &["'ten' for '--count <N>'", "whole number"]),
        case(ALO, &["--count", "99999999999999999999"], &["--count <N>"]),
        case(READER, &["--interval-ms", "-1"], &["--interval-ms <MS>", "milliseconds", "0 or more"]),
        case(ALO, &["--size", "-1"], &["--size <BYTES>", "from 0 to 1000000000"]),
        case(ALO, &["--size", "99999999999999"], &["--size <BYTES>", "from 0 to 1000000000"]),
        case(READER, &["--idle-exit", "0"], &["--idle-exit <SECONDS>", "above 0"]),
        case(READER, &["--idle-exit", "-1"], &["--idle-exit <SECONDS>", "above 0"]),
        case(READER, &["--idle-exit", "NaN"], &["--idle-exit <SECONDS>", "above 0"]),
        case("eos-pipeline", &["--batch-size", "0"], &["--batch-size <N>", "1 or more"]),
        case(ALO, &["--connect-timeout", "-1"], &["--connect-timeout <SECONDS>", "above 0"]),
        case(EXACTLY, &["--transactional-id", ""], &["--transactional-id", "must not be empty"]),
        case(READER, &["--group", " "], &["--group", "must not be empty"]),
        case(ALO, &["--topic", "a b"], &["--topic", "' ' is not allowed", "letters, digits"]),
        case(ALO, &["--topic", "a/b"], &["--topic", "'/' is not allowed"]),
        case(READER, &["--topic", ".."], &["--topic", "does not allow the names . and .."]),
        case(READER, &["--topic", ""], &["--topic", "empty"]),
        case(ALO, &["--topic", &too_long], &["--topic", "250 characters, and Kafka allows 249"]),
        case("eos-pipeline", &["--output-topic", "é"], &["--output-topic", "'é' is not allowed"]),
        case(ALO, &["--namespace", "a b"], &["--namespace", "' ' is not allowed"]),
        // Each is short enough, both together are not.
        case(ALO, &["--namespace", &long], &["262 characters, and Kafka allows 249", "shorten --namespace or --topic"]),
        case(READER, &["--namespace", &long], &["262 characters, and Kafka allows 249", "shorten --namespace"]),
        case(ALO, &["--no-such-flag"], &["--no-such-flag", "--help"]),
        case(ALO, &["extra"], &["extra", "--help"]),
        // Nobody wrote --count: the line names what was written.
        env(ALO, &[("COUNT", "0")], &["--count <N>", "1 or more", "environment variable COUNT"]),
        env(READER, &[("IDLE_EXIT", "soon")], &["--idle-exit", "environment variable IDLE_EXIT"]),
        env(ALO, &[("KAFKA_PROPERTIES", "acks=1;linger")], &["'linger'", "KEY=VALUE", "KAFKA_PROPERTIES"]),
    ]);
}

#[test]
fn properties_that_librdkafka_or_the_broker_refuses_are_told_in_one_line() {
    let namespace = unique("refused");
    create(&format!("{namespace}-there"), 1, &[]);
    let case = |package, args, says| Refused { package, args, says, env: &[] };
    let scram = ["-X", "security.protocol=sasl_plaintext", "-X", "sasl.mechanism=SCRAM-SHA-256"];
    let scram = [&scram[..], &["-X", "sasl.username=a", "-X", "sasl.password=b"]].concat();
    let there = ["--namespace", &namespace, "--topic", "there"];
    let session = [&there[..], &["-X", "session.timeout.ms=1000"]].concat();
    if !cfg!(feature = "ssl") {
        check_all(&[
            case(ALO, &["-X", "security.protocol=ssl"], &["OpenSSL not available", "cargo run --features ssl"]),
            case(ALO, &scram, &["SCRAM-SHA-256", "cargo run --features ssl"]),
        ]);
    }
    check_all(&[
        case(ALO, &["-X", "acks=1", "-X", "enable.idempotence=true"], &["`acks` must be set to `all`"]),
        case(EXACTLY, &["-X", "acks=1"], &["`acks` must be set to `all`", "`enable.idempotence`"]),
        case(EXACTLY, &["-X", "enable.idempotence=false"], &["`transactional.id` requires `enable.idempotence=true`"]),
        case(EXACTLY, &["-X", "message.timeout.ms=90000"], &["`message.timeout.ms`", "`transaction.timeout.ms`"]),
        case(READER, &["-X", "max.poll.interval.ms=1000"], &["`max.poll.interval.ms`", "`session.timeout.ms`"]),
        // Refused by the broker, which says so when the transactions begin and when the group is joined.
        case(EXACTLY, &["-X", "transaction.timeout.ms=2000000000"], &["transaction.max.timeout.ms"]),
        case(READER, &session, &["session.timeout.ms", "group.min.session.timeout.ms"]),
    ]);
}

#[test]
fn no_kafka_at_the_address_is_told_within_the_time_limit() {
    // It accepts connections (the operating system does) and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = silent.local_addr().unwrap().to_string();
    let other = something_else();
    // Nothing listens on port 1; the name cannot exist (RFC 6761).
    for (programs, address, reason) in [
        (&PROGRAMS[..], "127.0.0.1:1", "Connection refused"),
        (&[ALO, READER], "127.0.0.1:1,127.0.0.1:2", "Connection refused"),
        (&[ALO, READER], "no-such-host.invalid:9092", "Failed to resolve"),
        (&[ALO, READER], &silent, "within 1 s"),
        (&[ALO, READER], &other, "Invalid response size"),
    ] {
        let args = ["--bootstrap-servers", address, "--connect-timeout", "1"];
        let says = [&format!("no Kafka answers on {address} within 1 s"), reason, "compose/kafka.sh", "HOST:PORT"];
        let case = |&package| Refused { package, args: &args, says: &says, env: &[] };
        check_all(&programs.iter().map(case).collect::<Vec<_>>());
    }
}

/// A server of another protocol.
fn something_else() -> String {
    use std::io::Write;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    // It ends with the test run.
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            // The client may be gone.
            let _ = connection.unwrap().write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    address
}

#[test]
fn a_topic_that_is_not_there_and_is_not_created_is_told_within_the_time_limit() {
    let args = ["--topic", "nowhere", "--connect-timeout", "1"];
    let says = ["-nowhere does not exist", "run its producer first, or correct --topic"];
    let consumers =
        PROGRAMS.iter().filter(|package| package.contains("consumer") || package.contains("pipeline")).copied();
    let mut cases: Vec<_> = consumers.map(|package| Refused { package, args: &args, says: &says, env: &[] }).collect();
    assert_eq!(cases.len(), 5);
    // Kafka creates no topic whose name differs from another's only by . and _.
    let namespace = unique("refused");
    create(&format!("{namespace}-a.b"), 1, &[]);
    let collision = ["--namespace", &namespace, "--topic", "a_b", "--connect-timeout", "1"];
    let says = ["-a_b was not created within 1 s", "create it first"];
    cases.push(Refused { package: ALO, args: &collision, says: &says, env: &[] });
    // The producer asks for no creation: the same as a broker with auto.create.topics.enable=false.
    let unasked = ["--topic", "new", "--connect-timeout", "1", "-X", "allow.auto.create.topics=false"];
    let says = ["-new was not created within 1 s", "auto.create.topics.enable"];
    cases.push(Refused { package: ALO, args: &unasked, says: &says, env: &[] });
    check_all(&cases);
}

#[test]
fn an_output_topic_with_fewer_partitions_than_the_input_is_refused() {
    let namespace = unique("partitions");
    create(&format!("{namespace}-input"), 3, &[]);
    create(&format!("{namespace}-output"), 2, &[]);
    let says = [&*format!("{namespace}-output has 2 partitions and {namespace}-input has 3"), "at least as many"];
    check_all(&[Refused { package: "eos-pipeline", args: &["--namespace", &namespace], says: &says, env: &[] }]);
}

/// A delivery that fails: status 1, and a `failed` line for the message.
fn expect_failed(ended: Ended, reason: &str) {
    let ended = ended.expect(1);
    for line in &ended.lines {
        let Some(Line::Failed(_, why)) = Line::parse(line) else { panic!("{line}") };
        assert!(why.contains(reason), "{why}");
    }
    let count = ended.lines.len();
    assert!(why(&ended).contains(&format!("{count} of {count} messages were not acknowledged")), "{}", ended.stderr);
}

#[test]
fn a_message_above_the_maximum_size_fails() {
    // Refused by librdkafka (message.max.bytes is 1,000,000 there), and by the broker (max.message.bytes of the topic).
    let small = unique("small");
    create(&small, 1, &[("max.message.bytes", "1000")]);
    for (topic, size) in [(topic("large", 1), "2000000"), (small, "5000")] {
        let id = unique("id");
        let args = ["--topic", &topic, "--size", size, "--count", "1"];
        expect_failed(Program::run(ALO, &args), "MessageSizeTooLarge");

        let args = [&args[..], &["--transactional-id", &id]].concat();
        let batch = Program::run(EXACTLY, &args).expect(1);
        assert!(batch.lines.last().is_some_and(|line| line.starts_with("aborted ")), "{:?}", batch.lines);
        assert!(why(&batch).contains("the transaction failed: "), "{}", batch.stderr);

        let single = Program::run("eos-producer", &args).expect(1);
        assert!(matches!(Line::parse(&single.lines[0]), Some(Line::Failed(..))), "{:?}", single.lines);
        assert!(why(&single).contains("could not be committed"), "{}", single.stderr);
        wait_for_markers(&topic);
        assert_eq!(values(&topic, ReadUncommitted), Vec::<String>::new());
    }
}

/// Starts a program with a pipe as its standard output, and closes the pipe after the first line: `| head -1`.
fn head_1(package: &str, args: &[&str]) -> (String, Ended) {
    // Close-on-exec: no other program may keep the read end open.
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC).unwrap();
    let program = Program::spawn_with_stdout(&mut command(package, args), writer);
    let line = first_line(reader);
    (line, program.wait())
}

fn first_line(reader: OwnedFd) -> String {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        BufReader::new(File::from(reader)).read_line(&mut line).unwrap();
        sender.send(line)
    });
    receiver.recv_timeout(PATIENCE).expect("a first line").trim_end().to_owned()
}

/// Runs a program whose standard output is a full disk.
fn full_disk(package: &str, args: &[&str]) -> Ended {
    let full = File::options().write(true).open("/dev/full").unwrap();
    Program::spawn_with_stdout(&mut command(package, args), full).wait()
}

/// A transaction that such a program leaves open holds back all readers until this is over: longer than a test waits.
const LONG: [&str; 2] = ["-X", "transaction.timeout.ms=600000"];

const CLOSED: &str = "error: standard output was closed by its reader: stopped before the next message";
const FULL: &str = "error: standard output cannot be written: No space left on device";

#[test]
fn producers_stop_when_nobody_reads_their_output() {
    for package in PROGRAMS.iter().filter(|package| package.contains("producer")) {
        let topic = topic("closed", 1);
        let mut args = vec!["--topic", &topic, "--count", "1000000", "--interval-ms", "20"];
        let id = unique("id");
        if package.starts_with("eos-") || package.ends_with("-exactly-once") {
            args.extend(["--transactional-id", &id, LONG[0], LONG[1]]);
        }
        let (line, ended) = head_1(package, &args);
        assert!(line.ends_with("msg-0"), "{line}");
        let ended = ended.expect(1);
        assert!(why(&ended).starts_with(CLOSED), "{package}: {}", ended.stderr);

        wait_for_markers(&topic);

        let ended = full_disk(package, &args).expect(1);
        assert!(why(&ended).starts_with(FULL), "{package}: {}", ended.stderr);
        wait_for_markers(&topic);
        if *package == EXACTLY {
            assert_eq!(values(&topic, ReadCommitted), Vec::<String>::new());
        }
    }
}

#[test]
fn consumers_commit_no_message_whose_line_could_not_be_written() {
    // What each has committed once the second message could not be printed, then once none could.
    let consumers = [
        // The commit comes first: the message is lost, at most once.
        ("consumer-at-most-once", Some(2), Some(3)),
        ("consumer-at-least-once", Some(1), Some(1)),
        ("consumer-exactly-once", Some(1), Some(1)),
        // One transaction for the batch.
        ("eos-consumer", None, None),
        ("eos-pipeline", None, None),
    ];
    std::thread::scope(|scope| {
        for (package, after_closed, after_full) in consumers {
            scope.spawn(move || {
                let (input, output) = (topic("input", 1), topic("output", 1));
                let (group, id) = (unique("group"), unique("id"));
                fill(&input, 1, ["a", "b", "c", "d"]);
                // The pause is long enough for the pipe to be closed before the second line.
                let mut args = vec!["--topic", &input, "--group", &group, "--interval-ms", "500"];
                if package.starts_with("eos-") || package.ends_with("-exactly-once") {
                    args.extend(["--transactional-id", &id, LONG[0], LONG[1]]);
                }
                if package == "eos-pipeline" {
                    args.extend(["--output-topic", &output]);
                }
                let (_, ended) = head_1(package, &args);
                let ended = ended.expect(1);
                assert!(why(&ended).starts_with(CLOSED), "{package}: {}", ended.stderr);
                assert_eq!(committed(&group, &input, 0, PATIENCE), Ok(after_closed), "{package}");
                wait_for_markers(&output);

                let ended = full_disk(package, &args).expect(1);
                assert!(why(&ended).starts_with(FULL), "{package}: {}", ended.stderr);
                assert_eq!(committed(&group, &input, 0, PATIENCE), Ok(after_full), "{package}");
                wait_for_markers(&output);
                assert_eq!(values(&output, ReadCommitted), Vec::<String>::new());
            });
        }
    });
}

#[test]
fn when_the_broker_is_killed_deliveries_fail_and_ctrl_c_still_ends_every_program() {
    let kafka = Mortal::start();
    let bootstrap = kafka.bootstrap();
    let start =
        |package: &str, args: &[&str]| Program::spawn(command(package, args).env("BOOTSTRAP_SERVERS", &bootstrap));
    for input in ["tp-at-most-once", "tp-at-least-once", "input", "mon_topic"] {
        start(ALO, &["--topic", input, "--count", "1000"]).wait().expect(0);
    }
    // These end by themselves: 40 messages, then a flush with a time limit. The others wait for the broker.
    let by_themselves = ["producer-at-most-once", ALO];
    let mut endless = Vec::new();
    for package in PROGRAMS.into_iter().filter(|package| !by_themselves.contains(package)) {
        let args = ["--interval-ms", "50", "--topic", "other", "--count", "1000000"];
        let mut program = start(package, if package.contains("producer") { &args } else { &args[..2] });
        let lines = program.take_lines(3);
        endless.push((package, program, lines));
    }
    let ending = by_themselves.map(|package| {
        let mut program = start(package, &["--topic", "other", "--count", "40", "--interval-ms", "50"]);
        let lines = program.take_lines(3);
        (package, program, lines)
    });
    kafka.kill();
    let killed = Instant::now();
    for (_, program, _) in &endless {
        program.signal(Signal::INT);
    }

    for (package, program, mut lines) in ending {
        let ended = program.wait().expect(1);
        assert!(killed.elapsed() < Duration::from_secs(20), "{package}: {:?}", killed.elapsed());
        assert!(why(&ended).contains(" of 40 messages were not acknowledged"), "{package}: {}", ended.stderr);
        lines.extend(ended.lines);
        // Each message is accounted for once, as what became of it.
        let mut told: Vec<_> = lines
            .iter()
            .map(|line| match Line::parse(line) {
                Some(Line::Sent(value) | Line::Delivered(_, value) | Line::Failed(value, _)) => value.into_owned(),
                _ => panic!("{package}: {line}"),
            })
            .collect();
        told.sort();
        let mut sent: Vec<_> = (0..40).map(|i| format!("msg-{i}").into_bytes()).collect();
        sent.sort();
        assert_eq!(told, sent, "{package}");
    }
    for (package, program, mut lines) in endless {
        let ended = program.wait();
        assert!(killed.elapsed() < Duration::from_secs(20), "{package}: {:?}", killed.elapsed());
        if ended.code() == Some(0) {
            // It was in its pause, with nothing to commit.
            assert!(["eos-producer", "consumer-at-most-once"].contains(&package), "{package}: {}", ended.stderr);
            continue;
        }
        let ended = ended.expect(1);
        // Which of them depends on what the program was doing.
        let reasons = ["not finished 15 s after Ctrl-C", "no answer from the transaction coordinator", "not committed"];
        assert!(reasons.iter().any(|reason| why(&ended).contains(reason)), "{package}: {}", ended.stderr);
        lines.extend(ended.lines);
        if package == EXACTLY {
            assert!(!lines.iter().any(|line| line.starts_with("committed")), "{lines:?}");
        }
    }
}
