//! The directory that is served, and the guard that lets nothing out of it.
//!
//! Opened once: should it be renamed, the same directory is served on.

use std::ffi::{CStr, OsStr};
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;

use super::beneath;
use super::facts::{Facts, Kind};
use crate::http::{HttpError, Status};

/// The root.
#[derive(Debug)]
pub(super) struct Root {
    directory: OwnedFd,
    /// As it was given, for the log.
    shown: PathBuf,
    guard: Guard,
}

/// Who keeps us inside the root.
#[derive(Debug)]
enum Guard {
    /// openat2: sound, whatever happens to the tree meanwhile.
    Kernel,
    /// Paths without links, compared with that of the root. One who may rename inside the root can slip a link in between
    /// the comparison and the opening; where that matters, a kernel with openat2 is needed.
    Canonical(PathBuf),
}

impl Root {
    pub(super) fn open(path: PathBuf) -> io::Result<Self> {
        let explain = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        let directory = rustix::fs::open(&path, beneath::ROOT, Mode::empty()).map_err(|errno| explain(errno.into()))?;
        let guard = match beneath::find(directory.as_fd(), c".") {
            Ok(_) => Guard::Kernel,
            Err(errno) => {
                log::info!("{}: no openat2 here ({errno}), going by canonical paths", path.display());
                Guard::Canonical(fs::canonicalize(&path).map_err(explain)?)
            }
        };
        Ok(Root { directory, shown: path, guard })
    }

    /// The same root, guarded as on a system without openat2.
    pub(super) fn by_canonical_paths(self) -> io::Result<Self> {
        Ok(Root { guard: Guard::Canonical(fs::canonicalize(&self.shown)?), ..self })
    }

    /// What the path below the root stands for, links followed, nothing opened.
    pub(super) fn look(&self, path: &CStr) -> Result<Facts, Errno> {
        let stat = match &self.guard {
            Guard::Kernel => rustix::fs::fstat(beneath::find(self.directory.as_fd(), path)?)?,
            Guard::Canonical(root) => rustix::fs::stat(&inside(root, path)?)?,
        };
        Ok(Facts::of(&stat))
    }

    /// What the path stands for now, without the guard: only to be compared with what was found under guard before.
    /// Equal facts are the same file, so no way around the guard opens here.
    pub(super) fn glance(&self, path: &CStr) -> Option<Facts> {
        rustix::fs::statat(&self.directory, path, AtFlags::empty()).ok().map(|stat| Facts::of(&stat))
    }

    /// Opens a file or directory that [`look`](Self::look) has found. The facts are those of what was opened: should it have
    /// become a pipe or device meanwhile, it is refused as missing.
    pub(super) fn read(&self, path: &CStr, kind: Kind) -> Result<(File, Facts), Errno> {
        let opened = match &self.guard {
            Guard::Kernel => beneath::open(self.directory.as_fd(), path)?,
            Guard::Canonical(root) => {
                rustix::fs::open(&inside(root, path)?, beneath::READ | OFlags::NOFOLLOW, Mode::empty())?
            }
        };
        let facts = Facts::of(&rustix::fs::fstat(&opened)?);
        if facts.kind == kind { Ok((File::from(opened), facts)) } else { Err(Errno::NOENT) }
    }

    /// One table from what the disk says to what a peer is told. What is missing, what leads out of the root and what no
    /// file can be called all look the same from outside; the log knows more.
    pub(super) fn refuse(&self, path: &CStr, errno: Errno) -> HttpError {
        let mut reason = errno.to_string();
        let refusal = match errno {
            Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG | Errno::ILSEQ | Errno::LOOP => nothing_here(),
            Errno::XDEV => {
                reason = "leads out of the root".to_owned();
                nothing_here()
            }
            Errno::ACCESS | Errno::PERM => HttpError::forbidden("the server may not read this"),
            // The file is there: 404 would be a lie that caches and crawlers believe.
            Errno::MFILE | Errno::NFILE | Errno::AGAIN => {
                let detail = "the server cannot open another file just now; try again in a second";
                HttpError::new(Status::SERVICE_UNAVAILABLE, detail).with_header("Retry-After", "1")
            }
            _ => return HttpError::internal(format!("{}: {errno}", self.show(path))),
        };
        refusal.with_source(format!("{}: {reason}", self.show(path)))
    }

    /// A refusal that looks like a missing file, whose true reason is for the log.
    pub(super) fn hide(&self, path: &CStr, reason: &str) -> HttpError {
        nothing_here().with_source(format!("{}: {reason}", self.show(path)))
    }

    fn show(&self, path: &CStr) -> String {
        self.shown.join(OsStr::from_bytes(path.to_bytes())).display().to_string()
    }
}

/// The one refusal for whatever is not to be had.
fn nothing_here() -> HttpError {
    HttpError::not_found("there is nothing here")
}

/// The canonical path, if it lies in the root.
fn inside(root: &Path, path: &CStr) -> Result<PathBuf, Errno> {
    let joined = root.join(OsStr::from_bytes(path.to_bytes()));
    let canonical = fs::canonicalize(joined).map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
    if canonical.starts_with(root) { Ok(canonical) } else { Err(Errno::XDEV) }
}
