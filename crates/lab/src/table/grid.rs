//! Rows of scenarios, columns of programs.

use super::cell::{Cell, FORMS, State};
use crate::catalogue::{PROGRAMS, Program};
use crate::layout::{WIDTH, cut, pad, width};
use crate::outcome::Outcome;
use crate::text::Lang;

/// The names of scenarios and variants take so many columns at most.
const LABEL: usize = 22;

/// Stands for the variant in the lines of a label that follow its first: no variant is called so.
const REST: &str = "\n";

struct Row {
    label: String,
    cells: Vec<Option<Cell>>,
}

/// A column of the table.
struct Column {
    program: &'static Program,
    /// In which form its cells stand.
    form: usize,
    width: usize,
}

/// The grid, with its heading.
pub(super) fn render(outcomes: &[Outcome], lang: Lang, colours: bool) -> String {
    let mut columns: Vec<_> = PROGRAMS
        .iter()
        .filter(|program| outcomes.iter().any(|outcome| outcome.program.package == program.package))
        .map(|program| Column { program, form: 0, width: 0 })
        .collect();
    let rows = rows(outcomes, &columns, lang);
    let heading = lang.scenario_heading();
    let label = rows.iter().map(|row| width(&row.label)).chain([width(heading)]).max().unwrap_or_default();
    let between = fit(&mut columns, &rows, label);

    let mut text = String::new();
    let mut push = |label_: &str, bold: bool, cells: &mut dyn Iterator<Item = (String, Option<&'static str>)>| {
        let mut line = paint(pad(label_, label), if bold { "1" } else { "" }, colours);
        for (cell, colour) in cells {
            line.push_str(&" ".repeat(between));
            line.push_str(&paint(cell, colour.unwrap_or_default(), colours));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    };
    push("", false, &mut tops(&columns, between).into_iter().map(|top| (top, Some("1"))));
    push(heading, true, &mut columns.iter().map(|column| (pad(name(column.program).1, column.width), Some("1"))));
    let full = label + columns.iter().map(|column| between + column.width).sum::<usize>();
    push(&"─".repeat(full), false, &mut std::iter::empty());
    for row in &rows {
        let cells = columns.iter().zip(&row.cells).map(|(column, cell)| match cell {
            Some(cell) => (pad(&cell.text(column.form), column.width), Some(colour(cell))),
            None if row.cells.iter().all(Option::is_none) => (String::new(), None),
            None => (pad("·", column.width), Some("2")),
        });
        push(&row.label, false, &mut cells.collect::<Vec<_>>().into_iter());
    }
    text
}

/// By scenario, then by variant; a scenario with variants has a line of its own above them.
fn rows(outcomes: &[Outcome], columns: &[Column], lang: Lang) -> Vec<Row> {
    let mut rows: Vec<(&str, &str, Row)> = Vec::new();
    for outcome in outcomes {
        let (scenario, variant) = (outcome.scenario.name, outcome.case.variant);
        let Some(at) = columns.iter().position(|column| column.program.package == outcome.program.package) else {
            continue;
        };
        let empty = || columns.iter().map(|_| None).collect::<Vec<_>>();
        if !variant.is_empty() && !rows.iter().any(|(other, _, _)| *other == scenario) {
            rows.push((scenario, "", Row { label: cut(scenario, LABEL), cells: empty() }));
        }
        let free = |row: &Row| row.cells.get(at).is_some_and(Option::is_none);
        let same = |row: &&mut (&str, &str, Row)| row.0 == scenario && row.1 == variant && free(&row.2);
        let cell = Cell::of(outcome, lang);
        match rows.iter_mut().find(same).and_then(|row| row.2.cells.get_mut(at)) {
            Some(place) => *place = Some(cell),
            None => {
                let mut labels = label(scenario, variant).into_iter();
                let mut row = Row { label: labels.next().unwrap_or_default(), cells: empty() };
                if let Some(place) = row.cells.get_mut(at) {
                    *place = Some(cell);
                }
                // Below the other rows of its scenario.
                let below =
                    rows.iter().rposition(|(other, _, _)| *other == scenario).map_or(rows.len(), |last| last + 1);
                let rest = labels.map(|label| (scenario, REST, Row { label, cells: empty() }));
                rows.splice(below..below, std::iter::once((scenario, variant, row)).chain(rest));
            }
        }
    }
    rows.into_iter().map(|(_, _, row)| row).collect()
}

/// The name of a scenario; below it, that of a variant, in as many lines as it takes.
fn label(scenario: &str, variant: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in variant.split(' ') {
        match lines.last_mut() {
            Some(line) if width(line) + 1 + width(word) <= LABEL => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) => lines.push(format!("    {word}")),
            None => lines.push(format!("  {word}")),
        }
    }
    if variant.is_empty() {
        lines = vec![scenario.to_owned()];
    }
    lines.into_iter().map(|line| cut(&line, LABEL)).collect()
}

