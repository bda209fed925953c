//! Consumers: each stands somewhere in every partition, and waits for what comes.

use std::collections::BTreeMap;

use broker::Millis;

use crate::{
    fetch::{Delivered, Wanted},
    run::Checked,
    step::At,
    world::World,
};

#[derive(Debug)]
pub(crate) struct Consumer {
    number: usize,
    committed: bool,
    at: BTreeMap<At, i64>,
    waits: bool,
}

impl Consumer {
    /// The first one reads what is not committed too.
    pub(crate) fn new(number: usize) -> Self {
        Self { number, committed: number > 0, at: BTreeMap::new(), waits: false }
    }

    pub(crate) fn fetch(&mut self, world: &mut World, wait: u16, min_bytes: u16, max_bytes: u16) -> Checked {
        if self.waits {
            return Ok(());
        }
        let everywhere = world.logs.keys().map(|at| (*at, self.at.get(at).copied().unwrap_or(0))).collect();
        let wanted = Wanted {
            consumer: self.number,
            committed: self.committed,
            from: everywhere,
            deadline: world.now + Millis::from(wait),
            min_bytes: min_bytes.into(),
            // One that could never be satisfied would prove nothing.
            max_bytes: if max_bytes == u16::MAX || wait > 0 { 50 << 20 } else { max_bytes.into() },
        };
        if wanted.from.is_empty() {
            return Ok(());
        }
        match world.fetch(wanted, wait.into())? {
            Some(delivered) => self.take(delivered),
            None => self.waits = true,
        }
        world.look()
    }

    /// A Fetch that waited has been answered.
    pub(crate) fn answered(&mut self, delivered: Delivered) {
        self.waits = false;
        self.take(delivered);
    }

    fn take(&mut self, delivered: Delivered) {
        for (at, delivered) in delivered {
            // `auto.offset.reset=earliest`.
            self.at.insert(at, delivered.map_or(0, |(_, next)| next));
        }
    }

    pub(crate) fn seek(&mut self, world: &World, percent: u8) {
        for (at, log) in &world.logs {
            self.at.insert(*at, log.start + (log.end - log.start) * i64::from(percent) / 100);
        }
    }
}
