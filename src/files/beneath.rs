//! Opening beneath a directory, with the kernel as the guard: openat2 (Linux 5.6).
//!
//! With `RESOLVE_BENEATH` no `..`, absolute path, or symbolic link leads out, whatever others do to the tree meanwhile.
//! Magic links (`/proc/self/fd/3`) are refused in any case. Where there is no openat2, every call says so, and
//! [`Tree`](super::tree::Tree) goes by canonical paths.

use std::ffi::CStr;
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::fs::OFlags;
use rustix::io::Errno;

use super::tree::Links;

/// How the root is opened: only to be walked from, which takes no permission to read it.
#[cfg(target_os = "linux")]
pub(super) const ROOT: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
#[cfg(not(target_os = "linux"))]
pub(super) const ROOT: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// How a file is opened for reading. Should it be exchanged for a pipe at the last moment, the opening does not wait,
/// and a terminal does not become ours.
pub(super) const READ: OFlags = OFlags::RDONLY.union(OFlags::CLOEXEC).union(OFlags::NOCTTY).union(OFlags::NONBLOCK);

/// Finds the file without opening it: for looking only, so that no device or pipe notices.
#[cfg(target_os = "linux")]
pub(super) fn find(root: BorrowedFd<'_>, path: &CStr, links: Links) -> Result<OwnedFd, Errno> {
    openat2(root, path, OFlags::PATH | OFlags::CLOEXEC, links)
}

/// Opens the file for reading.
#[cfg(target_os = "linux")]
pub(super) fn open(root: BorrowedFd<'_>, path: &CStr, links: Links) -> Result<OwnedFd, Errno> {
    openat2(root, path, READ, links)
}

#[cfg(target_os = "linux")]
fn openat2(root: BorrowedFd<'_>, path: &CStr, flags: OFlags, links: Links) -> Result<OwnedFd, Errno> {
    use rustix::fs::{Mode, ResolveFlags};

    /// A rename somewhere in the tree makes the kernel give up on a path with `..` in a link; it asks to be asked
    /// again.
    const TRIES: usize = 8;

    let resolve = match links {
        Links::Inside => ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS,
        Links::Refused => ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS,
        Links::Followed => ResolveFlags::NO_MAGICLINKS,
    };
    let attempt = || rustix::fs::openat2(root, path, flags, Mode::empty(), resolve);
    let mut result = attempt();
    for _ in 1..TRIES {
        match result {
            Err(Errno::AGAIN | Errno::INTR) => result = attempt(),
            _ => break,
        }
    }
    result
}

#[cfg(not(target_os = "linux"))]
pub(super) fn find(_: BorrowedFd<'_>, _: &CStr, _: Links) -> Result<OwnedFd, Errno> {
    Err(Errno::NOSYS)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn open(_: BorrowedFd<'_>, _: &CStr, _: Links) -> Result<OwnedFd, Errno> {
    Err(Errno::NOSYS)
}
