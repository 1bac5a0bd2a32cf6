//! Why something is not to be had: the component of the path and the reason, for whoever keeps the server.
//!
//! Found out only when it is read: what nobody logs costs nothing. From outside most of these look the same.

use std::ffi::{CStr, CString};
use std::fmt::{self, Display};
use std::fs;
use std::sync::Arc;

use rustix::fs::Access;
use rustix::io::Errno;

use super::facts::{Facts, Kind};
use super::root::Root;
use super::tree::{Links, Tree};
use crate::http::{HttpError, out_of_descriptors};

/// Why the disk is not asked, or its answer not given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    Dot,
    Glob,
    TooDeep,
    EmptySegment,
    EncodedSlash,
    FileAsDirectory,
    NoFile,
}

impl Rule {
    fn sentence(self) -> &'static str {
        match self {
            Rule::Dot => "dot-files are not served (--hidden)",
            Rule::Glob => "hidden by a pattern (--hide)",
            Rule::TooDeep => "the path has more names in it than are looked for (256)",
            Rule::EmptySegment => "the path has an empty segment, and one file has one address",
            Rule::EncodedSlash => "a slash in the path was sent as %2F, and no name has a slash in it",
            Rule::FileAsDirectory => "this is a file, and was asked for with a slash at its end",
            Rule::NoFile => "this is a device, a pipe or a socket; only files and directories are served",
        }
    }
}

/// One table from what the disk says to what a peer is told. What is missing, what leads out of the root and what no
/// file can be called all look the same from outside.
pub(super) fn refuse(root: &Arc<Root>, path: &CStr, errno: Errno) -> HttpError {
    let refusal = match errno {
        Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG | Errno::ILSEQ | Errno::LOOP | Errno::XDEV => nothing_here(),
        Errno::ACCESS | Errno::PERM => HttpError::forbidden("the server may not read this"),
        // The file is there: 404 would be a lie that caches and crawlers believe.
        Errno::MFILE | Errno::NFILE | Errno::AGAIN => out_of_descriptors(),
        _ => HttpError::internal(""),
    };
    refusal.with_source(Reason { root: Arc::clone(root), path: path.to_owned(), cause: Cause::Disk(errno) })
}

/// The refusal of what is missing, for a reason that is known already.
pub(super) fn missing(reason: &Arc<Reason>) -> HttpError {
    nothing_here().with_source(Known(Arc::clone(reason)))
}

/// A refusal that looks like a missing file.
pub(super) fn withhold(root: &Arc<Root>, path: &CStr, rule: Rule) -> HttpError {
    nothing_here().with_source(Reason { root: Arc::clone(root), path: path.to_owned(), cause: Cause::Rule(rule) })
}

/// The one refusal for whatever is not to be had.
fn nothing_here() -> HttpError {
    HttpError::not_found("there is nothing here")
}

/// What lies behind a refusal.
#[derive(Debug)]
pub(super) struct Reason {
    root: Arc<Root>,
    path: CString,
    cause: Cause,
}

#[derive(Debug)]
enum Cause {
    Rule(Rule),
    Disk(Errno),
}

impl Reason {
    /// There is no file of that path.
    pub(super) fn of_missing(root: &Arc<Root>, path: &CStr) -> Self {
        Reason { root: Arc::clone(root), path: path.to_owned(), cause: Cause::Disk(Errno::NOENT) }
    }
}

impl std::error::Error for Reason {}

/// A reason that several refusals have.
#[derive(Debug)]
struct Known(Arc<Reason>);

impl std::error::Error for Known {}

impl Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Below a share that is not there, the path is all there is to say.
        let Ok(Some((tree, inside))) = self.root.place(&self.path) else {
            return write!(f, "nothing of the name {} is shared", self.path.to_string_lossy());
        };
        let inside = inside.to_bytes();
        match self.cause {
            Cause::Rule(rule) => write!(f, "{}: {}", tree.show(inside).display(), rule.sentence()),
            Cause::Disk(errno) => explain(f, tree, inside, errno),
        }
    }
}

