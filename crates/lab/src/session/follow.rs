//! Reads the verdict topics of all students, from the beginning and then as records come.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use common::stop;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::{Message, Offset, TopicPartitionList};

use super::board::Board;
use super::students::Student;
use super::topics::{VERDICTS, of};
use crate::error::Error;
use crate::kafka::{Kafka, Observer};
use crate::reader::{failed, watermarks};

/// However fast records come, the board is shown again so often.
const TURN: Duration = Duration::from_millis(300);

/// After so long without a record it is asked whether a broker answers.
const QUIET: Duration = Duration::from_secs(5);

/// How long that question may take.
const ANSWER: Duration = Duration::from_secs(2);

/// Reads them.
pub(crate) struct Follower {
    consumer: BaseConsumer<Observer>,
    /// Whose topic it is: the student's number.
    students: HashMap<String, usize>,
    /// When a broker was last heard of.
    heard: Instant,
    /// Whether none answers.
    pub(crate) away: bool,
}

impl Follower {
    /// # Errors
    /// When librdkafka refuses the properties.
    pub(crate) fn new(kafka: &Kafka, students: &[Student]) -> Result<Self, Error> {
        let consumer = kafka.follower(&kafka.broker().name("lab-session"))?;
        let name = |student| of(student, kafka.broker()).name(VERDICTS);
        let students: HashMap<_, _> =
            students.iter().enumerate().map(|(number, student)| (name(student), number)).collect();
        let mut all = TopicPartitionList::new();
        for topic in students.keys() {
            all.add_partition_offset(topic, 0, Offset::Beginning).map_err(|error| failed(topic, &error))?;
        }
        consumer.assign(&all).map_err(|error| failed(VERDICTS, &error))?;
        Ok(Self { consumer, students, heard: Instant::now(), away: false })
    }

    /// Reads up to the ends of the topics as they are now.
    ///
    /// # Errors
    /// [`Error::Read`] when the broker does not give the records; [`Error::Interrupted`].
    pub(crate) fn catch_up(&mut self, board: &mut Board, limit: Duration) -> Result<(), Error> {
        let mut open = BTreeMap::new();
        let mut until = Instant::now() + limit;
        for topic in self.students.keys() {
            let (first, end) = loop {
                match watermarks(&self.consumer, topic, 0) {
                    Ok(bounds) => break bounds,
                    Err(error) if Instant::now() >= until => return Err(error),
                    // The leader of a new topic does not serve it yet.
                    Err(_) => stop::sleep(Duration::from_millis(20)),
                }
                if stop::requested() {
                    return Err(Error::Interrupted);
                }
            };
            if first < end {
                open.insert(topic.clone(), end);
            }
        }
        while let Some(topic) = open.keys().next() {
            if stop::requested() {
                return Err(Error::Interrupted);
            }
            if Instant::now() >= until {
                return Err(failed(topic, &KafkaError::NoMessageReceived));
            }
            let Some(Ok(message)) = self.consumer.poll(Duration::from_millis(100)) else {
                // A control record at the end is no message: the position tells.
                let position = self.consumer.position().map_err(|error| failed(VERDICTS, &error))?;
                open.retain(|topic, end| {
                    let at = position.find_partition(topic, 0).map(|partition| partition.offset());
                    !matches!(at, Some(Offset::Offset(at)) if at >= *end)
                });
                continue;
            };
            self.take(board, &message);
            if open.get(message.topic()).is_some_and(|end| message.offset() + 1 >= *end) {
                open.remove(message.topic());
            }
            until = Instant::now() + limit;
        }
        Ok(())
    }

    /// Reads what comes within a moment; whether there is something new to show.
    pub(crate) fn turn(&mut self, board: &mut Board) -> bool {
        let end = Instant::now() + TURN;
        let mut new = false;
        while !stop::requested() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            // Ctrl-C is heard within this time.
            match self.consumer.poll(left.min(Duration::from_millis(50))) {
                Some(Ok(message)) => {
                    self.take(board, &message);
                    self.heard = Instant::now();
                    new = true;
                }
                Some(Err(error)) => log::debug!("the verdicts: {error}"),
                None => {}
            }
        }
        if new {
            self.away = false;
        } else if self.heard.elapsed() >= QUIET && !stop::requested() {
            let away = self.consumer.fetch_metadata(self.students.keys().next().map(String::as_str), ANSWER).is_err();
            self.heard = Instant::now();
            new = away != self.away;
            self.away = away;
        }
        new
    }

    fn take(&self, board: &mut Board, message: &impl Message) {
        if let Some(student) = self.students.get(message.topic()) {
            board.take(*student, message.payload(), message.timestamp().to_millis().unwrap_or_default());
        }
    }
}
