//! The directory that is served, and the guard that lets nothing out of it.
//!
//! Opened once: should it be renamed, the same directory is served on.

use std::ffi::{CStr, CString, OsStr};
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
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
    /// Where it really is.
    canonical: PathBuf,
    guard: Guard,
}

/// Who keeps us inside the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Guard {
    /// openat2: sound, whatever happens to the tree meanwhile.
    Kernel,
    /// Paths without links, compared with that of the root. One who may rename inside the root can slip a link in
    /// between the comparison and the opening; where that matters, a kernel with openat2 is needed.
    Canonical,
}

/// One of the two ways to open beneath a directory.
type BeneathFn = fn(BorrowedFd<'_>, &CStr) -> Result<OwnedFd, Errno>;

impl Root {
    pub(super) fn open(path: PathBuf) -> io::Result<Self> {
        let explain = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        let directory = rustix::fs::open(&path, beneath::ROOT, Mode::empty()).map_err(|errno| explain(errno.into()))?;
        let canonical = fs::canonicalize(&path).map_err(explain)?;
        let guard = match beneath::find(directory.as_fd(), c".") {
            Ok(_) => Guard::Kernel,
            // A system without it, or one that forbids it as some containers do.
            Err(errno @ (Errno::NOSYS | Errno::PERM)) => {
                log::info!("{}: no openat2 here ({errno}), going by canonical paths", path.display());
                Guard::Canonical
            }
            Err(errno) => return Err(explain(errno.into())),
        };
        Ok(Root { directory, shown: path, canonical, guard })
    }

    /// From now on guards as on a system without openat2.
    pub(super) fn go_by_canonical_paths(&mut self) {
        self.guard = Guard::Canonical;
    }

    /// What the path below the root stands for, links followed, nothing opened.
    pub(super) fn look(&self, path: &CStr) -> Result<Facts, Errno> {
        let stat = match self.guard {
            Guard::Kernel => rustix::fs::fstat(self.beneath(path, beneath::find)?)?,
            Guard::Canonical => rustix::fs::stat(&self.inside(path)?)?,
        };
        Ok(Facts::of(&stat))
    }

    /// Asks the kernel. It refuses every absolute link, and every one that goes out and comes back; where such a link
    /// leads into the root after all, its target is asked for by its own path, under the same guard.
    fn beneath(&self, path: &CStr, open: BeneathFn) -> Result<OwnedFd, Errno> {
        match open(self.directory.as_fd(), path) {
            Err(Errno::XDEV) => {
                let target = self.inside(path)?;
                let relative = target.strip_prefix(&self.canonical).map_err(|_| Errno::XDEV)?;
                let relative = if relative.as_os_str().is_empty() { Path::new(".") } else { relative };
                open(self.directory.as_fd(), &CString::new(relative.as_os_str().as_bytes()).map_err(|_| Errno::INVAL)?)
            }
            result => result,
        }
    }

    /// The canonical path, if it lies in the root.
    fn inside(&self, path: &CStr) -> Result<PathBuf, Errno> {
        let joined = self.canonical.join(OsStr::from_bytes(path.to_bytes()));
        let canonical = fs::canonicalize(joined).map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
        if canonical.starts_with(&self.canonical) { Ok(canonical) } else { Err(Errno::XDEV) }
    }

    /// What the path stands for now, without the guard: only to be compared with what was found under guard before.
    /// Equal facts are the same file, so no way around the guard opens here.
    pub(super) fn glance(&self, path: &CStr) -> Option<Facts> {
        rustix::fs::statat(&self.directory, path, AtFlags::empty()).ok().map(|stat| Facts::of(&stat))
    }

    /// Opens a file or directory that [`look`](Self::look) has found. The facts are those of what was opened: should
    /// it have become a pipe or device meanwhile, it is refused as missing.
    pub(super) fn read(&self, path: &CStr, kind: Kind) -> Result<(File, Facts), Errno> {
        let opened = match self.guard {
            Guard::Kernel => self.beneath(path, beneath::open)?,
            Guard::Canonical => rustix::fs::open(&self.inside(path)?, beneath::READ | OFlags::NOFOLLOW, Mode::empty())?,
        };
        let facts = Facts::of(&rustix::fs::fstat(&opened)?);
        if facts.kind == kind { Ok((File::from(opened), facts)) } else { Err(Errno::NOENT) }
    }

    /// One table from what the disk says to what a peer is told. What is missing, what leads out of the root and what
    /// no file can be called all look the same from outside; the log knows more.
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
