//! What a process of others may use, set by the process itself before it becomes their program: the lab's own executable
//! is started with [`ARGUMENT`], lowers its limits, and is replaced by the program. (To set them between fork and exec
//! would take unsafe code.)

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use rustix::process::{Resource, Rlimit, getrlimit, nice, setrlimit};
use tokio::signal::unix::{SignalKind, signal};

/// The argument that makes the lab's executable run another program under limits.
pub(crate) const ARGUMENT: &str = "__confined";

/// What shells say of a command that cannot be run.
const CANNOT_RUN: u8 = 126;

/// On Linux and macOS: a larger file than allowed.
pub(super) const SIGXFSZ: i32 = 25;

/// So much less urgent than the lab itself, whose broker and watch must not wait for a student's loop.
const NICE: i32 = 5;

/// The limits of a process; those of its children are the same, each for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Processor time, in seconds.
    pub(crate) cpu: u64,
    /// Address space, in bytes.
    pub(crate) memory: u64,
    /// Size of a file that it writes, in bytes.
    pub(crate) file: u64,
    /// Open files.
    pub(crate) open: u64,
    /// Processes and threads of the user, all together; `None`: as it is.
    pub(crate) processes: Option<u64>,
    /// The user that it becomes, for which it has to be root; `None`: whoever it is.
    pub(crate) account: Option<u32>,
}

impl Limits {
    /// None of all these.
    pub(super) const NONE: Self =
        Self { cpu: u64::MAX, memory: u64::MAX, file: u64::MAX, open: u64::MAX, processes: None, account: None };

    /// The same command, under these limits.
    ///
    /// # Errors
    /// When the lab does not find its own executable.
    pub(crate) fn on(&self, command: &Command) -> io::Result<Command> {
        // By this name the executable is found also when another has taken its place (the lab was built anew).
        let mut confined = match cfg!(target_os = "linux") {
            true => Command::new("/proc/self/exe"),
            false => Command::new(std::env::current_exe()?),
        };
        let processes = self.processes.unwrap_or(u64::MAX);
        let account = self.account.map_or(u64::MAX, u64::from);
        confined.arg(ARGUMENT);
        let numbers = [self.cpu, self.memory, self.file, self.open, processes, account];
        confined.args(numbers.map(|number| number.to_string()));
        confined.arg(command.get_program()).args(command.get_args());
        if let Some(folder) = command.get_current_dir() {
            confined.current_dir(folder);
        }
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => confined.env(name, value),
                None => confined.env_remove(name),
            };
        }
        Ok(confined)
    }

    fn parse(words: &[OsString]) -> Option<Self> {
        let numbers: Option<Vec<u64>> = words.iter().map(|word| word.to_str()?.parse().ok()).collect();
        let known = |number: u64| Some(number).filter(|number| *number != u64::MAX);
        match numbers?.as_slice() {
            &[cpu, memory, file, open, processes, account] => {
                let account = known(account).map(u32::try_from).transpose().ok()?;
                Some(Self { cpu, memory, file, open, processes: known(processes), account })
            }
            _ => None,
        }
    }

    fn set(&self) -> io::Result<()> {
        // The first limit is told to the program by a signal; the second, a second later, kills it.
        lower(Resource::Cpu, self.cpu, self.cpu.saturating_add(1))?;
        lower(Resource::As, self.memory, self.memory)?;
        lower(Resource::Fsize, self.file, self.file)?;
        lower(Resource::Nofile, self.open, self.open)?;
        lower(Resource::Core, 0, 0)?;
        if let Some(most) = self.processes {
            lower(Resource::Nproc, most, most)?;
        }
        nice(NICE)?;
        // Where memory runs out, this goes first, and not the lab.
        #[cfg(target_os = "linux")]
        let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
        Ok(())
    }
}

/// Never above what is there already, which nobody but root may do.
fn lower(resource: Resource, soft: u64, hard: u64) -> io::Result<()> {
    let now = getrlimit(resource);
    let least = |wanted: u64, now: Option<u64>| Some(now.map_or(wanted, |now| now.min(wanted)));
    let maximum = least(hard, now.maximum);
    let current = least(soft, now.current).min(maximum);
    Ok(setrlimit(resource, Rlimit { current, maximum })?)
}

/// What the process does that [`Limits::on`] has started; it returns when the program cannot be run.
pub(crate) fn become_program(args: impl Iterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.collect();
    let (limits, program) = args.split_at_checked(6).unwrap_or_default();
    let why = match (Limits::parse(limits), program.split_first()) {
        (Some(limits), Some((program, args))) => {
            let run = || run(program, args, limits.account);
            told_by_signals().and_then(|()| limits.set()).map_or_else(|why| why, |()| run())
        }
        _ => io::Error::from(io::ErrorKind::InvalidInput),
    };
    crate::cli::say(&format!("error: the limits, or the program: {why}"));
    ExitCode::from(CANNOT_RUN)
}

/// A pipe without a reader and a file that is too large end the program, whoever started the lab: what a process ignores
/// (Python ignores both), the program that it becomes ignores too; what it handles, has its default there.
fn told_by_signals() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let _within = runtime.enter();
    [SignalKind::pipe(), SignalKind::from_raw(SIGXFSZ)].into_iter().try_for_each(|kind| signal(kind).map(drop))
}

fn run(program: &OsStr, args: &[OsString], account: Option<u32>) -> io::Error {
    let Some(account) = account else { return Command::new(program).args(args).exec() };
    match File::open(program) {
        // Opened here: it may lie where nobody but root comes, below /root, say.
        Ok(file) => Command::new(format!("/proc/self/fd/{}", file.as_raw_fd()))
            .arg0(program)
            .args(args)
            .uid(account)
            .gid(account)
            .exec(),
        Err(why) => why,
    }
}
