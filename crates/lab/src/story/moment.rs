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
    /// Whether the first and the last say it all.
    pub(super) brief: bool,
    /// How many it stands for itself.
    pub(super) count: usize,
}

impl Like {
    /// One of a kind, of which nothing else is known.
    pub(super) fn of(what: String) -> Self {
        Self { what, outcome: String::new(), first: String::new(), last: String::new(), brief: true, count: 1 }
    }
}

impl Moment {
    /// What it has in common with the moments that can be told together with it.
    pub(super) fn row(&self) -> Option<(&str, &str, &str)> {
        let like = self.like.as_ref()?;
        Some((&self.who, &like.what, &like.outcome))
    }

    /// Whether it does not stand for several itself.
    pub(super) fn is_one(&self) -> bool {
        self.like.as_ref().is_none_or(|like| like.count == 1)
    }
}
