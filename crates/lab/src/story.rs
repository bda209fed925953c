//! The story of one run.

use crate::outcome::Outcome;
use crate::text::Lang;

/// The moments of the trace that matter, the fault marked, the books, and why.
pub fn render(outcome: &Outcome, lang: Lang, colours: bool) -> String {
    let mut text = crate::table::render(std::slice::from_ref(outcome), lang, colours);
    for event in &outcome.trace {
        text.push_str(&format!("{event:?}\n"));
    }
    for instance in &outcome.instances {
        text.push_str(&format!("{instance:?}\n"));
    }
    text
}
