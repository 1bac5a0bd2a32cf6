//! What the command can be asked for.

use std::ffi::OsString;
use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand};
use log::LevelFilter;
use ownhands::files::Links;
use ownhands::http::FIELD_SLOTS;
use ownhands::{Config, Limits, Timeouts};
use regex::Regex;

use super::Failure;

/// The port that is tried first when none was asked for.
pub(super) const DEFAULT_PORT: u16 = 8000;

/// A deadline longer than this, a year, is a slip of the hand.
const MAX_SECONDS: f64 = 366.0 * 24.0 * 3600.0;

/// Serves directories and files over HTTP: one thread, one event loop.
#[derive(Debug, Parser)]
#[command(name = "ownhands", version, disable_help_subcommand = true)]
#[command(override_usage = "ownhands [OPTIONS] [PATH]...\n       ownhands demo [OPTIONS] [ROOT]")]
struct CommandLine {
    #[command(subcommand)]
    verb: Option<Verb>,

    /// The directory to serve, or a file; several are served by their names. One named demo is served as ./demo
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,

    #[command(flatten)]
    options: Flags,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Serves the demo: an application with a few routes, and the directory under /
    ///
    /// What is sent to /echo comes back: with --max-body 1073741824, up to 1 GiB of it, which takes room in the
    /// directory for temporary files and none in memory.
    Demo {
        /// The directory to serve
        #[arg(default_value = "static")]
        root: PathBuf,

        /// Print the routes, and serve nothing
        #[arg(long)]
        routes: bool,
    },
}

#[derive(Debug, Args)]
struct Flags {
    /// Listen on this port; 0 picks a free one [default: 8000, or the next free one]
    #[arg(short, long, global = true, value_name = "PORT")]
    port: Option<u16>,

    /// Listen on this IP address, such as 127.0.0.1 or ::1; may be given several times [default: 127.0.0.1]
    #[arg(short, long, global = true, value_name = "ADDR", value_parser = address)]
    bind: Vec<IpAddr>,

    /// Listen on all interfaces, so that others in the network can connect
    #[arg(long, global = true)]
    lan: bool,

    /// Answer 404 for a directory without an index file, instead of listing it
    #[arg(long, global = true)]
    no_listing: bool,

    /// Serve files whose name begins with a dot, too
    #[arg(long, global = true)]
    hidden: bool,

    /// Do not serve what this pattern matches: *.log anywhere, /tmp or docs/*.bak from the root; may be given several times
    #[arg(long, global = true, value_name = "GLOB")]
    hide: Vec<String>,

    /// Follow links that lead out of what is served, too
    #[arg(long, global = true, conflicts_with = "no_links")]
    follow_links: bool,

    /// Follow no link at all
    #[arg(long, global = true)]
    no_links: bool,

    /// Serve an application of one page: where there is no file, the root's index page answers
    #[arg(long, global = true)]
    spa: bool,

    /// Seconds for which caches may use a file without asking [default: they ask each time]
    #[arg(long, global = true, value_name = "SECONDS")]
    cache: Option<u64>,

    /// A header that goes with every file and listing; may be given several times
    #[arg(long, global = true, value_name = "NAME: VALUE", value_parser = header)]
    header: Vec<(String, String)>,

    /// A style sheet for the listings, beside the built-in one
    #[arg(long, global = true, value_name = "FILE")]
    listing_css: Option<PathBuf>,

    /// Tell clients on this machine why something is not to be had, as the log has it
    #[arg(long, global = true)]
    explain: bool,

    /// The file that is served for a directory
    #[arg(long, global = true, value_name = "NAME", default_value = "index.html", value_parser = file_name)]
    index: String,

    /// Connections held at once; the limit of open files is raised to fit
    #[arg(long, global = true, value_name = "N", default_value_t = Config::MAX_CONNECTIONS, value_parser = count)]
    max_connections: usize,

    /// Bytes of a request's head; a longer one is refused with 431
    #[arg(long, global = true, value_name = "BYTES", default_value_t = Limits::HEAD, value_parser = count)]
    max_head: usize,

    /// Bytes of a request's target; a longer one is refused with 414
    #[arg(long, global = true, value_name = "BYTES", default_value_t = Limits::TARGET, value_parser = count)]
    max_target: usize,

