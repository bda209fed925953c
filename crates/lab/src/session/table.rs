//! The board, for the instructor and for programs.

use serde_json::{Value as Json, json};

use super::board::{Board, Cell, State};
use crate::exercises::Exercise;
use crate::layout::{WIDTH, cut, flow, pad, width, wrap};
use crate::text::Lang;

/// Columns of an exercise: a sign, two digits, and space.
const COLUMN: usize = 5;

/// Columns of a student's name, at most.
const NAME: usize = 20;

/// What the board does not know.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Now<'a> {
    pub(crate) servers: &'a str,
    /// No broker answers.
    pub(crate) away: bool,
    /// In milliseconds since 1970.
    pub(crate) time: i64,
}

/// The table, and below it who is at work on what.
pub(crate) fn render(board: &Board, now: &Now<'_>, lang: Lang, colours: bool) -> String {
    let column = board.rows.iter().map(|row| width(&row.student.name)).max().unwrap_or_default().clamp(8, NAME);
    let mut text = String::new();
    wrap(&mut text, "", 0, &lang.session(now.servers, board.rows.len()));
    if now.away {
        wrap(&mut text, "", 0, lang.session_away());
    }
    text.push('\n');
    // More exercises than a line has room for stand in the list below, and in the JSON.
    let shown = (WIDTH - column - "  15".len()) / COLUMN;
    let mut heading = pad("", column + 1);
    for exercise in board.exercises.iter().take(shown) {
        heading.push_str(&pad(&cut(&exercise.number, 3), COLUMN));
    }
    text.push_str(heading.trim_end());
    text.push('\n');
    for row in &board.rows {
        let mut line = pad(&cut(&row.student.name, column), column + 1);
        for cell in row.cells.iter().take(shown) {
            let (sign, code) = match cell.state {
                State::Unknown => ("·", ""),
                State::Passed => ("✓", "32"),
                State::NotYet(_) => ("✗", "31"),
            };
            let attempts = if cell.attempts == 0 { String::new() } else { cell.attempts.min(999).to_string() };
            let padded = pad(&format!("{sign}{attempts}"), COLUMN);
            line.push_str(&if colours && !code.is_empty() { format!("\x1b[{code}m{padded}\x1b[0m") } else { padded });
        }
        text.push_str(&format!("{} {}\n", line, row.passed()).replace(" \n", "\n"));
    }
    text.push('\n');
    flow(&mut text, &lang.session_signs().map(str::to_owned));
    wrap(&mut text, "", 0, lang.session_caution());
    let working = working(board);
    if !working.is_empty() {
        text.push('\n');
    }
    for (name, exercise, cell) in working {
        let State::NotYet(stop) = &cell.state else { continue };
        let minutes = now.time.saturating_sub(cell.since).max(0) / 60_000;
        let met = scenario(exercise, stop.job);
        let told = lang.session_working(&exercise.number, &exercise.name, &met, stop.undecided, cell.attempts, minutes);
        wrap(&mut text, "", 2, &format!("{} · {told}", cut(name, column)));
    }
    for row in board.rows.iter().filter(|row| row.strange > 0) {
        wrap(&mut text, "", 2, &lang.session_strange(&cut(&row.student.name, NAME), row.strange));
    }
    text
}

/// Who is at work on what, the longest first.
fn working(board: &Board) -> Vec<(&str, &Exercise, &Cell)> {
    let mut working: Vec<_> = board
        .rows
        .iter()
        .flat_map(|row| {
            let cells = board.exercises.iter().zip(&row.cells);
            cells.map(|(exercise, cell)| (row.student.name.as_str(), exercise, cell))
        })
        .filter(|(.., cell)| matches!(cell.state, State::NotYet(_)))
        .collect();
    working.sort_by_key(|(.., cell)| cell.since);
    working
}

fn scenario(exercise: &Exercise, job: usize) -> String {
    exercise.jobs.get(job).map_or_else(String::new, |job| match job.case.variant {
        "" => job.scenario.name.to_owned(),
        variant => format!("{} ({variant})", job.scenario.name),
    })
}

/// The board as one object: always in English, times in milliseconds since 1970.
pub(crate) fn json(board: &Board, now: &Now<'_>) -> Json {
    let students = board.rows.iter().map(|row| {
        let exercises = board.exercises.iter().zip(&row.cells).map(|(exercise, cell)| {
            let first = match &cell.state {
                State::NotYet(stop) => exercise.jobs.get(stop.job).map(|job| {
                    json!({
                        "scenario": job.scenario.name,
                        "variant": job.case.variant,
                        "verdict": if stop.undecided { "undecided" } else { "fails" },
                    })
                }),
                _ => None,
            };
            json!({
                "number": exercise.number,
                "exercise": exercise.name,
                "state": match cell.state {
                    State::Unknown => "unknown",
                    State::Passed => "passed",
                    State::NotYet(_) => "not-yet",
                },
                "attempts": cell.attempts,
                "since": (cell.attempts > 0).then_some(cell.since),
                "first": first,
            })
        });
        json!({
            "namespace": row.student.namespace,
            "name": row.student.name,
            "passed": row.passed(),
            "exercises": exercises.collect::<Vec<_>>(),
            "strange_records": row.strange,
        })
    });
    json!({
        "bootstrap_servers": now.servers,
        "away": now.away,
        "time": now.time,
        "students": students.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::board::testing::{board, record};
    use super::*;

    const NOW: Now<'_> = Now { servers: "kafka:9092", away: false, time: 12 * 60_000 };

    fn class() -> Board {
        let mut board = board(15, &[("ann", "Ann Martin"), ("bob", "\u{1b}[2J Bob with a very long name indeed")]);
        let exercises = board.exercises.clone();
        board.take(0, Some(&record(&exercises[0], None)), 0);
        board.take(1, Some(&record(&exercises[5], Some(1))), 60_000);
        board.take(1, Some(&record(&exercises[5], Some(1))), 120_000);
        board.take(1, Some(b"\x1b[2J"), 0);
        board
    }

    #[test]
    fn the_table_shows_who_has_passed_what_and_who_is_at_work() {
        let text = render(&class(), &NOW, Lang::En, false);
        let lines: Vec<_> = text.lines().collect();
        assert!(lines.iter().all(|line| width(line) <= WIDTH && !line.contains('\u{1b}')), "{text}");
        assert!(lines[2].trim_start().starts_with("01   02   ") && lines[2].ends_with("15"), "{text}");
        assert!(
            lines[3].starts_with("Ann Martin") && lines[3].contains(" ✓1   ·") && lines[3].ends_with(" 1"),
            "{text}"
        );
        assert!(lines[4].contains(" ✗2   ·") && lines[4].ends_with(" 0"), "{text}");
        assert!(text.contains("06 commit-before: killed-between (before) · 2 checks, for 11 min"), "{text}");
        assert!(text.contains(": 1 record"), "{text}");
        let french = render(&class(), &Now { away: true, ..NOW }, Lang::Fr, true);
        assert!(french.contains("depuis 11 min") && french.contains("\x1b[32m✓1"), "{french}");
        assert!(french.contains("Aucun broker ne répond"), "{french}");
    }

    #[test]
    fn the_same_stands_in_the_json() {
        let json = json(&class(), &NOW);
        let bob = &json["students"][1];
        assert_eq!((&json["students"][0]["passed"], &bob["strange_records"]), (&json!(1), &json!(1)));
        assert_eq!(bob["exercises"][5]["first"]["scenario"], "killed-between");
        assert_eq!((&bob["exercises"][5]["attempts"], &bob["exercises"][5]["since"]), (&json!(2), &json!(60_000)));
    }
}
