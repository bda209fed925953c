//! `lab list`: the scenarios and what each concerns.

use crate::text::Lang;

/// The list, for readers or as JSON.
pub fn render(_lang: Lang, _json: bool) -> String {
    String::new()
}
