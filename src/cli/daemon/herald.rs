//! The herald: a small process that starts a successor for a server that is locked in and cannot.
//!
//! It is started before the walls go up, does nothing but wait, and has nothing: no listening socket, no log, no pid file.
//! All that can be asked of it is to start this program, with these arguments, once more; so whoever takes over the server
//! gets no further through it than to another server. It ends when the server ends, by the end of its stdin.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, ExitCode, Stdio};

use super::program::{Program, Role};
use super::wire::Wire;

/// The one thing that can be asked.
const CALL: &str = "a successor, please";

/// A server's end of its herald.
#[derive(Debug)]
pub(in crate::cli) struct Herald {
    wire: Wire,
    child: Child,
}

impl Herald {
    /// Starts one.
    pub(super) fn start(program: &Program) -> io::Result<Herald> {
        let (own, its) = Wire::pair()?;
        let mut command = program.again(Role::Herald);
        // Ctrl-C at the terminal is the server's business: it finishes what it has begun, and may be upgraded meanwhile.
        command.process_group(0).stdin(Stdio::from(its.into_fd()));
        // What the server has there is the server's: somebody may wait for its end.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Herald { wire: own, child: command.spawn()? })
    }

    /// Asks for a successor that has this wire as its stdin, and writes where this process does.
    ///
    /// # Errors
    /// If the herald has gone; then it is buried.
    pub(super) fn call(&mut self, wire: &Wire) -> io::Result<()> {
        let sent = self.wire.send(CALL, &[wire.as_fd(), io::stdout().as_fd(), io::stderr().as_fd()]);
        if sent.is_err() {
            self.child.try_wait()?;
        }
        sent
    }
}

/// Is one, until the server ends.
pub(in crate::cli) fn run() -> ExitCode {
    let (Some(program), Ok(wire)) = (Program::as_started(), Wire::stdin()) else { return ExitCode::FAILURE };
    let mut children: Vec<Child> = Vec::new();
    while let Ok(Some(message)) = wire.wait_for_ever() {
        children.retain_mut(|child| !matches!(child.try_wait(), Ok(Some(_))));
        let Ok([stdin, stdout, stderr]) = <[OwnedFd; 3]>::try_from(message.descriptors) else { continue };
        // Where it fails, the server sees the end of the wire, and goes on.
        let mut command = program.again(Role::Successor);
        let started = command.stdin(stdin).stdout(stdout).stderr(stderr).spawn();
        children.extend(started.ok());
    }
    ExitCode::SUCCESS
}
