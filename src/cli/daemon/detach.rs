//! Leaving the terminal. The verb waits until the server listens; the server tells it so, and
//! is gone from the terminal.
//!
//! The working directory and the umask stay as they are: relative paths in the options go on to mean what they meant,
//! and files are made as the user has them made. What is on stdout before it ends says that the server listens; if
//! nothing is, the server did not start, and stderr and the exit code say why.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::process::{Command, ExitCode, Stdio};
use std::thread;

use rustix::process::setsid;
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};

use crate::cli::{Failure, say};

/// A server that leaves the terminal.
#[derive(Debug)]
pub(in crate::cli) struct Detachment {
    /// Opened early: there may be no `/dev` inside the walls.
    null: File,
}

impl Detachment {
    /// Leaves the terminal's session, so that neither its keys nor its end reach this process.
    pub(in crate::cli) fn begin() -> Result<Detachment, Failure> {
        let null = open_null()?;
        // One that leads its session already has no terminal to leave.
        if let Err(errno) = setsid() {
            log::debug!("no new session: {errno}");
        }
        Ok(Detachment { null })
    }

    /// Closes stdout and stderr for whoever waits for their end.
    pub(in crate::cli) fn complete(&self) {
        let ended = dup2_stdout(&self.null).and_then(|()| dup2_stderr(&self.null));
        if let Err(errno) = ended {
            log::warn!("the terminal cannot be left: {errno}");
        }
    }
}

/// Nothing is to be read from stdin any more; whoever is at its other end is told so by its end.
pub(in crate::cli) fn close_stdin() -> Result<(), Failure> {
    dup2_stdin(open_null()?).map_err(|errno| Failure::Run(format!("stdin cannot be closed: {errno}")))
}

fn open_null() -> Result<File, Failure> {
    let null = OpenOptions::new().read(true).write(true).open("/dev/null");
    null.map_err(|error| Failure::Run(format!("/dev/null cannot be opened: {error}")))
}

/// Starts a server and waits until it listens, or has failed; says what it says.
pub(super) fn launch(mut command: Command) -> Result<ExitCode, Failure> {
    let failed = |error: io::Error| Failure::Run(format!("the server cannot be started: {error}"));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(failed)?;
    // With it goes this process's copy of what the server has as stdin: its end must be the server's end.
    drop(command);
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let mut announced = String::new();
    thread::scope(|scope| {
        if let Some(mut stderr) = stderr {
            scope.spawn(move || io::copy(&mut stderr, &mut io::stderr()));
        }
        stdout.map(|mut stdout| stdout.read_to_string(&mut announced)).transpose()
    })
    .map_err(failed)?;
    if !announced.is_empty() {
        let _ = say(announced);
        return Ok(ExitCode::SUCCESS);
    }
    let status = child.wait().map_err(failed)?;
    match status.code().and_then(|code| u8::try_from(code).ok()).filter(|&code| code != 0) {
        Some(code) => Ok(ExitCode::from(code)), // and it has said why
        None => Err(Failure::Run(format!("the server ended before it listened: {status}"))),
    }
}
