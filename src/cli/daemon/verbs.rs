//! The verbs: what a person, a script or a service manager asks of a server in the background.

use std::fs;
use std::io;
use std::process::{ExitCode, Stdio};
use std::time::{Duration, Instant};

use rustix::net::sockopt::socket_peercred;
use rustix::process::geteuid;

use super::control::{self, Request, parse_answer};
use super::detach::launch;
use super::program::{Program, Role};
use super::seat;
use super::unit;
use super::wire::Wire;
use crate::cli::options::{Errand, Options};
use crate::cli::{Failure, say};

/// What a server answers at once, it answers within a turn of its loop.
const PATIENCE: Duration = Duration::from_secs(10);

/// How much longer than its grace a server may take to end.
const AFTER_GRACE: Duration = Duration::from_secs(5);

/// The exit code of `status` when no server runs (LSB: "program is not running"). One that was killed and left its
/// files is no other case: they are in nobody's way.
const NOT_RUNNING: u8 = 3;

/// Its exit code when that cannot be said (LSB: "status is unknown").
const UNKNOWN: u8 = 4;

/// Does what was asked for.
pub(in crate::cli) fn run(errand: Errand, options: &Options) -> Result<ExitCode, Failure> {
    match errand {
        Errand::Start => start(options),
        Errand::Stop => stop(options),
        Errand::Restart => restart(options),
        Errand::Reload => reload(options),
        Errand::Status => status(options),
        Errand::Unit => {
            let program = Program::own();
            if !program.path().is_absolute() {
                return Err(Failure::Run("where this program is, the system does not say".to_owned()));
            }
            let _ = say(unit::text(options, &program)?);
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn start(options: &Options) -> Result<ExitCode, Failure> {
    if let Some(wire) = reach(options)? {
        let number = facts(&wire).ok().and_then(|facts| fact(&facts, "pid"));
        let who = number.map_or("a server".to_owned(), |number| format!("a server with the pid {number}"));
        let path = seat::path(options);
        return Err(Failure::Run(format!(
            "{who} is running already: it has {}; say ownhands restart, or name another file by --pid-file",
            path.display()
        )));
    }
    let mut command = Program::own().again(Role::Server);
    command.stdin(Stdio::null());
    let outcome = launch(command);
    // A server that has started sits there; one that has failed is gone.
    seat::clear(options);
    outcome
}

fn restart(options: &Options) -> Result<ExitCode, Failure> {
    let Some(wire) = reach(options)? else { return start(options) };
    // It would serve the directory that one happens to be in, whatever was served before.
    if !options.origins.says("paths") && !options.applications.fills_the_root() {
        let why = "say what to serve, by PATH or paths: ownhands restart [OPTIONS] PATH; to start anew with the options \
                   that it has, send the server SIGUSR2";
        return Err(Failure::Usage(why.to_owned()));
    }
    let mut command = Program::own().again(Role::Successor);
    command.stdin(Stdio::from(wire.into_fd()));
    launch(command)
}

fn stop(options: &Options) -> Result<ExitCode, Failure> {
    let mut has_been_asked = false;
    // Whoever took over meanwhile is asked as well.
    while let Some(wire) = reach(options)? {
        has_been_asked = true;
        let grace = ask(&wire, &Request::Stop)?;
        let grace = grace.first().and_then(|seconds| seconds.parse().ok()).map_or(Duration::ZERO, Duration::from_secs);
        wait_for_end(&wire, grace.saturating_add(AFTER_GRACE))?;
    }
    seat::clear(options);
    if !has_been_asked {
        let _ = say("no server is running\n");
    }
    Ok(ExitCode::SUCCESS)
}

/// The wire ends with the process at its other end.
fn wait_for_end(wire: &Wire, at_most: Duration) -> Result<(), Failure> {
    let start = Instant::now();
    loop {
        match wire.wait(at_most.saturating_sub(start.elapsed())) {
            Ok(None) => return Ok(()),
            Ok(Some(_)) => {}
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                return Err(Failure::Run("the server has been asked to stop, and has not ended yet".to_owned()));
            }
            Err(error) => return Err(Failure::Run(format!("whether the server has ended cannot be seen: {error}"))),
        }
    }
}

fn reload(options: &Options) -> Result<ExitCode, Failure> {
    let Some(wire) = reach(options)? else {
        return Err(Failure::Run(format!("no server is running at {}", seat::path(options).display())));
    };
    for warning in ask(&wire, &Request::Reload)? {
        crate::cli::complain(&format!("warning: {warning}"));
    }
    Ok(ExitCode::SUCCESS)
}

fn status(options: &Options) -> Result<ExitCode, Failure> {
    let unknown = |failure| {
        crate::cli::fail(&failure);
        Ok(ExitCode::from(UNKNOWN))
    };
    let wire = match reach(options) {
        Ok(Some(wire)) => wire,
        Ok(None) => {
            let _ = say("not running\n");
            return Ok(ExitCode::from(NOT_RUNNING));
        }
        Err(failure) => return unknown(failure),
    };
    let mut facts = match facts(&wire) {
        Ok(facts) => facts,
        Err(failure) => return unknown(failure),
    };
    // Seen from here: inside its walls a server may not see as much of itself.
    if let Some(memory) = fact(&facts, "pid").and_then(|number| memory(&number)) {
        facts.push(format!("memory: {memory}"));
    }
    let _ = say(format!("{}\n", facts.join("\n")));
    Ok(ExitCode::SUCCESS)
}

fn facts(wire: &Wire) -> Result<Vec<String>, Failure> {
    ask(wire, &Request::Status)
}

fn fact(facts: &[String], name: &str) -> Option<String> {
    facts.iter().find_map(|fact| Some(fact.strip_prefix(name)?.strip_prefix(": ")?.to_owned()))
}

/// What a process holds in memory (proc_pid_status(5)).
fn memory(number: &str) -> Option<String> {
    let status = fs::read_to_string(format!("/proc/{number}/status")).ok()?;
    status.lines().find_map(|line| Some(line.strip_prefix("VmRSS:")?.trim().to_owned()))
}

/// A wire to the server that these options speak of; `None` if there is none.
fn reach(options: &Options) -> Result<Option<Wire>, Failure> {
    let path = control::path(&seat::path(options));
    let failed = |why: String| Failure::Run(format!("the server at {} cannot be asked: {why}", path.display()));
    let wire = match Wire::connect(&path, PATIENCE) {
        Ok(wire) => wire,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            return Ok(None);
        }
        Err(error) if error.kind() == io::ErrorKind::TimedOut => return Err(failed("it does not answer".to_owned())),
        Err(error) => return Err(failed(error.to_string())),
    };
    // In a directory where everybody may write, somebody else may have been faster.
    let (own, theirs) = (geteuid(), socket_peercred(&wire).map_err(|errno| failed(errno.to_string()))?.uid);
    if own != theirs && !own.is_root() && !theirs.is_root() {
        return Err(failed("it is somebody else's".to_owned()));
    }
    Ok(Some(wire))
}

fn ask(wire: &Wire, request: &Request) -> Result<Vec<String>, Failure> {
    let silent = |error: io::Error| Failure::Run(format!("the server does not answer: {error}"));
    match wire.ask(&request.text(), PATIENCE).map_err(silent)? {
        Some(message) => parse_answer(&message.text).map_err(Failure::Run),
        None => Err(Failure::Run("the server ended before it answered".to_owned())),
    }
}
