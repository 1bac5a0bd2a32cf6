//! Programs that are started for a request and end with its answer: the Common Gateway Interface 1.1 (RFC 3875).
//!
//! A [`Launcher`] starts them, in a process group of their own. Nothing outside of the directory is started,
//! nothing is passed through a shell, and a script that is called `nph-*`, which would speak to the peer itself, is
//! not offered (section 5).

mod office;
mod output;
mod script;
mod stdin;
mod variables;

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use rustix::io::ioctl_fionbio;

use crate::files::Tree;
use crate::http::{HttpError, Method, Request, Response, Status};
use crate::service::Resource;
use crate::service::upstream::Upstream;

use super::basin::Basin;
use super::launcher::{Environment, Launcher, Program};
use super::murmur::Murmur;
use super::opened::Opened;
use super::relay::{Relay, busy, refusal};

use office::{Ear, Office};
use output::{Limits, Output};
use script::Script;
use stdin::Stdin;

/// A directory of scripts, before any can be started.
///
/// A path means the script that it comes to first, and the rest is the script's: with `/cgi-bin` as the mount,
/// `/cgi-bin/a/b/c` is the script `a/b` with `PATH_INFO` `/c` where `a` is a directory, and `b` a file. It must be
/// a file that somebody may start, and neither it nor a directory on the way may begin with a dot, or lead out of
/// the directory by a link.
///
/// A script finds:
///
/// - in its environment the meta-variables of [`Environ`](crate::app::Environ), without those of `Authorization`
///   (section 4.1.18), with `PATH_TRANSLATED` where a [document root](Self::with_document_root) is known, and with the
///   server's `PATH`; of those that are in no RFC `SCRIPT_FILENAME`, its own path in the file system, and
///   `REDIRECT_STATUS`, 200, where its name ends with `.php`: without it `php-cgi` runs nothing; no other variables;
/// - on its command line the words of a query that has no `=` in it (section 4.4), unless one of them begins with `-`:
///   what a peer sends must never be taken for an option;
/// - its own directory as the working directory;
/// - as stdin a file with the body, or `/dev/null`; as stdout the answer (section 6); what it writes to stderr is told
///   by the log, with its name.
///
/// What goes wrong:
///
/// | what | the peer gets |
/// |---|---|
/// | there is no such script | 404 |
/// | nobody may start it | 403 |
/// | it cannot be started, ends without a head, or with one that cannot be understood | 502 |
/// | it has not ended after its [time](Self::with_timeout) | 504; within the content, the connection ends |
/// | it says more than it [may](Self::with_output), is killed, or says less than it announced | 502; within the content, the connection ends |
/// | as many run as [may](Self::with_processes), or no descriptor is left | 503 with Retry-After |
///
/// and the log says more. A script whose time is over, or whose peer has left, gets SIGTERM with all that it has
/// started, and two seconds later SIGKILL.
///
/// ```
/// use ownhands::gateway::{Cgi, Launcher};
/// use ownhands::{App, testing::MockClient};
/// use std::{fs, os::unix::fs::PermissionsExt};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let directory = tempfile::tempdir()?;
/// let script = directory.path().join("greet");
/// fs::write(&script, "#!/bin/sh\necho 'Content-Type: text/plain'\necho\necho \"Hello, ${PATH_INFO#/}, at $SERVER_NAME!\"\n")?;
/// fs::set_permissions(&script, fs::Permissions::from_mode(0o755))?;
///
/// let mut app = App::new();
/// app.mount("/cgi-bin", Cgi::new(directory.path())?.start(Launcher::thread()?)?)?;
/// let mut client = MockClient::new(app);
/// assert_eq!(client.get("/cgi-bin/greet/you").text(), "Hello, you, at localhost!\n");
/// assert_eq!(client.get("/cgi-bin/").status(), 404);
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[must_use = "nothing is started before `start`"]
pub struct Cgi {
    tree: Tree,
    limits: Limits,
    processes: usize,
    document_root: Option<PathBuf>,
    basin: Basin,
}

/// A directory of scripts that can be started. When it is dropped, those that run finish. Its use is shown at [`Cgi`].
pub struct RunningCgi {
    cgi: Cgi,
    office: Rc<Office>,
    opened: Opened,
    /// `/dev/null`, from before any walls went up.
    nothing: File,
}

