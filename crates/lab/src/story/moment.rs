//! A moment of the story.

/// A line of the story, before it is known which lines there is room for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Moment {
    /// When, on the proxy's clock.
    pub(super) micros: u64,
    /// The instance that it is about; empty for none.
    pub(super) who: String,
    /// What happens.
    pub(super) text: String,
    /// How much it matters.
    pub(super) weight: Weight,
    /// What it is one of many of.
    pub(super) like: Option<Like>,
}

/// How much a moment matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    /// One of many, as a rule.
    Usual,
    /// It stands out: refused, repeated, or what a fault acts upon.
    Special,
    /// It changes the course: an instance is started or ends.
    Turn,
    /// The fault.
    Fault,
}

/// What moments that are alike have in common, and what tells them apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Like {
    /// The request, or "lines".
    pub(super) what: String,
    /// What came of it.
    pub(super) outcome: String,
    /// Which one it is: from here …
    pub(super) first: String,
    /// … to here.
    pub(super) last: String,
}

impl Moment {
    /// Whether two moments can be told as one line.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        match (&self.like, &other.like) {
            (Some(a), Some(b)) => self.who == other.who && a.what == b.what && a.outcome == b.outcome,
            _ => false,
        }
    }
}
