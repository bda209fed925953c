//! A schedule, drawn from the seed.
//!
//! What is never drawn, because Kafka breaks exactly-once under it and no client can help it (KAFKA-17754): a request of
//! a transaction, other than Produce, that reaches the broker after its client has given it up. Nor what no broker does: an
//! error in answer to a Produce of a transaction, of which the broker hears nothing. One that refuses a Produce has seen
//! its sequence number, and refuses the batches behind it as well (KIP-890).

use proxy::{ApiKey, Side};

use super::dice::Dice;
use super::schedule::{Deed, Moment, Schedule, Step};
use crate::catalogue::{Producer, Program, Role};

/// The schedule of this run of this seed.
pub(crate) fn schedule(program: &Program, seed: u32, run: u32) -> Schedule {
    let mut drawing = Drawing { dice: Dice::new(seed, run), frames: frames(program), instances: 1 };
    let is_static = drawing.dice.happens(60);
    let pause = drawing.dice.one(&[0, 0, 1, 3, 8]).unwrap_or(0);
    let batch = drawing.dice.between(2, 8);
    let steps = drawing.dice.one(&[1, 2, 3, 3, 4, 4, 5, 6]).unwrap_or(1);
    let steps = (0..steps).map(|_| drawing.step(program)).collect();
    Schedule { is_static, pause, batch, steps }
}

struct Drawing {
    dice: Dice,
    frames: Vec<Frames>,
    /// How many have been started, or will be.
    instances: u32,
}

/// Frames that a program sends.
#[derive(Debug, Clone, Copy)]
struct Frames {
    api: ApiKey,
    /// Up to the nth of them.
    most: u32,
    /// How often they are drawn, compared with the others.
    weight: u32,
}

impl Drawing {
    fn step(&mut self, program: &Program) -> Step {
        let instance = match self.dice.happens(60) {
            true => self.instances,
            false => self.dice.between(1, self.instances),
        };
        let at = self.moment(program, instance);
        let deed =
            if self.dice.happens(55) { self.deed_on_program(program) } else { self.deed_on_network(program, at) };
        Step { at, deed }
    }

    fn moment(&mut self, program: &Program, instance: u32) -> Moment {
        let all = self.frames.iter().map(|frames| frames.weight).sum();
        let mut drawn = self.dice.below(all);
        let mut chosen = None;
        for frames in &self.frames {
            chosen = Some(*frames);
            match drawn.checked_sub(frames.weight) {
                Some(rest) => drawn = rest,
                None => break,
            }
        }
        let Frames { api, most, .. } = chosen.unwrap_or(Frames { api: ApiKey::Metadata, most: 1, weight: 1 });
        let side = match self.dice.happens(50) {
            false if api != ApiKey::Produce || is_acknowledged(program) => Side::Response,
            _ => Side::Request,
        };
        // Who does much at once does not do it often.
        let most = if self.dice.happens(50) { most.min(2) } else { most };
        Moment { instance, api, side, nth: self.dice.between(1, most) }
    }

    fn deed_on_program(&mut self, program: &Program) -> Deed {
        let is_member = !matches!(program.role, Role::Producer(_));
        let number = self.instances + 1;
        let deed = match self.dice.below(100) {
            0..38 => Deed::Kill(number),
            38..58 => {
                // Of the one that has taken its place.
                let until = self.moment(program, number);
                Deed::Freeze(number, until)
            }
            58..77 if is_member => {
                // When the other has done the same work.
                let api = if self.frames.iter().any(|frames| frames.api == ApiKey::EndTxn) {
                    ApiKey::EndTxn
                } else {
                    ApiKey::OffsetCommit
                };
                let nth = self.dice.between(1, 3);
                Deed::Evict(number, Moment { instance: number, api, side: Side::Response, nth })
            }
            77..90 if is_member => Deed::Join(number),
            _ => Deed::Leave(number),
        };
        self.instances = number;
        deed
    }

    fn deed_on_network(&mut self, program: &Program, at: Moment) -> Deed {
        match self.dice.below(100) {
            0..45 => Deed::Cut,
            45..63 => match self.dice.one(retriable(program, at)) {
                Some(code) => Deed::Answer(code),
                None => Deed::Cut,
            },
            63..73 => Deed::Delay(self.dice.between(5, 200)),
            73..82 => {
                let other = self.dice.between(1, self.instances);
                Deed::Hold(self.dice.between(100, 300), self.moment(program, other))
            }
            // A producer that never sends again has no second copy under way.
            82..90 if at.api == ApiKey::Produce && at.side == Side::Request && is_acknowledged(program) => {
                let other = self.dice.between(1, self.instances);
                let moment = self.moment(program, other);
                if self.dice.happens(50) { Deed::Repeat(moment) } else { Deed::Postpone(moment) }
            }
            82..92 => Deed::Away(self.dice.between(50, 400)),
            92..96 => Deed::Silence,
            _ => Deed::Cut,
        }
    }
}

