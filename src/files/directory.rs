//! A directory, open: its names one after the other, and a look at what each stands for.

use std::ffi::CString;
use std::fs::File;
use std::io;
#[cfg(target_os = "linux")]
use std::mem::MaybeUninit;

#[cfg(target_os = "linux")]
use rustix::fs::RawDir;
use rustix::fs::{Access, AtFlags, Dir};
use rustix::io::Errno;

use super::facts::Facts;
use super::root::Root;

/// Bytes of names that are asked for at one time: some 400 names, a tenth of a millisecond.
const BATCH: usize = 16 * 1024;

/// An open directory.
pub(super) enum Directory {
    /// On disk.
    Disk(Dir),
    /// The root of several shares; the number of the next one.
    Shares(usize),
}

impl Directory {
    pub(super) fn new(file: File) -> Result<Self, Errno> {
        Dir::new(file).map(Directory::Disk)
    }

    pub(super) fn of_shares() -> Self {
        Directory::Shares(0)
    }

    /// Appends the next name to `names`, and says where the reading stands after it; `None` at the end. `.` and `..`
    /// are passed over.
    ///
    /// # Errors
    /// What the disk says.
    pub(super) fn next(&mut self, root: &Root, names: &mut Vec<u8>) -> io::Result<Option<i64>> {
        match self {
            Directory::Disk(entries) => {
                for entry in entries {
                    let entry = entry?;
                    let name = entry.file_name().to_bytes();
                    if !matches!(name, b"." | b"..") {
                        names.extend_from_slice(name);
                        return Ok(Some(entry.offset()));
                    }
                }
                Ok(None)
            }
            Directory::Shares(number) => {
                let Some(name) = root.share_name(*number) else { return Ok(None) };
                names.extend_from_slice(name);
                *number += 1;
                Ok(Some(i64::try_from(*number).unwrap_or(i64::MAX)))
            }
        }
    }

    /// Hands over the next names, as many as the system gives at one time; false at the end. `.` and `..` are passed
    /// over.
    ///
    /// # Errors
    /// What the disk says.
    pub(super) fn read(&mut self, root: &Root, mut take: impl FnMut(&[u8])) -> io::Result<bool> {
        match self {
            Directory::Disk(entries) => read(entries, |name| {
                if !matches!(name, b"." | b"..") {
                    take(name);
                }
            }),
            Directory::Shares(number) => {
                while let Some(name) = root.share_name(*number) {
                    take(name);
                    *number += 1;
                }
                Ok(false)
            }
        }
    }

    /// Goes on reading from where another opening of the same directory stood.
    ///
    /// # Errors
    /// What the disk says.
    pub(super) fn seek(&mut self, place: i64) -> io::Result<()> {
        match self {
            Directory::Disk(entries) => Ok(entries.seek(place)?),
            Directory::Shares(number) => {
                *number = usize::try_from(place).unwrap_or(usize::MAX);
                Ok(())
            }
        }
    }

    /// What a name in it stands for itself: a link is a link. Shares are what they stand for.
    pub(super) fn own(&self, root: &Root, name: &[u8]) -> Result<Facts, Errno> {
        match self {
            Directory::Disk(entries) => {
                rustix::fs::statat(entries.fd()?, name, AtFlags::SYMLINK_NOFOLLOW).map(|stat| Facts::of(&stat))
            }
            Directory::Shares(_) => root.look(&CString::new(name).map_err(|_| Errno::INVAL)?),
        }
    }

    /// True if the server may do this with what a name in it stands for.
    pub(super) fn allows(&self, root: &Root, name: &[u8], access: Access) -> bool {
        match self {
            Directory::Disk(entries) => entries
                .fd()
                .is_ok_and(|directory| rustix::fs::accessat(directory, name, access, AtFlags::EACCESS).is_ok()),
            Directory::Shares(_) => CString::new(name).is_ok_and(|path| root.allows(&path, access)),
        }
    }

    /// What a link in it says.
    pub(super) fn read_link(&self, name: &[u8]) -> Result<CString, Errno> {
        match self {
            Directory::Disk(entries) => rustix::fs::readlinkat(entries.fd()?, name, Vec::new()),
            Directory::Shares(_) => Err(Errno::INVAL),
        }
    }
}

/// One call of the system. Unlike [`Dir`] it asks for no memory for each name.
#[cfg(target_os = "linux")]
fn read(entries: &Dir, mut take: impl FnMut(&[u8])) -> io::Result<bool> {
    let mut space = [MaybeUninit::uninit(); BATCH];
    let mut batch = RawDir::new(entries.fd()?, &mut space);
    loop {
        match batch.next() {
            Some(Ok(entry)) => take(entry.file_name().to_bytes()),
            // What was deleted meanwhile has no names any more.
            None | Some(Err(Errno::NOENT)) => return Ok(false),
            Some(Err(Errno::INTR)) => {}
            Some(Err(errno)) => return Err(errno.into()),
        }
        if batch.is_buffer_empty() {
            return Ok(true);
        }
    }
}

/// As many names as fill about as much.
#[cfg(not(target_os = "linux"))]
fn read(entries: &mut Dir, mut take: impl FnMut(&[u8])) -> io::Result<bool> {
    for _ in 0..BATCH / 40 {
        let Some(entry) = entries.next() else { return Ok(false) };
        take(entry?.file_name().to_bytes());
    }
    Ok(true)
}
