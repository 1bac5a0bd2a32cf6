//! A directory that is served with all below it, and the guard that lets nothing out of it.
//!
//! Opened once: should it be renamed, the same directory is served on (without openat2, what has its path then).

use std::ffi::{CStr, CString, OsStr};
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, Mode, OFlags};
use rustix::io::Errno;

use super::beneath;
use super::ceiling::leaves_room;
use super::facts::{Facts, Kind};

/// What is done with symbolic links.
///
/// ```
/// use ownhands::{App, Files, files::Links, testing::MockClient};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// # let root = directory.path();
/// std::fs::write(root.join("a.txt"), "a")?;
/// std::os::unix::fs::symlink("a.txt", root.join("inside"))?;
/// std::os::unix::fs::symlink("/etc/hostname", root.join("outside"))?;
///
/// for (links, inside, outside) in [(Links::Inside, 200, 404), (Links::Refused, 404, 404)] {
///     let mut app = App::new();
///     app.mount("/", Files::new(root)?.with_links(links))?;
///     let mut client = MockClient::new(app);
///     assert_eq!((client.get("/inside").status(), client.get("/outside").status()), (inside, outside));
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Links {
    /// Followed inside the root; what leads out of it is answered as missing.
    #[default]
    Inside,
    /// Followed wherever they lead: whoever can make a link below the root can show any file the server may read.
    Followed,
    /// Answered as missing.
    Refused,
}

/// A directory and what is below it.
#[derive(Debug)]
pub(crate) struct Tree {
    directory: OwnedFd,
    /// As it was given, for the log.
    shown: PathBuf,
    /// Where it really is.
    canonical: PathBuf,
    guard: Guard,
    links: Links,
}

/// Who keeps us inside the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Guard {
    /// openat2: sound, whatever happens to the tree meanwhile.
    Kernel,
    /// Paths without links, compared with that of the root. One who may rename inside the root can slip a link in
    /// between the comparison and the opening; where that matters, a kernel with openat2 is needed.
    Canonical,
}

/// One of the two ways to open beneath a directory.
type BeneathFn = fn(BorrowedFd<'_>, &CStr, Links) -> Result<OwnedFd, Errno>;

impl Tree {
    pub(crate) fn open(path: PathBuf) -> io::Result<Self> {
        let explain = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        let directory = rustix::fs::open(&path, beneath::ROOT, Mode::empty()).map_err(|errno| explain(errno.into()))?;
        let canonical = fs::canonicalize(&path).map_err(explain)?;
        let guard = match beneath::find(directory.as_fd(), c".", Links::Inside) {
            Ok(_) => Guard::Kernel,
            // A system without it, or one that forbids it as some containers do.
            Err(errno @ (Errno::NOSYS | Errno::PERM)) => {
                log::info!("{}: no openat2 here ({errno}), going by canonical paths", path.display());
                Guard::Canonical
            }
            Err(errno) => return Err(explain(errno.into())),
        };
        Ok(Tree { directory, shown: path, canonical, guard, links: Links::Inside })
    }

    pub(super) fn set_links(&mut self, links: Links) {
        self.links = links;
    }

    pub(super) fn links(&self) -> Links {
        self.links
    }

    /// From now on guards as on a system without openat2.
    pub(super) fn go_by_canonical_paths(&mut self) {
        self.guard = Guard::Canonical;
    }

    /// What the path below the root stands for, links followed, nothing opened.
    pub(crate) fn look(&self, path: &CStr) -> Result<Facts, Errno> {
        let stat = match self.guard {
            Guard::Kernel => rustix::fs::fstat(self.beneath(path, beneath::find)?)?,
            Guard::Canonical => rustix::fs::stat(&self.inside(path)?)?,
        };
        Ok(Facts::of(&stat))
    }

    /// Asks the kernel. It refuses every absolute link, and every one that goes out and comes back; where such a link
    /// leads into the root after all, its target is asked for by its own path, under the same guard.
    fn beneath(&self, path: &CStr, open: BeneathFn) -> Result<OwnedFd, Errno> {
        match open(self.directory.as_fd(), path, self.links) {
            Err(Errno::XDEV) if self.links == Links::Inside => {
                let target = self.inside(path)?;
                let relative = target.strip_prefix(&self.canonical).map_err(|_| Errno::XDEV)?;
                let relative = if relative.as_os_str().is_empty() { Path::new(".") } else { relative };
                let relative = CString::new(relative.as_os_str().as_bytes()).map_err(|_| Errno::INVAL)?;
                open(self.directory.as_fd(), &relative, self.links)
            }
            result => result,
        }
    }

    /// The canonical path, if the links on the way may be followed.
    fn inside(&self, path: &CStr) -> Result<PathBuf, Errno> {
        let joined = self.canonical.join(OsStr::from_bytes(path.to_bytes()));
        let canonical = fs::canonicalize(&joined).map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
        match self.links {
            Links::Inside if !canonical.starts_with(&self.canonical) => Err(Errno::XDEV),
            // Paths are compared by their names: a final slash or dot is none.
            Links::Refused if canonical != joined => Err(Errno::LOOP),
            _ => Ok(canonical),
        }
    }

    /// What the path stands for now, without the guard: only to be compared with what was found under guard before.
    /// Equal facts are the same file with the same bytes: what was moved out and linked to from its old place is served
    /// on until it changes, and nothing else is.
    pub(super) fn glance(&self, path: &CStr) -> Option<Facts> {
        rustix::fs::statat(&self.directory, path, AtFlags::empty()).ok().map(|stat| Facts::of(&stat))
    }

    /// What the last name of the path stands for itself, without the guard: a link is a link.
    pub(super) fn own(&self, path: &CStr) -> Result<Facts, Errno> {
        rustix::fs::statat(&self.directory, path, AtFlags::SYMLINK_NOFOLLOW).map(|stat| Facts::of(&stat))
    }

    /// True if the server may do this with what is there.
    pub(super) fn allows(&self, path: &CStr, access: Access) -> bool {
        rustix::fs::accessat(&self.directory, path, access, AtFlags::EACCESS).is_ok()
    }

    /// Opens a file or directory that [`look`](Self::look) has found. The facts are those of what was opened: should
    /// it have become a pipe or device meanwhile, it is refused as missing.
    pub(super) fn read(&self, path: &CStr, kind: Kind) -> Result<(File, Facts), Errno> {
        let opened = match self.guard {
            Guard::Kernel => self.beneath(path, beneath::open)?,
            Guard::Canonical => rustix::fs::open(&self.inside(path)?, beneath::READ | OFlags::NOFOLLOW, Mode::empty())?,
        };
        if !leaves_room(&opened) {
            return Err(Errno::MFILE);
        }
        let facts = Facts::of(&rustix::fs::fstat(&opened)?);
        if facts.kind == kind { Ok((File::from(opened), facts)) } else { Err(Errno::NOENT) }
    }

    /// Where the path leads from outside, for who stands elsewhere: a path of the system, of which nothing is guarded.
    pub(crate) fn outside(&self, path: &CStr) -> PathBuf {
        self.canonical.join(OsStr::from_bytes(path.to_bytes()))
    }

    /// The path as the log has it.
    pub(crate) fn show(&self, path: &[u8]) -> PathBuf {
        match path {
            b"" | b"." => self.shown.clone(),
            // Never taken for an absolute one, whatever a peer has sent.
            [b'/', ..] => self.shown.join(OsStr::from_bytes(&[b".", path].concat())),
            path => self.shown.join(OsStr::from_bytes(path)),
        }
    }
}
