//! The names of one run: every topic, group and transactional id begins with `lab-SEED`, so that runs on one cluster do
//! not meet, and what a run left behind can be found.

use std::hash::{BuildHasher, RandomState};

use crate::catalogue::Program;
use crate::outcome::Outcome;
use crate::scenario::{Case, Scenario};

/// The names of one run.
#[derive(Debug, Clone)]
pub struct Names {
    seed: u32,
    prefix: String,
}

impl Names {
    /// The names of the run with this seed; the namespace, if any, goes first.
    pub fn new(seed: u32, namespace: Option<&str>) -> Self {
        let prefix = match namespace {
            Some(namespace) => format!("{namespace}-lab-{seed}"),
            None => format!("lab-{seed}"),
        };
        Self { seed, prefix }
    }

    /// The names of one program in one case of a scenario.
    #[must_use]
    pub fn within(&self, scenario: &Scenario, case: &Case, program: &Program) -> Self {
        Self { seed: self.seed, prefix: self.of(&label(scenario, case, program)) }
    }

    /// The names of one run of several.
    #[must_use]
    pub(crate) fn numbered(&self, number: u32) -> Self {
        Self { seed: self.seed, prefix: format!("{}-{number}", self.prefix) }
    }

    /// The seed that they come from.
    pub fn seed(&self) -> u32 {
        self.seed
    }

    /// What all names begin with.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The name of a topic, group or transactional id.
    pub fn of(&self, what: &str) -> String {
        format!("{}-{what}", self.prefix)
    }
}

/// One program in one case of a scenario, as a word: of a topic's name, of a file's.
pub fn label(scenario: &Scenario, case: &Case, program: &Program) -> String {
    let words = [scenario.name, case.variant, program.package];
    // "own, random id" is a good name for readers, and none for a topic.
    let words = words.iter().flat_map(|words| words.split(|c: char| !c.is_ascii_alphanumeric()));
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-")
}

/// A text in which the names of a run's topic, group and ids are short: `topic` for `lab-7-calm-eos-producer-topic`.
pub(crate) fn short(outcome: &Outcome, text: &str) -> String {
    let marker = label(outcome.scenario, outcome.case, outcome.program) + "-";
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(&marker) {
        // The namespace and the seed go as well.
        let begins = before.rfind(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '.' | '_' | '-'));
        match before.char_indices().find(|(at, _)| begins.is_none_or(|begins| *at > begins)) {
            Some((at, _)) => out.push_str(before.get(..at).unwrap_or_default()),
            None => out.push_str(before),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// A seed that no other run is likely to have: from the operating system's random numbers.
pub fn random_seed() -> u32 {
    // The keys of the standard library's hash maps; a crate for one number would be too much.
    let [.., a, b, c, d] = RandomState::new().hash_one(std::process::id()).to_be_bytes();
    u32::from_be_bytes([a, b, c, d])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn the_names_of_a_run_are_shortened_and_nothing_else_is() {
        let outcome = sample::outcome(1, 1, "eos-pipeline", &[]);
        let names = Names::new(7, Some("class.a")).within(outcome.scenario, outcome.case, outcome.program);
        let (topic, id) = (names.of("topic"), names.of("id-first"));
        assert_eq!(short(&outcome, &topic), "topic");
        assert_eq!(short(&outcome, &format!("process: {topic}[0]@1 -> ({id})")), "process: topic[0]@1 -> (id-first)");
        assert_eq!(short(&outcome, "lab-7-calm-eos-pipeline-topic été"), "lab-7-calm-eos-pipeline-topic été");
    }
}
