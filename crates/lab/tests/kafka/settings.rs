//! The settings of the course reach librdkafka, all of them and no others; the default topic, group and ids are the
//! course's, and so are the printed lines.

use std::collections::BTreeMap;

use common::grammar::Line;

use crate::support::kafka::Isolation::{ReadCommitted, ReadUncommitted};
use crate::support::kafka::{create, fill, unique, values};
use crate::support::program::{Ended, Program, command, eventually};

/// What one client was created with, under the names that the course uses.
type Settings = BTreeMap<String, String>;

/// The consumer and the producer of a program; empty where it has none.
#[derive(Debug, Default, PartialEq, Eq)]
struct Clients {
    consumer: Settings,
    producer: Settings,
}

/// Runs a program with nothing but a namespace (its defaults are the course's), and lets librdkafka tell the
/// configuration of each client.
fn run(package: &str, namespace: &str, extra: &[&str]) -> Ended {
    let args = [&["--namespace", namespace, "-X", "debug=conf"], extra].concat();
    let ended = Program::spawn(command(package, &args).env("RUST_LOG", "debug")).wait().expect(0);
    for line in &ended.lines {
        // One grammar: what the program prints is what the lab reads.
        assert_eq!(Line::parse(line).expect(line).to_string(), *line);
    }
    ended
}

/// A consumer needs a topic that is there already, with the name that its defaults give.
fn namespace_with(topic: &str) -> String {
    let namespace = unique("settings");
    let topic = format!("{namespace}-{topic}");
    create(&topic, 1, &[]);
    fill(&topic, 1, ["v0", "v1"]);
    namespace
}

/// What librdkafka logs of each client with `debug=conf`: all properties that differ from its defaults.
fn clients(ended: &Ended) -> Clients {
    let mut clients = Clients::default();
    for line in ended.stderr.lines() {
        let Some((client, line)) = line.split_once(": CONF [thrd:app]: ") else { continue };
        let Some((name, value)) = line.strip_prefix("  ").and_then(|line| line.split_once(" = ")) else { continue };
        let client = if client.ends_with("consumer") { &mut clients.consumer } else { &mut clients.producer };
        let (name, value) = match (name, value) {
            // What rust-rdkafka and this test set.
            ("client.software.version" | "enabled_events" | "log.queue" | "opaque" | "default_topic_conf", _)
            | ("metadata.broker.list" | "debug", _) => continue,
            // librdkafka's older names.
            ("request.required.acks", "-1") => ("acks", "all"),
            ("request.required.acks", value) => ("acks", value),
            ("message.send.max.retries", value) => ("retries", value),
            ("queue.buffering.max.ms", value) => ("linger.ms", value),
            ("auto.offset.reset", "smallest") => ("auto.offset.reset", "earliest"),
            other => other,
        };
        client.insert(name.into(), value.into());
    }
    clients
}

fn settings(expected: &[(&str, &str)]) -> Settings {
    expected.iter().map(|&(name, value)| (name.into(), value.into())).collect()
}

fn producer(expected: &[(&str, &str)]) -> Clients {
    Clients { producer: settings(expected), ..Clients::default() }
}

fn consumer(expected: &[(&str, &str)]) -> Clients {
    Clients { consumer: settings(expected), ..Clients::default() }
}

/// A program that commits offsets in a transaction. `retry.backoff.ms` is not in the course, and the program says why.
fn consumer_with_producer(group: &str, transactional_id: &str) -> Clients {
    Clients {
        consumer: settings(&[
            ("group.id", group),
            ("enable.auto.commit", "false"),
            ("auto.offset.reset", "earliest"),
            ("isolation.level", "read_committed"),
        ]),
        producer: settings(&[("transactional.id", transactional_id), ("retry.backoff.ms", "1")]),
    }
}

#[test]
fn producer_at_most_once() {
    let ns = unique("settings");
    let ended = run("producer-at-most-once", &ns, &[]);
    let course = [("acks", "0"), ("retries", "0"), ("linger.ms", "0"), ("enable.idempotence", "false")];
    assert_eq!(clients(&ended), producer(&course));
    assert_eq!(ended.lines, (0..10).map(|i| format!("sent msg-{i}")).collect::<Vec<_>>());
    // The lines do not tell the topic; and they do not wait for the broker to have the messages.
    eventually("all stored", || values(&format!("{ns}-tp-at-most-once"), ReadUncommitted).len() == 10);
}

