//! A request as programs know it: the meta-variables of CGI/1.1 (RFC 3875 section 4.1), whose names WSGI (PEP 3333)
//! uses too.

use std::borrow::Cow;

use crate::http::Request;

/// Names and values, in order: those about the request first, then its header fields as they came.
///
/// Values are bytes, and never have a NUL in them. Of control characters there is at the most a tab, except that
/// `PATH_INFO` is decoded and may have any.
///
/// | name | value |
/// |---|---|
/// | `GATEWAY_INTERFACE` | `CGI/1.1` |
/// | `SERVER_SOFTWARE` | name and version of this server |
/// | `SERVER_PROTOCOL` | the version that the request is served as |
/// | `SERVER_NAME` | of the target or the Host field, else `localhost` |
/// | `SERVER_PORT` | that the request came to; where there are no ports, of the target or the Host field, else `80` |
/// | `REQUEST_METHOD` | as sent |
/// | `REQUEST_URI` | the target, as sent |
/// | `SCRIPT_NAME` | the prefix under which the handler is mounted, else empty |
/// | `PATH_INFO` | the path below it, decoded; empty for `*` |
/// | `QUERY_STRING` | as sent, without `?`; there, and empty, if there is none |
/// | `REMOTE_ADDR`, `REMOTE_PORT` | the client's; left out for one without an address, the port also for one behind a proxy |
/// | `CONTENT_LENGTH` | bytes of the body that were received; left out where no body was announced |
/// | `CONTENT_TYPE` | as sent; left out where nothing is said |
/// | `HTTP_NAME` | every other field: in capitals, `-` as `_` |
///
/// Fields that came more than once are joined with `, `, cookies with `; ` (RFC 6265 section 5.4). Three kinds of field
/// are left out:
///
/// - with an underscore in the name: `X_User` would become what `X-User` becomes, and a proxy that takes the one out of
///   what strangers send lets the other pass;
/// - `Proxy`: as `HTTP_PROXY` it would tell many programs whom to send their own requests through;
/// - `Transfer-Encoding`: the body has none any more. `CONTENT_LENGTH` counts what was in the chunks.
///
/// `HTTP_HOST` is the host of the target where that names one: the Host field is ignored then (RFC 9112 section 3.2.2).
///
/// There is no `HTTPS`, since no request comes over TLS here. `Authorization` is there: a handler that starts a program
/// decides whether it passes it on (RFC 3875 section 4.1.18).
///
/// ```
/// use ownhands::{App, Request, testing::MockClient};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut app = App::new();
/// app.route("GET", "/environ/.*", |request: &Request<'_>| {
///     let environ = request.environ();
///     assert_eq!(environ.get("PATH_INFO"), Some(&b"/environ/a b"[..]));
///     environ.iter().map(|(name, value)| format!("{name}={}\n", String::from_utf8_lossy(value))).collect::<String>()
/// })?;
/// let answer = MockClient::new(app).request("GET", "/environ/a%20b?q=%20").header("Accept", "*/*").send();
/// assert!(answer.text().contains("\nQUERY_STRING=q=%20\n"));
/// assert!(answer.text().ends_with("\nHTTP_HOST=localhost\nHTTP_ACCEPT=*/*\n"));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environ<'a> {
    entries: Vec<(Cow<'static, str>, Cow<'a, [u8]>)>,
}

/// `SERVER_SOFTWARE`.
const SOFTWARE: &str = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));

impl<'a> Request<'a> {
    /// The request as the meta-variables of CGI and WSGI.
    #[must_use]
    pub fn environ(&self) -> Environ<'a> {
        Environ::new(self)
    }
}

