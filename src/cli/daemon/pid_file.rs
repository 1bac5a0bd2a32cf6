//! The pid file: it says that a server is there, by its lock, and which process that is, by its number.
//!
//! The lock alone decides. It belongs to the open file (flock(2)), so it ends with the process whatever happens to it,
//! and goes over to a successor without ever being free. A number in a file that nobody has locked is of no one.

use std::env;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, FlockOperation, flock, fstat, ftruncate};
use rustix::io::{pread, pwrite};
use rustix::process::{Uid, geteuid, getpid};

use super::entry::Entry;
use crate::cli::Failure;

/// Bytes of a number in such a file, with the end of its line, and some more.
const LONGEST: usize = 16;

/// Times that a file is opened which others take away meanwhile.
const ATTEMPTS: usize = 16;

/// Where the pid file is when nobody says where.
///
/// Root has one place however it became root; others have their runtime directory, which ends with their session, or
/// the directory for temporary files.
pub(in crate::cli) fn default_path() -> PathBuf {
    let runtime = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    place(geteuid(), runtime.filter(|path| path.is_dir()), env::temp_dir())
}

/// A relative one is another in each working directory: nobody would find the server again.
fn place(user: Uid, runtime: Option<PathBuf>, temporary: PathBuf) -> PathBuf {
    if user.is_root() {
        return PathBuf::from("/run/ownhands.pid");
    }
    if let Some(path) = runtime.filter(|path| path.is_absolute()) {
        return path.join("ownhands.pid");
    }
    let temporary = if temporary.is_absolute() { temporary } else { PathBuf::from("/tmp") };
    temporary.join(format!("ownhands-{}.pid", user.as_raw()))
}

/// A pid file that this process has locked. When it is dropped, its name goes.
#[derive(Debug)]
pub(super) struct PidFile {
    file: OwnedFd,
    entry: Entry,
    /// It belongs to a successor.
    is_given: bool,
}

impl PidFile {
    /// Locks the file at this path and writes the number of this process into it. One that was
    /// left behind is taken over.
    pub(super) fn take(path: &Path) -> Result<PidFile, Failure> {
        let refused = |error: io::Error| Failure::Run(refusal(path, &error));
        let entry = Entry::new(path).map_err(refused)?;
        for _ in 0..ATTEMPTS {
            let file = entry.open().map_err(refused)?;
            let facts = fstat(&file).map_err(|errno| refused(errno.into()))?;
            // A device or a pipe would lose its name in the end.
            if FileType::from_raw_mode(facts.st_mode) != FileType::RegularFile {
                return Err(refused(io::Error::other("it is no file")));
            }
            // In a directory where everybody may write, somebody else's file is a trap.
            let owner = facts.st_uid;
            if owner != geteuid().as_raw() && !geteuid().is_root() {
                return Err(refused(io::Error::new(io::ErrorKind::PermissionDenied, "it belongs to somebody else")));
            }
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(rustix::io::Errno::WOULDBLOCK) => return Err(Failure::Run(taken(path, number(file.as_fd())))),
                Err(errno) => return Err(refused(errno.into())),
            }
            // Who had it before may have taken its name away between our opening and our locking.
            if entry.names(&file) {
                if !is_pid_file(file.as_fd()).map_err(refused)? {
                    return Err(refused(io::Error::other("there is something else in it")));
                }
                let own = PidFile { file, entry, is_given: false };
                own.sign().map_err(refused)?;
                return Ok(own);
            }
        }
        Err(refused(io::Error::other("others take it away all the time")))
    }

    /// Takes over the file that a predecessor has locked; `None` if it is another than the one at this path.
    pub(super) fn inherit(path: &Path, file: OwnedFd) -> Option<PidFile> {
        let entry = Entry::new(path).ok().filter(|entry| entry.names(&file))?;
        // The name is the predecessor's until this process has taken over.
        Some(PidFile { file, entry, is_given: true })
    }

    /// From now on it is this process's own.
    pub(super) fn own(&mut self) {
        self.is_given = false;
        if let Err(error) = self.sign() {
            log::warn!("{} has not the number of this process: {error}", self.entry.path().display());
        }
    }

    /// From now on it is the successor's.
    pub(super) fn give(mut self) {
        self.is_given = true;
    }

    fn sign(&self) -> io::Result<()> {
        ftruncate(&self.file, 0)?;
        pwrite(&self.file, format!("{}\n", getpid()).as_bytes(), 0)?;
        Ok(())
    }
}

impl AsFd for PidFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        if self.is_given || !self.entry.names(&self.file) {
            return;
        }
        if let Err(error) = self.entry.remove() {
            // Whoever has become another user may not: the number must not stay, at least.
            let _ = ftruncate(&self.file, 0);
            log::debug!("{} stays, without a lock: {error}", self.entry.path().display());
        }
    }
}

