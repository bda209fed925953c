//! What the students of a session find on the Kafka, and how it is cleared away.

use common::cli::Broker;
use rdkafka::admin::{NewPartitions, NewTopic, TopicReplication};
use rdkafka::consumer::Consumer;
use rdkafka::types::RDKafkaErrorCode as Code;

use super::students::Student;
use crate::error::Error;
use crate::kafka::{Isolation, Kafka, REQUEST};
use crate::topics::{Leftovers, Topics, options};

/// The topics that the programs and the exercises use unless told otherwise, with the partitions that they expect: two
/// where exercise 14 lets two members share the work.
pub(crate) const TOPICS: &[(&str, i32)] = &[
    ("input", 2),
    ("mon_topic", 1),
    ("output", 1),
    ("shared", 2),
    ("shout", 1),
    ("tp-acks-and-retries", 1),
    ("tp-at-least-once", 1),
    ("tp-at-most-once", 1),
    ("tp-batch", 1),
    ("tp-deduplication", 1),
    ("tp-fencing", 1),
    ("tp-fire-and-forget", 1),
    ("tp-idempotence", 1),
    ("tp-isolation", 1),
    ("tp-message", 1),
    ("upper", 1),
];

/// The topic of a namespace into which `lab check` writes its verdicts.
pub(crate) const VERDICTS: &str = "lab-verdicts";

/// The largest batch that Kafka takes into it, in bytes: it is read on the instructor's machine.
const LARGEST: &str = "65536";

/// The student's names, as the programs make them from --namespace; the instructor's own namespace goes first.
pub(crate) fn of(student: &Student, broker: &Broker) -> Broker {
    Broker { namespace: Some(broker.name(&student.namespace)), ..broker.clone() }
}

/// Creates what is not there yet; returns how many topics that were.
///
/// # Errors
/// [`Error::Create`], when the broker refuses one.
pub(crate) fn create(kafka: &Kafka, students: &[Student]) -> Result<usize, Error> {
    let topics = Topics::new(kafka)?;
    let mut created = 0;
    for student in students {
        let names = of(student, kafka.broker());
        let mut wanted: Vec<(String, i32)> = TOPICS.iter().map(|(name, parts)| (names.name(name), *parts)).collect();
        let verdicts = names.name(VERDICTS);
        wanted.push((verdicts.clone(), 1));
        let new: Vec<_> = wanted.iter().map(|(name, partitions)| topic(name, *partitions, *name == verdicts)).collect();
        let refused = |topic: String, why: String| Error::Create { topic, why };
        let answers = topics
            .runtime
            .block_on(topics.admin.create_topics(&new, &options()))
            .map_err(|error| refused(verdicts.clone(), error.to_string()))?;
        for answer in answers {
            match answer {
                Ok(_) => created += 1,
                Err((_, Code::TopicAlreadyExists)) => {}
                Err((topic, code)) => return Err(refused(topic, code.to_string())),
            }
        }
        // A program that came before the session has made a topic of as many partitions as the broker gives by itself.
        let wider: Vec<_> = wanted
            .iter()
            .filter_map(|(name, partitions)| Some(NewPartitions::new(name, usize::try_from(*partitions).ok()?)))
            .filter(|wanted| wanted.new_partition_count > 1)
            .collect();
        let answers = topics.runtime.block_on(topics.admin.create_partitions(&wider, &options()));
        for answer in answers.map_err(|error| refused(verdicts.clone(), error.to_string()))? {
            match answer {
                // It has them already.
                Ok(_) | Err((_, Code::InvalidPartitions)) => {}
                Err((topic, code)) => return Err(refused(topic, code.to_string())),
            }
        }
    }
    Ok(created)
}

fn topic(name: &str, partitions: i32, verdicts: bool) -> NewTopic<'_> {
    let topic = NewTopic::new(name, partitions, TopicReplication::Fixed(-1));
    if verdicts {
        // The broker's clock tells since when, whatever the clocks of the students say.
        topic.set("max.message.bytes", LARGEST).set("message.timestamp.type", "LogAppendTime")
    } else {
        topic
    }
}

/// What there is of these students: their topics and groups.
///
/// # Errors
/// [`Error::List`], when the broker does not tell them.
pub(crate) fn of_students(kafka: &Kafka, students: &[Student]) -> Result<Leftovers, Error> {
    let prefixes: Vec<_> = students.iter().map(|student| of(student, kafka.broker()).name("")).collect();
    let theirs = |name: &&str| prefixes.iter().any(|prefix| name.starts_with(prefix));
    let consumer = kafka.consumer(&kafka.broker().name("lab-session"), Isolation::ReadUncommitted)?;
    let failed = |error: rdkafka::error::KafkaError| Error::List(error.to_string());
    let metadata = consumer.fetch_metadata(None, REQUEST).map_err(failed)?;
    let groups = consumer.fetch_group_list(None, REQUEST).map_err(failed)?;
    Ok(Leftovers::of(
        metadata.topics().iter().map(|topic| topic.name()).filter(theirs).map(str::to_owned).collect(),
        groups.groups().iter().map(|group| group.name()).filter(theirs).map(str::to_owned).collect(),
    ))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use super::*;
    use crate::cargo;

    /// Every `default_value` of a --topic or --output-topic in the sources.
    #[test]
    fn the_topics_are_those_of_the_programs_and_the_exercises() {
        let workspace = cargo::workspace().unwrap();
        let mut found = BTreeSet::new();
        for folder in ["crates", "exercises"] {
            for package in fs::read_dir(workspace.join(folder)).unwrap() {
                let Ok(text) = fs::read_to_string(package.unwrap().path().join("src/main.rs")) else { continue };
                let lines = text.lines().filter(|line| line.contains("TOPIC\", default_value"));
                found.extend(lines.map(|line| line.split('"').nth(3).unwrap().to_owned()));
            }
        }
        let listed: BTreeSet<_> = TOPICS.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(found, listed);
    }

    #[test]
    fn a_namespace_ends_at_its_dash() {
        let ann = Student { namespace: "ann".into(), name: "Ann".into() };
        let mut broker = Broker {
            bootstrap_servers: String::new(),
            namespace: None,
            property: Vec::new(),
            properties: Vec::new(),
            connect_timeout: REQUEST,
        };
        assert_eq!(of(&ann, &broker).name(""), "ann-");
        broker.namespace = Some("lyon".into());
        assert_eq!(of(&ann, &broker).name("input"), "lyon-ann-input");
    }
}