/// The frames of a program, and how many of each there are in a run of no faults.
fn frames(program: &Program) -> Vec<Frames> {
    let of = |api, most, weight| Frames { api, most, weight };
    let begins = [of(ApiKey::FindCoordinator, 1, 1), of(ApiKey::InitProducerId, 1, 2)];
    let member = [
        of(ApiKey::JoinGroup, 2, 2),
        of(ApiKey::SyncGroup, 2, 1),
        of(ApiKey::OffsetFetch, 2, 2),
        of(ApiKey::Heartbeat, 2, 1),
        of(ApiKey::Fetch, 4, 3),
    ];
    // One for all messages, or for some of them, or for each.
    let transactions = match program.package {
        "eos-consumer" => 4,
        "producer-exactly-once" => 1,
        "eos-pipeline" => 8,
        _ => 10,
    };
    let offsets = [
        of(ApiKey::AddOffsetsToTxn, transactions, 3),
        of(ApiKey::TxnOffsetCommit, transactions, 6),
        of(ApiKey::EndTxn, transactions, 12),
    ];
    match program.role {
        Role::Producer(Producer { transactional: false, .. }) => {
            vec![of(ApiKey::Metadata, 2, 1), of(ApiKey::Produce, 8, 9)]
        }
        Role::Producer(Producer { transactional: true, .. }) => {
            let batches = if transactions == 1 { 6 } else { transactions };
            let own = [
                of(ApiKey::AddPartitionsToTxn, transactions, 2),
                of(ApiKey::Produce, batches, 6),
                of(ApiKey::EndTxn, transactions, 9),
            ];
            [&begins[..], &own].concat()
        }
        Role::Consumer { transactional: false, .. } => [&member[..], &[of(ApiKey::OffsetCommit, 12, 12)]].concat(),
        Role::Consumer { transactional: true, .. } => [&begins[..], &member, &offsets].concat(),
        Role::Pipeline { .. } => {
            let own = [of(ApiKey::AddPartitionsToTxn, transactions, 2), of(ApiKey::Produce, transactions, 5)];
            [&begins[..], &member, &offsets, &own].concat()
        }
    }
}

fn is_acknowledged(program: &Program) -> bool {
    !matches!(program.role, Role::Producer(Producer { acknowledged: false, .. }))
}

const REQUEST_TIMED_OUT: i16 = 7;
const NOT_LEADER_OR_FOLLOWER: i16 = 6;
const COORDINATOR_LOAD_IN_PROGRESS: i16 = 14;
const COORDINATOR_NOT_AVAILABLE: i16 = 15;
const NOT_COORDINATOR: i16 = 16;
const NOT_ENOUGH_REPLICAS: i16 = 19;
const REBALANCE_IN_PROGRESS: i16 = 27;
const CONCURRENT_TRANSACTIONS: i16 = 51;
const UNSTABLE_OFFSET_COMMIT: i16 = 88;

/// Errors with which a broker refuses such a request for a while, without having done anything.
fn retriable(program: &Program, at: Moment) -> &'static [i16] {
    match (at.side, at.api) {
        (Side::Response, _) => &[],
        (Side::Request, ApiKey::Produce) if is_acknowledged(program) && !program.is_transactional() => {
            &[NOT_LEADER_OR_FOLLOWER, REQUEST_TIMED_OUT, NOT_ENOUGH_REPLICAS]
        }
        (Side::Request, ApiKey::Fetch) => &[NOT_LEADER_OR_FOLLOWER],
        (
            Side::Request,
            ApiKey::InitProducerId | ApiKey::AddPartitionsToTxn | ApiKey::AddOffsetsToTxn | ApiKey::EndTxn,
        ) => &[COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR, CONCURRENT_TRANSACTIONS],
        (Side::Request, ApiKey::TxnOffsetCommit | ApiKey::OffsetCommit | ApiKey::JoinGroup) => {
            &[COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR]
        }
        (Side::Request, ApiKey::SyncGroup | ApiKey::Heartbeat) => {
            &[COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR, REBALANCE_IN_PROGRESS]
        }
        (Side::Request, ApiKey::OffsetFetch) => {
            &[COORDINATOR_LOAD_IN_PROGRESS, NOT_COORDINATOR, UNSTABLE_OFFSET_COMMIT]
        }
        (Side::Request, ApiKey::FindCoordinator) => &[COORDINATOR_NOT_AVAILABLE],
        _ => &[],
    }
}
