//! `lab show`.

use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, Ordering};

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use serde_json::{Value, json};

use crate::support::broker::{bootstrap, free_ports};
use crate::support::kafka::{config, end_offset, fill, topic, unique, wait_for_markers};
use crate::support::program::{PATIENCE, eventually};

type Writer = ThreadedProducer<DefaultProducerContext>;

/// `lab show` with these arguments, on the Kafka of this test run.
fn show(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
    command.arg("show").args(args).env("LC_ALL", "C").env_remove("RUST_LOG").env_remove("NAMESPACE");
    command.env("BOOTSTRAP_SERVERS", bootstrap()).output().unwrap()
}

/// What it prints, without a complaint.
fn shown(args: &[&str]) -> String {
    let output = show(args);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    assert_eq!(stderr, "");
    String::from_utf8(output.stdout).unwrap()
}

/// The partitions, as JSON.
fn json(topic: &str, args: &[&str]) -> Vec<Value> {
    let mut shown: Value = serde_json::from_str(&shown(&[&[topic, "--format", "json"], args].concat())).unwrap();
    assert_eq!(shown["topic"], topic);
    shown["partitions"].as_array_mut().unwrap().drain(..).collect()
}

/// (offset, value or marker, transaction, read_committed, read_uncommitted) of each entry, in short.
fn brief(partition: &Value) -> Vec<String> {
    let flag = |value: &Value| if value.as_bool().unwrap() { "yes" } else { "no" };
    let entry = |entry: &Value| {
        let what = entry["marker"].as_str().or(entry["value"].as_str()).unwrap_or("null");
        let (offset, transaction) = (&entry["offset"], entry["transaction"].as_str().unwrap());
        let seen = [flag(&entry["read_committed"]), flag(&entry["read_uncommitted"])].join(" ");
        format!("{offset} {what} {transaction} {seen}")
    };
    partition["records"].as_array().unwrap().iter().map(entry).collect()
}

/// A transactional producer, with a transaction begun.
fn begun(id: &str) -> Writer {
    let producer: Writer = config().set("transactional.id", unique(id)).create().unwrap();
    producer.init_transactions(PATIENCE).unwrap();
    producer.begin_transaction().unwrap();
    producer
}

fn send(producer: &Writer, topic: &str, partition: i32, value: &str) {
    producer.send(BaseRecord::<(), str>::to(topic).partition(partition).payload(value)).map_err(|(e, _)| e).unwrap();
    producer.flush(PATIENCE).unwrap();
}

/// Two partitions: plain, committed, aborted, committed, plain, open, plain; and one without anything.
fn every_kind() -> (String, Writer) {
    let topic = topic("show", 2);
    let plain: Writer = config().create().unwrap();
    send(&plain, &topic, 0, "plain");
    let one = begun("one");
    send(&one, &topic, 0, "committed");
    one.commit_transaction(PATIENCE).unwrap();
    wait_for_markers(&topic);
    one.begin_transaction().unwrap();
    send(&one, &topic, 0, "aborted");
    one.abort_transaction(PATIENCE).unwrap();
    wait_for_markers(&topic);
    let open = begun("open");
    send(&open, &topic, 0, "open");
    send(&plain, &topic, 0, "behind it");
    (topic, open)
}

#[test]
fn every_state_of_a_transaction_is_shown_at_both_isolation_levels() {
    let (topic, open) = every_kind();
    let partitions = json(&topic, &[]);
    assert_eq!(partitions.len(), 2);
    let bounds = |i: usize| ["partition", "first", "last_stable", "end"].map(|name| partitions[i][name].clone());
    assert_eq!(bounds(0), [0, 0, 5, 7].map(|n| json!(n)));
    assert_eq!(bounds(1), [1, 0, 0, 0].map(|n| json!(n)));
    assert_eq!(brief(&partitions[1]), [""; 0]);
    let expected = [
        "0 plain none yes yes",
        "1 committed committed yes yes",
        "2 commit committed no no",
        "3 aborted aborted no yes",
        "4 abort aborted no no",
        "5 open open no yes",
        "6 behind it none no yes",
    ];
    assert_eq!(brief(&partitions[0]), expected);
    let records = &partitions[0]["records"];
    assert_eq!(records[0]["producer_id"], Value::Null);
    assert!(records[1]["producer_id"].is_i64());
    assert_eq!(records[1]["producer_id"], records[2]["producer_id"]);
    assert_ne!(records[3]["producer_id"], records[5]["producer_id"]);
    assert_eq!(records[1]["producer_epoch"], json!(0));

    open.commit_transaction(PATIENCE).unwrap();
    wait_for_markers(&topic);
    let partitions = json(&topic, &[]);
    assert_eq!(partitions[0]["last_stable"], json!(8));
    assert_eq!(
        brief(&partitions[0])[5..],
        ["5 open committed yes yes", "6 behind it none yes yes", "7 commit committed no no"]
    );
}

