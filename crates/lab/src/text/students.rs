//! What a student reads after a check.

use super::Lang::{self, En, Fr};
use crate::scenario::Exhibit;

/// The headings of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ForStudents {
    /// What the lab did.
    Fault,
    /// What had to come of it.
    Expected,
    /// What came of it.
    Observed,
    /// Why it comes out well, when it does.
    Normally,
    /// What to do next.
    Next,
    /// What a pass does not prove.
    Unproven,
}

impl Lang {
    /// A heading.
    pub(crate) fn student(self, heading: ForStudents) -> &'static str {
        match (self, heading) {
            (En, ForStudents::Fault) => "the lab",
            (En, ForStudents::Expected) => "expected",
            (En, ForStudents::Observed) => "observed",
            (En, ForStudents::Normally) => "rightly",
            (En, ForStudents::Next) => "next",
            (En, ForStudents::Unproven) => "not proven",
            (Fr, ForStudents::Fault) => "le lab",
            (Fr, ForStudents::Expected) => "attendu",
            (Fr, ForStudents::Observed) => "observé",
            (Fr, ForStudents::Normally) => "à raison",
            (Fr, ForStudents::Next) => "ensuite",
            (Fr, ForStudents::Unproven) => "pas prouvé",
        }
    }

    /// How many scenarios it passes.
    pub(crate) fn passed(self, passed: usize, all: usize) -> String {
        match self {
            En if passed == all => format!("passed ({all} of {all} scenarios)"),
            En => format!("not yet ({passed} of {all} scenarios)"),
            Fr if passed == all => format!("réussi ({all} scénarios sur {all})"),
            Fr => format!("pas encore ({passed} scénarios sur {all})"),
        }
    }

    /// What the right program shows, and this one did not.
    pub(crate) fn did_not_show(self, exhibit: Exhibit) -> String {
        let what = self.exhibits(&[exhibit]);
        match self {
            En => format!("the right program shows this here, and yours did not: {what}"),
            Fr => format!("le bon programme montre ceci ici, et pas le vôtre : {what}"),
        }
    }

    /// The aborted records in the input were not there.
    pub(crate) fn aborted_input_missing(self) -> &'static str {
        self.pick(
            "the aborted records were not in the input: the experiment shows nothing",
            "les enregistrements avortés n'étaient pas dans l'entrée : l'expérience ne montre rien",
        )
    }

    /// What to do after a failed check.
    pub(crate) fn next_steps(self, number: &str) -> String {
        match self {
            En => format!("edit, save, and `lab check {number}` again; `lab hint {number}` helps in steps"),
            Fr => format!("modifiez, enregistrez, puis `lab check {number}` ; `lab hint {number}` aide pas à pas"),
        }
    }
}
