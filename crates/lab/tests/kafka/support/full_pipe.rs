//! A pipe that has no room left: a program whose standard output it is stops at its first line, without any hook in it.

use std::os::fd::OwnedFd;

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::{Errno, write};
use rustix::pipe::{PipeFlags, pipe_with};

/// The read end (keep it, unread, for as long as the program is to stand still) and the write end, full.
pub fn full_pipe() -> (OwnedFd, OwnedFd) {
    // Close-on-exec: a program that another test starts meanwhile must not keep the read end open.
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC).unwrap();
    let flags = fcntl_getfl(&writer).unwrap();
    fcntl_setfl(&writer, flags | OFlags::NONBLOCK).unwrap();
    loop {
        match write(&writer, &[b'\n'; 4096]) {
            Ok(_) => {}
            Err(Errno::AGAIN) => break,
            Err(error) => panic!("{error}"),
        }
    }
    fcntl_setfl(&writer, flags).unwrap();
    (reader, writer)
}
