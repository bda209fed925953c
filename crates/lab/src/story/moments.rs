//! The moments of a run, from the trace and from what its instances said and suffered, by the proxy's clock.

use std::collections::{HashMap, HashSet};

use common::grammar::Line;
use proxy::{Event, Frame, Happening, Side};

use super::codes;
use super::frames::{self, Words};
use super::memory::Memory;
use super::moment::{Like, Moment, Weight};
use crate::child::Ended;
use crate::layout::cut;
use crate::names::short;
use crate::outcome::{Deed, Instance, Outcome};
use crate::text::Lang;
use crate::value::Value;

/// A line of a program, or what it said last, is shown in so many columns at most.
const LINE: usize = 70;

/// What a program said last, at its end.
const SAID: usize = 200;

/// Where one of many lines is named.
const NAME: usize = 32;

/// The number of an event that is none of the trace: after those of the trace that happen in the same microsecond.
const AFTER: u64 = u64::MAX;

/// All moments that say something, in their order.
pub(super) fn moments(outcome: &Outcome, lang: Lang) -> Vec<Moment> {
    let shorten = |name: &str| short(outcome, name);
    let mut teller = Teller::new(outcome, Words { lang, short: &shorten });
    for instance in &outcome.instances {
        teller.instance(instance);
    }
    for event in &outcome.trace {
        teller.event(event);
    }
    let mut moments = teller.moments;
    moments.sort_by_key(|(order, moment)| (moment.micros, *order));
    moments.into_iter().map(|(_, moment)| moment).collect()
}

struct Teller<'a> {
    outcome: &'a Outcome,
    words: Words<'a>,
    /// The response to a request, by the number of the request.
    answers: HashMap<u64, (&'a Event, &'a Frame)>,
    /// The frames on which a fault acted.
    struck: HashSet<u64>,
    /// The events that show a mark first.
    marks: HashSet<u64>,
    /// When faults acted, and when instances were stopped.
    turns: Vec<u64>,
    memory: Memory,
    /// Error codes that have been explained.
    explained: HashSet<Option<i16>>,
    /// Something is held back until a signal.
    waiting: bool,
    moments: Vec<(u64, Moment)>,
}

impl<'a> Teller<'a> {
    fn new(outcome: &'a Outcome, words: Words<'a>) -> Self {
        let mut answers = HashMap::new();
        let mut struck = HashSet::new();
        let mut turns = Vec::new();
        for event in &outcome.trace {
            match &event.happening {
                Happening::Frame(frame) if !frame.ours => {
                    if let Some(request) = frame.request {
                        answers.insert(request, (event, &**frame));
                    }
                }
                Happening::Fault { action, frame, .. } if *action != "note" => {
                    struck.insert(*frame);
                    turns.push(event.micros);
                }
                _ => {}
            }
        }
        let deeds = outcome.instances.iter().flat_map(|instance| &instance.deeds);
        turns.extend(deeds.map(|(micros, _)| *micros));
        let marks = outcome.marks.iter().map(|(_, number)| *number).collect();
        Self {
            outcome,
            words,
            answers,
            struck,
            marks,
            turns,
            memory: Memory::default(),
            explained: HashSet::new(),
            waiting: false,
            moments: Vec::new(),
        }
    }

    fn push(&mut self, order: u64, micros: u64, who: &str, text: String, weight: Weight, like: Option<Like>) {
        let who = who.to_owned();
        self.moments.push((order, Moment { micros, who, text, weight, like }));
    }

