//! The herald: a small process that does for a server that is locked in what it cannot: start a successor, and open the
//! file of options, which an editor may have put anew in the place of the one that was read.
//!
//! It is started before the walls go up, does nothing but wait, and has nothing: no listening socket, no log, no pid
//! file. All that can be asked of it is to start this program, with these arguments, once more, and to open this one
//! file; so whoever takes over the server gets no further through it than to another server. It ends when the server
//! ends, by the end of its stdin.

use std::cell::Cell;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use rustix::fs::OFlags;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook::flag;

use super::control::Request;
use super::program::{Program, Role};
use super::wire::{Message, Wire};

/// Asks for a successor; the descriptors are its stdin, stdout and stderr.
const SUCCESSOR: &str = "a successor, please";

/// What it says when signals do not end it any more.
const READY: &str = "ready";

/// Asks for the file of options, with a number, which the answer begins with: one that is late is not taken for the
/// next. What the file is called is said once, before the walls go up.
const OPTIONS: &str = "the file of options, please: ";
const OPTIONS_ARE: &str = "the file of options is ";

/// A file is opened within so long, or not at all.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long a server waits for its herald before it goes on without having heard of it.
const AT_FIRST: Duration = Duration::from_secs(10);

/// A server's end of its herald.
#[derive(Debug)]
pub(in crate::cli) struct Herald {
    wire: Wire,
    child: Child,
    /// How often it was asked for the file.
    asked: Cell<u64>,
}

impl Herald {
    /// Starts one, which knows where the options are read from.
    pub(super) fn start(program: &Program, options: Option<&Path>) -> io::Result<Herald> {
        let (own, its) = Wire::pair()?;
        let mut command = program.again(Role::Herald);
        // Ctrl-C at the terminal is the server's business: it finishes what it has begun, and
        // may be upgraded meanwhile.
        command.process_group(0).stdin(Stdio::from(its.into_fd()));
        // What the server has there is the server's: somebody may wait for its end.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn()?;
        if let Some(path) = options {
            let path = std::path::absolute(path)?;
            let path = path.to_str().ok_or(io::Error::new(io::ErrorKind::InvalidInput, "its name is no text"))?;
            own.send(&format!("{OPTIONS_ARE}{path}"), &[])?;
        }
        Ok(Herald { wire: own, child, asked: Cell::new(0) })
    }

    /// Waits until signals that are meant for the server do not end it: whoever hears that the server is there may send
    /// one to all processes of the name.
    pub(super) fn meet(&self) -> io::Result<()> {
        let said = self.wire.wait(AT_FIRST).map_err(silence)?.ok_or_else(has_ended)?;
        if said.text == READY { Ok(()) } else { Err(io::Error::other(said.text)) }
    }

    /// Asks for the file of options, as it is now.
    ///
    /// # Errors
    /// Why it cannot be opened.
    pub(super) fn open(&self) -> io::Result<File> {
        let number = self.asked.get().wrapping_add(1);
        self.asked.set(number);
        let mut message = self.wire.ask(&format!("{OPTIONS}{number}"), PATIENCE);
        loop {
            let answer = message.map_err(silence)?.ok_or_else(has_ended)?;
            if let Some(why) = answer.text.strip_prefix(&format!("{number}: ")) {
                let descriptor = answer.descriptors.into_iter().next();
                return descriptor.map(File::from).ok_or_else(|| io::Error::other(why));
            }
            message = self.wire.wait(PATIENCE);
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
        sent.map_err(silence)
    }
}

/// What the end of a wire, or no word on it, means to a person.
fn silence(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::BrokenPipe => has_ended(),
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => io::Error::other("the herald does not answer"),
        _ => error,
    }
}

fn has_ended() -> io::Error {
    io::Error::other("the herald has ended: say ownhands restart")
}

