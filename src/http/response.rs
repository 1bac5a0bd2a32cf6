//! The answer to a request.

use super::{Body, Bytes, FileRange, HeaderList, HttpError, Source, Status};

/// A response: status, fields, content.
///
/// ```
/// use ownhands::{Response, Status};
///
/// let response = Response::text("made").with_status(Status::CREATED).with_header("Location", "/things/7");
/// assert_eq!(response.headers.get("content-type"), Some(&b"text/plain; charset=utf-8"[..]));
/// ```
#[derive(Debug)]
pub struct Response {
    /// The status code.
    pub status: Status,
    /// The fields, without those that the server writes itself.
    pub headers: HeaderList,
    /// The content. It is not sent for HEAD, nor with 1xx, 204 and 304.
    pub body: Body,
}

impl Response {
    /// A response without content.
    #[must_use]
    pub const fn new(status: Status) -> Self {
        Response { status, headers: HeaderList::new(), body: Body::Empty }
    }

    /// 200 with text.
    pub fn text(text: impl Into<Text>) -> Self {
        Response::typed(b"Content-Type: text/plain; charset=utf-8\r\n", Body::Bytes(text.into().0))
    }

    /// 200 with a page. The page is sent as it is: escape what came from a peer.
    ///
    /// ```
    /// use ownhands::Response;
    ///
    /// let response = Response::html("<h1>hello</h1>");
    /// assert_eq!(response.headers.get("Content-Type"), Some(&b"text/html; charset=utf-8"[..]));
    /// ```
    pub fn html(page: impl Into<Text>) -> Self {
        Response::typed(b"Content-Type: text/html; charset=utf-8\r\n", Body::Bytes(page.into().0))
    }

    /// 200 with JSON (RFC 8259). The text is sent as it is: what makes it is the caller's choice.
    ///
    /// ```
    /// use ownhands::Response;
    ///
    /// let response = Response::json(format!("{{\"answer\":{}}}", 6 * 7));
    /// assert_eq!(response.headers.get("Content-Type"), Some(&b"application/json"[..]));
    /// ```
    pub fn json(text: impl Into<Text>) -> Self {
        Response::typed(b"Content-Type: application/json\r\n", Body::Bytes(text.into().0))
    }

    /// 200 with bytes of no particular type.
    pub fn bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Response::typed(b"Content-Type: application/octet-stream\r\n", Body::Bytes(Bytes::Owned(bytes.into())))
    }

    /// 200 with a part of a file. Content-Type is the caller's to set.
    ///
    /// An example stands at [`FileRange`].
    #[must_use]
    pub fn file(range: FileRange) -> Self {
        Response::typed(b"", Body::File(range))
    }

    /// 200 with content made while it is sent. Content-Type is the caller's to set.
    ///
    /// An example stands at [`Source`].
    pub fn stream(source: impl Source + 'static) -> Self {
        Response::typed(b"", Body::Stream(Box::new(source)))
    }

    /// Another place to look: `status` is one of the 3xx, `location` a URI reference.
    ///
    /// ```
    /// use ownhands::{Response, Status};
    ///
    /// // After a form was taken: the browser fetches the page with GET, and a reload sends nothing twice.
    /// let response = Response::redirect(Status::SEE_OTHER, "/thanks");
    /// assert_eq!(response.headers.get("Location"), Some(&b"/thanks"[..]));
    /// ```
    pub fn redirect(status: Status, location: &str) -> Self {
        Response::new(status).with_header("Location", location)
    }

    /// The same response with another status.
    #[must_use]
    pub fn with_status(mut self, status: Status) -> Self {
        self.status = status;
        self
    }

    /// What is answered at this path and query of the same application, in the encoding of a target: asked for with
    /// GET, or HEAD if that was asked, and without the body of the request. The peer does not learn of it; who should
    /// learn of it is sent a redirect.
    ///
    /// ```
    /// use ownhands::{App, Request, Response, testing::MockClient};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut app = App::new();
    /// app.route("GET", "/new/(?<name>.*)", |request: &Request<'_>| request.param("name").map(str::to_owned))?;
    /// app.route("POST", "/old", |_: &Request<'_>| Response::elsewhere("/new/a%20place?"))?;
    /// assert_eq!(MockClient::new(app).post("/old").body("what was asked").send().text(), "a place");
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn elsewhere(target: impl Into<Box<str>>) -> Self {
        Response::new(Status::OK).with_body(Body::Elsewhere(target.into()))
    }

    /// The same response with this field; any of that name is replaced.
    ///
    /// What is no field is not sent: the response then becomes a 500, and the log says why.
    ///
    /// ```
    /// use ownhands::{App, Request, Response, testing::MockClient};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut app = App::new();
    /// app.route("GET", "/", |_: &Request<'_>| Response::text("").with_header("X-Name", "a\r\nX-More: b"))?;
    /// let answer = MockClient::new(app).get("/");
    /// assert_eq!((answer.status(), answer.header("X-More")), (500, None));
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.set(name, value);
        self
    }

    /// The same response with these fields.
    #[must_use]
    pub fn with_headers(mut self, headers: HeaderList) -> Self {
        self.headers = headers;
        self
    }

    /// The same response with this content.
    #[must_use]
    pub fn with_body(mut self, body: Body) -> Self {
        self.body = body;
        self
    }

    const fn typed(content_type: &'static [u8], body: Body) -> Self {
        Response { status: Status::OK, headers: HeaderList::from_static(content_type), body }
    }
}

