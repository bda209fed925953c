//! A program of the course as a child process, driven by what it prints.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use common::grammar::Line;
use rustix::process::{Pid, Signal, kill_process};

use super::broker::bootstrap;

/// Nothing here takes this long; a test that waits for it has failed.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until this holds.
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < end, "not within {PATIENCE:?}: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Where cargo has put the nine programs; built once, in the profile of this test.
pub fn executable(package: &str) -> PathBuf {
    static BUILT: OnceLock<HashMap<String, PathBuf>> = OnceLock::new();
    BUILT.get_or_init(|| build("--bins", &super::PROGRAMS))[package].clone()
}

/// Where cargo has put an example of the lab, all of which are built once.
pub fn example(name: &str) -> PathBuf {
    static BUILT: OnceLock<HashMap<String, PathBuf>> = OnceLock::new();
    BUILT.get_or_init(|| build("--examples", &["lab"]))[name].clone()
}

fn build(what: &str, packages: &[&str]) -> HashMap<String, PathBuf> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--message-format=json-render-diagnostics", what]);
    for package in packages {
        cargo.args(["-p", package]);
    }
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    let output = cargo.stderr(Stdio::inherit()).output().expect("cargo starts");
    assert!(output.status.success(), "the programs do not build");
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .filter_map(|line| {
            let message: serde_json::Value = serde_json::from_str(line).expect("cargo's own JSON");
            let executable = message["executable"].as_str()?.into();
            Some((message["target"]["name"].as_str()?.to_owned(), executable))
        })
        .collect()
}

/// The command line of a program, against the Kafka of this test run; `--bootstrap-servers` among the arguments wins.
pub fn command(package: &str, args: &[&str]) -> Command {
    let mut command = Command::new(executable(package));
    command.env("BOOTSTRAP_SERVERS", bootstrap()).args(args);
    command
}

/// A running program: killed when dropped.
pub struct Program {
    child: Child,
    lines: Receiver<String>,
    stderr: Arc<Mutex<String>>,
    readers: Vec<JoinHandle<()>>,
}

/// What a program left behind.
#[derive(Debug)]
pub struct Ended {
    pub status: ExitStatus,
    /// Lines that no one had read before.
    pub lines: Vec<String>,
    pub stderr: String,
}

impl Ended {
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Values of the lines that say that a message was processed, in order.
    pub fn processed(&self) -> Vec<String> {
        self.lines.iter().filter_map(|line| processed(line)).collect()
    }

    /// Ends the test unless the program has ended with this status.
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code(), Some(code), "stdout: {:?}\nstderr: {}", self.lines, self.stderr);
        self
    }
}

/// The value that a line says was processed.
pub fn processed(line: &str) -> Option<String> {
    let value = match Line::parse(line)? {
        Line::Read(_, value) => Some(value),
        Line::Process(_, value) | Line::Traitement { value, .. } | Line::Transform(_, value, _) => value,
        _ => return None,
    };
    value.map(|value| String::from_utf8_lossy(&value).into_owned())
}

impl Program {
    /// Starts a program against the Kafka of this test run.
    pub fn start(package: &str, args: &[&str]) -> Self {
        Self::spawn(&mut command(package, args))
    }

    /// Starts any command.
    pub fn spawn(command: &mut Command) -> Self {
        Self::spawn_with_stdout(command, Stdio::piped())
    }

    /// Starts any command, with this as its standard output.
    pub fn spawn_with_stdout(command: &mut Command, stdout: impl Into<Stdio>) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(stdout).stderr(Stdio::piped()).spawn().expect("it starts");
        // The parent's copy of a pipe given as standard output would keep it open.
        command.stdout(Stdio::null());
        let (sender, lines) = channel();
        let stdout = child.stdout.take();
        let stderr = Arc::new(Mutex::new(String::new()));
        let text = stderr.clone();
        let mut errors = child.stderr.take().unwrap();
        let readers = vec![
            std::thread::spawn(move || {
                let Some(stdout) = stdout else { return };
                for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                    if sender.send(line).is_err() {
                        return;
                    }
                }
            }),
            std::thread::spawn(move || {
                let mut buffer = [0; 4096];
                while let Ok(read @ 1..) = errors.read(&mut buffer) {
                    text.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..read]));
                }
            }),
        ];
        Self { child, lines, stderr, readers }
    }

    /// Runs it to its end.
    pub fn run(package: &str, args: &[&str]) -> Ended {
        Self::start(package, args).wait()
    }

    /// The next line of standard output.
    pub fn line(&mut self) -> String {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => panic!("no line within {PATIENCE:?}; stderr:\n{}", self.stderr()),
            Err(RecvTimeoutError::Disconnected) => panic!("ended before its next line; stderr:\n{}", self.stderr()),
        }
    }

    /// The next line, if one comes within this time.
    pub fn line_within(&mut self, time: Duration) -> Option<String> {
        self.lines.recv_timeout(time).ok()
    }

    /// The next so many lines.
    pub fn take_lines(&mut self, count: usize) -> Vec<String> {
        (0..count).map(|_| self.line()).collect()
    }

    /// Waits until the log on standard error holds this text.
    pub fn wait_for_log(&self, text: &str) {
        let end = Instant::now() + PATIENCE;
        while !self.stderr().contains(text) {
            assert!(Instant::now() < end, "{text:?} was not logged:\n{}", self.stderr());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn stderr(&self) -> String {
        self.stderr.lock().unwrap().clone()
    }

    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, signal).expect("the program is there");
    }

    /// `kill -9`, then what was still in its pipes.
    pub fn kill(mut self) -> Ended {
        self.child.kill().unwrap();
        self.wait()
    }

    /// Waits until it ends by itself.
    pub fn wait(mut self) -> Ended {
        let end = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < end, "still running after {PATIENCE:?}; stderr:\n{}", self.stderr());
            std::thread::sleep(Duration::from_millis(5));
        };
        for reader in self.readers.drain(..) {
            reader.join().unwrap();
        }
        Ended { status, lines: self.lines.try_iter().collect(), stderr: self.stderr() }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Errors: it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
