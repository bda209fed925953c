//! Does the program do what the exercise asks for?

use serde_json::{Value as Json, json};

use super::Exercise;
use crate::child::Ended;
use crate::error::Error;
use crate::matrix;
use crate::outcome::Outcome;
use crate::scenario::Exhibit;
use crate::stage::House;
use crate::verdict::{Failure, Surprise, Verdict, judge};

/// What came of an exercise under one of its scenarios.
#[derive(Debug)]
pub struct Finding {
    /// The run.
    pub outcome: Outcome,
    /// What stands against a pass.
    pub against: Vec<Against>,
}

/// What stands against a pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Against {
    /// The guarantee is broken, or something showed that nobody announced.
    Shown(Surprise),
    /// It did not show what the right program shows: the fault did not meet it, or meets it otherwise.
    Missing(Exhibit),
    /// Nothing was decided.
    Undecided(Error),
}

impl Finding {
    pub(crate) fn of(exercise: &Exercise, outcome: Outcome) -> Self {
        let mut against = Vec::new();
        if let Verdict::Unknown(why) = &outcome.verdict {
            against.push(Against::Undecided(why.clone()));
            return Self { outcome, against };
        }
        // An exercise may ask for more than the program whose part it plays: what that one may show, this one must not.
        let forbidden = |exhibit: &Exhibit| match exhibit {
            Exhibit::Anomaly(kind) => exercise.promise.forbids(*kind) && !exercise.plays.promise().forbids(*kind),
            Exhibit::Mark(_) => false,
        };
        let (verdict, _) = judge(exercise.promise, &outcome.ledger);
        if let Verdict::Violated(anomalies) = verdict {
            let announced = |kind| {
                let exhibit = Exhibit::Anomaly(kind);
                outcome.case.exhibits.contains(&exhibit) && !forbidden(&exhibit)
            };
            let broken = anomalies.into_iter().filter(|anomaly| !announced(anomaly.kind));
            against.extend(broken.map(Surprise::Anomaly).map(Against::Shown));
        }
        for surprise in &outcome.surprises {
            let against_it = Against::Shown(surprise.clone());
            if !against.contains(&against_it) {
                against.push(against_it);
            }
        }
        let missing = outcome.missing.iter().filter(|exhibit| !forbidden(exhibit));
        against.extend(missing.copied().map(Against::Missing));
        Self { outcome, against }
    }

    /// Whether it passes.
    pub fn passes(&self) -> bool {
        self.against.is_empty()
    }
}

/// Runs an exercise under all of its scenarios; `house` knows where its executable is, under the name of the program whose
/// part it plays.
///
/// # Errors
/// What stands in the way of every run.
pub fn check(house: &House, exercise: &Exercise, at_once: usize) -> Result<Vec<Finding>, Error> {
    let outcomes = matrix::run(house, &exercise.jobs, at_once)?;
    Ok(outcomes.into_iter().map(|outcome| Finding::of(exercise, outcome)).collect())
}

/// Exit status: 0 passed, 1 not, 2 nothing else stands against it than that something could not be decided.
pub fn status(findings: &[Finding]) -> u8 {
    let undecided = |finding: &Finding| matches!(finding.against.as_slice(), [Against::Undecided(_)]);
    if findings.iter().all(Finding::passes) {
        0
    } else if findings.iter().all(|finding| finding.passes() || undecided(finding)) {
        2
    } else {
        1
    }
}

/// The findings as one JSON object: each with the outcome as `lab run … --format json` has it, and with what stands
/// against a pass, each thing as `{ "anomaly": KIND }`, `{ "missing": KIND or MARK }`, `{ "ends": "well" or "failing" }`,
/// `{ "aborted_input": true }` or `{ "error": WHY }`.
pub fn json(exercise: &Exercise, findings: &[Finding]) -> Json {
    let findings: Vec<_> = findings
        .iter()
        .map(|finding| {
            let mut against: Vec<_> = finding.against.iter().map(Against::json).collect();
            against.dedup();
            json!({
                "passes": finding.passes(),
                "against": against,
                "outcome": crate::json::outcome(&finding.outcome),
            })
        })
        .collect();
    json!({ "exercise": exercise.name, "findings": findings })
}

impl Against {
    /// The kind of thing, without its values.
    fn json(&self) -> Json {
        match self {
            Self::Shown(Surprise::Anomaly(anomaly)) => json!({ "anomaly": crate::json::kind(anomaly.kind) }),
            Self::Shown(Surprise::Failed(Failure { ended: Ended::Status(0), .. })) => json!({ "ends": "well" }),
            Self::Shown(Surprise::Failed(_)) => json!({ "ends": "failing" }),
            Self::Shown(Surprise::AbortedInput { .. }) => json!({ "aborted_input": true }),
            Self::Missing(exhibit) => json!({ "missing": crate::json::exhibit(*exhibit) }),
            Self::Undecided(why) => json!({ "error": why.name() }),
        }
    }
}
