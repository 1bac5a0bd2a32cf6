//! From the path of a request to a thing on disk, or to the reason why not.

use std::cell::Cell;
use std::ffi::{CStr, CString};
use std::fs::File;
use std::sync::Arc;

use rustix::io::Errno;

use super::facts::{Facts, Kind};
use super::policy::Policy;
use super::root::Root;
use super::why::{self, Rule};
use crate::http::{HttpError, Now, Request, Status};

/// What a path stands for.
#[derive(Debug)]
pub(super) enum Found {
    /// A regular file, open.
    File(Opened),
    /// A page that is meant by a path without its ending; its own path, and nothing opened.
    Page(CString),
    /// Nothing is there: neither the path, which is the first, nor the page that it could mean.
    Nothing([CString; 2]),
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

/// Where is looked, and for what.
#[derive(Debug)]
pub(super) struct Ground {
    pub(super) root: Arc<Root>,
    pub(super) policy: Arc<Policy>,
    /// The page that stands for a directory; empty if none does.
    pub(super) index: Vec<u8>,
    /// The number of a turn, and what the root was in it: most of what is missing is missing there.
    glanced: Cell<(u64, Option<Facts>)>,
}

impl Ground {
    pub(super) fn new(root: Root) -> Self {
        let policy = Arc::new(Policy::new());
        Ground { root: Arc::new(root), policy, index: b"index.html".to_vec(), glanced: Cell::default() }
    }

    /// What a directory is in this turn: only to be compared with what it was. The root is looked at once a turn.
    pub(super) fn glance(&self, directory: &CStr, now: &Now) -> Option<Facts> {
        if directory != c"." {
            return self.root.glance(directory);
        }
        let (turn, facts) = self.glanced.get();
        if turn == now.turn_number() {
            return facts;
        }
        let facts = self.root.glance(directory);
        self.glanced.set((now.turn_number(), facts));
        facts
    }

    /// Refuses `%2F`: a slash that is data can be in no file name, and decoded it would cut one name into two.
    pub(super) fn refuse_encoded_slash(&self, request: &Request<'_>) -> Result<(), HttpError> {
        let raw = request.raw_path.as_bytes();
        if !raw.contains(&b'%') {
            return Ok(());
        }
        let mut escapes = memchr::memchr_iter(b'%', raw).filter_map(|at| raw.get(at + 1..at + 3));
        match escapes.any(|digits| digits.eq_ignore_ascii_case(b"2f")) {
            false => Ok(()),
            true => Err(why::withhold(&self.root, &c_path(request.path_below_mount())?, Rule::EncodedSlash)),
        }
    }

    /// Finds what the path of the request stands for.
    pub(super) fn find(&self, request: &Request<'_>) -> Result<Found, HttpError> {
        let below = request.path_below_mount();
        let relative = below.strip_prefix(b"/").unwrap_or(below);
        let path = c_path(below)?;
        if let Some(rule) = self.policy.fault(&self.root, relative) {
            return Err(why::withhold(&self.root, &path, rule));
        }
        let facts = match self.root.look(&path) {
            Ok(facts) => facts,
            Err(errno) => return self.find_page(path, errno),
        };
        match facts.kind {
            Kind::File if relative.ends_with(b"/") => Err(why::withhold(&self.root, &path, Rule::FileAsDirectory)),
            Kind::File => self.open(path).map(Found::File),
            Kind::Directory if !below.ends_with(b"/") => Ok(Found::Elsewhere(with_slash(request))),
            Kind::Directory => self.find_index(relative),
            _ => Err(why::withhold(&self.root, &path, Rule::NoFile)),
        }
    }

    /// What is not there may be a page asked for without its ending: `/about` is `about.html`.
    fn find_page(&self, path: CString, errno: Errno) -> Result<Found, HttpError> {
        let refusal = || why::refuse(&self.root, &path, errno);
        if errno != Errno::NOENT || path.as_bytes().ends_with(b"/") {
            return Err(refusal());
        }
        let page = CString::new([path.as_bytes(), b".html"].concat()).map_err(|_| refusal())?;
        let is_shown = self.policy.fault(&self.root, page.as_bytes()).is_none();
        match self.root.look(&page) {
            Ok(Facts { kind: Kind::File, .. }) if is_shown => Ok(Found::Page(page)),
            Err(Errno::NOENT) => Ok(Found::Nothing([path, page])),
            _ => Err(refusal()),
        }
    }

    /// The index page of a directory, or the directory itself. What is no page a peer may have (missing, a directory, a
    /// link that leads out) leaves the directory without one; a page that cannot be read now is refused, not passed
    /// over.
    fn find_index(&self, directory: &[u8]) -> Result<Found, HttpError> {
        let path = match self.root.only_file() {
            Some(name) if directory.is_empty() => c_path(name)?,
            _ => c_path(&[directory, &self.index].concat())?,
        };
        if self.index.is_empty() || self.policy.hides(path.as_bytes(), &self.index) {
            return Ok(Found::Directory(directory.to_vec()));
        }
        match self.root.look(&path) {
            Ok(Facts { kind: Kind::File, .. }) => return self.open(path).map(Found::File),
            Ok(_) => {}
            Err(errno) => {
                let refusal = why::refuse(&self.root, &path, errno);
                if refusal.status != Status::NOT_FOUND {
                    return Err(refusal);
                }
            }
        }
        Ok(Found::Directory(directory.to_vec()))
    }

    /// True if a directory that was asked for without its slash has an index page.
    pub(super) fn has_index(&self, request: &Request<'_>) -> bool {
        let below = request.path_below_mount();
        let directory = match below.strip_prefix(b"/").unwrap_or(below) {
            b"" => Vec::new(),
            name => [name, b"/"].concat(),
        };
        matches!(self.find_index(&directory), Ok(Found::File(_)))
    }

    /// True if the name of the index page is that of a link: whether it leads to a page may change without a trace in
    /// the directory.
    pub(super) fn has_index_link(&self, directory: &[u8]) -> bool {
        let path = c_path(&[directory, &self.index].concat());
        !self.index.is_empty()
            && path.is_ok_and(|path| self.root.own(&path).is_ok_and(|facts| facts.kind == Kind::Link))
    }

    /// A file of that path below the root; `None` if there is none that a peer may have.
    pub(super) fn file(&self, path: &[u8]) -> Result<Option<Opened>, HttpError> {
        let path = c_path(path)?;
        match self.root.look(&path) {
            Ok(Facts { kind: Kind::File, .. }) if self.policy.fault(&self.root, path.as_bytes()).is_none() => {
                self.open(path).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn open(&self, path: CString) -> Result<Opened, HttpError> {
        match self.root.read(&path) {
            Ok((file, facts)) => Ok(Opened { path, file, facts }),
            Err(errno) => Err(why::refuse(&self.root, &path, errno)),
        }
    }
}

/// The path below the mount as the system wants it: relative to the root.
pub(super) fn c_path(below: &[u8]) -> Result<CString, HttpError> {
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
