//! All that is in a directory and below it, one thing after the other, in the order in which the disk has it.
//!
//! A walk holds one open directory, however deep it stands: of those above it keeps the place where it left off, and
//! opens them again, from the root and under its guard. It follows no link, and passes over devices, pipes and sockets.
//! A page that stands for a directory below does not hide what else is in there.
//!
//! What vanishes before its turn is passed over; what the server may not read, or no path is long enough to reach, is
//! left out, and the log says so. Whatever else goes wrong ends the walk with an error: nobody is to take a part for
//! the whole.

use std::ffi::CString;
use std::io;
use std::sync::Arc;

use rustix::io::Errno;

use super::directory::Directory;
use super::facts::{Facts, Kind};
use super::policy::Policy;
use super::resolve::{self, Ground};
use super::root::Root;
use super::why;
use crate::http::HttpError;

/// Directories within each other. The kernel takes no path of more than 4096 bytes, so none can lie deeper: this only
/// says how much memory a walk may take, which is 48 KiB of places.
const MAX_DEPTH: usize = 2048;

/// A walk under way.
pub(super) struct Walk {
    pub(super) root: Arc<Root>,
    policy: Arc<Policy>,
    /// Of the directory that is being read: empty for the root, or ends in `/`.
    path: Vec<u8>,
    /// Length of the path of the directory where the walk began.
    begin: usize,
    /// The directory that is being read; `None` when it is at its end.
    open: Option<Directory>,
    here: Level,
    /// The directories above, in which the walk goes on later.
    above: Vec<Level>,
    name: Vec<u8>,
    /// Counted, so that there are not too many.
    _ticket: Arc<()>,
    /// On the directory where the walk began, as it was then.
    pub(super) facts: Facts,
}

/// A directory in which the walk stands.
#[derive(Clone, Copy)]
struct Level {
    /// Of its path.
    length: usize,
    /// Which one it is.
    inode: u64,
    /// Behind the last name that was read.
    place: i64,
}

/// What one step of a walk comes to.
pub(super) enum Step {
    Found(Entry),
    /// Nothing to be had; there is more.
    Passed,
    Done,
}

/// Something that was found.
pub(super) struct Entry {
    /// From the root.
    pub(super) path: Vec<u8>,
    pub(super) what: What,
    /// Its own: those of a link are not those of its target.
    pub(super) facts: Facts,
}

pub(super) enum What {
    /// The path ends in `/`.
    Directory,
    File,
    /// With what it says.
    Link(CString),
}

impl Walk {
    /// Begins at a directory, whose path is empty or ends in `/`.
    pub(super) fn open(ground: &Ground, directory: Vec<u8>, ticket: Arc<()>) -> Result<Self, HttpError> {
        let path = resolve::c_path(&directory)?;
        let refuse = |errno| why::refuse(&ground.root, &path, errno);
        let (open, facts) = ground.root.directory(&path).map_err(refuse)?;
        Ok(Walk {
            root: Arc::clone(&ground.root),
            policy: Arc::clone(&ground.policy),
            begin: directory.len(),
            open: Some(open),
            here: Level { length: directory.len(), inode: facts.inode, place: 0 },
            path: directory,
            above: Vec::new(),
            name: Vec::new(),
            _ticket: ticket,
            facts,
        })
    }

