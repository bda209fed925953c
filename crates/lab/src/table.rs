//! The report as a table: no wider than 100 columns, without colours unless it goes to a terminal.

use std::fmt::Write as _;

use comfy_table::{CellAlignment, LineStyle, Table, TableStyle};

use crate::ledger::Kind;
use crate::report::{Report, Row};
use crate::text::Lang;
use crate::verdict::Verdict;

/// One line under the header, and nothing else.
const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('-'));

/// Columns that hold text; the others hold numbers, and are aligned on the right.
const TEXT: [usize; 3] = [0, 1, LAST];

/// The last column needs no room after it.
const LAST: usize = 9;

/// The whole report: the table, what is wrong and with which values, and what it shows in plain words.
pub fn render(report: &Report, lang: Lang, colours: bool) -> String {
    let mut text = String::new();
    for line in table(report, lang).lines() {
        text.push_str(&colour(line.trim_end(), report, lang, colours));
        text.push('\n');
    }
    let details: Vec<_> = report.rows.iter().flat_map(|row| lang.details(row)).collect();
    for lines in [details, lang.summary(report)] {
        if !lines.is_empty() {
            // Writing to a string cannot fail.
            let _ = write!(text, "\n{}\n", lines.join("\n"));
        }
    }
    text
}

fn table(report: &Report, lang: Lang) -> Table {
    let mut table = Table::new();
    table.load_style(STYLE);
    table.set_header(lang.columns());
    for row in &report.rows {
        table.add_row(cells(row, lang));
    }
    for (i, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, u16::from(i < LAST)));
        if !TEXT.contains(&i) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

fn cells(row: &Row, lang: Lang) -> Vec<String> {
    let shown = |number: Option<usize>| number.map_or("-".to_owned(), |number| number.to_string());
    let ledger = row.ledger.as_ref();
    let count = |kind| shown(ledger.map(|ledger| ledger.count(kind)));
    vec![
        row.program.package.to_owned(),
        lang.guarantee(row.program.guarantee).to_owned(),
        shown(ledger.and_then(|ledger| ledger.sent)),
        shown(ledger.and_then(|ledger| ledger.acknowledged)),
        shown(ledger.map(|ledger| ledger.stored)),
        shown(ledger.and_then(|ledger| ledger.processed)),
        count(Kind::Lost),
        count(Kind::Duplicated),
        count(Kind::Reordered),
        lang.verdict(&row.verdict).to_owned(),
    ]
}

/// Colours the verdict at the end of the line of a program.
fn colour(line: &str, report: &Report, lang: Lang, colours: bool) -> String {
    let row = report.rows.iter().find(|row| line.split(' ').next() == Some(row.program.package));
    let Some((row, true)) = row.map(|row| (row, colours)) else {
        return line.to_owned();
    };
    let verdict = lang.verdict(&row.verdict);
    let code = match &row.verdict {
        Verdict::Violated(_) => 31,
        Verdict::Holds if row.is_as_expected() => 32,
        _ => 33,
    };
    match line.strip_suffix(verdict) {
        Some(start) => format!("{start}\x1b[{code}m{verdict}\x1b[0m"),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::PROGRAMS;
    use crate::error::Error;
    use crate::ledger::{Anomaly, Ledger};
    use crate::value::Value;

    /// The widest report: large numbers, all verdicts.
    fn report() -> Report {
        let anomaly = |kind| Anomaly { kind, value: Value::from("msg-3"), times: 1000, places: Vec::new() };
        let rows = PROGRAMS.iter().enumerate().map(|(i, program)| {
            let ledger = Ledger {
                sent: Some(99_999),
                acknowledged: Some(99_999),
                stored: 99_999,
                processed: (i > 3).then_some(99_999),
                aborted_input: 12,
                anomalies: vec![anomaly(Kind::Lost), anomaly(Kind::Duplicated), anomaly(Kind::Reordered)],
            };
            match i {
                8 => Row::unknown(program, Error::Interrupted),
                _ => Row::calm(program, ledger, None),
            }
        });
        Report { scenario: "calm", seed: 1, rows: rows.collect() }
    }

    #[test]
    fn the_table_fits_into_100_columns() {
        for lang in [Lang::En, Lang::Fr] {
            let text = table(&report(), lang).to_string();
            for line in text.lines() {
                assert!(line.chars().count() <= 100, "{} columns: {line}", line.chars().count());
            }
        }
    }

    #[test]
    fn colours_only_where_they_are_wanted() {
        let report = report();
        assert!(render(&report, Lang::En, true).contains("\x1b[31mviolated\x1b[0m"));
        assert!(!render(&report, Lang::En, false).contains('\x1b'));
    }

    #[test]
    fn what_is_violated_is_named_below_the_table() {
        let text = render(&report(), Lang::Fr, false);
        assert!(text.contains("producer-at-least-once : garantie violée : perdu : msg-3"), "{text}");
        assert!(text.contains("producer-at-least-once : inattendu : en double : msg-3"), "{text}");
        assert!(text.contains("eos-pipeline : pas de verdict : interrompu"), "{text}");
    }
}
