//! The result of a scenario.

use crate::catalogue::Program;
use crate::error::Error;
use crate::execution::Failure;
use crate::ledger::{Kind, Ledger};
use crate::verdict::{Surprise, Verdict, judge};

/// What was observed of one program.
#[derive(Debug)]
pub struct Row {
    /// The program.
    pub program: &'static Program,
    /// Its books, if there was anything to put into them.
    pub ledger: Option<Ledger>,
    /// Whether its promise holds.
    pub verdict: Verdict,
    /// What else was not as expected.
    pub surprises: Vec<Surprise>,
}

impl Row {
    /// A run without a fault: what the promise allows is a surprise too, since nothing explains it.
    pub fn calm(program: &'static Program, ledger: Ledger, failure: Option<Failure>) -> Self {
        let (verdict, allowed) = judge(program.promise(), &ledger);
        Self {
            program,
            ledger: Some(ledger),
            verdict,
            surprises: allowed.into_iter().map(Surprise::Anomaly).chain(failure.map(Surprise::Failed)).collect(),
        }
    }

    /// A run of which nothing can be said.
    pub fn unknown(program: &'static Program, why: Error) -> Self {
        Self { program, ledger: None, verdict: Verdict::Unknown(why), surprises: Vec::new() }
    }

    /// Whether all is as the scenario announced it.
    pub fn is_as_expected(&self) -> bool {
        self.verdict == Verdict::Holds && self.surprises.is_empty()
    }

    fn is_undecided(&self) -> bool {
        matches!(self.verdict, Verdict::Unknown(_))
    }
}

/// What was observed of all programs.
#[derive(Debug)]
pub struct Report {
    /// The scenario.
    pub scenario: &'static str,
    /// Where the names of topics, groups and transactional ids come from.
    pub seed: u32,
    /// One row for each program, in the order of the catalogue.
    pub rows: Vec<Row>,
}

impl Report {
    /// How many rows are as expected.
    pub fn as_expected(&self) -> usize {
        self.rows.iter().filter(|row| row.is_as_expected()).count()
    }

    /// Exit status: 0 all as expected, 1 something was not, 2 something could not be decided.
    pub fn status(&self) -> u8 {
        if self.rows.iter().all(Row::is_as_expected) {
            0
        } else if self.rows.iter().all(|row| row.is_as_expected() || row.is_undecided()) {
            2
        } else {
            1
        }
    }

    /// How many records of aborted transactions stood in the inputs, and how many of them were processed.
    pub fn aborted_inputs(&self) -> (usize, usize) {
        let ledgers = || self.rows.iter().filter_map(|row| row.ledger.as_ref());
        (
            ledgers().map(|ledger| ledger.aborted_input).sum(),
            ledgers().map(|ledger| ledger.count(Kind::AbortedProcessed)).sum(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::PROGRAMS;
    use crate::child::Ended;
    use crate::ledger::Anomaly;
    use crate::value::Value;

    fn with(kinds: &[Kind]) -> Ledger {
        let anomaly = |&kind| Anomaly { kind, value: Value::from("msg-1"), times: 1, places: Vec::new() };
        Ledger { anomalies: kinds.iter().map(anomaly).collect(), ..Ledger::default() }
    }

    fn status(rows: Vec<Row>) -> u8 {
        Report { scenario: "calm", seed: 1, rows }.status()
    }

    /// producer-at-least-once: it may duplicate, and must not lose.
    fn row(kinds: &[Kind]) -> Row {
        Row::calm(&PROGRAMS[1], with(kinds), None)
    }

    fn unknown() -> Row {
        Row::unknown(&PROGRAMS[2], Error::Flooded(9))
    }

    #[test]
    fn the_status_tells_as_expected_from_not_and_from_not_decided() {
        assert_eq!(status(vec![row(&[]), row(&[])]), 0);
        assert_eq!(status(vec![row(&[]), row(&[Kind::Lost])]), 1, "violated");
        assert_eq!(status(vec![row(&[]), row(&[Kind::Duplicated])]), 1, "allowed, but nothing explains it");
        assert_eq!(status(vec![row(&[]), unknown()]), 2);
        assert_eq!(status(vec![row(&[Kind::Lost]), unknown()]), 1, "what was found is found");
    }

    #[test]
    fn a_program_that_fails_is_not_as_expected() {
        let failure = Failure { ended: Ended::Status(1), said: None };
        assert_eq!(status(vec![Row::calm(&PROGRAMS[1], with(&[]), Some(failure))]), 1);
    }
}
