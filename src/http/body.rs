//! The content of a response, in the four shapes in which it can be sent.

use std::fmt;
use std::fs::File;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::Pending;

/// The content of a response.
///
/// ```
/// use ownhands::{Body, Bytes, Response, Status};
///
/// let response = Response::new(Status::OK).with_body(Body::Bytes(Bytes::Static(b"hello")));
/// assert_eq!(response.body.len(), Some(5));
/// assert!(Response::new(Status::NO_CONTENT).body.is_empty());
/// ```
#[derive(Debug, Default)]
pub enum Body {
    /// No content.
    #[default]
    Empty,
    /// Content in memory.
    Bytes(Bytes),
    /// A part of a file, handed to the kernel to send.
    File(FileRange),
    /// Content made a slice at a time, while it is sent.
    Stream(Box<dyn Source>),
    /// The whole response comes later; made by [`Request::defer`](super::Request::defer).
    Later(Pending),
    /// What is answered at this path and query; made by [`Response::elsewhere`](super::Response::elsewhere).
    Elsewhere(Box<str>),
}

impl Body {
    /// The length in bytes, if it is known before the content is made.
    #[must_use]
    pub fn len(&self) -> Option<u64> {
        match self {
            Body::Empty => Some(0),
            Body::Bytes(bytes) => u64::try_from(bytes.as_slice().len()).ok(),
            Body::File(range) => Some(range.length),
            Body::Stream(source) => source.length(),
            Body::Later(_) | Body::Elsewhere(_) => None,
        }
    }

    /// True if the length is known to be zero.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == Some(0)
    }
}

/// Bytes in memory: written in the program, owned, or shared with a cache.
///
/// ```
/// use ownhands::{Body, Bytes, Response, Status};
/// use std::sync::Arc;
///
/// let page: Arc<[u8]> = Arc::from(*b"made once, sent often");
/// let body = || Body::Bytes(Bytes::Shared(Arc::clone(&page)));
/// let responses = [(); 3].map(|()| Response::new(Status::OK).with_body(body()));
/// assert_eq!(responses[2].body.len(), Some(21));
/// ```
#[derive(Clone)]
pub enum Bytes {
    /// Part of the program.
    Static(&'static [u8]),
    /// Owned by the response.
    Owned(Vec<u8>),
    /// Shared; cloning copies nothing.
    Shared(Arc<[u8]>),
}

impl Bytes {
    /// The bytes themselves.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        match self {
            Bytes::Static(bytes) => bytes,
            Bytes::Owned(bytes) => bytes,
            Bytes::Shared(bytes) => bytes,
        }
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(self.as_slice()))
    }
}

/// `length` bytes of a file, from `offset` on.
///
/// The length is a promise made to the peer in Content-Length. A file that turns out shorter ends the connection;
/// one that has grown is sent as announced.
///
/// ```
/// use ownhands::{App, FileRange, HttpError, Request, Response, testing::MockClient};
/// use std::fs::File;
///
/// fn manifest(_: &Request<'_>) -> Result<Response, HttpError> {
///     let file = FileRange::whole(File::open("Cargo.toml")?)?; // 404 if there is none
///     Ok(Response::file(file).with_header("Content-Type", "text/plain"))
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut app = App::new();
/// app.route("GET", "/manifest", manifest)?;
/// assert!(MockClient::new(app).get("/manifest").text().starts_with("[package]\n"));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct FileRange {
    /// The open file; its own position is neither used nor moved.
    pub file: Arc<File>,
    /// First byte to send.
    pub offset: u64,
    /// Number of bytes to send.
    pub length: u64,
}

impl FileRange {
    /// All of a file, as long as it is now.
    ///
    /// # Errors
    /// [`NotFound`](io::ErrorKind::NotFound) if it is a directory, a device or a pipe, which
    /// have no length to announce.
    pub fn whole(file: File) -> io::Result<Self> {
        let facts = file.metadata()?;
        if !facts.is_file() {
            return Err(io::Error::new(io::ErrorKind::NotFound, "this is no regular file"));
        }
        Ok(FileRange { file: Arc::new(file), offset: 0, length: facts.len() })
    }
}

/// Something that makes a body a slice at a time.
///
/// It is asked again only when the peer has taken what was made before, and at most a few times in one turn of the
/// loop: one call should do a millisecond of work at the most. Where the [`length`](Self::length) is known it is
/// announced in Content-Length; otherwise the response goes out chunked (RFC 9112 section 7.1), or to an HTTP/1.0 peer
/// until the connection closes.
///
/// ```
/// use ownhands::{Produced, Source};
///
/// /// Counts up to a number, a line a call.
/// struct Count(u32, u32);
///
/// impl Source for Count {
///     fn produce(&mut self, out: &mut Vec<u8>) -> std::io::Result<Produced> {
///         self.0 += 1;
///         out.extend_from_slice(format!("{}\n", self.0).as_bytes());
///         Ok(if self.0 < self.1 { Produced::More } else { Produced::All })
///     }
/// }
///
/// let mut out = Vec::new();
/// assert_eq!(Count(0, 1).produce(&mut out).unwrap(), Produced::All);
/// assert_eq!(out, b"1\n");
/// ```
pub trait Source: Send {
    /// Appends the next slice to `out`. Appending nothing is allowed: work was done, and there is more to do.
    ///
    /// # Errors
    /// An error ends the connection without the end mark of the body, so that the peer knows it got a part only.
    fn produce(&mut self, out: &mut Vec<u8>) -> io::Result<Produced>;

