//! The options for applications: what answers beside the files, in processes of its own.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use ownhands::gateway::{Cgi, Scgi, Wsgi};

use crate::cli::values::{By, ScgiPlace, Seconds, cgi, count, positive, prefix, scgi, wsgi};

/// What is looked for seldom stands under a heading of its own.
const BOUNDS: &str = "Bounds of applications";

/// The applications, and how they are run.
#[derive(Debug, Args)]
#[group(skip)]
pub(in crate::cli) struct Applications {
    /// Serve this application of Python's, by WSGI: mysite.wsgi:application
    #[arg(long, value_name = "MODULE:CALLABLE", value_parser = By(wsgi))]
    pub(in crate::cli) wsgi: Option<String>,

    /// The path that the WSGI application is served under
    #[arg(long, value_name = "PATH", default_value = "/", value_parser = By(prefix))]
    pub(in crate::cli) wsgi_path: String,

    /// The Python that runs it, or the directory of a virtual environment
    #[arg(long, value_name = "PROGRAM", default_value = "python3", value_hint = ValueHint::ExecutablePath)]
    pub(in crate::cli) python: PathBuf,

    /// The working directory of the WSGI application [default: where the server was started]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(in crate::cli) chdir: Option<PathBuf>,

    /// Start the WSGI application anew whenever one of its sources has changed: for development
    #[arg(long)]
    pub(in crate::cli) wsgi_reload: bool,

    /// Ask a server of applications that speaks SCGI for what is under this path: /app=unix:/run/app.sock, or
    /// /app=localhost:4000; may be given several times
    #[arg(long, value_name = "PATH=HOST|unix:PATH", value_hint = ValueHint::AnyPath, value_parser = By(scgi))]
    pub(in crate::cli) scgi: Vec<(String, ScgiPlace)>,

    /// Run the programs in this directory for what is under this path, by CGI: /cgi-bin=/srv/cgi-bin; may be given
    /// several times
    #[arg(long, value_name = "PATH=DIR", value_hint = ValueHint::DirPath, value_parser = By(cgi))]
    pub(in crate::cli) cgi: Vec<(String, PathBuf)>,

    /// Where PATH has a file, serve it; where it has none, ask the application at /
    #[arg(long)]
    pub(in crate::cli) try_files: bool,

    /// Processes of the WSGI application, each of which answers one request at a time
    #[arg(long, help_heading = BOUNDS, value_name = "N", default_value_t = Wsgi::WORKERS, value_parser = By(count))]
    pub(in crate::cli) wsgi_workers: usize,

    /// Seconds the WSGI application may be silent over a request: 504, and another process in the place of that one
    #[arg(long, help_heading = BOUNDS, value_name = "SECONDS", default_value_t = Seconds(Wsgi::TIMEOUT))]
    pub(in crate::cli) wsgi_timeout: Seconds,

    /// Requests that wait for the WSGI application; beyond them 503
    #[arg(long, help_heading = BOUNDS, value_name = "N", default_value_t = Wsgi::QUEUE, value_parser = By(count))]
    pub(in crate::cli) wsgi_queue: usize,

    /// Seconds a server of --scgi may be silent over a request
    #[arg(long, help_heading = BOUNDS, value_name = "SECONDS", default_value_t = Seconds(Scgi::TIMEOUT))]
    pub(in crate::cli) scgi_timeout: Seconds,

    /// Seconds a program of --cgi may take for a request
    #[arg(long, help_heading = BOUNDS, value_name = "SECONDS", default_value_t = Seconds(Cgi::TIMEOUT))]
    pub(in crate::cli) cgi_timeout: Seconds,

    /// Programs of --cgi at one time; beyond them 503
    #[arg(long, help_heading = BOUNDS, value_name = "N", default_value_t = Cgi::PROCESSES, value_parser = By(count))]
    pub(in crate::cli) cgi_processes: usize,

    /// Bytes of an answer of a program of --cgi
    #[arg(long, help_heading = BOUNDS, value_name = "BYTES", default_value_t = Cgi::OUTPUT, value_parser = By(positive))]
    pub(in crate::cli) cgi_output: u64,
}
