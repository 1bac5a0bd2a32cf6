//! A request: a view of the bytes it came in. It is `Copy`, owns nothing, and lives as long as its handler runs.

use std::net::SocketAddr;

use super::field;
use super::{Body, Deferred, Headers, Method, Now, Params, Recall, Response, Status, Version};

/// A complete request, with its body.
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
    pub body: &'a [u8],
    /// Where it came from; `None` for a peer without an address.
    pub peer: Option<SocketAddr>,
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
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.get(name).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// What the named group of the route's pattern caught.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&'a str> {
        self.params.get(name)
    }

    /// Puts the answer off: the handler returns the response given here, and whoever has the handle answers when he can. The
    /// loop goes on meanwhile; requests behind this one on the same connection wait, so that answers stay in order.
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
    #[must_use]
    pub fn path_below_mount(&self) -> &'a [u8] {
        self.path_bytes.get(self.mount.len()..).unwrap_or_default()
    }

    /// True if the peer prefers a page to text: it named `text/html` in Accept, as browsers do and curl does not.
    #[must_use]
    pub fn wants_html(&self) -> bool {
        let is_html = |element: &[u8]| element.get(..9).is_some_and(|start| start.eq_ignore_ascii_case(b"text/html"));
        self.headers.get_all("accept").flat_map(field::list).any(is_html)
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