/// Signals are the server's: who sends one to all processes of the name means that one, and when it
/// ends, so do its helpers.
pub(super) fn survive_all_signals() -> io::Result<()> {
    for signal in [SIGHUP, SIGUSR1, SIGUSR2, SIGTERM, SIGINT] {
        flag::register(signal, Arc::new(AtomicBool::new(false)))?;
    }
    Ok(())
}

/// Is one, until the server ends; `None` if there is no server at the other end of stdin.
pub(in crate::cli) fn run() -> Option<ExitCode> {
    let wire = Wire::stdin().ok().filter(Wire::is_real)?;
    survive_all_signals().ok()?;
    wire.send(READY, &[]).ok()?;
    let program = Program::as_started()?;
    let mut children: Vec<Child> = Vec::new();
    let mut options: Option<PathBuf> = None;
    while let Some(message) = next(&wire, &mut children) {
        if let Some(path) = message.text.strip_prefix(OPTIONS_ARE) {
            options.get_or_insert_with(|| PathBuf::from(path));
        }
        if let Some(number) = message.text.strip_prefix(OPTIONS) {
            show(options.as_deref(), number, &wire);
        }
        let Ok([stdin, stdout, stderr]) = <[OwnedFd; 3]>::try_from(message.descriptors) else { continue };
        let Ok(successors) = stdin.try_clone() else { continue };
        let mut command = program.again(Role::Successor);
        match command.stdin(stdin).stdout(stdout).stderr(stderr).spawn() {
            Ok(child) => children.push(child),
            Err(error) => {
                // In the successor's place, and in its words. Who does not hear them sees the end of the wire.
                let why = format!("{} cannot be started: {error}", program.path().display());
                let _ = Wire::new(successors).and_then(|wire| wire.send(&Request::Failed(why).text(), &[]));
            }
        }
    }
    Some(ExitCode::SUCCESS)
}

/// What the server asks for; `None` once it has ended. Meanwhile successors that have ended are buried.
fn next(wire: &Wire, children: &mut Vec<Child>) -> Option<Message> {
    loop {
        let heard = if children.is_empty() { wire.wait_for_ever() } else { wire.wait(PATIENCE) };
        children.retain_mut(|child| !matches!(child.try_wait(), Ok(Some(_))));
        match heard {
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {}
            other => return other.ok().flatten(),
        }
    }
}

/// Opens the file of options for the server.
fn show(options: Option<&Path>, number: &str, wire: &Wire) {
    let opened = options.ok_or(io::Error::from(io::ErrorKind::NotFound)).and_then(open_at_once);
    // If it is not heard, the server has gone, and the wire has an end.
    let _ = match opened {
        Ok(file) => wire.send(&format!("{number}: here it is"), &[file.as_fd()]),
        Err(error) => wire.send(&format!("{number}: {error}"), &[]),
    };
}

/// Opens a file to be read, without waiting where it is a pipe.
pub(super) fn open_at_once(path: &Path) -> io::Result<File> {
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or(0);
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn an_answer_that_is_late_is_not_taken_for_the_next() {
        let (own, its) = Wire::pair().unwrap();
        let child = Command::new("true").spawn().unwrap();
        let mut herald = Herald { wire: own, child, asked: Cell::new(1) };
        its.send("1: late", &[]).unwrap();
        its.send("2: here it is", &[its.as_fd()]).unwrap();
        assert!(herald.open().is_ok());
        assert_eq!(its.receive().unwrap().unwrap().text, format!("{OPTIONS}2"));
        its.send("3: there is none", &[]).unwrap();
        assert_eq!(herald.open().unwrap_err().to_string(), "there is none");
        drop(its);
        for error in [herald.open().map(drop), herald.open().map(drop), herald.call(&Wire::pair().unwrap().0)] {
            assert!(error.unwrap_err().to_string().contains("the herald has ended"));
        }
        herald.child.wait().unwrap();
    }

    #[test]
    fn a_pipe_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, &path, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR).unwrap();
        assert!(open_at_once(&path).is_ok());
    }
}
