//! Several runs of one client: a line for each, and the story of those that did not end well.

use crate::layout::{WIDTH, cut, pad, width};
use crate::outcome::{Outcome, Results};
use crate::story;
use crate::text::Lang;
use crate::verdict::Verdict;

/// The text.
pub(crate) fn render(results: &Results, lang: Lang, colours: bool) -> String {
    let outcomes = &results.outcomes;
    let column = outcomes.iter().map(|outcome| width(&name(outcome))).max().unwrap_or_default();
    let mut text = String::new();
    for outcome in outcomes {
        let (mark, code) = match outcome.verdict {
            Verdict::Holds => ("✓", "32"),
            Verdict::Violated(_) => ("✗", "1;31"),
            Verdict::Unknown(_) => ("?", "1;35"),
        };
        let line = format!("{mark} {}  {}", pad(&name(outcome), column), lang.in_short(outcome));
        let line = cut(&line, WIDTH);
        text.push_str(&if colours { format!("\x1b[{code}m{line}\x1b[0m\n") } else { format!("{line}\n") });
    }
    for outcome in outcomes.iter().filter(|outcome| !outcome.as_expected()) {
        text.push('\n');
        text.push_str(&story::render(outcome, lang, colours));
    }
    text
}

fn name(outcome: &Outcome) -> String {
    match outcome.case.variant {
        "" => outcome.scenario.name.to_owned(),
        variant => format!("{} ({variant})", outcome.scenario.name),
    }
}
