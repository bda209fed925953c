//! The lines on standard output: one per effect. Defined, printed and parsed here, so that the programs that print
//! them and the lab that counts them cannot drift apart.
//!
//! | line | printed by | means |
//! |---|---|---|
//! | `sent VALUE` | producer-at-most-once | librdkafka reports it as delivered: it has left, no more |
//! | `delivered T[P]@O VALUE` | the other producers | the broker has stored it there |
//! | `failed VALUE: WHY` | producers | librdkafka gave up: not stored, or stored without our knowing |
//! | `committed N` | transactions | the transaction with these N messages is committed |
//! | `aborted N: WHY` | transactions | the transaction with these N messages is aborted |
//! | `committed T[P]@O VALUE` | eos-producer | the transaction with this one message is committed |
//! | `[T pP@O] VALUE` | consumers (course: at most once, at least one) | processed |
//! | `process: T[P]@O -> VALUE` | consumer-exactly-once | processed |
//! | `Traitement: clé=K valeur=V offset=O` | eos-consumer | processed |
//! | `process: T[P]@O VALUE -> RESULT` | eos-pipeline | processed; RESULT is what it writes |
//!
//! A key or value is any bytes, or null. It is shown as text: a backslash is doubled; a control character, a byte that
//! is not UTF-8 and (only where it would be mistaken for the separator of its line) `:`, `=` or `>` become `\xNN`; null is
//! `None`, as Python prints it, and the text "None" is `\x4eone`. So every line is one line, and parsing gives back
//! exactly the bytes.

use std::borrow::Cow;
use std::fmt;

use rdkafka::Message;

/// Where a record stands in Kafka.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position<'a> {
    /// Topic name (letters, digits, `.`, `_` and `-`).
    pub topic: Cow<'a, str>,
    /// Partition number, from 0.
    pub partition: i32,
    /// Offset in the partition, from 0; −1001 (librdkafka's "invalid") where the broker gave none (acks=0).
    pub offset: i64,
}

impl<'a> Position<'a> {
    /// The place of a record that was read, or whose delivery was reported.
    pub fn of(message: &'a impl Message) -> Self {
        Self { topic: Cow::Borrowed(message.topic()), partition: message.partition(), offset: message.offset() }
    }

    /// `T[P]@O`
    fn parse(text: &'a str) -> Option<Self> {
        let (topic, rest) = text.split_once('[')?;
        let (partition, offset) = rest.split_once("]@")?;
        Self::from_parts(topic, partition, offset)
    }

    fn from_parts(topic: &'a str, partition: &str, offset: &str) -> Option<Self> {
        (!topic.is_empty()).then_some(())?;
        Some(Self { topic: Cow::Borrowed(topic), partition: partition.parse().ok()?, offset: offset.parse().ok()? })
    }
}

impl fmt::Display for Position<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Part by part: in one `write!`, it is twice the work, and this stands in nearly every line.
        f.write_str(&self.topic)?;
        f.write_str("[")?;
        self.partition.fmt(f)?;
        f.write_str("]@")?;
        self.offset.fmt(f)
    }
}

/// Bytes of a key or a value.
pub type Bytes<'a> = Cow<'a, [u8]>;

