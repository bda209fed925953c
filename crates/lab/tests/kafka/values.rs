//! Keys and values are any bytes, or null: no program panics on them, each is printed as one line from which the same
//! bytes are read back, and the pipeline passes them on.

use common::grammar::{Line, Position};
use rdkafka::producer::{BaseRecord, Producer, ThreadedProducer};

use crate::support::kafka::Isolation::ReadCommitted;
use crate::support::kafka::{Record, config, read, topic, unique, wait_for_markers};
use crate::support::program::{PATIENCE, Program};

type Bytes = Option<&'static [u8]>;

const KEYS: [Bytes; 9] = [
    None,
    Some(b""),
    Some(b"None"),
    Some(b"a=b"),
    Some(b"k valeur=v offset=1"),
    Some(b"k -> v: w"),
    Some(b"two\nlines\r\n"),
    Some(b"back\\slash \\x41 \\"),
    Some(b"\xff\xfe\x00 not UTF-8 \xc3"),
];

const VALUES: [Bytes; 12] = [
    None,
    Some(b""),
    Some(b"None"),
    Some(b"a=b"),
    Some(b"x valeur=y offset=3"),
    Some(b"x -> y -> z"),
    Some(b"failed x: why"),
    Some(b"[t p0@1] v] w"),
    Some(b"two\nlines\r\n\x1b[31m"),
    Some(b"back\\slash \\x41 \\"),
    Some(b"\xff\xfe\x00 not UTF-8 \xc3"),
    Some("été \u{2028}\u{85}\u{feff} €".as_bytes()),
];

/// Every key with every value, in each partition in turn: what was written, in the order of [`read`].
fn fill(topic: &str, partitions: i32) -> Vec<Record> {
    let producer: ThreadedProducer<_> = config().set("enable.idempotence", "true").create().unwrap();
    let pairs = KEYS.iter().flat_map(|&key| VALUES.iter().map(move |&value| (key, value)));
    for ((key, value), partition) in pairs.zip((0..partitions).cycle()) {
        let mut record = BaseRecord::<[u8], [u8]>::to(topic).partition(partition);
        (record.key, record.payload) = (key, value);
        producer.send(record).map_err(|(error, _)| error).unwrap();
    }
    producer.flush(PATIENCE).unwrap();
    let records = read(topic, ReadCommitted);
    assert_eq!(records.len(), KEYS.len() * VALUES.len());
    // Null and empty are told apart from here on.
    assert_eq!(records.iter().filter(|record| record.key.is_none()).count(), VALUES.len());
    assert_eq!(records.iter().filter(|record| record.value.is_none()).count(), KEYS.len());
    records
}

/// Runs a program on all of them: its lines that are not `committed N`, one for each record.
fn run(package: &str, topic: &str, extra: &[&str]) -> Vec<String> {
    let (group, count) = (unique("group"), (KEYS.len() * VALUES.len()).to_string());
    let args = [&["--topic", topic, "--group", &group, "--count", &count], extra].concat();
    let mut lines = Program::run(package, &args).expect(0).lines;
    lines.retain(|line| !line.starts_with("committed "));
    lines
}

fn position<'a>(topic: &'a str, record: &Record) -> Position<'a> {
    Position { topic: topic.into(), partition: record.partition, offset: record.offset }
}

fn bytes(bytes: &Option<Vec<u8>>) -> Option<common::grammar::Bytes<'_>> {
    bytes.as_deref().map(Into::into)
}

/// Each record has one line, and from it the same bytes are read back.
fn assert_lines<'a>(lines: &[String], expected: impl IntoIterator<Item = Line<'a>>) {
    let read_back: Vec<_> = lines.iter().map(|line| Line::parse(line).expect(line)).collect();
    assert_eq!(read_back, expected.into_iter().collect::<Vec<_>>());
}

#[test]
fn consumers_at_most_once_and_at_least_once_show_null_as_nothing() {
    let topic = topic("values", 1);
    let records = fill(&topic, 1);
    for package in ["consumer-at-most-once", "consumer-at-least-once"] {
        let lines = run(package, &topic, &[]);
        // As in the course: `if msg.value() else ""`.
        assert_lines(
            &lines,
            records.iter().map(|r| Line::Read(position(&topic, r), bytes(&r.value).unwrap_or_default())),
        );
        assert_eq!(lines[..2], [format!("[{topic} p0@0] "), format!("[{topic} p0@1] ")]);
        assert_eq!(lines[8], format!("[{topic} p0@8] two\\x0alines\\x0d\\x0a\\x1b[31m"));
    }
}

#[test]
fn consumer_exactly_once_shows_every_value() {
    let (topic, id) = (topic("values", 1), unique("id"));
    let records = fill(&topic, 1);
    let lines = run("consumer-exactly-once", &topic, &["--transactional-id", &id]);
    assert_lines(&lines, records.iter().map(|r| Line::Process(position(&topic, r), bytes(&r.value))));
    // Null as in Python; the text "None" is another value.
    assert_eq!(lines[0], format!("process: {topic}[0]@0 -> None"));
    assert_eq!(lines[2], format!("process: {topic}[0]@2 -> \\x4eone"));
    assert_eq!(lines[10], format!("process: {topic}[0]@10 -> \\xff\\xfe\\x00 not UTF-8 \\xc3"));
}

#[test]
fn eos_consumer_shows_every_key_and_value() {
    let (topic, id) = (topic("values", 1), unique("id"));
    let records = fill(&topic, 1);
    let lines = run("eos-consumer", &topic, &["--transactional-id", &id]);
    assert_lines(
        &lines,
        records.iter().map(|r| Line::Traitement { key: bytes(&r.key), value: bytes(&r.value), offset: r.offset }),
    );
    assert_eq!(lines[0], "Traitement: clé=None valeur=None offset=0");
    assert_eq!(lines[1], "Traitement: clé=None valeur= offset=1");
    let at = 3 * VALUES.len() + 4;
    assert_eq!(lines[at], format!("Traitement: clé=a\\x3db valeur=x valeur=y offset=3 offset={at}"));
}

#[test]
fn the_pipeline_keeps_partition_order_key_and_null() {
    const PARTITIONS: i32 = 3;
    let (input, output, id) = (topic("input", PARTITIONS), topic("output", PARTITIONS), unique("id"));
    let records = fill(&input, PARTITIONS);
    let lines = run("eos-pipeline", &input, &["--output-topic", &output, "--transactional-id", &id]);

    let transformed = |record: &Record| record.value.as_ref().map(|value| value.to_ascii_uppercase());
    let expected: Vec<_> =
        records.iter().map(|record| Record { value: transformed(record), ..record.clone() }).collect();
    let mut shown: Vec<_> = lines.iter().map(|line| Line::parse(line).expect(line)).collect();
    // Which partition comes first is the broker's choice.
    shown.sort_by_key(|line| match line {
        Line::Transform(at, ..) => (at.partition, at.offset),
        other => panic!("{other}"),
    });
    let processed: Vec<_> = (records.iter().zip(&expected))
        .map(|(record, result)| Line::Transform(position(&input, record), bytes(&record.value), bytes(&result.value)))
        .collect();
    assert_eq!(shown, processed);

    // Offsets differ: a transaction ends with a control record.
    let without_offset = |records: Vec<Record>| -> Vec<Record> {
        records.into_iter().map(|record| Record { offset: 0, ..record }).collect()
    };
    wait_for_markers(&output);
    assert_eq!(without_offset(read(&output, ReadCommitted)), without_offset(expected));
}
