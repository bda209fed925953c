//! The topic as a table: one line for each offset, no wider than 100 columns.

use std::fmt::Write as _;

use comfy_table::{CellAlignment, ColumnConstraint, LineStyle, Table, TableStyle, Width};
use proxy::Marker;

use super::log::{Entry, Partition, State, What};
use super::{Shown, words};
use crate::text::Lang;

/// One line under the header, and nothing else.
const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('-'));

/// What fits into a terminal, and onto paper.
const WIDTH: usize = 100;

/// Between two columns.
const GAP: usize = 2;

/// Columns of numbers, aligned on the right.
const NUMBERS: [usize; 2] = [0, 1];

const KEY: usize = 2;
const VALUE: usize = 3;
const LAST: usize = 7;

/// Lines of the header: two, and the one under them.
const HEADER: usize = 3;

/// The least width of keys and values.
const NARROW: usize = 6;

const GREEN: u8 = 32;
const RED: u8 = 31;
const YELLOW: u8 = 33;
const CYAN: u8 = 36;

/// The whole table.
pub(super) fn render(topic: &Shown, lang: Lang, colours: bool) -> String {
    let header = words::columns(lang);
    let entries = topic.partitions.iter().flat_map(|partition| partition.entries.iter().map(move |e| (partition, e)));
    let mut rows: Vec<_> = entries.map(|(partition, entry)| cells(partition, entry, lang)).collect();
    let mut widths = header.map(|text| text.lines().map(width).max().unwrap_or(0));
    // Numbers of partitions without a record, and the end offsets, stand below the header as well.
    let marks = topic.partitions.iter().map(|p| [p.number.to_string(), p.bounds.end.to_string()].map(|n| n.len()));
    for [number, end] in marks {
        widths[0] = widths[0].max(number);
        widths[1] = widths[1].max(end);
    }
    for row in &rows {
        for (column, cell) in widths.iter_mut().zip(row) {
            *column = width(cell).max(*column);
        }
    }
    let room = WIDTH.saturating_sub(GAP * LAST + widths.iter().sum::<usize>() - widths[KEY] - widths[VALUE]);
    // A key has a third, and more where values leave it.
    let key = widths[KEY].min(room.saturating_sub(widths[VALUE]).max(room / 3).max(NARROW));
    let value = widths[VALUE].min(room.saturating_sub(key).max(NARROW));
    for row in &mut rows {
        cut(&mut row[KEY], key);
        cut(&mut row[VALUE], value);
    }
    widths[KEY] = key;
    widths[VALUE] = value;

    let [number, offset, ..] = widths;
    let table = table(&header, rows, [number, offset]);
    let mut lines = table.lines().map(|line| line.trim_end().to_owned());
    let mut text = format!("{}\n\n", words::title(lang, &topic.topic, topic.partitions.len()));
    for line in lines.by_ref().take(HEADER) {
        let _ = writeln!(text, "{line}");
    }
    let rule = "-".repeat(table.lines().map(|line| line.chars().count()).max().unwrap_or(0));
    for (i, partition) in topic.partitions.iter().enumerate() {
        if i > 0 {
            let _ = writeln!(text, "{rule}");
        }
        let mark = |text: &mut String, at: i64, what: &str| {
            let line = format!("{:>number$}{:GAP$}{at:>offset$}{:GAP$}{what}", partition.number, "", "");
            let _ = writeln!(text, "{}", colour(line, colours.then_some(CYAN)));
        };
        let bounds = partition.bounds;
        if bounds.first > 0 {
            mark(&mut text, bounds.first, &words::deleted(lang, bounds.first));
        }
        if bounds.from > bounds.first {
            mark(&mut text, bounds.from, &words::earlier(lang, bounds.first, bounds.from));
        }
        let mut is_told = bounds.last_stable >= bounds.end;
        for entry in &partition.entries {
            if !is_told && entry.offset >= bounds.last_stable {
                mark(&mut text, bounds.last_stable, words::last_stable(lang, false));
                is_told = true;
            }
            let line = lines.next().unwrap_or_default();
            let _ = writeln!(text, "{}", colour(line, of(entry).filter(|_| colours)));
        }
        if bounds.last_stable >= bounds.end {
            mark(&mut text, bounds.end, words::last_stable(lang, true));
        } else {
            if !is_told {
                mark(&mut text, bounds.last_stable, words::last_stable(lang, false));
            }
            mark(&mut text, bounds.end, words::end(lang));
        }
    }
    text
}

/// `least` is how wide the columns of numbers are at least.
fn table(header: &[&str; 8], rows: Vec<[String; 8]>, least: [usize; 2]) -> Table {
    let mut table = Table::new();
    table.load_style(STYLE);
    table.set_header(header);
    for row in rows {
        table.add_row(row);
    }
    for (i, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, if i < LAST { GAP as u16 } else { 0 }));
        if NUMBERS.contains(&i) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        if let Some(least) = least.get(i).and_then(|&least| u16::try_from(least + GAP).ok()) {
            column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(least)));
        }
    }
    table
}

fn cells(partition: &Partition, entry: &Entry, lang: Lang) -> [String; 8] {
    let (key, value) = match &entry.what {
        What::Record { key, value } => (words::nullable(key), words::nullable(value)),
        What::Marker(Marker::Commit) => (String::new(), "-- COMMIT --".to_owned()),
        What::Marker(Marker::Abort) => (String::new(), "-- ABORT --".to_owned()),
    };
    let seen = |seen: bool| if seen { "✓" } else { "–" }.to_owned();
    [
        partition.number.to_string(),
        entry.offset.to_string(),
        key,
        value,
        entry.producer.map_or("–".to_owned(), |(id, epoch)| format!("{id}/{epoch}")),
        words::state(lang, entry.transaction).to_owned(),
        seen(entry.committed),
        seen(entry.uncommitted),
    ]
}