    /// The path of something found, from where the walk began.
    pub(super) fn below<'a>(&self, entry: &'a Entry) -> &'a [u8] {
        entry.path.get(self.begin..).unwrap_or_default()
    }

    /// Looks at the next name, or goes back up by one directory.
    pub(super) fn step(&mut self) -> io::Result<Step> {
        let Some(mut directory) = self.open.take() else {
            let Some(level) = self.above.pop() else { return Ok(Step::Done) };
            return self.resume(level).map(|()| Step::Passed);
        };
        self.name.clear();
        match directory.next(&self.root, &mut self.name) {
            Ok(Some(place)) => self.here.place = place,
            Ok(None) => return Ok(Step::Passed),
            Err(error) => return Err(told(&self.root, &self.path, Errno::from_io_error(&error).unwrap_or(Errno::IO))),
        }
        if !self.policy.shows(&self.root, &self.path, &self.name) {
            self.open = Some(directory);
            return Ok(Step::Passed);
        }
        let path = [self.path.as_slice(), &self.name].concat();
        match directory.own(&self.root, &self.name) {
            Ok(facts) if facts.kind == Kind::Directory => self.descend(directory, path, facts),
            Ok(facts) => {
                let what = self.weigh(&directory, facts);
                self.open = Some(directory);
                self.found(path, what, facts)
            }
            Err(errno) => {
                self.open = Some(directory);
                self.found(path, Err(errno), Facts::SHARES)
            }
        }
    }

    /// What that is no directory may be had as, if at all.
    fn weigh(&self, directory: &Directory, facts: Facts) -> Result<Option<What>, Errno> {
        match facts.kind {
            Kind::File => Ok(Some(What::File)),
            Kind::Link if !self.root.refuses_links() => directory.read_link(&self.name).map(What::Link).map(Some),
            _ => Ok(None),
        }
    }

    fn found(&self, path: Vec<u8>, what: Result<Option<What>, Errno>, facts: Facts) -> io::Result<Step> {
        match what {
            Ok(Some(what)) => Ok(Step::Found(Entry { path, what, facts })),
            Ok(None) => Ok(Step::Passed),
            Err(errno) => pass_over(&self.root, &path, errno).map(|()| Step::Passed),
        }
    }

    /// Goes on in a directory within this one, if it can be read.
    fn descend(&mut self, above: Directory, mut path: Vec<u8>, facts: Facts) -> io::Result<Step> {
        path.push(b'/');
        let opened = if self.above.len() < MAX_DEPTH {
            c_path(&path).and_then(|path| self.root.directory(&path))
        } else {
            Err(Errno::NAMETOOLONG)
        };
        match opened {
            // A link that took its place meanwhile may lead to another.
            Ok((directory, now)) if now.inode == facts.inode => {
                self.above.push(self.here);
                self.here = Level { length: path.len(), inode: facts.inode, place: 0 };
                self.path.clone_from(&path);
                self.open = Some(directory);
                self.found(path, Ok(Some(What::Directory)), facts)
            }
            opened => {
                self.open = Some(above);
                self.found(path, opened.map(|_| None), facts)
            }
        }
    }

    /// Goes on in a directory above. What was read of it is sent already: if it is gone now, the rest is lost.
    fn resume(&mut self, level: Level) -> io::Result<()> {
        self.path.truncate(level.length);
        let opened = c_path(&self.path).and_then(|path| self.root.directory(&path));
        let (mut directory, now) = opened.map_err(|errno| told(&self.root, &self.path, errno))?;
        if now.inode != level.inode {
            return Err(told(&self.root, &self.path, Errno::STALE));
        }
        directory.seek(level.place)?;
        self.here = level;
        self.open = Some(directory);
        Ok(())
    }
}

/// Passes over what cannot be had, and says so where that is no matter of time.
///
/// # Errors
/// Where more than this one thing is wrong.
pub(super) fn pass_over(root: &Arc<Root>, path: &[u8], errno: Errno) -> io::Result<()> {
    match errno {
        // Deleted, or replaced by something else, since its name was read.
        Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::XDEV => Ok(()),
        Errno::ACCESS | Errno::PERM | Errno::NAMETOOLONG => {
            log::info!("left out: {}", told(root, path, errno));
            Ok(())
        }
        errno => Err(told(root, path, errno)),
    }
}

/// An error that names what it is about.
pub(super) fn told(root: &Arc<Root>, path: &[u8], errno: Errno) -> io::Error {
    let reason = c_path(path).ok().and_then(|path| why::refuse(root, &path, errno).source);
    let kind = io::Error::from(errno).kind();
    reason.map_or(errno.into(), |reason| io::Error::new(kind, reason))
}

/// A path from the root as the system wants it.
pub(super) fn c_path(path: &[u8]) -> Result<CString, Errno> {
    CString::new(if path.is_empty() { b"." } else { path }).map_err(|_| Errno::INVAL)
}
