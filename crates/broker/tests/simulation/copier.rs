//! Consume, process, produce: programs that copy one topic to another, with the offsets in the transaction. Two of them
//! have the same transactional id, and do not know of each other.

use std::collections::{BTreeMap, HashMap};

use proptest::{collection::vec, prelude::*};

use crate::{
    fetch::Wanted,
    log::{Fate, next_sequence},
    run::{Checked, hold},
    step::{At, Net, PARTITIONS},
    world::{CONCURRENT_TRANSACTIONS, Protocol, Reply, Request, Who, World},
};

const INPUT: usize = 0;
const OUTPUT: usize = 1;

/// Transactional id, requests, partition.
const COPIERS: [(usize, Protocol, i32); 3] = [(0, Protocol::Old, 0), (0, Protocol::New, 0), (1, Protocol::Second, 1)];

#[derive(Debug, Clone, Copy)]
pub(crate) enum Turn {
    /// Records to copy.
    Feed {
        partition: i32,
        records: u8,
    },
    /// A copier goes on for so many requests, or until one of them is lost.
    Go {
        copier: usize,
        requests: u8,
        net: Net,
    },
    /// It dies, and is started again.
    Kill {
        copier: usize,
    },
    Pass {
        millis: u32,
        busy: bool,
    },
}

pub(crate) fn history() -> impl Strategy<Value = Vec<Turn>> {
    let net = prop_oneof![
        6 => Just(Net::Fine),
        1 => (0..8u8).prop_map(Net::RequestLost),
        1 => (0..8u8).prop_map(Net::AnswerLost),
    ];
    let turn = prop_oneof![
        3 => (0..PARTITIONS, 1..5u8).prop_map(|(partition, records)| Turn::Feed { partition, records }),
        10 => (0..COPIERS.len(), 1..9u8, net).prop_map(|(copier, requests, net)| Turn::Go { copier, requests, net }),
        1 => (0..COPIERS.len()).prop_map(|copier| Turn::Kill { copier }),
        1 => (prop_oneof![3 => 0..1_000u32, 1 => 1_000..10_000u32], any::<bool>())
            .prop_map(|(millis, busy)| Turn::Pass { millis, busy }),
    ];
    vec(turn, 1..60)
}

pub(crate) fn run(history: &[Turn]) -> Checked {
    let mut world = World::new(|_| {})?;
    let mut copiers: Vec<Copier> = (0..COPIERS.len()).map(Copier::new).collect();
    // Of which record each one is the copy.
    let mut copies = HashMap::new();
    for (number, turn) in history.iter().enumerate() {
        let done = take(&mut world, &mut copiers, &mut copies, *turn).and_then(|()| check(&world, &copies));
        done.map_err(|why| format!("turn {number}, {turn:?}: {why}"))?;
    }
    // In peace, one of each id comes to the end.
    world.pass(60_000, true)?;
    for copier in [0, 2] {
        copiers[copier] = Copier::new(copier);
        let (.., partition) = COPIERS[copier];
        let end = world.logs[&(INPUT, partition)].end;
        // One record at a time would be done by then.
        for _ in 0..=end {
            if world.offsets.get((INPUT, partition)) == end {
                break;
            }
            copiers[copier].go(&mut world, &mut copies, 8, Net::Fine)?;
        }
        let committed = world.offsets.get((INPUT, partition)).max(0);
        hold!(committed == end, "{committed} of {end} records are copied in the end");
    }
    check(&world, &copies)
}

fn take(world: &mut World, copiers: &mut [Copier], copies: &mut HashMap<u64, u64>, turn: Turn) -> Checked {
    match turn {
        Turn::Feed { partition, records } => {
            let ids = world.new_records(records.into());
            let who = Who { id: None, producer_id: -1, epoch: -1, protocol: Protocol::New };
            let feed = Request::Produce { who, at: (INPUT, partition), sequence: -1, ids, acks: -1, large: false };
            world.perform(&feed).map(drop)
        }
        Turn::Go { copier, requests, net } => copiers[copier].go(world, copies, requests, net),
        Turn::Kill { copier } => {
            copiers[copier] = Copier::new(copier);
            Ok(())
        }
        Turn::Pass { millis, busy } => world.pass(millis.into(), busy),
    }
}

/// What is committed was copied exactly once and in order; nothing else was, as far as `read_committed` can see.
fn check(world: &World, copies: &HashMap<u64, u64>) -> Checked {
    for partition in 0..PARTITIONS {
        let committed = world.offsets.get((INPUT, partition));
        let input = world.logs[&(INPUT, partition)].batches.iter();
        let input = input.flat_map(|seen| (seen.base_offset..).zip(seen.ids.iter().copied()));
        let wanted: Vec<u64> = input.take_while(|(offset, _)| *offset < committed).map(|(_, id)| id).collect();
        let output = world.logs[&(OUTPUT, partition)].batches.iter().filter(|seen| seen.fate == Fate::Committed);
        let copied: Vec<u64> = output.flat_map(|seen| &seen.ids).map(|id| copies[id]).collect();
        hold!(copied == wanted, "{copied:?} is copied, and {wanted:?} is marked as copied");
    }
    Ok(())
}

