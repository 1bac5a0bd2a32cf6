//! The herald: a small process that does for a server that is locked in what it cannot: start a successor, and open the file
//! of options, which an editor may have put anew in the place of the one that was read.
//!
//! It is started before the walls go up, does nothing but wait, and has nothing: no listening socket, no log, no pid file.
//! All that can be asked of it is to start this program, with these arguments, once more, and to open this one file; so
//! whoever takes over the server gets no further through it than to another server. It ends when the server ends, by the
//! end of its stdin.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitCode, Stdio};
use std::time::Duration;

use rustix::fs::OFlags;

use super::program::{Program, Role};
use super::wire::Wire;

/// Asks for a successor; the descriptors are its stdin, stdout and stderr.
const SUCCESSOR: &str = "a successor, please";

/// Asks for the file of options. What it is called is said once, before the walls go up.
const OPTIONS: &str = "the file of options, please";
const OPTIONS_ARE: &str = "the file of options is ";

/// A file is opened within so long, or not at all.
const PATIENCE: Duration = Duration::from_secs(2);

/// A server's end of its herald.
#[derive(Debug)]
pub(in crate::cli) struct Herald {
    wire: Wire,
    child: Child,
}

impl Herald {
    /// Starts one, which knows where the options are read from.
    pub(super) fn start(program: &Program, options: Option<&Path>) -> io::Result<Herald> {
        let (own, its) = Wire::pair()?;
        let mut command = program.again(Role::Herald);
        // Ctrl-C at the terminal is the server's business: it finishes what it has begun, and may be upgraded meanwhile.
        command.process_group(0).stdin(Stdio::from(its.into_fd()));
        // What the server has there is the server's: somebody may wait for its end.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn()?;
        if let Some(path) = options {
            let path = std::path::absolute(path)?;
            let path = path.to_str().ok_or(io::Error::new(io::ErrorKind::InvalidInput, "its name is no text"))?;
            own.send(&format!("{OPTIONS_ARE}{path}"), &[])?;
        }
        Ok(Herald { wire: own, child })
    }

    /// Asks for the file of options, as it is now.
    ///
    /// # Errors
    /// Why it cannot be opened.
    pub(super) fn open(&self) -> io::Result<File> {
        self.wire.send(OPTIONS, &[])?;
        let answer = self.wire.wait(PATIENCE)?.ok_or(io::Error::other("the herald has ended"))?;
        match answer.descriptors.into_iter().next() {
            Some(descriptor) => Ok(File::from(descriptor)),
            None => Err(io::Error::other(answer.text)),
        }
    }

    /// Asks for a successor that has this wire as its stdin, and writes where this process does.
    ///
    /// # Errors
    /// If the herald has gone; then it is buried.
    pub(super) fn call(&mut self, wire: &Wire) -> io::Result<()> {
        let sent = self.wire.send(SUCCESSOR, &[wire.as_fd(), io::stdout().as_fd(), io::stderr().as_fd()]);
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
    let mut options: Option<PathBuf> = None;
    while let Ok(Some(message)) = wire.wait_for_ever() {
        children.retain_mut(|child| !matches!(child.try_wait(), Ok(Some(_))));
        if let Some(path) = message.text.strip_prefix(OPTIONS_ARE) {
            options.get_or_insert_with(|| PathBuf::from(path));
        }
        if message.text == OPTIONS {
            show(options.as_deref(), &wire);
        }
        let Ok([stdin, stdout, stderr]) = <[OwnedFd; 3]>::try_from(message.descriptors) else { continue };
        // Where it fails, the server sees the end of the wire, and goes on.
        let mut command = program.again(Role::Successor);
        let started = command.stdin(stdin).stdout(stdout).stderr(stderr).spawn();
        children.extend(started.ok());
    }
    ExitCode::SUCCESS
}

/// Opens the file of options for the server, without waiting where it is a pipe.
fn show(options: Option<&Path>, wire: &Wire) {
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or(0);
    let opened = options.ok_or(io::Error::from(io::ErrorKind::NotFound));
    let opened = opened.and_then(|path| OpenOptions::new().read(true).custom_flags(flags).open(path));
    // If it is not heard, the server has gone, and the wire has an end.
    let _ = match opened {
        Ok(file) => wire.send("here it is", &[file.as_fd()]),
        Err(error) => wire.send(&error.to_string(), &[]),
    };
}