impl<'a> Environ<'a> {
    fn new(request: &Request<'a>) -> Self {
        let mut environ = Environ { entries: Vec::with_capacity(OWN_ENTRIES + request.headers.len()) };
        environ.push("GATEWAY_INTERFACE", b"CGI/1.1");
        environ.push("SERVER_SOFTWARE", SOFTWARE.as_bytes());
        environ.push("SERVER_PROTOCOL", request.version.as_str().as_bytes());
        let (host, port) = request.authority.map_or((LOCALHOST, ""), host_and_port);
        environ.push("SERVER_NAME", host.as_bytes());
        match request.local_port {
            Some(port) => environ.push_owned("SERVER_PORT", port.to_string()),
            None => environ.push("SERVER_PORT", if port.is_empty() { b"80" } else { port.as_bytes() }),
        }
        environ.push("REQUEST_METHOD", request.method.as_str().as_bytes());
        environ.push("REQUEST_URI", request.target.as_bytes());
        environ.push("SCRIPT_NAME", request.mount.as_bytes());
        let path = request.path_below_mount();
        environ.push("PATH_INFO", if path.starts_with(b"/") { path } else { b"" });
        environ.push("QUERY_STRING", request.query.unwrap_or_default().as_bytes());
        if let Some(client) = request.client {
            environ.push_owned("REMOTE_ADDR", client.to_string());
        }
        if let Some(peer) = request.peer.filter(|peer| request.client == Some(peer.ip().to_canonical())) {
            environ.push_owned("REMOTE_PORT", peer.port().to_string());
        }
        let announces_body = |name| request.headers.get(name).is_some();
        if announces_body("content-length") || announces_body("transfer-encoding") {
            environ.push_owned("CONTENT_LENGTH", request.body.len().to_string());
        }
        let is_absolute = !request.target.starts_with(['/', '*']);
        for (name, value) in request.headers.iter() {
            // Of a target that names a host the field says nothing (RFC 9112 section 3.2.2).
            let named = request.authority.filter(|_| is_absolute && name.eq_ignore_ascii_case("host"));
            if let Some(variable) = variable(name) {
                environ.add(variable, named.map_or(value, str::as_bytes));
            }
        }
        environ
    }

    /// The value of the variable of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.iter().find(|(other, _)| *other == name).map(|(_, value)| value)
    }

    /// Names and values, each name once.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.entries.iter().map(|(name, value)| (&**name, &**value))
    }

    fn push(&mut self, name: &'static str, value: &'a [u8]) {
        self.entries.push((Cow::Borrowed(name), Cow::Borrowed(value)));
    }

    fn push_owned(&mut self, name: &'static str, value: String) {
        self.entries.push((Cow::Borrowed(name), Cow::Owned(value.into_bytes())));
    }

    /// Adds the value of a field, behind one that came before it.
    fn add(&mut self, name: Cow<'static, str>, value: &'a [u8]) {
        let separator: &[u8] = if name == "HTTP_COOKIE" { b"; " } else { b", " };
        match self.entries.iter_mut().find(|(other, _)| *other == name) {
            Some((_, before)) => before.to_mut().extend([separator, value].concat()),
            None => self.entries.push((name, Cow::Borrowed(value))),
        }
    }
}

/// Variables that are no header fields.
const OWN_ENTRIES: usize = 13;

/// What the server is called where nobody says.
const LOCALHOST: &str = "localhost";

/// The variable for a field, if it has one.
fn variable(field: &str) -> Option<Cow<'static, str>> {
    let is = |name: &str| field.eq_ignore_ascii_case(name);
    if field.contains('_') || is("proxy") || is("transfer-encoding") || is("content-length") {
        return None;
    }
    if is("content-type") {
        return Some(Cow::Borrowed("CONTENT_TYPE"));
    }
    let mut name = String::with_capacity("HTTP_".len() + field.len());
    name.push_str("HTTP_");
    name.extend(field.chars().map(|character| if character == '-' { '_' } else { character.to_ascii_uppercase() }));
    Some(Cow::Owned(name))
}

/// An authority taken apart; the host may be an address in brackets, the port may be missing.
fn host_and_port(authority: &str) -> (&str, &str) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (authority, ""),
    }
}
