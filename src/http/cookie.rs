//! Cookies (RFC 6265): those a request brings, and one that a response sets.
//!
//! Values are taken as they are: nothing here decodes, signs or encrypts them.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use super::field::{is_token, trim};
use super::{Headers, Request, Response};

impl<'a> Request<'a> {
    /// The cookies, names and values, in the order in which they were sent (RFC 6265 section 4.2).
    ///
    /// The quotes around a value are part of it (section 4.1.1) and kept. A name may come more than once: the cookie
    /// with the longer path comes first (section 5.4). What has no `=` or no name is no cookie and left out; what is no
    /// UTF-8 shows as U+FFFD.
    ///
    /// ```
    /// use ownhands::{App, Request, testing::MockClient};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut app = App::new();
    /// app.route("GET", "/", |request: &Request<'_>| {
    ///     request.cookies().map(|(name, value)| format!("{name} is {value}\n")).collect::<String>()
    /// })?;
    /// let mut client = MockClient::new(app);
    /// let answer = client.request("GET", "/").header("Cookie", "theme=dark; visits=\"7\"").send();
    /// assert_eq!(answer.text(), "theme is dark\nvisits is \"7\"\n");
    /// # Ok(()) }
    /// ```
    pub fn cookies(&self) -> impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)> + use<'a> {
        pairs(self.headers).map(|(name, value)| (String::from_utf8_lossy(name), String::from_utf8_lossy(value)))
    }

    /// The value of the first cookie of that name. Upper and lower case differ.
    ///
    /// ```
    /// use ownhands::{App, Request, testing::MockClient};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut app = App::new();
    /// app.route("GET", "/", |request: &Request<'_>| request.cookie("theme").map(|theme| theme.into_owned()))?;
    /// let mut client = MockClient::new(app);
    /// assert_eq!(client.request("GET", "/").header("Cookie", "visits=7; theme=dark").send().text(), "dark");
    /// assert_eq!(client.get("/").status(), 404);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<Cow<'a, str>> {
        let found = pairs(self.headers).find(|(other, _)| *other == name.as_bytes());
        found.map(|(_, value)| String::from_utf8_lossy(value))
    }
}

/// A proxy may have split the one field into several.
fn pairs<'a>(headers: Headers<'a>) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
    headers.get_all("cookie").flat_map(|value| value.split(|&byte| byte == b';')).filter_map(|pair| {
        let equals = memchr::memchr(b'=', pair)?;
        let (name, value) = (trim(pair.get(..equals)?), trim(pair.get(equals + 1..)?));
        (!name.is_empty()).then_some((name, value))
    })
}

/// A cookie to be set (RFC 6265 section 4.1), for [`Response::with_cookie`].
///
/// Without a path or domain it comes back to the host that set it, for paths beside the one that was asked for; without
/// an age it lasts until the browser is closed. Of an attribute that is said twice, browsers take the last.
///
/// What is no cookie is not sent: the response then becomes a 500, and the log says why.
///
/// ```
/// use ownhands::{Cookie, Response, SameSite};
/// use std::time::Duration;
///
/// let cookie = Cookie::new("session", "b64af").with_path("/").with_http_only().with_same_site(SameSite::Lax);
/// let response = Response::text("welcome").with_cookie(cookie.with_max_age(Duration::from_secs(3600)));
/// let value = "session=b64af; Path=/; HttpOnly; SameSite=Lax; Max-Age=3600";
/// assert_eq!(response.headers.get("Set-Cookie"), Some(value.as_bytes()));
///
/// let response = Response::text("welcome").with_cookie(Cookie::new("name", "a; Domain=evil.example"));
/// let why = "the cookie name has the character ; in its value, against RFC 6265 4.1.1";
/// assert_eq!(response.headers.refusal(), Some(why));
/// ```
#[derive(Clone, Debug)]
pub struct Cookie {
    name: String,
    /// The value of the field as far as it is made, or why it cannot be sent.
    made: Result<String, String>,
}

/// To which requests that come from other sites a browser adds a cookie. Not in RFC 6265 but in the draft that follows
/// it.
///
/// ```
/// use ownhands::{Cookie, Response, SameSite};
///
/// let cookie = Cookie::new("embedded", "1").with_same_site(SameSite::None);
/// let response = Response::text("").with_cookie(cookie);
/// assert_eq!(response.headers.get("Set-Cookie"), Some(&b"embedded=1; SameSite=None; Secure"[..]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameSite {
    /// To none.
    Strict,
    /// To those that only follow a link.
    Lax,
    /// To all. Browsers want it to be `Secure` too, so this says both.
    None,
}