/// One line of standard output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line<'a> {
    /// `sent VALUE`
    Sent(Bytes<'a>),
    /// `delivered T[P]@O VALUE`
    Delivered(Position<'a>, Bytes<'a>),
    /// `failed VALUE: WHY`
    Failed(Bytes<'a>, Cow<'a, str>),
    /// `committed N`
    Committed(u64),
    /// `aborted N: WHY`
    Aborted(u64, Cow<'a, str>),
    /// `committed T[P]@O VALUE`
    CommittedMessage(Position<'a>, Bytes<'a>),
    /// `[T pP@O] VALUE`
    Read(Position<'a>, Bytes<'a>),
    /// `process: T[P]@O -> VALUE`
    Process(Position<'a>, Option<Bytes<'a>>),
    /// `Traitement: clé=K valeur=V offset=O`
    Traitement {
        /// Key of the message, or null.
        key: Option<Bytes<'a>>,
        /// Value of the message, or null.
        value: Option<Bytes<'a>>,
        /// Offset in its partition (the course prints neither topic nor partition).
        offset: i64,
    },
    /// `process: T[P]@O VALUE -> RESULT`
    Transform(Position<'a>, Option<Bytes<'a>>, Option<Bytes<'a>>),
}

impl<'a> Line<'a> {
    /// `sent`, from a delivery report.
    pub fn sent(message: &'a impl Message) -> Self {
        Self::Sent(Cow::Borrowed(message.payload().unwrap_or_default()))
    }

    /// `delivered`, from a delivery report.
    pub fn delivered(message: &'a impl Message) -> Self {
        Self::Delivered(Position::of(message), Cow::Borrowed(message.payload().unwrap_or_default()))
    }

    /// `failed`, from a delivery report or from a message that could not even be queued.
    pub fn failed(value: &'a [u8], why: &impl fmt::Display) -> Self {
        Self::Failed(Cow::Borrowed(value), Cow::Owned(why.to_string()))
    }

    /// `aborted`.
    pub fn aborted(count: u64, why: &impl fmt::Display) -> Self {
        Self::Aborted(count, Cow::Owned(why.to_string()))
    }

    /// `[T pP@O] VALUE`; a null value is shown as nothing, as in the course (`… if msg.value() else ""`).
    pub fn read(message: &'a impl Message) -> Self {
        Self::Read(Position::of(message), Cow::Borrowed(message.payload().unwrap_or_default()))
    }

    /// `process: T[P]@O -> VALUE`
    pub fn process(message: &'a impl Message) -> Self {
        Self::Process(Position::of(message), message.payload().map(Cow::Borrowed))
    }

    /// `Traitement: clé=K valeur=V offset=O`
    pub fn traitement(message: &'a impl Message) -> Self {
        Self::Traitement {
            key: message.key().map(Cow::Borrowed),
            value: message.payload().map(Cow::Borrowed),
            offset: message.offset(),
        }
    }

    /// `process: T[P]@O VALUE -> RESULT`
    pub fn transform(message: &'a impl Message, result: Option<&'a [u8]>) -> Self {
        Self::Transform(Position::of(message), message.payload().map(Cow::Borrowed), result.map(Cow::Borrowed))
    }

    /// Reads one line, without its line end. `None`: this is none of the lines above.
    pub fn parse(line: &'a str) -> Option<Self> {
        let (word, rest) = line.split_once(' ')?;
        match word {
            "sent" => Some(Self::Sent(decode(rest)?)),
            "delivered" => {
                let (at, value) = rest.split_once(' ')?;
                Some(Self::Delivered(Position::parse(at)?, decode(value)?))
            }
            "failed" => {
                let (value, why) = rest.split_once(": ")?;
                Some(Self::Failed(decode(value)?, text(why)?))
            }
            "committed" => match rest.split_once(' ') {
                None => Some(Self::Committed(rest.parse().ok()?)),
                Some((at, value)) => Some(Self::CommittedMessage(Position::parse(at)?, decode(value)?)),
            },
            "aborted" => {
                let (count, why) = rest.split_once(": ")?;
                Some(Self::Aborted(count.parse().ok()?, text(why)?))
            }
            "process:" => {
                let (at, rest) = rest.split_once(' ')?;
                let at = Position::parse(at)?;
                if let Some(value) = rest.strip_prefix("-> ") {
                    return Some(Self::Process(at, decode_nullable(value)?));
                }
                let (value, result) = rest.split_once(" -> ")?;
                Some(Self::Transform(at, decode_nullable(value)?, decode_nullable(result)?))
            }
            "Traitement:" => {
                let (key, rest) = rest.strip_prefix("clé=")?.split_once(" valeur=")?;
                let (value, offset) = rest.rsplit_once(" offset=")?;
                Some(Self::Traitement {
                    key: decode_nullable(key)?,
                    value: decode_nullable(value)?,
                    offset: offset.parse().ok()?,
                })
            }
            _ => {
                let topic = word.strip_prefix('[')?;
                let (place, value) = rest.split_once("] ")?;
                let (partition, offset) = place.strip_prefix('p')?.split_once('@')?;
                Some(Self::Read(Position::from_parts(topic, partition, offset)?, decode(value)?))
            }
        }
    }
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sent(value) => write!(f, "sent {}", Shown(value, NONE)),
            Self::Delivered(at, value) => write!(f, "delivered {at} {}", Shown(value, NONE)),
            Self::Failed(value, why) => write!(f, "failed {}: {}", Shown(value, b':'), Shown(why.as_bytes(), NONE)),
            Self::Committed(count) => write!(f, "committed {count}"),
            Self::Aborted(count, why) => write!(f, "aborted {count}: {}", Shown(why.as_bytes(), NONE)),
            Self::CommittedMessage(at, value) => write!(f, "committed {at} {}", Shown(value, NONE)),
            Self::Read(at, value) => {
                write!(f, "[{} p{}@{}] {}", at.topic, at.partition, at.offset, Shown(value, NONE))
            }
            Self::Process(at, value) => write!(f, "process: {at} -> {}", Nullable(value, NONE)),
            Self::Traitement { key, value, offset } => {
                write!(f, "Traitement: clé={} valeur={} offset={offset}", Nullable(key, b'='), Nullable(value, NONE))
            }
            Self::Transform(at, value, result) => {
                write!(f, "process: {at} {} -> {}", Nullable(value, b'>'), Nullable(result, NONE))
            }
        }
    }
}

