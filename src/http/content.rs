//! The body of a request, where it was put: in memory, or in a file if it was long.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;

/// The complete body of a request, without its transfer coding.
///
/// A short one stands in memory; one beyond [`Limits::memory`](super::Limits::memory) in a temporary file that has no
/// name and is gone with the request.
///
/// ```
/// use ownhands::{App, HttpError, Request, testing::MockClient};
///
/// fn backwards(request: &Request<'_>) -> Result<Vec<u8>, HttpError> {
///     Ok(request.body.bytes()?.iter().rev().copied().collect())
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut app = App::new();
/// app.route("POST", "/", backwards)?;
/// assert_eq!(MockClient::new(app).post("/").body("drawer").send().text(), "reward");
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug)]
pub enum Content<'a> {
    /// In memory.
    Memory(&'a [u8]),
    /// In a file, from its first byte to this length.
    Spooled(&'a File, u64),
}

impl<'a> Content<'a> {
    /// No body, or an empty one.
    pub const EMPTY: Content<'static> = Content::Memory(&[]);

    /// The length in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        match self {
            Content::Memory(bytes) => bytes.len() as u64,
            Content::Spooled(_, length) => *length,
        }
    }

    /// True if there is no body, or an empty one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of it in memory. What was spooled is read back: for a long body, [`reader`](Self::reader) is the better way.
    ///
    /// # Errors
    /// What reading the temporary file says.
    pub fn bytes(&self) -> io::Result<Cow<'a, [u8]>> {
        match self {
            Content::Memory(bytes) => Ok(Cow::Borrowed(bytes)),
            Content::Spooled(..) => {
                let mut bytes = Vec::with_capacity(usize::try_from(self.len()).unwrap_or(0));
                self.reader().read_to_end(&mut bytes)?;
                Ok(Cow::Owned(bytes))
            }
        }
    }

    /// A reader over it, from its beginning. Several may read beside each other.
    #[must_use]
    pub fn reader(&self) -> ContentReader<'a> {
        ContentReader { content: *self, position: 0 }
    }
}

/// Reads a request's body from front to back.
///
/// ```
/// use ownhands::{App, HttpError, Request, testing::MockClient};
/// use std::io::{BufRead, BufReader};
///
/// fn count(request: &Request<'_>) -> Result<String, HttpError> {
///     let mut lines = 0;
///     for line in BufReader::new(request.body.reader()).lines() {
///         lines += usize::from(!line?.is_empty());
///     }
///     Ok(format!("{lines} lines"))
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut app = App::new();
/// app.route("PUT", "/poem", count)?;
/// let mut client = MockClient::new(app);
/// let long = "so much depends\nupon\n\n".repeat(30_000); // more than is kept in memory
/// assert_eq!(client.request("PUT", "/poem").body(long).send().text(), "60000 lines");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct ContentReader<'a> {
    content: Content<'a>,
    position: u64,
}

impl Read for ContentReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = match self.content {
            Content::Memory(bytes) => {
                let start = usize::try_from(self.position).unwrap_or(usize::MAX);
                bytes.get(start..).unwrap_or_default().read(buffer)?
            }
            Content::Spooled(file, length) => {
                let left = usize::try_from(length.saturating_sub(self.position)).unwrap_or(usize::MAX);
                let count = left.min(buffer.len());
                file.read_at(buffer.get_mut(..count).unwrap_or_default(), self.position)?
            }
        };
        self.position = self.position.saturating_add(count as u64);
        Ok(count)
    }
}
