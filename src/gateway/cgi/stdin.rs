//! What a script reads: the body, as a file. A file has no end that waits, and costs the loop nothing while it is read.

use std::fs::File;
use std::io::{self, Seek, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use crate::http::Content;

/// The stdin of one script.
pub(super) enum Stdin<'a> {
    /// There is no body: `/dev/null`.
    Nothing(&'a File),
    Body(File),
}

impl<'a> Stdin<'a> {
    /// # Errors
    /// Where there are no descriptors left, or no room.
    pub(super) fn new(body: &Content<'_>, nothing: &'a File) -> io::Result<Self> {
        match body {
            Content::Memory([]) => Ok(Stdin::Nothing(nothing)),
            Content::Memory(bytes) => {
                let mut file = in_memory()?;
                file.write_all(bytes)?;
                file.rewind()?;
                Ok(Stdin::Body(file))
            }
            Content::Spooled(file, _) => opened_anew(file).map(Stdin::Body),
        }
    }
}

impl AsFd for Stdin<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Stdin::Nothing(file) => file.as_fd(),
            Stdin::Body(file) => file.as_fd(),
        }
    }
}

/// A file without a name, on no disk where there is such a thing.
fn in_memory() -> io::Result<File> {
    #[cfg(target_os = "linux")]
    if let Ok(file) = rustix::fs::memfd_create("body", rustix::fs::MemfdFlags::CLOEXEC) {
        return Ok(file.into());
    }
    tempfile::tempfile()
}

/// The same file with a position of its own, and only to be read. Where `/proc` is not to be seen it is the server's,
/// which makes no use of the position: it reads at offsets.
fn opened_anew(file: &File) -> io::Result<File> {
    let anew =
        if cfg!(target_os = "linux") { File::open(format!("/proc/self/fd/{}", file.as_raw_fd())).ok() } else { None };
    match anew {
        Some(file) => Ok(file),
        None => {
            let mut file = file.try_clone()?;
            file.rewind()?;
            Ok(file)
        }
    }
}
