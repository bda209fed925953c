//! What a reader of the table reads, in English and in French, and keys and values as text.

use common::grammar::{Line, Position};

use super::log::State;
use crate::text::{
    Lang,
    Lang::{En, Fr},
};
use crate::value::Value;

/// A key or value as the programs print it; `None` for null.
pub(super) fn text(value: &Value) -> Option<String> {
    value.bytes().map(|_| value.to_string())
}

/// The same where null stands among text: `None`, from which the text "None" can be told.
pub(super) fn nullable(value: &Value) -> String {
    let place = Position { topic: "t".into(), partition: 0, offset: 0 };
    let line = Line::Process(place, value.bytes().map(Into::into)).to_string();
    line.split_once(" -> ").map(|(_, text)| text.to_owned()).unwrap_or_default()
}

/// The header, in two lines each.
pub(super) fn columns(lang: Lang) -> [&'static str; 8] {
    match lang {
        En => [
            "\npart.",
            "\noffset",
            "\nkey",
            "\nvalue",
            "producer\nid/epoch",
            "\ntransaction",
            "read_\ncommitted",
            "read_\nuncommitted",
        ],
        Fr => [
            "\npart.",
            "\noffset",
            "\nclé",
            "\nvaleur",
            "producteur\nid/epoch",
            "\ntransaction",
            "read_\ncommitted",
            "read_\nuncommitted",
        ],
    }
}

pub(super) fn state(lang: Lang, state: State) -> &'static str {
    match (lang, state) {
        (_, State::None) => "–",
        (En, State::Committed) => "committed",
        (En, State::Aborted) => "aborted",
        (En, State::Open) => "open",
        (Fr, State::Committed) => "commitée",
        (Fr, State::Aborted) => "avortée",
        (Fr, State::Open) => "ouverte",
    }
}

/// The line at the last stable offset, which may be the end, and the line at the end.
pub(super) fn last_stable(lang: Lang, is_end: bool) -> &'static str {
    match (lang, is_end) {
        (En, false) => "-- last stable offset: read_committed stops here --",
        (En, true) => "-- last stable offset, end --",
        (Fr, false) => "-- dernier offset stable : read_committed s'arrête ici --",
        (Fr, true) => "-- dernier offset stable, fin --",
    }
}

pub(super) fn end(lang: Lang) -> &'static str {
    match lang {
        En => "-- end --",
        Fr => "-- fin --",
    }
}

/// The line before the first record that is shown, when there are others before it.
pub(super) fn earlier(lang: Lang, first: i64, from: i64) -> String {
    match lang {
        En => format!("-- offsets {first} to {} are not shown (--last) --", from - 1),
        Fr => format!("-- offsets {first} à {} non montrés (--last) --", from - 1),
    }
}

/// The line before the first record that is there, when it is not the first that was written.
pub(super) fn deleted(lang: Lang, first: i64) -> String {
    match lang {
        En => format!("-- what stood before offset {first} is deleted --"),
        Fr => format!("-- ce qui précédait l'offset {first} est supprimé --"),
    }
}

/// The lines above the table.
pub(super) fn title(lang: Lang, topic: &str, partitions: usize) -> String {
    let plural = if partitions == 1 { "" } else { "s" };
    match lang {
        En => format!(
            "{topic}: {partitions} partition{plural}\n✓ given to the readers of this isolation level, – not given to them"
        ),
        Fr => format!(
            "{topic} : {partitions} partition{plural}\n✓ donné aux lecteurs de ce niveau d'isolation, – ne leur est pas donné"
        ),
    }
}