#[test]
fn producer_at_least_once() {
    let ns = unique("settings");
    let ended = run("producer-at-least-once", &ns, &[]);
    let course = [("acks", "all"), ("retries", "5"), ("linger.ms", "5"), ("enable.idempotence", "false")];
    assert_eq!(clients(&ended), producer(&course));
    let lines: Vec<_> = (0..10).map(|i| format!("delivered {ns}-tp-at-least-once[0]@{i} msg-{i}")).collect();
    assert_eq!(ended.lines, lines);
}

#[test]
fn producer_exactly_once() {
    let ns = unique("settings");
    let ended = run("producer-exactly-once", &ns, &[]);
    let id = format!("{ns}-txn-producer-exactly-once");
    let course = [
        ("acks", "all"),
        ("enable.idempotence", "true"),
        ("retries", "1000000"),
        ("linger.ms", "5"),
        ("transactional.id", &id),
    ];
    assert_eq!(clients(&ended), producer(&course));
    let mut lines: Vec<_> = (0..10).map(|i| format!("delivered {ns}-input[0]@{i} eos-msg-{i}")).collect();
    lines.push("committed 10".into());
    assert_eq!(ended.lines, lines);
}

#[test]
fn eos_producer() {
    let ns = unique("settings");
    let ended = run("eos-producer", &ns, &[]);
    let id = format!("{ns}-eos-producer");
    // The course gives no snippet; what exactly-once needs, and no waiting for a second message.
    let expected = [("acks", "all"), ("enable.idempotence", "true"), ("transactional.id", &id), ("linger.ms", "0")];
    assert_eq!(clients(&ended), producer(&expected));
    // Every other offset is the control record that ends a transaction.
    let lines: Vec<_> = (0..10).map(|i| format!("committed {ns}-mon_topic[0]@{} eos-msg-{i}", 2 * i)).collect();
    assert_eq!(ended.lines, lines);
}

#[test]
fn consumer_at_most_once() {
    let ns = namespace_with("tp-at-most-once");
    let ended = run("consumer-at-most-once", &ns, &["--count", "2"]);
    let group = format!("{ns}-tp-at-most-once");
    let course = [("group.id", &*group), ("enable.auto.commit", "false"), ("auto.offset.reset", "earliest")];
    assert_eq!(clients(&ended), consumer(&course));
    assert_eq!(ended.lines, [format!("[{ns}-tp-at-most-once p0@0] v0"), format!("[{ns}-tp-at-most-once p0@1] v1")]);
}

#[test]
fn consumer_at_least_once() {
    let ns = namespace_with("tp-at-least-once");
    let ended = run("consumer-at-least-once", &ns, &["--count", "2"]);
    let group = format!("{ns}-tp-at-least-once");
    let course = [("group.id", &*group), ("enable.auto.commit", "false"), ("auto.offset.reset", "earliest")];
    assert_eq!(clients(&ended), consumer(&course));
    assert_eq!(ended.lines, [format!("[{ns}-tp-at-least-once p0@0] v0"), format!("[{ns}-tp-at-least-once p0@1] v1")]);
}

#[test]
fn consumer_exactly_once() {
    let ns = namespace_with("input");
    let ended = run("consumer-exactly-once", &ns, &["--count", "2"]);
    let (group, id) = (format!("{ns}-g-exactly-once"), format!("{ns}-txn-consumer-g-exactly-once"));
    assert_eq!(clients(&ended), consumer_with_producer(&group, &id));
    assert_eq!(ended.lines, [format!("process: {ns}-input[0]@0 -> v0"), format!("process: {ns}-input[0]@1 -> v1")]);
}

#[test]
fn eos_consumer_has_the_courses_random_id_which_differs_between_two_runs() {
    let ns = namespace_with("mon_topic");
    let mut ids = Vec::new();
    for (offset, value) in ["v0", "v1"].into_iter().enumerate() {
        let ended = run("eos-consumer", &ns, &["--count", "1"]);
        let clients = clients(&ended);
        let id = clients.producer["transactional.id"].clone();
        assert_eq!(clients, consumer_with_producer(&format!("{ns}-groupe_eos"), &id));
        assert_eq!(ended.lines, [format!("Traitement: clé=None valeur={value} offset={offset}")]);
        // The line does not tell the topic.
        assert!(ended.stderr.contains(&format!("assigned: {ns}-mon_topic[0]\n")), "{}", ended.stderr);
        ids.push(id);
    }
    for id in &ids {
        let uuid = id.strip_prefix(&format!("{ns}-eos-consume-")).expect(id);
        assert!(is_uuid_v4(uuid), "{uuid}");
    }
    assert_ne!(ids[0], ids[1]);
}

