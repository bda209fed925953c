//! What a program said on its standard output: the lines of [`common::grammar`], and in lines of another form (a client
//! in another language) the values that the lab knows.

use std::collections::HashSet;

use common::grammar::{Bytes, Line, Position};

use crate::value::Value;

/// What a producer said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Producing {
    /// Values that were sent, whatever became of them.
    pub sent: Vec<Value>,
    /// Values that were reported as stored.
    pub delivered: Vec<Value>,
    /// Values that were reported as failed: not stored, or stored without the program knowing.
    pub failed: Vec<Value>,
    /// Where values were said to stand.
    pub places: Vec<(Position<'static>, Value)>,
    /// Its transactions, in order.
    pub transactions: Vec<Transaction>,
}

/// The values of one transaction, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// Its values, as far as the program named them.
    pub values: Vec<Value>,
    /// What the program said of its end.
    pub outcome: Outcome,
}

/// What a program said of the end of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Committed.
    Committed,
    /// Aborted.
    Aborted,
    /// Nothing: it was killed, or does not know.
    Unknown,
}

/// A message that was processed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Where it stands, if the line tells the partition.
    pub place: Option<Position<'static>>,
    /// Its value.
    pub value: Value,
}

/// What the lines of a producer say.
pub fn producing(lines: &[String], transactional: bool) -> Producing {
    let mut said = Producing::default();
    let mut open = Vec::new();
    for line in lines {
        match Line::parse(line) {
            Some(Line::Sent(bytes)) => said.sent.push(value(&bytes)),
            Some(Line::Delivered(place, bytes)) => {
                let value = value(&bytes);
                said.sent.push(value.clone());
                said.delivered.push(value.clone());
                said.places.push((owned(&place), value.clone()));
                open.push(value);
            }
            Some(Line::Failed(bytes, _)) => {
                let value = value(&bytes);
                said.sent.push(value.clone());
                said.failed.push(value.clone());
                open.push(value);
            }
            Some(Line::Committed(_)) => said.end(&mut open, Outcome::Committed),
            Some(Line::Aborted(..)) => said.end(&mut open, Outcome::Aborted),
            // A transaction of one message.
            Some(Line::CommittedMessage(place, bytes)) => {
                let value = value(&bytes);
                said.sent.push(value.clone());
                said.delivered.push(value.clone());
                said.places.push((owned(&place), value.clone()));
                said.end(&mut vec![value], Outcome::Committed);
            }
            _ => {}
        }
    }
    if transactional && !open.is_empty() {
        said.end(&mut open, Outcome::Unknown);
    }
    said
}

impl Producing {
    /// Adds what another instance of the program said, later.
    pub fn merge(&mut self, other: Self) {
        self.sent.extend(other.sent);
        self.delivered.extend(other.delivered);
        self.failed.extend(other.failed);
        self.places.extend(other.places);
        self.transactions.extend(other.transactions);
    }

    fn end(&mut self, open: &mut Vec<Value>, outcome: Outcome) {
        self.transactions.push(Transaction { values: std::mem::take(open), outcome });
    }
}

/// What the lines of a consumer say; `known` are the values that may stand in lines of another form.
pub fn processing(lines: &[String], known: &HashSet<&Value>) -> Vec<Process> {
    lines.iter().flat_map(|line| processed(line, known)).collect()
}

/// What one line says was processed.
pub fn processed(line: &str, known: &HashSet<&Value>) -> Vec<Process> {
    let one = |place: Option<&Position<'_>>, value| {
        let place = place.map(owned);
        vec![Process { place, value }]
    };
    match Line::parse(line) {
        Some(Line::Read(place, bytes)) => one(Some(&place), value(&bytes)),
        Some(Line::Process(place, bytes) | Line::Transform(place, bytes, _)) => one(Some(&place), nullable(bytes)),
        Some(Line::Traitement { value, .. }) => one(None, nullable(value)),
        Some(_) => Vec::new(),
        None => {
            // However often a value stands in one line (as key and value, say), the line tells of it once.
            let mut told = HashSet::new();
            tokens(line)
                .map(Value::from)
                .filter(|value| known.contains(value) && told.insert(value.clone()))
                .map(|value| Process { place: None, value })
                .collect()
        }
    }
}

/// The words of a line: `msg-1` stands neither in `msg-10` nor in `eos-msg-1`.
fn tokens(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !c.is_alphanumeric() && c != '-' && c != '_')
}

fn value(bytes: &Bytes<'_>) -> Value {
    Value::new(Some(bytes))
}

fn nullable(bytes: Option<Bytes<'_>>) -> Value {
    Value::new(bytes.as_deref())
}

fn owned(place: &Position<'_>) -> Position<'static> {
    Position { topic: place.topic.clone().into_owned().into(), partition: place.partition, offset: place.offset }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    fn values(names: &[&str]) -> Vec<Value> {
        names.iter().copied().map(Value::from).collect()
    }

    #[test]
    fn a_transaction_holds_what_was_sent_since_the_last_one() {
        let said = producing(
            &lines(
                "delivered t[0]@0 a\ndelivered t[0]@1 b\ncommitted 2\ndelivered t[0]@3 c\nfailed d: why\naborted 2: \
                 why\ndelivered t[0]@6 e",
            ),
            true,
        );
        let of = |names: &[&str], outcome| Transaction { values: values(names), outcome };
        assert_eq!(
            said.transactions,
            [of(&["a", "b"], Outcome::Committed), of(&["c", "d"], Outcome::Aborted), of(&["e"], Outcome::Unknown)]
        );
        assert_eq!(said.sent, values(&["a", "b", "c", "d", "e"]));
        assert_eq!(said.failed, values(&["d"]));
    }

    #[test]
    fn without_transactions_nothing_is_left_open() {
        assert_eq!(producing(&lines("delivered t[0]@0 a"), false).transactions, []);
    }

    #[test]
    fn every_form_of_the_course_counts_as_processed() {
        let said = processing(
            &lines(
                "[t p0@1] a\nprocess: t[0]@2 -> b\nTraitement: clé=None valeur=c offset=3\nprocess: t[0]@4 d -> \
                 D\ncommitted 1",
            ),
            &HashSet::new(),
        );
        let seen: Vec<_> = said.iter().map(|process| process.value.clone()).collect();
        assert_eq!(seen, values(&["a", "b", "c", "d"]));
        let offsets: Vec<_> = said.iter().map(|p| p.place.as_ref().map(|place| place.offset)).collect();
        assert_eq!(offsets, [Some(1), Some(2), None, Some(4)]);
    }

    #[test]
    fn in_a_line_of_another_form_values_are_found_as_whole_words() {
        let known = values(&["msg-1", "msg-10", "eos-msg-1"]);
        let known: HashSet<_> = known.iter().collect();
        let seen = |line| -> Vec<_> { processed(line, &known).into_iter().map(|p| p.value).collect() };
        assert_eq!(seen("reçu b'msg-1' (offset 7)"), values(&["msg-1"]));
        assert_eq!(seen("{\"key\": \"msg-10\", \"value\": \"msg-10\"}"), values(&["msg-10"]));
        assert_eq!(seen("got eos-msg-1."), values(&["eos-msg-1"]));
        assert_eq!(seen("msg-1 and msg-10"), values(&["msg-1", "msg-10"]));
        assert_eq!(seen("msg-11, xmsg-1, msg-1-2, msg_1"), values(&[]));
    }
}
