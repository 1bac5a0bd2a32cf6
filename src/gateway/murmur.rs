//! What programs say on the side: their stderr, line by line into the log.
//!
//! A line is shown as text, whatever is in it, and cut where it gets long; so many lines are read in a turn. A program
//! that says more than the log takes waits for it, as it would for a terminal.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use log::Level;
use rustix::io::ioctl_fionbio;

use crate::http::Tick;
use crate::service::upstream::{Next, Shift, Upstream};

/// Bytes of a line; what is longer goes on in the next.
const LINE: usize = 2048;

/// Bytes read at once; lines are told before more is read.
const BLOCK: usize = 512;

/// Bytes read in one turn, and lines told: what a log costs is mostly by the line.
const SHARE: usize = 16 * 1024;
const LINES: usize = 64;

/// Where the lines go.
pub(super) type Listener = Box<dyn FnMut(&str)>;

/// The reading end of a program's stderr.
pub(super) struct Murmur {
    pipe: File,
    /// The beginning of a line.
    line: Vec<u8>,
    listener: Listener,
    /// Lines told.
    told: usize,
}

impl Murmur {
    /// What is said there is told by `who` in the log.
    ///
    /// # Errors
    /// What the system says when the pipe cannot be read without waiting.
    pub(super) fn new(pipe: OwnedFd, who: impl Into<String>) -> io::Result<Self> {
        let who = who.into();
        Murmur::heard_by(pipe, Box::new(move |line| log::log!(Level::Warn, "{who}: {line}")))
    }

    /// The same for somebody else than the log.
    pub(super) fn heard_by(pipe: OwnedFd, listener: Listener) -> io::Result<Self> {
        ioctl_fionbio(&pipe, true)?;
        Ok(Murmur { pipe: pipe.into(), line: Vec::new(), listener, told: 0 })
    }

    fn take(&mut self, bytes: &[u8]) {
        for part in bytes.split_inclusive(|&byte| byte == b'\n') {
            for piece in part.chunks(LINE) {
                if self.line.len().saturating_add(piece.len()) > LINE {
                    self.say();
                }
                self.line.extend_from_slice(piece);
                if piece.ends_with(b"\n") {
                    self.say();
                }
            }
        }
    }

    /// An empty line says nothing.
    fn say(&mut self) {
        let text = String::from_utf8_lossy(self.line.trim_ascii_end()).into_owned();
        self.line.clear();
        if !text.is_empty() {
            let shown: String = text.chars().flat_map(shown).collect();
            (self.listener)(&shown);
            self.told = self.told.saturating_add(1);
        }
    }
}

/// A terminal obeys control characters; a tab is harmless, and programs indent with it.
fn shown(character: char) -> impl Iterator<Item = char> {
    let (plain, escaped) = match character {
        '\t' => (Some(' '), None),
        control if control.is_control() => (None, Some(control.escape_default())),
        other => (Some(other), None),
    };
    plain.into_iter().chain(escaped.into_iter().flatten())
}

impl Upstream for Murmur {
    fn descriptor(&self) -> BorrowedFd<'_> {
        self.pipe.as_fd()
    }

    fn advance(&mut self, shift: &mut Shift<'_>) -> Next {
        let mut room = [0; BLOCK];
        self.told = 0;
        for _ in 0..SHARE / BLOCK {
            if self.told >= LINES {
                break;
            }
            match self.pipe.read(&mut room) {
                Ok(0) => {
                    self.say();
                    return Next::Close;
                }
                Ok(count) => self.take(room.get(..count).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    shift.ready.is_readable = false;
                    return Next::Wait(Tick::NEVER);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Next::Close,
            }
        }
        Next::Again
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::cell::RefCell;
    use std::io::Write;
    use std::rc::Rc;

    use super::*;
    use crate::http::{Now, Recall};
    use crate::service::upstream::Readiness;

    #[test]
    fn lines_are_told_one_by_one_and_nothing_in_them_is_obeyed() {
        let (reader, writer) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
        let said = Rc::new(RefCell::new(Vec::new()));
        let lines = Rc::clone(&said);
        let mut murmur =
            Murmur::heard_by(reader, Box::new(move |line| lines.borrow_mut().push(line.to_owned()))).unwrap();
        let mut writer = File::from(writer);
        let now = Now::new(Tick::default(), std::time::UNIX_EPOCH);
        let mut advance = || murmur.advance(&mut Shift::new(&mut Readiness::ALL.clone(), &now, Recall::NOBODY));

        writer.write_all(b"one\r\n\n\ttwo\x1b[2J \xff\nthr").unwrap();
        assert_eq!(advance(), Next::Wait(Tick::NEVER));
        assert_eq!(*said.borrow(), ["one", " two\\u{1b}[2J \u{fffd}"]);
        writer.write_all(b"ee\n").unwrap();
        advance();
        assert_eq!(said.borrow().last().unwrap(), "three");

        said.borrow_mut().clear();
        writer.write_all("x\n".repeat(1000).as_bytes()).unwrap();
        assert_eq!(advance(), Next::Again);
        assert!((1..=LINES + BLOCK / 2).contains(&said.borrow().len()), "{}", said.borrow().len());
        while advance() == Next::Again {}
        assert_eq!(said.borrow().len(), 1000);

        said.borrow_mut().clear();
        writer.write_all(&[&[b'a'; LINE + 5][..], b"\nlast"].concat()).unwrap();
        drop(writer);
        // A program that another test is just starting has the other end too, for a moment.
        let has_closed = (0..1000).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(1));
            advance() == Next::Close
        });
        assert!(has_closed);
        let lengths: Vec<usize> = said.borrow().iter().map(String::len).collect();
        assert_eq!(lengths, [LINE, 5, 4]);
    }
}