/// Bytes of a path, from which on the system refuses it as a whole.
const PATH_MAX: usize = 4096;

/// Goes down the path and names the component at which it ends.
fn explain(f: &mut fmt::Formatter<'_>, tree: &Tree, path: &[u8], errno: Errno) -> fmt::Result {
    let mut above: &[u8] = b".";
    for part in components(path) {
        let Ok(name) = CString::new(part) else { break };
        let shown = tree.show(part);
        match (errno, tree.own(&name)) {
            (Errno::ACCESS | Errno::PERM, _) if !allows(tree, above, Access::EXEC_OK) => {
                return lacks(f, tree, above, Access::EXEC_OK);
            }
            (Errno::NOENT, Err(Errno::NOENT)) => {
                let what = if part.len() == path.len() { "file" } else { "directory" };
                let last = part.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
                let directory = tree.show(above);
                return write!(f, "no such {what} in {}: {}", directory.display(), String::from_utf8_lossy(last));
            }
            (_, Ok(Facts { kind: Kind::Link, .. })) => match (errno, tree.links()) {
                (Errno::LOOP | Errno::NOENT, Links::Refused) => {
                    return write!(f, "{} is a link, and links are not served (--no-links)", shown.display());
                }
                (Errno::LOOP, _) => return write!(f, "{} is a link that leads back to itself", shown.display()),
                (Errno::XDEV, _) => {
                    return write!(f, "{} is a link that leads out of the root (--follow-links)", shown.display());
                }
                (Errno::NOENT, _) if tree.glance(&name).is_none() => {
                    return write!(f, "{} is a link to what is not there", shown.display());
                }
                _ => {}
            },
            (Errno::NOTDIR, Ok(facts)) if facts.kind != Kind::Directory => {
                return write!(f, "{} is no directory", shown.display());
            }
            (Errno::NAMETOOLONG, Err(Errno::NAMETOOLONG)) if path.len() < PATH_MAX => {
                return write!(f, "no name in {} can be as long as this", tree.show(above).display());
            }
            _ => {}
        }
        above = part;
    }
    match errno {
        Errno::ACCESS | Errno::PERM => lacks(f, tree, path, Access::READ_OK),
        Errno::NAMETOOLONG => write!(f, "the path is longer than the system's can be ({} bytes)", path.len()),
        errno => write!(f, "{}: {errno}", tree.show(path).display()),
    }
}

/// `a`, `a/b`, `a/b/c` of `a/b/c`.
fn components(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    let path = path.strip_suffix(b"/").unwrap_or(path);
    let slashes = memchr::memchr_iter(b'/', path).filter_map(|slash| path.get(..slash));
    slashes.chain(std::iter::once(path)).filter(|part| !part.is_empty())
}

fn allows(tree: &Tree, path: &[u8], access: Access) -> bool {
    CString::new(path).is_ok_and(|path| tree.allows(&path, access))
}

/// Mode, owner, and who asks: all one needs to mend it.
fn lacks(f: &mut fmt::Formatter<'_>, tree: &Tree, path: &[u8], access: Access) -> fmt::Result {
    let letter = if access == Access::EXEC_OK { 'x' } else { 'r' };
    let shown = tree.show(path);
    let user = rustix::process::geteuid().as_raw();
    match CString::new(path).ok().and_then(|path| tree.glance(&path)) {
        Some(facts) => write!(
            f,
            "{} is mode {:04o} and owned by {}; the server runs as {} and needs {letter} on it",
            shown.display(),
            facts.mode,
            Name(facts.owner),
            Name(user)
        ),
        None => write!(f, "{}: the server runs as {} and needs {letter} on it", shown.display(), Name(user)),
    }
}

/// A user, by name where /etc/passwd has one: to ask the system's name service could take seconds.
struct Name(u32);

impl Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.0.to_string();
        let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let name = users.lines().find_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?;
            (fields.nth(1)? == number).then_some(name)
        });
        match name {
            Some(name) => f.write_str(name),
            None => write!(f, "user {number}"),
        }
    }
}
