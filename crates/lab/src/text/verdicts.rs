//! The guarantee, the verdict, and what was not as it was announced.

use super::Lang::{self, En, Fr};
use crate::catalogue::Guarantee;
use crate::child::Ended;
use crate::layout::cut;
use crate::outcome::Outcome;
use crate::verdict::{Failure, Surprise, Verdict};

/// What a program said at its end is shown in so many columns at most.
const SAID: usize = 240;

impl Lang {
    /// The name of a guarantee.
    pub fn guarantee(self, guarantee: Guarantee) -> &'static str {
        match (self, guarantee) {
            (En, Guarantee::AtMostOnce) => "at most once",
            (En, Guarantee::AtLeastOnce) => "at least once",
            (En, Guarantee::ExactlyOnce) => "exactly once",
            (Fr, Guarantee::AtMostOnce) => "au plus une fois",
            (Fr, Guarantee::AtLeastOnce) => "au moins une fois",
            (Fr, Guarantee::ExactlyOnce) => "exactement une fois",
        }
    }

    /// A verdict in one word.
    pub fn verdict(self, verdict: &Verdict) -> &'static str {
        match (self, verdict) {
            (En, Verdict::Holds) => "holds",
            (En, Verdict::Violated(_)) => "violated",
            (En, Verdict::Unknown(_)) => "unknown",
            (Fr, Verdict::Holds) => "tenue",
            (Fr, Verdict::Violated(_)) => "violée",
            (Fr, Verdict::Unknown(_)) => "inconnu",
        }
    }

    /// How a program ended.
    pub(crate) fn ended(self, ended: Ended) -> String {
        match (self, ended) {
            (En, Ended::Status(status)) => format!("exit status {status}"),
            (En, Ended::Signal(signal)) => format!("signal {signal}"),
            (Fr, Ended::Status(status)) => format!("code de sortie {status}"),
            (Fr, Ended::Signal(signal)) => format!("signal {signal}"),
        }
    }

    pub(crate) fn failure(self, failure: &Failure) -> String {
        let how = match (self, failure.ended) {
            (En, Ended::Status(status)) => format!("the program ended with exit status {status}"),
            (En, Ended::Signal(signal)) => format!("the program was ended by signal {signal}"),
            (Fr, Ended::Status(status)) => format!("le programme s'est terminé avec le code de sortie {status}"),
            (Fr, Ended::Signal(signal)) => format!("le programme a été arrêté par le signal {signal}"),
        };
        match (self, &failure.said) {
            (_, None) => how,
            (En, Some(said)) => format!("{how}, saying: {}", cut(said, SAID)),
            (Fr, Some(said)) => format!("{how}, en disant : {}", cut(said, SAID)),
        }
    }

    /// Whatever was not as announced, one line for each thing; nothing when all was.
    pub(crate) fn unexpected(self, outcome: &Outcome, short: &dyn Fn(&str) -> String) -> Vec<String> {
        let mut lines = Vec::new();
        let colon = self.colon();
        if let Verdict::Unknown(why) = &outcome.verdict {
            return vec![format!("{}{colon} {}", self.pick("not decided", "pas de verdict"), self.error(why))];
        }
        let breaks = outcome.case.breaks(outcome.promise());
        match &outcome.verdict {
            Verdict::Holds if breaks => lines.push(
                self.pick("the guarantee was to break here, and held", "la garantie devait céder ici, et a tenu")
                    .into(),
            ),
            Verdict::Violated(_) if !breaks => lines.push(
                self.pick("the guarantee was to hold here, and broke", "la garantie devait tenir ici, et a cédé")
                    .into(),
            ),
            _ => {}
        }
        if !outcome.missing.is_empty() {
            let label = self.pick("announced, and did not show", "annoncé, et ne s'est pas produit");
            lines.push(format!("{label}{colon} {}", self.exhibits(&outcome.missing)));
        }
        let label = self.pick("not announced", "non annoncé");
        let anomalies = outcome.surprises.iter().filter_map(|surprise| match surprise {
            Surprise::Anomaly(anomaly) => Some(anomaly),
            _ => None,
        });
        lines.extend(self.anomalies(anomalies, short).into_iter().map(|what| format!("{label}{colon} {what}")));
        for surprise in &outcome.surprises {
            match surprise {
                Surprise::Anomaly(_) => {}
                Surprise::Failed(failure) => lines.push(format!("{label}{colon} {}", self.failure(failure))),
                Surprise::AbortedInput { written, seen } => lines.push(match self {
                    En => format!(
                        "{label}: of {written} aborted records in its input, {seen} are seen at read_uncommitted and \
                         hidden at read_committed: the experiment shows nothing"
                    ),
                    Fr => format!(
                        "{label} : sur {written} enregistrements avortés dans son entrée, {seen} sont visibles en \
                         read_uncommitted et cachés en read_committed : l'expérience ne montre rien"
                    ),
                }),
            }
        }
        lines
    }
}
