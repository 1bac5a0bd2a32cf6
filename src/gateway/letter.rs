//! A request on its way to an upstream, as SCGI writes it: the meta-variables in a netstring, then the body.
//!
//! A body that is in a file is read from there while it is sent: an upload of a gigabyte costs a block of memory.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;

use crate::http::{Content, Request};

/// Bytes of a body that are read from its file, or framed, at a time.
const BLOCK: usize = 64 * 1024;

/// Bytes around a block and its end.
const FRAME: usize = 16;

/// How an upstream is told where the body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// By `CONTENT_LENGTH` alone, as in SCGI.
    Plain,
    /// In netstrings, the last of which is empty: a body may end early. Where there is no body there are none.
    Netstrings,
}

/// A request that is being sent.
#[derive(Debug)]
pub(super) struct Letter {
    /// What leaves next, and how much of it has left.
    ready: Vec<u8>,
    sent: usize,
    /// Bytes that have left, of all.
    gone: u64,
    rest: Rest,
    framing: Framing,
}

/// The part of the body that is not ready yet.
#[derive(Debug)]
enum Rest {
    None,
    File { file: File, offset: u64, length: u64 },
}

/// How far a write has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    All,
    /// The upstream takes no more for now.
    Part,
    /// So much has left that others should go on first.
    Share,
}

impl Letter {
    /// # Errors
    /// What the system says when there is no descriptor left for the file of the body.
    pub(super) fn new(request: &Request<'_>, framing: Framing) -> io::Result<Self> {
        let mut letter = Letter { ready: variables(request, framing), sent: 0, gone: 0, rest: Rest::None, framing };
        match request.body {
            body if body.is_empty() => {}
            Content::Memory(bytes) => {
                // As many as it takes: a letter may wait, and what it weighs is counted.
                letter.ready.reserve_exact(bytes.len().saturating_add(FRAME));
                letter.append(bytes);
                letter.append_end();
            }
            Content::Spooled(file, length) => {
                letter.rest = Rest::File { file: file.try_clone()?, offset: 0, length };
            }
        }
        Ok(letter)
    }

    /// Bytes of memory that it takes.
    pub(super) fn weight(&self) -> usize {
        self.ready.capacity()
    }

    /// Bytes that have left.
    pub(super) fn gone(&self) -> u64 {
        self.gone
    }

    /// Writes what the upstream takes, and about so many bytes at the most.
    ///
    /// # Errors
    /// What the upstream says, and the file of the body.
    pub(super) fn write(&mut self, to: &mut impl Write, at_most: usize) -> io::Result<Written> {
        let mut left = at_most;
        loop {
            while let Some(unsent) = self.ready.get(self.sent..).filter(|unsent| !unsent.is_empty()) {
                if left == 0 {
                    return Ok(Written::Share);
                }
                match to.write(unsent) {
                    Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                    Ok(count) => {
                        self.sent = self.sent.saturating_add(count);
                        self.gone = self.gone.saturating_add(count as u64);
                        left = left.saturating_sub(count);
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Written::Part),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
            if !self.refill()? {
                return Ok(Written::All);
            }
        }
    }

    /// Nobody wants the rest of the body: it ends behind what has left. Only where the framing can say so.
    pub(super) fn cut_short(&mut self) {
        if self.framing == Framing::Netstrings && matches!(self.rest, Rest::File { .. }) {
            self.rest = Rest::None;
            self.append_end();
        }
    }

    /// Makes the next block ready; false if there is none.
    fn refill(&mut self) -> io::Result<bool> {
        self.ready.clear();
        self.sent = 0;
        let Rest::File { file, offset, length } = &mut self.rest else { return Ok(false) };
        let mut block = vec![0; usize::try_from(*length).unwrap_or(BLOCK).min(BLOCK)];
        file.read_exact_at(&mut block, *offset)?;
        *offset = offset.saturating_add(block.len() as u64);
        *length = length.saturating_sub(block.len() as u64);
        let is_last = *length == 0;
        self.append(&block);
        if is_last {
            self.rest = Rest::None;
            self.append_end();
        }
        Ok(true)
    }

    fn append(&mut self, bytes: &[u8]) {
        match self.framing {
            Framing::Plain => self.ready.extend_from_slice(bytes),
            Framing::Netstrings => bytes.chunks(BLOCK).for_each(|block| append_netstring(&mut self.ready, block)),
        }
    }

    fn append_end(&mut self) {
        if self.framing == Framing::Netstrings {
            append_netstring(&mut self.ready, b"");
        }
    }
}

/// The meta-variables in a netstring: `CONTENT_LENGTH` first, then what says that this is SCGI where it is, then the
/// others.
fn variables(request: &Request<'_>, framing: Framing) -> Vec<u8> {
    let environ = request.environ();
    let length = request.body.len().to_string();
    let own: &[(&str, &[u8])] = match framing {
        Framing::Plain => &[("CONTENT_LENGTH", length.as_bytes()), ("SCGI", b"1")],
        Framing::Netstrings => &[("CONTENT_LENGTH", length.as_bytes())],
    };
    let others = environ.iter().filter(|(name, _)| *name != "CONTENT_LENGTH");
    let mut pairs = Vec::with_capacity(VARIABLES_GUESS);
    for (name, value) in own.iter().copied().chain(others) {
        for part in [name.as_bytes(), b"\0", value, b"\0"] {
            pairs.extend_from_slice(part);
        }
    }
    let mut out = Vec::with_capacity(pairs.len().saturating_add(16));
    append_netstring(&mut out, &pairs);
    out
}

/// Bytes of the variables of most requests.
const VARIABLES_GUESS: usize = 1024;

/// Appends `5:bytes,`.
pub(super) fn append_netstring(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(bytes.len().to_string().as_bytes());
    out.push(b':');
    out.extend_from_slice(bytes);
    out.push(b',');
}
