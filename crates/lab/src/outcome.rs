//! What came of one run: everything that a table, a story or a report is made from.

use std::time::Duration;

use proxy::Event;

use crate::catalogue::{Guarantee, Program, Promise};
use crate::child::Ended;
use crate::ledger::Ledger;
use crate::own::Held;
use crate::scenario::{Case, Exhibit, Mark, Scenario};
use crate::verdict::{Surprise, Verdict};

/// One program in one case of a scenario.
#[derive(Debug)]
pub struct Outcome {
    /// The scenario.
    pub scenario: &'static Scenario,
    /// Its case.
    pub case: &'static Case,
    /// The program, or the one of the course in whose place a client of the user's own ran.
    pub program: &'static Program,
    /// The client of the user's own that was held to a guarantee, not to what is announced for the program.
    pub held: Option<Held>,
    /// What the lab says of the guarantee.
    pub verdict: Verdict,
    /// What was announced and did not show.
    pub missing: Vec<Exhibit>,
    /// What showed and was neither announced nor allowed.
    pub surprises: Vec<Surprise>,
    /// The books; empty where the run could not be judged.
    pub ledger: Ledger,
    /// What the trace showed, with the number of the event that shows it first.
    pub marks: Vec<(Mark, u64)>,
    /// The program's instances, in the order of their start.
    pub instances: Vec<Instance>,
    /// The nodes of the cluster to which something was done, told as instances: "node 2".
    pub nodes: Vec<Instance>,
    /// Properties that the lab has set for this run (name, value), besides the program's own.
    pub settings: Vec<(String, String)>,
    /// What happened at the proxy.
    pub trace: Vec<Event>,
    /// How long it took.
    pub took: Duration,
}

/// One process of the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// Its name in the scenario, and its client's name at the proxy: "first", "second".
    pub name: String,
    /// The transactional id that the lab gave it, where it gave one.
    pub given_id: Option<String>,
    /// Its lines of standard output, with the proxy's clock (microseconds) when they came.
    pub lines: Vec<(u64, String)>,
    /// What was done to it, and by its end, with the proxy's clock.
    pub deeds: Vec<(u64, Deed)>,
    /// How it ended; `None`: it was still running when the run was over.
    pub ended: Option<Ended>,
    /// What its log said last.
    pub said: Option<String>,
}

/// What is done to a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// Started.
    Start,
    /// Killed (SIGKILL).
    Kill,
    /// Frozen (SIGSTOP).
    Freeze,
    /// Thawed (SIGCONT).
    Thaw,
    /// Asked to stop (SIGINT), as Ctrl-C does.
    Interrupt,
    /// A node: ended in order.
    Stop,
    /// It ended.
    End,
}

impl Outcome {
    /// The guarantee that the verdict is about.
    pub fn guarantee(&self) -> Guarantee {
        self.held.as_ref().map_or(self.program.guarantee, |held| held.guarantee)
    }

    /// What must not happen under it.
    pub fn promise(&self) -> Promise {
        self.guarantee().promise(self.program.role)
    }

    /// Whether it came out as it was announced; of a client that is held to a guarantee, whether that holds.
    pub fn as_expected(&self) -> bool {
        if self.held.is_some() {
            return self.verdict == Verdict::Holds && self.surprises.is_empty();
        }
        let verdict = match self.verdict {
            Verdict::Holds => !self.case.breaks(self.program.promise()),
            Verdict::Violated(_) => self.case.breaks(self.program.promise()),
            Verdict::Unknown(_) => false,
        };
        verdict && self.missing.is_empty() && self.surprises.is_empty()
    }
}

/// What came of all runs.
#[derive(Debug)]
pub struct Results {
    /// One for each run, in the order of the table.
    pub outcomes: Vec<Outcome>,
    /// Where names and the brokers' ids came from.
    pub seed: u32,
    /// How long it took, several at a time.
    pub took: Duration,
}

impl Results {
    /// Exit status: 0 all as expected, 1 something was not, 2 something could not be decided.
    pub fn status(&self) -> u8 {
        let undecided = |outcome: &Outcome| matches!(outcome.verdict, Verdict::Unknown(_));
        if self.outcomes.iter().all(Outcome::as_expected) {
            0
        } else if self.outcomes.iter().all(|outcome| outcome.as_expected() || undecided(outcome)) {
            2
        } else {
            1
        }
    }
}
