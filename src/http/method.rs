//! Request methods (RFC 9110 section 9). A method is a token and case-sensitive: `get` is not `GET`.

use std::fmt;

/// The method of a request.
///
/// The eight methods of RFC 9110 and `PATCH` (RFC 5789) have a variant of their own; every other token is kept
/// as it was sent.
///
/// ```
/// use ownhands::Method;
///
/// assert_eq!(Method::new("GET"), Method::Get);
/// assert_eq!(Method::new("get"), Method::Extension("get"));
/// assert_eq!(Method::new("PROPFIND").as_str(), "PROPFIND");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method<'a> {
    /// Send me the representation.
    Get,
    /// As `GET`, without the content.
    Head,
    /// Process the enclosed content.
    Post,
    /// Replace the representation.
    Put,
    /// Remove the resource.
    Delete,
    /// Open a tunnel. This server is no proxy and refuses it.
    Connect,
    /// Say what may be asked of the resource.
    Options,
    /// Echo the request. Refused: it hands out what proxies added.
    Trace,
    /// Change the representation in part.
    Patch,
    /// Any other token, as sent.
    Extension(&'a str),
}

impl<'a> Method<'a> {
    /// The method that a token names.
    #[must_use]
    pub fn new(token: &'a str) -> Self {
        match token {
            "GET" => Method::Get,
            "HEAD" => Method::Head,
            "POST" => Method::Post,
            "PUT" => Method::Put,
            "DELETE" => Method::Delete,
            "CONNECT" => Method::Connect,
            "OPTIONS" => Method::Options,
            "TRACE" => Method::Trace,
            "PATCH" => Method::Patch,
            other => Method::Extension(other),
        }
    }

    /// The token, as it stands in a request line.
    #[must_use]
    pub fn as_str(self) -> &'a str {
        match self {
            Method::Get => "GET",
            Method::Head => "HEAD",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Delete => "DELETE",
            Method::Connect => "CONNECT",
            Method::Options => "OPTIONS",
            Method::Trace => "TRACE",
            Method::Patch => "PATCH",
            Method::Extension(token) => token,
        }
    }
}

impl fmt::Display for Method<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
