//! A history, step by step.

use broker::Settings;

use crate::{
    consumer::Consumer,
    member::Member,
    producer::{self, Producer},
    run::{Checked, hold},
    step::{CONSUMERS, MEMBERS, Net, Step},
    world::{Request, World},
};

/// All clients, and the engine that they talk to.
pub(crate) struct Simulation {
    pub(crate) world: World,
    producers: Vec<Producer>,
    consumers: Vec<Consumer>,
    members: Vec<Member>,
    /// Requests that were lost.
    late: Vec<Request>,
}

impl Simulation {
    pub(crate) fn new(change: impl FnOnce(&mut Settings)) -> Checked<Self> {
        Ok(Self {
            world: World::new(change)?,
            producers: producer::all(),
            consumers: (0..CONSUMERS).map(Consumer::new).collect(),
            members: (0..MEMBERS).map(|_| Member::new()).collect(),
            late: Vec::new(),
        })
    }

    /// The whole of a history, and the peace after it.
    pub(crate) fn run(history: &[Step], change: impl FnOnce(&mut Settings)) -> Checked<World> {
        let mut simulation = Self::new(change)?;
        simulation.world.punctual = !history.iter().any(|step| matches!(step, Step::Late { .. }));
        simulation.steps(history)?;
        simulation.finish().map_err(|why| format!("after the last step: {why}"))?;
        Ok(simulation.world)
    }

    pub(crate) fn steps(&mut self, history: &[Step]) -> Checked {
        for (number, step) in history.iter().enumerate() {
            self.step(*step).map_err(|why| format!("step {number}, {step:?}: {why}"))?;
        }
        Ok(())
    }

    fn step(&mut self, step: Step) -> Checked {
        let Self { world, producers, consumers, members, late } = self;
        match step {
            Step::Init { producer, net } => producers[producer].init(world, late, net)?,
            Step::Bump { producer, net } => producers[producer].bump(world, late, net)?,
            Step::Produce { producer, at, records, pipelined, large, net } => {
                producers[producer].produce(world, late, (at, records.into(), large), pipelined, net)?;
            }
            Step::Burst { producer, at, arrived, missing } => {
                producers[producer].burst(world, late, at, (arrived, missing))?;
            }
            Step::SendOffsets { bare, producer, at, offset, member, net } => {
                let member = member.and_then(|member| members[member].credentials());
                producers[producer].send_offsets(world, late, (at, offset.into(), bare), member, net)?;
            }
            Step::End { producer, commit, stubborn, net } => {
                producers[producer].finish(world, late, commit, stubborn, net)?;
            }
            Step::Kill { producer } => producers[producer].kill(),
            Step::Late { which } => {
                if !late.is_empty() {
                    let request = late.remove(which % late.len());
                    world.perform(&request)?;
                }
            }
            Step::Fetch { consumer, wait, min_bytes, max_bytes } => {
                consumers[consumer].fetch(world, wait, min_bytes, max_bytes)?;
            }
            Step::Seek { consumer, percent } => consumers[consumer].seek(world, percent),
            Step::Join { member } => members[member].join(world)?,
            Step::Sync { member } => members[member].sync(world)?,
            Step::Heartbeat { member, stale } => members[member].heartbeat(world, stale)?,
            Step::Leave { member } => members[member].leave(world)?,
            Step::Crash { member } => members[member].crash(world)?,
            Step::Commit { member, stale, at, offset } => {
                let credentials = member.and_then(|member| members[member].credentials());
                let credentials = credentials.map(|(id, generation)| (id, generation - i32::from(stale)));
                world.commit_offset(&credentials, at, offset.into())?;
            }
            Step::DeleteRecords { at, percent } => {
                let to =
                    world.logs.get(&at).map_or(0, |log| log.start + (log.end - log.start) * i64::from(percent) / 100);
                world.delete_records(at, to)?;
            }
            Step::DeleteTopic { topic } => world.delete_topic(topic)?,
            Step::CreateTopic { topic } => world.create_topic(topic)?,
            Step::Pass { millis, busy } => world.pass(millis.into(), busy)?,
            Step::Deadline => world.next_deadline()?,
        }
        for (consumer, delivered) in std::mem::take(&mut world.delivered) {
            consumers[consumer].answered(delivered);
        }
        for member in members {
            member.arrive(world)?;
        }
        world.check_patience()
    }

    /// Everyone is silent; whatever was begun comes to its end.
    fn finish(&mut self) -> Checked {
        self.step(Step::Pass { millis: 700_000, busy: true })?;
        let world = &mut self.world;
        hold!(world.engine.waiting() == 0, "{} requests wait for ever", world.engine.waiting());
        for (at, log) in &world.logs {
            let stable = log.last_stable_offset();
            hold!(stable == log.end, "{at:?} is stable up to {stable}, and ends at {}", log.end);
        }
        world.check_desertion()?;
        world.check_offsets()?;
        world.read_again()?;
        for producer in &self.producers {
            // In the first protocol, an EndTxn that is late may end another transaction (KAFKA-17754).
            if world.punctual || producer.tells_transactions_apart() {
                producer.check(world)?;
            }
        }
        // The next one with a transactional id is always let in.
        for producer in &mut self.producers {
            producer.init(world, &mut Vec::new(), Net::Fine)?;
        }
        Ok(())
    }
}
