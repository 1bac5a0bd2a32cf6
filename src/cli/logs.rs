//! The two logs of the command: what happens, and a line for each request. Opened at the start, opened again when they
//! were renamed, and led elsewhere when the configuration says so.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use ownhands::app::AccessLog;
use rustix::fs::Access;
use rustix::io::Errno;

use super::Failure;
use super::logging;
use super::options::{Options, Sink};
use super::sink::{LogFile, Outlet, Target};
use super::values::AccessFormat;

/// Both logs.
pub(super) struct Logs {
    log: Outlet,
    access: Outlet,
}

/// One of the two, in words, and what it is asked for by.
struct Kind {
    name: &'static str,
    option: &'static str,
    standard: fn() -> Target,
}

const LOG: Kind = Kind { name: "log", option: "--log", standard: Target::stderr };
const ACCESS: Kind = Kind { name: "access log", option: "--access-log", standard: Target::stdout };

impl Logs {
    /// Opens both logs, and starts to log.
    pub(super) fn open(options: &Options) -> Result<Logs, Failure> {
        let log = Outlet::new(LOG.open(&options.log).map_err(Failure::Run)?);
        let access = Outlet::new(ACCESS.open(&options.access_log).map_err(Failure::Run)?);
        logging::start(options.log_level, log.clone());
        Ok(Logs { log, access })
    }

    /// The access log that the options ask for. A server whose options change makes it anew.
    pub(super) fn access_log(&self, options: &Options) -> Option<AccessLog> {
        let log = match options.access_log {
            Sink::Off => return None,
            _ => AccessLog::new(self.access.clone()),
        };
        Some(match options.access_format {
            AccessFormat::Combined => log,
            AccessFormat::Json => log.with_json(),
        })
    }

    /// Opens both anew.
    ///
    /// # Errors
    /// Which cannot be opened, and why; it goes on as it is.
    pub(super) fn reopen(&self) -> Result<(), String> {
        both(LOG.reopen(&self.log), ACCESS.reopen(&self.access))
    }

    /// The files among them that are root's: who is another user later could not open them anew.
    ///
    /// # Errors
    /// If there is no descriptor left.
    pub(super) fn made_by_root(&self) -> io::Result<Vec<OwnedFd>> {
        let files = [&self.log, &self.access].into_iter().filter_map(|outlet| outlet.made_by_root());
        files.collect()
    }

    /// Says whether both could be opened, and opens neither.
    pub(super) fn check(options: &Options) -> Result<(), Failure> {
        both(LOG.check(&options.log), ACCESS.check(&options.access_log)).map_err(Failure::Usage)
    }

    /// Takes over what the options say now: where both go, and how much is told. A file that stays is opened anew.
    ///
    /// # Errors
    /// Which cannot be opened, and why; it goes on as it is.
    pub(super) fn follow(&self, options: &Options) -> Result<(), String> {
        logging::set_level(options.log_level);
        both(LOG.follow(&self.log, &options.log), ACCESS.follow(&self.access, &options.access_log))
    }
}

/// Neither is left out because the other has failed.
fn both(one: Result<(), String>, other: Result<(), String>) -> Result<(), String> {
    match (one, other) {
        (Err(one), Err(other)) => Err(format!("{one}; {other}")),
        (one, other) => one.and(other),
    }
}

impl Kind {
    fn open(&self, sink: &Sink) -> Result<Target, String> {
        match sink {
            Sink::Off => Ok(Target::Nowhere),
            Sink::Standard => Ok((self.standard)()),
            Sink::File(path) => LogFile::open(path).map(Target::File).map_err(|error| self.refusal(path, &error)),
        }
    }

    fn check(&self, sink: &Sink) -> Result<(), String> {
        let Sink::File(path) = sink else { return Ok(()) };
        let writable = |path: &Path| rustix::fs::access(path, Access::WRITE_OK).map_err(io::Error::from);
        let outcome = match path.metadata() {
            Ok(facts) if facts.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
            Ok(_) => writable(path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => writable(directory_of(path)),
            Err(error) => Err(error),
        };
        outcome.map_err(|error| self.refusal(path, &error))
    }

    fn follow(&self, outlet: &Outlet, sink: &Sink) -> Result<(), String> {
        match sink {
            Sink::File(path) if outlet.is_file(path) => self.reopen(outlet),
            _ => {
                outlet.lead_to(self.open(sink).map_err(|why| format!("{why}; it goes on where it went before"))?);
                Ok(())
            }
        }
    }

    fn reopen(&self, outlet: &Outlet) -> Result<(), String> {
        outlet.reopen().map_err(|why| format!("the {} {why}; it goes on in the file that it had", self.name))
    }

    /// What is wrong, and what to do about it.
    fn refusal(&self, path: &Path, error: &io::Error) -> String {
        let Kind { name, option, .. } = self;
        let shown = directory_of(path).display();
        let advice = match error.kind() {
            io::ErrorKind::NotFound => format!("there is no directory {shown}: make it, or name another file"),
            io::ErrorKind::IsADirectory => "it is a directory: name a file in it".to_owned(),
            _ if Errno::from_io_error(error) == Some(Errno::LOOP) => {
                format!("it is a link, and root follows none in {shown}, which others can write: name the file itself")
            }
            io::ErrorKind::PermissionDenied => {
                format!("{error}: let the server write in {shown}, or name another file")
            }
            _ => format!("{error}: name another file, or say {option} off"),
        };
        format!("the {name} {} cannot be opened: {advice}", path.display())
    }
}

/// Where the file is, or would be.
fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;
    use std::io::Write;

    use super::*;

    #[test]
    fn a_log_follows_the_options_as_far_as_it_can() {
        let directory = tempfile::tempdir().unwrap();
        let [first, second, gone] = ["a", "b", "gone/c"].map(|name| directory.path().join(name));
        let mut outlet = Outlet::new(ACCESS.open(&Sink::File(first.clone())).unwrap());
        let mut write = |sink: Sink, line: &str| {
            let outcome = ACCESS.follow(&outlet, &sink);
            outlet.write_all(line.as_bytes()).unwrap();
            outcome
        };
        write(Sink::File(first.clone()), "one\n").unwrap();
        write(Sink::File(second.clone()), "two\n").unwrap();
        for (path, is_good) in [(&first, true), (&directory.path().join("new"), true), (&gone, false)] {
            assert_eq!(ACCESS.check(&Sink::File(path.clone())).is_ok(), is_good, "{path:?}");
        }
        assert!(ACCESS.check(&Sink::File(directory.path().to_owned())).unwrap_err().contains("it is a directory"));
        let why = write(Sink::File(gone), "three\n").unwrap_err();
        assert!(why.ends_with("make it, or name another file; it goes on where it went before"), "{why}");
        write(Sink::Off, "four\n").unwrap();
        write(Sink::File(first.clone()), "five\n").unwrap();
        fs::rename(&first, directory.path().join("old")).unwrap();
        write(Sink::File(first.clone()), "six\n").unwrap();
        let read = |name: &str| fs::read_to_string(directory.path().join(name)).unwrap();
        assert_eq!([read("old"), read("b"), read("a")], ["one\nfive\n", "two\nthree\n", "six\n"]);
    }

    #[test]
    fn a_refusal_says_what_to_do() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("gone/a.log");
        let shown = path.parent().unwrap().display();
        let want = format!(
            "the log {shown}/a.log cannot be opened: there is no directory {shown}: make it, or name another file"
        );
        assert_eq!(LOG.open(&Sink::File(path.clone())).err(), Some(want));
    }
}