/// True if nothing is in it that anybody could miss: nothing, or the number of a process.
fn is_pid_file(file: BorrowedFd<'_>) -> io::Result<bool> {
    let size = usize::try_from(fstat(file)?.st_size).unwrap_or(usize::MAX);
    Ok(size == 0 || size <= LONGEST && number(file).is_some())
}

/// The number in a pid file.
fn number(file: BorrowedFd<'_>) -> Option<u32> {
    let mut text = [0; LONGEST];
    let count = pread(file, &mut text, 0).ok()?;
    str::from_utf8(text.get(..count)?).ok()?.trim().parse().ok()
}

fn taken(path: &Path, number: Option<u32>) -> String {
    let who = number.map_or("a server".to_owned(), |number| format!("a server with the pid {number}"));
    format!("{who} is running already: it has {}; stop it, or name another file by --pid-file", path.display())
}

fn refusal(path: &Path, error: &io::Error) -> String {
    let advice = match error.kind() {
        io::ErrorKind::NotFound => "make its directory, or name another file by --pid-file",
        _ => "name another file by --pid-file",
    };
    format!("the pid file {} cannot be had: {error}: {advice}", path.display())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn why(outcome: Result<PidFile, Failure>) -> String {
        match outcome {
            Err(Failure::Run(why) | Failure::Usage(why)) => why,
            Ok(file) => format!("{file:?}"),
        }
    }

    #[test]
    fn the_lock_decides_and_not_the_number() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pid");
        std::fs::write(&path, "1\n").unwrap(); // which lives
        let own = PidFile::take(&path).unwrap_or_else(|_| unreachable!());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{}\n", std::process::id()));
        assert!(why(PidFile::take(&path)).starts_with("a server with the pid "));
        drop(own);
        assert!(!path.exists());
    }

    #[test]
    fn what_is_given_away_keeps_its_name_and_its_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pid");
        let first = PidFile::take(&path).unwrap_or_else(|_| unreachable!());
        let over = first.as_fd().try_clone_to_owned().unwrap();
        assert!(PidFile::inherit(&folder.path().join("other"), over.try_clone().unwrap()).is_none());
        let mut second = PidFile::inherit(&path, over).unwrap();
        first.give();
        assert!(path.exists());
        assert!(why(PidFile::take(&path)).contains("is running already"));
        second.own();
        drop(second);
        assert!(!path.exists());
    }

    #[test]
    fn a_name_that_became_somebody_elses_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pid");
        let own = PidFile::take(&path).unwrap_or_else(|_| unreachable!());
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, "of somebody else").unwrap();
        drop(own);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "of somebody else");
    }

    #[test]
    fn what_cannot_be_a_pid_file() {
        let folder = tempfile::tempdir().unwrap();
        assert!(why(PidFile::take(&folder.path().join("no/pid"))).contains("make its directory"));
        assert!(why(PidFile::take(folder.path())).contains("cannot be had"));
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("elsewhere", &link).unwrap();
        assert!(why(PidFile::take(&link)).contains("cannot be had"));
    }

    #[test]
    fn what_is_something_else_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pid");
        for text in ["of somebody else", "123 is not all", "1\n                    \n", "-1\n"] {
            std::fs::write(&path, text).unwrap();
            assert!(why(PidFile::take(&path)).contains("there is something else in it: name another"), "{text:?}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
        for text in ["", "123", "4294967295\n"] {
            std::fs::write(&path, text).unwrap();
            drop(PidFile::take(&path).unwrap_or_else(|_| unreachable!()));
            assert!(!path.exists(), "{text:?}");
        }
        let pipe = folder.path().join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR).unwrap();
        assert!(why(PidFile::take(&pipe)).contains("it is no file"));
        assert!(pipe.exists());
    }

    #[test]
    fn nobody_s_working_directory_is_the_place() {
        let (root, user) = (Uid::ROOT, Uid::from_raw(7));
        let cases = [
            (root, Some("/run/user/0"), "/tmp", "/run/ownhands.pid"),
            (user, Some("/run/user/7"), "/tmp", "/run/user/7/ownhands.pid"),
            (user, Some("here"), "/var/tmp", "/var/tmp/ownhands-7.pid"),
            (user, None, "", "/tmp/ownhands-7.pid"),
            (user, None, "here", "/tmp/ownhands-7.pid"),
        ];
        for (user, runtime, temporary, expected) in cases {
            assert_eq!(place(user, runtime.map(PathBuf::from), PathBuf::from(temporary)), Path::new(expected));
        }
    }
}
