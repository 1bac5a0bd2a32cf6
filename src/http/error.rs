//! The one door for errors: whatever goes wrong with a request becomes an [`HttpError`], and leaves as a page.

use std::borrow::Cow;
use std::error::Error;
use std::time::Duration;
use std::{fmt, io};

use rustix::io::Errno;

use super::{HeaderList, Response, Status};

/// A refusal: a status, and the one sentence that says what was wrong and where.
///
/// `detail` is shown to the peer. `source` is what went wrong inside: it is logged, and never shown.
///
/// ```
/// use ownhands::{HttpError, Status};
///
/// let error = HttpError::not_found("there is no user of that name");
/// assert_eq!(error.status, Status::NOT_FOUND);
/// assert_eq!(error.to_string(), "404 Not Found: there is no user of that name");
/// ```
///
/// # With `?`
/// In a handler `?` makes a refusal of every error. Of an [`io::Error`] it makes what one table says: 404 for what is
/// not there, 403 for what may not be read, 503 where no descriptor is left, else 500. Of every other it makes a 500:
/// that the peer is to blame only the handler can know, and says so with `map_err`.
///
/// ```
/// use ownhands::{App, HttpError, Request, testing::MockClient};
///
/// fn line(request: &Request<'_>) -> Result<String, HttpError> {
///     let number: usize = request.param("number").unwrap_or_default().parse().map_err(|error| {
///         HttpError::not_found("no file has so many lines").with_source(error)
///     })?;
///     let text = std::fs::read("Cargo.toml")?; // an io error: 404, 403 or 500
///     let text = String::from_utf8(text)?; // any other: 500, logged
///     text.lines().nth(number).map(str::to_owned).ok_or(HttpError::not_found("the file is shorter"))
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut app = App::new();
/// app.route("GET", "/line/(?<number>[0-9]+)", line)?;
/// let mut client = MockClient::new(app);
/// assert_eq!(client.get("/line/0").text(), "[package]");
/// assert_eq!(client.get("/line/99999999999999999999").status(), 404);
/// # Ok(()) }
/// ```
///
/// For this it is no [`Error`] itself, since a type that is cannot be made of every other. `?` makes a `Box<dyn Error>`
/// of it all the same; of a box `?` makes none, but [`HttpError::internal`] does.
#[derive(Debug)]
pub struct HttpError {
    /// 400 to 599.
    pub status: Status,
    /// The sentence for the peer, without a full stop. It may quote the request; pages escape it.
    pub detail: Cow<'static, str>,
    /// Fields that go with the status, such as `Allow` with 405.
    pub headers: HeaderList,
    /// For the log alone.
    pub source: Option<Box<dyn Error + Send + Sync>>,
    /// The page for the peer, instead of the built-in one.
    pub page: Option<Box<Response>>,
}

impl HttpError {
    /// A refusal with any status.
    pub fn new(status: Status, detail: impl Into<Cow<'static, str>>) -> Self {
        HttpError { status, detail: detail.into(), headers: HeaderList::new(), source: None, page: None }
    }

    /// 400: the request cannot be understood.
    pub fn bad_request(detail: impl Into<Cow<'static, str>>) -> Self {
        HttpError::new(Status::BAD_REQUEST, detail)
    }

    /// 401: say who you are. The challenge says how, as `WWW-Authenticate` has it (RFC 9110 section 11.6.1).
    ///
    /// ```
    /// let error = ownhands::HttpError::unauthorized("Basic realm=\"cave\"", "say the word");
    /// assert_eq!(error.headers.get("WWW-Authenticate"), Some(&b"Basic realm=\"cave\""[..]));
    /// ```
    pub fn unauthorized(challenge: &str, detail: impl Into<Cow<'static, str>>) -> Self {
        HttpError::new(Status::UNAUTHORIZED, detail).with_header("WWW-Authenticate", challenge)
    }

