//! The processes of this machine, as /proc has them (Linux; elsewhere none are seen).

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// One process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) pid: i32,
    pub(crate) parent: i32,
    pub(crate) group: i32,
    /// When it was started, in the system's ticks: a number that is used again has another.
    pub(crate) started: u64,
    /// It has ended, and nobody has asked how.
    pub(crate) is_zombie: bool,
    pub(crate) threads: usize,
}

/// All that were started at this tick or later.
pub(crate) fn since(tick: u64) -> Vec<Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    pids.filter_map(of).filter(|process| process.started >= tick).collect()
}

/// The process with this number.
pub(crate) fn of(pid: i32) -> Option<Process> {
    // Not UTF-8 where its name is not.
    let stat = fs::read(file(pid, "stat")).ok()?;
    parse(pid, &String::from_utf8_lossy(&stat))
}

/// The name, in parentheses, may hold anything, parentheses and spaces included.
fn parse(pid: i32, stat: &str) -> Option<Process> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = fields.split(' ').collect();
    Some(Process {
        pid,
        parent: fields.get(1)?.parse().ok()?,
        group: fields.get(2)?.parse().ok()?,
        started: fields.get(19)?.parse().ok()?,
        is_zombie: matches!(fields.first(), Some(&("Z" | "X"))),
        threads: fields.get(17)?.parse().ok()?,
    })
}

/// The value of a variable of its environment, as it was when its program began.
pub(crate) fn variable(pid: i32, name: &str) -> Option<String> {
    let environment = fs::read(file(pid, "environ")).ok()?;
    let mut variables = environment.split(|byte| *byte == 0);
    let value = variables.find_map(|variable| variable.strip_prefix(name.as_bytes())?.strip_prefix(b"="))?;
    String::from_utf8(value.to_vec()).ok()
}

/// The program that it runs.
pub(crate) fn executable(pid: i32) -> Option<PathBuf> {
    fs::read_link(file(pid, "exe")).ok()
}

/// The user whose it is.
pub(crate) fn user(pid: i32) -> Option<u32> {
    fs::metadata(Path::new("/proc").join(pid.to_string())).ok().map(|folder| folder.uid())
}

/// How many processes and threads this user has; `None` where nothing tells.
pub(crate) fn of_this_user() -> Option<usize> {
    let uid = rustix::process::getuid().as_raw().to_string();
    let count = |pid: i32| {
        let status = fs::read_to_string(file(pid, "status")).ok()?;
        let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next());
        (field("Uid:")? == uid).then(|| field("Threads:")?.parse::<usize>().ok()).flatten()
    };
    let counts: Vec<usize> = since(0).into_iter().filter_map(|process| count(process.pid)).collect();
    (!counts.is_empty()).then(|| counts.iter().sum())
}

fn file(pid: i32, name: &str) -> PathBuf {
    Path::new("/proc").join(pid.to_string()).join(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_look_like_the_rest() {
        let stat = "7 (a) Z 1 1) R 3 4 5 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 2 0 99 5 6";
        let process = Process { pid: 7, parent: 3, group: 4, started: 99, is_zombie: false, threads: 2 };
        assert_eq!(parse(7, stat), Some(process));
        assert_eq!(parse(7, "7 (a"), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_is_among_them() {
        let me = of(i32::try_from(std::process::id()).unwrap()).unwrap();
        assert!(since(me.started).contains(&me) && !since(me.started + 1).contains(&me));
        assert_eq!(executable(me.pid), std::env::current_exe().ok());
        assert!(of_this_user().unwrap() >= 1);
    }
}
