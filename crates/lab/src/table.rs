//! All outcomes as a table: no wider than 100 columns, without colours unless it goes to a terminal.

mod cell;
mod grid;
mod summary;

use std::fmt::Write as _;

use crate::layout::{flow, wrap};
use crate::names::short;
use crate::outcome::{Outcome, Results};
use crate::text::Lang;

/// The table, what is not as announced, and what it shows in plain words.
pub fn render(results: &Results, lang: Lang, colours: bool) -> String {
    let outcomes = &results.outcomes;
    let mut text = grid::render(outcomes, lang, colours);
    text.push('\n');
    let mut rows: Vec<_> = outcomes.iter().map(|outcome| (outcome.scenario.name, outcome.case.variant)).collect();
    let mut columns: Vec<_> = outcomes.iter().map(|outcome| outcome.program.package).collect();
    rows.sort_unstable();
    rows.dedup();
    columns.sort_unstable();
    columns.dedup();
    for items in cell::legend(outcomes, outcomes.len() < rows.len() * columns.len(), lang) {
        flow(&mut text, &items);
    }
    unexpected(&mut text, outcomes, lang, colours);
    text.push('\n');
    summary::render(&mut text, results, lang);
    text
}

/// Which run it is, in words.
fn title(outcome: &Outcome) -> String {
    format!("{}, {}", case(outcome), outcome.program.package)
}

fn case(outcome: &Outcome) -> String {
    match outcome.case.variant {
        "" => outcome.scenario.name.to_owned(),
        variant => format!("{} ({variant})", outcome.scenario.name),
    }
}

/// Every cell that is not as announced, with what was found.
fn unexpected(text: &mut String, outcomes: &[Outcome], lang: Lang, colours: bool) {
    let odd: Vec<_> = outcomes.iter().filter(|outcome| !outcome.as_expected()).collect();
    if odd.is_empty() {
        return;
    }
    let heading = lang.unexpected_heading(odd.len());
    // Writing to a string cannot fail.
    let _ = writeln!(text, "\n{}", if colours { format!("\x1b[1;31m{heading}\x1b[0m") } else { heading });
    // Programs of which the same is to be said are told together.
    let mut told: Vec<(&Outcome, Vec<&str>, Vec<String>)> = Vec::new();
    for outcome in odd {
        let lines = lang.unexpected(outcome, &|name| short(outcome, name));
        let same = |(other, _, others): &&mut (&Outcome, Vec<&str>, Vec<String>)| {
            other.scenario.name == outcome.scenario.name
                && other.case.variant == outcome.case.variant
                && lang.verdict(&other.verdict) == lang.verdict(&outcome.verdict)
                && *others == lines
        };
        match told.iter_mut().find(same) {
            Some((_, programs, _)) => programs.push(outcome.program.package),
            None => told.push((outcome, vec![outcome.program.package], lines)),
        }
    }
    for (outcome, programs, lines) in told {
        let title = format!("{}, {}", case(outcome), programs.join(", "));
        wrap(text, "", 2, &format!("{title}{} {}", lang.colon(), lang.verdict(&outcome.verdict)));
        for line in lines {
            wrap(text, "  ", 4, &line);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::layout::{WIDTH, width};
    use crate::sample;

    fn results(outcomes: Vec<Outcome>) -> Results {
        Results { outcomes, seed: 7, took: std::time::Duration::from_millis(2345) }
    }

    const ENGLISH: &str = include_str!("testdata/table.en.txt");
    const FRENCH: &str = include_str!("testdata/table.fr.txt");

    #[test]
    fn the_table_is_as_it_was_agreed() {
        let results = results(sample::table());
        sample::golden("table.en.txt", ENGLISH, &render(&results, Lang::En, false));
        sample::golden("table.fr.txt", FRENCH, &render(&results, Lang::Fr, false));
    }

    #[test]
    fn colours_only_where_they_are_wanted() {
        let results = results(sample::table());
        let (plain, coloured) = (render(&results, Lang::En, false), render(&results, Lang::En, true));
        assert!(!plain.contains('\x1b'));
        assert!(coloured.contains("\x1b[31m✗ 20 dup\x1b[0m"), "{coloured}");
        assert!(coloured.contains("\x1b[1;37;41m✗ !!\x1b[0m"), "{coloured}");
        assert_eq!(sample::without_colours(&coloured), plain);
    }

    #[test]
    fn every_scenario_has_room() {
        for lang in [Lang::En, Lang::Fr] {
            let mut outcomes: Vec<_> = crate::matrix::jobs()
                .into_iter()
                .map(|job| Outcome::unknown(job.scenario, job.case, job.program, crate::Error::Interrupted))
                .collect();
            for outcome in &mut outcomes {
                outcome.verdict = crate::verdict::Verdict::Holds;
            }
            let text = grid::render(&outcomes, lang, false);
            assert!(text.lines().all(|line| width(line) <= WIDTH), "{text}");
            assert!(!text.lines().skip(1).any(|line| line.contains('…')), "a name was cut: {text}");
        }
    }

    #[test]
    fn the_wider_the_numbers_the_shorter_the_words() {
        let row = |times| {
            let programs = sample::SCENARIOS[2].cases[0].programs;
            let outcomes: Vec<_> = programs
                .iter()
                .map(|program| sample::outcome(2, 0, program, &[(crate::ledger::Kind::Duplicated, times)]))
                .collect();
            let text = grid::render(&outcomes, Lang::En, false);
            assert!(text.lines().all(|line| width(line) <= WIDTH), "{text}");
            text.lines().last().unwrap_or_default().to_owned()
        };
        assert_eq!(row(1).matches(" 1 dup").count(), 9, "{}", row(1));
        assert_eq!(row(200).matches("200 dup").count(), 9, "{}", row(200));
        assert_eq!(row(5000).matches("5000").count(), 9, "{}", row(5000));
        assert!(row(5000).contains("5000dup"), "{}", row(5000));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn no_outcome_breaks_the_table(outcomes in proptest::collection::vec(sample::wild::outcome(), 0..12), seed in any::<u32>()) {
            let results = Results { seed, ..results(outcomes) };
            for lang in [Lang::En, Lang::Fr] {
                let text = render(&results, lang, false);
                for line in text.lines() {
                    prop_assert!(width(line) <= WIDTH, "{line}");
                    prop_assert!(!line.contains(char::is_control), "{line:?}");
                }
                let coloured = render(&results, lang, true);
                prop_assert_eq!(sample::without_colours(&coloured), text);
            }
        }
    }
}
