//! Where a student's program runs: under limits, with nothing of the lab's environment, and in the folder of its run, which
//! holds all that it may keep. What it leaves running ends with the room.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::accounts::Accounts;
use super::guard::Guard;
use super::limits::Limits;
use crate::error::Error;

/// The variable by which what was started in a room is known again.
pub(crate) const MARK: &str = "LAB_ROOM";

/// What a program of the course uses a hundredth of (time) to a fourth of (address space, which threads reserve).
const LIMITS: Limits = Limits { cpu: 10, memory: 2 << 30, file: 8 << 20, open: 256, ..Limits::NONE };

/// What may lie in a room's folder, in bytes.
const MOST_BYTES: u64 = 64 << 20;

/// And how many files and folders.
const MOST_FILES: usize = 4000;

/// What is taken over of the lab's own environment: the rest (passwords, say) is not for students' programs.
const VARIABLES: [&str; 5] = ["PATH", "LD_LIBRARY_PATH", "LANG", "TZ", "RUST_BACKTRACE"];

/// A limit that a program or the compiler has met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Breach {
    /// The time for the exercise is over.
    Time,
    /// It printed nothing for a minute, and did not end.
    Silence,
    /// Processor time.
    Processor,
    /// More lines than any result has.
    Output,
    /// A file too large.
    FileSize,
    /// Too much, or too many files, in its folder.
    Disk,
    /// Too many processes or threads.
    Processes,
    /// The compiler's time or memory.
    Compiler,
}

/// One room, for one run.
#[derive(Debug)]
pub struct Room {
    pub(super) id: usize,
    /// That of the run, as soon as something was started.
    folder: OnceLock<PathBuf>,
    mark: String,
    until: Instant,
    limits: Limits,
    breach: Mutex<Option<Breach>>,
    guard: Guard,
}

impl Room {
    /// A room, until this moment.
    pub(super) fn open(guard: &Guard, until: Instant) -> Arc<Self> {
        let (id, mark) = guard.number();
        let (account, most) = guard.account(id);
        let processes = most.and_then(|most| u64::try_from(most).ok());
        let room = Arc::new(Self {
            id,
            folder: OnceLock::new(),
            mark,
            until,
            limits: Limits { processes, account, ..LIMITS },
            breach: Mutex::new(None),
            guard: guard.clone(),
        });
        guard.enter(&room);
        room
    }

    /// The command, which has a folder and an environment of its own, in this room.
    ///
    /// # Errors
    /// [`Error::Stalled`] when a limit was met already, [`Error::Spawn`] when the lab does not find itself,
    /// [`Error::Folder`] when the folder cannot be given to the room's account.
    pub(crate) fn command(&self, command: &Command) -> Result<Command, Error> {
        if self.breach().is_some() {
            return Err(Error::Stalled(Duration::ZERO));
        }
        let mut confined = self.limits.on(command).map_err(|why| Error::Spawn {
            program: command.get_program().to_string_lossy().into_owned(),
            why: why.to_string(),
        })?;
        let own: Vec<(OsString, OsString)> =
            confined.get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))).collect();
        confined.env_clear();
        confined.envs(VARIABLES.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
        confined.envs(own).env(MARK, &self.mark);
        if let Some(folder) = command.get_current_dir() {
            confined.env("HOME", self.folder.get_or_init(|| folder.to_owned()));
            let given = self.limits.account.map_or(Ok(()), |account| Accounts::give(account, folder));
            given.map_err(|why| Error::Folder { path: folder.display().to_string(), why: why.to_string() })?;
        }
        Ok(confined)
    }

    /// The limit that was met first.
    pub(super) fn breach(&self) -> Option<Breach> {
        *self.breach.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A limit was met.
    pub(crate) fn breaks(&self, limit: Breach) {
        self.breach.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(limit);
    }

    pub(super) fn is_late(&self) -> bool {
        Instant::now() > self.until
    }

    /// Whether more lies in the folder than may.
    pub(super) fn is_full(&self) -> bool {
        let (mut bytes, mut files) = (0, 0);
        let mut folders: Vec<PathBuf> = self.folder.get().into_iter().cloned().collect();
        while let Some(folder) = folders.pop() {
            let entries = match fs::read_dir(&folder) {
                Ok(entries) => entries,
                // It goes on writing.
                Err(why) if why.kind() == io::ErrorKind::NotFound => continue,
                // Out of our sight, which is no place for files either.
                Err(_) => return true,
            };
            for entry in entries.filter_map(Result::ok) {
                let Ok(meta) = entry.metadata() else { continue };
                bytes += meta.blocks() * 512;
                files += 1;
                if bytes > MOST_BYTES || files > MOST_FILES {
                    return true;
                }
                if meta.is_dir() {
                    folders.push(entry.path());
                }
            }
        }
        false
    }

    /// Ends all that runs in it, for good.
    pub(crate) fn close(&self) {
        self.guard.clear(self);
        self.guard.leave(self);
        if let Some(folder) = self.folder.get() {
            open_up(folder);
        }
    }
}

/// Gives back the right to remove what is in a folder, which its owner may have taken from himself.
fn open_up(folder: &Path) {
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        let _ = fs::set_permissions(&next, fs::Permissions::from_mode(0o700));
        let entries = fs::read_dir(next).into_iter().flatten().filter_map(Result::ok);
        // Not what a link leads to.
        folders.extend(entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|it| it.path()));
    }
}
