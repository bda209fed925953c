//! What is said of a client of the user's own that is held to a guarantee.

use super::Lang::{self, En, Fr};
use crate::catalogue::Guarantee;
use crate::outcome::Outcome;
use crate::own::Part;
use crate::verdict::Verdict;

impl Lang {
    /// A client, by what it is held to.
    pub(crate) fn held(self, part: Part, guarantee: Guarantee) -> String {
        let part = match (self, part) {
            (En, Part::Producer) => "a producer",
            (En, Part::Consumer) => "a consumer",
            (En, Part::Pipeline) => "a pipeline",
            (Fr, Part::Producer) => "un producteur",
            (Fr, Part::Consumer) => "un consommateur",
            (Fr, Part::Pipeline) => "un pipeline",
        };
        format!("{part} ({})", self.guarantee(guarantee))
    }

    /// What the guarantee promises, whatever the scenario.
    pub(crate) fn promised(self, outcome: &Outcome) -> String {
        let (guarantee, forbids) = (self.guarantee(outcome.guarantee()), self.forbidden(outcome.promise()));
        match self {
            En => format!("{guarantee} forbids {forbids}"),
            Fr => format!("« {guarantee} » interdit {forbids}"),
        }
    }

    /// The verdict on a client that is held to a guarantee, in a sentence.
    pub(crate) fn judgement_of_held(self, outcome: &Outcome) -> String {
        let promised = self.promised(outcome);
        let shown = |forbidden| self.kinds_shown(outcome, forbidden);
        match &outcome.verdict {
            Verdict::Unknown(why) => self.not_decided(why),
            Verdict::Violated(_) => match self {
                En => format!("VIOLATED: {promised}, and this showed: {}.", shown(true)),
                Fr => format!("VIOLÉE : {promised}, et ceci s'est produit : {}.", shown(true)),
            },
            Verdict::Holds => {
                let permitted = shown(false);
                let permits = match self {
                    _ if permitted.is_empty() => String::new(),
                    En => format!(" It permits what showed: {permitted}."),
                    Fr => format!(" Elle permet ce qui s'est produit : {permitted}."),
                };
                match self {
                    En => format!("HOLDS: {promised}, and that did not happen.{permits}"),
                    Fr => format!("TENUE : {promised}, et cela ne s'est pas produit.{permits}"),
                }
            }
        }
    }

    /// The verdict on one of several runs.
    pub(crate) fn in_short(self, outcome: &Outcome) -> String {
        let verdict = self.verdict(&outcome.verdict);
        let shown = match outcome.verdict {
            Verdict::Unknown(ref why) => return format!("{verdict}{} {}", self.colon(), self.error(why)),
            Verdict::Violated(_) => self.kinds_shown(outcome, true),
            Verdict::Holds => self.kinds_shown(outcome, false),
        };
        match outcome.verdict {
            _ if shown.is_empty() => verdict.to_owned(),
            Verdict::Holds => format!("{verdict} ({}{} {shown})", self.pick("permitted", "permis"), self.colon()),
            _ => format!("{verdict}{} {shown}", self.colon()),
        }
    }

    /// How the program of the course fares, for comparison.
    pub(crate) fn compared(self, outcome: &Outcome) -> String {
        let (program, why) = (outcome.program.package, self.of(outcome.case.why));
        match (self, self.exhibits(outcome.case.exhibits)) {
            (En, shows) if shows.is_empty() => format!("{program} shows no anomaly here. {why}"),
            (Fr, shows) if shows.is_empty() => format!("{program} ne montre ici aucune anomalie. {why}"),
            (En, shows) => format!("{program} shows here: {shows}. {why}"),
            (Fr, shows) => format!("{program} montre ici : {shows}. {why}"),
        }
    }
}
