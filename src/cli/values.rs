//! What the values of options may be.

use std::convert::Infallible;
use std::ffi::OsStr;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::TypedValueParser;
use clap::{Arg, Command};
use ipnet::IpNet;
use log::LevelFilter;
use ownhands::app::Redirect;
use ownhands::http::{FIELD_SLOTS, Trust};
use ownhands::{HeaderList, Status};
use regex::Regex;

/// A deadline longer than this, a year, is a slip of the hand.
const MAX_SECONDS: f64 = 366.0 * 24.0 * 3600.0;

/// Reads a value by a function, which says why it is none. Clap takes the functions themselves, too, and then makes all
/// that it has to say about a wrong value anew for each of them: two dozen times.
#[derive(Clone, Copy)]
pub(super) struct By<T>(pub(super) fn(&str) -> Result<T, String>);

impl<T: Clone + Send + Sync + 'static> TypedValueParser for By<T> {
    type Value = T;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<T, clap::Error> {
        let read = value.to_str().map_or(Err(String::new()), self.0);
        read.map_err(|why| refusal(command, arg, value, &why))
    }
}

/// What clap says of a value that is refused for this reason, or because it is not UTF-8.
fn refusal(command: &Command, arg: Option<&Arg>, value: &OsStr, why: &str) -> clap::Error {
    let why = why.to_owned();
    let refuse = move |_: &str| Err::<Infallible, String>(why.clone());
    match refuse.parse_ref(command, arg, value) {
        Err(error) => error,
        Ok(never) => match never {},
    }
}

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// At a port of this address.
    Ip(IpAddr),
    /// On a socket in the file system.
    Unix(PathBuf),
}

/// `unix:` and a path, or an address, also in the brackets that it has in a URL.
pub(super) fn place(text: &str) -> Result<Place, String> {
    match text.strip_prefix("unix:") {
        Some("") => Err("give the path of a socket, such as unix:/run/web.sock".to_owned()),
        Some(path) => Ok(Place::Unix(PathBuf::from(path))),
        None => {
            let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
            let wrong = |_| "give an IP address such as 127.0.0.1 or ::1, and the port by --port".to_owned();
            bare.parse().map(Place::Ip).map_err(wrong)
        }
    }
}

pub(super) fn port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| "give a number from 0 to 65535".to_owned())
}

pub(super) fn truth(text: &str) -> Result<bool, String> {
    text.parse().map_err(|_| "give true or false".to_owned())
}

/// A number of bytes or seconds that may be none.
pub(super) fn whole(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| "give a whole number".to_owned())
}

/// The name of a user or a group, or its number.
pub(super) fn name(text: &str) -> Result<String, String> {
    if text.is_empty() || text.contains([':', '/', '\0']) {
        return Err("give a name, or a number".to_owned());
    }
    Ok(text.to_owned())
}

/// A pattern for names or paths.
pub(super) fn glob(text: &str) -> Result<String, String> {
    let wrong = |error: globset::Error| format!("this is no pattern: {}", error.kind());
    globset::Glob::new(text).map(|_| text.to_owned()).map_err(wrong)
}

/// The name of a file in each directory, not a path.
pub(super) fn file_name(text: &str) -> Result<String, String> {
    if text.is_empty() || text == "." || text == ".." || text.contains(['/', '\0']) {
        return Err("give the name of a file, without a directory".to_owned());
    }
    Ok(text.to_owned())
}

/// A header as one would type it. Which names follow from a file, and cannot be set, the library says.
pub(super) fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("give a header as 'Name: value'")?;
    let (name, value) = (name.trim(), value.trim());
    let mut list = HeaderList::new();
    list.push(name, value);
    match list.refusal() {
        Some(why) => Err(why.to_owned()),
        None => Ok((name.to_owned(), value.to_owned())),
    }
}

pub(super) fn count(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|&count| count > 0).ok_or("give a whole number above 0".to_owned())
}

pub(super) fn fields(text: &str) -> Result<usize, String> {
    count(text).ok().filter(|&count| count <= FIELD_SLOTS).ok_or(format!("give a whole number from 1 to {FIELD_SLOTS}"))
}

pub(super) fn expression(text: &str) -> Result<Regex, String> {
    // The last line of what the regex crate says is the reason; those before it draw the expression with a mark.
    let reason = |error: regex::Error| error.to_string().lines().next_back().unwrap_or_default().to_owned();
    Regex::new(text).map_err(reason)
}

/// A span of time, as it is given: `30`, `0.5`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seconds(pub(super) Duration);

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

pub(super) fn level(text: &str) -> Result<LevelFilter, String> {
    text.parse().map_err(|_| "give error, warn, info, debug, trace or off".to_owned())
}

/// How a line of the access log looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AccessFormat {
    Combined,
    Json,
}

pub(super) fn format(text: &str) -> Result<AccessFormat, String> {
    match text {
        "combined" => Ok(AccessFormat::Combined),
        "json" => Ok(AccessFormat::Json),
        _ => Err("give combined or json".to_owned()),
    }
}

/// How much the process must be locked in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strictness {
    Off,
    BestEffort,
    Required,
}

pub(super) fn sandbox(text: &str) -> Result<Strictness, String> {
    match text {
        "off" => Ok(Strictness::Off),
        "best-effort" => Ok(Strictness::BestEffort),
        "required" => Ok(Strictness::Required),
        _ => Err("give off, best-effort or required".to_owned()),
    }
}

