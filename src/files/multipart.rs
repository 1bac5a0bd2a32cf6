//! Several parts of one file in one answer: `multipart/byteranges` (RFC 9110 section 14.6, RFC 2046 section 5.1).
//!
//! It is made while it is sent, a slice at a time, and its length is known before: nothing of the file is held in
//! memory that was not there, however long the parts are.

use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use super::range::Span;
use crate::http::{Body, Bytes, Produced, Source};

/// Bytes made at a time.
const SLICE: usize = 64 * 1024;

/// Where the bytes of the file are.
#[derive(Debug)]
enum Content {
    Memory(Bytes),
    Open(Arc<File>),
}

/// The parts, as they go out.
#[derive(Debug)]
pub(super) struct Multipart {
    content: Content,
    /// The media type of the file.
    content_type: String,
    /// The length of the file.
    size: u64,
    boundary: String,
    /// Parts that have not begun.
    spans: std::vec::IntoIter<Span>,
    /// What is still to be sent of the one that has; empty between two of them.
    rest: Span,
    length: u64,
}

impl Multipart {
    /// These parts of a file, of which `whole` is the content. `None` if that is neither in memory nor in a file.
    pub(super) fn new(whole: Body, size: u64, content_type: &[u8], tag: &str, spans: Vec<Span>) -> Option<Self> {
        let content = match whole {
            Body::Bytes(bytes) => Content::Memory(bytes),
            Body::File(range) => Content::Open(range.file),
            Body::Empty | Body::Stream(_) | Body::Later(_) | Body::Elsewhere(_) => return None,
        };
        let mut made = Multipart {
            content,
            content_type: String::from_utf8_lossy(content_type).into_owned(),
            size,
            boundary: boundary(tag, &spans),
            spans: Vec::new().into_iter(),
            rest: Span { offset: 0, length: 0 },
            length: 0,
        };
        let around = |span: &Span| (made.head(*span).len() + END_OF_PART.len()) as u64;
        let parts = spans.iter().map(|span| around(span).saturating_add(span.length));
        made.length = parts.fold(made.end().len() as u64, u64::saturating_add);
        made.spans = spans.into_iter();
        Some(made)
    }

    /// The value of Content-Type for the answer as a whole.
    pub(super) fn content_type(&self) -> String {
        format!("multipart/byteranges; boundary={}", self.boundary)
    }

    fn head(&self, span: Span) -> String {
        let Multipart { content_type, size, boundary, .. } = self;
        let Span { offset, .. } = span;
        let last = span.last();
        format!("--{boundary}\r\nContent-Type: {content_type}\r\nContent-Range: bytes {offset}-{last}/{size}\r\n\r\n")
    }

    fn end(&self) -> String {
        format!("--{}--\r\n", self.boundary)
    }

    /// Appends what comes next of the part that has begun, up to so many bytes.
    fn go_on(&mut self, most: usize, out: &mut Vec<u8>) -> io::Result<()> {
        let count = usize::try_from(self.rest.length).unwrap_or(usize::MAX).min(most);
        let start = out.len();
        match &self.content {
            Content::Memory(bytes) => {
                let from = usize::try_from(self.rest.offset).unwrap_or(usize::MAX);
                let bytes = bytes.as_slice().get(from..).and_then(|rest| rest.get(..count));
                out.extend_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
            }
            Content::Open(file) => {
                out.resize(start.saturating_add(count), 0);
                let slice = out.get_mut(start..).unwrap_or_default();
                file.read_exact_at(slice, self.rest.offset).map_err(|error| match error.kind() {
                    io::ErrorKind::UnexpectedEof => io::Error::new(error.kind(), "the file is shorter than it was"),
                    _ => error,
                })?;
            }
        }
        self.rest.offset = self.rest.offset.saturating_add(count as u64);
        self.rest.length = self.rest.length.saturating_sub(count as u64);
        if self.rest.length == 0 {
            out.extend_from_slice(END_OF_PART);
        }
        Ok(())
    }
}

impl Source for Multipart {
    /// # Errors
    /// [`UnexpectedEof`](io::ErrorKind::UnexpectedEof) if the file is shorter than it was.
    fn produce(&mut self, out: &mut Vec<u8>) -> io::Result<Produced> {
        let start = out.len();
        loop {
            let most = SLICE.saturating_sub(out.len().saturating_sub(start));
            if most == 0 {
                return Ok(Produced::More);
            }
            if self.rest.length > 0 {
                self.go_on(most, out)?;
            } else if let Some(span) = self.spans.next() {
                out.extend_from_slice(self.head(span).as_bytes());
                self.rest = span;
            } else {
                out.extend_from_slice(self.end().as_bytes());
                return Ok(Produced::All);
            }
        }
    }

    fn length(&self) -> Option<u64> {
        Some(self.length)
    }
}

/// It belongs to the boundary that follows (RFC 2046 section 5.1.1).
const END_OF_PART: &[u8] = b"\r\n";

/// A line that the parts do not have in them: 128 bits of the entity tag and of what is asked for.
///
/// To have it in the file, one would have to know before writing it the inode and, to the nanosecond, the time of that
/// very write; and an answer that was saved over the file it came from finds another boundary the next time. The
/// clients that count by Content-Range do not look for it anyway. It is the same for the same question, as the rest of
/// the answer is.
fn boundary(tag: &str, spans: &[Span]) -> String {
    let half = |number: u8| {
        let mut hasher = DefaultHasher::new();
        (number, tag, spans).hash(&mut hasher);
        hasher.finish()
    };
    format!("part-{:016x}{:016x}", half(0), half(1))
}
