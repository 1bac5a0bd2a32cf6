//! What the command can be asked for.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Parser;
use clap::error::ErrorKind;
use log::LevelFilter;
use ownhands::files::Links;
use ownhands::{Config, Limits, Timeouts};
use regex::Regex;

use super::Failure;
use super::flags::{CommandLine, Verb};
use super::values::{AccessFormat, Redirection, Strictness, trust};

/// The port that is tried first when none was asked for.
pub(super) const DEFAULT_PORT: u16 = 8000;

/// What the arguments ask for.
pub(super) enum Asked {
    /// To serve.
    Serve(Box<Options>),
    /// To print the routes.
    Routes(Box<Options>),
    /// To print the help or the version.
    Text(String),
    /// Something about a server in the background.
    Errand(Errand, Box<Options>),
}

/// What there is to do about a server in the background.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Errand {
    Start,
    Stop,
    Restart,
    Reload,
    Status,
    Unit,
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
    pub(super) log: Sink,
    pub(super) access_format: AccessFormat,
    pub(super) mounts: Vec<(String, PathBuf)>,
    pub(super) redirects: Vec<Redirection>,
    pub(super) user: Option<String>,
    pub(super) group: Option<String>,
    pub(super) chroot: Option<PathBuf>,
    pub(super) sandbox: Strictness,
    pub(super) pid_file: Option<PathBuf>,
    /// The file that options were read from.
    pub(super) config_file: Option<PathBuf>,
}

/// Where to listen.
pub(super) enum Addresses {
    /// On all interfaces.
    Lan,
    /// On these addresses, at least one.
    These(Vec<IpAddr>),
}

/// Where a log goes.
pub(super) enum Sink {
    /// To stdout or stderr.
    Standard,
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
        Some(Verb::Demo { ref root, .. }) => (true, vec![root.clone()]),
        Some(Verb::Start(ref paths) | Verb::Restart(ref paths) | Verb::Unit(ref paths)) => (false, paths.paths.clone()),
        _ => (false, line.paths),
    };
    let errand = match line.verb {
        Some(Verb::Start(_)) => Some(Errand::Start),
        Some(Verb::Stop) => Some(Errand::Stop),
        Some(Verb::Restart(_)) => Some(Errand::Restart),
        Some(Verb::Reload) => Some(Errand::Reload),
        Some(Verb::Status) => Some(Errand::Status),
        Some(Verb::Unit(_)) => Some(Errand::Unit),
        _ => None,
    };
    let addresses = match (flags.lan, flags.bind.is_empty()) {
        (true, true) => Addresses::Lan,
        (true, false) => return Err(Failure::Usage("--lan is all addresses: leave out --bind, or --lan".to_owned())),
        (false, true) => Addresses::These(vec![IpAddr::from([127, 0, 0, 1])]),
        (false, false) => Addresses::These(without_doubles(flags.bind)),
    };
    if flags.proxy_protocol && flags.trust.is_empty() {
        return Err(Failure::Usage(
            "--proxy-protocol is for proxies that are trusted: name them by --trust".to_owned(),
        ));
    }
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
        answer: flags.answer_timeout.0,
        min_rate: flags.min_rate,
        ..Timeouts::default()
    };
    let config = Config {
        max_connections: flags.max_connections,
        max_per_address: flags.max_per_address,
        max_kept: flags.max_kept,
        limits,
        timeouts,
        grace: flags.grace.0,
        proxies: trust(&flags.trust),
        wants_proxy_protocol: flags.proxy_protocol,
        ..Config::default()
    };
    let sink = |path: PathBuf| match path.to_str() {
        Some("-") => Sink::Standard,
        Some("off") => Sink::Off,
        _ => Sink::File(path),
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
        access_log: sink(flags.access_log),
        trace: flags.trace,
        log_level: flags.log_level,
        log: sink(flags.log),
        access_format: flags.access_log_format,
        mounts: flags.mount,
        redirects: flags.redirect,
        user: flags.user,
        group: flags.group,
        chroot: flags.chroot,
        sandbox: flags.sandbox,
        pid_file: flags.pid_file,
        config_file: flags.config,
    });
    if let Some(errand) = errand {
        return Ok(Asked::Errand(errand, options));
    }
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
