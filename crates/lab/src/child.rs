//! A program that runs: its lines as they come, the end of its log, its end. Never waited for without a limit; whoever
//! lets go of it kills it and all that it has started.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

/// What is kept of a line that does not end: more than any line of the grammar holds in the lab.
const LINE: usize = 64 * 1024;

/// How many lines wait here before the program has to: memory stays bounded however fast it prints.
const QUEUE: usize = 1024;

/// How many lines of its log are kept, for an error message.
const LOG_TAIL: usize = 20;

/// How long the end of a log is waited for, when the program has ended: only what has left its process group can still
/// hold it open.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Groups of the programs that run now, for [`kill_all`].
static RUNNING: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

/// A program that runs.
pub struct Child {
    process: std::process::Child,
    /// The process group, which is the child's own: what the child starts belongs to it.
    group: Option<Pid>,
    lines: Receiver<String>,
    log: Arc<Mutex<VecDeque<String>>>,
    /// Closed when the log has been read to its end.
    log_ended: Receiver<()>,
}

/// What came within the time.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// A line of standard output, without its line end.
    Line(String),
    /// No line.
    Quiet,
    /// Standard output is closed: no line will come any more.
    Closed,
}

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// With this exit status.
    Status(i32),
    /// By this signal.
    Signal(i32),
}