fn is_uuid_v4(text: &str) -> bool {
    let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    let parts: Vec<_> = text.split('-').collect();
    parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12])
        && parts.concat().chars().all(hex)
        && parts[2].starts_with('4')
        && parts[3].starts_with(['8', '9', 'a', 'b'])
}

#[test]
fn eos_consumer_has_a_stable_id_when_it_is_given_one() {
    let ns = namespace_with("mon_topic");
    let ended = run("eos-consumer", &ns, &["--count", "2", "--transactional-id", "stable"]);
    assert_eq!(clients(&ended), consumer_with_producer(&format!("{ns}-groupe_eos"), &format!("{ns}-stable")));
}

#[test]
fn eos_pipeline() {
    let ns = namespace_with("input");
    let ended = run("eos-pipeline", &ns, &["--count", "2"]);
    let (group, id) = (format!("{ns}-g-eos-pipeline"), format!("{ns}-eos-pipeline"));
    let mut expected = consumer_with_producer(&group, &id);
    // For its speed, not its guarantee; the program says why.
    expected.consumer.insert("fetch.queue.backoff.ms".into(), "10".into());
    assert_eq!(clients(&ended), expected);
    let (committed, processed): (Vec<_>, Vec<_>) = ended.lines.iter().partition(|line| line.starts_with("committed "));
    let lines = [format!("process: {ns}-input[0]@0 v0 -> V0"), format!("process: {ns}-input[0]@1 v1 -> V1")];
    assert_eq!(processed, lines.iter().collect::<Vec<_>>());
    // In one transaction or in two: that depends on when the fetch is answered.
    let sum: u64 = committed.iter().map(|line| line["committed ".len()..].parse::<u64>().unwrap()).sum();
    assert_eq!(sum, 2);
    // The lines do not tell the output topic.
    assert_eq!(values(&format!("{ns}-output"), ReadCommitted), ["V0", "V1"]);
}

#[test]
fn a_property_reaches_both_clients_and_the_setting_that_it_replaces_is_named() {
    let ns = namespace_with("input");
    let ended = run("consumer-exactly-once", &ns, &["--count", "1", "-X", "retry.backoff.ms=7"]);
    let Clients { consumer, producer } = clients(&ended);
    assert_eq!([&*consumer["retry.backoff.ms"], &*producer["retry.backoff.ms"]], ["7", "7"]);
    assert!(ended.stderr.contains("retry.backoff.ms=1 is replaced by -X retry.backoff.ms=7"), "{}", ended.stderr);
}

#[test]
fn environment_variables_stand_in_for_flags_and_flags_win() {
    let ns = unique("settings");
    let mut command = command("producer-at-least-once", &["--count", "1", "-X", "linger.ms=8"]);
    command.env("NAMESPACE", &ns).env("TOPIC", "other").env("COUNT", "3");
    command.env("KAFKA_PROPERTIES", "linger.ms=9;debug=conf").env("RUST_LOG", "debug");
    let ended = Program::spawn(&mut command).wait().expect(0);
    assert_eq!(ended.lines, [format!("delivered {ns}-other[0]@0 msg-0")]);
    assert_eq!(clients(&ended).producer["linger.ms"], "8");
}

#[test]
fn help_tells_the_defaults_of_the_course() {
    let defaults: [(&str, &[&str]); 9] = [
        ("producer-at-most-once", &["tp-at-most-once", "10"]),
        ("producer-at-least-once", &["tp-at-least-once", "10"]),
        ("producer-exactly-once", &["input", "txn-producer-exactly-once", "10"]),
        ("eos-producer", &["mon_topic", "eos-producer", "10"]),
        ("consumer-at-most-once", &["tp-at-most-once", "run until Ctrl-C"]),
        ("consumer-at-least-once", &["tp-at-least-once", "run until Ctrl-C"]),
        ("consumer-exactly-once", &["input", "g-exactly-once", "txn-consumer-g-exactly-once", "run until Ctrl-C"]),
        ("eos-consumer", &["mon_topic", "groupe_eos", "eos-consume-{uuid4}", "run until Ctrl-C"]),
        ("eos-pipeline", &["input", "output", "g-eos-pipeline", "eos-pipeline", "run until Ctrl-C"]),
    ];
    for (package, defaults) in defaults {
        let help = Program::run(package, &["--help"]).expect(0);
        assert_eq!(help.stderr, "");
        // It is wrapped to the width of the terminal.
        let text = help.lines.iter().flat_map(|line| line.split_whitespace()).collect::<Vec<_>>().join(" ");
        for default in ["localhost:9092"].iter().chain(defaults) {
            assert!(text.contains(&format!("[default: {default}]")), "{package}: {default}: {text}");
        }
    }
}
