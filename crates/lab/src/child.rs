//! A program that runs: its lines as they come, the end of its log, its end. Whoever lets go of it kills it and all that
//! it has started.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read};
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use crate::reaper;

/// What is kept of a line that does not end: more than any line of the grammar holds in the lab.
const LINE: usize = 64 * 1024;

/// How many lines of its log are kept, for an error message.
const LOG_TAIL: usize = 20;

/// How long the end of its output is waited for, when the program has ended: only what has left its process group can
/// still hold it open.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// How long a process may take to die, or to stand still, after the signal that does it.
const OBEDIENCE: Duration = Duration::from_secs(10);

/// How often a process is looked at while one waits for its state: nothing wakes us.
const LOOK: Duration = Duration::from_millis(1);

/// A program that runs.
pub struct Child {
    process: std::process::Child,
    control: Control,
    output: Arc<Output>,
    log: Arc<Mutex<VecDeque<String>>>,
    /// Closed when the log has been read to its end.
    log_ended: Receiver<()>,
}

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// With this exit status.
    Status(i32),
    /// By this signal.
    Signal(i32),
}

/// How its standard output is read.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    /// More lines than this are no result but a flood: the program is killed.
    pub most_lines: usize,
    /// After so many lines nothing more is read until [`Child::read_on`], and the program's next lines do not leave it:
    /// it stands still in the middle of printing. On Linux, one more line may be under way.
    pub pause_after: Option<usize>,
}

/// Kills, freezes and thaws a program, from any thread. Does nothing once the program has been waited for.
#[derive(Debug, Clone)]
pub struct Control {
    /// The process group, which is the child's own: what the child starts belongs to it. `None`: reaped, and the number
    /// may belong to others.
    group: Arc<Mutex<Option<Pid>>>,
}

#[derive(Default)]
struct Output {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    lines: Vec<(Instant, String)>,
    /// What came after the last end of a line.
    unfinished: Option<(Instant, String)>,
    closed: bool,
    flooded: bool,
    pause_after: Option<usize>,
}

impl Child {
    /// Starts a program in a process group of its own, so that Ctrl-C at the terminal reaches the lab alone, which then
    /// ends the program as it wants.
    ///
    /// # Errors
    /// When the operating system cannot start it.
    pub fn spawn(command: &mut Command, reading: Reading) -> io::Result<Self> {
        let (stdout, writer) = pipe(reading.pause_after.is_some())?;
        let mut process =
            command.stdin(Stdio::null()).stdout(writer).stderr(Stdio::piped()).process_group(0).spawn()?;
        // The command holds the write end open: without this, the output would never end.
        command.stdout(Stdio::null());
        let group = i32::try_from(process.id()).ok().and_then(Pid::from_raw);
        if let Some(group) = group {
            reaper::register(group);
        }
        let output = Arc::new(Output::default());
        output.lock().pause_after = reading.pause_after;
        let log = Arc::new(Mutex::new(VecDeque::new()));
        let (log_open, log_ended) = sync_channel(0);
        let stderr = process.stderr.take();
        let control = Control { group: Arc::new(Mutex::new(group)) };
        // From here on, dropping kills and reaps it.
        let child = Self { process, control, output: Arc::clone(&output), log: Arc::clone(&log), log_ended };
        let control = child.control.clone();
        std::thread::Builder::new().spawn(move || {
            output.read(std::fs::File::from(stdout), reading.most_lines, &control);
        })?;
        if let Some(stderr) = stderr {
            std::thread::Builder::new().spawn(move || {
                keep_tail(stderr, &log);
                drop(log_open);
            })?;
        }
        Ok(child)
    }

    /// What ends it, from any thread.
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// The lines so far, with the time when each came.
    pub fn lines(&self) -> Vec<(Instant, String)> {
        self.output.lock().lines.clone()
    }

    /// How many lines have come so far, and whether the output has ended.
    pub fn progress(&self) -> (usize, bool) {
        let state = self.output.lock();
        (state.lines.len(), state.closed)
    }

