//! What a frame says, in words.

use proxy::{Batch, Facts, Frame, Part};

use super::codes;
use super::moment::Like;
use crate::layout::cut;
use crate::text::Lang;

/// A value is shown in so many columns at most.
const VALUE: usize = 24;

/// So many partitions are told of one frame.
const PARTS: usize = 4;

/// A request, in words.
pub(super) struct Told {
    /// All of it, with the name of the API.
    pub(super) text: String,
    /// Which of many it is: from here …
    pub(super) first: String,
    /// … to here.
    pub(super) last: String,
}

/// Frames in one language, with short names.
pub(super) struct Words<'a> {
    pub(super) lang: Lang,
    pub(super) short: &'a dyn Fn(&str) -> String,
}

impl Words<'_> {
    /// A request.
    pub(super) fn request(&self, frame: &Frame, again: bool) -> Told {
        let facts = &frame.facts;
        let lang = self.lang;
        let mut words = vec![cut(&frame.api, VALUE)];
        if again {
            words.push(lang.again().to_owned());
        }
        let (mut first, mut last) = (String::new(), String::new());
        let member = match facts.generation {
            Some(-1) => Some(lang.no_group_metadata().to_owned()),
            Some(generation) => Some(lang.generation(generation)),
            None => None,
        };
        match frame.api.as_str() {
            "Produce" => {
                let batches = || facts.partitions.iter().flat_map(|part| &part.batches);
                first = batches().next().map(first_value).unwrap_or_default();
                last = batches().next_back().map(last_value).unwrap_or_default();
                words.push(self.each(&facts.partitions, |part| {
                    let values: Vec<_> = part.batches.iter().take(PARTS).map(values).collect();
                    Some(values.join(", "))
                }));
                if let Some(batch) = batches().next().filter(|batch| batch.producer_id >= 0) {
                    let producer = lang.producer(batch.producer_id, batch.producer_epoch);
                    words.push(format!("({producer}, seq {})", batch.base_sequence));
                }
            }
            "OffsetCommit" | "TxnOffsetCommit" => {
                first = format!("offset {}", self.offsets(&facts.partitions));
                last = self.offsets(&facts.partitions);
                words.push([Some(first.clone()), member].into_iter().flatten().collect::<Vec<_>>().join(", "));
            }
            "EndTxn" => {
                words.push(if facts.commits == Some(true) { "commit" } else { "abort" }.to_owned());
                if let (Some(id), Some(epoch)) = (facts.producer_id, facts.producer_epoch) {
                    words.push(format!("({})", lang.producer(id, epoch)));
                }
            }
            "InitProducerId" | "FindCoordinator" => {
                words.extend(facts.transactional_id.as_deref().map(|id| cut(&(self.short)(id), VALUE)));
            }
            "AddPartitionsToTxn" => words.push(self.each(&facts.partitions, |_| None)),
            "Fetch" => {
                words.push(format!("offset {}", self.offsets(&facts.partitions)));
            }
            "JoinGroup" | "SyncGroup" | "Heartbeat" => {
                words.extend(facts.instance.as_deref().map(|instance| cut(instance, VALUE)));
                words.extend(member);
            }
            _ => {}
        }
        words.retain(|word| !word.is_empty());
        Told { text: words.join(" "), first, last }
    }

    /// What came of it, as the broker says; and the same without what differs from one to the next.
    pub(super) fn answer(&self, frame: &Frame) -> (String, String) {
        let facts = &frame.facts;
        let lang = self.lang;
        if let Some(code) = error(facts) {
            return (codes::name(code), codes::name(code));
        }
        let ok = "ok".to_owned();
        match frame.api.as_str() {
            "Produce" => {
                let place = self.places(&facts.partitions);
                (lang.stored_at(&place), lang.stored().to_owned())
            }
            "InitProducerId" => match (facts.producer_id, facts.producer_epoch) {
                (Some(id), Some(epoch)) => (format!("producer {}", lang.producer(id, epoch)), ok),
                _ => (ok.clone(), ok),
            },
            "JoinGroup" => {
                let generation = facts.generation.map_or(ok.clone(), |generation| lang.generation(generation));
                (generation, ok)
            }
            "OffsetFetch" => {
                let known: Vec<_> = facts
                    .partitions
                    .iter()
                    .filter(|part| part.offset.is_some_and(|offset| offset >= 0))
                    .cloned()
                    .collect();
                let offsets = if known.is_empty() {
                    lang.nothing().to_owned()
                } else {
                    format!("offset {}", self.offsets(&known))
                };
                (lang.begins_at(&offsets), ok)
            }
            _ => (ok.clone(), ok),
        }
    }

    /// An answer to a Fetch, if it shows anything: records; or that there are some which the reader is not given.
    pub(super) fn fetched(&self, frame: &Frame) -> Option<(String, Like)> {
        let facts = &frame.facts;
        let lang = self.lang;
        if let Some(code) = error(facts) {
            let outcome = codes::name(code);
            let like = Like { outcome: outcome.clone(), ..Like::of("Fetch".to_owned()) };
            return Some((format!("Fetch{} {outcome}", lang.colon()), like));
        }
        let data = |part: &Part| part.batches.iter().any(|batch| batch.marker.is_none());
        if facts.partitions.iter().any(data) {
            let batches =
                || facts.partitions.iter().flat_map(|part| &part.batches).filter(|batch| batch.marker.is_none());
            let text = self.each(&facts.partitions, |part| {
                let mut texts: Vec<_> =
                    part.batches.iter().filter(|batch| batch.marker.is_none()).map(values).collect();
                if let Some(more) = texts.len().checked_sub(PARTS).filter(|more| *more > 0) {
                    texts.truncate(PARTS);
                    texts.push(format!("(+{more})"));
                }
                (!texts.is_empty()).then(|| texts.join(", "))
            });
            let aborted: usize = facts.partitions.iter().map(|part| part.aborted.len()).sum();
            let skips = if aborted > 0 { format!(" ({})", lang.skips(aborted)) } else { String::new() };
            let like = Like {
                first: batches().next().map(first_value).unwrap_or_default(),
                last: batches().next_back().map(last_value).unwrap_or_default(),
                ..Like::of("Fetch".to_owned())
            };
            return Some((format!("{}{skips}", lang.reads(&text)), like));
        }
        let stalled = facts.partitions.iter().find_map(|part| {
            let (end, stable) = (part.high_watermark?, part.last_stable?);
            (0 <= stable && stable < end && part.batches.is_empty()).then_some((stable, end))
        });
        let (stable, end) = stalled?;
        let outcome = lang.stalled(stable, end);
        let like = Like { outcome: outcome.clone(), ..Like::of("Fetch".to_owned()) };
        Some((outcome, like))
    }

    fn offsets(&self, parts: &[Part]) -> String {
        self.list(parts, |part| part.offset.map_or_else(|| "?".to_owned(), |offset| offset.to_string()))
    }

    fn places(&self, parts: &[Part]) -> String {
        let offset = |part: &Part| part.offset.unwrap_or(-1);
        match parts {
            [part] if part.partition == 0 => format!("offset {}", offset(part)),
            _ => list(parts, |part| format!("[{}]@{}", part.partition, offset(part))),
        }
    }

    /// Something of each partition, with its number where it is not the only one or not the first.
    fn list(&self, parts: &[Part], text: impl Fn(&Part) -> String) -> String {
        match parts {
            [part] if part.partition == 0 => text(part),
            _ => list(parts, |part| format!("[{}] {}", part.partition, text(part))),
        }
    }

    /// The partitions, each with what is said of it; without, its topic and number alone.
    fn each(&self, parts: &[Part], text: impl Fn(&Part) -> Option<String>) -> String {
        match parts {
            [part] if part.partition == 0 && text(part).is_some() => text(part).unwrap_or_default(),
            _ => list(parts, |part| match text(part) {
                Some(text) => format!("[{}] {text}", part.partition),
                None => format!("{}[{}]", cut(&(self.short)(&part.topic), VALUE), part.partition),
            }),
        }
    }
}

