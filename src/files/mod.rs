//! Layer 3: one handler, a directory on disk.
//!
//! [`Files::answer`](crate::Resource::answer) is the pipeline, top to bottom: resolve, cache, conditional, range,
//! answer. It never writes, runs nothing, and hands out nothing that lies outside its root, is a device, a pipe or a
//! socket, or begins with a dot.

mod beneath;
mod cache;
mod conditional;
mod facts;
mod listing;
mod mime;
mod multipart;
mod range;
mod resolve;
mod root;

use std::cell::RefCell;
use std::io;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use cache::{Cache, Entry};
use conditional::Verdict;
use listing::Listing;
use multipart::Multipart;
pub use range::{ByteRanges, Span};
use resolve::{Found, Hidden};
use root::Root;

use crate::http::{Body, HttpError, Method, Request, Response, Status};
use crate::service::Resource;

/// What a directory without an index page answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Listings {
    Shown,
    /// 404: there is no page of that address, and nothing that a permission would change.
    Withheld,
}

/// The files of a directory, as a resource to be mounted in an [`App`](crate::App).
///
/// GET and HEAD, byte ranges, conditional requests, an index page, a listing where there is none: a page for
/// browsers, lines of text for others. Dot-files, and links that lead out of the root, are answered as missing.
///
/// ```
/// use ownhands::{App, Files, testing::MockClient};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// # let root = directory.path();
/// std::fs::write(root.join("note.txt"), "hello")?;
///
/// let mut app = App::new();
/// app.mount("/files", Files::new(root)?)?;
/// let mut client = MockClient::new(app);
/// let answer = client.send("GET /files/note.txt HTTP/1.1\r\nHost: a\r\nRange: bytes=1-3\r\n\r\n", &[]);
/// assert_eq!((answer.status(), answer.text().as_str()), (206, "ell"));
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Files {
    root: Arc<Root>,
    index: Vec<u8>,
    hidden: Hidden,
    listings: Listings,
    cache: RefCell<Cache>,
}

impl Files {
    /// The files below `root`. The directory is opened here and stays open: a relative path is relative to the working
    /// directory of this moment.
    ///
    /// # Errors
    /// If there is no such directory, or it may not be entered; the message names it.
    ///
    /// ```
    /// let error = ownhands::Files::new("/no/such/directory").unwrap_err();
    /// assert!(error.to_string().starts_with("/no/such/directory: "));
    /// ```
    pub fn new(root: impl Into<PathBuf>) -> io::Result<Files> {
        Ok(Files {
            root: Arc::new(Root::open(root.into())?),
            index: b"index.html".to_vec(),
            hidden: Hidden::Refused,
            listings: Listings::Shown,
            cache: RefCell::default(),
        })
    }

    /// Another name for the page that stands for a directory, instead of `index.html`. With an empty one, no page does:
    /// every directory is listed.
    ///
    /// ```
    /// use ownhands::{App, Files, testing::MockClient};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// # let root = directory.path();
    /// std::fs::write(root.join("start.txt"), "begin here")?;
    /// let mut app = App::new();
    /// app.mount("/", Files::new(root)?.with_index("start.txt"))?;
    /// assert_eq!(MockClient::new(app).get("/").text(), "begin here");
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn with_index(self, name: impl Into<String>) -> Self {
        Files { index: name.into().into_bytes(), ..self }
    }

    /// Names that begin with a dot are served and listed like any other. `.git`, `.env` and `.ssh` are such names.
    ///
    /// ```
    /// use ownhands::{App, Files, testing::MockClient};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// # let root = directory.path();
    /// std::fs::write(root.join(".plan"), "world peace")?;
    /// let mut app = App::new();
    /// app.mount("/strict", Files::new(root)?)?.mount("/open", Files::new(root)?.with_hidden())?;
    /// let mut client = MockClient::new(app);
    /// assert_eq!((client.get("/strict/.plan").status(), client.get("/open/.plan").status()), (404, 200));
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn with_hidden(self) -> Self {
        Files { hidden: Hidden::Served, ..self }
    }

