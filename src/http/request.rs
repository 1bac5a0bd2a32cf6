//! A request: a view of the bytes it came in. It is `Copy`, owns nothing, and lives as long as its handler runs.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

use super::{
    Body, Content, Deferred, Form, Headers, HttpError, Method, Now, Pairs, Params, Recall, Response, Status, Version,
};
use super::{accept, field};

/// A complete request, with its body.
///
/// ```
/// use ownhands::{App, Method, Request, testing::MockClient};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut app = App::new();
/// app.route("GET", "/a b", |request: &Request<'_>| {
///     assert_eq!(request.method, Method::Get);
///     assert_eq!((request.target, request.raw_path, request.path), ("/a%20b?c", "/a%20b", "/a b"));
///     assert_eq!((request.query, request.authority), (Some("c"), Some("localhost")));
///     assert!(request.body.is_empty());
///     request.peer.map(|peer| format!("{} came at {}", peer.ip(), request.now.http_date()))
/// })?;
/// let answer = MockClient::new(app).get("/a%20b?c");
/// assert_eq!(answer.text(), "192.0.2.1 came at Thu, 01 Jan 2026 00:00:00 GMT");
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Request<'a> {
    /// What to do.
    pub method: Method<'a>,
    /// The target, as it stands in the request line (RFC 9112 section 3.2).
    pub target: &'a str,
    /// The path, percent-decoded once, as text: what is no UTF-8 shows as U+FFFD. Begins with `/`, or is `*`.
    pub path: &'a str,
    /// The path, percent-decoded once, as the octets that were meant.
    pub path_bytes: &'a [u8],
    /// The path as it was sent, still encoded: where `%2F` differs from `/`.
    pub raw_path: &'a str,
    /// What follows the first `?`, still encoded; `Some("")` for a bare `?`.
    pub query: Option<&'a str>,
    /// The version it is served as.
    pub version: Version,
    /// Host and port the request is for: from an absolute target, else from the Host field; `None` only in HTTP/1.0.
    pub authority: Option<&'a str>,
    /// The header fields.
    pub headers: Headers<'a>,
    /// The body, complete and without its transfer coding.
    pub body: Content<'a>,
    /// Who asks: the peer, or the client for whom a [trusted](super::Trust) proxy speaks. Never an IPv4 address in the
    /// form of IPv6; `None` for a client without an address.
    pub client: Option<IpAddr>,
    /// Who is connected: the client, or a proxy; `None` for a peer without an address.
    pub peer: Option<SocketAddr>,
    /// The port it came to; `None` where there are no ports.
    pub local_port: Option<u16>,
    /// The time of this turn.
    pub now: &'a Now,
    /// The prefix under which the handler was mounted, without a final slash; empty for a route and at the root.
    /// It is what CGI calls SCRIPT_NAME (RFC 3875 section 4.1.13).
    pub mount: &'a str,
    /// What the named groups of the route's pattern caught.
    pub params: Params<'a>,
    /// How its connection is woken.
    pub recall: Recall<'a>,
}

