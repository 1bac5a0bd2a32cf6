//! Layer 5: the command. From arguments to a running server; a failure becomes one line on stderr and an exit code.
//!
//! The only code of the package that prints. What stands on stdout is for scripts too: the URLs, then the access log.

mod applications;
mod config;
mod daemon;
mod demo;
mod flags;
mod listen;
mod lock;
mod logging;
mod logs;
mod options;
mod paper;
mod patient;
mod sink;
mod site;
mod staff;
mod values;

use std::ffi::OsString;
use std::fmt::Display;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use ownhands::Server;
use ownhands::connection::Transcript;

use self::daemon::{Detachment, Fixed, Household, Notifier, Predecessor, Program, ROLE, Role, Seat, Steward, Upgrades};
use self::logs::Logs;
use self::options::{Asked, Errand, Options};
use self::patient::Patient;
use self::staff::Staff;

/// Why the command ends before it serves, or stops serving.
enum Failure {
    /// What was asked for makes no sense: exit code 2.
    Usage(String),
    /// It made sense and did not work: exit code 1.
    Run(String),
}

impl Failure {
    fn why(&self) -> &str {
        match self {
            Failure::Usage(why) | Failure::Run(why) => why,
        }
    }
}

/// Runs the command with these arguments, the first of which is its own name.
pub(crate) fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let outcome = match Role::own() {
        Some(Role::Herald) => daemon::be_herald().ok_or_else(stray),
        Some(Role::Launcher) => daemon::be_launcher().ok_or_else(stray),
        Some(role) => options::read(arguments, std::env::vars_os()).and_then(|asked| act(asked, role)),
        None => Err(stray()),
    };
    outcome.unwrap_or_else(|failure| fail(&failure))
}

/// A role that was not given by this program.
fn stray() -> Failure {
    Failure::Usage(format!("{ROLE} is for this program alone: take it out of the environment"))
}