/// Text for a response: a `&'static str` is sent from where it is, a `String` is kept.
///
/// ```
/// use ownhands::{Response, http::Text};
///
/// /// Whatever has to be text of its own begins with a mark.
/// fn marked(text: impl Into<String>) -> Text {
///     Text::from(format!("> {}", text.into()))
/// }
///
/// assert_eq!(Response::text(marked("hello")).body.len(), Some(7));
/// ```
pub struct Text(Bytes);

impl From<&'static str> for Text {
    fn from(text: &'static str) -> Self {
        Text(Bytes::Static(text.as_bytes()))
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Text(Bytes::Owned(text.into_bytes()))
    }
}

/// What a handler may return.
///
/// `&'static str` and `String` are text, `Vec<u8>` is bytes, a status before either sets it, `None` is 404, and an
/// `Err` is refused with its own status.
///
/// ```
/// use ownhands::{App, HttpError, IntoResponse, Request, Response, testing::MockClient};
///
/// struct Celsius(f64);
///
/// impl IntoResponse for Celsius {
///     fn into_response(self) -> Result<Response, HttpError> {
///         Ok(Response::json(format!("{{\"celsius\":{}}}", self.0)))
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut app = App::new();
/// app.route("GET", "/outside", |_: &Request<'_>| Celsius(-2.5))?;
/// app.route("GET", "/inside", |_: &Request<'_>| None::<Celsius>)?;
/// let mut client = MockClient::new(app);
/// assert_eq!(client.get("/outside").text(), "{\"celsius\":-2.5}");
/// assert_eq!(client.get("/inside").status(), 404);
/// # Ok(()) }
/// ```
pub trait IntoResponse {
    /// The response, or the refusal.
    ///
    /// # Errors
    /// The refusal itself; the application turns it into a page.
    fn into_response(self) -> Result<Response, HttpError>;
}

impl IntoResponse for Response {
    fn into_response(self) -> Result<Response, HttpError> {
        Ok(self)
    }
}

impl IntoResponse for &'static str {
    fn into_response(self) -> Result<Response, HttpError> {
        Ok(Response::text(self))
    }
}

impl IntoResponse for String {
    fn into_response(self) -> Result<Response, HttpError> {
        Ok(Response::text(self))
    }
}

impl IntoResponse for Vec<u8> {
    fn into_response(self) -> Result<Response, HttpError> {
        Ok(Response::bytes(self))
    }
}

impl<T: IntoResponse> IntoResponse for (Status, T) {
    fn into_response(self) -> Result<Response, HttpError> {
        self.1.into_response().map(|response| response.with_status(self.0))
    }
}

impl<T: IntoResponse> IntoResponse for Option<T> {
    fn into_response(self) -> Result<Response, HttpError> {
        match self {
            Some(answer) => answer.into_response(),
            None => Err(HttpError::not_found("there is nothing here")),
        }
    }
}

impl<T: IntoResponse, E: Into<HttpError>> IntoResponse for Result<T, E> {
    fn into_response(self) -> Result<Response, HttpError> {
        self.map_err(Into::into)?.into_response()
    }
}
