//! From the path of a request to a thing on disk, or to the reason why not.

use std::ffi::CString;
use std::fs::File;

use rustix::io::Errno;

use super::facts::{Facts, Kind};
use super::root::Root;
use crate::http::{HttpError, Request, Status};

/// What a path stands for.
#[derive(Debug)]
pub(super) enum Found {
    /// A regular file, open.
    File(Opened),
    /// A directory without an index page. The path ends in `/`, or is empty for the root.
    Directory(Vec<u8>),
    /// A directory asked for without its slash: where it is instead, relative to the request.
    Elsewhere(String),
}

/// A regular file, open for reading.
#[derive(Debug)]
pub(super) struct Opened {
    /// Relative to the root; of a directory's index page, its own path.
    pub(super) path: CString,
    pub(super) file: File,
    pub(super) facts: Facts,
}

/// Whether names that begin with a dot exist for a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hidden {
    Refused,
    Served,
}

/// Refuses `%2F`: a slash that is data can be in no file name, and decoded it would cut one name into two.
pub(super) fn refuse_encoded_slash(request: &Request<'_>, root: &Root) -> Result<(), HttpError> {
    let raw = request.raw_path.as_bytes();
    let mut escapes = memchr::memchr_iter(b'%', raw).filter_map(|at| raw.get(at + 1..at + 3));
    match escapes.any(|digits| digits.eq_ignore_ascii_case(b"2f")) {
        false => Ok(()),
        true => Err(root.hide(&c_path(request.path_below_mount())?, "a slash in the path was sent as %2F")),
    }
}

/// Finds what the path of the request stands for.
pub(super) fn find(root: &Root, request: &Request<'_>, index: &[u8], hidden: Hidden) -> Result<Found, HttpError> {
    let below = request.path_below_mount();
    let relative = below.strip_prefix(b"/").unwrap_or(below);
    let path = c_path(below)?;
    if let Some(reason) = fault(relative, hidden) {
        return Err(root.hide(&path, reason));
    }
    let facts = root.look(&path).map_err(|errno| root.refuse(&path, errno))?;
    match facts.kind {
        Kind::File if relative.ends_with(b"/") => Err(root.hide(&path, "a file, asked for as a directory")),
        Kind::File => open(root, path).map(Found::File),
        Kind::Directory if !below.ends_with(b"/") => Ok(Found::Elsewhere(with_slash(request))),
        Kind::Directory => find_index(root, relative, index),
        _ => Err(root.hide(&path, "neither a file nor a directory")),
    }
}

/// The index page of a directory, or the directory itself. What is no page a peer may have (missing, a directory, a
/// link that leads out) leaves the directory without one; a page that cannot be read now is refused, not passed over.
fn find_index(root: &Root, directory: &[u8], index: &[u8]) -> Result<Found, HttpError> {
    let path = c_path(&[directory, index].concat())?;
    match root.look(&path) {
        Ok(Facts { kind: Kind::File, .. }) => return open(root, path).map(Found::File),
        Ok(_) => {}
        Err(errno) => {
            let refusal = root.refuse(&path, errno);
            if refusal.status != Status::NOT_FOUND {
                return Err(refusal);
            }
        }
    }
    Ok(Found::Directory(directory.to_vec()))
}

fn open(root: &Root, path: CString) -> Result<Opened, HttpError> {
    match root.read(&path, Kind::File) {
        Ok((file, facts)) => Ok(Opened { path, file, facts }),
        Err(errno) => Err(root.refuse(&path, errno)),
    }
}

/// Why a path is answered as missing before the disk is asked.
fn fault(relative: &[u8], hidden: Hidden) -> Option<&'static str> {
    let segments = || relative.split(|&byte| byte == b'/');
    // The kernel would read `a//b` as `a/b`. One file should have one address: relative links in a page would miss, and
    // caches keep two copies. The last segment of a directory is empty by right.
    let count = segments().count();
    if segments().take(count.saturating_sub(1)).any(<[u8]>::is_empty) {
        return Some("an empty segment in the path");
    }
    if hidden == Hidden::Refused && segments().any(|segment| segment.starts_with(b".")) {
        return Some("a name that begins with a dot");
    }
    None
}

/// The path below the mount as the system wants it: relative to the root.
fn c_path(below: &[u8]) -> Result<CString, HttpError> {
    let relative = below.strip_prefix(b"/").unwrap_or(below);
    let path = if relative.is_empty() { b"." } else { relative };
    // The decoder refuses %00, so this is about an index name at most.
    CString::new(path).map_err(|error| HttpError::not_found("there is nothing here").with_source(error))
}

/// The same address with a slash at its end, as a reference relative to the request (RFC 3986 section 4.2): it holds
/// behind any proxy and prefix, and can never point to another host, as one that begins with `//` would.
fn with_slash(request: &Request<'_>) -> String {
    let last = request.raw_path.rsplit('/').next().unwrap_or_default();
    // A colon would make it an absolute reference, and browsers take a backslash for a slash.
    let guard = if last.contains([':', '\\']) { "./" } else { "" };
    match request.query {
        Some(query) => format!("{guard}{last}/?{query}"),
        None => format!("{guard}{last}/"),
    }
}

/// A directory, open for reading its names.
pub(super) fn open_directory(root: &Root, relative: &[u8]) -> Result<File, HttpError> {
    let path = c_path(relative)?;
    let opened: Result<_, Errno> = root.read(&path, Kind::Directory);
    opened.map(|(file, _)| file).map_err(|errno| root.refuse(&path, errno))
}