/// `[STATUS ]REGEX=TARGET`. Both sides may have an equals sign in them: it is split at the first one that has a regular
/// expression before it, and behind it what a target begins with.
pub(super) fn redirect(text: &str) -> Result<Redirect, String> {
    let wrong = || "give REGEX=TARGET, such as '/old/(.*)=/new/$1', or with a status '301 /old=/new'".to_owned();
    let (status, rest) = match text.split_once(' ') {
        Some((digits, rest)) if !digits.starts_with('/') && digits.parse::<u16>().is_ok() => (Some(digits), rest),
        _ => (None, text),
    };
    let splits =
        rest.match_indices('=').filter_map(|(at, _)| Some((rest.get(..at)?, rest.get(at.saturating_add(1)..)?)));
    let is_target = |target: &str| ["/", "http://", "https://"].iter().any(|start| target.starts_with(start));
    let mut splits = splits.filter(|(pattern, target)| !pattern.is_empty() && is_target(target));
    let first = splits.clone().next();
    let (pattern, target) = splits.find(|(pattern, _)| Regex::new(pattern).is_ok()).or(first).ok_or_else(wrong)?;
    let redirect = Redirect::new(pattern, target).map_err(|error| error.to_string())?;
    let Some(status) = status else { return Ok(redirect) };
    let status = status.parse().ok().and_then(Status::new).ok_or_else(wrong)?;
    redirect.with_status(status).map_err(|error| error.to_string())
}

/// `/PREFIX=PATH`, split at the first equals sign: the path of a directory may have more of them.
pub(super) fn mount(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((prefix, path)) if prefix.starts_with('/') && !path.is_empty() => {
            Ok((prefix.to_owned(), PathBuf::from(path)))
        }
        _ => Err("give PATH=DIR, such as /photos=/srv/photos".to_owned()),
    }
}

/// An application by its module, and the name that it has there, or of what makes it: `create_app()`. Without a name it
/// is `application`.
pub(super) fn wsgi(text: &str) -> Result<String, String> {
    let is_path = |text: &str| {
        text.split('.').all(|name| {
            !name.is_empty()
                && !name.starts_with(|first: char| first.is_ascii_digit())
                && name.chars().all(|char| char.is_alphanumeric() || char == '_')
        })
    };
    let (module, callable) = text.split_once(':').unwrap_or((text, "application"));
    if is_path(module) && is_path(callable.strip_suffix("()").unwrap_or(callable)) {
        Ok(text.to_owned())
    } else {
        Err("give MODULE:CALLABLE, such as mysite.wsgi:application".to_owned())
    }
}

/// A path that something is served under.
pub(super) fn prefix(text: &str) -> Result<String, String> {
    if text.starts_with('/') { Ok(text.to_owned()) } else { Err("give a path, such as /app".to_owned()) }
}

/// Where a server of applications is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ScgiPlace {
    Unix(PathBuf),
    /// A host, by name or by address, and a port.
    Host(String),
}

impl ScgiPlace {
    /// Of a socket in the file system.
    pub(super) fn path_mut(&mut self) -> Option<&mut PathBuf> {
        match self {
            ScgiPlace::Unix(path) => Some(path),
            ScgiPlace::Host(_) => None,
        }
    }

    /// Of one in the network, as it was named.
    pub(super) fn host(&self) -> Option<&str> {
        match self {
            ScgiPlace::Unix(_) => None,
            ScgiPlace::Host(name) => Some(name),
        }
    }
}

impl fmt::Display for ScgiPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ScgiPlace::Unix(path) => write!(f, "unix:{}", path.display()),
            ScgiPlace::Host(host) => f.write_str(host),
        }
    }
}

/// `/PREFIX=unix:PATH` or `/PREFIX=HOST:PORT`.
pub(super) fn scgi(text: &str) -> Result<(String, ScgiPlace), String> {
    let (prefix, place) = text.split_once('=').unwrap_or_default();
    let is_port = |port: &str| port.parse::<u16>().is_ok_and(|port| port > 0);
    let place = match (place.strip_prefix("unix:"), place.rsplit_once(':')) {
        (Some(path), _) if !path.is_empty() => Some(ScgiPlace::Unix(PathBuf::from(path))),
        (None, Some((host, port))) if !host.is_empty() && is_port(port) => Some(ScgiPlace::Host(place.to_owned())),
        _ => None,
    };
    let place = place.filter(|_| prefix.starts_with('/'));
    let wrong = "give PATH=unix:PATH or PATH=HOST:PORT, such as /app=unix:/run/app.sock or /app=127.0.0.1:4000";
    place.map(|place| (prefix.to_owned(), place)).ok_or(wrong.to_owned())
}

/// `/PREFIX=DIR`, as of a mount.
pub(super) fn cgi(text: &str) -> Result<(String, PathBuf), String> {
    mount(text).map_err(|_| "give PATH=DIR, such as /cgi-bin=/srv/cgi-bin".to_owned())
}

/// Where a trusted proxy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proxy {
    Network(IpNet),
    /// Wherever it is, it comes to a socket in the file system.
    Unix,
}

/// A network, or one address, or the word for sockets in the file system.
pub(super) fn proxy(text: &str) -> Result<Proxy, String> {
    if text == "unix" {
        return Ok(Proxy::Unix);
    }
    let network = text.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical())).or_else(|_| text.parse());
    network.map(Proxy::Network).map_err(|_| "give a network such as 10.0.0.0/8, an address, or unix".to_owned())
}

/// The same as the server knows it.
pub(super) fn trust(proxies: &[Proxy]) -> Trust {
    let networks = proxies.iter().filter_map(|proxy| match proxy {
        Proxy::Network(network) => Some(*network),
        Proxy::Unix => None,
    });
    let trust = Trust::new(networks);
    if proxies.contains(&Proxy::Unix) { trust.with_local() } else { trust }
}

pub(super) fn positive(text: &str) -> Result<u64, String> {
    text.parse().ok().filter(|&number| number > 0).ok_or("give a whole number above 0".to_owned())
}
