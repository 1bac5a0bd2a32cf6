//! The launcher of a server: a small process that starts the programs of applications, which a server
//! that is locked in cannot.
//!
//! It is started before the walls go up, and whether they do or not: there is one way. Before it starts anything it
//! becomes the user that the server will be, and gives up the right to gain others. What it starts stands outside of
//! the walls: whoever takes over the server can start programs as that user, and no more. It ends when the server ends,
//! by the end of its stdin.

use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use ownhands::gateway::{self, Launcher};
use ownhands::sandbox::{Sandbox, Strictness as Kernel};

use super::herald::survive_all_signals;
use super::program::{Program, Role};
use super::wire::Wire;
use crate::cli::Failure;
use crate::cli::options::Options;
use crate::cli::values::Strictness;

/// What it says when it can begin. Anything else is why it cannot.
const READY: &str = "ready";

/// It is ready within so long, or not at all.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a server that has ended waits for what its applications started; then the launcher goes
/// on alone, and kills them.
const FAREWELL: Duration = Duration::from_secs(2);

/// How often it is looked whether all have ended.
const BEAT: Duration = Duration::from_millis(5);

/// A server's end of its launcher.
#[derive(Debug)]
pub(in crate::cli) struct Launching {
    launcher: Launcher,
    child: Child,
}

impl Launching {
    /// Starts one, which becomes the user and the group of these options.
    pub(in crate::cli) fn start(program: &Program, options: &Options) -> Result<Launching, Failure> {
        let path = program.path().display();
        let failed = |why: String| Failure::Run(format!("{path} cannot be started once more, for programs: {why}"));
        Launching::begin(program, options).map_err(|error| failed(error.to_string()))
    }

    fn begin(program: &Program, options: &Options) -> io::Result<Launching> {
        let (own, its) = Wire::pair()?;
        let mut command = program.again(Role::Launcher);
        // Signals from the terminal are the server's business, and its outputs too: somebody may wait for their end.
        command.process_group(0).stdin(Stdio::from(its.into_fd())).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn()?;
        // With it goes this process's copy of its stdin.
        drop(command);
        let heard = own.ask(&Errand::of(options).text(), PATIENCE);
        let why = match heard {
            Ok(Some(answer)) if answer.text == READY => {
                return Ok(Launching { launcher: Launcher::over(own.into_fd())?, child });
            }
            Ok(Some(answer)) => io::Error::other(answer.text),
            Ok(None) => io::Error::other("it ended without a word"),
            Err(error) => error,
        };
        drop(own);
        child.kill()?;
        child.wait()?;
        Err(why)
    }

    /// A wire to it, for a gateway.
    pub(in crate::cli) fn another(&self) -> io::Result<Launcher> {
        self.launcher.another()
    }

    /// Buries it, if it has ended. True if it is not buried: it closes its wire some time before it has ended.
    pub(in crate::cli) fn bury(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Lets it go, when all gateways have: it ends what it has started, and then itself.
    pub(in crate::cli) fn end(self) {
        let Launching { launcher, mut child } = self;
        drop(launcher);
        let start = Instant::now();
        while start.elapsed() < FAREWELL && matches!(child.try_wait(), Ok(None)) {
            thread::sleep(BEAT);
        }
    }
}

impl AsFd for Launching {
    /// Readable when it has ended: over this wire nothing is started.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.launcher.as_fd()
    }
}

/// As whom programs are started.
#[derive(Debug, PartialEq, Eq)]
struct Errand {
    user: String,
    group: String,
    may_gain_rights: bool,
}

impl Errand {
    fn of(options: &Options) -> Errand {
        let name = |name: &Option<String>| name.clone().unwrap_or_default();
        let may_gain_rights = options.sandbox == Strictness::Off;
        Errand { user: name(&options.user), group: name(&options.group), may_gain_rights }
    }

    fn text(&self) -> String {
        format!("{}\n{}\n{}", self.user, self.group, self.may_gain_rights)
    }

    fn parse(text: &str) -> Option<Errand> {
        let mut lines = text.split('\n').map(str::to_owned);
        let (user, group, may_gain_rights) = (lines.next()?, lines.next()?, lines.next()?.parse().ok()?);
        lines.next().is_none().then_some(Errand { user, group, may_gain_rights })
    }

    /// Becomes what was said, for good.
    fn become_it(&self) -> Result<(), String> {
        let mut sandbox = Sandbox::new(Kernel::Off);
        if !self.user.is_empty() {
            sandbox = sandbox.with_user(&self.user);
        }
        if !self.group.is_empty() {
            sandbox = sandbox.with_group(&self.group);
        }
        sandbox.lock().map_err(|error| error.to_string())?;
        if !self.may_gain_rights {
            // A program that is owned by another and says that it is run as him stays this user's.
            rustix::thread::set_no_new_privs(true).map_err(|error| format!("it cannot give up rights: {error}"))?;
        }
        Ok(())
    }
}

/// Is one, until the server ends and all that it has started has ended; `None` if there is no server
/// at the other end of stdin.
pub(in crate::cli) fn run() -> Option<ExitCode> {
    close_what_was_left_open();
    let wire = Wire::stdin().ok().filter(Wire::is_real)?;
    survive_all_signals().ok()?;
    let errand = wire.wait(PATIENCE).ok().flatten().and_then(|message| Errand::parse(&message.text))?;
    let outcome = errand.become_it();
    let said = wire.send(outcome.as_ref().map_or_else(String::as_str, |()| READY), &[]);
    if outcome.is_err() || said.is_err() {
        return Some(ExitCode::FAILURE);
    }
    // From here on the wire is the only one that there is.
    super::close_stdin().ok()?;
    let attended = gateway::attend(wire.into_fd());
    Some(if attended.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whoever started the server may have left descriptors open, and the service manager has: they are not for programs.
fn close_what_was_left_open() {
    let Ok(entries) = fs::read_dir("/proc/self/fd") else { return };
    let numbers = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
    // All are known before one is closed: the directory is among them.
    let numbers: Vec<i32> = numbers.filter(|&number| number > 2).collect();
    for number in numbers {
        // Of the directory, it is closed already.
        let _ = nix::unistd::close(number);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn as_whom_programs_are_started_is_read_as_it_was_said() {
        for (user, group, may_gain_rights) in [("", "", false), ("www-data", "", true), ("1000", "users", false)] {
            let errand = Errand { user: user.to_owned(), group: group.to_owned(), may_gain_rights };
            assert_eq!(Errand::parse(&errand.text()), Some(errand));
        }
        for text in ["", "\n", "\n\n", "\n\nmaybe", "\n\ntrue\n"] {
            assert_eq!(Errand::parse(text), None, "{text:?}");
        }
    }
}
