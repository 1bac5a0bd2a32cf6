//! A name in a directory, held by the directory: it can be taken out when its path leads nowhere any more.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use mio::net::UnixStream;
use rustix::fs::{AtFlags, CWD, Mode, OFlags, Stat, fstat, openat, statat, unlinkat};

/// A name of a file that this process has made.
#[derive(Debug)]
pub(super) struct Entry {
    directory: OwnedFd,
    name: OsString,
    path: PathBuf,
}

impl Entry {
    /// # Errors
    /// What the system says of the directory.
    pub(super) fn new(path: &Path) -> io::Result<Entry> {
        let name = path.file_name().ok_or(io::Error::new(io::ErrorKind::InvalidInput, "this names no file"))?;
        let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let directory = openat(CWD, directory, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        Ok(Entry { directory, name: name.to_owned(), path: path.to_owned() })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens what has the name, or makes it.
    pub(super) fn open(&self) -> io::Result<OwnedFd> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        Ok(openat(&self.directory, &self.name, flags, Mode::from_raw_mode(0o644))?)
    }

    /// What has the name now.
    pub(super) fn facts(&self) -> io::Result<Stat> {
        Ok(statat(&self.directory, &self.name, AtFlags::SYMLINK_NOFOLLOW)?)
    }

    /// True if the name is that of this open file.
    pub(super) fn names(&self, file: impl AsFd) -> bool {
        fstat(file).is_ok_and(|own| self.names_this(&own))
    }

    /// True if the name is that of a file with these facts.
    pub(super) fn names_this(&self, own: &Stat) -> bool {
        self.facts().is_ok_and(|found| (found.st_dev, found.st_ino) == (own.st_dev, own.st_ino))
    }

    /// Takes the name out.
    pub(super) fn remove(&self) -> io::Result<()> {
        Ok(unlinkat(&self.directory, &self.name, AtFlags::empty())?)
    }
}

/// True for the name of a socket that nobody listens at any more. Of what is no socket the system says the same.
pub(in crate::cli) fn is_left_over(path: &Path) -> bool {
    let is_socket = fs::symlink_metadata(path).is_ok_and(|facts| facts.file_type().is_socket());
    // Nobody is waited for: where many wait already, somebody listens.
    is_socket && UnixStream::connect(path).is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}

/// The path beside this one with another end: `a/b.pid`, `a/b.sock`.
pub(super) fn beside(path: &Path, end: &str) -> PathBuf {
    if path.extension() == Some(OsStr::new(end)) {
        let mut name = path.as_os_str().to_owned();
        name.push(".");
        name.push(end);
        return PathBuf::from(name);
    }
    path.with_extension(end)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_taken_out_wherever_its_directory_went() {
        let folder = tempfile::tempdir().unwrap();
        let (before, after) = (folder.path().join("before"), folder.path().join("after"));
        std::fs::create_dir(&before).unwrap();
        let entry = Entry::new(&before.join("file")).unwrap();
        let file = entry.open().unwrap();
        std::fs::rename(&before, &after).unwrap();
        assert!(entry.names(&file));
        entry.remove().unwrap();
        assert!(!entry.names(&file) && !after.join("file").exists());
        std::fs::write(after.join("file"), "of somebody else").unwrap();
        assert!(!entry.names(&file));
    }

    #[test]
    fn a_socket_is_left_over_when_nobody_listens() {
        let folder = tempfile::tempdir().unwrap();
        let (path, file) = (folder.path().join("socket"), folder.path().join("file"));
        std::fs::write(&file, "").unwrap();
        let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        let datagrams = std::os::unix::net::UnixDatagram::bind(folder.path().join("datagrams")).unwrap();
        assert!(!is_left_over(&path) && !is_left_over(&folder.path().join("datagrams")));
        drop((listener, datagrams));
        assert!(is_left_over(&path) && is_left_over(&folder.path().join("datagrams")));
        assert!(!is_left_over(&file) && !is_left_over(&folder.path().join("nothing")));
    }

    #[test]
    fn the_socket_is_never_the_pid_file() {
        assert_eq!(beside(Path::new("/run/ownhands.pid"), "sock"), Path::new("/run/ownhands.sock"));
        assert_eq!(beside(Path::new("/run/server"), "sock"), Path::new("/run/server.sock"));
        assert_eq!(beside(Path::new("/run/a.sock"), "sock"), Path::new("/run/a.sock.sock"));
    }
}
