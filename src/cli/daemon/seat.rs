//! The seat of a server that can be asked by verbs: its pid file, locked, and its control socket.
//!
//! Whoever has the lock has the seat. When it is left, both names go, unless a successor sits there.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGHUP, SIGUSR1, SIGUSR2};
use signal_hook::flag;

use super::control::Door;
use super::pid_file::{self, PidFile};
use super::succession::Predecessor;
use crate::cli::Failure;
use crate::cli::options::Options;

/// A pid file and a control socket. The socket's name goes first: who has the lock may make one.
#[derive(Debug)]
pub(in crate::cli) struct Seat {
    door: Door,
    pid_file: PidFile,
    is_inherited: bool,
}

/// From now on a signal that asks a server for something is none that ends the process. Whoever reads the number in the
/// pid file may send one before the server can do what it asks for; what it would read, this process has just read.
pub(in crate::cli) fn survive_signals() -> io::Result<()> {
    for signal in [SIGHUP, SIGUSR1, SIGUSR2] {
        flag::register(signal, Arc::new(AtomicBool::new(false)))?;
    }
    Ok(())
}

/// Where the seat is that these options speak of.
pub(super) fn path(options: &Options) -> PathBuf {
    options.pid_file.clone().unwrap_or_else(pid_file::default_path)
}

/// Takes out the names that were left where nobody sits: by a server that had become another user, who may not. Where
/// somebody sits, or there is nothing, nothing is touched.
pub(super) fn clear(options: &Options) {
    let path = path(options);
    if path.exists()
        && let Ok(pid_file) = PidFile::take(&path)
    {
        // With the lock the names are this process's own, and go with it, the socket's first.
        drop(Door::open(&path));
        drop(pid_file);
    }
}

impl Seat {
    /// Takes the seat, from a predecessor if he has it. Without a pid file there is none.
    pub(in crate::cli) fn take(
        options: &Options,
        predecessor: Option<&mut Predecessor>,
    ) -> Result<Option<Seat>, Failure> {
        let Some(path) = &options.pid_file else { return Ok(None) };
        if let Some((file, socket)) = predecessor.and_then(Predecessor::take_seat)
            && let Some(pid_file) = PidFile::inherit(path, file)
            && let Some(door) = Door::inherit(path, socket)
        {
            return Ok(Some(Seat { door, pid_file, is_inherited: true }));
        }
        let pid_file = PidFile::take(path)?;
        Ok(Some(Seat { door: Door::open(path)?, pid_file, is_inherited: false }))
    }

    /// True if the predecessor must leave it.
    pub(super) fn is_inherited(&self) -> bool {
        self.is_inherited
    }

    /// The predecessor has left it.
    pub(super) fn own(&mut self) {
        if self.is_inherited {
            self.pid_file.own();
            self.door.own();
        }
    }

    /// Leaves it to the successor.
    pub(super) fn give(self) {
        self.door.give();
        self.pid_file.give();
    }

    pub(super) fn door(&self) -> &Door {
        &self.door
    }

    /// What a successor needs: the pid file, then the socket.
    pub(super) fn descriptors(&self) -> [BorrowedFd<'_>; 2] {
        [self.pid_file.as_fd(), self.door.as_fd()]
    }
}
