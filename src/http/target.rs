//! The request target (RFC 9112 section 3.2, RFC 3986): its forms, and how a path is decoded, once.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::{HttpError, Method, Status};

/// A request target, taken apart and still encoded.
///
/// ```
/// use ownhands::{Method, Target};
///
/// let target = Target::parse(Method::Get, "http://example.org/a%20b?c=d").unwrap();
/// assert_eq!(target, Target { authority: Some("example.org"), path: "/a%20b", query: Some("c=d") });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<'a> {
    /// Host and port of an absolute target; it wins over the Host field (RFC 9112 section 3.2.2).
    pub authority: Option<&'a str>,
    /// The path: begins with `/`, or is `*`.
    pub path: &'a str,
    /// What follows the first `?`.
    pub query: Option<&'a str>,
}

impl<'a> Target<'a> {
    /// Takes a target apart, whose bytes the decoder has found to be visible ASCII.
    ///
    /// # Errors
    /// 400 for what is none of the forms, 405 for `CONNECT`, whose authority-form only a proxy can answer.
    pub fn parse(method: Method<'_>, target: &'a str) -> Result<Self, HttpError> {
        if method == Method::Connect {
            let refusal =
                HttpError::new(Status::METHOD_NOT_ALLOWED, "this server is no proxy: CONNECT has no meaning here");
            return Err(refusal.with_header("Allow", "GET, HEAD, OPTIONS"));
        }
        if target.starts_with('/') {
            return Ok(Target::split(None, target));
        }
        if target == "*" {
            return if method == Method::Options {
                Ok(Target { authority: None, path: "*", query: None })
            } else {
                Err(HttpError::bad_request("line 1: the target * goes with OPTIONS only (RFC 9112 3.2.4)"))
            };
        }
        let target = Target::parse_absolute(target)?;
        // To ask OPTIONS of a host, and of none of its resources, a client of a proxy leaves the path out
        // (RFC 9112 section 3.2.4); elsewhere no path is the path / (RFC 9110 section 4.2.3).
        let path = match (target.path, target.query, method) {
            ("", None, Method::Options) => "*",
            ("", ..) => "/",
            (path, ..) => path,
        };
        Ok(Target { path, ..target })
    }

    fn parse_absolute(target: &'a str) -> Result<Self, HttpError> {
        let after = |scheme: &str| {
            let start = target.get(..scheme.len())?;
            start.eq_ignore_ascii_case(scheme).then(|| target.get(scheme.len()..)).flatten()
        };
        let Some(rest) = after("http://").or_else(|| after("https://")) else {
            return Err(HttpError::bad_request(
                "line 1: the target is neither a path that begins with / nor an http URI (RFC 9112 3.2)",
            ));
        };
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        if !is_authority(authority) {
            return Err(HttpError::bad_request(
                "line 1: the target does not name a host, or not as host[:port] (RFC 3986 3.2)",
            ));
        }
        Ok(Target::split(Some(authority), path))
    }

    fn split(authority: Option<&'a str>, path: &'a str) -> Self {
        let mark = path.bytes().position(|byte| byte == b'?');
        match mark.and_then(|mark| path.split_at_checked(mark)) {
            Some((path, query)) => Target { authority, path, query: query.get(1..) },
            None => Target { authority, path, query: None },
        }
    }
}

/// True for `uri-host [":" port]` with a host that is not empty (RFC 9110 section 7.2). User information is refused:
/// it serves to deceive people (RFC 9110 section 4.2.4).
pub(crate) fn is_authority(text: &str) -> bool {
    let end = match text.starts_with('[') {
        true => text.bytes().position(|byte| byte == b']').map_or(0, |bracket| bracket + 1),
        false => text.bytes().position(|byte| !is_reg_name_byte(byte)).unwrap_or(text.len()),
    };
    let Some((host, rest)) = text.split_at_checked(end).filter(|(host, _)| !host.is_empty()) else { return false };
    let is_host = match host.strip_prefix('[').and_then(|literal| literal.strip_suffix(']')) {
        Some(literal) => is_ip_literal(literal),
        None => has_valid_escapes(host),
    };
    let is_port = |port: &str| port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit());
    is_host && (rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port))
}

fn is_ip_literal(text: &str) -> bool {
    let is_future = || {
        let (version, rest) = text.strip_prefix(['v', 'V'])?.split_once('.')?;
        let is_version = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_rest =
            !rest.is_empty() && rest.bytes().all(|byte| byte == b':' || (byte != b'%' && is_reg_name_byte(byte)));
        Some(is_version && is_rest)
    };
    text.parse::<std::net::Ipv6Addr>().is_ok() || is_future().unwrap_or(false)
}

