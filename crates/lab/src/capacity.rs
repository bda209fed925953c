//! How much the lab does at once: as much as the processors bear, and the files that the lab may have open.

use std::sync::OnceLock;

/// Sockets, pipes and files of one run: its broker, its proxy, its programs. 50 on average, 90 at most.
const OF_A_RUN: usize = 64;

/// Runs of an exercise, which are done all at once, on average.
pub(crate) const RUNS_OF_AN_EXERCISE: usize = 5;

/// Nobody asks for more files; a system without a limit would keep tables for all of them.
const MOST_FILES: u64 = 1 << 16;

/// Raises the number of files that may be open to what the system grants: a terminal has 1024 on most systems, and 256 on
/// macOS, which are for programs that know no more. Programs of a run inherit it. Done once.
pub fn raise_open_files() {
    let _ = open_files();
}

/// How many runs at once. Nearly all of a run is waiting (for a connection, a time limit, a rebalance): many to a
/// processor.
pub(crate) fn runs() -> usize {
    at_once(12, 32, OF_A_RUN)
}

/// How many students' exercises at once.
pub(crate) fn exercises() -> usize {
    at_once(3, 12, OF_A_RUN * RUNS_OF_AN_EXERCISE)
}

/// Processors of which the lab may use all.
pub(crate) fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn at_once(to_a_processor: usize, most: usize, files: usize) -> usize {
    (to_a_processor * processors()).min(most).min(open_files() / files).max(1)
}

fn open_files() -> usize {
    static OPEN_FILES: OnceLock<usize> = OnceLock::new();
    // Refused (it is not, below the hard limit): as it is.
    let as_it_is = |_| rlimit::Resource::NOFILE.get_soft().unwrap_or_default();
    let raise = || rlimit::increase_nofile_limit(MOST_FILES).unwrap_or_else(as_it_is);
    *OPEN_FILES.get_or_init(|| usize::try_from(raise()).unwrap_or(usize::MAX))
}
