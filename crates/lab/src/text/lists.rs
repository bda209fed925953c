//! Headings of the list of scenarios.

use super::Lang;
use crate::scenario::Case;

impl Lang {
    /// Before what a scenario teaches.
    pub(crate) fn teaches(self) -> &'static str {
        self.pick("teaches", "montre")
    }

    /// What is announced of a case for a guarantee that holds, or does not.
    pub(crate) fn announced(self, case: &Case, breaks: bool) -> String {
        let verdict = match breaks {
            true => self.pick("✗ violated", "✗ violée"),
            false => self.pick("✓ holds", "✓ tenue"),
        };
        match self.exhibits(case.exhibits) {
            none if none.is_empty() => verdict.to_owned(),
            exhibits => format!("{verdict}{} {exhibits}", self.pick(", showing", ", avec")),
        }
    }

    /// Below the list.
    pub(crate) fn list_legend(self) -> [&'static str; 2] {
        [
            self.pick(
                "✓ the guarantee must hold, ✗ it must break; and this must show, or the run is not as announced.",
                "✓ la garantie doit tenir, ✗ elle doit céder ; et ceci doit se produire, sinon ce n'est pas comme annoncé.",
            ),
            self.pick(
                "The story of a run: cargo run -p lab -- run PROGRAM SCENARIO [--variant VARIANT]",
                "Le récit d'une exécution : cargo run -p lab -- run PROGRAMME SCÉNARIO [--variant VARIANTE]",
            ),
        ]
    }
}
