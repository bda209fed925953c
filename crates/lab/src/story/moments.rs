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

/// Of an instance that prints more, only the first lines and as many of the last are looked at.
const LINES: usize = 10_000;

/// The number of an event that is none of the trace: after those of the trace that happen in the same microsecond.
const AFTER: u64 = u64::MAX;

/// All moments that say something, in their order.
pub(super) fn moments(outcome: &Outcome, lang: Lang) -> Vec<Moment> {
    let shorten = |name: &str| short(outcome, name);
    let mut teller = Teller::new(outcome, Words { lang, short: &shorten });
    for instance in outcome.instances.iter().chain(&outcome.nodes) {
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
    /// The events that show a mark first, or that the scenario has waited for.
    noted: HashSet<u64>,
    /// When something was done to an instance.
    turns: Vec<(u64, &'a str)>,
    memory: Memory,
    /// Error codes that have been explained.
    explained: HashSet<Option<i16>>,
    /// What was held back until a signal, and by which action.
    waiting: Option<&'static str>,
    moments: Vec<(u64, Moment)>,
}

impl<'a> Teller<'a> {
    fn new(outcome: &'a Outcome, words: Words<'a>) -> Self {
        let mut answers = HashMap::new();
        let mut struck = HashSet::new();
        let mut noted: HashSet<u64> = outcome.marks.iter().map(|(_, number)| *number).collect();
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
                    if matches!(*action, "kill" | "freeze" | "away") {
                        turns.push((event.micros, event.client.as_str()));
                    }
                }
                // The scenario waits for it.
                Happening::Fault { frame, .. } => {
                    noted.insert(*frame);
                }
                _ => {}
            }
        }
        for instance in &outcome.instances {
            turns.extend(instance.deeds.iter().map(|(micros, _)| (*micros, instance.name.as_str())));
        }
        Self {
            outcome,
            words,
            answers,
            struck,
            noted,
            turns,
            memory: Memory::default(),
            explained: HashSet::new(),
            waiting: None,
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
                Deed::Kill | Deed::Freeze | Deed::Stop => {
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
        let all = instance.lines.len();
        for (micros, line) in instance.lines.iter().take(LINES) {
            self.line(&instance.name, *micros, line);
        }
        let last = LINES.max(all.saturating_sub(LINES));
        if let Some(middle) = instance.lines.get(LINES..last).filter(|middle| !middle.is_empty()) {
            let names: Vec<_> =
                middle.first().into_iter().chain(middle.last()).map(|(_, line)| name(&self.shortened(line))).collect();
            let (first, last) = (names.first().cloned().unwrap_or_default(), names.last().cloned().unwrap_or_default());
            let like = Like { first, last, count: middle.len(), ..Like::of(lang.lines().to_owned()) };
            let micros = middle.first().map_or(0, |(micros, _)| *micros);
            self.push(AFTER, micros, &instance.name, String::new(), Weight::Usual, Some(like));
        }
        for (micros, line) in instance.lines.iter().skip(last) {
            self.line(&instance.name, *micros, line);
        }
    }

    fn line(&mut self, who: &str, micros: u64, line: &str) {
        let lang = self.words.lang;
        let line = self.shortened(line);
        let name = name(&line);
        // The end of a transaction is another thing than a value.
        let what = match Line::parse(&line) {
            Some(Line::Committed(_)) => format!("{} `committed`", lang.lines()),
            Some(Line::Aborted(..)) => format!("{} `aborted`", lang.lines()),
            _ => lang.lines().to_owned(),
        };
        let like = Like { first: name.clone(), last: name, ..Like::of(what) };
        self.push(AFTER, micros, who, lang.prints(&cut(&line, LINE)), Weight::Usual, Some(like));
    }

    /// A line with short names: only the beginning of what may be long, before anything is done with it.
    fn shortened(&self, line: &str) -> String {
        short(self.outcome, &line.chars().take(1000).collect::<String>())
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
                let (outcome, _) = self.words.answer(frame);
                let late = self.outcome.trace.iter().find(|other| Some(other.number) == frame.request);
                let request = match late.map(|late| &late.happening) {
                    Some(Happening::Frame(late)) => self.words.request(late, false).text,
                    _ => cut(&frame.api, NAME),
                };
                let text = format!("{}{} {}", lang.fault_label(), lang.colon(), lang.arrives(&request, &outcome));
                self.push(event.number, event.micros, &event.client, text, Weight::Fault, None);
            }
            Happening::Frame(frame) if frame.api == "Fetch" => self.fetched(event, frame),
            Happening::Frame(_) | Happening::Connected | Happening::Closed { .. } => {}
            Happening::Refused => {
                let text = lang.refused().to_owned();
                let what = lang.connections_refused().to_owned();
                let like = Like::of(what);
                self.push(event.number, event.micros, &event.client, text, Weight::Usual, Some(like));
            }
            // Raised by each refused connection.
            Happening::Signal { name } if name == "refused" => {}
            Happening::Fault { name, action: "note", .. } | Happening::Signal { name } => {
                if let Some(action) = self.waiting.take() {
                    let text = lang.signal(&cut(name, NAME), action == "away");
                    self.push(event.number, event.micros, "", text, Weight::Turn, None);
                }
            }
            Happening::Fault { action, frame, error, .. } => {
                let request = self.outcome.trace.iter().find(|other| other.number == *frame).is_none_or(
                    |struck| matches!(&struck.happening, Happening::Frame(frame) if frame.side == Side::Request),
                );
                if matches!(*action, "hold" | "answer" | "repeat" | "postpone" | "away" | "silence") {
                    self.waiting = Some(action);
                }
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
            .any(|number| self.noted.contains(&number));
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
        if let (Some(Some(before)), Some((_, answer)), None) = (again, answer, error)
            && place(answer) == Some(before)
        {
            text = lang.recognised(&format!("offset {before}"));
            outcome.clone_from(&text);
        }
        if let (Some(before), None) = (back, error) {
            text = format!("{text}, {}", lang.rewound(before));
            outcome.clone_from(&text);
        }
        let refused = error.is_some_and(|code| !codes::is_passing(code) && code != codes::MEMBER_ID_REQUIRED);
        let aborts = frame.api == "EndTxn" && frame.facts.commits == Some(false);
        let special = is_struck || refused || marked || again.is_some() || back.is_some() || aborts;
        if !special && is_routine(&frame.api) || error == Some(codes::MEMBER_ID_REQUIRED) && !is_struck {
            return;
        }
        // The first time is enough.
        if let Some(meaning) = error.and_then(|code| lang.meaning(code))
            && self.explained.insert(error)
        {
            text = format!("{text} ({meaning})");
        }
        let weight = if special { Weight::Special } else { Weight::Usual };
        let what = match frame.facts.commits {
            Some(true) => format!("{} commit", frame.api),
            Some(false) => format!("{} abort", frame.api),
            None => cut(&frame.api, NAME),
        };
        let named =
            if told.first.is_empty() || frame.api != "Produce" { String::new() } else { format!(" {}", told.first) };
        let like = Like { what, outcome, first: told.first, last: told.last, brief: false, count: 1 };
        // What a fault acts on is told in any case.
        let like = Some(like).filter(|_| !is_struck);
        let between = |from: u64, to: u64| {
            self.turns.iter().any(|(turn, client)| *client == event.client && from < *turn && *turn < to)
        };
        match answer {
            Some((answer, response)) if is_struck || between(event.micros, answer.micros) => {
                self.push(event.number, event.micros, &event.client, format!("→ {request}"), weight, None);
                let text = if frame.api == "Fetch" {
                    // What it brings is told where all answers to a Fetch are.
                    return;
                } else {
                    format!("← {}{named}{} {text}", cut(&response.api, NAME), lang.colon())
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
        let weight = if frames::error(&frame.facts).is_some() { Weight::Special } else { Weight::Usual };
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