/// The error of a response: of the whole, or of the first partition that has one.
pub(super) fn error(facts: &Facts) -> Option<i16> {
    let parts = facts.partitions.iter().filter_map(|part| part.error);
    facts.error.into_iter().chain(parts).find(|code| *code != 0)
}

fn list(parts: &[Part], text: impl Fn(&Part) -> String) -> String {
    let mut texts: Vec<_> = parts.iter().take(PARTS).map(text).collect();
    if let Some(more) = parts.len().checked_sub(PARTS).filter(|more| *more > 0) {
        texts.push(format!("(+{more})"));
    }
    texts.join(", ")
}

fn shown(value: Option<&String>) -> String {
    value.map_or_else(|| "None".to_owned(), |value| cut(value, VALUE))
}

fn first_value(batch: &Batch) -> String {
    shown(batch.first.as_ref())
}

fn last_value(batch: &Batch) -> String {
    match (&batch.last, batch.records) {
        (None, 2..) => shown(batch.first.as_ref()),
        _ => shown(batch.last.as_ref().or(batch.first.as_ref())),
    }
}

/// The values of a batch: the first, the last, and how many there are.
fn values(batch: &Batch) -> String {
    match (batch.records, &batch.last) {
        (..=1, _) => first_value(batch),
        (2, Some(_)) => format!("{}, {}", first_value(batch), last_value(batch)),
        (records, Some(_)) => format!("{} … {} ({records})", first_value(batch), last_value(batch)),
        (records, None) => format!("{} … ({records})", first_value(batch)),
    }
}
