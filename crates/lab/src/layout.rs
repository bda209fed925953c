//! Text of which nobody knows what it holds, on lines of a known width.

use std::sync::atomic::{AtomicUsize, Ordering};

/// No line of the lab is wider.
pub(crate) const WIDTH: usize = 100;

/// No terminal is narrower, or the text would be a column of single words.
const NARROWEST: usize = 60;

static COLUMNS: AtomicUsize = AtomicUsize::new(WIDTH);

/// The terminal has so many columns: text that is wrapped fits into them.
pub(crate) fn fit(columns: usize) {
    COLUMNS.store(columns.clamp(NARROWEST, WIDTH), Ordering::Relaxed);
}

/// How wide a line of wrapped text is, at most: [`WIDTH`], or what a narrower terminal has.
pub(crate) fn columns() -> usize {
    COLUMNS.load(Ordering::Relaxed)
}

/// How many columns of a terminal the text takes, at most. Combining marks count as well: a line may be shorter than
/// this says, and never is longer.
pub(crate) fn width(text: &str) -> usize {
    text.chars().map(columns_of).sum()
}

fn columns_of(c: char) -> usize {
    match u32::from(c) {
        // Latin, Greek, Cyrillic … up to Hangul, where East Asian scripts begin; punctuation, arrows, signs and boxes.
        0..0x1100 | 0x2010..0x231a | 0x2500..0x25fd | 0x2713..0x2718 => 1,
        _ => 2,
    }
}

/// The text without anything that could move the cursor, end the line or turn the direction of writing: such characters
/// become `\x…`, byte by byte, as the programs print them.
pub(crate) fn safe(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || is_invisible(c) {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                // Writing to a string cannot fail.
                let _ = std::fmt::Write::write_fmt(&mut out, format_args!("\\x{byte:02x}"));
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// Format characters: they join, hide or turn what stands around them.
fn is_invisible(c: char) -> bool {
    matches!(u32::from(c),
        0xad | 0x61c | 0x180e | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0xfeff | 0xfff9..=0xfffb
        | 0xe0000..=0xe0fff)
}

/// The text made safe, and cut to so many columns, with an ellipsis where something is missing.
pub(crate) fn cut(text: &str, columns_: usize) -> String {
    // More characters than there are columns are never shown: what a client sends may be large.
    let head: String = text.chars().take(columns_.saturating_add(1)).collect();
    let text = safe(&head);
    if width(&text) <= columns_ {
        return text;
    }
    let mut out = String::new();
    let mut used = 0;
    for c in text.chars() {
        used += columns_of(c);
        if used + 1 > columns_ {
            break;
        }
        out.push(c);
    }
    out.push('…');
    out
}

/// The text, padded with spaces to so many columns.
pub(crate) fn pad(text: &str, columns: usize) -> String {
    let mut out = text.to_owned();
    out.extend(std::iter::repeat_n(' ', columns.saturating_sub(width(text))));
    out
}

/// Adds the text to `out`, line by line, made safe and no wider than [`columns`]: the first line begins with `first`, the
/// others with as many spaces as `indent` says. A word that is wider than a line is broken.
pub(crate) fn wrap(out: &mut String, first: &str, indent: usize, text: &str) {
    let most = columns();
    let indent = indent.min(most / 2);
    let mut line = first.to_owned();
    let mut used = width(first);
    // Nothing stands on the line yet but its beginning.
    let mut fresh = true;
    let mut end = |line: &mut String| {
        out.push_str(line.trim_end());
        out.push('\n');
        line.clear();
    };
    for word in words(&safe(text)) {
        let room = used + usize::from(!fresh) + width(&word);
        if !fresh && room > most {
            end(&mut line);
            line.push_str(&" ".repeat(indent));
            used = indent;
        } else if !fresh {
            line.push(' ');
            used += 1;
        }
        for c in word.chars() {
            if used + columns_of(c) > most {
                end(&mut line);
                line.push_str(&" ".repeat(indent));
                used = indent;
            }
            line.push(c);
            used += columns_of(c);
        }
        fresh = false;
    }
    end(&mut line);
}

/// Paragraphs, filled anew; a code block stays as it is.
pub(crate) fn paragraphs(text: &str) -> String {
    let mut out = String::new();
    for paragraph in text.split("\n\n") {
        if !out.is_empty() {
            out.push('\n');
        }
        if paragraph.contains("```") {
            out.push_str(paragraph);
            out.push('\n');
        } else {
            wrap(&mut out, "", 0, &paragraph.replace('\n', " "));
        }
    }
    out
}

/// Items in a row, three spaces between them, on as many lines as they take.
pub(crate) fn flow(out: &mut String, items: &[String]) {
    let mut line = String::new();
    for item in items {
        if !line.is_empty() && width(&line) + 3 + width(item) > columns() {
            out.push_str(&line);
            out.push('\n');
            line.clear();
        }
        if !line.is_empty() {
            line.push_str("   ");
        }
        line.push_str(&cut(item, columns()));
    }
    if !line.is_empty() {
        out.push_str(&line);
        out.push('\n');
    }
}

/// The words of a text. French punctuation and the marks of the table stay with the word that they belong to.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let closes = matches!(word.chars().next(), Some(':' | ';' | '!' | '?' | '»'));
        match words.last_mut() {
            Some(last) if closes || last.ends_with(['«', '✓', '✗']) => {
                last.push(' ');
                last.push_str(word);
            }
            _ => words.push(word.to_owned()),
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wrapped(first: &str, indent: usize, text: &str) -> String {
        let mut out = String::new();
        wrap(&mut out, first, indent, text);
        out
    }

    #[test]
    fn french_punctuation_does_not_begin_a_line() {
        let text = format!("{} : oui", "x".repeat(99));
        // A word that is too wide is broken all the same.
        assert_eq!(wrapped("", 0, &text), format!("{}\n: oui\n", "x".repeat(99)));
        let text = format!("{} mot : oui", "x".repeat(95));
        assert_eq!(wrapped("", 2, &text), format!("{}\n  mot : oui\n", "x".repeat(95)));
        let text = format!("{} « mot » oui", "x".repeat(95));
        assert_eq!(wrapped("", 2, &text), format!("{}\n  « mot » oui\n", "x".repeat(95)));
    }

    #[test]
    fn what_could_move_the_cursor_is_shown_and_not_done() {
        assert_eq!(safe("a\x1b[2Jb\r\n\u{202e}c\u{9b}"), "a\\x1b[2Jb\\x0d\\x0a\\xe2\\x80\\xaec\\xc2\\x9b");
        assert_eq!(cut("été\u{7}", 20), "été\\x07");
    }

    #[test]
    fn what_is_cut_says_so() {
        assert_eq!(cut("abcdef", 6), "abcdef");
        assert_eq!(cut("abcdefg", 6), "abcde…");
        assert_eq!(cut("日本語", 6), "日本語");
        assert_eq!(cut("日本語x", 6), "日本…");
    }

    proptest! {
        #[test]
        fn no_line_is_too_wide(first in "[ a-z]{0,30}", indent in 0_usize..30, text in any::<String>(), long in "[a-z é日]{0,400}") {
            for text in [&text, &long] {
                for line in wrapped(&first, indent, text).lines() {
                    prop_assert!(width(line) <= WIDTH, "{line}");
                    prop_assert!(!line.contains(char::is_control));
                }
            }
        }

        #[test]
        fn a_cut_text_is_no_wider_than_it_may_be(text in any::<String>(), columns in 1_usize..40) {
            prop_assert!(width(&cut(&text, columns)) <= columns);
        }
    }
}