impl<'a> Request<'a> {
    /// The value of the first header field of that name, if it is text.
    ///
    /// ```
    /// use ownhands::{App, Request, testing::MockClient};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut app = App::new();
    /// app.route("GET", "/", |request: &Request<'_>| request.header("x-name").map(str::to_owned))?;
    /// let mut client = MockClient::new(app);
    /// assert_eq!(client.request("GET", "/").header("X-Name", "you").send().text(), "you");
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.get(name).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// What the named group of the route's pattern caught.
    ///
    /// An example stands at [`Params`].
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&'a str> {
        self.params.get(name)
    }

    /// The names and values in the query, in order; see [`Pairs`] for how they are read.
    ///
    /// ```
    /// use ownhands::{App, Request, testing::MockClient};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut app = App::new();
    /// app.route("GET", "/search", |request: &Request<'_>| {
    ///     let tags = request.query_pairs().filter(|(name, _)| name == "tag");
    ///     let tags: Vec<_> = tags.map(|(_, value)| value).collect();
    ///     format!("{} in {}", request.query_value("q").unwrap_or_default(), tags.join(", "))
    /// })?;
    /// let answer = MockClient::new(app).get("/search?q=black+tea&tag=green&tag=%3F");
    /// assert_eq!(answer.text(), "black tea in green, ?");
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn query_pairs(&self) -> Pairs<'a> {
        Pairs::new(self.query.unwrap_or_default().as_bytes())
    }

    /// The first value of that name in the query, decoded.
    ///
    /// An example stands at [`query_pairs`](Self::query_pairs).
    #[must_use]
    pub fn query_value(&self, name: &str) -> Option<Cow<'a, str>> {
        self.query_pairs().find(|(other, _)| other == name).map(|(_, value)| value)
    }

    /// The media type of the body, in lower case and without parameters: `text/html`. `None` where nothing was said, or
    /// what is no media type (RFC 9110 section 8.3).
    ///
    /// ```
    /// use ownhands::{App, Request, testing::MockClient};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut app = App::new();
    /// app.route("POST", "/", |request: &Request<'_>| request.content_type().map(|name| name.into_owned()))?;
    /// let mut client = MockClient::new(app);
    /// let answer = client.post("/").header("Content-Type", "Text/HTML; charset=utf-8").send();
    /// assert_eq!(answer.text(), "text/html");
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn content_type(&self) -> Option<Cow<'a, str>> {
        let name = self.headers.get("content-type").and_then(field::media_type)?;
        let is_lower = !name.bytes().any(|byte| byte.is_ascii_uppercase());
        Some(if is_lower { Cow::Borrowed(name) } else { Cow::Owned(name.to_ascii_lowercase()) })
    }

    /// The body as text.
    ///
    /// # Errors
    /// 400 if it is no UTF-8, 413 if it is longer than [`WHOLE_BODY`](Self::WHOLE_BODY).
    ///
    /// # Examples
    /// ```
    /// use ownhands::{App, HttpError, Request, testing::MockClient};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut app = App::new();
    /// app.route("PUT", "/note", |request: &Request<'_>| -> Result<String, HttpError> {
    ///     Ok(format!("{} characters", request.text()?.chars().count()))
    /// })?;
    /// let mut client = MockClient::new(app);
    /// assert_eq!(client.request("PUT", "/note").body("für dich").send().text(), "8 characters");
    /// assert_eq!(client.request("PUT", "/note").body(b"f\xfcr dich").send().status(), 400);
    /// # Ok(()) }
    /// ```
    pub fn text(&self) -> Result<Cow<'a, str>, HttpError> {
        let wrong = |error: std::str::Utf8Error| {
            let byte = error.valid_up_to().saturating_add(1);
            HttpError::bad_request(format!("the body is not UTF-8: byte {byte} does not belong there"))
        };
        match self.whole_body()? {
            Cow::Borrowed(bytes) => std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(wrong),
            Cow::Owned(bytes) => String::from_utf8(bytes).map(Cow::Owned).map_err(|error| wrong(error.utf8_error())),
        }
    }

    /// The body as a form, as browsers send it with POST unless files are in it.
    ///
    /// # Errors
    /// 415 if its type is another, 413 if it has more than [`Form::PAIRS`] pairs or is longer than
    /// [`WHOLE_BODY`](Self::WHOLE_BODY).
    ///
    /// # Examples
    /// At [`Form`].
    pub fn form(&self) -> Result<Form, HttpError> {
        if self.content_type().as_deref() == Some(Form::MEDIA_TYPE) {
            return Form::read(&self.whole_body()?);
        }
        // RFC 9110 section 15.5.16: with 415, Accept says what would have been taken.
        let detail = format!("a form is {} here", Form::MEDIA_TYPE);
        Err(HttpError::new(Status::UNSUPPORTED_MEDIA_TYPE, detail).with_header("Accept", Form::MEDIA_TYPE))
    }

    /// Bytes of a body that [`text`](Self::text) and [`form`](Self::form) take into memory at once. Where the limit for
    /// bodies was raised for uploads, no other route can be made to hold one.
    pub const WHOLE_BODY: usize = 1024 * 1024;

    /// The one place that takes a body as a whole.
    fn whole_body(&self) -> Result<Cow<'a, [u8]>, HttpError> {
        if self.body.len() > Self::WHOLE_BODY as u64 {
            let detail = format!("the body is longer than the {} bytes that are read at once here", Self::WHOLE_BODY);
            return Err(HttpError::new(Status::CONTENT_TOO_LARGE, detail));
        }
        Ok(self.body.bytes()?)
    }

    /// Puts the answer off: the handler returns the response given here, and whoever has the handle answers when he
    /// can. The loop goes on meanwhile; requests behind this one on the same connection wait, so that answers stay in
    /// order.
    ///
    /// ```
    /// use ownhands::{App, Request, Response, testing::MockClient};
    ///
    /// fn slow(request: &Request<'_>) -> Response {
    ///     let (deferred, response) = request.defer();
    ///     std::thread::spawn(move || deferred.answer("here it is\n"));
    ///     response
    /// }
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut app = App::new();
    /// app.route("GET", "/slow", slow)?;
    /// assert_eq!(MockClient::new(app).get("/slow").text(), "here it is\n");
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn defer(&self) -> (Deferred, Response) {
        let (deferred, pending) = Deferred::new(self.recall);
        (deferred, Response::new(Status::OK).with_body(Body::Later(pending)))
    }

    /// The octets of the path below the mount: empty, or begins with `/`. What CGI calls PATH_INFO.
    ///
    /// An example stands at [`Resource`](crate::Resource).
    #[must_use]
    pub fn path_below_mount(&self) -> &'a [u8] {
        self.path_bytes.get(self.mount.len()..).unwrap_or_default()
    }

    /// The index of the media type that the peer likes best, of those that could be sent (RFC 9110 section 12.5.1).
    ///
    /// Each offer has the quality of the range in Accept that says most of it: `text/html;level=1` more than
    /// `text/html`, that more than `text/*`, that more than `*/*`. The best quality wins; of equals, what the peer
    /// named first; then what was offered first. A range with parameters covers only what is offered with all of them.
    ///
    /// `None` if the peer refuses all of them, by silence or by `q=0`: answer 406, or send something all the same
    /// (section 15.5.7). Where there is no Accept, or none that can be read, the first offer is as good as any. The
    /// answer depends on the field, so it says `Vary: Accept` to caches (section 12.5.5).
    ///
    /// ```
    /// use ownhands::{App, HttpError, Request, Response, Status, testing::MockClient};
    ///
    /// fn sum(request: &Request<'_>) -> Result<Response, HttpError> {
    ///     Ok(match request.prefers(&["text/plain", "text/html", "application/json"]) {
    ///         Some(0) => Response::text("4\n"),
    ///         Some(1) => Response::html("<p>4"),
    ///         Some(_) => Response::json("{\"sum\":4}".to_owned()),
    ///         None => return Err(HttpError::new(Status::NOT_ACCEPTABLE, "there is text, a page, and JSON")),
    ///     }
    ///     .with_header("Vary", "Accept"))
    /// }
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut app = App::new();
    /// app.route("GET", "/", sum)?;
    /// let mut client = MockClient::new(app);
    /// let mut ask = |accept: &str| client.request("GET", "/").header("Accept", accept).send();
    /// assert_eq!(ask("*/*").text(), "4\n");
    /// assert_eq!(ask("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8").text(), "<p>4");
    /// assert_eq!(ask("application/json, text/plain, */*").text(), "{\"sum\":4}");
    /// assert_eq!(ask("image/png").status(), 406);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn prefers(&self, offers: &[&str]) -> Option<usize> {
        accept::best_type(self.headers.get_all("accept"), offers)
    }

    /// Those of the content codings that may be sent, the best first (RFC 9110 section 12.5.3).
    ///
    /// The offers are in the server's own order, which decides between those that the peer likes equally. What the peer
    /// likes less than no coding at all is left out, and where it does not say what it takes, nothing is left. An
    /// answer that depends on this says `Vary: Accept-Encoding`.
    ///
    /// ```
    /// use ownhands::{App, Request, testing::MockClient};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut app = App::new();
    /// app.route("GET", "/", |request: &Request<'_>| request.codings(&["br", "zstd", "gzip"]).join(" "))?;
    /// let mut client = MockClient::new(app);
    /// let mut ask = |accept: &str| client.request("GET", "/").header("Accept-Encoding", accept).send().text();
    /// assert_eq!(ask("gzip, deflate, br, zstd"), "br zstd gzip");
    /// assert_eq!(ask("br;q=0.1, x-gzip"), "gzip br");
    /// assert_eq!(ask("identity, gzip;q=0.5"), "");
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn codings<'o>(&self, offers: &[&'o str]) -> Vec<&'o str> {
        accept::codings(self.headers.get_all("accept-encoding"), offers)
    }

    /// True if the peer asks for a page by name: `text/html` or `application/xhtml+xml` stands in Accept, with a
    /// quality above zero, as browsers do and curl does not.
    ///
    /// ```
    /// use ownhands::{App, Request, Response, testing::MockClient};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut app = App::new();
    /// app.route("GET", "/", |request: &Request<'_>| match request.wants_html() {
    ///     true => Response::html("<h1>hello</h1>"),
    ///     false => Response::text("hello"),
    /// })?;
    /// let mut client = MockClient::new(app);
    /// assert_eq!(client.request("GET", "/").header("Accept", "*/*").send().text(), "hello");
    /// assert_eq!(client.request("GET", "/").header("Accept", "text/html, */*").send().text(), "<h1>hello</h1>");
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn wants_html(&self) -> bool {
        accept::names_html(self.headers.get_all("accept"))
    }

    /// The same request as a handler mounted under `mount` sees it. The decoded path begins with `mount`.
    #[must_use]
    pub fn with_mount(self, mount: &'a str) -> Self {
        Request { mount, ..self }
    }

    /// The same request with the parameters of the route that was found.
    #[must_use]
    pub fn with_params(self, params: Params<'a>) -> Self {
        Request { params, ..self }
    }
}