fn act(asked: Asked, role: Role) -> Result<ExitCode, Failure> {
    let done = |()| ExitCode::SUCCESS;
    match (asked, role) {
        (Asked::Serve(options), _) => serve(options, role, false).map(done),
        (Asked::Errand(Errand::Start | Errand::Restart, options), Role::Server | Role::Successor) => {
            serve(options, role, true).map(done)
        }
        (Asked::Errand(errand, options), _) => daemon::run_errand(errand, &options),
        (Asked::Routes(options), _) => show_routes(&options).map(done),
        (Asked::Check(options), _) => check(&options).map(done),
        (Asked::Text(text), _) => {
            let _ = say(text);
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn show_routes(options: &Options) -> Result<(), Failure> {
    let app = site::build(options, None)?;
    let _ = say(app.routes().map(|entry| format!("{entry}\n")).collect::<String>());
    Ok(())
}

/// Makes all that can be made without a socket and a log, to see whether it can be.
fn check(options: &Options) -> Result<(), Failure> {
    site::build(options, None)
        .and_then(|_| staff::check(options))
        .and_then(|()| lock::check(options))
        .and_then(|()| Logs::check(options))
        .and_then(|()| listen::check(options))
        .map_err(|failure| match failure {
            Failure::Usage(why) | Failure::Run(why) => Failure::Usage(why),
        })?;
    let _ = say("the configuration is good\n");
    Ok(())
}

/// Serves, in the place of a predecessor if there is one.
fn serve(options: Box<Options>, role: Role, is_detached: bool) -> Result<(), Failure> {
    let program = Program::own();
    let detachment = is_detached.then(Detachment::begin).transpose()?;
    let mut predecessor = (role == Role::Successor).then(Predecessor::meet).transpose()?;
    if predecessor.is_some() {
        daemon::close_stdin()?;
    }
    let steward = settle(options, program, is_detached, predecessor.as_mut())
        .and_then(|mut steward| steward.begin(predecessor.as_ref()).map(|()| steward))
        .inspect_err(|failure| {
            if let Some(predecessor) = &predecessor {
                predecessor.despair(&options::one_line(failure.why()));
            }
        })?;
    // It has left: neither the wire nor what was not taken over, such as another pid file with its
    // lock, is held any longer.
    drop(predecessor);
    let heard = say(steward.announcement());
    if let Some(detachment) = detachment {
        // A server that nobody knows of is worse than none; one that has taken over must go on.
        if let (Err(error), Role::Server) = (heard, role) {
            return Err(Failure::Run(format!("whoever started the server has gone: {error}")));
        }
        detachment.complete();
    }
    steward.run().map_err(stopped)
}

/// Gets everything that a server has, in the order in which it can be had: what is outside the walls comes first.
fn settle(
    mut options: Box<Options>,
    program: Program,
    is_detached: bool,
    mut predecessor: Option<&mut Predecessor>,
) -> Result<Steward, Failure> {
    let is_successor = predecessor.is_some();
    let fixed = Fixed::of(&options);
    if is_detached {
        options.pid_file.get_or_insert_with(daemon::default_pid_file);
    }
    let directory = anchorage(&options)?;
    lock::anchor(&mut options, &directory);
    let logs = Logs::open(&options)?;
    // What is wrong with what is to be served is said before anything is bound; it is made once more inside the walls.
    site::build(&options, None)?;
    lock::check(&options)?;
    daemon::survive_signals().map_err(stopped)?;
    applications::warn_of_sources(&options);
    let mut staff = Staff::gather(&options, &program)?;
    let seat = Seat::take(&options, predecessor.as_deref_mut())?;
    let inherited = match predecessor {
        Some(predecessor) => predecessor.take_sockets(),
        None => daemon::activated_sockets()?,
    };
    let bound = listen::bind(&options, inherited)?;
    let notifier = Notifier::from_environment(is_successor);
    let upgrades = Upgrades::new(program, options.config_file.as_deref(), lock::is_wanted(&options))?;
    // What was asked for is told in the words that it was asked for in, whatever the paths are inside the walls.
    let announcement = listen::announcement(&bound.listeners, &options);
    staff.start_workers(&options)?;
    let locked = lock::lock(&mut options, &logs, &staff.ports())?;
    staff.lie_in(options.config.bodies.clone());
    let mut walls = locked.map_or("locked in: no".to_owned(), |locked| locked.to_string());
    if staff.launching().is_some() && lock::is_wanted(&options) {
        walls.push_str("; but not what applications start");
    }
    log::info!("{walls}");
    let app = site::furnish(&options, &logs, &staff)?;
    let mut server = Server::new(bound.listeners, options.config.clone(), app).map_err(stopped)?;
    server.heed_signals().map_err(stopped)?;
    upgrades.meet();
    if let Some(paths) = &options.trace {
        let transcript = Transcript::new(Patient::new(io::stderr()));
        // An empty expression matches every path, and would leave out what never gets one.
        server.trace(if paths.as_str().is_empty() { transcript } else { transcript.with_filter(paths.clone()) });
    }
    let listen::Bound { names, unclaimed, is_activated, .. } = bound;
    let house = Household {
        options,
        directory,
        logs,
        staff,
        announcement,
        names,
        unclaimed,
        seat,
        upgrades,
        notifier,
        fixed,
        walls,
        is_activated,
    };
    Steward::new(server, house).map_err(stopped)
}

/// Where relative paths begin, for who will be in a root of its own. Others need no working directory: it may be gone.
fn anchorage(options: &Options) -> Result<PathBuf, Failure> {
    if options.chroot.is_none() {
        return Ok(PathBuf::new());
    }
    std::env::current_dir().map_err(|error| Failure::Run(format!("no working directory: {error}")))
}

fn stopped(error: io::Error) -> Failure {
    Failure::Run(format!("the server cannot go on: {error}"))
}

/// Writes to stdout, at once. Who closed it does not want to read it: no reason to stop serving.
fn say(text: impl Display) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    let said = write!(stdout, "{text}").and_then(|()| stdout.flush());
    if let Err(error) = &said {
        log::debug!("stdout cannot be written: {error}");
    }
    said
}

/// Writes the one line that says what to do, and gives the exit code.
fn fail(failure: &Failure) -> ExitCode {
    complain(failure.why());
    ExitCode::from(match failure {
        Failure::Usage(_) => 2,
        Failure::Run(_) => 1,
    })
}

/// Writes one line to stderr.
fn complain(why: &str) {
    // There is nobody left to tell if stderr is closed.
    let _ = writeln!(io::stderr().lock(), "ownhands: {}", options::one_line(why));
}