    /// 403: understood, and not for you.
    pub fn forbidden(detail: impl Into<Cow<'static, str>>) -> Self {
        HttpError::new(Status::FORBIDDEN, detail)
    }

    /// 404: there is nothing under this path.
    pub fn not_found(detail: impl Into<Cow<'static, str>>) -> Self {
        HttpError::new(Status::NOT_FOUND, detail)
    }

    /// 405 with the methods that are allowed, as `Allow` lists them: `GET, HEAD`.
    ///
    /// ```
    /// let error = ownhands::HttpError::method_not_allowed("GET, HEAD");
    /// assert_eq!(error.to_string(), "405 Method Not Allowed: this resource answers to GET, HEAD only");
    /// ```
    #[must_use]
    pub fn method_not_allowed(allow: &str) -> Self {
        let detail = format!("this resource answers to {allow} only");
        HttpError::new(Status::METHOD_NOT_ALLOWED, detail).with_header("Allow", allow)
    }

    /// 409: not as things stand; what stands in the way may be taken out of it.
    pub fn conflict(detail: impl Into<Cow<'static, str>>) -> Self {
        HttpError::new(Status::CONFLICT, detail)
    }

    /// 410: it was here, and will not come back.
    pub fn gone(detail: impl Into<Cow<'static, str>>) -> Self {
        HttpError::new(Status::GONE, detail)
    }

    /// 413: more than is taken here.
    pub fn content_too_large(detail: impl Into<Cow<'static, str>>) -> Self {
        HttpError::new(Status::CONTENT_TOO_LARGE, detail)
    }

    /// 415 with the media types that are taken, as `Accept` lists them (RFC 9110 section 15.5.16):
    /// `image/png, image/jpeg`.
    ///
    /// ```
    /// let error = ownhands::HttpError::unsupported_media_type("image/png");
    /// assert_eq!(error.to_string(), "415 Unsupported Media Type: this resource takes image/png only");
    /// assert_eq!(error.headers.get("Accept"), Some(&b"image/png"[..]));
    /// ```
    #[must_use]
    pub fn unsupported_media_type(accept: &str) -> Self {
        let detail = format!("this resource takes {accept} only");
        HttpError::new(Status::UNSUPPORTED_MEDIA_TYPE, detail).with_header("Accept", accept)
    }

    /// 422: well-formed, and yet it cannot be done: a date that does not exist.
    pub fn unprocessable_content(detail: impl Into<Cow<'static, str>>) -> Self {
        HttpError::new(Status::UNPROCESSABLE_CONTENT, detail)
    }

    /// 429: too often. The peer may come again after this time, in whole seconds (RFC 6585 section 4).
    pub fn too_many_requests(after: Duration, detail: impl Into<Cow<'static, str>>) -> Self {
        HttpError::new(Status::TOO_MANY_REQUESTS, detail).with_header("Retry-After", after.as_secs().to_string())
    }

    /// 503: not now. The peer may come again after this time, in whole seconds (RFC 9110 section 10.2.3).
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let error = ownhands::HttpError::service_unavailable(Duration::from_secs(60), "the printer is out of paper");
    /// assert_eq!(error.headers.get("Retry-After"), Some(&b"60"[..]));
    /// ```
    pub fn service_unavailable(after: Duration, detail: impl Into<Cow<'static, str>>) -> Self {
        HttpError::new(Status::SERVICE_UNAVAILABLE, detail).with_header("Retry-After", after.as_secs().to_string())
    }

    /// 500: our fault. The source is logged; the peer is told nothing of it.
    ///
    /// ```
    /// use ownhands::HttpError;
    ///
    /// let error = HttpError::internal("the turbine is stuck");
    /// assert_eq!(error.to_string(), "500 Internal Server Error: the server failed to answer this request");
    ///
    /// // Where `?` does not do: a box may hold any error, and is none itself.
    /// let outcome: Result<(), Box<dyn std::error::Error + Send + Sync>> = Err("stuck again".into());
    /// assert_eq!(outcome.map_err(HttpError::internal).unwrap_err().status.code(), 500);
    /// ```
    pub fn internal(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let error = HttpError::new(Status::INTERNAL_SERVER_ERROR, "the server failed to answer this request");
        HttpError { source: Some(source.into()), ..error }
    }