    fn instance(&mut self, instance: &Instance) {
        let lang = self.words.lang;
        let killed = instance.deeds.iter().any(|(_, deed)| *deed == Deed::Kill);
        for (nth, (micros, deed)) in instance.deeds.iter().enumerate() {
            let text = lang.deed(*deed).to_owned();
            let label = lang.fault_label();
            match deed {
                Deed::Kill | Deed::Freeze if self.by_the_proxy(instance, nth) => {}
                Deed::Kill | Deed::Freeze => {
                    self.push(
                        AFTER,
                        *micros,
                        &instance.name,
                        format!("{label}{} {text}", lang.colon()),
                        Weight::Fault,
                        None,
                    );
                }
                Deed::End if killed && matches!(instance.ended, Some(Ended::Signal(_))) => {}
                Deed::End => {
                    let how = instance.ended.map(|ended| format!("{} {}", lang.colon(), lang.ended(ended)));
                    let failed = instance.ended.is_some_and(|ended| ended != Ended::Status(0));
                    let said = instance.said.as_ref().filter(|_| failed);
                    let said = said.map(|said| format!(" ({})", cut(&short(self.outcome, said), SAID)));
                    let text = format!("{text}{}{}", how.unwrap_or_default(), said.unwrap_or_default());
                    self.push(AFTER, *micros, &instance.name, text, Weight::Turn, None);
                }
                Deed::Start | Deed::Thaw | Deed::Interrupt => {
                    self.push(AFTER, *micros, &instance.name, text, Weight::Turn, None);
                }
            }
        }
        for (micros, line) in &instance.lines {
            // Only the beginning of what may be long, before anything is done with it.
            let line = short(self.outcome, &line.chars().take(1000).collect::<String>());
            let name = name(&line);
            let like = Like { what: lang.lines().to_owned(), outcome: String::new(), first: name.clone(), last: name };
            self.push(AFTER, *micros, &instance.name, lang.prints(&cut(&line, LINE)), Weight::Usual, Some(like));
        }
    }

    /// Whether it was a fault at the proxy that did this: then that tells of it.
    fn by_the_proxy(&self, instance: &Instance, nth: usize) -> bool {
        let Some((done, deed)) = instance.deeds.get(nth) else { return false };
        let action_of_it = if *deed == Deed::Kill { "kill" } else { "freeze" };
        let next = instance.deeds.iter().skip(nth + 1).find(|(_, other)| other == deed);
        self.outcome.trace.iter().any(|event| {
            matches!(&event.happening, Happening::Fault { action, .. } if *action == action_of_it)
                && event.client == instance.name
                && *done <= event.micros
                && next.is_none_or(|(next, _)| event.micros < *next)
        })
    }

    fn event(&mut self, event: &'a Event) {
        let lang = self.words.lang;
        match &event.happening {
            Happening::Frame(frame) if frame.side == Side::Request => self.request(event, frame),
            Happening::Frame(frame) if frame.ours => {
                let (text, _) = self.words.answer(frame);
                let text = format!("← {}{} {text} {}", cut(&frame.api, NAME), lang.colon(), lang.seen_by_nobody());
                self.push(event.number, event.micros, &event.client, text, Weight::Special, None);
            }
            Happening::Frame(frame) if frame.api == "Fetch" => self.fetched(event, frame),
            Happening::Frame(_) | Happening::Connected | Happening::Closed { .. } => {}
            Happening::Refused => {
                let text = lang.refused().to_owned();
                let like =
                    Like { what: text.clone(), outcome: String::new(), first: String::new(), last: String::new() };
                self.push(event.number, event.micros, &event.client, text, Weight::Usual, Some(like));
            }
            Happening::Fault { name, action: "note", .. } | Happening::Signal { name } => {
                if std::mem::take(&mut self.waiting) {
                    let text = lang.signal(&cut(name, NAME));
                    self.push(event.number, event.micros, "", text, Weight::Turn, None);
                }
            }
            Happening::Fault { action, frame, error, .. } => {
                let request = self.outcome.trace.iter().find(|other| other.number == *frame).is_none_or(
                    |struck| matches!(&struck.happening, Happening::Frame(frame) if frame.side == Side::Request),
                );
                self.waiting |= matches!(*action, "hold" | "answer" | "repeat" | "postpone" | "away" | "silence");
                let error = error.map(codes::name);
                let text =
                    format!("{}{} {}", lang.fault_label(), lang.colon(), lang.fault(action, request, error.as_deref()));
                self.push(event.number, event.micros, &event.client, text, Weight::Fault, None);
            }
        }
    }

