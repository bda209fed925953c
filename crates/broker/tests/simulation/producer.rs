//! Producers: they number their batches, send again what was not answered, die, and go on where they have been fenced.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::{
    log::{Fate, next_sequence},
    run::{Checked, hold},
    step::{At, Net, PRODUCERS},
    world::{CONCURRENT_TRANSACTIONS, Credentials, OUT_OF_ORDER_SEQUENCE_NUMBER, Protocol, Reply, Request, Who, World},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    Idempotent,
    Transactional(usize, Protocol),
}

/// Two of them fence each other.
const KINDS: [Kind; PRODUCERS] = [
    Kind::Plain,
    Kind::Idempotent,
    Kind::Transactional(0, Protocol::Old),
    Kind::Transactional(0, Protocol::New),
    Kind::Transactional(1, Protocol::Second),
];

/// The most that an idempotent producer may have in flight.
const MOST_IN_FLIGHT: usize = 5;

/// What a producer knows of the records that it has written in a transaction, or outside of any.
#[derive(Debug, Default)]
struct Written {
    /// Acknowledged, with the partition.
    acknowledged: Vec<(u64, At)>,
    /// How it was told that its transaction ended.
    told: Option<bool>,
}

#[derive(Debug)]
pub(crate) struct Producer {
    kind: Kind,
    who: Option<Who>,
    sequences: BTreeMap<At, i32>,
    /// Partitions that have acknowledged something: only there, requests may overtake each other.
    established: BTreeSet<At>,
    added: BTreeSet<At>,
    offsets_added: bool,
    begun: bool,
    /// Something was refused: a well-behaved client only aborts now.
    failed: bool,
    unanswered: VecDeque<Request>,
    present: Written,
    past: Vec<Written>,
}

/// What the network does to the requests of one step.
struct Faults {
    net: Net,
    sent: u8,
}

enum Fault {
    None,
    Request,
    Answer,
}

impl Faults {
    fn next(&mut self) -> Fault {
        let number = self.sent;
        self.sent += 1;
        match self.net {
            Net::RequestLost(which) if which == number => Fault::Request,
            Net::AnswerLost(which) if which == number => Fault::Answer,
            _ => Fault::None,
        }
    }
}

pub(crate) fn all() -> Vec<Producer> {
    KINDS.into_iter().map(Producer::new).collect()
}

impl Producer {
    fn new(kind: Kind) -> Self {
        Self {
            kind,
            who: None,
            sequences: BTreeMap::new(),
            established: BTreeSet::new(),
            added: BTreeSet::new(),
            offsets_added: false,
            begun: false,
            failed: false,
            unanswered: VecDeque::new(),
            present: Written::default(),
            past: Vec::new(),
        }
    }

    fn protocol(&self) -> Protocol {
        match self.kind {
            Kind::Transactional(_, protocol) => protocol,
            _ => Protocol::New,
        }
    }

    fn id(&self) -> Option<usize> {
        match self.kind {
            Kind::Transactional(id, _) => Some(id),
            _ => None,
        }
    }

    /// The process is another one now.
    pub(crate) fn kill(&mut self) {
        self.end(None);
        let past = std::mem::take(&mut self.past);
        *self = Self { past, ..Self::new(self.kind) };
    }

    /// Nothing more comes to what has been written so far.
    fn end(&mut self, told: Option<bool>) {
        let present = std::mem::take(&mut self.present);
        self.past.push(Written { told, ..present });
        self.added.clear();
        self.offsets_added = false;
        self.begun = false;
    }

    pub(crate) fn init(&mut self, world: &mut World, late: &mut Vec<Request>, net: Net) -> Checked {
        self.kill();
        self.initialize(world, late, &mut Faults { net, sent: 0 }, None)
    }

    pub(crate) fn bump(&mut self, world: &mut World, late: &mut Vec<Request>, net: Net) -> Checked {
        let mut faults = Faults { net, sent: 0 };
        if !self.answered(world, late, &mut faults)? {
            return Ok(());
        }
        let present = self.who.map(|who| (who.producer_id, who.epoch));
        self.initialize(world, late, &mut faults, present)
    }

    fn initialize(
        &mut self,
        world: &mut World,
        late: &mut Vec<Request>,
        faults: &mut Faults,
        present: Option<(i64, i16)>,
    ) -> Checked {
        if self.kind == Kind::Plain {
            let protocol = self.protocol();
            self.who = Some(Who { id: None, producer_id: -1, epoch: -1, protocol });
            return Ok(());
        }
        let request = Request::Init { id: self.id(), present, protocol: self.protocol() };
        self.unanswered.push_back(request);
        self.answered(world, late, faults)?;
        Ok(())
    }

