//! The books of a run, in lines.

use proxy::Event;

use crate::catalogue::Role;
use crate::ledger::Kind;
use crate::names::short;
use crate::outcome::Outcome;
use crate::text::{Lang, Number};

/// The numbers that mean something for the program, the values with which something is wrong, the marks.
pub(super) fn lines(outcome: &Outcome, lang: Lang) -> Vec<String> {
    let ledger = &outcome.ledger;
    let mut numbers: Vec<(Number, Option<usize>)> = Vec::new();
    match outcome.program.role {
        Role::Producer(_) => {
            numbers.push((Number::Sent, ledger.sent));
            numbers.push((Number::Acknowledged, ledger.acknowledged));
            numbers.push((Number::Stored, Some(ledger.stored)));
        }
        Role::Consumer { .. } => {
            numbers.push((Number::Input, Some(ledger.stored)));
            numbers.push((Number::Processed, ledger.processed));
        }
        Role::Pipeline { .. } => {
            numbers.push((Number::Processed, ledger.processed));
            numbers.push((Number::Output, Some(ledger.stored)));
        }
    }
    numbers.push((Number::AbortedInput, Some(ledger.aborted_input).filter(|aborted| *aborted > 0)));
    let mut parts: Vec<_> = numbers.into_iter().filter_map(|(what, number)| Some(lang.number(what, number?))).collect();
    // These are told even where there are none.
    for kind in [Kind::Lost, Kind::Duplicated, Kind::Reordered] {
        parts.push(lang.count(kind, ledger.count(kind)));
    }
    let mut lines = vec![parts.join(", ")];
    lines.extend(lang.anomalies(ledger.anomalies.iter(), &|name| short(outcome, name)));
    for (mark, number) in &outcome.marks {
        let at = outcome.trace.iter().find(|event| event.number == *number);
        let mark = lang.mark(*mark);
        lines
            .push(at.map_or_else(|| mark.to_owned(), |Event { micros, .. }| lang.mark_at(mark, &lang.millis(*micros))));
    }
    lines
}
