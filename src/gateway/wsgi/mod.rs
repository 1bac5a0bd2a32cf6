//! Web applications of the Python world (PEP 3333), in worker processes behind the loop.
//!
//! A worker is a Python that runs `worker.py`, which is part of this program: it loads the application, and calls it
//! for one request at a time. Between it and the loop there is a socket pair. So the loop never waits for Python, an
//! application that crashes takes one request with it, and one that hangs is ended.

mod foreman;
mod netstrings;
mod pool;
mod queue;
mod seat;
mod settings;
mod spawn;
mod worker;

use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crate::http::{HttpError, Method, Now, Request, Response, Wake};
use crate::service::Resource;
use crate::service::crew::Crew;
use crate::service::upstream::Upstream;

use super::basin::Basin;
use super::error::GatewayError;
use super::launcher::Launcher;
use super::letter::{Framing, Letter};
use foreman::Foreman;
use pool::Pool;
use seat::Job;
use settings::Settings;
use worker::START;

/// An application, before it runs.
///
/// It is asked as PEP 3333 says, with the prefix of the mount as `SCRIPT_NAME`. Its process finds the variables of this
/// one, and what it prints is told by the log. What goes wrong:
///
/// | what | the peer gets |
/// |---|---|
/// | it raises an exception, or breaks a rule of PEP 3333 | 500; within the content, the connection ends |
/// | its process ends, or it says less than it announced | 502; within the content, the connection ends |
/// | it has been silent for its [time](Self::with_timeout) | 504; within the content, the connection ends |
/// | as many requests wait as [may](Self::with_queue), it cannot be started at the moment, or no descriptor is left | 503 with Retry-After |
///
/// and the log says more.
///
/// ```
/// use ownhands::gateway::{GatewayError, Launcher, Wsgi};
/// use ownhands::{App, testing::MockClient};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// # if std::process::Command::new("python3").arg("--version").output().is_err() { return Ok(()) }
/// std::fs::write(directory.path().join("hello.py"), r#"
/// def application(environ, start_response):
///     start_response("200 OK", [("Content-Type", "text/plain")])
///     return [b"Hello from " + environ["PATH_INFO"].encode()]
/// "#)?;
///
/// let hello = Wsgi::new("hello:application").with_directory(directory.path()).start(Launcher::thread()?)?;
/// let mut app = App::new();
/// app.mount("/python", hello)?;
/// assert_eq!(MockClient::new(app).get("/python/here").text(), "Hello from /here");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Wsgi(Settings);

/// An application that runs. Copies are handles to the same workers; when the last is dropped, they finish what they
/// have, and end. Its use is shown at [`Wsgi`].
#[derive(Clone)]
pub struct RunningWsgi(Rc<Reign>);

/// The workers go with it.
struct Reign {
    pool: Rc<Pool>,
}

impl Drop for Reign {
    fn drop(&mut self) {
        self.pool.close();
    }
}

impl Wsgi {
    /// Default for the number of [workers](Self::with_workers).
    pub const WORKERS: usize = 2;

    /// Default for the [time](Self::with_timeout) that a worker may be silent.
    pub const TIMEOUT: Duration = Duration::from_secs(30);

    /// Default for the [length of the queue](Self::with_queue).
    pub const QUEUE: usize = 1024;

    /// `package.module:callable`; the name `application` may be left out, as in `module`.
    pub fn new(application: impl Into<String>) -> Self {
        Wsgi(Settings {
            application: application.into(),
            python: "python3".into(),
            directory: None,
            workers: Wsgi::WORKERS,
            timeout: Wsgi::TIMEOUT,
            queue: Wsgi::QUEUE,
            basin: Basin::default(),
            watches: false,
        })
    }

    /// With this Python, such as a virtual environment's `bin/python`; a name without a slash is looked for in `PATH`.
    pub fn with_python(mut self, python: impl Into<PathBuf>) -> Self {
        self.0.python = python.into();
        self
    }

