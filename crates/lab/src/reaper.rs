//! No program outlives the lab, and no folder of a run, however the lab ends, `kill -9` included.
//!
//! A process of its own, the lab's own executable, keeps the numbers of the process groups that run, and the folders: the
//! lab writes them to its standard input. When that is closed, the lab has ended, the groups that are left are killed, and
//! the folders that are left are removed. (Linux's
//! `PR_SET_PDEATHSIG` would kill a program with the *thread* that started it, and not what the program has started.)

use std::collections::BTreeSet;
use std::io::{self, BufRead, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::grade::MARK;
use crate::processes::{self, Process};

/// The argument that makes the lab's executable keep watch instead.
pub(crate) const ARGUMENT: &str = "__reaper";

static STATE: Mutex<State> = Mutex::new(State { running: BTreeSet::new(), keeper: None });

/// How often what has a mark is looked for, when the lab has ended: what multiplies may be quicker than one look.
const LOOKS: usize = 100;

struct State {
    /// As raw numbers: `Pid` has no order.
    running: BTreeSet<i32>,
    keeper: Option<ChildStdin>,
}

/// Starts the process that keeps watch. Without it (a test, or a system that refuses it) the programs still end with
/// whoever started them, unless that is killed.
///
/// # Errors
/// When the operating system cannot start it.
pub(crate) fn start() -> io::Result<()> {
    let mut process = Command::new(std::env::current_exe()?)
        .arg(ARGUMENT)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        // Held open, a pipe would not end for whoever reads the lab's own.
        .stderr(Stdio::null())
        // Ctrl-C at the terminal is the lab's business.
        .process_group(0)
        .spawn()?;
    lock().keeper = process.stdin.take();
    Ok(())
}

/// What that process does.
pub(crate) fn keep_watch() {
    let mut running = BTreeSet::new();
    let mut marks = Vec::new();
    let mut folders = Vec::new();
    for line in io::stdin().lock().lines().map_while(Result::ok) {
        match line.split_at_checked(1).map(|(sign, number)| (sign, number.parse::<i32>())) {
            Some(("+", Ok(group))) => _ = running.insert(group),
            Some(("-", Ok(group))) => _ = running.remove(&group),
            Some(("=", _)) => marks.extend(line.strip_prefix('=').map(str::to_owned)),
            Some(("/", _)) => folders.push(line),
            _ => {}
        }
    }
    kill(&running);
    for mark in marks {
        kill_marked(&mark);
    }
    for folder in folders {
        // Most were removed by the lab.
        let _ = std::fs::remove_dir_all(folder);
    }
}

/// A program runs, in this group.
pub(crate) fn register(group: Pid) {
    let mut state = lock();
    state.running.insert(group.as_raw_nonzero().get());
    state.tell(&format!("+{}", group.as_raw_nonzero()));
}

/// It has ended, and was waited for.
pub(crate) fn forget(group: Pid) {
    let mut state = lock();
    state.running.remove(&group.as_raw_nonzero().get());
    state.tell(&format!("-{}", group.as_raw_nonzero()));
}

/// A run has this folder (an absolute path), which goes with the lab at the latest.
pub(crate) fn remove_at_the_end(folder: &Path) {
    if let Some(folder) = folder.to_str().filter(|folder| !folder.contains('\n')) {
        lock().tell(folder);
    }
}

/// Whether this is a program that runs, and that whoever started it will wait for.
pub(crate) fn is_running(group: i32) -> bool {
    lock().running.contains(&group)
}

/// What has a mark that begins like this in its environment ends with the lab, in whatever group it is.
pub(crate) fn mark(mark: &str) {
    lock().tell(&format!("={mark}"));
}

fn kill_marked(mark: &str) {
    let mark = format!("{mark}.");
    for _ in 0..LOOKS {
        let has_it = |process: &Process| processes::variable(process.pid, MARK).is_some_and(|it| it.starts_with(&mark));
        let found: Vec<_> = processes::since(0).into_iter().filter(has_it).collect();
        if found.is_empty() {
            return;
        }
        for pid in found.iter().filter_map(|process| Pid::from_raw(process.pid)) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

/// Kills all programs that run: for the moment before the lab itself ends at once.
pub(crate) fn kill_all() {
    kill(&lock().running);
}

fn kill(groups: &BTreeSet<i32>) {
    for group in groups.iter().filter_map(|group| Pid::from_raw(*group)) {
        // A frozen process dies of this as well.
        let _ = kill_process_group(group, Signal::KILL);
    }
}

impl State {
    fn tell(&mut self, line: &str) {
        if let Some(keeper) = &mut self.keeper {
            // Without the keeper, the programs end with the lab's own clean end only.
            let _ = writeln!(keeper, "{line}");
        }
    }
}

fn lock() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}