    /// A request and its answer: one moment, or two where something happens in between.
    fn request(&mut self, event: &'a Event, frame: &'a Frame) {
        let answer = self.answers.get(&event.number).copied();
        let struck = |number: u64| self.struck.contains(&number);
        let is_struck = struck(event.number) || answer.is_some_and(|(answer, _)| struck(answer.number));
        let error = answer.and_then(|(_, answer)| frames::error(&answer.facts));
        let marked = [Some(event.number), answer.map(|(answer, _)| answer.number)]
            .into_iter()
            .flatten()
            .any(|number| self.marks.contains(&number));
        let lang = self.words.lang;
        if frame.api == "Fetch" && !is_struck {
            return;
        }
        let again = self.memory.sent_before(event, frame, answer.map(|(_, answer)| answer));
        let back = self.memory.commits(frame, answer.map(|(_, answer)| answer));
        let told = self.words.request(frame, again.is_some());
        let request = told.text;
        let (mut text, mut outcome) = match answer {
            Some((_, answer)) => self.words.answer(answer),
            None if frame.facts.acks == Some(0) => (lang.no_acks().to_owned(), lang.no_acks().to_owned()),
            None => (lang.no_answer().to_owned(), lang.no_answer().to_owned()),
        };
        let place = |answer: &Frame| answer.facts.partitions.first().and_then(|part| part.offset);
        if let (Some(Some(before)), Some((_, answer)), None) = (again, answer, error) {
            if place(answer) == Some(before) {
                text = lang.recognised(&format!("offset {before}"));
                outcome.clone_from(&text);
            }
        }
        if let (Some(before), None) = (back, error) {
            text = format!("{text}, {}", lang.rewound(before));
            outcome.clone_from(&text);
        }
        if let Some(meaning) = error.and_then(|code| lang.meaning(code)) {
            // The first time is enough.
            if self.explained.insert(error) {
                text = format!("{text} ({meaning})");
            }
        }
        let refused = error.is_some_and(|code| !codes::is_passing(code) && code != codes::MEMBER_ID_REQUIRED);
        let aborts = frame.api == "EndTxn" && frame.facts.commits == Some(false);
        let special = is_struck || refused || marked || again.is_some() || back.is_some() || aborts;
        if !special && is_routine(&frame.api) || error == Some(codes::MEMBER_ID_REQUIRED) && !is_struck {
            return;
        }
        let weight = if special { Weight::Special } else { Weight::Usual };
        let like = Like { what: frame.api.clone(), outcome, first: told.first, last: told.last };
        // What a fault acts on is told in any case.
        let like = Some(like).filter(|_| !is_struck);
        let between = |from: u64, to: u64| self.turns.iter().any(|turn| from < *turn && *turn < to);
        match answer {
            Some((answer, response)) if is_struck || between(event.micros, answer.micros) => {
                self.push(event.number, event.micros, &event.client, format!("→ {request}"), weight, None);
                let text = if frame.api == "Fetch" {
                    // What it brings is told where all answers to a Fetch are.
                    return;
                } else {
                    format!("← {}{} {text}", cut(&response.api, NAME), lang.colon())
                };
                self.push(answer.number, answer.micros, &event.client, text, weight, None);
            }
            None if is_struck => {
                self.push(event.number, event.micros, &event.client, format!("→ {request}"), weight, None);
            }
            _ => {
                let text = format!("→ {request}{} {text}", lang.colon());
                self.push(event.number, event.micros, &event.client, text, weight, like);
            }
        }
    }

    fn fetched(&mut self, event: &Event, frame: &Frame) {
        let Some((text, like)) = self.words.fetched(frame) else { return };
        let weight = if frames::error(&frame.facts).is_some() || self.marks.contains(&event.number) {
            Weight::Special
        } else {
            Weight::Usual
        };
        self.push(event.number, event.micros, &event.client, format!("← {text}"), weight, Some(like));
    }
}

/// Which one of many lines it is: by the value that it is about, where that is known.
fn name(line: &str) -> String {
    let bytes = match Line::parse(line) {
        Some(
            Line::Sent(value)
            | Line::Delivered(_, value)
            | Line::CommittedMessage(_, value)
            | Line::Failed(value, _)
            | Line::Read(_, value),
        ) => Some(value),
        Some(Line::Process(_, value) | Line::Traitement { value, .. } | Line::Transform(_, value, _)) => value,
        Some(Line::Committed(_) | Line::Aborted(..)) | None => None,
    };
    match bytes {
        Some(bytes) => cut(&Value::new(Some(&bytes)).to_string(), NAME),
        None => cut(line, NAME),
    }
}

/// Requests that say nothing, as long as nothing is wrong with them.
fn is_routine(api: &str) -> bool {
    !matches!(
        api,
        "Produce"
            | "OffsetCommit"
            | "TxnOffsetCommit"
            | "EndTxn"
            | "InitProducerId"
            | "JoinGroup"
            | "OffsetFetch"
            | "LeaveGroup"
    )
}
