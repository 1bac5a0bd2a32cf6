//! Layer 5: the command. From arguments to a running server; a failure becomes one line on stderr and an exit code.
//!
//! The only code of the package that prints. What stands on stdout is for scripts too: the URLs, then the access log.

mod config;
mod demo;
mod flags;
mod listen;
#[expect(dead_code, reason = "what serves will call it")]
mod lock;
mod logging;
mod logs;
mod options;
mod paper;
mod patient;
mod sink;
mod site;
mod values;

use std::ffi::OsString;
use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

use ownhands::connection::Transcript;

use self::logs::Logs;
use self::options::{Asked, Options};
use self::patient::Patient;

/// Why the command ends before it serves, or stops serving.
enum Failure {
    /// What was asked for makes no sense: exit code 2.
    Usage(String),
    /// It made sense and did not work: exit code 1.
    Run(String),
}

/// Runs the command with these arguments, the first of which is its own name.
pub(crate) fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let outcome = match options::read(arguments, std::env::vars_os()) {
        Ok(Asked::Serve(options)) => serve(&options),
        Ok(Asked::Routes(options)) => show_routes(&options),
        Ok(Asked::Check(options)) => check(&options),
        Ok(Asked::Text(text)) => {
            say(text);
            Ok(())
        }
        Ok(Asked::Errand(errand, _)) => Err(Failure::Run(format!("{errand:?} is being built"))),
        Err(failure) => Err(failure),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Usage(why)) => complain(&why, 2),
        Err(Failure::Run(why)) => complain(&why, 1),
    }
}

fn show_routes(options: &Options) -> Result<(), Failure> {
    let app = site::build(options)?;
    say(app.routes().map(|entry| format!("{entry}\n")).collect::<String>());
    Ok(())
}

/// Makes all that can be made without a socket and a log, to see whether it can be.
fn check(options: &Options) -> Result<(), Failure> {
    site::build(options).and_then(|_| lock::check(options)).map_err(|failure| match failure {
        Failure::Usage(why) | Failure::Run(why) => Failure::Usage(why),
    })?;
    say("the configuration is good\n");
    Ok(())
}

fn serve(options: &Options) -> Result<(), Failure> {
    let logs = Logs::open(options)?;
    let mut server = listen::bind(options, || site::furnish(options, &logs))?;
    let failed = |error: io::Error| Failure::Run(format!("the server cannot go on: {error}"));
    server.stop_on_signals().map_err(failed)?;
    if let Some(paths) = &options.trace {
        let transcript = Transcript::new(Patient::new(io::stderr()));
        // An empty expression matches every path, and would leave out what never gets one.
        server.trace(if paths.as_str().is_empty() { transcript } else { transcript.with_filter(paths.clone()) });
    }
    say(listen::announcement(server.local_addrs(), options));
    server.run().map_err(failed)
}

/// Writes to stdout, at once. Who closed it does not want to read it: no reason to stop serving.
fn say(text: impl Display) {
    let mut stdout = io::stdout().lock();
    if let Err(error) = write!(stdout, "{text}").and_then(|()| stdout.flush()) {
        log::debug!("stdout cannot be written: {error}");
    }
}

/// Writes the one line that says what to do.
fn complain(why: &str, code: u8) -> ExitCode {
    let line = options::one_line(why);
    // There is nobody left to tell if stderr is closed.
    let _ = writeln!(io::stderr().lock(), "ownhands: {line}");
    ExitCode::from(code)
}