/// No separator to escape: a control character, which is escaped in any case.
const NONE: u8 = 0;

/// Bytes as text; the second field is one more ASCII character to escape.
struct Shown<'a>(&'a [u8], u8);

impl Shown<'_> {
    /// The usual case, ASCII and nothing to escape, without looking at one character after the other.
    fn plain_ascii(&self) -> Option<&str> {
        let plain = |byte: &u8| matches!(byte, b' '..=b'~') & (*byte != b'\\') & (*byte != self.1);
        // Not `all`, which would ask after each byte whether to go on.
        let all = self.0.iter().fold(true, |all, byte| all & plain(byte));
        if all { std::str::from_utf8(self.0).ok() } else { None }
    }

    fn is_plain(&self, c: char) -> bool {
        !c.is_control() && c != '\\' && c != char::from(self.1)
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(text) = self.plain_ascii() {
            return f.write_str(text);
        }
        for chunk in self.0.utf8_chunks() {
            let mut rest = chunk.valid();
            while let Some(at) = rest.find(|c| !self.is_plain(c)) {
                let (plain, special) = rest.split_at(at);
                f.write_str(plain)?;
                let mut chars = special.chars();
                match chars.next() {
                    Some('\\') => f.write_str("\\\\")?,
                    Some(c) => escape(f, c.encode_utf8(&mut [0; 4]).as_bytes())?,
                    None => {}
                }
                rest = chars.as_str();
            }
            f.write_str(rest)?;
            escape(f, chunk.invalid())?;
        }
        Ok(())
    }
}

fn escape(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "\\x{byte:02x}"))
}

/// Bytes or null.
struct Nullable<'a>(&'a Option<Bytes<'a>>, u8);

impl fmt::Display for Nullable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_deref() {
            None => f.write_str("None"),
            Some(b"None") => f.write_str("\\x4eone"),
            Some(bytes) => Shown(bytes, self.1).fmt(f),
        }
    }
}

fn decode_nullable(text: &str) -> Option<Option<Bytes<'_>>> {
    if text == "None" { Some(None) } else { decode(text).map(Some) }
}

fn text(shown: &str) -> Option<Cow<'_, str>> {
    match decode(shown)? {
        Cow::Borrowed(_) => Some(Cow::Borrowed(shown)),
        Cow::Owned(bytes) => String::from_utf8(bytes).ok().map(Cow::Owned),
    }
}