    /// In this directory, where its modules are looked for first; otherwise where this process is.
    pub fn with_directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.0.directory = Some(directory.into());
        self
    }

    /// In so many processes, at least one: that many requests are answered at a time.
    pub fn with_workers(mut self, workers: usize) -> Self {
        self.0.workers = workers.max(1);
        self
    }

    /// A worker may be silent for so long while it has a request: before its answer begins, and between two pieces of
    /// it. Then it is ended, and says in the log where it was; its request is answered 504. The time that a peer takes
    /// to read is not counted, and as long as it takes in more of the request it is not silent.
    ///
    /// When it is replaced, it has as much time to end; then it is killed, with all that it has started.
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.0.timeout = timeout;
        self
    }

    /// So many requests may wait for a worker; beyond them it is 503.
    pub fn with_queue(mut self, requests: usize) -> Self {
        self.0.queue = requests;
        self
    }

    /// With a basin for what peers take slowly; by default one of its own.
    pub fn with_basin(mut self, basin: Basin) -> Self {
        self.0.basin = basin;
        self
    }

    /// Has its sources watched: when one changes, the workers are [renewed](RunningWsgi::renew). For development.
    pub fn with_reload(mut self) -> Self {
        self.0.watches = true;
        self
    }

    /// Starts the workers, and waits until they have loaded the application: at most a minute for the first, and as
    /// long for the others.
    ///
    /// # Errors
    /// If a worker cannot be started, or the application cannot be loaded.
    pub fn start(self, launcher: Launcher) -> Result<RunningWsgi, GatewayError> {
        let pool = Rc::new(Pool::new(self.0, launcher));
        let running = RunningWsgi(Rc::new(Reign { pool: Rc::clone(&pool) }));
        let mut crew = Crew::default();
        crew.add(Box::new(Foreman { pool: Rc::clone(&pool) }));
        pool.start_one()?;
        let mut now = Now::running();
        let last_call = now.tick().plus(PATIENCE);
        let wake: Arc<dyn Wake> = Arc::new(Nobody);
        while !pool.is_complete() {
            while let Some(upstream) = pool.opened.next() {
                crew.add(upstream);
            }
            crew.go_on(&now, &wake);
            let is_late = now.tick() >= last_call;
            if let Some(why) = pool.fault().or_else(|| is_late.then(|| format!("it was not ready after {PATIENCE:?}")))
            {
                // What it said may still be on its way.
                for _ in 0..4 {
                    crew.wait(LAST_WORDS);
                    crew.go_on(&now, &wake);
                }
                let said = pool.end_early().into_iter().map(|line| line + "\n").collect();
                return Err(GatewayError::Application { why, said });
            }
            crew.wait(GLANCE);
            now.next_turn();
        }
        pool.end_early().iter().for_each(|line| log::warn!("{}: {line}", pool.settings.application));
        crew.into_members().for_each(|upstream| pool.opened.add_boxed(upstream));
        Ok(running)
    }
}

/// How long all of them may take: the first, which has a minute, and those that are started behind it.
const PATIENCE: Duration = START.saturating_mul(2);

/// From one look at the workers to the next, while they load the application; and for what one says when it has failed.
const GLANCE: Duration = Duration::from_millis(20);
const LAST_WORDS: Duration = Duration::from_millis(50);

/// There is no loop yet that could be woken.
struct Nobody;

impl Wake for Nobody {
    fn wake(&self, _: usize) {}
}

impl RunningWsgi {
    /// Has the workers replaced, one by one, by such as have loaded the application anew. No request is lost; where it
    /// cannot be loaded, the log says why, and those that are there go on.
    pub fn renew(&self) {
        self.0.pool.renew();
    }
}

impl Resource for RunningWsgi {
    fn allow(&self) -> &str {
        "*"
    }

    fn answer(&self, request: &Request<'_>) -> Result<Response, HttpError> {
        let letter = Letter::new(request, Framing::Netstrings)?;
        let (deferred, response) = request.defer();
        self.0.pool.take(Job { letter, deferred, is_head: request.method == Method::Head })?;
        Ok(response)
    }

    fn upstream(&self) -> Option<Box<dyn Upstream>> {
        self.0.pool.opened.next()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::print_stderr)]
mod tests {
    use super::*;

    /// A program may go on for long after it has let go of an application.
    #[test]
    fn when_the_last_handle_is_dropped_nothing_stays_in_the_loop() {
        if std::process::Command::new("python3").arg("--version").output().is_err() {
            eprintln!("SKIPPED: there is no python3 here");
            return;
        }
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("app.py"), "def application(environ, start_response): pass\n").unwrap();
        let running = Wsgi::new("app").with_directory(directory.path()).start(Launcher::thread().unwrap()).unwrap();
        let mut crew = Crew::default();
        std::iter::from_fn(|| running.upstream()).for_each(|upstream| crew.add(upstream));
        let (mut now, wake) = (Now::running(), Arc::new(Nobody) as Arc<dyn Wake>);
        crew.go_on(&now, &wake);
        assert!(crew.are_there());

        drop(running);
        for _ in 0..500 {
            crew.go_on(&now, &wake);
            if !crew.are_there() {
                break;
            }
            crew.wait(GLANCE);
            now.next_turn();
        }
        assert!(!crew.are_there());
    }
}