    /// Sends everything that has no answer yet, in order. Whether all of it has been answered.
    fn answered(&mut self, world: &mut World, late: &mut Vec<Request>, faults: &mut Faults) -> Checked<bool> {
        while !self.unanswered.is_empty() {
            if !self.send(world, late, 0, faults)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Sends one of the requests without an answer. Whether it was answered, or will never be.
    fn send(&mut self, world: &mut World, late: &mut Vec<Request>, index: usize, faults: &mut Faults) -> Checked<bool> {
        let request = self.unanswered[index].clone();
        let fault = faults.next();
        if matches!(fault, Fault::Request) {
            late.push(request);
            return Ok(false);
        }
        let reply = world.perform(&request)?;
        let Some(reply) = reply else {
            self.unanswered.remove(index);
            return Ok(true);
        };
        if matches!(fault, Fault::Answer) {
            return Ok(false);
        }
        let concurrent = reply.code == CONCURRENT_TRANSACTIONS;
        // Of an earlier one there is no answer yet: this one will find its place after it.
        let overtaken = reply.code == OUT_OF_ORDER_SEQUENCE_NUMBER && index > 0;
        if concurrent || overtaken {
            return Ok(concurrent);
        }
        self.unanswered.remove(index);
        self.take(&request, reply);
        Ok(true)
    }

    fn take(&mut self, request: &Request, reply: Reply) {
        match (request, reply.code) {
            (Request::Init { .. }, 0) => {
                self.end(None);
                let (producer_id, epoch) = reply.producer;
                self.who = Some(Who { id: self.id(), producer_id, epoch, protocol: self.protocol() });
                self.sequences.clear();
                self.established.clear();
                self.failed = false;
            }
            (Request::Add { at, .. }, 0) => {
                self.added.insert(*at);
                self.begun = true;
            }
            (Request::Produce { at, ids, .. }, 0) => {
                self.established.insert(*at);
                self.begun = true;
                self.present.acknowledged.extend(ids.iter().map(|id| (*id, *at)));
            }
            (Request::AddOffsets { .. }, 0) => {
                self.offsets_added = true;
                self.begun = true;
            }
            (Request::SendOffsets { .. }, 0) => self.begun = true,
            (Request::End { commit, .. }, 0) if self.failed => {
                // Its sequence numbers have gaps now: it needs a new epoch.
                self.end(Some(*commit));
                self.kill();
            }
            (Request::End { who, commit }, 0) => {
                self.end(Some(*commit));
                if who.protocol == Protocol::Second {
                    let (producer_id, epoch) = reply.producer;
                    self.who = Some(Who { producer_id, epoch, ..*who });
                    self.sequences.clear();
                    self.established.clear();
                }
            }
            // What it does next is the next step's business.
            (Request::SendOffsets { member: Some(_), .. }, _) | (Request::Init { .. }, _) => self.failed = true,
            (Request::End { .. }, _) => {
                self.end(None);
                self.failed = true;
            }
            (Request::Produce { .. }, _) if self.kind != Kind::Plain => {
                // The numbers of what follows are wrong now.
                self.unanswered.clear();
                self.failed = true;
                if self.kind == Kind::Idempotent {
                    self.kill();
                }
            }
            _ => self.failed = self.kind != Kind::Plain,
        }
    }

    pub(crate) fn produce(
        &mut self,
        world: &mut World,
        late: &mut Vec<Request>,
        (at, records, large): (At, usize, bool),
        pipelined: bool,
        net: Net,
    ) -> Checked {
        let mut faults = Faults { net, sent: 0 };
        let only_batches = self.unanswered.iter().all(|request| matches!(request, Request::Produce { .. }));
        let overtakes = pipelined
            && only_batches
            && self.unanswered.len() < MOST_IN_FLIGHT
            && self.established.contains(&at)
            && (self.added.contains(&at) || self.id().is_none());
        if !overtakes && !self.answered(world, late, &mut faults)? {
            return Ok(());
        }
        if self.who.is_none() {
            self.initialize(world, late, &mut faults, None)?;
        }
        let Some(who) = self.who else { return Ok(()) };
        if who.id.is_some() && who.protocol != Protocol::Second && !self.added.contains(&at) {
            self.unanswered.push_back(Request::Add { who, at });
            if !self.answered(world, late, &mut faults)? || !self.added.contains(&at) {
                return Ok(());
            }
        }
        // Close to the largest number, so that they wrap; a transactional producer has to begin with 0.
        let first = if self.kind == Kind::Idempotent { i32::MAX - 3 } else { 0 };
        let sequence = *self.sequences.get(&at).unwrap_or(&first);
        self.sequences.insert(at, next_sequence(sequence, records));
        let ids = world.new_records(records);
        let acks = if self.kind == Kind::Plain { [-1, 0, 1][ids[0] as usize % 3] } else { -1 };
        self.unanswered.push_back(Request::Produce { who, at, sequence, ids, acks, large });
        let last = self.unanswered.len() - 1;
        self.send(world, late, last, &mut faults)?;
        Ok(())
    }

    pub(crate) fn burst(
        &mut self,
        world: &mut World,
        late: &mut Vec<Request>,
        at: At,
        (arrived, missing): (u8, Option<u8>),
    ) -> Checked {
        // Requests overtake each other only where something has been acknowledged before.
        self.produce(world, late, (at, 1, false), false, Net::Fine)?;
        if self.unanswered.is_empty() && self.established.contains(&at) {
            for number in 0..MOST_IN_FLIGHT as u8 {
                let arrives = number < arrived && missing != Some(number);
                let net = if arrives { Net::AnswerLost(0) } else { Net::RequestLost(0) };
                self.produce(world, late, (at, 1, false), true, net)?;
            }
        }
        Ok(())
    }

    pub(crate) fn send_offsets(
        &mut self,
        world: &mut World,
        late: &mut Vec<Request>,
        (at, offset, bare): (At, i64, bool),
        member: Credentials,
        net: Net,
    ) -> Checked {
        let mut faults = Faults { net, sent: 0 };
        if !self.answered(world, late, &mut faults)? {
            return Ok(());
        }
        if self.who.is_none() {
            self.initialize(world, late, &mut faults, None)?;
        }
        let Some(who) = self.who else { return Ok(()) };
        if who.protocol != Protocol::Second && !self.offsets_added && !bare {
            self.unanswered.push_back(Request::AddOffsets { who });
            if !self.answered(world, late, &mut faults)? || !self.offsets_added {
                return Ok(());
            }
        }
        self.unanswered.push_back(Request::SendOffsets { who, at, offset, member });
        self.answered(world, late, &mut faults)?;
        Ok(())
    }

    pub(crate) fn finish(
        &mut self,
        world: &mut World,
        late: &mut Vec<Request>,
        commit: bool,
        stubborn: bool,
        net: Net,
    ) -> Checked {
        let mut faults = Faults { net, sent: 0 };
        if !self.answered(world, late, &mut faults)? {
            return Ok(());
        }
        let Some(who) = self.who else { return Ok(()) };
        // Clients do not trouble the broker with a transaction in which nothing has happened; zombies may.
        if !self.begun && !stubborn {
            return Ok(());
        }
        let commit = commit && (stubborn || !self.failed);
        self.unanswered.push_back(Request::End { who, commit });
        self.answered(world, late, &mut faults)?;
        Ok(())
    }

    /// Whether each of its transactions has an epoch of its own (KIP-890).
    pub(crate) fn tells_transactions_apart(&self) -> bool {
        self.protocol() == Protocol::Second
    }

    /// What this producer was told is so.
    pub(crate) fn check(&self, world: &World) -> Checked {
        for written in self.past.iter().chain([&self.present]) {
            let mut fates = BTreeSet::new();
            for (id, at) in &written.acknowledged {
                let Some(log) = world.logs.get(at) else { continue };
                let fate = log.fate(*id);
                // In a topic that was created anew there is nothing of before.
                let Some((fate, _)) = fate else { continue };
                fates.insert(match fate {
                    Fate::Plain | Fate::Committed => true,
                    Fate::Aborted => false,
                    Fate::Open | Fate::Control => return Err(format!("record {id} in {at:?} is {fate:?} at the end")),
                });
            }
            if let (Some(told), Some(fate)) = (written.told, fates.first()) {
                hold!(fates.len() == 1 && *fate == told, "told {told}, found {fates:?}: {written:?}");
            }
            hold!(fates.len() < 2, "a transaction is torn: {written:?}");
        }
        Ok(())
    }
}
