//! What a program said on its standard output: the lines of [`common::grammar`], and in lines of another form (a client
//! in another language) the values that the lab knows.

use std::collections::HashSet;

use common::grammar::{Bytes, Line, Position};

use crate::value::Value;

/// What the instances of a producer said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Producing {
    /// How many instances there were; some may have said nothing.
    pub instances: usize,
    /// What they said of messages, one instance after the other.
    pub claims: Vec<Claim>,
    /// How their transactions ended, as they say.
    pub transactions: Vec<Ending>,
}

/// What one instance said of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Which instance, from 0.
    pub instance: usize,
    /// The message.
    pub value: Value,
    /// What became of it.
    pub fate: Fate,
    /// Where it stands; `None` where the broker did not tell (acks=0, or a duplicate that it recognised).
    pub place: Option<Position<'static>>,
    /// Its transaction, in [`Producing::transactions`].
    pub transaction: Option<usize>,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It has left; no more is known.
    Left,
    /// The broker has acknowledged it.
    Stored,
    /// Reported as failed: not stored, or stored without the program knowing.
    Failed,
}

/// How a transaction ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Committed.
    Committed,
    /// Aborted.
    Aborted,
    /// Nothing was said: the program was killed, or does not know.
    Unknown,
}

/// A message that was processed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// By which instance, from 0.
    pub instance: usize,
    /// Where it stands, if the line tells the partition.
    pub place: Option<Position<'static>>,
    /// Its value.
    pub value: Value,
}

/// What the lines of one instance of a producer say.
pub fn producing(lines: &[String], transactional: bool) -> Producing {
    let mut said = Producing { instances: 1, ..Producing::default() };
    // Where the claims of the open transaction begin.
    let mut open = 0;
    for line in lines {
        match Line::parse(line) {
            Some(Line::Sent(bytes)) => said.claim(&bytes, Fate::Left, None),
            Some(Line::Delivered(place, bytes)) => said.claim(&bytes, Fate::Stored, Some(&place)),
            Some(Line::Failed(bytes, _)) => said.claim(&bytes, Fate::Failed, None),
            Some(Line::Committed(_)) => said.end(&mut open, Ending::Committed),
            Some(Line::Aborted(..)) => said.end(&mut open, Ending::Aborted),
            // A transaction of one message: what failed before it was in others.
            Some(Line::CommittedMessage(place, bytes)) => {
                said.leave(&mut open, transactional);
                said.claim(&bytes, Fate::Stored, Some(&place));
                said.end(&mut open, Ending::Committed);
            }
            _ => {}
        }
    }
    said.leave(&mut open, transactional);
    said
}

impl Producing {
    /// Adds what another instance of the program said.
    pub fn merge(&mut self, other: Self) {
        let (instances, transactions) = (self.instances, self.transactions.len());
        self.claims.extend(other.claims.into_iter().map(|claim| Claim {
            instance: instances + claim.instance,
            transaction: claim.transaction.map(|number| transactions + number),
            ..claim
        }));
        self.instances += other.instances;
        self.transactions.extend(other.transactions);
    }

    /// How the transaction of a claim ended; `None` where it is of none.
    pub fn ending(&self, claim: &Claim) -> Option<Ending> {
        self.transactions.get(claim.transaction?).copied()
    }

    fn claim(&mut self, bytes: &Bytes<'_>, fate: Fate, place: Option<&Position<'_>>) {
        let place = place.filter(|place| place.offset >= 0).map(owned);
        self.claims.push(Claim { instance: 0, value: value(bytes), fate, place, transaction: None });
    }

    /// The open transaction has ended: it holds what was said since the last one.
    fn end(&mut self, open: &mut usize, ending: Ending) {
        let number = self.transactions.len();
        for claim in self.claims.iter_mut().skip(*open).filter(|claim| claim.fate != Fate::Left) {
            claim.transaction = Some(number);
        }
        self.transactions.push(ending);
        *open = self.claims.len();
    }

    /// Nothing was said of the end of what is open. It is one transaction if something in it was delivered; failures
    /// alone may be of one each.
    fn leave(&mut self, open: &mut usize, transactional: bool) {
        let left = self.claims.get(*open..).unwrap_or_default();
        if !transactional || left.is_empty() {
            *open = self.claims.len();
        } else if left.iter().any(|claim| claim.fate == Fate::Stored) {
            self.end(open, Ending::Unknown);
        } else {
            for claim in self.claims.iter_mut().skip(*open).filter(|claim| claim.fate == Fate::Failed) {
                claim.transaction = Some(self.transactions.len());
                self.transactions.push(Ending::Unknown);
            }
            *open = self.claims.len();
        }
    }
}