#[test]
fn the_table_marks_the_last_stable_offset_and_the_end() {
    let (topic, open) = every_kind();
    let text = shown(&[&topic]);
    let lines: Vec<_> = text.lines().collect();
    let at =
        |what: &str| lines.iter().position(|line| line.contains(what)).unwrap_or_else(|| panic!("{what}:\n{text}"));
    assert!(at("-- ABORT --") < at("-- last stable offset: read_committed stops here --"), "{text}");
    assert!(at("-- last stable offset: read_committed stops here --") < at("behind it"), "{text}");
    assert!(at("behind it") < at("-- end --"), "{text}");
    assert!(lines[at("-- end --")].trim_start().starts_with("0       7"), "{text}");
    assert!(lines[at("-- COMMIT --")].ends_with("–          –"), "{text}");
    assert!(lines.last().unwrap().contains("1       0  -- last stable offset, end --"), "{text}");
    assert!(!text.contains('\x1b'), "no colours in a pipe");
    let french = shown(&[&topic, "--lang", "fr"]);
    for word in
        ["valeur", "avortée", "ouverte", "-- dernier offset stable : read_committed s'arrête ici --", "-- fin --"]
    {
        assert!(french.contains(word), "{word}:\n{french}");
    }
    drop(open);
}

#[test]
fn only_the_last_offsets_are_shown_if_asked_also_inside_a_batch() {
    let topic = topic("last", 2);
    let one = begun("last");
    for value in ["a", "b", "c", "d"] {
        one.send(BaseRecord::<(), str>::to(&topic).partition(0).payload(value)).map_err(|(e, _)| e).unwrap();
    }
    one.commit_transaction(PATIENCE).unwrap();
    wait_for_markers(&topic);
    let partitions = json(&topic, &["--last", "3"]);
    assert_eq!(brief(&partitions[0]), ["2 c committed yes yes", "3 d committed yes yes", "4 commit committed no no"]);
    assert_eq!(partitions[0]["first"], json!(0));
    let text = shown(&[&topic, "--last", "3"]);
    assert!(text.contains("offsets 0 to 1 are not shown"), "{text}");

    // The last offsets of a transaction that began before them and is open.
    one.begin_transaction().unwrap();
    for value in ["e", "f"] {
        send(&one, &topic, 0, value);
    }
    let partitions = json(&topic, &["--last", "1"]);
    assert_eq!(brief(&partitions[0]), ["6 f open no yes"]);
    assert_eq!(partitions[0]["last_stable"], json!(5));
    let text = shown(&[&topic, "--last", "1"]);
    assert!(text.contains("-- last stable offset: read_committed stops here --"), "{text}");
}

#[test]
fn keys_and_values_of_any_bytes_fit_into_the_table() {
    let topic = topic("bytes", 1);
    let producer: Writer = config().create().unwrap();
    let long = "é漢".repeat(500);
    let bytes = |bytes: &'static [u8]| Some(bytes);
    let records = [
        (bytes(b"k"), None),
        (None, bytes(b"None")),
        (bytes(b"\xff\x00\n"), bytes(b"\x1b[31mred\\")),
        (Some(long.as_bytes()), Some(long.as_bytes())),
        (bytes(b""), bytes(b"")),
    ];
    for (key, payload) in records {
        let mut record = BaseRecord::<[u8], [u8]>::to(&topic).partition(0);
        (record.key, record.payload) = (key, payload);
        producer.send(record).map_err(|(e, _)| e).unwrap();
    }
    producer.flush(PATIENCE).unwrap();

    let partitions = json(&topic, &[]);
    let records = partitions[0]["records"].as_array().unwrap();
    let pairs: Vec<_> = records.iter().map(|record| (record["key"].clone(), record["value"].clone())).collect();
    assert_eq!(pairs[0], (json!("k"), Value::Null), "a tombstone");
    assert_eq!(pairs[1], (Value::Null, json!("None")));
    assert_eq!(pairs[2], (json!("\\xff\\x00\\x0a"), json!("\\x1b[31mred\\\\")));
    assert_eq!(pairs[3], (json!(long), json!(long)));
    assert_eq!(pairs[4], (json!(""), json!("")));

    let text = shown(&[&topic]);
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    assert_eq!(text.lines().count(), 3 + 3 + 5 + 1, "one line for each offset:\n{text}");
    assert!(text.contains("\\x4eone"), "the text None:\n{text}");
    assert!(text.contains('…'), "{text}");
}

