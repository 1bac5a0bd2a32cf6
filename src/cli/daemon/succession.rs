//! From one server to the next without a refused connection: an upgrade, or a restart with other options.
//!
//! The new process has its predecessor at the other end of its stdin. It asks for the sockets, makes everything ready
//! that may fail, and only then asks the predecessor to leave; if it ends before, nothing has happened. At every moment
//! somebody listens, and the pid file is locked.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use super::control::{Request, parse_answer};
use super::herald::{Herald, open_at_once};
use super::program::{Program, Role};
use super::wire::Wire;
use crate::cli::Failure;

/// What the predecessor answers at once, it answers within a turn of its loop.
const PATIENCE: Duration = Duration::from_secs(10);

/// A listening socket that was there before this process.
#[derive(Debug)]
pub(in crate::cli) struct Inherited {
    pub(in crate::cli) socket: OwnedFd,
    /// The service manager has chosen its address.
    pub(in crate::cli) is_activated: bool,
}

/// What a descriptor is that goes to a successor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Bound,
    Activated,
    PidFile,
    Control,
}

impl Kind {
    const WORDS: [(&str, Kind); 4] = [
        ("bound", Kind::Bound),
        ("activated", Kind::Activated),
        ("pid file", Kind::PidFile),
        ("control", Kind::Control),
    ];

    pub(super) fn word(self) -> String {
        Kind::WORDS.iter().find(|(_, kind)| *kind == self).map_or("", |(word, _)| word).to_owned()
    }

    fn parse(text: &str) -> Option<Kind> {
        Kind::WORDS.iter().find(|(word, _)| *word == text).map(|&(_, kind)| kind)
    }
}

/// The server that this one takes over from.
#[derive(Debug)]
pub(in crate::cli) struct Predecessor {
    wire: Wire,
    sockets: Vec<Inherited>,
    pid_file: Option<OwnedFd>,
    control: Option<OwnedFd>,
}

impl Predecessor {
    /// Meets it at the other end of stdin, and asks for all it has.
    pub(in crate::cli) fn meet() -> Result<Predecessor, Failure> {
        let wire = Wire::stdin().map_err(|error| Failure::Run(format!("there is no predecessor: {error}")))?;
        let mut predecessor = Predecessor { wire, sockets: Vec::new(), pid_file: None, control: None };
        let (kinds, descriptors) = predecessor.ask(&Request::Sockets)?;
        if kinds.len() != descriptors.len() {
            return Err(Failure::Run("the predecessor gave fewer sockets than it has".to_owned()));
        }
        for (kind, descriptor) in kinds.iter().zip(descriptors) {
            match Kind::parse(kind) {
                Some(Kind::PidFile) => predecessor.pid_file = Some(descriptor),
                Some(Kind::Control) => predecessor.control = Some(descriptor),
                Some(kind) => {
                    let is_activated = kind == Kind::Activated;
                    predecessor.sockets.push(Inherited { socket: descriptor, is_activated });
                }
                None => log::debug!("the predecessor gave a {kind}, which is let go"),
            }
        }
        Ok(predecessor)
    }

    /// Its listening sockets.
    pub(in crate::cli) fn take_sockets(&mut self) -> Vec<Inherited> {
        std::mem::take(&mut self.sockets)
    }

    /// Its pid file and its control socket.
    pub(super) fn take_seat(&mut self) -> Option<(OwnedFd, OwnedFd)> {
        self.pid_file.take().zip(self.control.take())
    }

    /// Asks it to leave. Once it has said yes nothing may fail: it has left.
    pub(super) fn relieve(&self, takes_pid_file: bool) -> Result<(), Failure> {
        self.ask(&Request::Drain { takes_pid_file }).map(|_| ())
    }

    /// Tells it why this process does not take over.
    pub(in crate::cli) fn despair(&self, why: &str) {
        // It may have gone, or sees the end of the wire: it goes on, in any case.
        let _ = self.wire.send(&Request::Failed(why.to_owned()).text(), &[]);
    }

    fn ask(&self, request: &Request) -> Result<(Vec<String>, Vec<OwnedFd>), Failure> {
        let failed = |why: String| Failure::Run(format!("the predecessor does not hand over: {why}"));
        // It leaves as soon as it has said so: what it says must not come too late to be heard.
        let message = self.wire.ask_once(&request.text(), PATIENCE).map_err(|error| failed(error.to_string()))?;
        let message = message.ok_or_else(|| failed("it has ended".to_owned()))?;
        Ok((parse_answer(&message.text).map_err(failed)?, message.descriptors))
    }
}

/// How a server starts its own successor.
#[derive(Debug)]
pub(in crate::cli) enum Upgrades {
    /// As any process starts another.
    Itself(Program, Vec<Child>),
    /// By the herald: it is locked in itself.
    Herald(Herald),
}

impl Upgrades {
    /// To be made before the process is locked in. The file of options is what [`open`](Self::open) opens.
    pub(in crate::cli) fn new(
        program: Program,
        options: Option<&Path>,
        is_to_be_locked_in: bool,
    ) -> Result<Upgrades, Failure> {
        if !is_to_be_locked_in {
            return Ok(Upgrades::Itself(program, Vec::new()));
        }
        let path = program.path().display().to_string();
        let failed = |error| Failure::Run(format!("{path} cannot be started once more, for upgrades: {error}"));
        Herald::start(&program, options).map(Upgrades::Herald).map_err(failed)
    }

    /// Waits until a herald is there for good.
    pub(in crate::cli) fn meet(&self) {
        if let Upgrades::Herald(herald) = self
            && let Err(error) = herald.meet()
        {
            log::warn!("upgrades may not work: {error}");
        }
    }

    /// Opens the file of options.
    pub(super) fn open(&self, path: &Path) -> io::Result<File> {
        match self {
            Upgrades::Itself(..) => open_at_once(path),
            Upgrades::Herald(herald) => herald.open(),
        }
    }

    /// Starts a successor: the wire to it.
    pub(super) fn begin(&mut self) -> io::Result<Wire> {
        let (own, its) = Wire::pair()?;
        match self {
            Upgrades::Herald(herald) => herald.call(&its)?,
            Upgrades::Itself(program, children) => {
                children.push(program.again(Role::Successor).stdin(Stdio::from(its.into_fd())).spawn()?);
            }
        }
        Ok(own)
    }

    /// Buries the successors that have ended. True if one has not.
    pub(super) fn bury(&mut self) -> bool {
        let Upgrades::Itself(_, children) = self else { return false };
        children.retain_mut(|child| !matches!(child.try_wait(), Ok(Some(_))));
        !children.is_empty()
    }
}
