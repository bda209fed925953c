//! Watches over the rooms: too late, too many processes, too much on the disk; and ends what is left in them.
//!
//! What multiplies more quickly than the watch looks meets the kernel's limit, which counts the processes of the room's
//! account, or of the user if that is not root. On Linux only; elsewhere, a room ends its programs' process groups.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, getpgrp, kill_process, kill_process_group, nice};

use super::accounts::Accounts;
use super::room::{Breach, MARK, Room};
use super::sight::{Sight, descend, orphans};
use crate::capacity::{RUNS_OF_AN_EXERCISE, processors};
use crate::names::random_seed;
use crate::processes::{self, Process};
use crate::reaper;

/// How often it looks.
const LOOK: Duration = Duration::from_millis(100);

/// So much more urgent than the rest of the lab: hundreds of busy processes are to be ended, among which it has its turn.
const URGENCY: i32 = -10;

/// Every so many looks, at the disk too.
const DISK: usize = 3;

/// More processes than any program of the course has, which is one.
const MOST_PROCESSES: usize = 32;

/// Threads of the programs in a room, of which there are one or two, besides some for each processor: more than twice as
/// many as they have.
const MOST_THREADS: usize = 48;
const FOR_EACH_PROCESSOR: usize = 4;

/// What the kernel allows an account above that: the watch comes first.
const MORE_FOR_AN_ACCOUNT: usize = 16;

/// What the kernel allows the user for each room where there are no accounts: some more than it takes on average.
const FOR_A_ROOM: usize = 24;

/// So long after a crowd was seen, all of it is gone.
const CALM: Duration = Duration::from_millis(500);

/// How long what is to end is ended again and again: what multiplies may be quicker than one look.
const CLEARING: Duration = Duration::from_secs(10);

/// The time between two looks then, in which others look and what was killed ends.
const PAUSE: Duration = Duration::from_millis(5);

/// The room that the compiler has: nothing in it is counted.
const WORKSHOP: usize = 0;

/// The room of whatever has lost its parent and its mark.
const NOWHERE: usize = usize::MAX;

/// The watch; its clones are the same.
#[derive(Debug, Clone)]
pub(super) struct Guard(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    mark: String,
    /// When the lab itself was started: nothing older is a student's.
    born: u64,
    accounts: Option<Accounts>,
    /// Processes and threads that the user may have while there are rooms, if their programs have no accounts.
    most: Option<usize>,
    /// When a room was last seen to have far too many of them.
    crowd: Mutex<Option<Instant>>,
    next: AtomicUsize,
    is_over: AtomicBool,
    rooms: Mutex<Vec<Arc<Room>>>,
    sight: Mutex<Sight>,
}

impl Guard {
    /// Begins. So many exercises are run at once.
    ///
    /// # Errors
    /// When the operating system refuses a thread.
    pub(super) fn start(at_once: usize) -> io::Result<Self> {
        let me = i32::try_from(std::process::id()).unwrap_or_default();
        #[cfg(target_os = "linux")]
        rustix::process::set_child_subreaper(Pid::from_raw(me))?;
        let mark = format!("{}-{:08x}", me, random_seed());
        reaper::mark(&mark);
        let guard = Self(Arc::new(Shared {
            mark,
            born: processes::of(me).map_or(0, |process| process.started),
            // Before there is a watch: it would know nothing of who tries them.
            accounts: Accounts::open(),
            most: processes::of_this_user()
                .map(|now| now + most_threads() + at_once * RUNS_OF_AN_EXERCISE * (FOR_A_ROOM + processors())),
            crowd: Mutex::default(),
            next: AtomicUsize::new(WORKSHOP + 1),
            is_over: AtomicBool::new(false),
            rooms: Mutex::default(),
            sight: Mutex::default(),
        }));
        let watch = guard.clone();
        std::thread::Builder::new().name("guard".into()).spawn(move || watch.watch())?;
        Ok(guard)
    }

    /// Ends the watch, and all that is left.
    pub(super) fn stop(&self) {
        self.0.is_over.store(true, Ordering::Relaxed);
        let end = Instant::now() + CLEARING;
        while Instant::now() < end {
            let rest = self.look();
            if rest.is_empty() {
                return;
            }
            rest.iter().for_each(|(_, process)| kill(process.pid));
            std::thread::sleep(PAUSE);
        }
    }

    /// Whose the programs of a room are, where not the lab's own user's, and how many processes and threads the kernel
    /// allows that user.
    pub(super) fn account(&self, room: usize) -> (Option<u32>, Option<usize>) {
        match self.0.accounts {
            Some(accounts) => (Some(accounts.of(room)), Some(most_threads() + MORE_FOR_AN_ACCOUNT)),
            None => (None, self.0.most),
        }
    }

    /// Whether a room has since had so many processes or threads that others may have got none. Waits until that is over.
    pub(super) fn was_crowded_since(&self, moment: Instant) -> bool {
        let crowd = || *self.0.crowd.lock().unwrap_or_else(PoisonError::into_inner);
        if self.0.accounts.is_some() || crowd().is_none_or(|last| last < moment) {
            return false;
        }
        while crowd().is_some_and(|last| last.elapsed() < CALM) {
            std::thread::sleep(LOOK);
        }
        true
    }

