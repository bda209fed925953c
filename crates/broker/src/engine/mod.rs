//! The broker without sockets, clock or tasks: a request and the time go in; an answer comes out, or the promise of one.

mod answer;
pub(crate) mod dispatch;
pub(crate) mod fetches;

use std::{
    collections::{HashMap, VecDeque},
    net::{IpAddr, SocketAddr},
};

use bytes::Bytes;

use crate::{
    groups::{Completed, Groups},
    ids::Ids,
    log::{marker::Marker, producers::Producers},
    settings::Settings,
    time::Millis,
    topics::{TopicPartition, Topics, name},
    transactions::{COORDINATOR_EPOCH, Decision, ProducerIdAndEpoch, Transactions},
    wait::Wait,
};
use answer::Header;
use fetches::Fetches;

/// Who sends a request.
#[derive(Debug, Clone, Copy)]
pub struct Caller {
    /// The client's address.
    pub peer: IpAddr,
    /// The address at which this client reaches the broker: what it is told when it asks where the broker is.
    pub reached_at: SocketAddr,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handled {
    /// The answer: a frame, its length included.
    Answer(Bytes),
    /// The request wants no answer (Produce with acks=0).
    Silence,
    /// The answer comes later, by [`Engine::completed`].
    Wait(Wait),
    /// The connection cannot go on; why.
    Close(String),
}

/// The broker's state.
pub struct Engine {
    pub(crate) settings: Settings,
    pub(crate) now: Millis,
    pub(crate) cluster_id: String,
    pub(crate) ids: Ids,
    pub(crate) topics: Topics,
    pub(crate) transactions: Transactions,
    pub(crate) groups: Groups,
    /// Producers of transactional offsets, as the partition of the internal topic of offsets would know them.
    pub(crate) offset_producers: Producers,
    /// How many writes of transactional offsets there have been: stands for the offset in the internal topic.
    pub(crate) offset_writes: i64,
    pub(crate) fetches: Fetches,
    waiting: HashMap<Wait, Header>,
    done: VecDeque<(Wait, Bytes)>,
    next_wait: u64,
}

impl Engine {
    /// A broker without topics.
    pub fn new(settings: Settings) -> Self {
        let seed = settings.seed.unwrap_or_default();
        let mut ids = Ids::new(seed);
        let cluster_id = ids.uuid().simple().to_string();
        Self {
            now: 0,
            cluster_id,
            topics: Topics::new(settings.max_partitions),
            transactions: Transactions::new(settings.transactions.clone(), settings.transaction_version_2),
            groups: Groups::new(settings.groups.clone(), seed ^ 0x6772_6f75_7073),
            offset_producers: Producers::default(),
            offset_writes: 0,
            fetches: Fetches::default(),
            waiting: HashMap::new(),
            done: VecDeque::new(),
            next_wait: 0,
            ids,
            settings,
        }
    }

    /// Handles a request: a frame without its length. `now` may not be before that of an earlier call.
    pub fn handle(&mut self, now: Millis, caller: Caller, frame: Bytes) -> Handled {
        self.now = self.now.max(now);
        let handled = self.dispatch(caller, frame);
        self.settle();
        handled
    }

    /// Does what has become due. To be called at [`Engine::next_deadline`], or later.
    pub fn tick(&mut self, now: Millis) {
        self.now = self.now.max(now);
        for decision in self.transactions.tick(self.now) {
            self.carry_out(decision);
        }
        self.fetches.expire(self.now);
        self.settle();
    }

    /// When [`Engine::tick`] has something to do, if nothing else happens before.
    pub fn next_deadline(&self) -> Option<Millis> {
        [self.transactions.next_deadline(), self.groups.next_deadline(), self.fetches.next_deadline()]
            .into_iter()
            .flatten()
            .min()
    }

    /// The next answer to a request that had to wait.
    pub fn completed(&mut self) -> Option<(Wait, Bytes)> {
        self.done.pop_front()
    }

    /// Nobody waits for this answer any more.
    pub fn abandon(&mut self, wait: Wait) {
        self.waiting.remove(&wait);
        self.fetches.remove(wait);
    }

    /// How many requests wait.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    pub(crate) fn new_wait(&mut self) -> Wait {
        self.next_wait += 1;
        Wait(self.next_wait)
    }

    /// Answers whoever has what they waited for.
    fn settle(&mut self) {
        // One thing that is due can bring about another.
        while self.groups.next_deadline().is_some_and(|due| due <= self.now) {
            self.groups.tick(self.now);
        }
        while let Some((wait, completed)) = self.groups.completed() {
            let Some(header) = self.waiting.remove(&wait) else { continue };
            let answer = match completed {
                Completed::Join(response) => header.answer(&response),
                Completed::Sync(response) => header.answer(&response),
            };
            self.done.extend(answer.ok().map(|answer| (wait, answer)));
        }
        for (wait, fetch) in self.fetches.ready(&self.topics) {
            let Some(header) = self.waiting.remove(&wait) else { continue };
            let response = self.read(&fetch).response;
            self.done.extend(header.answer(&response).ok().map(|answer| (wait, answer)));
        }
    }

    /// Writes the markers of a transaction that has been decided.
    pub(crate) fn carry_out(&mut self, decision: Decision) {
        let Decision { marker, producer, partitions } = decision;
        for TopicPartition { topic, partition } in partitions {
            if &*topic.0 == name::OFFSETS {
                self.end_offsets(producer, marker);
            } else if let Some(log) = self.topics.partition_mut(&topic, partition) {
                let ended = log.append_marker(marker, producer.id, producer.epoch, COORDINATOR_EPOCH, self.now);
                if let Err(error) = ended {
                    log::debug!("no marker in {}-{partition}: {error}", topic.0);
                }
                self.fetches.changed(&TopicPartition { topic, partition });
            }
        }
    }

    fn end_offsets(&mut self, producer: ProducerIdAndEpoch, marker: Marker) {
        let ended = self.offset_producers.end(producer.id, producer.epoch, COORDINATOR_EPOCH, self.now);
        if ended.is_ok() {
            self.groups.end_transaction(self.now, producer.id, marker == Marker::Commit);
        }
    }
}
