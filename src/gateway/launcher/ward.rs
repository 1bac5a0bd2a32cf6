//! One program that runs: its process is the leader of a group, and the group begins and ends with it.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use super::message::{Ending, Note};

/// A program that was started, and has not been buried.
#[derive(Debug)]
pub(super) struct Ward {
    number: u64,
    child: Child,
    group: Pid,
    /// Readable when the leader has ended; `None` where the system has no such thing.
    end: Option<OwnedFd>,
    /// When all of it is killed.
    deadline: Option<Instant>,
    /// Already known where somebody else in this process has buried it.
    status: Option<ExitStatus>,
}

impl Ward {
    pub(super) fn new(number: u64, child: Child) -> Ward {
        let group = Pid::from_child(&child);
        Ward { number, child, group, end: watched(group), deadline: None, status: None }
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn end(&self) -> Option<BorrowedFd<'_>> {
        self.end.as_ref().map(AsFd::as_fd)
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Tells all of it to end; what has not when the grace is over is killed. A later word does not make it later.
    pub(super) fn tell(&mut self, how: Ending, grace: Duration, now: Instant) {
        let deadline = now.checked_add(grace);
        self.deadline = match (self.deadline, deadline) {
            (Some(old), Some(new)) => Some(old.min(new)),
            (old, new) => old.or(new),
        };
        self.signal(match how {
            Ending::Abort => Signal::ABORT,
            Ending::Terminate => Signal::TERM,
            Ending::Kill => Signal::KILL,
        });
    }

    /// Kills what has had its time.
    pub(super) fn hurry(&mut self, now: Instant) {
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            self.deadline = None;
            self.signal(Signal::KILL);
        }
    }

    /// Its leader has been buried by whoever buries all that this process is parent of.
    pub(super) fn was_buried(&mut self, process: Pid, status: ExitStatus) {
        if process == self.group {
            // The number is still the group's as long as somebody is in it, and nobody else's in this moment.
            self.signal(Signal::KILL);
            self.status = Some(status);
        }
    }

    /// Buries it if its leader has ended, and says how. The others of the group are killed first: until the leader is
    /// buried, the number of the group cannot be another's.
    pub(super) fn bury(&mut self) -> Option<Note> {
        if self.status.is_none() {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
            match waitid(WaitId::Pid(self.group), options) {
                Ok(None) | Err(Errno::INTR) => return None,
                Ok(Some(_)) => {
                    self.signal(Signal::KILL);
                    self.status = self.child.wait().ok();
                }
                // Whoever has this process ignore its children has them buried by the system.
                Err(_) => {}
            }
        }
        Some(Note::Ended { number: self.number, status: self.status })
    }

    fn signal(&self, signal: Signal) {
        if let Err(error) = kill_process_group(self.group, signal) {
            log::debug!("process group {} gets no signal: {error}", self.group);
        }
    }
}

#[cfg(target_os = "linux")]
fn watched(process: Pid) -> Option<OwnedFd> {
    use rustix::process::{PidfdFlags, pidfd_open};
    pidfd_open(process, PidfdFlags::empty()).inspect_err(|error| log::debug!("no pidfd: {error}")).ok()
}

#[cfg(not(target_os = "linux"))]
fn watched(_: Pid) -> Option<OwnedFd> {
    None
}
