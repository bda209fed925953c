//! What can be wrong with values: a word for a cell, a name for what is announced, a line with the values.

use std::fmt::Write as _;

use super::Lang::{self, En, Fr};
use crate::layout::cut;
use crate::ledger::{Anomaly, Kind};

/// How many values of one kind are named; of the others, the number is told.
const NAMED: usize = 5;

/// A value is shown in so many columns at most.
const VALUE: usize = 40;

impl Lang {
    /// What was found with a value, as a heading for the values.
    pub(crate) fn kind(self, kind: Kind) -> &'static str {
        match (self, kind) {
            (En, Kind::Lost) => "lost",
            (En, Kind::Duplicated) => "duplicated",
            (En, Kind::Reordered) => "out of order",
            (En, Kind::AbortedVisible) => "aborted, and yet visible at read_committed",
            (En, Kind::Uncommitted) => "visible at read_committed, its commit never asked for",
            (En, Kind::Torn) => "missing from a transaction of which another part is visible",
            (En, Kind::Half) => "its result visible, its offset not committed",
            (En, Kind::AbortedProcessed) => "processed, although its transaction was aborted",
            (En, Kind::Phantom) => "there, although nobody sent it",
            (En, Kind::Misplaced) => "not where the program says it is",
            (En, Kind::OtherPartition) => "result in another partition than its input",
            (En, Kind::OtherKey) => "result with another key than its input",
            (En, Kind::Failed) => "reported as failed",
            (En, Kind::Aborted) => "reported as aborted",
            (En, Kind::Unacknowledged) => "sent, and never acknowledged",
            (En, Kind::Missing) => "not done, as far as the program says",
            (En, Kind::NotCommitted) => "processed, and its offset not committed",
            (En, Kind::Repeated) => "processed more than once",
            (Fr, Kind::Lost) => "perdu",
            (Fr, Kind::Duplicated) => "en double",
            (Fr, Kind::Reordered) => "dans le désordre",
            (Fr, Kind::AbortedVisible) => "avorté, et pourtant visible en read_committed",
            (Fr, Kind::Uncommitted) => "visible en read_committed, son commit jamais demandé",
            (Fr, Kind::Torn) => "absent d'une transaction dont une autre partie est visible",
            (Fr, Kind::Half) => "son résultat visible, son offset pas commité",
            (Fr, Kind::AbortedProcessed) => "traité, alors que sa transaction a été avortée",
            (Fr, Kind::Phantom) => "présent, alors que personne ne l'a envoyé",
            (Fr, Kind::Misplaced) => "absent de la place qu'annonce le programme",
            (Fr, Kind::OtherPartition) => "résultat dans une autre partition que son entrée",
            (Fr, Kind::OtherKey) => "résultat avec une autre clé que son entrée",
            (Fr, Kind::Failed) => "annoncé comme échoué",
            (Fr, Kind::Aborted) => "annoncé comme avorté",
            (Fr, Kind::Unacknowledged) => "envoyé, et jamais acquitté",
            (Fr, Kind::Missing) => "pas fait, à ce qu'en dit le programme",
            (Fr, Kind::NotCommitted) => "traité, sans que son offset soit commité",
            (Fr, Kind::Repeated) => "traité plus d'une fois",
        }
    }

    /// The same as a thing that can be announced, or be missing.
    pub(crate) fn kind_announced(self, kind: Kind) -> &'static str {
        match (self, kind) {
            (En, Kind::Lost) => "a message lost",
            (En, Kind::Duplicated) => "a duplicate",
            (En, Kind::Reordered) => "messages out of order",
            (En, Kind::AbortedVisible) => "an aborted message visible at read_committed",
            (En, Kind::Uncommitted) => "a message visible whose commit nobody asked for",
            (En, Kind::Torn) => "a transaction of which only a part is visible",
            (En, Kind::Half) => "a result visible, its offset not committed",
            (En, Kind::AbortedProcessed) => "an aborted message processed",
            (En, Kind::Phantom) => "a message that nobody sent",
            (En, Kind::Misplaced) => "a message that is not where the program says",
            (En, Kind::OtherPartition) => "a result in another partition than its input",
            (En, Kind::OtherKey) => "a result with another key than its input",
            (En, Kind::Failed) => "a message reported as failed",
            (En, Kind::Aborted) => "a message reported as aborted",
            (En, Kind::Unacknowledged) => "a message never acknowledged",
            (En, Kind::Missing) => "a message not done",
            (En, Kind::NotCommitted) => "a message processed, its offset not committed",
            (En, Kind::Repeated) => "a message processed more than once",
            (Fr, Kind::Lost) => "un message perdu",
            (Fr, Kind::Duplicated) => "un doublon",
            (Fr, Kind::Reordered) => "des messages dans le désordre",
            (Fr, Kind::AbortedVisible) => "un message avorté, visible en read_committed",
            (Fr, Kind::Uncommitted) => "un message visible dont personne n'a demandé le commit",
            (Fr, Kind::Torn) => "une transaction dont une partie seulement est visible",
            (Fr, Kind::Half) => "un résultat visible, son offset pas commité",
            (Fr, Kind::AbortedProcessed) => "un message avorté, mais traité",
            (Fr, Kind::Phantom) => "un message que personne n'a envoyé",
            (Fr, Kind::Misplaced) => "un message absent de la place annoncée",
            (Fr, Kind::OtherPartition) => "un résultat dans une autre partition que son entrée",
            (Fr, Kind::OtherKey) => "un résultat avec une autre clé que son entrée",
            (Fr, Kind::Failed) => "un message annoncé comme échoué",
            (Fr, Kind::Aborted) => "un message annoncé comme avorté",
            (Fr, Kind::Unacknowledged) => "un message jamais acquitté",
            (Fr, Kind::Missing) => "un message pas fait",
            (Fr, Kind::NotCommitted) => "un message traité, son offset non commité",
            (Fr, Kind::Repeated) => "un message traité plus d'une fois",
        }
    }

    /// In a cell of the table, after the number.
    pub(crate) fn kind_short(self, kind: Kind) -> &'static str {
        match (self, kind) {
            (En, Kind::Lost) => "lost",
            (En, Kind::Duplicated) => "dup",
            (En, Kind::Reordered) => "late",
            (En, Kind::AbortedVisible) => "seen",
            (En, Kind::Uncommitted) => "leak",
            (En, Kind::AbortedProcessed) => "read",
            (En, Kind::Torn) => "torn",
            (En, Kind::Half) => "half",
            (En, Kind::Phantom) => "odd",
            (En, Kind::Misplaced) => "away",
            (En, Kind::OtherPartition) => "part",
            (En, Kind::OtherKey) => "key",
            (En, Kind::Failed) => "fail",
            (En, Kind::Aborted) => "abrt",
            (En, Kind::Unacknowledged) => "open",
            (En, Kind::Missing) => "left",
            (En, Kind::NotCommitted) => "unco",
            (En, Kind::Repeated) => "redo",
            (Fr, Kind::Lost) => "perdu",
            (Fr, Kind::Duplicated) => "dbl",
            (Fr, Kind::Reordered) => "désor",
            (Fr, Kind::AbortedVisible) => "vus",
            (Fr, Kind::Uncommitted) => "fuit",
            (Fr, Kind::AbortedProcessed) => "lus",
            (Fr, Kind::Torn) => "part",
            (Fr, Kind::Half) => "demi",
            (Fr, Kind::Phantom) => "intr",
            (Fr, Kind::Misplaced) => "dépl",
            (Fr, Kind::OtherPartition) => "aill",
            (Fr, Kind::OtherKey) => "clé",
            (Fr, Kind::Failed) => "échec",
            (Fr, Kind::Aborted) => "avort",
            (Fr, Kind::Unacknowledged) => "sans",
            (Fr, Kind::Missing) => "rest",
            (Fr, Kind::NotCommitted) => "nonc",
            (Fr, Kind::Repeated) => "bis",
        }
    }

    /// One line for each kind, with the values named; `short` makes the names of topics short.
    pub(crate) fn anomalies<'a>(
        self,
        anomalies: impl Iterator<Item = &'a Anomaly>,
        short: &dyn Fn(&str) -> String,
    ) -> Vec<String> {
        let mut by_kind: Vec<(Kind, Vec<&Anomaly>)> = Vec::new();
        for anomaly in anomalies {
            match by_kind.iter_mut().find(|(kind, _)| *kind == anomaly.kind) {
                Some((_, same)) => same.push(anomaly),
                None => by_kind.push((anomaly.kind, vec![anomaly])),
            }
        }
        by_kind.sort_by_key(|(kind, _)| *kind);
        by_kind.into_iter().map(|(kind, anomalies)| self.values(kind, &anomalies, short)).collect()
    }

    fn values(self, kind: Kind, anomalies: &[&Anomaly], short: &dyn Fn(&str) -> String) -> String {
        let places = || anomalies.iter().flat_map(|anomaly| &anomaly.places);
        // The topic is told once.
        let topic = places().next().map(|place| &place.topic);
        let one_topic = topic.filter(|topic| places().all(|place| place.topic == **topic));
        let mut line = self.kind(kind).to_owned();
        if let Some(topic) = one_topic {
            // Writing to a string cannot fail, here and below.
            let _ = write!(line, "{} {}", self.pick(", in", ", dans"), short(topic));
        }
        line.push_str(self.colon());
        for (i, anomaly) in anomalies.iter().take(NAMED).enumerate() {
            let _ = write!(line, "{} {}", if i > 0 { "," } else { "" }, cut(&anomaly.value.to_string(), VALUE));
            for place in anomaly.places.iter().take(NAMED) {
                let _ = match one_topic {
                    Some(_) => write!(line, " [{}]@{}", place.partition, place.offset),
                    None => write!(line, " {}[{}]@{}", short(&place.topic), place.partition, place.offset),
                };
            }
            if let Some(more) = anomaly.places.len().checked_sub(NAMED).filter(|more| *more > 0) {
                let _ = write!(line, " (+{more})");
            }
        }
        if let Some(more) = anomalies.len().checked_sub(NAMED).filter(|more| *more > 0) {
            let _ = match self {
                En => write!(line, " and {more} more"),
                Fr => write!(line, " et {more} de plus"),
            };
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use common::grammar::Position;

    use super::*;
    use crate::value::Value;

    #[test]
    fn a_few_values_are_named_and_the_others_counted() {
        let anomalies: Vec<_> = (0..7)
            .map(|i| Anomaly {
                kind: Kind::Lost,
                value: Value::from(format!("msg-{i}").as_str()),
                times: 1,
                places: vec![Position { topic: "t".into(), partition: 0, offset: i }],
            })
            .collect();
        let lines = |lang: Lang| lang.anomalies(anomalies.iter(), &str::to_owned);
        let named = "msg-0 [0]@0, msg-1 [0]@1, msg-2 [0]@2, msg-3 [0]@3, msg-4 [0]@4";
        assert_eq!(lines(En), [format!("lost, in t: {named} and 2 more")]);
        assert_eq!(lines(Fr), [format!("perdu, dans t : {named} et 2 de plus")]);
    }
}
