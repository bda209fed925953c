//! What differs between two runs of one history, and what it is called in the reports.

use kafka_protocol::messages::{GroupId, TopicName, TransactionalId};

use crate::support::wire::text;

/// A member id ends with '-' and a random UUID; what comes before is the client id or the group.instance.id.
const UUID: usize = 37;

/// The names of one run.
pub(crate) struct Names {
    prefix: String,
    producer_ids: Vec<i64>,
    member_ids: Vec<String>,
}

impl Names {
    pub(crate) fn new(prefix: String) -> Self {
        Self { prefix, producer_ids: Vec::new(), member_ids: Vec::new() }
    }

    pub(crate) fn topic(&self, topic: usize) -> TopicName {
        TopicName(text(&format!("{}-t{topic}", self.prefix)))
    }

    /// The topic of [`super::execute::Run::publish`].
    pub(crate) fn clock(&self) -> TopicName {
        TopicName(text(&format!("{}-clock", self.prefix)))
    }

    pub(crate) fn group(&self, group: usize) -> GroupId {
        GroupId(text(&format!("{}-g{group}", self.prefix)))
    }

    pub(crate) fn transactional_id(&self, id: usize) -> TransactionalId {
        TransactionalId(text(&format!("{}-x{id}", self.prefix)))
    }

    /// What follows the prefix.
    pub(crate) fn short<'a>(&self, name: &'a str) -> &'a str {
        name.strip_prefix(&self.prefix).map_or(name, |rest| rest.trim_start_matches('-'))
    }

    /// Producer ids are counted in the order in which they appear.
    pub(crate) fn producer_id(&mut self, id: i64) -> String {
        if id < 0 { id.to_string() } else { format!("p{}", position(&mut self.producer_ids, id)) }
    }

    /// Member ids are counted, for each member apart, in the order in which they appear.
    pub(crate) fn member_id(&mut self, id: &str) -> String {
        let Some(of) = id.len().checked_sub(UUID).and_then(|end| id.get(..end)) else { return format!("{id:?}") };
        let index = position(&mut self.member_ids, id.to_owned());
        let earlier = self.member_ids[..index].iter().filter(|id| id[..id.len() - UUID] == *of).count();
        format!("{of}.{earlier}")
    }
}

fn position<T: PartialEq>(seen: &mut Vec<T>, id: T) -> usize {
    seen.iter().position(|one| *one == id).unwrap_or_else(|| {
        seen.push(id);
        seen.len() - 1
    })
}