    /// Header fields of a request, 256 at most; more are refused with 431
    #[arg(long, global = true, value_name = "N", default_value_t = Limits::FIELDS, value_parser = fields)]
    max_fields: usize,

    /// Bytes of a request's body; a longer one is refused with 413
    #[arg(long, global = true, value_name = "BYTES", default_value_t = Limits::BODY)]
    max_body: u64,

    /// Requests on one connection, after which it is closed [default: without end]
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    max_requests: Option<u64>,

    /// Seconds a client may take for the head of a request
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = Seconds(Timeouts::HEAD))]
    header_timeout: Seconds,

    /// Seconds a client may take for a body, and one more for each 500 bytes that came
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = Seconds(Timeouts::BODY))]
    body_timeout: Seconds,

    /// Seconds a connection is kept between requests
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = Seconds(Timeouts::IDLE))]
    idle_timeout: Seconds,

    /// Seconds a client may take nothing of its answer
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = Seconds(Timeouts::WRITE))]
    write_timeout: Seconds,

    /// Where a line for each request goes: - is stdout, off is nowhere
    #[arg(long, global = true, value_name = "-|FILE|off", default_value = "-", allow_hyphen_values = true)]
    access_log: PathBuf,

    /// Show the conversations on stderr as curl -v would; with a regular expression, those for paths that it matches
    #[arg(long, global = true, value_name = "PATH-REGEX", num_args = 0..=1, require_equals = true, default_missing_value = "", value_parser = expression)]
    trace: Option<Regex>,

    /// What is logged on stderr: error, warn, info, debug, trace or off
    #[arg(long, global = true, value_name = "LEVEL", default_value = "info", value_parser = level)]
    log_level: LevelFilter,
}

/// What the arguments ask for.
pub(super) enum Asked {
    /// To serve.
    Serve(Box<Options>),
    /// To print the routes.
    Routes(Box<Options>),
    /// To print the help or the version.
    Text(String),
}

/// How to serve.
pub(super) struct Options {
    pub(super) is_demo: bool,
    /// What to serve, at least one.
    pub(super) paths: Vec<PathBuf>,
    pub(super) port: Option<u16>,
    pub(super) addresses: Addresses,
    pub(super) has_listing: bool,
    pub(super) serves_hidden: bool,
    pub(super) hide: Vec<String>,
    pub(super) links: Links,
    pub(super) is_application: bool,
    pub(super) cache: Option<Duration>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) listing_css: Option<PathBuf>,
    pub(super) explains: bool,
    pub(super) index: String,
    pub(super) config: Config,
    pub(super) access_log: Sink,
    /// The paths whose conversations are shown.
    pub(super) trace: Option<Regex>,
    pub(super) log_level: LevelFilter,
}

/// Where to listen.
pub(super) enum Addresses {
    /// On all interfaces.
    Lan,
    /// On these addresses, at least one.
    These(Vec<IpAddr>),
}

/// Where the access log goes.
pub(super) enum Sink {
    Stdout,
    File(PathBuf),
    Off,
}

/// Reads the arguments.
pub(super) fn read(arguments: impl Iterator<Item = OsString>) -> Result<Asked, Failure> {
    let line = match CommandLine::try_parse_from(arguments) {
        Ok(line) => line,
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            return Ok(Asked::Text(error.render().to_string()));
        }
        Err(error) => return Err(Failure::Usage(shortened(&error.render().to_string()))),
    };
    let flags = line.options;
    let shows_routes = matches!(line.verb, Some(Verb::Demo { routes: true, .. }));
    let (is_demo, paths) = match line.verb {
        Some(Verb::Demo { .. }) if line.paths != [Path::new(".")] => {
            return Err(Failure::Usage("say ownhands demo ROOT, or ownhands ROOT; see ownhands --help".to_owned()));
        }
        Some(Verb::Demo { root, .. }) => (true, vec![root]),
        None => (false, line.paths),
    };
    let addresses = match (flags.lan, flags.bind.is_empty()) {
        (true, true) => Addresses::Lan,
        (true, false) => return Err(Failure::Usage("--lan is all addresses: leave out --bind, or --lan".to_owned())),
        (false, true) => Addresses::These(vec![IpAddr::from([127, 0, 0, 1])]),
        (false, false) => Addresses::These(without_doubles(flags.bind)),
    };
    let limits = Limits {
        head: flags.max_head,
        target: flags.max_target,
        fields: flags.max_fields,
        body: flags.max_body,
        requests: flags.max_requests.unwrap_or(Limits::REQUESTS),
        ..Limits::default()
    };
    let timeouts = Timeouts {
        head: flags.header_timeout.0,
        body: flags.body_timeout.0,
        idle: flags.idle_timeout.0,
        write: flags.write_timeout.0,
        ..Timeouts::default()
    };
    let config = Config { max_connections: flags.max_connections, limits, timeouts, ..Config::default() };
    let access_log = match flags.access_log.to_str() {
        Some("-") => Sink::Stdout,
        Some("off") => Sink::Off,
        _ => Sink::File(flags.access_log),
    };
    let options = Box::new(Options {
        is_demo,
        paths,
        port: flags.port,
        addresses,
        has_listing: !flags.no_listing,
        serves_hidden: flags.hidden,
        hide: flags.hide,
        links: match (flags.follow_links, flags.no_links) {
            (true, _) => Links::Followed,
            (_, true) => Links::Refused,
            _ => Links::Inside,
        },
        is_application: flags.spa,
        cache: flags.cache.map(Duration::from_secs),
        headers: flags.header,
        listing_css: flags.listing_css,
        explains: flags.explain,
        index: flags.index,
        config,
        access_log,
        trace: flags.trace,
        log_level: flags.log_level,
    });
    Ok(if shows_routes { Asked::Routes(options) } else { Asked::Serve(options) })
}