/// Chooses the forms of the cells so that the table fits, and says how many spaces stand between two columns.
fn fit(columns: &mut [Column], rows: &[Row], label: usize) -> usize {
    let widest = |at: usize, form: usize| {
        let cells = rows.iter().filter_map(|row| row.cells.get(at)?.as_ref());
        cells.map(|cell| width(&cell.text(form))).max().unwrap_or_default()
    };
    for uniform in [0, 1] {
        for column in columns.iter_mut() {
            column.form = uniform;
        }
        if let Some(between) = between(columns, &widest, label) {
            return between;
        }
    }
    loop {
        if let Some(between) = between(columns, &widest, label) {
            return between;
        }
        // The widest column that can be narrower.
        let narrower = |at: usize, column: &Column| {
            let below = width(name(column.program).1);
            (column.form + 1..FORMS).find(|form| widest(at, *form).max(below) < column.width)
        };
        let next = columns
            .iter()
            .enumerate()
            .filter_map(|(at, column)| Some((column.width, at, narrower(at, column)?)))
            .max_by_key(|(width, at, _)| (*width, usize::MAX - at));
        match next.and_then(|(_, at, form)| Some((columns.get_mut(at)?, form))) {
            Some((column, form)) => column.form = form,
            None => return 1,
        }
    }
}

/// The width of each column in its form; how many spaces fit between them, if any.
fn between(columns: &mut [Column], widest: &dyn Fn(usize, usize) -> usize, label: usize) -> Option<usize> {
    for (at, column) in columns.iter_mut().enumerate() {
        column.width = widest(at, column.form).max(width(name(column.program).1));
    }
    spread(columns);
    [2, 1]
        .into_iter()
        .find(|between| label + columns.iter().map(|column| between + column.width).sum::<usize>() <= WIDTH)
}

/// A name that stands above several columns needs their room.
fn spread(columns: &mut [Column]) {
    let mut from = 0;
    while let Some(first) = columns.get(from) {
        let (top, _) = name(first.program);
        let len = columns.iter().skip(from).take_while(|column| name(column.program).0 == top).count().max(1);
        let len = if is_shared(top) { len } else { 1 };
        let room: usize =
            columns.iter().skip(from).take(len).map(|column| column.width + 1).sum::<usize>().saturating_sub(1);
        if let Some(last) = columns.get_mut(from + len - 1) {
            last.width += width(top).saturating_sub(room);
        }
        from += len;
    }
}

/// The upper line of the heading: one text for each column.
fn tops(columns: &[Column], between: usize) -> Vec<String> {
    let mut texts = Vec::new();
    let mut from = 0;
    while let Some(first) = columns.get(from) {
        let (top, _) = name(first.program);
        let same = columns.iter().skip(from).take_while(|column| name(column.program).0 == top).count().max(1);
        let len = if is_shared(top) { same } else { 1 };
        let room: usize = columns.iter().skip(from).take(len).map(|column| column.width + between).sum();
        texts.push(pad(top, room.saturating_sub(between)));
        from += len;
    }
    texts
}

fn is_shared(top: &str) -> bool {
    top.contains('…')
}

/// A package's name in two lines, of which neighbours share the upper one: `producer-at-most-once` is `at-most` below
/// `producer-…-once`.
fn name(program: &Program) -> (&'static str, &'static str) {
    match program.package.split_once('-') {
        Some(("producer", rest)) if rest.ends_with("-once") => ("producer-…-once", rest.trim_end_matches("-once")),
        Some(("consumer", rest)) if rest.ends_with("-once") => ("consumer-…-once", rest.trim_end_matches("-once")),
        Some(("eos", rest)) => ("eos-", rest),
        _ => ("", program.package),
    }
}

fn colour(cell: &Cell) -> &'static str {
    match cell.state {
        State::Holds if cell.is_bare() => "32",
        State::Holds => "33",
        State::Broken => "31",
        State::Unexpected => "1;37;41",
        State::Unknown => "1;35",
    }
}

/// The text in a colour, where colours are wanted; what pads it, without.
fn paint(text: String, code: &str, colours: bool) -> String {
    let shown = text.trim_end();
    if !colours || code.is_empty() || shown.is_empty() {
        return text;
    }
    format!("\x1b[{code}m{shown}\x1b[0m{}", text.get(shown.len()..).unwrap_or_default())
}