/// What a copier does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Init,
    Position,
    Poll,
    Add,
    Produce,
    AddOffsets,
    SendOffsets,
    End,
}

struct Copier {
    number: usize,
    phase: Phase,
    /// Until it is answered, the same bytes are sent.
    unanswered: Option<Request>,
    who: Option<Who>,
    sequence: i32,
    position: i64,
    /// Input offset and id.
    batch: Vec<(i64, u64)>,
}

impl Copier {
    fn new(number: usize) -> Self {
        let (phase, unanswered, who, batch) = (Phase::Init, None, None, Vec::new());
        Self { number, phase, unanswered, who, sequence: 0, position: 0, batch }
    }

    fn go(&mut self, world: &mut World, copies: &mut HashMap<u64, u64>, requests: u8, net: Net) -> Checked {
        for number in 0..requests {
            let lost = net == Net::RequestLost(number);
            let silent = net == Net::AnswerLost(number);
            match self.phase {
                Phase::Position if lost || silent => return Ok(()),
                Phase::Position => self.find_position(world)?,
                Phase::Poll => self.poll(world)?,
                _ => {
                    let request = self.request(world, copies)?;
                    if !lost {
                        let reply = world.perform(&request)?.ok_or("no answer")?;
                        if !silent {
                            self.unanswered = None;
                            self.answered(reply);
                        }
                    }
                    if lost || silent {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    fn input(&self) -> At {
        (INPUT, COPIERS[self.number].2)
    }

    fn output(&self) -> At {
        (OUTPUT, COPIERS[self.number].2)
    }

    /// Where the group stands, unless a transaction that is still open may change that.
    fn find_position(&mut self, world: &mut World) -> Checked {
        if let Some(offset) = world.fetch_offset(self.input())? {
            self.position = offset.max(0);
            self.phase = Phase::Poll;
        }
        Ok(())
    }

    fn poll(&mut self, world: &mut World) -> Checked {
        /// `max.poll.records`.
        const MOST: usize = 3;

        let from = BTreeMap::from([(self.input(), self.position)]);
        let wanted =
            Wanted { consumer: 0, committed: true, from, deadline: world.now, min_bytes: 1, max_bytes: 50 << 20 };
        let delivered = world.fetch(wanted, 0)?.ok_or("a Fetch waits that does not want to")?;
        let (mut records, _) = delivered.into_values().flatten().next().ok_or("a position that does not exist")?;
        records.truncate(MOST);
        if let Some((last, _)) = records.last() {
            self.position = last + 1;
            self.batch = records;
            self.phase = if COPIERS[self.number].1 == Protocol::Second { Phase::Produce } else { Phase::Add };
        }
        Ok(())
    }

    fn request(&mut self, world: &mut World, copies: &mut HashMap<u64, u64>) -> Checked<Request> {
        if let Some(request) = &self.unanswered {
            return Ok(request.clone());
        }
        let (id, protocol, _) = COPIERS[self.number];
        let request = if let (Some(who), false) = (self.who, self.phase == Phase::Init) {
            match self.phase {
                Phase::Add => Request::Add { who, at: self.output() },
                Phase::Produce => {
                    let ids = world.new_records(self.batch.len());
                    copies.extend(ids.iter().copied().zip(self.batch.iter().map(|(_, id)| *id)));
                    let sequence = self.sequence;
                    Request::Produce { who, at: self.output(), sequence, ids, acks: -1, large: false }
                }
                Phase::AddOffsets => Request::AddOffsets { who },
                Phase::SendOffsets => {
                    Request::SendOffsets { who, at: self.input(), offset: self.position, member: None }
                }
                _ => Request::End { who, commit: true },
            }
        } else {
            Request::Init { id: Some(id), present: None, protocol }
        };
        self.unanswered = Some(request.clone());
        Ok(request)
    }

    fn answered(&mut self, reply: Reply) {
        let (id, protocol, _) = COPIERS[self.number];
        let second = protocol == Protocol::Second;
        if reply.code == CONCURRENT_TRANSACTIONS && self.phase == Phase::Init {
            return;
        }
        if reply.code != 0 {
            // Fenced, or too slow: the program ends, and is started again.
            *self = Self::new(self.number);
            return;
        }
        let (producer_id, epoch) = reply.producer;
        let given = Who { id: Some(id), producer_id, epoch, protocol };
        self.phase = match self.phase {
            Phase::Init => {
                self.who = Some(given);
                Phase::Position
            }
            Phase::Add => Phase::Produce,
            Phase::Produce => {
                self.sequence = next_sequence(self.sequence, self.batch.len());
                if second { Phase::SendOffsets } else { Phase::AddOffsets }
            }
            Phase::AddOffsets => Phase::SendOffsets,
            Phase::SendOffsets => Phase::End,
            Phase::End => {
                if second {
                    self.who = Some(given);
                    self.sequence = 0;
                }
                Phase::Poll
            }
            Phase::Position | Phase::Poll => self.phase,
        };
    }
}