/// How wide a text is at most: what is not ASCII may take two columns.
fn width(text: &str) -> usize {
    text.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum()
}

/// Cuts a text so that it is no wider than this, and ends with `…` where something is missing.
fn cut(text: &mut String, most: usize) {
    if width(text) <= most {
        return;
    }
    let mut left = most.saturating_sub(width("…"));
    let kept = text.char_indices().find(|(_, c)| {
        let needed = if c.is_ascii() { 1 } else { 2 };
        let fits = left >= needed;
        left = left.saturating_sub(needed);
        !fits
    });
    if let Some((end, _)) = kept {
        text.truncate(end);
        text.push('…');
    }
}

/// The colour of its line, if it has one.
fn of(entry: &Entry) -> Option<u8> {
    match (&entry.what, entry.transaction) {
        (What::Marker(Marker::Commit), _) => Some(GREEN),
        (_, State::Aborted) => Some(RED),
        (_, State::Open) => Some(YELLOW),
        _ => None,
    }
}

fn colour(line: String, code: Option<u8>) -> String {
    match code {
        Some(code) => format!("\x1b[{code}m{line}\x1b[0m"),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::super::log::Bounds;
    use super::*;
    use crate::value::Value;

    fn entry(offset: i64, what: What, transaction: State) -> Entry {
        let committed = transaction == State::Committed;
        Entry { offset, what, producer: Some((1_000_000, 100)), transaction, committed, uncommitted: true }
    }

    fn record(key: &str, value: &str) -> What {
        What::Record { key: Value::from(key), value: Value::from(value) }
    }

    fn topic(key: &str, value: &str) -> Shown {
        let entries = vec![
            entry(9_999_999, record(key, value), State::Committed),
            entry(10_000_000, What::Marker(Marker::Commit), State::Committed),
            entry(10_000_001, record(key, value), State::Aborted),
            entry(10_000_002, record(key, value), State::Open),
        ];
        let bounds = Bounds { first: 7, from: 9_999_999, last_stable: 10_000_002, end: 10_000_003 };
        let empty = Bounds { first: 0, from: 0, last_stable: 0, end: 0 };
        let partitions = vec![
            Partition { number: 0, bounds, entries },
            Partition { number: 100_000, bounds: empty, entries: Vec::new() },
        ];
        Shown { topic: "t".into(), partitions }
    }

    /// Lines between the header and the end.
    fn lines(topic: &Shown, lang: Lang) -> Vec<String> {
        render(topic, lang, false).lines().skip(3 + HEADER).map(str::to_owned).collect()
    }

    #[test]
    fn one_line_for_each_offset_and_the_bounds_of_each_partition_among_them() {
        let lines = lines(&topic("k", "v"), Lang::En);
        let starts: Vec<_> = lines
            .iter()
            .map(|line| line.split("  ").filter(|w| !w.is_empty()).map(str::trim).take(3).collect::<Vec<_>>().join("|"))
            .collect();
        let rule = starts[8].clone();
        let expected = [
            "0|7|-- what stood before offset 7 is deleted --",
            "0|9999999|-- offsets 7 to 9999998 are not shown (--last) --",
            "0|9999999|k",
            "0|10000000|-- COMMIT --",
            "0|10000001|k",
            "0|10000002|-- last stable offset: read_committed stops here --",
            "0|10000002|k",
            "0|10000003|-- end --",
            rule.as_str(),
            "100000|0|-- last stable offset, end --",
        ];
        assert_eq!(starts, expected);
        assert!(rule.chars().all(|c| c == '-'));
        let ends: Vec<_> = lines.iter().filter_map(|line| line.find("-- ").or(line.find("k  "))).collect();
        assert!(ends[1..3].windows(2).all(|pair| pair[0] == pair[1]), "what stands in columns is aligned: {lines:?}");
    }

    #[test]
    fn keys_and_values_are_cut_where_there_is_no_room() {
        for (key, value) in [("k", "v"), ("k".repeat(200).as_str(), "v"), ("k", "v".repeat(200).as_str())]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into_iter()
            .chain([("漢".repeat(200), "é".repeat(200)), ("k".repeat(200), "v".repeat(200))])
        {
            for lang in [Lang::En, Lang::Fr] {
                let lines = lines(&topic(&key, &value), lang);
                let widest = lines.iter().map(|line| width(&line.replace(['✓', '–', '…'], "x"))).max();
                assert!(widest <= Some(WIDTH), "{widest:?}: {lines:?}");
                let is_cut = lines.iter().any(|line| line.contains('…'));
                assert_eq!(is_cut, key.len() + value.len() > 2, "{lines:?}");
            }
        }
        let short = lines(&topic("k", &"v".repeat(25)), Lang::En);
        assert!(!short.iter().any(|line| line.contains('…')), "a short key leaves room: {short:?}");
    }

    #[test]
    fn colours_only_where_they_are_wanted() {
        let text = render(&topic("k", "v"), Lang::En, true);
        let code = |what: &str| {
            let line = text.lines().find(|line| line.contains(what)).unwrap();
            line.strip_prefix("\x1b[").and_then(|rest| rest.split('m').next()).map(str::to_owned)
        };
        assert_eq!(code("-- COMMIT --").as_deref(), Some("32"));
        assert_eq!(code("aborted").as_deref(), Some("31"));
        assert_eq!(code("open").as_deref(), Some("33"));
        assert_eq!(code("9999999  k"), None);
        assert!(!render(&topic("k", "v"), Lang::En, false).contains('\x1b'));
    }
}
