//! What shows a request to the one who sent it.

use std::fmt::Write as _;
use std::sync::Arc;

use ownhands::{Content, Cookie, FileRange, HttpError, Request, Response};

use super::pages::{self, Escaped};

/// The body, as it came. A long one lies in a file: the kernel sends it from there, and it costs no memory.
pub(super) fn body(request: &Request<'_>) -> Result<Response, HttpError> {
    let response = match request.body {
        Content::Memory(bytes) => Response::bytes(bytes),
        Content::Spooled(file, length) => {
            let file = Arc::new(file.try_clone()?);
            Response::file(FileRange { file, offset: 0, length })
        }
    };
    // No browser is to take somebody's upload for a page of this site.
    Ok(response
        .with_header("Content-Type", "application/octet-stream")
        .with_header("X-Content-Type-Options", "nosniff"))
}

/// The fields, a line each, in the order in which they were sent.
pub(super) fn headers(request: &Request<'_>) -> Response {
    lines(request.headers.iter(), b": ")
}

/// The meta-variables of CGI, a line each.
pub(super) fn environ(request: &Request<'_>) -> Response {
    lines(request.environ().iter(), b"=")
}

/// The cookies, a line each. Every `set=name=value` in the query sets one for the whole site.
pub(super) fn cookies(request: &Request<'_>) -> Result<Response, HttpError> {
    let cookies: Vec<_> = request.cookies().collect();
    let mut response = lines(cookies.iter().map(|(name, value)| (&**name, value.as_bytes())), b"=");
    for (_, cookie) in request.query_pairs().filter(|(name, _)| name == "set") {
        let (name, value) = cookie.split_once('=').ok_or(HttpError::bad_request(
            "a cookie is a name, an equals sign and a value: /cookie?set=colour=green",
        ))?;
        response = response.with_cookie(Cookie::new(name, value).with_path("/"));
    }
    match response.headers.refusal() {
        Some(why) => Err(HttpError::bad_request(why.to_owned())),
        None => Ok(response),
    }
}

/// A page with the peer's address and the fields.
pub(super) fn client(request: &Request<'_>) -> Response {
    let (ip, port) = pages::address(request.client, request.peer);
    let mut list = format!("<ul class=\"facts\">\n<li><b>Address</b> {ip}</li>\n<li><b>Port</b> {port}</li>\n");
    for (name, value) in request.headers.iter() {
        // Writing to memory does not fail.
        let _ = writeln!(list, "<li><b>{}</b> {}</li>", Escaped(name), Escaped(&String::from_utf8_lossy(value)));
    }
    list.push_str("</ul>\n");
    pages::page("You, as seen from here", &list)
}

/// Text of names and values. The values are a peer's: they may be no UTF-8, and are sent back as they are.
fn lines<'a>(pairs: impl Iterator<Item = (&'a str, &'a [u8])>, between: &[u8]) -> Response {
    let lines: Vec<u8> = pairs.flat_map(|(name, value)| [name.as_bytes(), between, value, b"\n"].concat()).collect();
    Response::bytes(lines)
        .with_header("Content-Type", "text/plain; charset=utf-8")
        .with_header("X-Content-Type-Options", "nosniff")
}