impl Cgi {
    /// The time that a script has, if nobody says otherwise.
    pub const TIMEOUT: Duration = Duration::from_secs(30);

    /// The bytes that a script may say, if nobody says otherwise.
    pub const OUTPUT: u64 = 64 * 1024 * 1024;

    /// How many scripts run at one time, if nobody says otherwise.
    pub const PROCESSES: usize = 16;

    /// The scripts in this directory and below.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn new(directory: impl Into<PathBuf>) -> io::Result<Cgi> {
        let limits = Limits { time: Cgi::TIMEOUT, output: Cgi::OUTPUT };
        Ok(Cgi {
            tree: Tree::open(directory.into())?,
            limits,
            processes: Cgi::PROCESSES,
            document_root: None,
            basin: Basin::default(),
        })
    }

    /// With so much time for a script, from its start to its end; by default [30 s](Self::TIMEOUT). While it waits for
    /// the peer to take what it has said, the time stands still.
    pub fn with_timeout(mut self, time: Duration) -> Cgi {
        self.limits.time = time;
        self
    }

    /// With so many bytes that a script may say, its head included; by default [64 MiB](Self::OUTPUT).
    pub fn with_output(mut self, bytes: u64) -> Cgi {
        self.limits.output = bytes;
        self
    }

    /// With so many scripts that run at one time; by default [16](Self::PROCESSES). One that has closed its output and
    /// goes on is one of them until it ends.
    pub fn with_processes(mut self, most: usize) -> Cgi {
        self.processes = most;
        self
    }

    /// With a directory that stands for the root of the server's paths: `PATH_TRANSLATED` is
    /// `PATH_INFO` in it (section 4.1.6).
    pub fn with_document_root(mut self, directory: impl Into<PathBuf>) -> Cgi {
        self.document_root = Some(directory.into());
        self
    }

    /// With a basin for what peers take slowly; by default one of its own.
    pub fn with_basin(mut self, basin: Basin) -> Cgi {
        self.basin = basin;
        self
    }

    /// With somebody who starts them.
    ///
    /// # Errors
    /// If there is no `/dev/null`.
    pub fn start(self, launcher: Launcher) -> io::Result<RunningCgi> {
        let running = RunningCgi {
            cgi: self,
            office: Rc::new(Office::new(launcher)),
            opened: Opened::default(),
            nothing: File::open("/dev/null")?,
        };
        running.opened.add(Ear(Rc::clone(&running.office)));
        Ok(running)
    }
}

impl Resource for RunningCgi {
    fn allow(&self) -> &str {
        "*"
    }

    fn answer(&self, request: &Request<'_>) -> Result<Response, HttpError> {
        let Cgi { tree, limits, processes, document_root, basin } = &self.cgi;
        let script = Script::find(tree, request)?;
        let who: Rc<str> = format!("the script {}", script.name.display()).into();
        if self.office.count() >= *processes {
            return Err(busy(&who, &format!("{processes} scripts run already")));
        }
        let program = Program {
            path: script.path.clone(),
            arguments: variables::arguments(request),
            directory: script.directory().map(PathBuf::from),
            environment: Environment::Own(variables::variables(request, &script, document_root.as_deref())),
        };
        let stdin = Stdin::new(&request.body, &self.nothing)?;
        let (stdout, its_stdout) = io::pipe()?;
        let (stderr, its_stderr) = io::pipe()?;
        ioctl_fionbio(&stdout, true)?;
        let murmur = Murmur::new(stderr.into(), &*who)?;
        let run = match self.office.start(&program, [stdin.as_fd(), its_stdout.as_fd(), its_stderr.as_fd()]) {
            Ok(run) => run,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                return Err(busy(&who, "the launcher does not keep up"));
            }
            Err(error) => return refusal(Status::BAD_GATEWAY, &who, &error.to_string()),
        };
        let (deferred, response) = request.defer();
        let relay = Relay::new(deferred, &*who, request.method == Method::Head, basin);
        self.opened.add(murmur);
        self.opened.add(Output::new(OwnedFd::from(stdout).into(), relay, who, run, Rc::clone(&self.office), *limits));
        Ok(response)
    }

    fn upstream(&self) -> Option<Box<dyn Upstream>> {
        self.opened.next()
    }
}

impl Drop for RunningCgi {
    fn drop(&mut self) {
        self.office.close();
    }
}
