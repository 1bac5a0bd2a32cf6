//! What the command can be asked for.

use std::ffi::OsString;
use std::fs::File;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use log::LevelFilter;
use ownhands::app::Redirect;
use ownhands::files::Links;
use ownhands::{Config, Limits, Timeouts};
use regex::Regex;

use super::config::{self, Gathered, Open, Origins, Outcome};
use super::flags::{Applications, Flags, Verb};
use super::values::{AccessFormat, Place, Strictness, trust};
use super::{Failure, applications};

/// The port that is tried first when none was asked for.
pub(super) const DEFAULT_PORT: u16 = 8000;

/// What the arguments ask for.
pub(super) enum Asked {
    /// To serve.
    Serve(Box<Options>),
    /// To print the routes.
    Routes(Box<Options>),
    /// To say whether all is as it should be.
    Check(Box<Options>),
    /// To print the help, the version, the configuration, or a paper.
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
#[derive(Debug)]
pub(super) struct Options {
    pub(super) is_demo: bool,
    /// What to serve under `/`: at least one, or an application is there.
    pub(super) paths: Vec<PathBuf>,
    pub(super) applications: Applications,
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
    pub(super) redirects: Vec<Redirect>,
    pub(super) user: Option<String>,
    pub(super) group: Option<String>,
    pub(super) chroot: Option<PathBuf>,
    pub(super) sandbox: Strictness,
    pub(super) pid_file: Option<PathBuf>,
    /// The file that options were read from.
    pub(super) config_file: Option<PathBuf>,
    /// Where they come from, for what turns out to be wrong with one later.
    pub(super) origins: Origins,
}

impl Options {
    /// True if somebody said where to listen.
    pub(super) fn names_a_place(&self) -> bool {
        let by_default = [Place::Ip(IpAddr::from([127, 0, 0, 1]))];
        self.port.is_some() || !matches!(&self.addresses, Addresses::These(these) if *these == by_default)
    }
}

/// Where to listen.
#[derive(Debug)]
pub(super) enum Addresses {
    /// On all interfaces.
    Lan,
    /// On these, at least one.
    These(Vec<Place>),
}

/// Where a log goes.
#[derive(Debug)]
pub(super) enum Sink {
    /// To stdout or stderr.
    Standard,
    File(PathBuf),
    Off,
}

/// Reads the arguments, the environment, and the file that one of them names. It keeps nothing: asked again with the
/// same arguments, it says what they mean by then.
pub(super) fn read(
    arguments: impl Iterator<Item = OsString>,
    environment: impl Iterator<Item = (OsString, OsString)>,
) -> Result<Asked, Failure> {
    read_by(arguments, environment, &|path| File::open(path))
}

/// The same for who cannot open the file himself.
pub(super) fn read_by(
    arguments: impl Iterator<Item = OsString>,
    environment: impl Iterator<Item = (OsString, OsString)>,
    open: Open<'_>,
) -> Result<Asked, Failure> {
    let arguments: Vec<OsString> = arguments.collect();
    let gathered = match config::gather(&arguments, environment, open)? {
        Outcome::Text(text) => return Ok(Asked::Text(text)),
        Outcome::Gathered(gathered) => gathered,
    };
    if gathered.line.options.configuration.print_config {
        return Ok(Asked::Text(config::print(&gathered)));
    }
    gathered.check_needs()?;
    let Gathered { line, verb, paths, file, origins, .. } = *gathered;
    let is_check = line.options.configuration.check;
    let is_demo = matches!(verb, Some(Verb::Demo { .. }));
    let has_root = line.options.locked.chroot.is_some();
    applications::check(&line.options.applications, &paths, is_demo, has_root, &origins)?;
    let options = Box::new(Options { is_demo, paths, config_file: file, origins, ..options(line.options) });
    if is_check {
        return Ok(Asked::Check(options));
    }
    let errand = match verb {
        Some(Verb::Demo { routes: true, .. }) => return Ok(Asked::Routes(options)),
        Some(Verb::Start(_)) => Errand::Start,
        Some(Verb::Stop(_)) => Errand::Stop,
        Some(Verb::Restart(_)) => Errand::Restart,
        Some(Verb::Reload(_)) => Errand::Reload,
        Some(Verb::Status(_)) => Errand::Status,
        Some(Verb::Unit(_)) => Errand::Unit,
        _ => return Ok(Asked::Serve(options)),
    };
    Ok(Asked::Errand(errand, options))
}

/// What the options come to, without what is none of them.
fn options(flags: Flags) -> Options {
    let Flags { listening, served, applications, bounds, times, logs, believed, locked, background, .. } = flags;
    let addresses = match (listening.lan, listening.bind.is_empty()) {
        (true, _) => Addresses::Lan,
        (false, true) => Addresses::These(vec![Place::Ip(IpAddr::from([127, 0, 0, 1]))]),
        (false, false) => Addresses::These(without_doubles(listening.bind)),
    };
    let limits = Limits {
        head: bounds.max_head,
        target: bounds.max_target,
        fields: bounds.max_fields,
        body: bounds.max_body,
        requests: bounds.max_requests.unwrap_or(Limits::REQUESTS),
        ..Limits::default()
    };
    let timeouts = Timeouts {
        head: times.header_timeout.0,
        body: times.body_timeout.0,
        idle: times.idle_timeout.0,
        write: times.write_timeout.0,
        answer: times.answer_timeout.0,
        min_rate: bounds.min_rate,
        ..Timeouts::default()
    };
    let config = Config {
        max_connections: bounds.max_connections,
        max_per_address: bounds.max_per_address,
        max_kept: bounds.max_kept,
        limits,
        timeouts,
        grace: times.grace.0,
        proxies: trust(&believed.trust),
        wants_proxy_protocol: believed.proxy_protocol,
        ..Config::default()
    };
    let sink = |path: PathBuf| match path.to_str() {
        Some("-") => Sink::Standard,
        Some("off") => Sink::Off,
        _ => Sink::File(path),
    };
    Options {
        is_demo: false,
        paths: Vec::new(),
        applications,
        port: listening.port,
        addresses,
        has_listing: !served.no_listing,
        serves_hidden: served.hidden,
        hide: served.hide,
        links: match (served.follow_links, served.no_links) {
            (true, _) => Links::Followed,
            (_, true) => Links::Refused,
            _ => Links::Inside,
        },
        is_application: served.spa,
        cache: served.cache.map(Duration::from_secs),
        headers: served.header,
        listing_css: served.listing_css,
        explains: served.explain,
        index: served.index,
        mounts: served.mount,
        redirects: served.redirect,
        config,
        access_log: sink(logs.access_log),
        access_format: logs.access_log_format,
        log: sink(logs.log),
        log_level: logs.log_level,
        trace: logs.trace,
        user: locked.user,
        group: locked.group,
        chroot: locked.chroot,
        sandbox: locked.sandbox,
        pid_file: background.pid_file,
        config_file: None,
        origins: Origins::default(),
    }
}

/// A place given twice, or an address beside the one that stands for all of its kind, would be in its own way.
fn without_doubles(places: Vec<Place>) -> Vec<Place> {
    let is_covered = |place: &Place| match place {
        Place::Ip(one) if !one.is_unspecified() => places
            .iter()
            .any(|all| matches!(all, Place::Ip(all) if all.is_unspecified() && all.is_ipv4() == one.is_ipv4())),
        _ => false,
    };
    let mut once: Vec<Place> = Vec::with_capacity(places.len());
    for place in &places {
        if !is_covered(place) && !once.contains(place) {
            once.push(place.clone());
        }
    }
    once
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
