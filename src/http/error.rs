//! The one door for errors: whatever goes wrong with a request becomes an [`HttpError`], and leaves as a page.

use std::borrow::Cow;
use std::error::Error;
use std::{fmt, io};

use super::{HeaderList, Status};

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
}

impl HttpError {
    /// A refusal with any status.
    pub fn new(status: Status, detail: impl Into<Cow<'static, str>>) -> Self {
        HttpError { status, detail: detail.into(), headers: HeaderList::new(), source: None }
    }

    /// 400: the request cannot be understood.
    pub fn bad_request(detail: impl Into<Cow<'static, str>>) -> Self {
        HttpError::new(Status::BAD_REQUEST, detail)
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
    #[must_use]
    pub fn method_not_allowed(allow: &str) -> Self {
        let detail = format!("this resource answers to {allow} only");
        HttpError::new(Status::METHOD_NOT_ALLOWED, detail).with_header("Allow", allow)
    }

    /// 500: our fault. The source is logged; the peer is told nothing of it.
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
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.status, self.detail)
    }
}

impl Error for HttpError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

/// One table from what an operation on a file says to what a peer is told.
impl From<io::Error> for HttpError {
    fn from(error: io::Error) -> Self {
        let refusal = match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => HttpError::not_found("there is nothing here"),
            io::ErrorKind::InvalidFilename => HttpError::not_found("the name is longer than any file's here"),
            io::ErrorKind::PermissionDenied => HttpError::forbidden("the server may not read this"),
            _ => return HttpError::internal(error),
        };
        refusal.with_source(error)
    }
}