/// What the lines of the instances of a consumer say; `known` are the values that may stand in lines of another form.
pub fn processing_of(instances: impl IntoIterator<Item = Vec<String>>, known: &HashSet<&Value>) -> Vec<Process> {
    let of = |(instance, lines): (usize, Vec<String>)| {
        processing(&lines, known).into_iter().map(move |process| Process { instance, ..process })
    };
    instances.into_iter().enumerate().flat_map(of).collect()
}

/// What the lines of a consumer say; `known` are the values that may stand in lines of another form.
pub fn processing(lines: &[String], known: &HashSet<&Value>) -> Vec<Process> {
    lines.iter().flat_map(|line| processed(line, known)).collect()
}

/// What one line says was processed.
pub fn processed(line: &str, known: &HashSet<&Value>) -> Vec<Process> {
    let one = |place: Option<&Position<'_>>, value| {
        let place = place.map(owned);
        vec![Process { instance: 0, place, value }]
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
                .map(|value| Process { instance: 0, place: None, value })
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

    /// (ending, values) of the transactions.
    fn transactions(said: &Producing) -> Vec<(Ending, String)> {
        let values = |number| {
            let of = said.claims.iter().filter(|claim| claim.transaction == Some(number));
            of.map(|claim| claim.value.to_string()).collect::<Vec<_>>().join(" ")
        };
        said.transactions.iter().enumerate().map(|(number, &ending)| (ending, values(number))).collect()
    }

    fn expected(transactions: &[(Ending, &str)]) -> Vec<(Ending, String)> {
        transactions.iter().map(|&(ending, values)| (ending, values.to_owned())).collect()
    }

    const BATCHES: &str = "delivered t[0]@0 a\ndelivered t[0]@1 b\ncommitted 2\ndelivered t[0]@3 c\nfailed d: why\n\
                           aborted 2: why\ndelivered t[0]@6 e\nfailed f: why";

    #[test]
    fn a_transaction_holds_what_was_sent_since_the_last_one() {
        let said = producing(&lines(BATCHES), true);
        let three = [(Ending::Committed, "a b"), (Ending::Aborted, "c d"), (Ending::Unknown, "e f")];
        assert_eq!(transactions(&said), expected(&three));
        let failed: Vec<_> = said.claims.iter().filter(|claim| claim.fate == Fate::Failed).collect();
        assert_eq!(failed.len(), 2);
        assert!(failed.iter().all(|claim| claim.place.is_none()));
    }

    #[test]
    fn of_transactions_of_one_message_each_failure_is_one_too() {
        let said = producing(&lines("failed a: why\nfailed b: why\ncommitted t[0]@4 c\nfailed d: why"), true);
        let each = [(Ending::Unknown, "a"), (Ending::Unknown, "b"), (Ending::Committed, "c"), (Ending::Unknown, "d")];
        assert_eq!(transactions(&said), expected(&each));
    }

    #[test]
    fn without_transactions_nothing_is_left_open() {
        assert_eq!(producing(&lines("delivered t[0]@0 a\nfailed b: why"), false).transactions, []);
    }

    #[test]
    fn no_offset_is_no_place() {
        let said = producing(&lines("delivered t[0]@-1001 a\ndelivered t[0]@0 b"), false);
        let places: Vec<_> = said.claims.iter().map(|claim| claim.place.is_some()).collect();
        assert_eq!(places, [false, true]);
    }

    #[test]
    fn each_instance_has_its_own_transactions() {
        let mut said = Producing::default();
        said.merge(producing(&lines("delivered t[0]@0 a"), true));
        said.merge(producing(&[], true));
        said.merge(producing(&lines("delivered t[0]@2 a\ncommitted 1"), true));
        assert_eq!(transactions(&said), expected(&[(Ending::Unknown, "a"), (Ending::Committed, "a")]));
        assert_eq!(said.instances, 3);
        assert_eq!(said.claims.iter().map(|claim| claim.instance).collect::<Vec<_>>(), [0, 2]);
    }

    #[test]
    fn consumers_are_told_apart() {
        let known = HashSet::new();
        let said = processing_of([lines("[t p0@0] a"), Vec::new(), lines("[t p0@0] a\n[t p0@1] b")], &known);
        assert_eq!(said.iter().map(|process| process.instance).collect::<Vec<_>>(), [0, 2, 2]);
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
