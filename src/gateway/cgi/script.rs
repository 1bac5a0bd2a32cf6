//! Which program a path means, and what of the path is left for it.
//!
//! The names of the path are gone down one by one, beneath the directory, with the guard that keeps files inside their
//! root: the first that is no directory is the script, or there is none.

use std::ffi::{CString, OsString};
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use crate::files::{Kind, Tree};
use crate::http::{HttpError, Request};

/// Directories within each other: a link to its own directory has no end.
const DEEPEST: usize = 32;

/// Scripts that write to the connection themselves are called so (RFC 3875 section 5), and no script does that here.
const PARSES_NO_HEADER: &[u8] = b"nph-";

/// Those who may start it: owner, group, others.
const MAY_BE_STARTED: u32 = 0o111;

/// A script, as a path means it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Script {
    pub(super) path: PathBuf,
    /// `SCRIPT_NAME`
    pub(super) name: OsString,
    /// `PATH_INFO`
    pub(super) info: OsString,
}

impl Script {
    /// The directory that it lies in.
    pub(super) fn directory(&self) -> Option<&Path> {
        self.path.parent()
    }

    /// # Errors
    /// 404 where there is none, 403 where it may not be started; the log says why.
    pub(super) fn find(tree: &Tree, request: &Request<'_>) -> Result<Script, HttpError> {
        let below = request.path_below_mount();
        let path = below.strip_prefix(b"/").ok_or_else(|| nothing_here("this names no script"))?;
        if request.raw_path.to_ascii_lowercase().contains("%2f") {
            let why = "a slash in the path was sent as %2F, and a script could not tell it from the others";
            return Err(nothing_here(&format!("{}: {why}", shown(tree, path))));
        }
        let mut end = 0_usize;
        for name in path.split(|&byte| byte == b'/').take(DEEPEST) {
            end = end.saturating_add(name.len());
            let (own, info) = path.split_at_checked(end).unwrap_or((path, b""));
            if let Some(place) = look(tree, own, name)? {
                let name = [request.mount.as_bytes(), b"/", own].concat();
                return Ok(Script {
                    path: place,
                    name: OsString::from_vec(name),
                    info: OsString::from_vec(info.into()),
                });
            }
            end = end.saturating_add(1);
        }
        Err(nothing_here(&format!("{}: this is a directory, and no script in it is named", shown(tree, path))))
    }
}

/// Where a script is; `None`: this is a directory.
fn look(tree: &Tree, path: &[u8], name: &[u8]) -> Result<Option<PathBuf>, HttpError> {
    let withhold = |why: &str| Err(nothing_here(&format!("{}: {why}", shown(tree, path))));
    if name.is_empty() {
        return withhold("this is a directory, and an empty name is none in it");
    }
    if name.starts_with(b".") {
        return withhold("names that begin with a dot are not for peers");
    }
    let Ok(own) = CString::new(path) else { return withhold("there is a zero byte in it") };
    let facts = match tree.look(&own) {
        Ok(facts) => facts,
        Err(errno) => return Err(refusal(errno, &shown(tree, path))),
    };
    match facts.kind {
        Kind::Directory => Ok(None),
        Kind::File if name.starts_with(PARSES_NO_HEADER) => {
            withhold("a script of that name writes to the connection itself, which none may here")
        }
        Kind::File if facts.mode & MAY_BE_STARTED == 0 => {
            let why = format!("{}: mode {:04o} lets nobody start it", shown(tree, path), facts.mode);
            Err(HttpError::forbidden("this is no program").with_source(io::Error::other(why)))
        }
        Kind::File => Ok(Some(tree.outside(&own))),
        _ => withhold("this is neither a file nor a directory"),
    }
}

/// What leads out of the directory looks like what is missing.
fn refusal(errno: Errno, shown: &str) -> HttpError {
    match errno {
        Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG | Errno::ILSEQ => nothing_here(&format!("{shown}: {errno}")),
        Errno::XDEV => nothing_here(&format!("{shown}: a link leads out of the directory of the scripts")),
        Errno::LOOP => nothing_here(&format!("{shown}: a link leads back to itself")),
        Errno::ACCESS | Errno::PERM => HttpError::forbidden("the server may not look there")
            .with_source(io::Error::other(format!("{shown}: {errno}"))),
        errno => HttpError::internal(io::Error::other(format!("{shown}: {errno}"))),
    }
}

fn nothing_here(why: &str) -> HttpError {
    HttpError::not_found("there is nothing here").with_source(io::Error::other(why.to_owned()))
}

fn shown(tree: &Tree, path: &[u8]) -> String {
    tree.show(path).display().to_string()
}
