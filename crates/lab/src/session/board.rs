//! Who has passed what.

use super::students::Student;
use super::verdict::{Of, Verdict};
use crate::exercises::Exercise;
use crate::matrix::Job;

/// The students, and how far each of them is with each exercise.
#[derive(Debug)]
pub(crate) struct Board {
    pub(crate) exercises: Vec<Exercise>,
    pub(crate) rows: Vec<Row>,
}

/// One student.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) student: Student,
    /// As many as there are exercises.
    pub(crate) cells: Vec<Cell>,
    /// Records that the lab would not have written.
    pub(crate) strange: u64,
}

/// One exercise of one student.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) state: State,
    /// How many checks there were, up to the first that passed.
    pub(crate) attempts: u64,
    /// When it passed, or failed for the first time: in milliseconds since 1970, by the broker's clock.
    pub(crate) since: i64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum State {
    /// No check.
    #[default]
    Unknown,
    /// One has passed. What has passed once stays so.
    Passed,
    /// None has passed; what the last one met first.
    NotYet(Stop),
}

/// The first scenario that did not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stop {
    /// Its number among the exercise's jobs.
    pub(crate) job: usize,
    /// Nothing was decided.
    pub(crate) undecided: bool,
}

impl Board {
    pub(crate) fn new(exercises: Vec<Exercise>, students: &[Student]) -> Self {
        let row = |student: &Student| Row {
            student: student.clone(),
            cells: vec![Cell::default(); exercises.len()],
            strange: 0,
        };
        Self { rows: students.iter().map(row).collect(), exercises }
    }

    /// Takes a record from the verdict topic of the student with this number, written at this time.
    pub(crate) fn take(&mut self, student: usize, value: Option<&[u8]>, at: i64) {
        let Some(row) = self.rows.get_mut(student) else { return };
        let known = Verdict::read(value).and_then(|verdict| {
            let number = self.exercises.iter().position(|exercise| exercise.name == verdict.exercise)?;
            Some((number, look(&verdict, &self.exercises.get(number)?.jobs)?))
        });
        match known.and_then(|(number, state)| Some((row.cells.get_mut(number)?, state))) {
            Some((cell, state)) => cell.take(state, at),
            None => row.strange = row.strange.saturating_add(1),
        }
    }
}

impl Row {
    pub(crate) fn passed(&self) -> usize {
        self.cells.iter().filter(|cell| cell.state == State::Passed).count()
    }
}

impl Cell {
    fn take(&mut self, state: State, at: i64) {
        if self.state == State::Passed {
            return;
        }
        self.attempts = self.attempts.saturating_add(1);
        if self.state == State::Unknown || state == State::Passed {
            self.since = at;
        }
        self.state = state;
    }
}

/// What the verdict says, if it is about these jobs: all of them, in their order.
fn look(verdict: &Verdict, jobs: &[Job]) -> Option<State> {
    if verdict.scenarios.len() != jobs.len() {
        return None;
    }
    let mut first = None;
    for (number, (told, job)) in verdict.scenarios.iter().zip(jobs).enumerate() {
        if (told.scenario.as_str(), told.variant.as_str()) != (job.scenario.name, job.case.variant) {
            return None;
        }
        if told.verdict != Of::Passes && first.is_none() {
            first = Some(Stop { job: number, undecided: told.verdict == Of::Undecided });
        }
    }
    match first {
        None if verdict.passed => Some(State::Passed),
        Some(stop) if !verdict.passed => Some(State::NotYet(stop)),
        _ => None,
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use serde_json::json;

    use super::*;
    use crate::cargo;

    /// A board of the first exercises of this checkout.
    pub(crate) fn board(exercises: usize, students: &[(&str, &str)]) -> Board {
        let mut all = crate::exercises::all(cargo::workspace().unwrap()).unwrap();
        all.truncate(exercises);
        let students: Vec<_> = students
            .iter()
            .map(|(namespace, name)| Student { namespace: (*namespace).into(), name: (*name).into() })
            .collect();
        Board::new(all, &students)
    }

    /// A record in which this scenario fails, or none.
    pub(crate) fn record(exercise: &Exercise, fails: Option<usize>) -> Vec<u8> {
        let scenarios: Vec<_> = exercise
            .jobs
            .iter()
            .enumerate()
            .map(|(number, job)| {
                let verdict = if fails == Some(number) { "fails" } else { "passes" };
                json!({ "scenario": job.scenario.name, "variant": job.case.variant, "verdict": verdict })
            })
            .collect();
        let record = json!({ "exercise": exercise.name, "passed": fails.is_none(), "scenarios": scenarios, "when": 1 });
        record.to_string().into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{board, record};
    use super::*;

    #[test]
    fn attempts_are_counted_up_to_the_first_pass_which_stays() {
        let mut board = board(2, &[("ann", "Ann"), ("bob", "Bob")]);
        let exercise = board.exercises[0].clone();
        for (fails, at) in [(Some(1), 10), (Some(0), 20)] {
            board.take(0, Some(&record(&exercise, fails)), at);
        }
        let stop = Stop { job: 0, undecided: false };
        assert_eq!(board.rows[0].cells[0], Cell { state: State::NotYet(stop), attempts: 2, since: 10 });
        for (fails, at) in [(None, 30), (Some(0), 40), (None, 50)] {
            board.take(0, Some(&record(&exercise, fails)), at);
        }
        assert_eq!(board.rows[0].cells[0], Cell { state: State::Passed, attempts: 3, since: 30 });
        assert_eq!((board.rows[0].passed(), board.rows[1].passed()), (1, 0));
    }

    #[test]
    fn what_the_lab_would_not_have_written_is_counted_and_changes_nothing() {
        let mut board = board(2, &[("ann", "Ann")]);
        let good = String::from_utf8(record(&board.exercises[0], None)).unwrap();
        for bad in [
            good.replace("fire-and-forget", "no-such-exercise"),
            good.replace("calm", "\\u001b[2J"),
            good.replace("true", "false"),
            good.replacen("passes", "fails", 1),
            good.replace("\"scenarios\":[", "\"scenarios\":[],\"more\":["),
            "\u{1b}[2J".into(),
            String::new(),
        ] {
            board.take(0, Some(bad.as_bytes()), 1);
        }
        board.take(0, None, 1);
        board.take(7, Some(good.as_bytes()), 1);
        assert_eq!((board.rows[0].strange, &board.rows[0].cells[0]), (8, &Cell::default()));
    }
}
