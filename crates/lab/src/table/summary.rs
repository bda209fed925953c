//! What the table shows, in plain words.

use std::collections::{BTreeMap, BTreeSet};

use super::{cell, title};
use crate::catalogue::PROGRAMS;
use crate::layout::wrap;
use crate::outcome::{Outcome, Results};
use crate::text::Lang;
use crate::verdict::Verdict;

/// The sentences below the table.
pub(super) fn render(text: &mut String, results: &Results, lang: Lang) {
    let outcomes = &results.outcomes;
    let expected = outcomes.iter().filter(|outcome| outcome.as_expected()).count();
    let unknown = outcomes.iter().filter(|outcome| matches!(outcome.verdict, Verdict::Unknown(_))).count();
    wrap(text, "", 0, &lang.totals(outcomes.len(), expected, unknown));
    broken(text, outcomes, lang);
    text.push('\n');
    settings(text, outcomes, lang);
    if let Some(longest) = outcomes.iter().max_by_key(|outcome| outcome.took) {
        let durations = lang.durations(results.took, longest.took, &title(longest));
        wrap(text, "", 0, &format!("{durations} {}", lang.seed(results.seed)));
    }
    if let Some(outcome) = example(outcomes) {
        wrap(text, "", 0, &lang.story_of_a_cell(&command(outcome)));
    }
}

/// The guarantees that broke as announced, by program.
fn broken(text: &mut String, outcomes: &[Outcome], lang: Lang) {
    let breaks = |outcome: &&Outcome| outcome.as_expected() && matches!(outcome.verdict, Verdict::Violated(_));
    if !outcomes.iter().any(|outcome| breaks(&outcome)) {
        return;
    }
    wrap(text, "", 0, lang.broken_heading());
    for program in PROGRAMS {
        let of_it = outcomes.iter().filter(|outcome| outcome.program.package == program.package).filter(breaks);
        let under: Vec<_> = of_it
            .map(|outcome| {
                let count = cell::kind(outcome)
                    .map(|kind| format!("{} {}", outcome.ledger.count(kind), lang.kind_short(kind)))
                    .unwrap_or_default();
                match outcome.case.variant {
                    "" => format!("{} ({count})", outcome.scenario.name),
                    variant => format!("{}/{variant} ({count})", outcome.scenario.name),
                }
            })
            .collect();
        if !under.is_empty() {
            wrap(text, "  ", 4, &format!("{}{} {}", program.package, lang.colon(), under.join(", ")));
        }
    }
}

/// The properties that the lab has set; where and why, the list and the stories tell.
fn settings(text: &mut String, outcomes: &[Outcome], lang: Lang) {
    let mut all: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (key, value) in outcomes.iter().flat_map(|outcome| &outcome.settings) {
        all.entry(key).or_default().insert(value);
    }
    if !all.is_empty() {
        let all: Vec<_> = all
            .into_iter()
            .map(|(key, values)| format!("{key}={}", values.into_iter().collect::<Vec<_>>().join("/")))
            .collect();
        wrap(text, "", 2, &format!("{} {}", lang.settings_heading(), all.join(", ")));
    }
}

/// The run whose story is worth most: one that is not as announced; or one in which something breaks, or shows.
fn example(outcomes: &[Outcome]) -> Option<&Outcome> {
    let odd = || outcomes.iter().find(|outcome| !outcome.as_expected());
    let broken = || outcomes.iter().find(|outcome| matches!(outcome.verdict, Verdict::Violated(_)));
    let shows = || outcomes.iter().find(|outcome| cell::kind(outcome).is_some());
    odd().or_else(broken).or_else(shows).or_else(|| outcomes.last())
}

/// The command that tells the story of this run.
fn command(outcome: &Outcome) -> String {
    let run = format!("cargo run -p lab -- run {} {}", outcome.program.package, outcome.scenario.name);
    match outcome.case.variant {
        "" => run,
        variant if variant.contains(' ') => format!("{run} --variant \"{variant}\""),
        variant => format!("{run} --variant {variant}"),
    }
}
