//! What was left behind by what was started: its parent is gone, and it has left the group that is killed.
//!
//! A process that does nothing but launch takes such orphans in (`PR_SET_CHILD_SUBREAPER`, prctl(2)), and buries them
//! when they end: the first process of a container seldom does.

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use rustix::process::{Pid, WaitOptions, wait};
use signal_hook::consts::SIGCHLD;
use signal_hook::low_level::pipe;

/// For a process all of whose children are its launcher's.
#[derive(Debug)]
pub(super) struct Orphans {
    /// Readable when a child has ended.
    bell: UnixStream,
}

impl Orphans {
    /// Takes in those that there will be.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn take_in() -> io::Result<Orphans> {
        let (bell, rope) = UnixStream::pair()?;
        bell.set_nonblocking(true)?;
        pipe::register(SIGCHLD, rope)?;
        adopt();
        Ok(Orphans { bell })
    }

    pub(super) fn bell(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }

    /// Buries all that have ended; says of each which it was: one of those that were started may have ended
    /// since it was looked after.
    pub(super) fn bury(&self, mut was: impl FnMut(Pid, ExitStatus)) {
        let mut rings = [0; 64];
        while matches!((&self.bell).read(&mut rings), Ok(1..)) {}
        while let Ok(Some((process, status))) = wait(WaitOptions::NOHANG) {
            was(process, ExitStatus::from_raw(status.as_raw()));
        }
    }
}

#[cfg(target_os = "linux")]
fn adopt() {
    if let Err(error) = rustix::process::set_child_subreaper(Some(rustix::process::getpid())) {
        log::debug!("orphans are the first process's: {error}");
    }
}

#[cfg(not(target_os = "linux"))]
fn adopt() {}