    /// Looks at the lines from this one on, whenever there are more, until the answer is `true` (returned as such), the
    /// output ends, or the time is over.
    pub fn watch(&self, from: usize, within: Duration, mut done: impl FnMut(&str) -> bool) -> bool {
        let end = Instant::now() + within;
        let mut next = from;
        let mut state = self.output.lock();
        loop {
            while let Some((_, line)) = state.lines.get(next) {
                if done(line) {
                    return true;
                }
                next += 1;
            }
            let left = end.saturating_duration_since(Instant::now());
            if state.closed || left.is_zero() {
                return false;
            }
            state = self.output.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Whether it printed more lines than any result has, and was killed for it.
    pub fn flooded(&self) -> bool {
        self.output.lock().flooded
    }

    /// Ends the pause of [`Reading::pause_after`].
    pub fn read_on(&self) {
        self.output.lock().pause_after = None;
        self.output.changed.notify_all();
    }

    /// Waits for the end of the program, and of its output; `None` when it still runs at the end of the time.
    pub fn wait(&mut self, limit: Duration) -> Option<Ended> {
        let deadline = Instant::now() + limit;
        while !self.has_ended() {
            if Instant::now() >= deadline {
                return None;
            }
            std::thread::sleep(LOOK);
        }
        self.read_on();
        // What it started and left behind ends with it. Before the wait, after which the number of the group may belong
        // to others.
        self.control.signal(Signal::KILL);
        let status = self.process.wait().ok()?;
        self.control.forget();
        // Its last words may still be in the pipes.
        self.watch(usize::MAX, LAST_WORDS, |_| false);
        let _ = self.log_ended.recv_timeout(LAST_WORDS);
        let mut output = self.output.lock();
        let unfinished = output.unfinished.take();
        Some(match (status.code(), status.signal()) {
            (Some(code), _) => {
                output.lines.extend(unfinished);
                Ended::Status(code)
            }
            // Killed in the middle of a line: what is there of it says nothing, or something else.
            (None, signal) => Ended::Signal(signal.unwrap_or(0)),
        })
    }

    /// The end of its log (standard error), last line last.
    pub fn log(&self) -> Vec<String> {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.iter().cloned().collect()
    }

    /// Whether the program itself has ended; what it has started may run on.
    pub fn has_ended(&self) -> bool {
        let group = *self.control.lock();
        group.is_none_or(has_ended)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.control.lock().is_some() {
            self.control.signal(Signal::KILL);
            let _ = self.process.wait();
            self.control.forget();
        }
        self.read_on();
    }
}

impl Control {
    /// Kills it (SIGKILL), and returns when it is dead.
    pub fn kill(&self) {
        self.signal(Signal::KILL);
        self.until(WaitIdOptions::EXITED);
    }

    /// Freezes it (SIGSTOP), and returns when it stands still, or has ended.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
        self.until(WaitIdOptions::STOPPED | WaitIdOptions::EXITED);
    }

    /// Lets a frozen program go on (SIGCONT).
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// Asks it to stop, as Ctrl-C does (SIGINT).
    pub fn interrupt(&self) {
        self.signal(Signal::INT);
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = *self.lock() {
            // It fails when all have ended already, which is as well.
            let _ = kill_process_group(group, signal);
        }
    }

    /// Waits until the process itself is in one of these states.
    fn until(&self, states: WaitIdOptions) {
        let deadline = Instant::now() + OBEDIENCE;
        let options = states | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        while Instant::now() < deadline {
            let Some(pid) = *self.lock() else { return };
            if !matches!(waitid(WaitId::Pid(pid), options), Ok(None)) {
                return;
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Reaped: the number of its group may belong to others.
    fn forget(&self) {
        if let Some(group) = self.lock().take() {
            reaper::forget(group);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Pid>> {
        self.group.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn has_ended(pid: Pid) -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    !matches!(waitid(WaitId::Pid(pid), options), Ok(None))
}

/// A pipe for standard output. One that is read in steps holds one line on Linux (a packet pipe of one page, in which
/// each write is a packet); elsewhere as many as the system's least.
fn pipe(in_steps: bool) -> io::Result<(OwnedFd, OwnedFd)> {
    use rustix::pipe::{PipeFlags, pipe_with};
    #[cfg(target_os = "linux")]
    if in_steps {
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::DIRECT)?;
        rustix::pipe::fcntl_setpipe_size(&writer, 4096)?;
        return Ok((reader, writer));
    }
    let _ = in_steps;
    Ok(pipe_with(PipeFlags::CLOEXEC)?)
}

impl Output {
    /// Keeps each line; ends with the output, or with the program when it prints too much.
    fn read(&self, output: impl Read, most: usize, control: &Control) {
        let mut output = BufReader::new(output);
        while let Some(Piece { line, is_whole }) = read_line(&mut output) {
            let mut state = self.lock();
            if !is_whole {
                state.unfinished = Some((Instant::now(), line));
                break;
            }
            if state.lines.len() == most {
                state.flooded = true;
                drop(state);
                control.kill();
                break;
            }
            state.lines.push((Instant::now(), line));
            self.changed.notify_all();
            while state.pause_after.is_some_and(|after| state.lines.len() >= after) {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
        self.lock().closed = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn keep_tail(output: impl Read, tail: &Mutex<VecDeque<String>>) {
    let mut output = BufReader::new(output);
    let mut panic = Panic::None;
    while let Some(Piece { line, .. }) = read_line(&mut output) {
        log::debug!("{line}");
        let mut tail = tail.lock().unwrap_or_else(PoisonError::into_inner);
        match (panic, tail.back_mut()) {
            (Panic::Where, Some(place)) => {
                place.push(' ');
                place.push_str(&line);
                panic = Panic::Told;
                continue;
            }
            (Panic::Told, _) if line.starts_with([' ', '\t']) || is_around_a_backtrace(&line) => continue,
            _ => panic = if line.contains(" panicked at ") { Panic::Where } else { Panic::None },
        }
        if tail.len() == LOG_TAIL {
            tail.pop_front();
        }
        tail.push_back(line);
    }
}

/// A panic takes several lines of the log, and only the first two say what happened: where, and why. They become one, and
/// the backtrace is left out, so that the last line of the log tells the reason of the end.
#[derive(Clone, Copy)]
enum Panic {
    None,
    /// The line before said where.
    Where,
    /// A backtrace may follow.
    Told,
}

fn is_around_a_backtrace(line: &str) -> bool {
    line.is_empty() || line == "stack backtrace:" || line.starts_with("note: ")
}

/// A line, and whether it came to its end.
struct Piece {
    line: String,
    is_whole: bool,
}

/// The next line, cut after [`LINE`] bytes; `None` at the end. What is not UTF-8 is replaced: no line of the grammar.
fn read_line(output: &mut impl BufRead) -> Option<Piece> {
    let mut line = Vec::new();
    loop {
        let chunk = output.fill_buf().ok()?;
        if chunk.is_empty() {
            return (!line.is_empty()).then(|| Piece { line: text(line), is_whole: false });
        }
        let end = chunk.iter().position(|&byte| byte == b'\n');
        let part = chunk.get(..end.unwrap_or(chunk.len())).unwrap_or_default();
        let room = LINE.saturating_sub(line.len());
        line.extend(part.iter().take(room));
        let used = part.len() + usize::from(end.is_some());
        output.consume(used);
        if end.is_some() {
            return Some(Piece { line: text(line), is_whole: true });
        }
    }
}

fn text(mut line: Vec<u8>) -> String {
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    String::from_utf8_lossy(&line).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_of_a_panic_is_its_reason() {
        let log = "one\n\nthread 'main' (7) panicked at src/main.rs:1:13:\noh no\nstack backtrace:\n   0: main\n             \
                   at main.rs\nnote: Some details are omitted\n";
        let tail = Mutex::default();
        keep_tail(log.as_bytes(), &tail);
        let tail = tail.into_inner().unwrap();
        assert_eq!(tail.back().unwrap(), "thread 'main' (7) panicked at src/main.rs:1:13: oh no");
    }

    const SOON: Duration = Duration::from_secs(10);

    fn shell_reading(script: &str, reading: Reading) -> Child {
        Child::spawn(Command::new("sh").args(["-c", script]), reading).unwrap()
    }

    fn shell(script: &str) -> Child {
        shell_reading(script, Reading { most_lines: 1000, pause_after: None })
    }

    fn line(child: &Child, number: usize) -> String {
        assert!(child.watch(number, SOON, |_| true), "no line {number}");
        child.lines()[number].1.clone()
    }

    fn is_alive(pid: &str) -> bool {
        // A zombie whose parent has gone is reaped by init, sooner or later: it is not alive.
        std::fs::read_to_string(format!("/proc/{pid}/stat"))
            .is_ok_and(|stat| !stat.rsplit(')').next().unwrap_or("").trim_start().starts_with(['Z', 'X']))
    }

    fn wait_until_gone(pid: &str) {
        let deadline = Instant::now() + SOON;
        while is_alive(pid) {
            assert!(Instant::now() < deadline, "{pid} still runs");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn lines_come_one_by_one_and_the_status_is_told() {
        let mut child = shell("echo one; printf 'two\\r\\nthree'; echo why >&2; exit 3");
        assert_eq!(child.wait(SOON), Some(Ended::Status(3)));
        let lines: Vec<_> = child.lines().into_iter().map(|(_, line)| line).collect();
        assert_eq!(lines, ["one", "two", "three"]);
        assert_eq!(child.log(), ["why"]);
    }

    #[test]
    fn a_line_in_which_the_program_was_killed_does_not_count() {
        let mut child = shell("printf 'msg-1\\nmsg-1'; kill -9 $$");
        assert_eq!(child.wait(SOON), Some(Ended::Signal(9)));
        let lines: Vec<_> = child.lines().into_iter().map(|(_, line)| line).collect();
        assert_eq!(lines, ["msg-1"], "the second was to be msg-10, perhaps");
    }

    #[test]
    fn a_program_that_runs_on_is_not_waited_for() {
        let mut child = shell("exec sleep 600");
        assert_eq!(child.wait(Duration::from_millis(20)), None);
        // Not SIGINT: who started these tests in the background may have it ignored.
        child.control().kill();
        assert_eq!(child.wait(SOON), Some(Ended::Signal(9)));
    }

    #[test]
    fn letting_go_of_a_program_kills_it_and_what_it_has_started() {
        let child = shell("sleep 600 & echo $!; wait");
        let grandchild = line(&child, 0);
        assert!(is_alive(&grandchild));
        drop(child);
        wait_until_gone(&grandchild);
    }

    #[test]
    fn what_a_program_leaves_behind_does_not_hold_up_its_end() {
        let mut child = shell("sleep 600 & echo $!");
        let grandchild = line(&child, 0);
        assert_eq!(child.wait(SOON), Some(Ended::Status(0)));
        wait_until_gone(&grandchild);
    }

    #[test]
    fn an_endless_line_is_cut() {
        let mut child = shell("head -c 300000 /dev/zero | tr '\\0' x; echo; echo end");
        assert_eq!(child.wait(SOON), Some(Ended::Status(0)));
        assert_eq!(line(&child, 0).len(), LINE);
        assert_eq!(line(&child, 1), "end");
    }

    #[test]
    fn a_flood_ends_its_program() {
        let mut child = shell("yes");
        assert_eq!(child.wait(SOON), Some(Ended::Signal(9)));
        assert!(child.flooded());
        assert_eq!(child.lines().len(), 1000);
    }

    #[test]
    fn a_program_read_in_steps_stands_still_in_the_middle_of_printing() {
        let reading = Reading { most_lines: 1000, pause_after: Some(3) };
        let mut child = shell_reading("for i in 1 2 3 4 5 6 7 8 9 10; do echo $i; done; echo all >&2", reading);
        assert_eq!(line(&child, 2), "3");
        child.control().kill();
        child.read_on();
        assert_eq!(child.wait(SOON), Some(Ended::Signal(9)));
        assert!((3..=5).contains(&child.lines().len()), "{:?}", child.lines());
    }

    #[test]
    fn a_frozen_program_prints_nothing_until_it_is_thawed() {
        let child = shell("while :; do echo x; read -r _ </dev/zero; done");
        line(&child, 0);
        child.control().freeze();
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.process.id())).unwrap();
        assert!(stat.rsplit(')').next().unwrap().trim_start().starts_with('T'), "{stat}");
        child.control().thaw();
        child.control().kill();
        assert!(child.has_ended());
    }
}
