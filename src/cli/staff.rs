//! Who runs the applications: what there is of them beside the options, and outlives a reload.
//!
//! Programs are started outside of the walls, and names of hosts are looked up there: both are
//! had before the walls go up.

use std::fmt::Display;
use std::io::{self, Write};
use std::path::PathBuf;

use ownhands::connection::Bodies;
use ownhands::gateway::{Address, Basin, Cgi, GatewayError, RunningCgi, RunningWsgi, Scgi, Wsgi};
use ownhands::upstream::Upstream;
use ownhands::{HttpError, Request, Resource, Response};

use super::Failure;
use super::daemon::{Launching, Program};
use super::options::Options;
use super::values::{ScgiPlace, Strictness};

/// What answers under a path.
pub(super) enum Application {
    Wsgi(RunningWsgi),
    Scgi(Scgi),
    Cgi(RunningCgi),
    /// It would be one of these, if there was a server: the configuration alone is looked at.
    Vacant,
}

impl Resource for Application {
    fn allow(&self) -> &str {
        match self {
            Application::Wsgi(wsgi) => wsgi.allow(),
            Application::Scgi(scgi) => scgi.allow(),
            Application::Cgi(cgi) => cgi.allow(),
            Application::Vacant => "*",
        }
    }

    fn answer(&self, request: &Request<'_>) -> Result<Response, HttpError> {
        match self {
            Application::Wsgi(wsgi) => wsgi.answer(request),
            Application::Scgi(scgi) => scgi.answer(request),
            Application::Cgi(cgi) => cgi.answer(request),
            Application::Vacant => Err(HttpError::internal("the application does not run")),
        }
    }

    fn upstream(&self) -> Option<Box<dyn Upstream>> {
        match self {
            Application::Wsgi(wsgi) => wsgi.upstream(),
            Application::Scgi(scgi) => scgi.upstream(),
            Application::Cgi(cgi) => cgi.upstream(),
            Application::Vacant => None,
        }
    }
}

/// What applications have that stays when their options are read anew.
#[derive(Default)]
pub(super) struct Staff {
    /// Hosts as they were named, and looked up once: inside the walls nobody could.
    hosts: Vec<(String, Address)>,
    launching: Option<Launching>,
    /// One that has gone, and has to be buried.
    lost: Option<Launching>,
    wsgi: Option<RunningWsgi>,
    /// Where answers lie that clients take slowly, of all applications.
    basin: Basin,
}

impl Staff {
    /// Looks up hosts, and starts a launcher where programs are wanted.
    pub(super) fn gather(options: &Options, program: &Program) -> Result<Staff, Failure> {
        let mut staff = Staff::default();
        staff.look_up(options)?;
        if options.applications.want_programs() {
            staff.launching = Some(Launching::start(program, options)?);
        }
        Ok(staff)
    }

    /// Looks up the hosts that a reload has brought, where they are in reach: behind walls, only the
    /// ports of those before are.
    pub(super) fn meet(&mut self, options: &Options) -> Result<(), Failure> {
        let mut names = options.applications.scgi.iter().filter_map(|(_, place)| place.host());
        match names.find(|name| !self.knows(name)) {
            Some(name) if options.sandbox != Strictness::Off => {
                let why = format!("{name} is new, and out of reach: restart the server");
                Err(options.origins.blame("scgi", why))
            }
            _ => self.look_up(options),
        }
    }

    fn knows(&self, name: &str) -> bool {
        self.hosts.iter().any(|(known, _)| known == name)
    }

    fn look_up(&mut self, options: &Options) -> Result<(), Failure> {
        for name in options.applications.scgi.iter().filter_map(|(_, place)| place.host()) {
            if !self.knows(name) {
                let wrong = |error| options.origins.blame("scgi", format!("{name}: {error}: name another by --scgi"));
                self.hosts.push((name.to_owned(), name.parse().map_err(wrong)?));
            }
        }
        Ok(())
    }

    /// The ports that have to be reached.
    pub(super) fn ports(&self) -> Vec<u16> {
        self.hosts.iter().flat_map(|(_, address)| address.sockets()).map(|socket| socket.port()).collect()
    }

    /// Starts the workers of the WSGI application, and waits until they have loaded it.
    pub(super) fn start_workers(&mut self, options: &Options) -> Result<(), Failure> {
        let applications = &options.applications;
        let (Some(name), Some(launching)) = (&applications.wsgi, &self.launching) else { return Ok(()) };
        let failed = |error: GatewayError| {
            if let GatewayError::Application { said, .. } = &error {
                // The traceback, which is many lines; there is nobody left to tell if stderr is closed.
                let _ = io::stderr().lock().write_all(said.as_bytes());
            }
            Failure::Run(format!("--wsgi {name}: {error}"))
        };
        let mut wsgi = Wsgi::new(name)
            .with_python(applications.interpreter())
            .with_workers(applications.wsgi_workers)
            .with_timeout(applications.wsgi_timeout.0)
            .with_queue(applications.wsgi_queue)
            .with_basin(self.basin.clone());
        if let Some(directory) = &applications.chdir {
            wsgi = wsgi.with_directory(directory);
        }
        if applications.wsgi_reload {
            wsgi = wsgi.with_reload();
        }
        let launcher = launching.another().map_err(|error| failed(error.into()))?;
        self.wsgi = Some(wsgi.start(launcher).map_err(failed)?);
        Ok(())
    }