/// The bytes that were shown as this text; `None` where an escape is malformed.
fn decode(shown: &str) -> Option<Bytes<'_>> {
    if !shown.contains('\\') {
        return Some(Cow::Borrowed(shown.as_bytes()));
    }
    let mut bytes = Vec::with_capacity(shown.len());
    let mut rest = shown;
    while let Some((plain, escaped)) = rest.split_once('\\') {
        bytes.extend_from_slice(plain.as_bytes());
        if let Some(after) = escaped.strip_prefix('\\') {
            bytes.push(b'\\');
            rest = after;
        } else {
            let hex = escaped.strip_prefix('x')?;
            bytes.push(u8::from_str_radix(hex.get(..2)?, 16).ok()?);
            rest = hex.get(2..)?;
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    Some(Cow::Owned(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(topic: &'static str, partition: i32, offset: i64) -> Position<'static> {
        Position { topic: topic.into(), partition, offset }
    }

    fn bytes(text: &'static str) -> Bytes<'static> {
        Cow::Borrowed(text.as_bytes())
    }

    #[test]
    fn lines_look_as_in_the_course() {
        let shown = [
            (Line::Sent(bytes("msg-1")), "sent msg-1"),
            (Line::Delivered(at("t", 2, 40), bytes("msg-1")), "delivered t[2]@40 msg-1"),
            (Line::Failed(bytes("msg-1"), "no: broker".into()), "failed msg-1: no: broker"),
            (Line::Committed(10), "committed 10"),
            (Line::Aborted(3, "interrupted".into()), "aborted 3: interrupted"),
            (Line::CommittedMessage(at("t", 0, 4), bytes("v")), "committed t[0]@4 v"),
            (Line::Read(at("mon_topic", 0, 7), bytes("été")), "[mon_topic p0@7] été"),
            (Line::Read(at("mon_topic", 0, 7), bytes("")), "[mon_topic p0@7] "),
            (Line::Process(at("input", 1, 8), Some(bytes("v"))), "process: input[1]@8 -> v"),
            (
                Line::Traitement { key: None, value: Some(bytes("v")), offset: 3 },
                "Traitement: clé=None valeur=v offset=3",
            ),
            (Line::Transform(at("input", 1, 8), Some(bytes("v")), Some(bytes("V"))), "process: input[1]@8 v -> V"),
        ];
        for (line, text) in shown {
            assert_eq!(line.to_string(), text);
            assert_eq!(Line::parse(text), Some(line));
        }
    }

    #[test]
    fn null_and_the_text_none_are_told_apart() {
        let null = Line::Process(at("t", 0, 0), None);
        let text = Line::Process(at("t", 0, 0), Some(bytes("None")));
        assert_eq!(null.to_string(), "process: t[0]@0 -> None");
        assert_eq!(text.to_string(), "process: t[0]@0 -> \\x4eone");
        assert_eq!(Line::parse(&text.to_string()), Some(text.clone()));
    }

    #[test]
    fn other_text_is_no_line() {
        for text in ["", "hello", "sent", "committed x", "delivered t@1 v", "[t p0@x] v", "sent \\q", "process: t[0]@1"]
        {
            assert_eq!(Line::parse(text), None, "{text}");
        }
    }

    fn position() -> impl Strategy<Value = Position<'static>> {
        ("[a-zA-Z0-9._-]{1,20}", 0..i32::MAX, any::<i64>()).prop_map(|(topic, partition, offset)| Position {
            topic: topic.into(),
            partition,
            offset,
        })
    }

    /// Bytes as they come, and bytes made of what the grammar itself uses.
    fn value() -> impl Strategy<Value = Bytes<'static>> {
        prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..24),
            "(None|:|: | -> |=| valeur=| offset=|\\\\|x4e|\\n|é|\\] | ){0,4}".prop_map(String::into_bytes),
        ]
        .prop_map(Cow::Owned)
    }

    fn line() -> impl Strategy<Value = Line<'static>> {
        let why = || any::<String>().prop_map(Cow::Owned);
        let nullable = || proptest::option::of(value());
        prop_oneof![
            value().prop_map(Line::Sent),
            (position(), value()).prop_map(|(at, v)| Line::Delivered(at, v)),
            (value(), why()).prop_map(|(v, why)| Line::Failed(v, why)),
            any::<u64>().prop_map(Line::Committed),
            (any::<u64>(), why()).prop_map(|(n, why)| Line::Aborted(n, why)),
            (position(), value()).prop_map(|(at, v)| Line::CommittedMessage(at, v)),
            (position(), value()).prop_map(|(at, v)| Line::Read(at, v)),
            (position(), nullable()).prop_map(|(at, v)| Line::Process(at, v)),
            (nullable(), nullable(), any::<i64>()).prop_map(|(key, value, offset)| Line::Traitement {
                key,
                value,
                offset
            }),
            (position(), nullable(), nullable()).prop_map(|(at, v, r)| Line::Transform(at, v, r)),
        ]
    }

    proptest! {
        #[test]
        fn what_is_printed_is_one_line_that_parses_back_to_the_same_bytes(line in line()) {
            let text = line.to_string();
            prop_assert!(!text.contains(['\n', '\r']));
            prop_assert_eq!(Line::parse(&text), Some(line));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in any::<String>()) {
            let _ = Line::parse(&text);
        }
    }
}