    /// A directory without an index page is answered with 404.
    ///
    /// ```
    /// use ownhands::{App, Files, testing::MockClient};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// # let root = directory.path();
    /// let mut app = App::new();
    /// app.mount("/", Files::new(root)?.without_listing())?;
    /// assert_eq!(MockClient::new(app).get("/").status(), 404);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn without_listing(self) -> Self {
        Files { listings: Listings::Withheld, ..self }
    }

    /// Keeps inside the root by canonical paths, as on a system without openat2. For the tests: both ways must agree.
    #[doc(hidden)]
    #[must_use]
    pub fn by_canonical_paths(mut self) -> Self {
        // Nobody shares the root yet: only a listing under way does.
        if let Some(root) = Arc::get_mut(&mut self.root) {
            root.go_by_canonical_paths();
        }
        self
    }

    /// What the request is for: a file fresh from the cache or from the disk, or an answer of another kind.
    fn find(&self, request: &Request<'_>) -> Result<Subject, HttpError> {
        let path = request.path_below_mount();
        if let Some(entry) = self.cache.borrow_mut().fresh(path, &self.root, request.now) {
            return Ok(Subject::File(entry));
        }
        Ok(match resolve::find(&self.root, request, &self.index, self.hidden)? {
            Found::File(opened) => {
                let entry = Rc::new(Entry::load(opened, request.now));
                self.cache.borrow_mut().keep(path, &entry, request.now);
                Subject::File(entry)
            }
            Found::Directory(directory) => Subject::Other(self.list(request, directory)?),
            Found::Elsewhere(location) => {
                // Not for ever: what is a directory today may be a file tomorrow.
                let redirect = Response::redirect(Status::MOVED_PERMANENTLY, &location);
                Subject::Other(redirect.with_header("Cache-Control", "no-cache"))
            }
        })
    }

    fn list(&self, request: &Request<'_>, directory: Vec<u8>) -> Result<Response, HttpError> {
        if self.listings == Listings::Withheld {
            return Err(HttpError::not_found("this directory has no index page, and listings are switched off"));
        }
        Listing::open(Arc::clone(&self.root), directory, self.hidden, request)?.into_response()
    }
}

/// What a request turns out to be about.
enum Subject {
    /// A file: conditions and ranges apply.
    File(Rc<Entry>),
    /// A listing or a redirect: they do not.
    Other(Response),
}

impl Resource for Files {
    fn allow(&self) -> &str {
        "GET, HEAD"
    }

    fn answer(&self, request: &Request<'_>) -> Result<Response, HttpError> {
        if !matches!(request.method, Method::Get | Method::Head) {
            return Err(HttpError::method_not_allowed(self.allow()));
        }
        resolve::refuse_encoded_slash(request, &self.root)?;
        let entry = match self.find(request)? {
            Subject::File(entry) => entry,
            Subject::Other(response) => return Ok(response),
        };
        match conditional::weigh(request, &entry.facts, &entry.tag) {
            Verdict::Send => send(request, &entry),
            Verdict::NotModified => Ok(Response::new(Status::NOT_MODIFIED).with_headers(entry.validators.clone())),
            Verdict::Failed => Err(HttpError::new(
                Status::PRECONDITION_FAILED,
                "the file is not what If-Match or If-Unmodified-Since asks",
            )),
        }
    }
}

/// The file, or the parts of it that are asked for.
fn send(request: &Request<'_>, entry: &Entry) -> Result<Response, HttpError> {
    let size = entry.facts.size;
    match asked(request, entry) {
        ByteRanges::Whole => {
            Ok(Response::new(Status::OK).with_headers(entry.headers.clone()).with_body(entry.body(0, size)))
        }
        ByteRanges::One(span) => {
            let content_range = format!("bytes {}-{}/{size}", span.offset, span.last());
            Ok(Response::new(Status::PARTIAL_CONTENT)
                .with_headers(entry.headers.clone())
                .with_header("Content-Range", content_range)
                .with_body(entry.body(span.offset, span.length)))
        }
        ByteRanges::Several(spans) => {
            let content_type = entry.headers.get("Content-Type").unwrap_or_default();
            let parts = Multipart::new(entry.body(0, size), size, content_type, &entry.tag, spans);
            let parts = parts.ok_or_else(|| HttpError::internal("a file without content has no parts"))?;
            Ok(Response::new(Status::PARTIAL_CONTENT)
                .with_headers(entry.headers.clone())
                .with_header("Content-Type", parts.content_type())
                .with_body(Body::Stream(Box::new(parts))))
        }
        ByteRanges::Unsatisfiable => {
            let detail = format!("what is asked for begins behind the end of the file, which has {size} bytes");
            Err(HttpError::new(Status::RANGE_NOT_SATISFIABLE, detail)
                .with_header("Content-Range", format!("bytes */{size}")))
        }
    }
}

/// The ranges that are asked for: with GET only (RFC 9110 section 14.2), in one field, and if If-Range does not object.
fn asked(request: &Request<'_>, entry: &Entry) -> ByteRanges {
    let mut fields = request.headers.get_all("range");
    match (request.method, fields.next(), fields.next()) {
        (Method::Get, Some(range), None) if conditional::allows_range(request, &entry.facts, &entry.tag) => {
            ByteRanges::parse(range, entry.facts.size)
        }
        _ => ByteRanges::Whole,
    }
}
