//! What the trace shows apart from values: that a client was fenced, that offsets were refused, that a reader stood still.
//!
//! What a broker has done counts, whether or not the client ever heard of it; a refusal counts when it was the broker's,
//! and on its way to the client.

mod batches;
mod offsets;
mod stalled;
#[cfg(test)]
mod testing;
mod transactions;
mod uncommitted;

pub(crate) use uncommitted::uncommitted;

use std::collections::{HashMap, HashSet};

use proxy::{Event, Facts, Frame, Happening, Side};

use crate::scenario::Mark;

/// The marks of a trace, in the order in which they show, each with the number of the event that shows it first.
pub(crate) fn marks(trace: &[Event]) -> Vec<(Mark, u64)> {
    let steps = steps(trace);
    let found = [
        (Mark::Fenced, transactions::fenced(&steps)),
        (Mark::OffsetsRefused, offsets::refused(&steps)),
        (Mark::OffsetsRewound, offsets::rewound(&steps)),
        (Mark::Stalled, stalled::stalled(&steps)),
        (Mark::Resent, batches::resent(&steps)),
        (Mark::Aborted, transactions::aborted(&steps)),
        (Mark::CommitRepeated, transactions::commit_repeated(&steps)),
    ];
    let mut marks: Vec<_> = found.into_iter().filter_map(|(mark, number)| Some((mark, number?))).collect();
    marks.sort_by_key(|&(_, number)| number);
    marks
}

/// Whether a producer went on to commit after its successor had begun.
pub(crate) fn overtaken(trace: &[Event]) -> bool {
    transactions::overtaken(&steps(trace))
}

/// What happened, as far as marks are concerned.
enum Step<'a> {
    /// A client asked.
    Request(&'a Event, &'a Frame),
    /// The broker answered.
    Response(Exchange<'a>),
    /// A fault killed this client's program.
    Killed(&'a str),
}

/// A request and the broker's answer.
struct Exchange<'a> {
    /// The answer's number.
    number: u64,
    client: &'a str,
    connection: u32,
    api: &'a str,
    /// What was asked.
    asked: &'a Facts,
    /// What was answered.
    told: &'a Facts,
    /// Whether the client was given the answer.
    arrived: bool,
}

impl Exchange<'_> {
    /// The error codes of the answer, that of the whole first; 0 is none.
    fn errors(&self) -> impl Iterator<Item = i16> {
        self.told.error.into_iter().chain(self.told.partitions.iter().filter_map(|part| part.error))
    }

    /// Whether nothing of it was refused.
    fn went_well(&self) -> bool {
        self.errors().all(|error| error == 0)
    }
}

/// Whether a client asked for a producer id for a transactional id.
pub(crate) fn transactional(trace: &[Event]) -> bool {
    trace.iter().any(|event| match &event.happening {
        Happening::Frame(frame) => frame.api == "InitProducerId" && frame.facts.transactional_id.is_some(),
        _ => false,
    })
}

fn steps(trace: &[Event]) -> Vec<Step<'_>> {
    let mut answered_here = HashSet::new();
    let mut lost = HashSet::new();
    for event in trace {
        if let Happening::Fault { action, frame, .. } = &event.happening {
            match *action {
                "answer" => answered_here.insert(*frame),
                "swallow" | "cut" | "silence" | "kill" | "away" => lost.insert(*frame),
                _ => false,
            };
        }
    }
    let mut requests = HashMap::new();
    let mut steps = Vec::new();
    for event in trace {
        match &event.happening {
            Happening::Fault { action: "kill", .. } => steps.push(Step::Killed(&event.client)),
            Happening::Frame(frame) if frame.side == Side::Request => {
                requests.insert(event.number, &frame.facts);
                steps.push(Step::Request(event, frame));
            }
            Happening::Frame(frame) => {
                let Some((request, asked)) = frame.request.and_then(|number| requests.get_key_value(&number)) else {
                    continue;
                };
                if !answered_here.contains(request) {
                    steps.push(Step::Response(Exchange {
                        number: event.number,
                        client: &event.client,
                        connection: event.connection,
                        api: &frame.api,
                        asked,
                        told: &frame.facts,
                        arrived: !frame.ours && !lost.contains(&event.number),
                    }));
                }
            }
            _ => {}
        }
    }
    steps
}

fn exchanges<'s, 'a>(steps: &'s [Step<'a>]) -> impl Iterator<Item = &'s Exchange<'a>> {
    steps.iter().filter_map(|step| match step {
        Step::Response(exchange) => Some(exchange),
        _ => None,
    })
}