    /// The length in bytes, if it is known before the content is made. It is asked for once, when the answer begins.
    ///
    /// It is a promise made to the peer in Content-Length: a source that makes fewer bytes, or more, ends the
    /// connection short of it, and the log says which. Of a length of zero nothing is made at all.
    ///
    /// ```
    /// use ownhands::{App, Produced, Request, Response, Source, testing::MockClient};
    ///
    /// struct Zeros(u64);
    ///
    /// impl Source for Zeros {
    ///     fn produce(&mut self, out: &mut Vec<u8>) -> std::io::Result<Produced> {
    ///         let slice = self.0.min(16 * 1024);
    ///         out.extend((0..slice).map(|_| 0));
    ///         self.0 -= slice;
    ///         Ok(if self.0 == 0 { Produced::All } else { Produced::More })
    ///     }
    ///     fn length(&self) -> Option<u64> {
    ///         Some(self.0)
    ///     }
    /// }
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut app = App::new();
    /// app.route("GET", "/zeros", |_: &Request<'_>| Response::stream(Zeros(1_000_000)))?;
    /// let answer = MockClient::new(app).get("/zeros");
    /// assert_eq!((answer.header("Content-Length"), answer.body().len()), (Some("1000000"), 1_000_000));
    /// # Ok(()) }
    /// ```
    fn length(&self) -> Option<u64> {
        None
    }
}

/// What a [`Source`] says after a slice.
///
/// ```
/// use ownhands::{App, Produced, Request, Response, Source, testing::MockClient};
/// use std::time::Duration;
///
/// /// Server-sent events: one a second, until the peer leaves.
/// struct Ticks(u64);
///
/// impl Source for Ticks {
///     fn produce(&mut self, out: &mut Vec<u8>) -> std::io::Result<Produced> {
///         self.0 += 1;
///         out.extend_from_slice(format!("data: {}\n\n", self.0).as_bytes());
///         Ok(Produced::Later(Duration::from_secs(1)))
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut app = App::new();
/// app.route("GET", "/ticks", |_: &Request<'_>| {
///     Response::stream(Ticks(0)).with_header("Content-Type", "text/event-stream")
/// })?;
/// let mut client = MockClient::new(app);
/// client.deliver("GET /ticks HTTP/1.1\r\nHost: a\r\n\r\n", &[]);
/// client.sleep(4);
/// assert!(client.received().ends_with(b"data: 5\n\n\r\n")); // the end of a chunk
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Produced {
    /// Ask again.
    More,
    /// There is nothing for the moment: ask again after this time. What was appended is sent meanwhile.
    Later(Duration),
    /// There is nothing for the moment: whoever has something for it [summons](super::Summons) its connection. What was
    /// appended is sent meanwhile. There is no time limit but the source's own.
    ///
    /// ```
    /// use ownhands::{App, Produced, Request, Response, Source, testing::MockClient};
    /// use std::sync::mpsc::{Receiver, TryRecvError, channel};
    ///
    /// /// What a thread finds, as it is found.
    /// struct Finds(Receiver<&'static str>);
    ///
    /// impl Source for Finds {
    ///     fn produce(&mut self, out: &mut Vec<u8>) -> std::io::Result<Produced> {
    ///         Ok(match self.0.try_recv() {
    ///             Ok(find) => {
    ///                 out.extend_from_slice(find.as_bytes());
    ///                 Produced::More
    ///             }
    ///             Err(TryRecvError::Empty) => Produced::Waiting,
    ///             Err(TryRecvError::Disconnected) => Produced::All,
    ///         })
    ///     }
    /// }
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut app = App::new();
    /// app.route("GET", "/finds", |request: &Request<'_>| {
    ///     let (finds, found) = channel();
    ///     let summons = request.recall.summons();
    ///     std::thread::spawn(move || {
    ///         for find in ["a coin, ", "a key"] {
    ///             let _ = finds.send(find); // fails once the peer has left
    ///             summons.send();
    ///         }
    ///         drop(finds);
    ///         summons.send();
    ///     });
    ///     Response::stream(Finds(found))
    /// })?;
    /// assert_eq!(MockClient::new(app).get("/finds").text(), "a coin, a key");
    /// # Ok(()) }
    /// ```
    Waiting,
    /// That was all.
    All,
}

impl fmt::Debug for dyn Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Source")
    }
}
