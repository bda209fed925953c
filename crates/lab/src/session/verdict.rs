//! The record of one check. The student's lab writes it, and so may the student: what is read here is looked at like any
//! input, and nothing of its text is ever shown.

use std::time::Duration;

use rdkafka::consumer::Consumer;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use serde::{Deserialize, Serialize};

use super::topics::VERDICTS;
use crate::exercises::Exercise;
use crate::exercises::check::{Finding, status};
use crate::kafka::{Isolation, Kafka, Observer, flush};

/// The student waits for the prompt meanwhile.
const LIMIT: Duration = Duration::from_secs(5);

/// No verdict of the lab is longer, in bytes.
const LONGEST: usize = 16 << 10;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Verdict {
    /// The exercise's name.
    pub(crate) exercise: String,
    /// Whether it has passed.
    pub(crate) passed: bool,
    /// Each scenario, in the order in which they are told.
    pub(crate) scenarios: Vec<Scenario>,
    /// By the student's clock, in milliseconds since 1970.
    pub(crate) when: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Scenario {
    pub(crate) scenario: String,
    pub(crate) variant: String,
    pub(crate) verdict: Of,
}

/// What a scenario said of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Of {
    Passes,
    Fails,
    Undecided,
}

impl Verdict {
    pub(crate) fn of(exercise: &Exercise, findings: &[Finding]) -> Self {
        let scenarios = findings.iter().map(|finding| Scenario {
            scenario: finding.outcome.scenario.name.to_owned(),
            variant: finding.outcome.case.variant.to_owned(),
            verdict: match status(std::slice::from_ref(finding)) {
                0 => Of::Passes,
                1 => Of::Fails,
                _ => Of::Undecided,
            },
        });
        Self {
            exercise: exercise.name.clone(),
            passed: findings.iter().all(Finding::passes),
            scenarios: scenarios.collect(),
            when: super::now(),
        }
    }

    /// `None`, when it is nothing that the lab would have written.
    pub(crate) fn read(bytes: Option<&[u8]>) -> Option<Self> {
        serde_json::from_slice(bytes.filter(|bytes| bytes.len() <= LONGEST)?).ok()
    }
}

/// Hands the verdict to the session, where there is one. The check itself is over: what goes wrong here is only told.
pub(crate) fn report(kafka: &Kafka, exercise: &Exercise, findings: &[Finding]) {
    let topic = kafka.broker().name(VERDICTS);
    match send(kafka, &topic, &Verdict::of(exercise, findings)) {
        Ok(()) => {}
        Err(why) => log::warn!("the verdict could not be written to {topic}, for the session's table: {why}"),
    }
}

fn send(kafka: &Kafka, topic: &str, verdict: &Verdict) -> Result<(), String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let refused = |error: crate::Error| format!("{error:?}");
    // A consumer that asks for a topic does not create it.
    let group = kafka.broker().name("lab");
    let consumer = kafka.consumer(&group, Isolation::ReadUncommitted).map_err(refused)?;
    let metadata = consumer.fetch_metadata(Some(topic), LIMIT).map_err(|error| text(&error))?;
    match metadata.topics().first().and_then(|found| found.error()).map(RDKafkaErrorCode::from) {
        None => {}
        Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => return Ok(()),
        Some(code) => return Err(text(&code)),
    }
    let value = serde_json::to_vec(verdict).map_err(|error| text(&error))?;
    let producer: BaseProducer<Observer> = kafka.writer().map_err(refused)?;
    let record = BaseRecord::<[u8], [u8]>::to(topic).partition(0).payload(&value);
    producer.send(record).map_err(|(error, _)| text(&error))?;
    flush(&producer).map_err(|error| text(&error))?;
    producer.context().last_error().map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"exercise":"pipeline","passed":false,"scenarios":[{"scenario":"calm","variant":"","verdict":"fails"}],"when":7}"#;

    #[test]
    fn what_the_lab_writes_is_read_and_nothing_else() {
        let read = Verdict::read(Some(GOOD.as_bytes())).unwrap();
        assert_eq!((read.exercise.as_str(), read.scenarios[0].verdict), ("pipeline", Of::Fails));
        assert_eq!(serde_json::to_string(&read).unwrap(), GOOD);
        let long = GOOD.replace("pipeline", &"x".repeat(LONGEST));
        for bad in [None, Some(""), Some("{"), Some("[]"), Some("\u{0}"), Some(&*long), Some(&GOOD.replace('7', "-7"))]
        {
            assert_eq!(Verdict::read(bad.map(str::as_bytes)), None);
        }
    }
}