/// An address given twice, or beside the one that stands for all of its kind, would be in its own way.
fn without_doubles(addresses: Vec<IpAddr>) -> Vec<IpAddr> {
    let stands_for_all =
        |one: &IpAddr| addresses.iter().any(|all| all.is_unspecified() && all.is_ipv4() == one.is_ipv4());
    let mut once: Vec<IpAddr> = Vec::with_capacity(addresses.len());
    for address in &addresses {
        let is_covered = !address.is_unspecified() && stands_for_all(address);
        if !is_covered && !once.contains(address) {
            once.push(*address);
        }
    }
    once
}

/// An address, also in the brackets that it has in a URL.
fn address(text: &str) -> Result<IpAddr, String> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    bare.parse().map_err(|_| "give an IP address such as 127.0.0.1 or ::1, and the port by --port".to_owned())
}

/// The name of a file in each directory, not a path.
fn file_name(text: &str) -> Result<String, String> {
    if text.is_empty() || text == "." || text == ".." || text.contains(['/', '\0']) {
        return Err("give the name of a file, without a directory".to_owned());
    }
    Ok(text.to_owned())
}

/// A header as one would type it; what it may be, the library says.
fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("give a header as 'Name: value'")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

fn count(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|&count| count > 0).ok_or("give a whole number above 0".to_owned())
}

fn fields(text: &str) -> Result<usize, String> {
    count(text).ok().filter(|&count| count <= FIELD_SLOTS).ok_or(format!("give a whole number from 1 to {FIELD_SLOTS}"))
}

fn expression(text: &str) -> Result<Regex, String> {
    // The last line of what the regex crate says is the reason; those before it draw the expression with a mark.
    let reason = |error: regex::Error| error.to_string().lines().next_back().unwrap_or_default().to_owned();
    Regex::new(text).map_err(reason)
}

/// A span of time, as it is given: `30`, `0.5`.
#[derive(Clone, Copy, Debug)]
struct Seconds(Duration);

impl FromStr for Seconds {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let seconds: Option<f64> = text.parse().ok().filter(|&seconds| seconds > 0.0 && seconds <= MAX_SECONDS);
        let span = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let span = span.filter(|span| !span.is_zero());
        span.map(Seconds).ok_or("give a number of seconds above 0, such as 30 or 0.5")
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.as_secs_f64())
    }
}

fn level(text: &str) -> Result<LevelFilter, String> {
    text.parse().map_err(|_| "give error, warn, info, debug, trace or off".to_owned())
}

/// What clap says on several lines, without the usage it repeats.
fn shortened(said: &str) -> String {
    let lines = said.lines().map(str::trim).take_while(|line| !line.starts_with("Usage:"));
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with("For more information"));
    let said = lines.map(|line| line.strip_prefix("error: ").unwrap_or(line)).collect::<Vec<_>>().join("; ");
    format!("{said}; see ownhands --help")
}

/// The text on one line, whatever was quoted in it.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    line
}
