//! A transport made of two buffers and a script.

use std::collections::VecDeque;
use std::io::{self, Read, Write};

use crate::connection::Transport;

/// A scripted [`Transport`].
///
/// Each segment pushed is what one read brings; without segments a read would block, or finds the end. Writes are
/// recorded; a script may cut them short.
///
/// ```
/// use ownhands::testing::MockConnection;
/// use std::io::{Read, Write};
///
/// let mut mock = MockConnection::new();
/// mock.push("GET /");
/// mock.end();
/// let mut text = String::new();
/// mock.read_to_string(&mut text).unwrap();
/// assert_eq!(text, "GET /");
///
/// mock.accept_writes([3, 0]); // three bytes, then none for the moment
/// assert_eq!(mock.write(b"hello").unwrap(), 3);
/// assert_eq!(mock.write(b"lo").unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
/// assert_eq!(mock.take_written(), b"hel");
/// ```
#[derive(Debug, Default)]
pub struct MockConnection {
    segments: VecDeque<Vec<u8>>,
    end: End,
    written: Vec<u8>,
    /// How much each of the next writes takes.
    takes: VecDeque<usize>,
    /// When that script is over, nothing is taken; else all.
    is_stalled: bool,
    is_write_shut: bool,
}

/// What a read finds behind the last segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum End {
    /// Nothing yet: it would block.
    #[default]
    Open,
    Ended,
    Reset,
}

impl MockConnection {
    /// A connection on which nothing has been said.
    #[must_use]
    pub fn new() -> Self {
        MockConnection::default()
    }

    /// Lets one read bring these bytes; none bring nothing.
    pub fn push(&mut self, segment: impl Into<Vec<u8>>) {
        let segment = segment.into();
        if !segment.is_empty() && self.end != End::Reset {
            self.segments.push_back(segment);
        }
    }

    /// Lets the peer end its direction, behind all segments. One that has vanished stays so.
    pub fn end(&mut self) {
        if self.end == End::Open {
            self.end = End::Ended;
        }
    }

    /// Lets the peer vanish: every read and write from now on fails.
    pub fn reset(&mut self) {
        self.segments.clear();
        self.end = End::Reset;
    }

    /// Says how many bytes each of the next writes takes; zero means that it would block.
    pub fn accept_writes(&mut self, counts: impl IntoIterator<Item = usize>) {
        self.takes.extend(counts);
    }

    /// Lets every write block for which no [script](Self::accept_writes) says otherwise: a peer that does not read.
    pub fn stall(&mut self) {
        self.is_stalled = true;
    }

    /// All that was written since the last call.
    pub fn take_written(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.written)
    }

    /// True once the sending direction was ended.
    #[must_use]
    pub fn is_write_shut(&self) -> bool {
        self.is_write_shut
    }

    /// True if a segment or the end is there to be read.
    #[must_use]
    pub fn is_readable(&self) -> bool {
        !self.segments.is_empty() || self.end != End::Open
    }
}

impl Read for MockConnection {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.end == End::Reset {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        let Some(segment) = self.segments.front_mut() else {
            return if self.end == End::Ended { Ok(0) } else { Err(io::ErrorKind::WouldBlock.into()) };
        };
        let count = segment.as_slice().read(buffer)?;
        segment.drain(..count);
        if segment.is_empty() {
            self.segments.pop_front();
        }
        Ok(count)
    }
}

impl Write for MockConnection {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.end == End::Reset || self.is_write_shut {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let unscripted = if self.is_stalled { 0 } else { usize::MAX };
        let count = self.takes.pop_front().unwrap_or(unscripted).min(bytes.len());
        if count == 0 && !bytes.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.written.extend_from_slice(bytes.get(..count).unwrap_or_default());
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Transport for MockConnection {
    fn shut_down_write(&mut self) -> io::Result<()> {
        self.is_write_shut = true;
        Ok(())
    }
}
