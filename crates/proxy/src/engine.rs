//! Which fault acts on which frame.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;

use crate::{
    Action, Facts, Fault, Field, Side, When,
    codec::{self, Header},
};

/// A frame, with what faults look at.
#[derive(Clone, Copy)]
pub(crate) struct Seen<'a> {
    pub(crate) side: Side,
    /// The client's name at the proxy.
    pub(crate) client: &'a str,
    /// The request's header.
    pub(crate) header: &'a Header,
    /// The facts of the request.
    pub(crate) request: &'a Facts,
    /// The facts of the response, if that is what it is.
    pub(crate) response: Option<&'a Facts>,
    /// The frame itself.
    pub(crate) frame: &'a Bytes,
    /// A response's request, if it was kept.
    pub(crate) kept: Option<&'a Bytes>,
}

/// What is to be done with a frame.
#[derive(Default)]
pub(crate) struct Decision {
    /// The fault that acts.
    pub(crate) fault: Option<Fault>,
    /// The faults that only take note.
    pub(crate) notes: Vec<String>,
}

/// The armed faults.
#[derive(Default)]
pub(crate) struct Engine {
    armed: Mutex<Vec<Armed>>,
}

struct Armed {
    fault: Fault,
    /// How many frames matched.
    seen: u32,
}

impl Armed {
    /// Whether it can act again.
    fn is_live(&self) -> bool {
        let When { nth, times, .. } = self.fault.when;
        times == u32::MAX || self.seen < nth.max(1).saturating_add(times) - 1
    }

    /// Counts a matching frame; whether the fault acts on it.
    fn count(&mut self) -> bool {
        let acts = self.seen >= self.fault.when.nth.max(1) - 1 && self.is_live();
        self.seen = self.seen.saturating_add(1);
        acts
    }
}

impl Engine {
    pub(crate) fn arm(&self, fault: Fault) {
        self.armed.lock().unwrap_or_else(PoisonError::into_inner).push(Armed { fault, seen: 0 });
    }

    /// No fault acts any more.
    pub(crate) fn disarm(&self) {
        self.armed.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Whether the bytes of this request will be looked at when its response is there.
    pub(crate) fn keeps(&self, header: &Header) -> bool {
        let armed = self.armed.lock().unwrap_or_else(PoisonError::into_inner);
        armed.iter().any(|armed| {
            let when = &armed.fault.when;
            when.side == Side::Response
                && when.api as i16 == header.api_key
                && armed.is_live()
                && when.fields.iter().any(|field| matches!(field, Field::Value(_)))
        })
    }

    /// Counts this frame where it matches, and tells what acts on it. `only_notes`: other faults do not see it.
    pub(crate) fn decide(&self, seen: Seen<'_>, raised: &dyn Fn(&str) -> bool, only_notes: bool) -> Decision {
        let mut decision = Decision::default();
        for armed in self.armed.lock().unwrap_or_else(PoisonError::into_inner).iter_mut() {
            let notes = armed.fault.what == Action::Note;
            if (only_notes && !notes) || !armed.is_live() || !matches(&armed.fault.when, seen, raised) || !armed.count()
            {
                continue;
            }
            if notes {
                decision.notes.push(armed.fault.name.clone());
            } else if decision.fault.is_none() {
                decision.fault = Some(armed.fault.clone());
            }
        }
        decision
    }
}

fn matches(when: &When, seen: Seen<'_>, raised: &dyn Fn(&str) -> bool) -> bool {
    when.side == seen.side
        && when.api as i16 == seen.header.api_key
        && when.client.as_deref().is_none_or(|name| name == seen.client)
        && when.client_id.as_ref().is_none_or(|id| seen.header.client_id.as_ref() == Some(id))
        && when.after.as_deref().is_none_or(raised)
        && when.fields.iter().all(|field| is_true(field, seen))
        // Last, since it reads all records.
        && when.fields.iter().all(|field| match field {
            Field::Value(value) => {
                codec::holds_value(seen.header, seen.side, seen.frame, value)
                    || seen.kept.is_some_and(|kept| codec::holds_value(seen.header, Side::Request, kept, value))
            }
            _ => true,
        })
}

/// Whether this is true of the frame, or of the request that it answers. What needs its bytes passes.
fn is_true(field: &Field, seen: Seen<'_>) -> bool {
    let either = |is: &dyn Fn(&Facts) -> bool| is(seen.request) || seen.response.is_some_and(is);
    match field {
        Field::TransactionalId(id) => either(&|facts| facts.transactional_id.as_ref() == Some(id)),
        Field::Group(group) => either(&|facts| facts.group.as_ref() == Some(group)),
        Field::Topic(topic) => either(&|facts| facts.partitions.iter().any(|part| part.topic == *topic)),
        Field::Partition(partition) => {
            either(&|facts| facts.partitions.iter().any(|part| part.partition == *partition))
        }
        Field::Value(_) => true,
        Field::Commits(commits) => either(&|facts| facts.commits == Some(*commits)),
        Field::HasRecords => either(&|facts| {
            let mut batches = facts.partitions.iter().flat_map(|part| &part.batches);
            batches.any(|batch| batch.records > 0 && batch.marker.is_none())
        }),
        Field::Error(0) => {
            let facts = seen.response.unwrap_or(seen.request);
            let mut errors = facts.partitions.iter().filter_map(|part| part.error).chain(facts.error);
            errors.all(|error| error == 0)
        }
        Field::Error(code) => either(&|facts| {
            let mut errors = facts.partitions.iter().filter_map(|part| part.error).chain(facts.error);
            errors.any(|error| error == *code)
        }),
        Field::OffsetAtLeast(least) => {
            either(&|facts| facts.partitions.iter().any(|part| part.offset.is_some_and(|offset| offset >= *least)))
        }
    }
}

impl Action {
    /// Its name in the trace.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Swallow => "swallow",
            Self::Cut => "cut",
            Self::Silence => "silence",
            Self::Hold { .. } => "hold",
            Self::Delay(_) => "delay",
            Self::Answer { .. } => "answer",
            Self::Repeat { .. } => "repeat",
            Self::Postpone { .. } => "postpone",
            Self::Alter(_) => "alter",
            Self::Kill => "kill",
            Self::Freeze { .. } => "freeze",
            Self::Away { .. } => "away",
        }
    }

    /// Whether it makes sense on this side.
    pub(crate) fn acts_on(&self, side: Side) -> bool {
        let requests_only =
            matches!(self, Self::Answer { .. } | Self::Repeat { .. } | Self::Postpone { .. } | Self::Alter(_));
        side == Side::Request || !requests_only
    }
}
