//! Who belongs to which room, and finds what has left its process group.
//!
//! What was started in a room is known by a variable of its environment, and if it has no such any more, by the process
//! that started it, or by the room's account. Whatever loses its parent becomes the lab's own child (the lab is a
//! *subreaper*), so that nothing gets away unseen: a child of the lab that nobody knows is ended.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use rustix::process::{Pid, WaitOptions, getpgrp, waitpid};

use crate::processes::{self, Process};
use crate::reaper;

/// A child of the lab that has ended and that nobody asks for so long is nobody's.
const ORPHANED: Duration = Duration::from_secs(1);

/// What was seen.
#[derive(Debug, Default)]
pub(super) struct Sight {
    /// The room of each process that belongs to one, by its number and start.
    pub(super) known: HashMap<(i32, u64), usize>,
    /// Since when the lab's children that ended and are nobody's have been seen.
    ended: HashMap<(i32, u64), Instant>,
}

/// What was started by those that are known, or is in a group that one of them has founded, is in their room.
pub(super) fn descend(processes: &[Process], known: &mut HashMap<(i32, u64), usize>) {
    // The lab's own group outlives whoever founded it: then its number may be that of a process in a room.
    let foreign = |group: i32| Pid::from_raw(group).is_some_and(|group| group != getpgrp());
    // Children of children, in whatever order they come.
    loop {
        let started: HashMap<i32, usize> = known.iter().map(|((pid, _), room)| (*pid, *room)).collect();
        let before = known.len();
        for process in processes {
            let founded = started.get(&process.group).filter(|_| foreign(process.group));
            if let Some(room) = started.get(&process.parent).or(founded) {
                known.entry((process.pid, process.started)).or_insert(*room);
            }
        }
        if known.len() == before {
            return;
        }
    }
}

/// The lab's children that run, and that neither it nor anybody known has started; those that have ended are asked how.
pub(super) fn orphans<'p>(
    processes: &'p [Process],
    known: &HashMap<(i32, u64), usize>,
    sight: &mut Sight,
) -> Vec<&'p Process> {
    let me = i32::try_from(std::process::id()).unwrap_or_default();
    let ours = processes.iter().filter(|process| process.parent == me && !reaper::is_running(process.pid));
    let (ended, running): (Vec<&Process>, Vec<&Process>) = ours.partition(|process| process.is_zombie);
    let mut since = HashMap::new();
    for process in ended {
        let key = (process.pid, process.started);
        let first = sight.ended.get(&key).copied().unwrap_or_else(Instant::now);
        since.insert(key, first);
        if first.elapsed() > ORPHANED {
            let _ = Pid::from_raw(process.pid).map(|pid| waitpid(Some(pid), WaitOptions::NOHANG));
        }
    }
    sight.ended = since;
    let is_unknown = |process: &&Process| !known.contains_key(&(process.pid, process.started));
    running.into_iter().filter(is_unknown).filter(|process| !is_the_lab(process.pid)).collect()
}

/// The lab's own executable: the process that keeps watch, or one that is about to become another program.
fn is_the_lab(pid: i32) -> bool {
    let lab = std::env::current_exe().ok();
    // One that has no executable is about to end.
    processes::executable(pid).is_none_or(|executable| Some(executable) == lab)
}