    /// Has answers that clients take slowly lie here: inside the walls there is no other place.
    pub(super) fn lie_in(&self, bodies: Bodies) {
        self.basin.lie_in(bodies);
    }

    /// The process that starts programs.
    pub(super) fn launching(&self) -> Option<&Launching> {
        self.launching.as_ref()
    }

    /// Nothing can be started any more.
    pub(super) fn lose_launcher(&mut self) {
        self.lost = self.launching.take();
    }

    /// Buries the launcher that has gone. True if it could not be buried yet.
    pub(super) fn bury(&mut self) -> bool {
        self.lost.take_if(|launching| !launching.bury());
        self.lost.is_some()
    }

    /// Has the workers load the application anew, with the options that they were started with.
    pub(super) fn renew(&self) {
        if let Some(wsgi) = &self.wsgi {
            wsgi.renew();
        }
    }

    /// Lets all go. The gateways themselves have gone with what they were mounted in.
    pub(super) fn end(self) {
        drop(self.wsgi);
        if let Some(launching) = self.launching {
            launching.end();
        }
    }

    /// What these options mount, each with its option and its path.
    fn applications(&self, options: &Options) -> Result<Vec<(&'static str, String, Application)>, Failure> {
        let asked = &options.applications;
        let mut made = Vec::new();
        if let (Some(_), Some(wsgi)) = (&asked.wsgi, &self.wsgi) {
            made.push(("wsgi", asked.wsgi_path.clone(), Application::Wsgi(wsgi.clone())));
        }
        for (prefix, place) in &asked.scgi {
            let address = match place {
                ScgiPlace::Unix(path) => Some(Address::unix(path)),
                ScgiPlace::Host(name) => {
                    self.hosts.iter().find(|(known, _)| known == name).map(|(_, known)| known.clone())
                }
            };
            let address = address.ok_or_else(|| Failure::Run(format!("{place} was not looked up")))?;
            let scgi = Scgi::new(address).with_timeout(asked.scgi_timeout.0).with_basin(self.basin.clone());
            made.push(("scgi", prefix.clone(), Application::Scgi(scgi)));
        }
        for (prefix, directory) in &asked.cgi {
            let wrong = |error: &dyn Display| {
                options.origins.blame("cgi", format!("{} cannot be served: {error}", directory.display()))
            };
            let launching = self.launching.as_ref();
            let launching = launching.ok_or_else(|| wrong(&"nobody is there to start programs: restart the server"))?;
            let cgi = Cgi::new(directory).map_err(|error| wrong(&error))?;
            let cgi = cgi.with_timeout(asked.cgi_timeout.0).with_output(asked.cgi_output);
            let mut cgi = cgi.with_processes(asked.cgi_processes).with_basin(self.basin.clone());
            if let Some(root) = document_root(options) {
                cgi = cgi.with_document_root(root);
            }
            let started = launching.another().and_then(|launcher| cgi.start(launcher));
            made.push(("cgi", prefix.clone(), Application::Cgi(started.map_err(|error| wrong(&error))?)));
        }
        Ok(made)
    }
}

/// The directory that paths are in, where there is one such.
fn document_root(options: &Options) -> Option<PathBuf> {
    match &options.paths[..] {
        [path] if path.is_dir() => std::path::absolute(path).ok(),
        _ => None,
    }
}

/// Says what of it cannot be had.
pub(super) fn check(options: &Options) -> Result<(), Failure> {
    Staff::default().look_up(options)
}

/// What these options mount: as it is run by this staff, or just by name.
pub(super) fn of(
    options: &Options,
    staff: Option<&Staff>,
) -> Result<Vec<(&'static str, String, Application)>, Failure> {
    if let Some(staff) = staff {
        return staff.applications(options);
    }
    let asked = &options.applications;
    let wsgi = asked.wsgi.iter().map(|_| ("wsgi", &asked.wsgi_path));
    let scgi = asked.scgi.iter().map(|(prefix, _)| ("scgi", prefix));
    let cgi = asked.cgi.iter().map(|(prefix, _)| ("cgi", prefix));
    Ok(wsgi.chain(scgi).chain(cgi).map(|(name, prefix)| (name, prefix.clone(), Application::Vacant)).collect())
}
