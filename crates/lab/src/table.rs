//! All outcomes as a table: no wider than 100 columns, without colours unless it goes to a terminal.

use std::fmt::Write as _;

use crate::outcome::Outcome;
use crate::text::Lang;

/// The table, what is not as expected, and what it shows in plain words.
pub fn render(outcomes: &[Outcome], lang: Lang, _colours: bool) -> String {
    let mut text = String::new();
    for outcome in outcomes {
        let _ = writeln!(
            text,
            "{:<22} {:<16} {:<24} {:<9} {}  {:.1?} missing {:?} surprises {:?} {:?}",
            outcome.scenario.name,
            outcome.case.variant,
            outcome.program.package,
            lang.verdict(&outcome.verdict),
            outcome.as_expected(),
            outcome.took,
            outcome.missing,
            outcome.surprises,
            match &outcome.verdict {
                crate::verdict::Verdict::Unknown(why) => format!("{why:?}"),
                _ => String::new(),
            },
        );
    }
    text
}