impl Child {
    /// Starts a program in a process group of its own, so that Ctrl-C at the terminal reaches the lab alone, which then
    /// ends the program as it wants.
    ///
    /// # Errors
    /// When the operating system cannot start it.
    pub fn spawn(command: &mut Command) -> io::Result<Self> {
        let mut process =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0).spawn()?;
        let group = i32::try_from(process.id()).ok().and_then(Pid::from_raw);
        running().extend(group);
        let (sender, lines) = sync_channel(QUEUE);
        let log = Arc::new(Mutex::new(VecDeque::new()));
        let (log_open, log_ended) = sync_channel(0);
        let (stdout, stderr) = (process.stdout.take(), process.stderr.take());
        // From here on, dropping kills and reaps it.
        let child = Self { process, group, lines, log: Arc::clone(&log), log_ended };
        if let Some(stdout) = stdout {
            std::thread::Builder::new().spawn(move || forward(stdout, &sender))?;
        }
        if let Some(stderr) = stderr {
            std::thread::Builder::new().spawn(move || {
                keep_tail(stderr, &log);
                drop(log_open);
            })?;
        }
        Ok(child)
    }

    /// The next line, if one comes within the time.
    pub fn next(&self, within: Duration) -> Next {
        match self.lines.recv_timeout(within) {
            Ok(line) => Next::Line(line),
            Err(RecvTimeoutError::Timeout) => Next::Quiet,
            Err(RecvTimeoutError::Disconnected) => Next::Closed,
        }
    }

    /// Asks the program to stop, as Ctrl-C does.
    pub fn interrupt(&self) {
        self.signal(Signal::INT);
    }

    /// Waits for the end of the program; `None` when it still runs at the end of the time.
    pub fn wait(&mut self, limit: Duration) -> Option<Ended> {
        let deadline = Instant::now() + limit;
        while !self.has_ended() {
            if Instant::now() >= deadline {
                return None;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        // What it started and left behind ends with it. Before the wait, after which the number of the group may belong
        // to others.
        self.signal(Signal::KILL);
        let status = self.process.wait().ok()?;
        self.forget();
        // Its last words may still be in the pipe.
        let _ = self.log_ended.recv_timeout(LAST_WORDS);
        Some(match (status.code(), status.signal()) {
            (Some(code), _) => Ended::Status(code),
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
        let Some(pid) = self.group else { return true };
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        !matches!(waitid(WaitId::Pid(pid), options), Ok(None))
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.group {
            // It fails when all have ended already, which is as well.
            let _ = kill_process_group(group, signal);
        }
    }

    /// Reaped: the number of its group may belong to others.
    fn forget(&mut self) {
        if let Some(group) = self.group.take() {
            running().retain(|other| *other != group);
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.group.is_some() {
            self.signal(Signal::KILL);
            let _ = self.process.wait();
            self.forget();
        }
    }
}

/// Kills all programs that run: for the moment before the lab itself ends at once.
pub(crate) fn kill_all() {
    for group in running().iter() {
        let _ = kill_process_group(*group, Signal::KILL);
    }
}

fn running() -> std::sync::MutexGuard<'static, Vec<Pid>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sends each line; ends with the output, or when nobody wants the lines any more.
fn forward(output: impl Read, lines: &SyncSender<String>) {
    let mut output = BufReader::new(output);
    while let Some(line) = read_line(&mut output) {
        if lines.send(line).is_err() {
            return;
        }
    }
}

fn keep_tail(output: impl Read, tail: &Mutex<VecDeque<String>>) {
    let mut output = BufReader::new(output);
    while let Some(line) = read_line(&mut output) {
        log::debug!("{line}");
        let mut tail = tail.lock().unwrap_or_else(PoisonError::into_inner);
        if tail.len() == LOG_TAIL {
            tail.pop_front();
        }
        tail.push_back(line);
    }
}

/// The next line, cut after [`LINE`] bytes; `None` at the end. What is not UTF-8 is replaced: no line of the grammar.
fn read_line(output: &mut impl BufRead) -> Option<String> {
    let mut line = Vec::new();
    loop {
        let chunk = output.fill_buf().ok()?;
        if chunk.is_empty() {
            return (!line.is_empty()).then(|| text(line));
        }
        let end = chunk.iter().position(|&byte| byte == b'\n');
        let part = chunk.get(..end.unwrap_or(chunk.len())).unwrap_or_default();
        let room = LINE.saturating_sub(line.len());
        line.extend(part.iter().take(room));
        let used = part.len() + usize::from(end.is_some());
        output.consume(used);
        if end.is_some() {
            return Some(text(line));
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

    const SOON: Duration = Duration::from_secs(10);

    fn shell(script: &str) -> Child {
        Child::spawn(Command::new("sh").args(["-c", script])).unwrap()
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
        assert_eq!(child.next(SOON), Next::Line("one".into()));
        assert_eq!(child.next(SOON), Next::Line("two".into()));
        assert_eq!(child.next(SOON), Next::Line("three".into()));
        assert_eq!(child.next(SOON), Next::Closed);
        assert_eq!(child.wait(SOON), Some(Ended::Status(3)));
        assert_eq!(child.log(), ["why"]);
    }

    #[test]
    fn a_program_that_runs_on_is_not_waited_for() {
        let mut child = shell("exec sleep 600");
        assert_eq!(child.wait(Duration::from_millis(20)), None);
        child.interrupt();
        assert_eq!(child.wait(SOON), Some(Ended::Signal(2)));
    }

    #[test]
    fn letting_go_of_a_program_kills_it_and_what_it_has_started() {
        let child = shell("sleep 600 & echo $!; wait");
        let Next::Line(grandchild) = child.next(SOON) else { panic!("no line") };
        assert!(is_alive(&grandchild));
        drop(child);
        wait_until_gone(&grandchild);
    }

    #[test]
    fn what_a_program_leaves_behind_does_not_hold_up_its_end() {
        let mut child = shell("sleep 600 & echo $!");
        let Next::Line(grandchild) = child.next(SOON) else { panic!("no line") };
        assert_eq!(child.wait(SOON), Some(Ended::Status(0)));
        wait_until_gone(&grandchild);
        assert_eq!(child.next(SOON), Next::Closed);
    }

    #[test]
    fn an_endless_line_is_cut() {
        let mut child = shell("head -c 300000 /dev/zero | tr '\\0' x; echo; echo end");
        let Next::Line(long) = child.next(SOON) else { panic!("no line") };
        assert_eq!(long.len(), LINE);
        assert_eq!(child.next(SOON), Next::Line("end".into()));
        assert_eq!(child.wait(SOON), Some(Ended::Status(0)));
    }
}
