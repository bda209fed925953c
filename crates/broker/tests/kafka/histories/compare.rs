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
    /// The step's or the line's name, without its numbers.
    kind: String,
    first: String,
    second: String,
}

/// The first difference, in the order of the history; a difference of the final states comes last.
pub(crate) fn compare(steps: &[Step], first: &Report, second: &Report) -> Option<Difference> {
    differences(steps, first, second).next()
}

/// All of them. Those behind the first may be its consequences.
pub(crate) fn differences(steps: &[Step], first: &Report, second: &Report) -> impl Iterator<Item = Difference> {
    let outcome = steps.iter().enumerate().zip(first.outcomes.iter().zip(&second.outcomes));
    // A step that waits for what both brokers never do is a fault of the executor's own; so is one that breaks off.
    let failed = |outcome: &str| outcome.contains(STUCK) || outcome.starts_with(BROKEN);
    let parts = move |first: &String, second: &String| first != second || failed(first);
    let outcome = outcome.filter(move |(_, (first, second))| parts(first, second));
    let outcome = outcome.map(|((index, step), (first, second))| Difference {
        place: format!("step {index}, {step:?}"),
        kind: format!("{step:?}").split(' ').next().unwrap_or_default().to_owned(),
        first: first.clone(),
        second: second.clone(),
    });
    let state = (0..first.state.len().max(second.state.len())).filter_map(|index| {
        let line = |report: &Report| report.state.get(index).cloned().unwrap_or_else(|| "nothing".to_owned());
        let (first, second) = (line(first), line(second));
        let label = first.split(':').next().unwrap_or_default();
        let kind = label.chars().filter(|char| !char.is_ascii_digit()).collect();
        (first != second).then(|| Difference { place: "the final state".to_owned(), kind, first, second })
    });
    outcome.chain(state)
}

impl Difference {
    /// The kind, and the first words that are not the same, behind the last that are: to count differences by.
    pub(crate) fn digest(&self) -> String {
        let (first, second): (Vec<_>, Vec<_>) = (self.first.split(' ').collect(), self.second.split(' ').collect());
        let same = first.iter().zip(&second).take_while(|(first, second)| first == second).count();
        let before = same.checked_sub(1).and_then(|last| first.get(last)).unwrap_or(&"");
        let at = |words: &[&str]| words.get(same).copied().unwrap_or("the end").to_owned();
        format!("{}: … {before} {} / {}", self.kind, at(&first), at(&second))
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at {}\n  first:  {}\n  second: {}", self.place, self.first, self.second)
    }
}
