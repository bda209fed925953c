//! What the table shows, in plain words.

use std::time::Duration;

use super::{cell, title};
use crate::catalogue::PROGRAMS;
use crate::layout::wrap;
use crate::outcome::Outcome;
use crate::text::Lang;
use crate::verdict::Verdict;

/// The sentences below the table.
pub(super) fn render(text: &mut String, outcomes: &[Outcome], seed: u32, lang: Lang) {
    let expected = outcomes.iter().filter(|outcome| outcome.as_expected()).count();
    let unknown = outcomes.iter().filter(|outcome| matches!(outcome.verdict, Verdict::Unknown(_))).count();
    wrap(text, "", 0, &lang.totals(outcomes.len(), expected, unknown));
    broken(text, outcomes, lang);
    text.push('\n');
    let sum = outcomes.iter().fold(Duration::ZERO, |sum, outcome| sum.saturating_add(outcome.took));
    if let Some(longest) = outcomes.iter().max_by_key(|outcome| outcome.took) {
        let durations = lang.durations(sum, longest.took, &title(longest));
        wrap(text, "", 0, &format!("{durations} {}", lang.seed(seed)));
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

/// The properties that the lab has set: where, and why.
pub(super) fn settings(text: &mut String, outcomes: &[Outcome], lang: Lang) {
    // A property that serves the same end in several scenarios has a reason in each: the shortest is told.
    let mut all: Vec<(String, &str, Vec<&str>)> = Vec::new();
    for outcome in outcomes {
        for (key, value) in &outcome.settings {
            let setting = format!("{key}={value}");
            let why = outcome.case.settings.iter().find(|set| set.key == key).map_or("", |set| lang.of(set.why));
            let at = match all.iter().position(|(other, _, _)| *other == setting) {
                Some(at) => at,
                None => {
                    all.push((setting, why, Vec::new()));
                    all.len() - 1
                }
            };
            if let Some((_, reason, scenarios)) = all.get_mut(at) {
                if why.len() < reason.len() {
                    *reason = why;
                }
                if !scenarios.contains(&outcome.scenario.name) {
                    scenarios.push(outcome.scenario.name);
                }
            }
        }
    }
    if all.is_empty() {
        return;
    }
    text.push('\n');
    wrap(text, "", 0, lang.settings_heading());
    all.sort();
    for (setting, why, scenarios) in all {
        let why = if why.is_empty() { String::new() } else { format!("{} {why}", lang.colon()) };
        wrap(text, "  ", 4, &format!("{setting} ({}){why}", scenarios.join(", ")));
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