/// `unreserved`, `sub-delims` and the `%` of an escape.
fn is_reg_name_byte(byte: u8) -> bool {
    REG_NAME.get(usize::from(byte)).is_some_and(|&is_one| is_one)
}

/// The same as a table: it is asked of every byte of every Host.
#[allow(clippy::indexing_slicing, reason = "the compiler does it")]
const REG_NAME: [bool; 256] = {
    let mut bytes: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'()*+,;=%";
    let mut table = [false; 256];
    while let [first, rest @ ..] = bytes {
        table[*first as usize] = true;
        bytes = rest;
    }
    table
};

/// A path, percent-decoded once: as octets, and as text.
///
/// ```
/// use ownhands::http::decode_path;
///
/// let path = decode_path("/caf%E9").unwrap(); // not UTF-8, but a file may be called so
/// assert_eq!((&*path.octets, &*path.text), (&b"/caf\xe9"[..], "/caf\u{fffd}"));
/// ```
pub struct DecodedPath<'a> {
    /// The octets that were meant.
    pub octets: Cow<'a, [u8]>,
    /// The same as text; what is no UTF-8 shows as U+FFFD.
    pub text: Cow<'a, str>,
}

/// Percent-decodes a path, exactly once. A path with neither `%` nor `/.` is handed back as it is.
///
/// A segment `.` between two slashes, sent as just that, is taken as nothing (RFC 3986 section 5.2.4): apt asks for
/// `/repo/./Packages` where its list says `deb URL/repo ./`. It names the directory it stands in, so nothing is reached
/// by it that is not reached without; and who guards a path by its spelling is passed by any escape already.
///
/// # Errors
/// 400 for a `%` without two hexadecimal digits, for `%00`, for the segment `..`, and for a `.` that is escaped or ends
/// the path: a client resolves them before it sends, and to two programs in a row they could mean two things.
///
/// ```
/// use ownhands::http::decode_path;
///
/// assert_eq!(decode_path("/a%20b").unwrap().text, "/a b");
/// assert_eq!(decode_path("/repo/./Packages").unwrap().text, "/repo/Packages");
/// assert!(decode_path("/a/%2e%2E/b").is_err());
/// ```
pub fn decode_path(raw: &str) -> Result<DecodedPath<'_>, HttpError> {
    let has_escapes = raw.as_bytes().contains(&b'%');
    // The common path has no "/." at all: one fast search, and nothing more.
    let path = match has_dots(raw.as_bytes()) {
        true => without_dots(raw),
        false if !has_escapes => {
            return Ok(DecodedPath { octets: Cow::Borrowed(raw.as_bytes()), text: Cow::Borrowed(raw) });
        }
        false => Cow::Borrowed(raw),
    };
    if has_escapes && !has_valid_escapes(&path) {
        return Err(HttpError::bad_request(
            "line 1: a % in the path is not followed by two hexadecimal digits (RFC 3986 2.1)",
        ));
    }
    let octets: Vec<u8> = percent_decode_str(&path).collect();
    if octets.contains(&0) {
        return Err(HttpError::bad_request("line 1: the path has a NUL (%00) in it"));
    }
    refuse_dot_segments(&octets)?;
    let text = String::from_utf8_lossy(&octets).into_owned();
    Ok(DecodedPath { octets: Cow::Owned(octets), text: Cow::Owned(text) })
}

/// True if a segment may begin with a dot.
fn has_dots(path: &[u8]) -> bool {
    path.starts_with(b".") || path.windows(2).any(|pair| pair == b"/.")
}

/// The path without the segments `.` between two slashes. One at its end stays, and is refused: what is below it would
/// be looked for beside it, for a path that ends in no slash.
fn without_dots(raw: &str) -> Cow<'_, str> {
    if !raw.contains("/./") {
        return Cow::Borrowed(raw);
    }
    let mut kept = String::with_capacity(raw.len());
    let mut segments = raw.split('/').enumerate().peekable();
    while let Some((index, segment)) = segments.next() {
        let is_between = index > 0 && segments.peek().is_some();
        if segment == "." && is_between {
            continue;
        }
        if index > 0 {
            kept.push('/');
        }
        kept.push_str(segment);
    }
    Cow::Owned(kept)
}

fn refuse_dot_segments(path: &[u8]) -> Result<(), HttpError> {
    if has_dots(path) && path.split(|&byte| byte == b'/').any(|segment| matches!(segment, b"." | b"..")) {
        return Err(HttpError::bad_request(
            "line 1: the path has a segment . or .. in it, which a client resolves before it sends",
        ));
    }
    Ok(())
}

fn has_valid_escapes(text: &str) -> bool {
    let text = text.as_bytes();
    if !text.contains(&b'%') {
        return true;
    }
    let is_escape = |at: usize| text.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
    memchr::memchr_iter(b'%', text).all(is_escape)
}