/// Bytes of name and value together that browsers keep (RFC 6265 section 6.1); a longer cookie they drop without a
/// word.
const MAX_LENGTH: usize = 4096;

impl Cookie {
    /// A cookie. The name is a token; the value is visible ASCII without quotes, comma, semicolon and backslash, or
    /// such a value in quotes.
    #[must_use]
    pub fn new(name: &str, value: &str) -> Self {
        let made = match fault(name, value) {
            Some(why) => Err(why),
            None => Ok(format!("{name}={value}")),
        };
        Cookie { name: name.to_owned(), made }
    }

    /// Takes a cookie back. Path and domain must be those with which it was set.
    ///
    /// ```
    /// use ownhands::{Cookie, Response};
    ///
    /// let response = Response::text("goodbye").with_cookie(Cookie::removal("session").with_path("/"));
    /// assert_eq!(response.headers.get("Set-Cookie"), Some(&b"session=; Max-Age=0; Path=/"[..]));
    /// ```
    #[must_use]
    pub fn removal(name: &str) -> Self {
        Cookie::new(name, "").with_max_age(Duration::ZERO)
    }

    /// It comes back for this path and those below it. Begins with `/`; what is not ASCII is percent-encoded.
    #[must_use]
    pub fn with_path(self, path: &str) -> Self {
        let is_path = path.starts_with('/') && path.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b';');
        self.with(is_path, format_args!("Path={path}"))
    }

    /// It comes back to this host and those below it, instead of only to the one that set it.
    #[must_use]
    pub fn with_domain(self, domain: &str) -> Self {
        let is_domain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
        let is_domain = !domain.is_empty() && domain.bytes().all(is_domain);
        self.with(is_domain, format_args!("Domain={domain}"))
    }

    /// It lasts this long, in whole seconds; zero takes it back (RFC 6265 section 5.2.2).
    #[must_use]
    pub fn with_max_age(self, age: Duration) -> Self {
        self.with(true, format_args!("Max-Age={}", age.as_secs()))
    }

    /// It comes back over TLS only.
    #[must_use]
    pub fn with_secure(self) -> Self {
        self.with(true, format_args!("Secure"))
    }

    /// Scripts of the page cannot read it.
    #[must_use]
    pub fn with_http_only(self) -> Self {
        self.with(true, format_args!("HttpOnly"))
    }

    /// To which requests from other sites it is added.
    #[must_use]
    pub fn with_same_site(self, same_site: SameSite) -> Self {
        match same_site {
            SameSite::None => self.with(true, format_args!("SameSite=None; Secure")),
            other => self.with(true, format_args!("SameSite={other:?}")),
        }
    }

    /// Adds an attribute, if it is one.
    fn with(self, is_right: bool, attribute: fmt::Arguments<'_>) -> Self {
        let Cookie { name, made } = self;
        let made = made.and_then(|made| {
            if is_right {
                return Ok(format!("{made}; {attribute}"));
            }
            let attribute = attribute.to_string();
            Err(format!("the cookie {name} cannot have the attribute {attribute:?} (RFC 6265 4.1.1)"))
        });
        Cookie { name, made }
    }
}

impl Response {
    /// The same response with one more cookie; those set before stay.
    #[must_use]
    pub fn with_cookie(mut self, cookie: Cookie) -> Self {
        match cookie.made {
            Ok(value) => self.headers.push("Set-Cookie", value),
            Err(why) => self.headers.refuse(why),
        }
        self
    }
}

/// Why these are no name and value of a cookie.
fn fault(name: &str, value: &str) -> Option<String> {
    if !is_token(name.as_bytes()) {
        return Some(format!("{name:?} is no name of a cookie: it is letters, digits and !#$%&'*+-.^_`|~"));
    }
    if name.len().saturating_add(value.len()) > MAX_LENGTH {
        return Some(format!("the cookie {name} is longer than the {MAX_LENGTH} bytes that browsers keep"));
    }
    let quoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    let wrong = quoted.unwrap_or(value).bytes().find(|&byte| !is_cookie_octet(byte))?;
    let wrong = wrong.escape_ascii();
    Some(format!("the cookie {name} has the character {wrong} in its value, against RFC 6265 4.1.1"))
}

/// `cookie-octet`.
const fn is_cookie_octet(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b',' | b';' | b'\\')
}
