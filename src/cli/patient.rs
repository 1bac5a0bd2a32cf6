//! Writing to who may not read: stdout and stderr, without ever waiting for them.
//!
//! A pipe that nobody empties, a pager that is not scrolled, a terminal that was stopped by Ctrl-S would otherwise hold
//! the loop, and with it every peer. What cannot be written at once is an error, and lost.

use std::io::{self, Write};
use std::os::fd::AsFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::FileType;

/// Bytes that a pipe takes without waiting if it says that it takes any (POSIX: PIPE_BUF, 4096 on Linux).
const STEP: usize = 4096;

/// An output that is not waited for.
pub(super) struct Patient<T> {
    output: T,
    /// A file always takes what it is given, all at once.
    is_file: bool,
}

impl<T: AsFd> Patient<T> {
    pub(super) fn new(output: T) -> Self {
        let is_file =
            rustix::fs::fstat(&output).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile);
        Patient { output, is_file }
    }

    fn takes_any(&self) -> io::Result<bool> {
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        Ok(poll(&mut [PollFd::new(&self.output, PollFlags::OUT)], Some(&at_once))? > 0)
    }
}

impl<T: AsFd> Write for Patient<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_file {
            return Ok(rustix::io::write(&self.output, bytes)?);
        }
        if !self.takes_any()? {
            return Err(io::Error::new(io::ErrorKind::WouldBlock, "nobody reads it"));
        }
        Ok(rustix::io::write(&self.output, bytes.get(..STEP).unwrap_or(bytes))?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(()) // nothing is kept back
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_that_nobody_reads_is_not_waited_for() {
        let (reader, writer) = io::pipe().unwrap();
        let mut patient = Patient::new(writer);
        let refusal = patient.write_all(&[b'x'; 1 << 22]).unwrap_err();
        assert_eq!(refusal.kind(), io::ErrorKind::WouldBlock);
        drop(reader);
        assert_eq!(patient.write(b"x").unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn a_file_takes_everything() {
        let file = tempfile::tempfile().unwrap();
        Patient::new(file.try_clone().unwrap()).write_all(&[b'x'; 100_000]).unwrap();
        assert_eq!(file.metadata().unwrap().len(), 100_000);
    }
}
