//! Where long bodies lie while they come: files without a name, in the temporary directory or in
//! one that nobody else sees.
//!
//! A process that is locked in finds no temporary directory, or must not write in it. So the private one is made and
//! opened before, and every body is created relative to that descriptor, which works inside any root.

use std::fs::{File, Permissions};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;

/// Where long bodies lie; a part of the server's [`Config`](crate::Config).
///
/// ```
/// use ownhands::{Config, connection::Bodies};
///
/// # fn main() -> std::io::Result<()> {
/// let config = Config { bodies: Bodies::private()?, ..Config::default() };
/// assert!(config.bodies.directory().is_some()); // for whoever locks the process in
/// assert!(Config::default().bodies.directory().is_none());
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Bodies(Option<Arc<Private>>);

/// A directory of this process alone.
#[derive(Debug)]
struct Private {
    directory: OwnedFd,
    /// Counts the names, where a file needs one for a moment.
    files: AtomicUsize,
    kept: Option<Kept>,
}

/// The name of a directory that could not go before its use.
#[derive(Debug)]
struct Kept {
    above: OwnedFd,
    name: PathBuf,
}

/// A body is its server's business only.
const OWN_FILE: Mode = Mode::RUSR.union(Mode::WUSR);

/// Names that are tried for a file in the private directory: nobody else has any in it, but a
/// crashed one may have left some.
const NAMES_TRIED: usize = 100;

impl Bodies {
    /// In a new directory of mode 0700 in the temporary one. Where the file system lets files be created in a directory
    /// that is removed already (tmpfs does, ext4 does not), it has no name from now on, and nothing is left behind by a
    /// process that is killed; elsewhere it is removed when the last copy of this is dropped.
    ///
    /// # Errors
    /// What the system says when the temporary directory cannot be written.
    pub fn private() -> io::Result<Self> {
        Bodies::private_in(&std::env::temp_dir())
    }

    fn private_in(temporary: &Path) -> io::Result<Self> {
        let above = rustix::fs::open(temporary, PLACE, Mode::empty())?;
        let first = Kept::make(temporary, above.try_clone()?)?;
        let directory = first.open()?;
        drop(first);
        let nameless = Private { directory, files: AtomicUsize::new(0), kept: None };
        if nameless.create().is_ok() {
            return Ok(Bodies(Some(Arc::new(nameless))));
        }
        let kept = Kept::make(temporary, above)?;
        let directory = kept.open()?;
        Ok(Bodies(Some(Arc::new(Private { directory, files: AtomicUsize::new(0), kept: Some(kept) }))))
    }

    /// The private directory, if it is one.
    #[must_use]
    pub fn directory(&self) -> Option<BorrowedFd<'_>> {
        self.0.as_deref().map(|private| private.directory.as_fd())
    }

    /// The directory out of which the private one is removed at the end; `None` where it has no name any more.
    #[must_use]
    pub fn above(&self) -> Option<BorrowedFd<'_>> {
        self.0.as_deref().and_then(|private| private.kept.as_ref()).map(|kept| kept.above.as_fd())
    }

    /// A file without a name.
    pub(crate) fn create(&self) -> io::Result<File> {
        match &self.0 {
            Some(private) => private.create(),
            None => tempfile::tempfile(),
        }
    }
}

/// Two are the same if they are one directory.
impl PartialEq for Bodies {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (None, None) => true,
            _ => false,
        }
    }
}

impl Eq for Bodies {}

/// To look names up in, not to list them: nobody needs the right to.
const PLACE: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

impl Private {
    fn create(&self) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::CLOEXEC;
        match rustix::fs::openat(&self.directory, c".", flags | OFlags::TMPFILE, OWN_FILE) {
            // What file systems say that cannot do it, and kernels before it was there.
            Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL) => self.create_named(),
            other => Ok(File::from(other?)),
        }
    }

    /// With a name, for the moment that it takes to remove it.
    fn create_named(&self) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::CREATE | OFlags::EXCL;
        for _ in 0..NAMES_TRIED {
            let name = format!("body-{}", self.files.fetch_add(1, Ordering::Relaxed));
            match rustix::fs::openat(&self.directory, &name, flags, OWN_FILE) {
                Err(Errno::EXIST) => {}
                other => {
                    let file = other?;
                    rustix::fs::unlinkat(&self.directory, &name, AtFlags::empty())?;
                    return Ok(File::from(file));
                }
            }
        }
        Err(Errno::EXIST.into())
    }
}

impl Kept {
    /// A directory of a name that nobody can guess.
    fn make(temporary: &Path, above: OwnedFd) -> io::Result<Self> {
        let own = Permissions::from_mode(0o700);
        let path = tempfile::Builder::new().prefix("ownhands-").permissions(own).tempdir_in(temporary)?.keep();
        let name = path.file_name().ok_or(Errno::INVAL)?.into();
        Ok(Kept { above, name })
    }

    fn open(&self) -> io::Result<OwnedFd> {
        Ok(rustix::fs::openat(&self.above, &self.name, PLACE | OFlags::NOFOLLOW, Mode::empty())?)
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if let Err(errno) = rustix::fs::unlinkat(&self.above, &self.name, AtFlags::REMOVEDIR) {
            log::debug!("{} stays: {errno}", self.name.display());
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use std::fs;
    use std::io::{Read, Seek, Write};

    use super::*;

    fn is_used(mut file: File) -> bool {
        let mut text = String::new();
        file.write_all(b"a body").unwrap();
        file.rewind().unwrap();
        file.read_to_string(&mut text).unwrap() == 6 && text == "a body"
    }

    /// The temporary directory, and one in memory where there is: their file systems can do different things.
    fn places() -> Vec<tempfile::TempDir> {
        let memory = tempfile::tempdir_in("/dev/shm").ok();
        [tempfile::tempdir().ok(), memory].into_iter().flatten().collect()
    }

    #[test]
    fn private_bodies_have_no_names_and_leave_nothing_behind() {
        for place in places() {
            let names = || fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
            let bodies = Bodies::private_in(place.path()).unwrap();
            assert!(is_used(bodies.create().unwrap()) && is_used(bodies.create().unwrap()));
            match bodies.above() {
                None => assert_eq!(names(), Vec::<PathBuf>::new()),
                Some(_) => {
                    let [directory] = &names()[..] else { panic!("{:?}", names()) };
                    assert_eq!(fs::metadata(directory).unwrap().permissions().mode() & 0o777, 0o700);
                    assert_eq!(fs::read_dir(directory).unwrap().count(), 0);
                }
            }
            let copy = bodies.clone();
            assert!(copy == bodies && copy != Bodies::default());
            drop(bodies);
            assert!(is_used(copy.create().unwrap()));
            drop(copy);
            assert_eq!(names(), Vec::<PathBuf>::new());
        }
    }

    #[test]
    fn a_name_is_there_for_a_moment_only() {
        let place = tempfile::tempdir().unwrap();
        let directory = rustix::fs::open(place.path(), PLACE, Mode::empty()).unwrap();
        let private = Private { directory, files: AtomicUsize::new(0), kept: None };
        for left in ["body-0", "body-1"] {
            fs::write(place.path().join(left), "of one that was killed").unwrap();
        }
        assert!(is_used(private.create_named().unwrap()) && is_used(private.create_named().unwrap()));
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 2);
    }
}
