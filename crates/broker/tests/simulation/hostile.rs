//! Frames that no client would send, into one engine: it answers or closes, holds no more memory than before, and serves
//! the next client.

use broker::{Engine, GroupSettings, Handled, Settings};
use bytes::Bytes;
use kafka_protocol::messages::{InitProducerIdRequest, InitProducerIdResponse};
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};

use crate::{
    run::Checked,
    simulation::Simulation,
    step::{ALL, Step, Weights, history},
    world::{START, caller, decode, encode},
};

/// The same frames at each run.
const SEED: u64 = 4_311_983;
const FRAMES: usize = 60_000;

/// What clients send in some histories, each a frame without its length.
fn genuine() -> Vec<Bytes> {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let histories = history(Weights { members: 8, ..ALL }, 80);
    let mut frames = Vec::new();
    for _ in 0..8 {
        let history = histories.new_tree(&mut runner).unwrap().current();
        frames.extend(recorded(&history).unwrap());
    }
    frames
}

fn recorded(history: &[Step]) -> Checked<Vec<Bytes>> {
    let mut simulation = Simulation::new(|_| {})?;
    simulation.world.frames = Some(Vec::new());
    simulation.steps(history)?;
    Ok(simulation.world.frames.take().unwrap_or_default())
}

/// Damages a frame in a few places.
fn damage(frame: &mut Vec<u8>, random: &mut StdRng) {
    for _ in 0..random.random_range(1..4) {
        if frame.is_empty() {
            return;
        }
        let place = random.random_range(0..frame.len());
        match random.random_range(0..6) {
            0 => frame[place] ^= 1 << random.random_range(0..8),
            1 => frame[place] = random.next_u32() as u8,
            2 => frame.truncate(place),
            3 => drop(frame.splice(place..place, [0x7f, 0xff, 0xff, 0xff])),
            4 => drop(frame.splice(place..place, [0xff, 0xff, 0xff, 0xff, 0x0f])),
            // Another version, of which the rest may be a valid request too.
            _ => {
                if let Some(version) = frame.get_mut(3) {
                    *version = random.random_range(0..14);
                }
            }
        }
    }
}

fn noise(random: &mut StdRng) -> Vec<u8> {
    let mut frame = vec![0; random.random_range(0..200)];
    random.fill_bytes(&mut frame);
    if let Some(start) = frame.first_chunk_mut::<4>() {
        *start = [0, random.random_range(0..80), 0, random.random_range(0..14)];
    }
    frame
}

/// Resident, in bytes; 0 where the system does not tell.
fn memory() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split_whitespace().nth(1).and_then(|pages| pages.parse::<usize>().ok());
    pages.unwrap_or(0) * 4096
}

#[test]
fn frames_that_no_client_sends_harm_nobody() {
    let genuine = genuine();
    let mut settings = Settings::default();
    settings.retention_bytes = 1 << 20;
    settings.max_partitions = 200;
    settings.transactions.max_ids = 200;
    settings.groups = GroupSettings { max_groups: 200, ..GroupSettings::default() };
    let mut engine = Engine::new(settings);
    let mut random = StdRng::seed_from_u64(SEED);
    let mut now = START;
    let (mut answers, mut most) = (0, 0);
    let before = memory();
    for _ in 0..FRAMES {
        let frame = match random.random_range(0..10) {
            0 => noise(&mut random),
            // Genuine ones lead it into every state; those of several histories have met no such engine before.
            1..5 => genuine[random.random_range(0..genuine.len())].to_vec(),
            _ => {
                let mut frame = genuine[random.random_range(0..genuine.len())].to_vec();
                damage(&mut frame, &mut random);
                frame
            }
        };
        if let Handled::Answer(answer) = engine.handle(now, caller(), frame.into()) {
            answers += 1;
            most = most.max(answer.len());
        }
        while let Some((_, answer)) = engine.completed() {
            most = most.max(answer.len());
        }
        if random.random_range(0..5) == 0 {
            now += random.random_range(0..2_000);
            engine.tick(now);
            assert!(engine.next_deadline().is_none_or(|next| next > now), "busy for ever");
        }
    }
    assert!(answers > FRAMES / 4, "only {answers} frames of {FRAMES} are answered");
    assert!(most < 8 << 20, "an answer of {most} bytes");
    let grown = memory().saturating_sub(before);
    assert!(grown < 256 << 20, "{grown} bytes more are resident");
    // A member may ask for a rebalance timeout of 24 days.
    for _ in 0..100 {
        now += i64::from(i32::MAX);
        engine.tick(now);
        while engine.completed().is_some() {}
    }
    assert_eq!(engine.waiting(), 0, "someone waits for ever");
    let init = InitProducerIdRequest::default().with_transactional_id(None).with_transaction_timeout_ms(1_000);
    let Handled::Answer(answer) = engine.handle(now, caller(), encode(&init, 4, 1)) else {
        panic!("the next client is not served");
    };
    let (_, response) = decode::<InitProducerIdResponse>(answer, 4).unwrap();
    assert_eq!((response.error_code, response.producer_epoch), (0, 0));
}
