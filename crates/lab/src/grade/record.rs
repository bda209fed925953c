//! What is known of one exercise of one student; kept as JSON, so its names do not change.

use serde::{Deserialize, Serialize};

use super::room::Breach;

/// What came of an exercise, or of one of its scenarios.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// All that it must do, it does.
    Passed,
    /// Twice it did not.
    Failed,
    /// Twice it met a limit.
    Limit,
    /// It failed once and passed once: somebody has to look.
    Undecided,
    /// The compiler refuses it.
    DoesNotBuild,
    /// Its text is as given.
    NotBegun,
    /// It is not there.
    Missing,
    /// The lab could not do its part: nothing is known.
    NotGraded,
}

impl Verdict {
    /// All, in the order in which they are explained.
    pub const ALL: [Self; 8] = [
        Self::Passed,
        Self::Failed,
        Self::Limit,
        Self::Undecided,
        Self::DoesNotBuild,
        Self::NotBegun,
        Self::Missing,
        Self::NotGraded,
    ];

    /// Its name where programs read it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Limit => "limit",
            Self::Undecided => "undecided",
            Self::DoesNotBuild => "does-not-build",
            Self::NotBegun => "not-begun",
            Self::Missing => "missing",
            Self::NotGraded => "not-graded",
        }
    }
}

/// What came of an exercise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grade {
    /// In one word.
    pub verdict: Verdict,
    /// By scenario, in the order of the exercise; empty where none was run.
    pub scenarios: Vec<Tried>,
    /// What somebody who reads the grade should know.
    pub notes: Vec<Note>,
    /// How long its runs took, several at a time, in milliseconds.
    pub took_ms: u64,
}

impl Grade {
    /// A grade without a run.
    pub fn without_a_run(verdict: Verdict, notes: Vec<Note>) -> Self {
        Self { verdict, scenarios: Vec::new(), notes, took_ms: 0 }
    }

    /// The scenario that decides the verdict: the first that has it.
    pub fn decisive(&self) -> Option<&Tried> {
        self.scenarios.iter().find(|tried| tried.verdict == self.verdict).filter(|_| self.verdict != Verdict::Passed)
    }
}

/// What came of one scenario: run once if it passed then, and otherwise twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tried {
    /// The scenario.
    pub scenario: String,
    /// Its variant; empty where there is none.
    pub variant: String,
    /// In one word.
    pub verdict: Verdict,
    /// How often it failed.
    pub failed: u32,
    /// How often it ran.
    pub runs: u32,
    /// What stood against a pass first: an anomaly, "missing NAME" (what the right program shows), or the name of an error.
    pub anomaly: Option<String>,
    /// The first value that this concerns.
    pub value: Option<String>,
    /// How the program ended, where that was wrong, with its last words.
    pub ended: Option<String>,
    /// The limit that it met.
    pub limit: Option<Breach>,
}

impl Tried {
    /// "killed-between/before".
    pub fn name(&self) -> String {
        match self.variant.as_str() {
            "" => self.scenario.clone(),
            variant => format!("{}/{variant}", self.scenario),
        }
    }
}

/// What somebody who reads the grade should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Note {
    /// The compiler's first error.
    Compiler(String),
    /// The compiler was stopped: it took too long, or too much memory.
    CompilerStopped,
    /// A file of the student's that is not used: a manifest that differs from what was given, a build script.
    NotUsed(String),
    /// Something in `src` that is left out: a link, a pipe, a name that no source has.
    LeftOut(String),
    /// There is more in `src` than an exercise ever takes, so nothing was built.
    TooMuch,
    /// There is no `src/main.rs`.
    NoMain,
    /// The folder has no exercises in it.
    NoExercises,
    /// Why the lab could not do its part.
    Lab(String),
}
