//! A cell: a mark, and how many messages it is about.

use crate::ledger::Kind;
use crate::outcome::Outcome;
use crate::scenario::Exhibit;
use crate::text::Lang;
use crate::verdict::Verdict;

/// What a cell says of its run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// The guarantee holds.
    Holds,
    /// It is broken, as announced.
    Broken,
    /// Something is not as announced.
    Unexpected,
    /// Not decided.
    Unknown,
}

/// A cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) state: State,
    mark: &'static str,
    count: Option<(usize, &'static str)>,
}

/// How many forms a cell has, each narrower than the one before.
pub(super) const FORMS: usize = 4;

impl Cell {
    pub(super) fn of(outcome: &Outcome, lang: Lang) -> Self {
        let (state, mark) = match &outcome.verdict {
            Verdict::Unknown(_) => (State::Unknown, "?"),
            Verdict::Holds if outcome.as_expected() => (State::Holds, "✓"),
            Verdict::Violated(_) if outcome.as_expected() => (State::Broken, "✗"),
            Verdict::Holds => (State::Unexpected, "✓ !!"),
            Verdict::Violated(_) => (State::Unexpected, "✗ !!"),
        };
        let count = kind(outcome)
            .filter(|_| matches!(state, State::Holds | State::Broken))
            .map(|kind| (outcome.ledger.count(kind), lang.kind_short(kind)));
        Self { state, mark, count }
    }

    /// Whether it is a mark alone.
    pub(super) fn is_bare(&self) -> bool {
        self.count.is_none()
    }

    /// Its text, in one of its forms.
    pub(super) fn text(&self, form: usize) -> String {
        match (self.count, form) {
            (Some((count, word)), 0) => format!("{} {} {word}", self.mark, number(count)),
            (Some((count, word)), 1) => format!("{}{} {word}", self.mark, number(count)),
            (Some((count, word)), 2) => format!("{}{}{word}", self.mark, number(count)),
            _ => self.mark.to_owned(),
        }
    }
}

/// The kind of anomaly that a cell tells: of those that break the promise the worst; or else of those that were
/// announced; or else of those that may show.
pub(super) fn kind(outcome: &Outcome) -> Option<Kind> {
    let shows = |kind: &Kind| outcome.ledger.count(*kind) > 0;
    if let Verdict::Violated(anomalies) = &outcome.verdict
        && let Some(kind) = anomalies.iter().map(|anomaly| anomaly.kind).filter(shows).min()
    {
        return Some(kind);
    }
    let announced = outcome.case.exhibits.iter().filter_map(|exhibit| match exhibit {
        Exhibit::Anomaly(kind) => Some(*kind),
        Exhibit::Mark(_) => None,
    });
    announced.filter(shows).min().or_else(|| outcome.case.allows.iter().copied().filter(shows).min())
}

/// A number in four columns.
fn number(count: usize) -> String {
    match count {
        0..=9_999 => count.to_string(),
        10_000..=999_999 => format!("{}k", count / 1_000),
        1_000_000..=999_999_999 => format!("{}M", count / 1_000_000),
        _ => ">1G".to_owned(),
    }
}

/// What the marks and words of these cells mean; `gaps`: not every program is in every row.
pub(super) fn legend(outcomes: &[Outcome], gaps: bool, lang: Lang) -> [Vec<String>; 2] {
    let cells: Vec<_> = outcomes.iter().map(|outcome| Cell::of(outcome, lang)).collect();
    let any = |state| cells.iter().any(|cell| cell.state == state);
    let example = |state| cells.iter().find(|cell| cell.state == state && !cell.is_bare()).map(|cell| cell.text(0));
    let mut marks = Vec::new();
    if any(State::Holds) {
        marks.push(lang.legend_holds().to_owned());
    }
    marks.extend(example(State::Holds).map(|cell| lang.legend_allowed(&cell)));
    marks.extend(example(State::Broken).map(|cell| lang.legend_broken(&cell)));
    if any(State::Unexpected) {
        marks.push(lang.legend_unexpected().to_owned());
    }
    if any(State::Unknown) {
        marks.push(lang.legend_unknown().to_owned());
    }
    if gaps {
        marks.push(lang.legend_none().to_owned());
    }
    let mut kinds: Vec<_> = outcomes
        .iter()
        .zip(&cells)
        .filter(|(_, cell)| cell.count.is_some())
        .filter_map(|(outcome, _)| kind(outcome))
        .collect();
    kinds.sort();
    kinds.dedup();
    let words = kinds.into_iter().map(|kind| lang.legend_kind(kind)).collect();
    [marks, words]
}