    /// The same refusal with one more field.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push(name, value);
        self
    }

    /// The same refusal with what lies behind it, for the log.
    ///
    /// ```
    /// use ownhands::HttpError;
    ///
    /// let error = "seven".parse::<u32>().map_err(|error| HttpError::bad_request("no number").with_source(error));
    /// assert_eq!(error.unwrap_err().to_string(), "400 Bad Request: no number"); // and the log says: invalid digit found in string
    /// ```
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The same refusal with a page of its own, shown instead of the built-in one. An error handler of the application
    /// goes before it. The status of the answer is that of the refusal, whatever the page says; the fields of the
    /// refusal, such as `Allow`, are added to those of the page.
    ///
    /// ```
    /// use ownhands::{App, HttpError, Request, Response, testing::MockClient};
    ///
    /// fn shop(_: &Request<'_>) -> Result<Response, HttpError> {
    ///     let error = HttpError::gone("the shop has moved out");
    ///     Err(error.with_page(Response::html("<h1>Closed</h1>\n<p>Thank you for forty years.\n")))
    /// }
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut app = App::new();
    /// app.route("GET", "/shop", shop)?;
    /// let answer = MockClient::new(app).get("/shop");
    /// assert_eq!((answer.status(), answer.header("Content-Type")), (410, Some("text/html; charset=utf-8")));
    /// assert!(answer.text().starts_with("<h1>Closed</h1>"));
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn with_page(mut self, page: Response) -> Self {
        self.page = Some(Box::new(page));
        self
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.status, self.detail)
    }
}

/// What `?` does in a handler; see [`HttpError`](HttpError#with-).
impl<E: Error + Send + Sync + 'static> From<E> for HttpError {
    fn from(error: E) -> Self {
        let error: Box<dyn Error + Send + Sync> = Box::new(error);
        match error.downcast() {
            Ok(error) => of_io(*error),
            Err(error) => HttpError::internal(error),
        }
    }
}

/// One table from what an operation on a file says to what a peer is told.
fn of_io(error: io::Error) -> HttpError {
    let refusal = match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => HttpError::not_found("there is nothing here"),
        io::ErrorKind::InvalidFilename => HttpError::not_found("the name is longer than any file's here"),
        io::ErrorKind::PermissionDenied => HttpError::forbidden("the server may not read this"),
        _ if is_out_of_descriptors(&error) => out_of_descriptors(),
        _ => return HttpError::internal(error),
    };
    refusal.with_source(error)
}

/// True if the process has as many descriptors as it may have, or the system.
pub(crate) fn is_out_of_descriptors(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::MFILE | Errno::NFILE))
}

/// That passes: others give theirs back.
pub(crate) fn out_of_descriptors() -> HttpError {
    let detail = "the server cannot open another file just now; try again in a second";
    HttpError::service_unavailable(Duration::from_secs(1), detail)
}

/// A refusal among other errors: what it says, and what lies behind it. Its page stays behind: a page may be a source,
/// which threads cannot share.
#[derive(Debug)]
struct Boxed {
    text: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Boxed {
    fn of(error: HttpError) -> Box<Self> {
        Box::new(Boxed { text: error.to_string(), source: error.source })
    }
}

impl fmt::Display for Boxed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for Boxed {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

impl From<HttpError> for Box<dyn Error + Send + Sync> {
    fn from(error: HttpError) -> Self {
        Boxed::of(error)
    }
}

impl From<HttpError> for Box<dyn Error> {
    fn from(error: HttpError) -> Self {
        Boxed::of(error)
    }
}