#[test]
fn compressed_batches_are_shown_too() {
    let topic = topic("gzip", 1);
    let producer: Writer = config()
        .set("enable.idempotence", "true")
        .set("compression.type", "gzip")
        .set("linger.ms", "50")
        .create()
        .unwrap();
    for i in 0..300 {
        let value = format!("value {i}");
        producer.send(BaseRecord::<(), str>::to(&topic).partition(0).payload(&value)).map_err(|(e, _)| e).unwrap();
    }
    producer.flush(PATIENCE).unwrap();
    let partitions = json(&topic, &[]);
    let records = partitions[0]["records"].as_array().unwrap();
    assert_eq!(records.len(), 300);
    assert!(records.iter().all(|record| record["transaction"] == "none" && record["producer_id"].is_i64()));
    assert_eq!(records[299]["value"], "value 299");
}

/// Ends the writer, also when the test fails.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_topic_that_somebody_writes_to_all_the_time_has_an_end_too() {
    let topic = topic("busy", 2);
    fill(&topic, 2, (0..20_000).map(|i| i.to_string()));
    let stopped = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _stop = Stop(&stopped);
        scope.spawn(|| {
            let writer: Writer = config().set("linger.ms", "0").create().unwrap();
            while !stopped.load(Ordering::Relaxed) {
                for _ in 0..20 {
                    writer
                        .send(BaseRecord::<(), str>::to(&topic).partition(0).payload("more"))
                        .map_err(|(e, _)| e)
                        .unwrap();
                }
                writer.flush(PATIENCE).unwrap();
            }
        });
        eventually("the writer writes", || end_offset(&topic, 0) > 10_000);
        let partitions = json(&topic, &["--last", "20000"]);
        assert_eq!(partitions[1]["end"], json!(10_000));
        for partition in partitions {
            let records = partition["records"].as_array().unwrap();
            let offsets: Vec<_> = records.iter().map(|record| record["offset"].as_i64().unwrap()).collect();
            assert!(offsets.iter().copied().eq(0..partition["end"].as_i64().unwrap()), "{:?}", offsets.last());
        }
    });
}

#[test]
fn what_was_deleted_is_told() {
    let topic = topic("deleted", 1);
    fill(&topic, 1, ["a", "b", "c"]);
    let admin: rdkafka::admin::AdminClient<_> = config().create().unwrap();
    let mut offsets = rdkafka::TopicPartitionList::new();
    offsets.add_partition_offset(&topic, 0, rdkafka::Offset::Offset(2)).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(admin.delete_records(&offsets, &rdkafka::admin::AdminOptions::new())).unwrap();
    let partitions = json(&topic, &[]);
    assert_eq!((partitions[0]["first"].clone(), brief(&partitions[0])), (json!(2), vec!["2 c none yes yes".into()]));
    let text = shown(&[&topic]);
    assert!(text.contains("what stood before offset 2 is deleted"), "{text}");
}

#[test]
fn a_topic_that_is_not_there_is_told_in_one_line_and_not_created() {
    let topic = unique("nowhere");
    for _ in 0..2 {
        let output = show(&[&topic]);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.starts_with(&format!("error: there is no topic {topic} on ")), "{stderr}");
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert_eq!(output.stdout, b"");
    }
    let consumer: BaseConsumer = ClientConfig::new().set("bootstrap.servers", bootstrap()).create().unwrap();
    let metadata = consumer.fetch_metadata(None, PATIENCE).unwrap();
    assert!(metadata.topics().iter().all(|found| found.name() != topic));
}

#[test]
fn without_a_broker_it_says_so() {
    let nobody = format!("127.0.0.1:{}", free_ports(1));
    let output = show(&["topic", "--bootstrap-servers", &nobody, "--connect-timeout", "1"]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains(&format!("no Kafka answers on {nobody}")), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
}

#[test]
fn the_namespace_is_part_of_the_name() {
    let topic = topic("named", 1);
    let (namespace, name) = topic.split_once('-').unwrap();
    let shown = shown(&[name, "--namespace", namespace]);
    assert!(shown.starts_with(&format!("{topic}: 1 partition\n")), "{shown}");
}