    /// Whether this is too much for one room.
    fn is_crowd<'p>(&self, processes: impl Iterator<Item = &'p Process>) -> bool {
        let (number, threads) = processes.fold((0, 0), |(number, threads), it| (number + 1, threads + it.threads));
        let is_crowd = number > MOST_PROCESSES || threads > most_threads();
        if is_crowd {
            *self.0.crowd.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        }
        is_crowd
    }

    /// The number of the next room, and its mark.
    pub(super) fn number(&self) -> (usize, String) {
        let id = self.0.next.fetch_add(1, Ordering::Relaxed);
        (id, format!("{}.{id}", self.0.mark))
    }

    /// A word that no other lab has.
    pub(super) fn word(&self) -> &str {
        &self.0.mark
    }

    /// The mark of the compiler.
    pub(super) fn workshop(&self) -> String {
        format!("{}.{WORKSHOP}", self.0.mark)
    }

    pub(super) fn enter(&self, room: &Arc<Room>) {
        self.rooms().push(Arc::clone(room));
    }

    pub(super) fn leave(&self, room: &Room) {
        self.rooms().retain(|other| other.id != room.id);
    }

    /// Ends all that belongs to this room.
    pub(super) fn clear(&self, room: &Room) {
        self.clear_within(room, CLEARING);
    }

    fn clear_within(&self, room: &Room, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            let all = self.look();
            let mine: Vec<_> = all.iter().filter(|(id, _)| *id == room.id).map(|(_, process)| process).collect();
            if mine.is_empty() {
                return;
            }
            if self.is_crowd(mine.iter().copied()) {
                room.breaks(Breach::Processes);
            }
            for process in &mine {
                // A group all at once, if it was founded by one of them: anybody can join that of the lab.
                if mine.iter().any(|other| other.pid == process.group) {
                    kill_group(process.group);
                }
                kill(process.pid);
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn watch(&self) {
        // Of this thread only. Whoever is not root is refused, and as urgent as before.
        let _ = nice(URGENCY);
        for turn in 0_usize.. {
            if self.0.is_over.load(Ordering::Relaxed) {
                return;
            }
            let all = self.look();
            let rooms = self.rooms().clone();
            let is_open = |id: usize| id == WORKSHOP || rooms.iter().any(|room| room.id == id);
            for (_, process) in all.iter().filter(|(id, _)| !is_open(*id)) {
                // It was in nobody's sight when its room closed, or never was in one.
                kill(process.pid);
            }
            for room in rooms {
                if self.is_crowd(all.iter().filter(|(id, _)| *id == room.id).map(|(_, process)| process)) {
                    room.breaks(Breach::Processes);
                } else if room.is_late() {
                    room.breaks(Breach::Time);
                } else if turn % DISK == 0 && room.is_full() {
                    room.breaks(Breach::Disk);
                }
                if room.breach().is_some() {
                    // Others are to be looked at as well.
                    self.clear_within(&room, LOOK);
                }
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Who runs in which room, zombies left out.
    fn look(&self) -> Vec<(usize, Process)> {
        let mut sight = self.0.sight.lock().unwrap_or_else(PoisonError::into_inner);
        let processes = processes::since(self.0.born);
        let mut known: HashMap<(i32, u64), usize> = HashMap::new();
        for process in &processes {
            let key = (process.pid, process.started);
            if let Some(room) = sight.known.get(&key).copied().or_else(|| self.marked(process.pid)) {
                known.insert(key, room);
            }
        }
        descend(&processes, &mut known);
        let orphans = orphans(&processes, &known, &mut sight);
        if !orphans.is_empty() {
            let owned = |it: &Process| ((it.pid, it.started), self.owner(it.pid).unwrap_or(NOWHERE));
            known.extend(orphans.into_iter().map(owned));
            descend(&processes, &mut known);
        }
        let in_rooms = processes.into_iter().filter(|process| !process.is_zombie).filter_map(|process| {
            let room = known.get(&(process.pid, process.started))?;
            Some((*room, process))
        });
        let in_rooms = in_rooms.collect();
        sight.known = known;
        in_rooms
    }

    /// The room whose mark a process has.
    fn marked(&self, pid: i32) -> Option<usize> {
        let mark = processes::variable(pid, MARK)?;
        mark.strip_prefix(&self.0.mark)?.strip_prefix('.')?.parse().ok()
    }

    /// The open room whose account a process has.
    fn owner(&self, pid: i32) -> Option<usize> {
        let accounts = self.0.accounts?;
        let user = processes::user(pid)?;
        self.rooms().iter().map(|room| room.id).find(|id| accounts.of(*id) == user)
    }

    fn rooms(&self) -> MutexGuard<'_, Vec<Arc<Room>>> {
        self.0.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn most_threads() -> usize {
    MOST_THREADS + FOR_EACH_PROCESSOR * processors()
}

fn kill(pid: i32) {
    let _ = Pid::from_raw(pid).map(|pid| kill_process(pid, Signal::KILL));
}

fn kill_group(group: i32) {
    let group = Pid::from_raw(group).filter(|group| *group != getpgrp());
    let _ = group.map(|group| kill_process_group(group, Signal::KILL));
}
