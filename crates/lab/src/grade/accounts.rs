//! Accounts for students' programs where the lab is root: each room has a user of its own, who owns the room's folder and
//! nothing else, and of whose processes and threads the kernel counts each (for root it counts none).

use std::io;
use std::os::unix::fs::chown;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::getuid;

use super::limits::Limits;

/// User numbers that nobody has: between those that systemd gives to containers' hosts and to services
/// (<https://systemd.io/UIDS-GIDS/>).
const FIRST: u32 = 60_600;
const NUMBERS: u32 = 580;

/// The accounts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Accounts {
    offset: u32,
}

impl Accounts {
    /// `None` where the lab is not root, or is a root that has no other users (as in some containers), or where temporary
    /// files lie in a folder that others cannot enter.
    pub(super) fn open() -> Option<Self> {
        let accounts = Self { offset: std::process::id() };
        let works = cfg!(target_os = "linux") && getuid().is_root() && accounts.were_tried().is_ok_and(|worked| worked);
        works.then_some(accounts)
    }

    /// That of a room. It comes again when hundreds of others are done.
    pub(super) fn of(self, room: usize) -> u32 {
        let room = u32::try_from(room).unwrap_or_default();
        FIRST + self.offset.wrapping_add(room) % NUMBERS
    }

    /// The folder's owner is this account from now on.
    pub(super) fn give(account: u32, folder: &Path) -> io::Result<()> {
        chown(folder, Some(account), Some(account))
    }

    /// A program of such a user writes a file into its folder.
    fn were_tried(self) -> io::Result<bool> {
        let folder = tempfile::tempdir()?;
        let account = self.of(0);
        Self::give(account, folder.path())?;
        let mut command = Command::new("/bin/sh");
        command.args(["-c", ": > \"$0/file\""]).arg(folder.path()).stderr(Stdio::null());
        Limits { account: Some(account), ..Limits::NONE }.on(&command)?.status().map(|status| status.success())
    }
}
