//! How far a group is with its input.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use common::stop;

use super::cast::{Cast, STALLED};
use super::{LOOK, Stage};
use crate::error::Error;
use crate::said;
use crate::value::Value;

/// When all offsets are committed and some value was never printed, its line is waited for so long.
const AFTERMATH: Duration = Duration::from_millis(400);

/// When all is printed and only the last offset is not committed, its commit is waited for so long: longer than a member
/// that was killed keeps its place in the group, or than a client puts off its commits.
const ONE_LESS: Duration = Duration::from_secs(10);

/// What a group has to do, and how far it was at the last look.
pub(crate) struct Work {
    /// The offsets to be committed.
    goal: BTreeMap<i32, i64>,
    /// All values of the input.
    known: HashSet<Value>,
    /// Those that are to be printed.
    wanted: HashSet<Value>,
    /// When something was last done; how many lines there were then, and which offsets.
    last: (Instant, usize, Vec<(i32, i64)>),
}

impl Work {
    /// How long nothing has been done.
    pub(crate) fn quiet(&self) -> Duration {
        self.last.0.elapsed()
    }
}

impl Stage<'_> {
    /// What the group has to do: everything that a read_committed reader sees in the input.
    ///
    /// # Errors
    /// When the input cannot be read.
    pub(crate) fn work(&self) -> Result<Work, Error> {
        let input = self.reader()?.read(&self.topic(), self.case.partitions)?;
        let mut goal = BTreeMap::new();
        for record in &input.visible {
            goal.insert(record.partition, record.offset + 1);
        }
        Ok(Work {
            goal,
            known: input.all.into_iter().map(|record| record.value).collect(),
            wanted: input.visible.into_iter().map(|record| record.value).collect(),
            last: (Instant::now(), 0, Vec::new()),
        })
    }

    /// Whether the group, which has committed these offsets, has committed it all and has printed each value of it (some
    /// may never come: for those, a moment).
    pub(crate) fn is_done(&self, work: &mut Work, committed: Vec<(i32, i64)>) -> bool {
        let lines: Vec<String> = self.cast.iter().flat_map(Cast::lines).collect();
        if (lines.len(), &committed) != (work.last.1, &work.last.2) {
            work.last = (Instant::now(), lines.len(), committed);
        }
        let up_to = |short_of: i64| {
            work.goal.iter().all(|(partition, offset)| {
                work.last.2.iter().any(|(other, committed)| other == partition && committed + short_of >= *offset)
            })
        };
        let known = work.known.iter().collect();
        let seen: HashSet<Value> = said::processing(&lines, &known).into_iter().map(|process| process.value).collect();
        let complete = work.wanted.iter().all(|value| seen.contains(value));
        // Who commits the offset of the last message, and not the one after it, is as far as it will ever be.
        up_to(0) && (complete || work.quiet() > AFTERMATH) || up_to(1) && complete && work.quiet() > ONE_LESS
    }

    /// Waits until the group has done its work. Returns as well when all instances have ended.
    ///
    /// # Errors
    /// [`Error::Stalled`] when nothing happens any more.
    pub fn drain(&mut self) -> Result<(), Error> {
        let mut work = self.work()?;
        loop {
            let over = self.is_over();
            let committed = self.offsets()?.committed(&self.topic(), self.case.partitions)?;
            if self.is_done(&mut work, committed) || over {
                return Ok(());
            }
            if stop::requested() {
                return Err(Error::Interrupted);
            }
            if work.quiet() > STALLED {
                return Err(Error::Stalled(STALLED));
            }
            stop::sleep(LOOK);
        }
    }
}
