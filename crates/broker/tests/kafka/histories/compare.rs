//! Two reports of one history.

use std::fmt;

use super::{
    execute::{BROKEN, Report, STUCK},
    step::Step,
};

/// Where two runs of a history part.
#[derive(Debug)]
pub(crate) struct Difference {
    place: String,
    first: String,
    second: String,
}

/// The first difference, in the order of the history; a difference of the final states comes last.
pub(crate) fn compare(steps: &[Step], first: &Report, second: &Report) -> Option<Difference> {
    let outcome = steps.iter().enumerate().zip(first.outcomes.iter().zip(&second.outcomes));
    // A step that waits for what both brokers never do is a fault of the executor's own; so is one that breaks off.
    let failed = |outcome: &str| outcome.contains(STUCK) || outcome.starts_with(BROKEN);
    let parts = |first: &String, second: &String| first != second || failed(first);
    let outcome =
        outcome.filter(|(_, (first, second))| parts(first, second)).map(|((index, step), (first, second))| {
            Difference { place: format!("step {index}, {step:?}"), first: first.clone(), second: second.clone() }
        });
    let state = (0..first.state.len().max(second.state.len())).filter_map(|index| {
        let line = |report: &Report| report.state.get(index).cloned().unwrap_or_else(|| "nothing".to_owned());
        let (first, second) = (line(first), line(second));
        (first != second).then(|| Difference { place: "the final state".to_owned(), first, second })
    });
    outcome.chain(state).next()
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at {}\n  first:  {}\n  second: {}", self.place, self.first, self.second)
    }
}
