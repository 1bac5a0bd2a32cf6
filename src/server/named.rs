//! The name of a socket in the file system, which goes with the socket.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, chmod, fstat, openat, statat, unlinkat};

/// A name that this process has made, held by its directory: by then the process may have another root. It is taken out
/// only while it is still that of the same socket.
#[derive(Debug)]
pub(super) struct Named {
    directory: OwnedFd,
    name: OsString,
    /// Device and number of the socket that was bound.
    identity: (u64, u64),
    /// For the log.
    path: PathBuf,
}

/// To find something, not to read it.
const PLACE: OFlags = OFlags::PATH.union(OFlags::CLOEXEC);

impl Named {
    /// The name of what has just been bound there.
    pub(super) fn new(path: &Path) -> io::Result<Self> {
        let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let directory = openat(CWD, parent, PLACE | OFlags::DIRECTORY, Mode::empty())?;
        let identity = identity(&directory, &name)?;
        Ok(Named { directory, name, identity, path: path.to_owned() })
    }

    /// Lets everybody write to the socket, which is to connect. Who has put something else in
    /// its place has it as it was.
    pub(super) fn open_to_all(&self) -> io::Result<()> {
        let socket = openat(&self.directory, &self.name, PLACE | OFlags::NOFOLLOW, Mode::empty())?;
        let facts = fstat(&socket)?;
        if (facts.st_dev, facts.st_ino) != self.identity {
            return Err(io::Error::other("somebody has put another file in the place of the socket"));
        }
        // A descriptor of this kind has no chmod of its own but by its name here.
        let name = format!("/proc/self/fd/{}", socket.as_raw_fd());
        if let Err(errno) = chmod(name, Mode::from_raw_mode(0o666)) {
            log::debug!("{} is open to its user alone: {errno}", self.path.display());
        }
        Ok(())
    }

    /// Takes the name out.
    pub(super) fn remove(&self) {
        let outcome = match identity(&self.directory, &self.name) {
            Ok(found) if found == self.identity => {
                unlinkat(&self.directory, &self.name, AtFlags::empty()).map_err(io::Error::from)
            }
            Ok(_) => Err(io::Error::other("it is another's now")),
            Err(error) => Err(error),
        };
        if let Err(error) = outcome {
            log::debug!("{} stays: {error}", self.path.display());
        }
    }
}

fn identity(directory: &OwnedFd, name: &OsString) -> io::Result<(u64, u64)> {
    let facts = statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)?;
    Ok((facts.st_dev, facts.st_ino))
}
